"""Text from disk in a Markdown document: shown as plain text, never as markup."""

from __future__ import annotations

import re

from lenet_tui.formatting import shown

# What makes emphasis, code, links, images, HTML, entities, table cells, strikethrough or formulas out of a text within
# a line, and what GitHub makes links of by itself. An underscore within a word is none of these.
_MARKUP = re.compile(
    r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|<(?=[a-zA-Z/!?])|&(?=[#\w])|:(?=//)|(?<=\bwww)\.|(?<=\S)@(?=\S)",
    re.IGNORECASE,
)
_LONGEST = 1000  # characters
_NOT_IN_CODE = re.compile(r"[`|\\]")


def plain(text: str) -> str:
    """Return ``text`` as Markdown that shows it as it is, in one line and cut where it is very long.

    Not for the beginning of a line, where more characters are markup.
    """
    return _MARKUP.sub(r"\\\g<0>", shown(text, _LONGEST))


def code(text: str) -> str:
    """Return ``text`` as code in Markdown, also in a table; plain where it has characters that would end it."""
    text = shown(text)
    return plain(text) if _NOT_IN_CODE.search(text) or not text.strip() else f"`{text}`"
