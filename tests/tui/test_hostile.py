"""What lies in a root is shown and never obeyed, and what is no file of ours is said in a line."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import struct
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

import lenet_tui.tui
from lenet_tui.config import RunConfig
from lenet_tui.errors import LabError
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store
from lenet_tui.tui import settings
from lenet_tui.tui.app import LabApp
from lenet_tui.tui.details import text as details_text
from lenet_tui.tui.keys import NAMES
from lenet_tui.tui.runs.status import status_line
from lenet_tui.tui.store_watcher import Snapshot, Watcher
from lenet_tui.tui.study.screen import StudyScreen
from lenet_tui.tui.widgets import halfblocks, plain_text
from tests.tui.folders import finished
from tests.tui.terminal import Terminal
from tests.tui.test_main import opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from lenet_tui.store import Run

# To the clipboard, "where is the cursor", the same in one byte, a title, text that runs backwards, markup.
HOSTILE = "\x1b]52;c;aGFjaw==\x07\x1b[6n\x9b6n\x1b]0;title\x07\u202egnp\x08 [red]red[/red] [@click=app.quit]x[/]"
NAME = "bs\x1b]52;c;aGFjaw\x07\x9b6n\u202e[red]"
OBEYED = (b"\x1b]52", b"\x1b]0;", b"\x1b[6n", b"\xc2\x9b", "\u202e".encode(), b"\x08", b"\x1b]8;")
BLACK = Color(0, 0, 0)


def hostile_run(root: Path, made_in: Path) -> Run:
    """A finished run whose words are all hostile, moved from another root as from an archive."""
    run, _ = finished(made_in)
    folder = root / "lenet" / NAME
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(made_in / str(run.folder), folder)
    document = json.loads((folder / "run.json").read_text())
    document |= {"device": HOSTILE, "reason": HOSTILE}
    document["environment"][f"cpu{HOSTILE}"] = HOSTILE
    document["dataset"]["source"] = HOSTILE
    (folder / "run.json").write_text(json.dumps(document))
    with (folder / "log.txt").open("a") as file:
        file.write(f"2026-01-01 00:00:00Z {HOSTILE}\n")
    (folder / "confusion.png").write_text(HOSTILE)
    with Store(root) as store:
        found = store.import_folder(RunFolder(folder))
        store.set_note(found.id, HOSTILE)
        store.set_paused(True)
        return store.get(found.id)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_no_screen_lets_the_terminal_obey_what_a_root_says(tmp_path: Path, size: tuple[int, int]) -> None:
    root = tmp_path / "root"
    root.mkdir()
    finished(root, RunConfig(dataset="digits", epochs=4, seed=1))
    hostile_run(root, tmp_path / "made")
    study = root / "study" / "homework"
    study.mkdir(parents=True)
    (study / "discussion.md").write_text(
        f"# Title {HOSTILE}\n\nWords {HOSTILE} [a link](http://{HOSTILE})\n\n## [red]h\n"
    )
    quoted = json.dumps(HOSTILE)
    (root / ".lenet-tui" / "settings.toml").write_text(f"theme = {quoted}\n[keys]\nmetric = {quoted}\n")
    with Terminal(root, *size) as terminal:
        terminal.wait_for("settings.toml: keys.metric is", "finished")
        terminal.press("escape", "N")
        terminal.wait_for("there is no theme")
        terminal.press("escape", "home")  # the newest run, which is the hostile one
        for keys, words in (
            (("enter", "2"), "[@click=app.quit]x[/]"),
            (("5",), "[red]red[/red]"),
            (("escape", "v"), "Confusion matrix"),
            (("enter",), "cannot be shown"),
            (("escape", "n"), "Note on run"),
            (("escape", "d"), "Delete this run?"),
            (("escape", "a", "b"), "Runs"),
            (("escape", "h"), "[red]h"),
            (("t",), "Title"),
            (("escape", "escape", "/"), "lr=0.01"),
            (("escape", "\x10"), "Search for"),
        ):
            terminal.press(*keys)
            terminal.wait_for(words, seconds=60)
        terminal.press("escape", "escape", "q")
        assert terminal.wait_for_end() == 0
        assert {found for found in OBEYED if found in terminal.written} == set()


def test_every_text_goes_through_what_cleans_it() -> None:
    """Textual's own widgets take markup; a new screen must not use them by mistake."""
    folder = Path(lenet_tui.tui.__file__).parent
    for path in folder.rglob("*.py"):
        if path.name not in ("plain_text.py", "machine_line.py"):
            assert not re.search(r"(?<!\w)(Static|Label)\(", path.read_text()), path


