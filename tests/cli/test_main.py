"""The command line as a whole: what it imports, how it answers, what ``doctor`` and ``make`` say."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Lab = Callable[..., subprocess.CompletedProcess[str]]


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    code = "import sys, lenet_tui.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & {"torch", "torchvision", "sklearn", "scipy", "matplotlib", "numpy", "textual"} == set()


def test_without_a_command_and_a_terminal_the_ways_on_are_told(lab: Lab) -> None:
    done = lab()
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "needs a terminal" in line
    assert "lenet-tui train" in line


def test_once_prints_one_frame_of_the_app_as_plain_text(lab: Lab, trained_root: Path) -> None:
    done = lab("--once", "--size", "100x30", "--root", trained_root)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 30
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in done.stdout
    assert "finished" in done.stdout
    assert "lowest" in done.stdout  # the curves of the current run
    assert lab("--once", "--size", "100", "--root", trained_root).returncode == 2
    done = lab("--size", "100x30", "--root", trained_root)
    assert "--once" in done.stderr


def test_help_shows_every_command(lab: Lab) -> None:
    done = lab("--help")
    assert done.returncode == 0
    for command in ("train", "export", "data", "doctor"):
        assert command in done.stdout


def test_the_help_of_train_tells_every_default_and_choice(lab: Lab) -> None:
    text = " ".join(lab("train", "--help").stdout.split())
    assert "--batch_size N images per optimizer step (default 64)" in text
    flags = text[text.index("the assignment:") :]
    first = [
        flags.index(flag) for flag in ("--model NAME", "--batch_size N", "--lr X", "--optimizer NAME", "--root DIR")
    ]
    assert first == sorted(first)
    assert "affine+elastic" in text
    assert "optimisation:" in text


def test_a_reader_who_leaves_early_sees_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m lenet_tui train --dataset digits --epochs 30 --tsne-samples 100 | head -n 2"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_doctor_finds_torch_data_and_a_writable_root_here(lab: Lab) -> None:
    done = lab("doctor", "--json")
    findings = {finding["topic"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0
    assert {"Python", "torch", "torchvision", "devices", "CPU cores", "MNIST", "terminal", "root"} <= set(findings)
    assert findings["digits (scikit-learn)"]["verdict"] == "ok"
    assert "cpu" in findings["devices"]["detail"]


def test_doctor_names_each_problem_with_its_remedy(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = tmp_path / "cache" / "datasets" / "MNIST" / "raw"
    cache.mkdir(parents=True)
    for name in (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ):
        (cache / name).write_bytes(b"not an image")
    done = lab("doctor", "--root", "file", env={"LENET_TUI_CACHE": str(tmp_path / "cache")})
    assert done.returncode == 1
    assert "✗  MNIST" in done.stdout
    assert "lenet-tui data get mnist" in done.stdout
    assert "✗  root" in done.stdout
    assert "--root file is a file" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--json", "runs"), "--json goes after the command: lenet-tui runs --json"),
        (("--root", ".", "quue"), "quue is not a command (did you mean queue?)"),
        (("--quiet", "runs"), "--quiet is a flag of the app; leave it out for lenet-tui runs"),
        (("quue",), "quue is not a command (did you mean queue?)"),
        (("--jsonn",), "unknown argument --jsonn (did you mean --json?)"),
        (("--bogus",), "unknown argument --bogus; see 'lenet-tui --help'"),
        (("runs", "--jsn"), "unknown argument --jsn (did you mean --json?)"),
        (("runs", "--bogus"), "unknown argument --bogus\n"),
        (("runner", "strat"), "strat is none of status, start, stop (did you mean start?)"),
        (("data", "get", "minst"), "minst is none of mnist, fashion-mnist, kmnist, digits (did you mean mnist?)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_misspelt_word_is_told_with_what_may_be_meant(words: tuple[str, ...], message: str, lab: Lab) -> None:
    done = lab(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


COMMANDS = (
    *("train", "queue", "runs", "show", "watch", "export", "compare", "study", "inspect", "predict"),
    *("delete", "import", "runner", "data", "doctor", "serve", "completion"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_says_more_than_its_name(command: str, lab: Lab) -> None:
    text = lab(command, "--help").stdout.partition("\n\n")[2].partition("\n\n")[0]
    assert len(text.split()) >= 12, text
