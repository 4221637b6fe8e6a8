"""One key: what it is called, what it does, and its binding."""

from __future__ import annotations

import re
from dataclasses import dataclass

from textual.binding import Binding

_SIGNS = {
    "escape": "esc",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "shift+tab": "⇧tab",
    "shift+up": "⇧↑",
    "shift+down": "⇧↓",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}


@dataclass(frozen=True)
class Key:
    """One thing that can be done by key.

    ``id`` is its name in ``settings.toml``, as are its ``aliases``; ``keys`` are the keys, separated by commas.
    ``target`` is a method of the screen, or of a part of it (``runs.mark``), that is called with ``parameters``.
    ``priority`` is the rank in the footer when there is little room, 0 for what is not in the footer. ``places`` are
    the parts of the screen where the key works, all when empty; ``anywhere`` makes it work in fields too.
    """

    id: str
    keys: str
    label: str
    help: str
    target: str
    parameters: tuple[object, ...] = ()
    priority: int = 0
    places: tuple[str, ...] = ()
    anywhere: bool = False
    sign: str = ""
    aliases: tuple[str, ...] = ()
    section: str = ""

    @property
    def shown(self) -> str:
        """The key as footer and help show it."""
        first = self.keys.split(",")[0]
        return self.sign or _SIGNS.get(first) or re.sub(r"^f(\d+)$", r"F\1", first.replace("ctrl+", "^"))

    @property
    def action(self) -> str:
        """The action of its binding; `LabScreen.action_press` carries it out."""
        return f"press('{self.id}')"

    def binding(self, action: str = "") -> Binding:
        """Return Textual's binding, for another ``action`` where one is given."""
        return Binding(
            self.keys,
            action or self.action,
            self.label,
            show=bool(self.priority),
            key_display=None if self.shown == self.keys else self.shown,  # Textual has signs for enter and space
            priority=self.anywhere,
            tooltip=self.help,
            id=self.id,
        )