def test_painted_lines_have_nothing_left_to_obey() -> None:
    clean = plain_text.Clean()
    harmless = [Segment("train ▁▂▃ 0.5 "), Segment("é…\u00a0", Style(bold=True))]
    assert clean.apply(harmless, BLACK) is harmless
    found = clean.apply([Segment(HOSTILE), Segment("a\tb", Style(link="http://x"))], BLACK)
    text = "".join(segment.text for segment in found)
    assert not set("\x1b\x07\x9b\u202e\x08\t") & set(text)
    assert "[red]red[/red]" in text
    assert found[1].style is not None
    assert found[1].style.link is None


async def test_what_is_copied_has_nothing_to_obey(tmp_path: Path) -> None:
    app = LabApp(tmp_path)
    async with app.run_test():
        app.copy_to_clipboard(f"one{HOSTILE}\ntwo")
        assert not set("\x1b\x07\x9b\u202e\x08") & set(app.clipboard)
        assert app.clipboard.endswith("\ntwo")


# What may be in the place of a file


def _link_to(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def _sparse(size: int) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


STAND_INS: dict[str, Callable[[Path], object]] = {
    "a named pipe": lambda path: os.mkfifo(path),
    "a link to a device": _link_to("/dev/zero"),
    "a link out of the root": _link_to("/etc/passwd"),
    "a folder": lambda path: path.mkdir(),
    "nothing": lambda path: path.touch(),
    "NUL bytes": lambda path: path.write_bytes(bytes(1000)),
    "300 MB": _sparse(300_000_000),
    "2 GB": _sparse(2_000_000_000),
}
_REFUSED = [name for name in STAND_INS if name.startswith("a ")]


def one_line(error: pytest.ExceptionInfo[LabError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert "object at 0x" not in text
    return text


@pytest.mark.parametrize("kind", STAND_INS)
def test_what_is_no_picture_is_said_in_a_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "loss.png"
    STAND_INS[kind](path)
    with pytest.raises(LabError) as error:
        halfblocks.load(path, 80, 24)
    assert "loss.png" in one_line(error)
    assert (kind in _REFUSED) == ("where a regular file belongs" in str(error.value))


def png(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, and has hardly a pixel."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(100)))]
    chunks = [struct.pack(">I", len(c)) + name + c + struct.pack(">I", zlib.crc32(name + c)) for name, c in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(50_000, 50_000), (6000, 6000), (2**31 - 1, 1)])
def test_a_picture_of_too_many_pixels_is_not_unpacked(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "loss.png"
    path.write_bytes(png(*size))
    with pytest.raises(LabError, match="pixels") as error:
        halfblocks.load(path, 80, 24)
    assert one_line(error)


def test_half_a_picture_and_another_format_are_said_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "loss.png"
    Image.effect_noise((300, 300), 50).save(path)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(LabError, match=r"loss\.png cannot be shown: image file is truncated"):
        halfblocks.load(path, 80, 24)
    Image.new("RGB", (30, 30)).save(path, format="GIF")
    with pytest.raises(LabError, match="it is not a PNG picture"):
        halfblocks.load(path, 80, 24)


@pytest.mark.parametrize("kind", STAND_INS)
def test_of_a_log_only_the_end_is_read_and_only_of_a_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log.txt"
    STAND_INS[kind](path)
    if kind in _REFUSED:
        with pytest.raises(LabError, match="where a regular file belongs") as error:
            details_text.last_lines(path)
        assert one_line(error)
    else:
        assert len(details_text.last_lines(path)) <= details_text.LOG_BYTES


def test_a_log_without_line_breaks_is_shown_in_part(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("x" * 1000)
    assert details_text.last_lines(path, 100) == "x" * 100


# Settings

DAMAGED: dict[str, bytes] = {
    "binary": bytes(range(256)) * 10,
    "NUL": bytes(100),
    "large": b"# " + b"x" * 1_000_000,
    "nested": b"a = " + b"[" * 50_000,
    "wrong types": b"theme = 3\nmouse = []\nkeys = 4\ndefaults = 'x'\non_end = {}\n",
    "many unknown": b"\n".join(b"unknown%d = 1" % n for n in range(2000)),
    "many defaults": b"[defaults]\n" + b"\n".join(b"unknown%d = 1" % n for n in range(2000)),
    "keys": b"[keys]\nmetric = '[red]'\nlog = ''\nsort = '\\u001b[6n'\nfilter = 'f5, ctrl+k,/'\n",
    "long": b"theme = '" + b"y" * 50_000 + b"'\n[keys]\nmetric = '" + b"z z" * 10_000 + b"'\n",
}


@pytest.mark.parametrize("kind", [*DAMAGED, *STAND_INS])
async def test_settings_from_anywhere_cost_a_few_short_lines(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.VARIABLE, str(tmp_path / "none.toml"))
    with Store(tmp_path) as store:
        store.set_paused(True)
    path = tmp_path / ".lenet-tui" / "settings.toml"
    if kind in DAMAGED:
        path.write_bytes(DAMAGED[kind])
    else:
        STAND_INS[kind](path)
    chosen, complaints = settings.load(tmp_path, NAMES)
    assert len(complaints) <= 5
    assert bool(complaints) == (kind != "nothing")
    assert all(len(line) <= 300 and line.isprintable() for line in complaints)
    assert chosen.keys == ({"filter": "f5, ctrl+k,/"} if kind == "keys" else {})
    app = LabApp(tmp_path, chosen, tuple(complaints))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.is_running


def test_a_person_may_keep_a_link_to_their_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dotfile").write_text("quiet = true\n")
    (tmp_path / "own.toml").symlink_to("dotfile")
    monkeypatch.setenv(settings.VARIABLE, str(tmp_path / "own.toml"))
    assert settings.load(tmp_path, NAMES)[0].quiet


# The runner


def test_a_runner_that_cannot_start_is_said_where_something_waits(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.add([RunConfig(dataset="digits")])
        seen: list[Snapshot] = []
        lock = tmp_path / ".lenet-tui" / "runner.lock"
        lock.unlink(missing_ok=True)
        lock.mkdir()
        watcher = Watcher(tmp_path, seen.append, look_seconds=0.05)
        watcher.start()
        try:
            for _ in range(400):
                if seen and seen[-1].runner_failure:
                    break
                watcher._ended.wait(0.05)
        finally:
            watcher.end()
        assert seen[-1].runner_failure
        assert seen[-1].trouble == ""
        assert list(seen[-1].runs) == [1]  # the runs can be looked at all the same
    line = status_line(seen[-1], tmp_path)
    assert line.startswith(f"0 running, 1 waiting · the runner cannot start: {seen[-1].runner_failure}")


# The root itself goes away, and comes back

PRIVATE = ".lenet-tui"
AWAY: dict[str, tuple[Callable[[Path], object], Callable[[Path], object], str]] = {
    "the root": (
        lambda root: root.rename(root.with_name("away")),
        lambda root: root.with_name("away").rename(root),
        "root is missing; the app continues when it is back",
    ),
    "the root, a file in its place": (
        lambda root: (root.rename(root.with_name("away")), root.touch()),
        lambda root: (root.unlink(), root.with_name("away").rename(root)),
        "root is missing; the app continues when it is back",
    ),
    "the private folder": (lambda root: shutil.rmtree(root / PRIVATE), lambda _: None, ""),
    "the store": (lambda root: (root / PRIVATE / "store.db").write_bytes(os.urandom(5000)), lambda _: None, ""),
}


@pytest.mark.parametrize("what", AWAY)
def test_what_goes_away_is_said_and_found_again(tmp_path: Path, what: str) -> None:
    root = tmp_path / "root"
    finished(root, RunConfig(dataset="digits", epochs=4))
    seen: list[Snapshot] = []
    watcher = Watcher(root, seen.append, look_seconds=0.05)
    take, bring, words = AWAY[what]

    def until(holds: Callable[[Snapshot], object]) -> None:
        deadline = time.monotonic() + 60
        while not seen or not holds(seen[-1]):
            assert time.monotonic() < deadline, seen[-1:]
            time.sleep(0.02)

    watcher.start()
    try:
        until(lambda snapshot: 1 in snapshot.runs)
        take(root)
        if words:
            until(lambda snapshot: words in snapshot.trouble)
            with pytest.raises(LabError, match="is missing"):
                watcher.ask(lambda store: store.set_note(1, "lost"))
        else:
            until(lambda snapshot: snapshot.notices)
        bring(root)
        until(lambda snapshot: snapshot.trouble == "" and len(snapshot.runs) == 1)
        watcher.ask(lambda store: store.set_note(1, "kept"))
        until(lambda snapshot: any(run.note == "kept" for run in snapshot.runs.values()))
    finally:
        watcher.end()


async def test_a_run_of_another_version_costs_a_message(tmp_path: Path) -> None:
    run, _ = finished(tmp_path)
    values = json.loads(run.config_json) | {"lr_schedule": ["unknown"], "seed": "one"}
    with Store(tmp_path) as store:
        store.set_paused(True)
    with contextlib.closing(sqlite3.connect(tmp_path / PRIVATE / "store.db")) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE runs SET config = ?", (json.dumps(values),))
        for _, statement in triggers:
            connection.execute(statement)
    async with opened(tmp_path) as bench:
        await bench.until(lambda: len(bench.main.runs.listed) == 1)
        for key in ("escape", "c", "y"):
            await bench.press(key)
        await bench.until(lambda: bench.history().count("cannot be read") >= 2)
        await bench.press("h")
        await bench.until(lambda: isinstance(bench.app.screen, StudyScreen))
        assert bench.app.is_running
