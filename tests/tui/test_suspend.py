"""Suspending the app: a real shell with job control, in a real pseudo-terminal."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from lenet_tui.tui.store_watcher import Watcher
from tests.tui.folders import finished
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

APP = f"{sys.executable} -m lenet_tui --root root"
SUSPEND = "\x1a"
# What an app sets in a terminal, and what undoes it: other screen, mouse, pasting, reports of focus, cursor, no wrap.
MODES = {"?1049": "h", "?1000": "h", "?1003": "h", "?1006": "h", "?2004": "h", "?1004": "h", "?25": "l", "?7": "l"}

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")


class Shell(Terminal):
    """A terminal with an interactive bash in the folder above the root, told to run ``command``."""

    def __init__(self, root: Path, command: str = APP, columns: int = 80, lines: int = 24) -> None:
        environment = {"PS1": "ready> ", "BASH_SILENCE_DEPRECATION_WARNING": "1", "HOME": str(root.parent)}
        bash = ["bash", "--noprofile", "--norc", "--noediting", "-i"]
        super().__init__(root, columns, lines, command=bash, **environment)
        self.press(f"cd {root.parent}\r", "PS1='ready> '\r")
        self.wait_for("ready> ")
        self.press(f"{command}\r")
        self.wait_for("model", "epochs", "Quit")
        self._read(0.5)

    @property
    def app(self) -> int:
        """The app's process."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return next(process.pid for process in below if "--root" in process.cmdline() and "-m" in process.cmdline())

    def suspend(self) -> None:
        stopped = self.written.count(b"Stopped")
        self.press(SUSPEND)
        self.wait_until(lambda: self.written.count(b"Stopped") > stopped)
        self._read(0.3)
        assert self.edits_lines
        assert {mode for mode, value in MODES.items() if self.mode(mode) == value} == set()

    def go_on(self) -> None:
        before = len(self.written)
        self.press("fg\r")
        self.wait_until(lambda: b"\x1b[?1049h" in self.written[before:])
        self._read(1)
        assert not self.edits_lines
        assert {mode: self.mode(mode) for mode in MODES} == MODES

    def mode(self, name: str) -> str:
        """Return how a mode of the terminal was set last: h or l."""
        high, low = (self.written.rfind(f"\x1b[{name}{value}".encode()) for value in "hl")
        return "h" if high > low else "l"

    def settled(self) -> str:
        """Return what is shown once nothing more is written."""
        before = None
        while before != (before := self.shown()):
            self._read(0.7)
        return before

    def shown(self) -> str:
        """Return the screen but for the load of the machine, which changes by itself."""
        return "\n".join(line for line in self.text().splitlines() if "cpu" not in line.lower())

    def say(self, word: str) -> None:
        """Have the shell say a word that is not in the command."""
        self.press(f"echo {word[:1]}''{word[1:]}\r")
        self.wait_for(word)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.mark.parametrize("started", ["by hand", "by make", "by a script without job control"])
def test_the_shell_has_the_terminal_while_the_app_is_suspended(root: Path, started: str) -> None:
    command = APP
    if started == "by make":
        if shutil.which("make") is None:
            pytest.skip("no make here")
        (root.parent / "Makefile").write_text(f"run:\n\t@if true; then {APP}; fi\n")
        command = "make run"
    elif started != "by hand":
        (root.parent / "open.sh").write_text(f"{APP}\nexit $?\n")
        command = "sh open.sh"
    with Shell(root, command) as shell:
        shell.press("down", "down", "down", "down")
        shell.wait_for("▸lr")
        before = shell.settled()
        for word in ("hello", "again"):
            shell.suspend()
            shell.say(word)
            shell.go_on()
            shell.wait_until(lambda: shell.shown() == before)  # painted again, nothing typed into it
        shell.suspend()
        shell.resize(120, 40)
        shell.go_on()
        shell.wait_until(lambda: "F1 Help" in "".join(shell.text().splitlines()[39:]))
        shell.press("escape", "q")
        shell.wait_until(lambda: shell.edits_lines)
        shell.say("left")


def test_keys_that_follow_at_once_are_not_typed_into_the_form(root: Path) -> None:
    with Shell(root) as shell:
        shell.press("down", "down", "down", "down")
        shell.wait_for("▸lr")
        before = shell.settled()
        shell.press(f"{SUSPEND}777\r")
        shell.wait_until(lambda: b"Stopped" in shell.written)
        shell.go_on()
        shell.wait_until(lambda: shell.shown() == before)


def test_every_place_where_text_is_typed_can_be_left_for_the_shell(root: Path) -> None:
    finished(root)
    with Shell(root) as shell:
        shell.wait_for("finished")
        shell.press("escape")
        for keys, words in ((("/",), "state:finished"), (("n",), "Note on run 1"), (("\x10",), "Search for")):
            shell.press(*keys)
            shell.wait_for(words)
            shell.suspend()
            shell.say("hello")
            shell.go_on()
            shell.wait_for(words)
            shell.press("escape", "escape")
        for keys, words in ((("enter",), "Configuration"), (("\x1bOP",), "Fill in the form")):
            shell.press(*keys)
            shell.wait_for(words)
            shell.suspend()
            shell.go_on()
            shell.wait_for(words)


