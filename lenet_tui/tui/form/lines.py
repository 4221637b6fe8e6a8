"""The form's parts besides fields: containers, and the lines for preset, folding and queueing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from lenet_tui.tui.form.field import CHANGED, FOCUSED, WRONG

if TYPE_CHECKING:
    from textual import events

    from lenet_tui.tui.form.presets import Preset

# Other letters would be commands of the screen; typed here, they are meant for a field.
_LETTERS_FOR_THE_SCREEN = "q?"


class FormBody(Widget):
    """The rows, which scroll. It has no keys of its own, since up and down go from field to field."""

    DEFAULT_CSS = """
    FormBody { layout: vertical; height: auto; overflow: hidden auto; scrollbar-size-vertical: 1; }
    """


class FoldedRows(Widget):
    """The rows of a group, shown or hidden together."""

    DEFAULT_CSS = """
    FoldedRows { layout: vertical; height: auto; display: none; }
    """


class FormLine(Widget, can_focus=True):
    """A line that takes keys: those in ``pressed_by`` do what it is for; enter, if not among them, goes on."""

    DEFAULT_CSS = """
    FormLine { height: 1; width: 1fr; color: $text-muted; }
    FormLine:focus { background: $surface-lighten-2; color: $foreground; text-style: bold; }
    """
    pressed_by: tuple[str, ...] = ("space", "enter")

    def press(self, step: int = 1) -> None:
        """Do what the line is for."""
        raise NotImplementedError

    def help(self) -> str:
        """Return what the line is for."""
        raise NotImplementedError

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Take letters, so that they are not commands of the screen."""
        if key in ("enter", "slash"):  # Textual has no character for the slash
            return True
        return character is not None and character.isprintable() and character not in _LETTERS_FOR_THE_SCREEN

    def on_key(self, event: events.Key) -> None:
        """Press the line by its keys."""
        if event.key in self.pressed_by:
            event.stop()
            event.prevent_default()
            self.press(-1 if event.key == "left" else 1)

    def on_click(self) -> None:
        """Press the line by mouse."""
        self.press()

    def on_focus(self) -> None:
        """Draw the mark."""
        self.refresh()

    def on_blur(self) -> None:
        """Take the mark away."""
        self.refresh()

    @property
    def mark(self) -> str:
        """The sign of the focus, visible without colour."""
        return FOCUSED if self.has_focus else " "


class PresetLine(FormLine):
    """Which preset the form is filled with."""

    pressed_by = ("space", "left", "right")

    @dataclass
    class Next(Message):
        """The next preset, or for a negative ``step`` the previous one, is wanted."""

        step: int

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self._preset = preset

    def show(self, preset: Preset) -> None:
        """Show another preset."""
        if preset != self._preset:
            self._preset = preset
            self.refresh()

    def press(self, step: int = 1) -> None:
        """Ask for another preset."""
        self.post_message(self.Next(step))

    def help(self) -> str:
        """Return what the preset is for."""
        return f"preset: {self._preset.help}; ← → change it"

    def render(self) -> Content:
        """Draw the name between arrows."""
        label = "preset " if self.size.width >= 30 else ""
        return Content.assemble(f"{self.mark}{label}‹ ", (self._preset.name, "bold $foreground"), " ›")


class FoldLine(FormLine):
    """The header of a group of fields, which it shows or hides."""

    @dataclass
    class Toggled(Message):
        """The group is to be shown, or hidden."""

        group: str

    def __init__(self, group: str, count: int) -> None:
        super().__init__()
        self.group = group
        self._count = count
        self._open = False
        self._marks = (0, 0)

    def show(self, *, opened: bool, changed: int, wrong: int) -> None:
        """Show whether the group is open, and how many of its fields are changed and wrong."""
        if (opened, (changed, wrong)) != (self._open, self._marks):
            self._open, self._marks = opened, (changed, wrong)
            self.refresh()

    def press(self, step: int = 1) -> None:  # noqa: ARG002 - there is one direction only
        """Ask to be opened or closed."""
        self.post_message(self.Toggled(self.group))

    def help(self) -> str:
        """Return what is in the group."""
        return f"{self.group}: enter {'hides' if self._open else 'shows'} {self._count} more fields"

    def render(self) -> Content:
        """Draw sign, name and the count of changed or wrong fields."""
        changed, wrong = self._marks
        start = f"{self.mark}{'-' if self._open else '+'} {self.group}"
        room = self.size.width - len(start) - 1
        if wrong:
            forms = [f"{wrong} wrong {WRONG}", f"{wrong} {WRONG}"]
        elif changed:
            forms = [f"{changed} changed", f"{changed} {CHANGED}"]
        else:
            forms = [""]
        label = next((form for form in forms if len(form) <= room), forms[-1])
        style = "bold $text-error" if wrong else "bold $foreground"
        return Content.assemble(start, " " * max(1, room + 1 - len(label)), (label, style))


class QueueButton(FormLine):
    """Queues the runs of the form."""

    DEFAULT_CSS = """
    QueueButton:focus { background: $primary; color: $text; }
    """

    @dataclass
    class Pressed(Message):
        """The runs are to be queued."""

    def press(self, step: int = 1) -> None:  # noqa: ARG002 - there is one direction only
        """Ask for it."""
        self.post_message(self.Pressed())

    def help(self) -> str:
        """Return what the button does."""
        return "enter queues the runs; they train in the background"

    def render(self) -> Content:
        """Draw the button."""
        return Content.assemble(self.mark, ("[ Queue ]", "bold $foreground"))
