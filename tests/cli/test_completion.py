"""``lenet-tui completion``: scripts that the shells accept, and what they offer."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from lenet_tui.cli import completion
from lenet_tui.cli.main import COMMANDS, main
from lenet_tui.config import RunConfig
from lenet_tui.store import Store

TRY = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
function=$(complete -p lenet-tui | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function" lenet-tui "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_script_has_every_command_and_the_shell_can_read_it(shell, tmp_path, capsys):
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in text] == []
    assert "batch_size" in text
    assert "affine+elastic" in text
    if shell == "zsh":  # nothing runs when it is loaded
        assert re.findall(r"(?<!\\)\$\(lenet-tui", text) == []
    if shutil.which(shell):
        (tmp_path / "script").write_text(text)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True)


def test_bash_completes_commands_flags_and_values(tmp_path):
    (tmp_path / "script").write_text(completion.script("bash"))

    def offered(*words: str) -> list[str]:
        command = ["bash", "-c", TRY, "bash", str(tmp_path / "script"), "lenet-tui", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert offered("wat") == ["watch"]
    assert offered("train", "--batch") == ["--batch_size", "--batch-size"]
    assert offered("train", "--model", "") == ["lenet", "alexnet"]
    assert "drain" not in offered("queue", "")
    assert offered("completion", "") == ["bash", "zsh", "fish"]


def test_the_numbers_of_runs_are_offered_from_the_store(tmp_path, capsys):
    assert main(["completion", "runs", "--root", str(tmp_path)]) == 0
    assert list(tmp_path.iterdir()) == []
    with Store(tmp_path) as store:
        store.set_paused(True)
        store.add([RunConfig(), RunConfig(seed=1)])
    assert main(["completion", "runs", "--root", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "1\n2\n"
    assert main(["completion", "tcsh"]) == 2