def test_signals_from_outside_suspend_it_too(root: Path) -> None:
    with Shell(root) as shell:
        before = shell.settled()
        os.kill(shell.app, signal.SIGTSTP)
        shell.wait_until(lambda: b"Stopped" in shell.written)
        shell.say("hello")
        shell.go_on()
        shell.wait_until(lambda: shell.shown() == before)
        os.kill(shell.app, signal.SIGSTOP)  # nobody can hear this one
        shell.wait_until(lambda: shell.written.count(b"Stopped") == 2)
        shell.say("again")
        shell.go_on()
        shell.wait_until(lambda: shell.shown() == before)
        os.kill(shell.app, signal.SIGCONT)  # nothing to go on with
        shell._read(1)
        shell.wait_until(lambda: shell.shown() == before)
        shell.press("escape", "q")
        shell.wait_until(lambda: shell.edits_lines)
        shell.say("left")


def test_in_the_background_it_waits_for_the_terminal(root: Path) -> None:
    with Shell(root) as shell:
        before = shell.settled()
        shell.suspend()
        shell.press("bg\r")
        shell.wait_until(lambda: psutil.Process(shell.app).status() == psutil.STATUS_STOPPED)
        time.sleep(0.5)
        assert psutil.Process(shell.app).status() == psutil.STATUS_STOPPED
        shell.say("hello")
        shell.go_on()
        shell.wait_until(lambda: shell.shown() == before)


def test_without_a_shell_above_it_it_says_so_and_goes_on(root: Path) -> None:
    with Terminal(root) as terminal:
        terminal.wait_for("no runs yet")
        terminal.press(SUSPEND)
        terminal.wait_for("cannot be suspended")
        terminal.press("escape", "z")
        terminal.wait_until(lambda: "model  lenet" not in terminal.text())  # it still hears keys


# The app leads a group of processes that nobody waits for, within a session that goes on.
ORPHAN = """
import os, signal, sys, time
parent = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == parent:
    time.sleep(0.01)
os.setpgid(0, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.tcsetpgrp(0, os.getpid())
signal.signal(signal.SIGTTOU, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, "-m", "lenet_tui", "--root", sys.argv[1]])
"""


def test_a_group_that_no_shell_could_continue_is_not_stopped(root: Path) -> None:
    script = root.parent / "orphan.py"
    script.write_text(ORPHAN)
    command = ["sh", "-c", f"{sys.executable} {script} {root}; exec sleep 600"]
    with Terminal(root, command=command) as terminal:
        terminal.wait_for("no runs yet")
        terminal.press(SUSPEND)
        terminal.wait_for("cannot be suspended", "no runs yet")
        terminal.press("escape", "z")
        terminal.wait_until(lambda: "model  lenet" not in terminal.text())


def test_a_program_that_has_the_terminal_meanwhile_is_suspended_with_the_app(root: Path) -> None:
    from PIL import Image

    run, _ = finished(root)
    Image.new("RGB", (40, 30), "red").save(root / str(run.folder) / "confusion.png")
    (root / ".lenet-tui" / "settings.toml").write_text('pictures = "pixels"\n')
    with Shell(root) as shell:
        shell.wait_for("finished")
        shell.press("escape", "v")
        shell.wait_for("1 Confusion matrix", "accuracy", "PNG")  # the drawing is there, and the keys
        shell.press("enter")
        shell.wait_until(lambda: b"i=31,s=1" in shell.written)
        shell.press("\x1b[?62;4c")  # this terminal shows sixels
        shell.wait_until(lambda: b"any key goes back" in shell.written)
        shell.press(SUSPEND)
        shell.wait_until(lambda: b"Stopped" in shell.written)
        shell.say("hello")
        shown = shell.written.count(b"any key goes back")
        shell.press("fg\r")
        shell.wait_until(lambda: shell.written.count(b"any key goes back") > shown)  # it is drawn again
        shell.settled()
        shell.press(" ")
        shell.wait_for("1 Confusion matrix", "accuracy", "PNG")


def test_what_stops_waits_for_the_store(root: Path) -> None:
    """A process that is stopped within a transaction would keep every run from writing."""
    watcher, begun, done = Watcher(root, lambda _: None), threading.Event(), threading.Event()

    def slow(_store: object) -> None:
        begun.set()
        time.sleep(0.5)
        done.set()

    asking = threading.Thread(target=watcher.ask, args=(slow,))
    asking.start()
    begun.wait(5)
    with watcher.at_rest():
        assert done.is_set()
    asking.join()
    watcher.end()
