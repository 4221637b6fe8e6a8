"""One field of the form: a row of mark, label and text, and below it the reason when the text is wrong."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input
from textual.widgets.input import Selection

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from lenet_tui.tui.form.values import FormField

FOCUSED, WRONG, CHANGED = "▸", "✗", "•"
_MARK_WIDTH = 1


def completion(text: str, choices: tuple[str, ...]) -> str | None:
    """Return the list ``text`` with its last word made a choice that begins so, None where none does."""
    head, comma, word = text.rpartition(",")
    begun = word.strip().lower()
    used = head.split(",")
    matches = [choice for choice in choices if begun and choice.startswith(begun) and choice not in used]
    return f"{head}{comma}{word[: len(word) - len(word.lstrip())]}{matches[0]}" if matches else None


def next_choice(text: str, choices: tuple[str, ...], step: int = 1) -> str:
    """Return the list ``text`` with its last word made the choice after it, or before it for a ``step`` of −1.

    What is in the list already is passed over.
    """
    head, comma, word = text.rpartition(",")
    used = [used.strip() for used in head.split(",")]
    free = [choice for choice in choices if choice not in used or choice == word.strip()]
    if not free:
        return text
    place = free.index(word.strip()) + step if word.strip() in free else 0
    return f"{head}{comma}{free[place % len(free)]}"


class _Completing(Suggester):
    """Offers the rest of a choice, also of the last one in a list."""

    def __init__(self, choices: tuple[str, ...]) -> None:
        super().__init__(use_cache=False)
        self._choices = choices

    async def get_suggestion(self, value: str) -> str | None:
        """Return the completed text."""
        return completion(value, self._choices)


class FieldInput(Input):
    """The text of a field.

    Space takes the next choice, and does nothing in a number; so do the arrows while all is selected. A comma continues
    the list, even when all is selected.
    """

    DEFAULT_CSS = """
    FieldInput { background: transparent; color: $text-muted; }
    FieldInput > .input--placeholder { color: $text-muted; }
    FieldInput.-changed { color: $foreground; text-style: bold; }
    FieldInput:focus { background: $surface-lighten-2; color: $foreground; }
    """

    def __init__(self, field: FormField) -> None:
        super().__init__(compact=True)
        self.field = field
        self.cursor_blink = False  # a blinking cursor is bytes over a slow link

    def _on_key(self, event: events.Key) -> None:  # type: ignore[override]  # Textual calls both, ours first
        is_all_selected = set(self.selection) == {0, len(self.value)} or not self.value
        is_arrow = event.key in ("left", "right") and bool(self.field.choices) and is_all_selected
        if event.character == " " or is_arrow:
            event.stop()
            event.prevent_default()
            if self.field.choices:
                self.value = next_choice(self.value, self.field.choices, -1 if event.key == "left" else 1)
                self.selection = Selection(0, len(self.value))
        elif event.character == "," and self.value and is_all_selected:
            self.selection = Selection.cursor(len(self.value))

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Return whether a key types a character; Textual has no character for the slash."""
        return key == "slash" or super().check_consume_key(key, character)

    def on_focus(self) -> None:
        """Offer completions."""
        self.suggester = _Completing(self.field.choices) if self.field.choices else None

    def on_blur(self) -> None:
        """Offer no completions without the focus."""
        self.suggester = None

    @property
    def begun(self) -> bool:
        """Whether a choice is being typed and could still become right."""
        return self.has_focus and completion(self.value, self.field.choices) not in (None, self.value)

    def complete(self) -> None:
        """Make a choice that was only begun whole."""
        if self.field.choices and self.value.rpartition(",")[2].strip() not in self.field.choices:
            self.value = completion(self.value, self.field.choices) or self.value

    def render_line(self, y: int) -> Strip:
        """Show as much of the text as there is room for with an ellipsis when it is cut."""
        if self.has_focus or not self.value or y:
            return super().render_line(y)
        width = self.scrollable_content_region.width
        text = self.value if len(self.value) <= width else self.value[: max(width - 1, 0)] + "…"
        return Strip([Segment(text.ljust(width), self.rich_style)]).crop(0, width)


class FieldRow(Widget):
    """The row of a field. It draws mark, label and reason itself, which is quicker than a widget for each."""

    DEFAULT_CSS = """
    FieldRow { height: 1; width: 1fr; }
    """

    def __init__(self, field: FormField, label_width: int) -> None:
        super().__init__()
        self.field = field
        self.input = FieldInput(field)
        self.input.styles.margin = (0, 0, 0, _MARK_WIDTH + label_width + 1)
        self._shown = (False, "", "")

    def compose(self) -> ComposeResult:
        """Lay out the text; the rest is drawn."""
        yield self.input

    def show(self, *, changed: bool, placeholder: str, reason: str) -> None:
        """Show whether the text differs from the default, the default, and why the text is wrong, or ""."""
        if (changed, placeholder, reason) != self._shown:
            self._shown = (changed, placeholder, reason)
            self.input.placeholder = placeholder
            self.input.set_class(changed, "-changed")
            self._arrange()
            if reason and self.input.has_focus:
                self.call_after_refresh(self.scroll_visible, animate=False)

    def _arrange(self) -> None:
        self.styles.height = 1 + len(self._reason_lines())
        self.refresh()

    def _reason_lines(self) -> list[str]:
        return textwrap.wrap(self._shown[2], max(self.size.width - 3, 8)) if self._shown[2] else []

    def render(self) -> Content:
        """Draw mark, label and reason."""
        changed, _, reason = self._shown
        mark = FOCUSED if self.input.has_focus else WRONG if reason else CHANGED if changed else " "
        colour = "$text-error" if reason else "$foreground"
        parts = [(f"{mark}{self.field.label}", f"{colour} bold" if changed or self.input.has_focus else colour)]
        for number, line in enumerate(self._reason_lines()):
            parts.append((f"\n {' ' if number else WRONG} {line}", "$text-error"))
        return Content.assemble(*parts)

    def on_resize(self) -> None:
        """Wrap the reason again."""
        self._arrange()

    def on_descendant_focus(self) -> None:
        """Draw the mark."""
        self.refresh()

    def on_descendant_blur(self) -> None:
        """Remove the mark, and complete a choice that was begun."""
        self.input.complete()
        self.refresh()

    def on_click(self) -> None:
        """Go to the text from the label."""
        self.input.focus()
