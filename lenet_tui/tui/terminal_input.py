"""Reads what a terminal sends, even if it is no UTF-8.

Textual's drivers decode strictly and end the app at the first wrong byte, as from an old terminal, a text pasted from
one, or a mouse in tmux beyond column 95 (https://github.com/Textualize/textual/issues/6456).
"""

from __future__ import annotations

import codecs
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver

# The oldest way to report the mouse: three bytes, each 32 more than it means. The app asks for a newer one.
_OLD_MOUSE_REPORT = re.compile(rb"\x1b\[M[\x20-\xff]{3}", re.DOTALL)
_AS_LATIN_1 = "lenet_tui.latin-1"


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - nothing else is registered for
    return error.object[error.start : error.end].decode("latin-1"), error.end


class Decoder:
    """Decodes UTF-8; each byte that is none is the Latin-1 letter. Old mouse reports are left out."""

    def __init__(self) -> None:
        codecs.register_error(_AS_LATIN_1, _as_latin_1)
        self._decoder = codecs.getincrementaldecoder("utf-8")(_AS_LATIN_1)

    def decode(self, data: bytes, final: bool = False) -> str:  # noqa: FBT001, FBT002 - as codecs have it
        """Return the text of ``data``, without a character that is not complete yet."""
        # C1 controls come from Latin-1 bytes only, and would begin a command of the terminal.
        text = self._decoder.decode(_OLD_MOUSE_REPORT.sub(b"", data), final)
        return re.sub(r"[\x80-\x9f]", "\N{REPLACEMENT CHARACTER}", text)


def tolerate_any_bytes(driver_class: type[Driver]) -> None:
    """Have this kind of driver use `Decoder`; one that decodes in another way, as on Windows, stays as it is."""
    module = sys.modules[driver_class.__module__]
    if hasattr(module, "getincrementaldecoder"):
        setattr(module, "getincrementaldecoder", lambda _encoding: Decoder)  # noqa: B010 - not in the module's stub
