"""All that the command line writes: lines for people, JSON for programs, on streams that may be closed, full or old.

Nothing else in `lenet_tui.cli` prints. What a line is made of may come from a damaged disk or from the command line, so
every line is cleaned (`lenet_tui.formatting.printable`); only `console` adds escape sequences, and only its own.

An output that cannot be written never ends the work. The first reason is kept, the rest is dropped, and `finish` says
it at the end. A reader who leaves early (``| head -1``) is the exception: `ReaderGone` ends what only prints.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import json
import math
import os
import re
import sys
from typing import IO, TYPE_CHECKING, Any, cast

from lenet_tui.formatting import printable
from lenet_tui.host import named_files

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterable

    from rich.console import Console
    from rich.segment import Segment

_ERRORS = "lenet-tui"  # our way to write characters that an encoding lacks
_STAND_INS = {
    **dict.fromkeys("–—−━─╸╺·", "-"),
    "×": "x",
    "±": "+-",
    "→": "->",
    "←": "<-",
    "≥": ">=",
    "≤": "<=",
    "…": "...",
    "\N{NO-BREAK SPACE}": " ",
    "✓": "+",
    "✗": "x",
    "◆": "*",
    "²": "2",
    "°": " deg",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "░": ".",
    "▒": ":",
    "▓": "%",
    "█": "#",
    "▀": "^",
    "▄": "_",
}
_LONGEST_WORD = 300  # room for a path; a longer word is a mistake and would hide the message
_LONGEST_COMPLAINT = 2000


class ReaderGone(BrokenPipeError):  # noqa: N818 - names what happened
    """The program that read our output has ended."""


class Channel:
    """Standard output or standard error of this moment, made safe to write to; rich can use it as a file."""

    def __init__(self, name: str, *, needed: bool) -> None:
        """``needed`` says whether it matters that what is written arrives."""
        self._name = name
        self._needed = needed
        self.failure: OSError | None = None

    @property
    def _stream(self) -> IO[str]:
        result = getattr(sys, self._name)
        # While rich shows a bar it puts itself in the place of the stream, and then writes to us.
        return cast("IO[str]", getattr(result, "rich_proxied_file", result))

    def prepare(self) -> None:
        """Forget an earlier failure, and have characters that the encoding lacks replaced."""
        self.failure = None
        with contextlib.suppress(AttributeError):  # a stream of a test or of a program that embeds us
            cast("io.TextIOWrapper", self._stream).reconfigure(errors=_ERRORS)

    def write(self, text: str) -> int:
        """Write a text unchanged. Raises `ReaderGone`."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def write_bytes(self, content: bytes) -> None:
        """Write bytes as they are, after what was written before. Raises `ReaderGone`."""

        def call() -> None:
            self._stream.flush()
            cast("io.TextIOWrapper", self._stream).buffer.write(content)

        self._try(call)

    def flush(self) -> None:
        """Have what was written arrive. Raises `ReaderGone`."""
        self._try(lambda: self._stream.flush())

    def isatty(self) -> bool:
        """Say whether a person reads it in a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor, where there is one."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        """The encoding of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def _try(self, call: Callable[[], object]) -> None:
        if self.failure is not None:
            return
        try:
            call()
        except OSError as error:
            self.failure = error
            # What is still in the buffer would fail again when the interpreter ends.
            with contextlib.suppress(OSError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, self._stream.fileno())
                os.close(null)
            if self._needed and isinstance(error, BrokenPipeError):
                raise ReaderGone(errno.EPIPE, "the reader has left") from None


stdout = Channel("stdout", needed=True)
stderr = Channel("stderr", needed=False)


def prepare() -> None:
    """Make the standard streams safe to write to. To be called before anything is opened.

    A stream that was closed (``>&-``) goes nowhere: else the next file that is opened, say the store, would get its
    number, and with it what libraries print.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            os.set_inheritable(number, True)  # noqa: FBT003 - children have three streams too
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    with contextlib.suppress(AttributeError):
        cast("io.TextIOWrapper", sys.stdin).reconfigure(errors="replace")
    codecs.register_error(_ERRORS, _stand_in)
    stdout.prepare()
    stderr.prepare()


def finish(code: int) -> int:
    """Have everything arrive and return the exit code: ``code``, or 1 where the output could not be written.

    Raises `ReaderGone`.
    """
    stdout.flush()
    if stdout.failure is not None and not isinstance(stdout.failure, BrokenPipeError):
        complain(f"cannot write the output: {reason(stdout.failure)}")
        code = code or 1
    stderr.flush()
    return code


def reason(error: OSError) -> str:
    """Say in a few words why something could not be written or read."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    return error.strerror or str(error)


def say(text: str, *, flush: bool = False) -> None:
    """Print one line of output. What would break the line or command the terminal is replaced."""
    stdout.write(printable(text) + "\n")
    if flush:
        stdout.flush()


def say_lines(lines: Iterable[str]) -> None:
    """Print many lines of output at once."""
    stdout.write("".join([printable(line) + "\n" for line in lines]))


def say_drawn(lines: Iterable[str]) -> None:
    """Print lines with the escape sequences that draw them; who drew them has cleaned the texts in them."""
    stdout.write("".join([line + "\n" for line in lines]))


def say_json(document: Any) -> None:
    """Print the one JSON document of a command."""
    # Indenting thousands of runs takes a second, and only programs read them.
    indent = None if isinstance(document, list) and len(document) > 100 else 2
    stdout.write(json_text(document, indent) + "\n")


def say_json_line(document: Any) -> None:
    """Print one line of JSON, at once: a program follows the output."""
    stdout.write(json_text(document) + "\n")
    stdout.flush()


def say_json_lines(entries: Iterable[str]) -> None:
    """Print a JSON list whose entries are JSON already, one a line."""
    stdout.write("[" + ",\n".join(entries) + "]\n")


def write_file(name: str, content: bytes) -> None:
    """Write a file that a person named; ``-`` is the output. Raises `LabError` as `named_files.write` does."""
    if named_files.descriptor(name) == 1:
        stdout.write_bytes(content)
    else:
        named_files.write(name, content)


def tell(text: str) -> None:
    """Say something to the person, beside the output; what is too long to be read is shortened."""
    stderr.write(_clipped(printable(text)) + "\n")
    stderr.flush()


def tell_json(document: Any) -> None:
    """Say something to a program, beside the output: a line of JSON."""
    stderr.write(json_text(document) + "\n")
    stderr.flush()


def note(text: str) -> None:
    """Show a text on standard error that `clear_note` takes away again; nothing where no person looks."""
    if stderr.isatty():
        stderr.write(printable(text))
        stderr.flush()


def clear_note() -> None:
    """Take away what `note` shows."""
    if stderr.isatty():
        stderr.write("\r\x1b[K")
        stderr.flush()


def complain(text: object) -> None:
    """Say in one line that something went wrong."""
    tell(f"lenet-tui: {text}")


def is_terminal() -> bool:
    """Say whether the output is read in a terminal."""
    return stdout.isatty()


def console(channel: Channel = stdout, **options: Any) -> Console:
    """Return rich's console on a channel, which takes escape sequences from rich alone, not from texts."""
    from rich.console import Console

    class CleanConsole(Console):
        """Replaces control characters in all that is rendered."""

        def render(self, *what: Any, **options: Any) -> Iterable[Segment]:
            """Render as rich does, and clean what is text."""
            for segment in super().render(*what, **options):
                lines = segment.text.split("\n")
                yield segment if segment.control else segment._replace(text="\n".join(map(printable, lines)))

    return CleanConsole(file=cast("IO[str]", channel), highlight=False, **options)


def json_text(document: Any, indent: int | None = None) -> str:
    """Return JSON as every program reads it: null for infinity and "not a number", which JSON does not have."""
    try:
        return json.dumps(document, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(document), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value


def _clipped(text: str) -> str:
    text = re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", lambda result: _shortened(result[0], _LONGEST_WORD), text)
    return _shortened(text, _LONGEST_COMPLAINT)


def _shortened(text: str, length: int) -> str:
    half = length // 2
    return text if len(text) <= length else f"{text[:half]}…{text[-half:]}"


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_STAND_INS.get(letter, "?") for letter in error.object[error.start : error.end]), error.end
