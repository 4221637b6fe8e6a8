"""The form that configures and queues runs. `lenet_tui.tui.form.values` has the meaning of its texts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from lenet_tui.formatting import counted
from lenet_tui.sweep import MAX_RUNS, Sweep
from lenet_tui.tui import keys
from lenet_tui.tui.form import presets
from lenet_tui.tui.form import values as form_values
from lenet_tui.tui.form.command_line import command, plain
from lenet_tui.tui.form.field import FieldInput, FieldRow
from lenet_tui.tui.form.lines import FoldedRows, FoldLine, FormBody, FormLine, PresetLine
from lenet_tui.tui.form.presets import Preset
from lenet_tui.tui.form.summary import FormFoot
from lenet_tui.tui.form.values import SEEDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from lenet_tui.config import RunConfig
    from lenet_tui.host.hardware import Capacity
    from lenet_tui.store import Run, SpeedKey
    from lenet_tui.tui.form.duplicates import Identity

# More runs than these are made in a thread, once nothing was typed for a moment.
_AT_ONCE = 300
_PAUSE_SECONDS = 0.25
# "0." on the way to "0.01" is wrong, but saying so at once would make the rows below jump at every key.
_REASON_SECONDS = 0.5
# Lines below the rows: with the first number, every help text fits a narrow form. A low screen has the rows first.
_BELOW_BODY, _LEAST_BELOW_BODY = 10, 8


class RunForm(Widget):
    """Preset, fields, summary, and the button that queues the runs."""

    DEFAULT_CSS = """
    RunForm { layout: vertical; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go(-1)", "Field above", show=False),
        Binding("down", "go(1)", "Field below", show=False),
    ]

    @dataclass
    class Queued(Message):
        """These runs are to be queued."""

        configs: tuple[RunConfig, ...]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, classes=classes)
        fields = form_values.fields()
        widths = {folded: max(len(f.label) for f in fields if bool(f.group) == folded) for folded in (False, True)}
        self._rows = {field.name: FieldRow(field, widths[bool(field.group)]) for field in fields}
        self._folds = {
            group: (FoldLine(group, len(form_values.names_in(group))), FoldedRows()) for group in form_values.GROUPS
        }
        self._preset_line = PresetLine(presets.PRESETS[0])
        self._foot = FormFoot()
        self._ready = False  # whether it is mounted; what is loaded before waits
        self._waiting: Mapping[str, str] = {}
        self._custom: Preset | None = None
        self._values: dict[str, str] = {}
        self._sweep: Sweep | None = None  # None while it is being made
        self._reasons_shown: set[str] = set()  # the fields whose reason is shown
        self._reason_timer: Timer | None = None

    def _rows_in(self, group: str) -> list[FieldRow]:
        return [self._rows[name] for name in form_values.names_in(group)]

    def compose(self) -> ComposeResult:
        """Lay out what is always in sight, the groups, and what is below them."""
        folded = [widget for pair in self._folds.values() for widget in pair]
        yield FormBody(self._preset_line, *self._rows_in(""), *folded)
        yield self._foot

    def on_mount(self) -> None:
        """Show what there is."""
        self._ready = True
        self._fill(self._waiting)

    def on_resize(self) -> None:
        """Leave room below the rows."""
        folded = 1 + len(self._rows_in("")) + len(self._folds)
        least = min(folded, self.size.height - _LEAST_BELOW_BODY)
        self.query_one(FormBody).styles.max_height = max(self.size.height - _BELOW_BODY, least, 1)
        self._show()

    # What is in it

    def load(self, config: RunConfig) -> None:
        """Fill the form with a run's configuration."""
        self._fill(form_values.texts_of(config))

    def load_values(self, values: Mapping[str, Any]) -> None:
        """Fill the form with these values, the rest at its default."""
        self._fill({name: plain(value) for name, value in values.items()})

    def values(self) -> dict[str, str]:
        """Return the hyperparameters that are not at their default, as text; lists as they were typed."""
        return {name: text for name, text in self._values.items() if name != SEEDS}

    def equivalent_command(self) -> str:
        """Return the command line that queues the same runs."""
        return command(self.values(), self._values.get(SEEDS, "1"))

    def set_speeds(self, speeds: Mapping[SpeedKey, float], queue: Sequence[Run], capacity: Capacity) -> None:
        """Set how fast runs were, which runs come first and what they are computed on, for the estimate."""
        self._foot.set_speeds(speeds, queue, capacity)

    def set_existing(self, existing: Mapping[Identity, int]) -> None:
        """Set which configurations have runs, so that the form can point out duplicates."""
        self._foot.set_existing(existing)

    def focus_first(self) -> None:
        """Go to the first line."""
        self._preset_line.focus()

    def _fill(self, texts: Mapping[str, str]) -> None:
        """Write the texts into the fields, and defaults into the others; those that depend on others stay empty."""
        if not self._ready:
            self._waiting = texts
            return
        with self.prevent(Input.Changed):
            for name, row in self._rows.items():
                default = "" if form_values.is_dependent(name) else form_values.default_text(name, {})
                row.input.value = texts.get(name, default)
        self._update()

    # What it means

    def _update(self) -> None:
        """Check the texts again."""
        texts = {name: row.input.value for name, row in self._rows.items()}
        self._values = form_values.changed(texts)
        if presets.matching(self._values) is None:
            self._custom = Preset(presets.CUSTOM, "your own configuration", dict(self._values))
        self.workers.cancel_group(self, "check")
        if _AT_ONCE < form_values.run_count(self._values) <= MAX_RUNS:
            self._sweep = None
            self._foot.show_sweep(None, form_values.run_count(self._values))
            self._show()
            self.run_worker(self._check_later(dict(self._values)), group="check", exclusive=True)
        else:
            self._take(form_values.check(self._values))

    async def _check_later(self, values: dict[str, str]) -> None:
        await asyncio.sleep(_PAUSE_SECONDS)
        self._take(await asyncio.to_thread(form_values.check, values))

    def _take(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._foot.show_sweep(sweep, len(sweep.configs))
        wrong = {problem.name for problem in sweep.problems}
        self._reasons_shown &= wrong
        if self._reason_timer is not None:
            self._reason_timer.stop()
        if wrong - self._reasons_shown:
            self._reason_timer = self.set_timer(_REASON_SECONDS, lambda: self._show_reasons(wrong))
        self._show()

    def _show_reasons(self, names: set[str]) -> None:
        """Show why these fields are wrong."""
        self._reasons_shown |= names
        self._show()

    # What is shown of it

    def _show(self) -> None:
        texts = {name: row.input.value for name, row in self._rows.items()}
        sweep = self._sweep or Sweep(())
        problems = {problem.name: problem for problem in sweep.problems}
        self._reasons_shown |= {
            name for name in problems if name in self._rows and not self._rows[name].input.has_focus
        }
        for name, row in self._rows.items():
            has_reason = name in problems and name in self._reasons_shown and not row.input.begun
            row.show(
                changed=name in self._values,
                placeholder=form_values.default_text(name, texts),
                reason=form_values.reason(problems[name], texts[name]) if has_reason else "",
            )
        for group, (fold, rows) in self._folds.items():
            changed, wrong = form_values.count_marks(form_values.names_in(group), self._values, sweep)
            fold.show(opened=rows.display, changed=changed, wrong=wrong)
        self._preset_line.show(self._preset)
        self._foot.show_help(self._help())

    def _help(self) -> str:
        focused = self.screen.focused
        if isinstance(focused, FieldInput) and focused.field.name in self._rows:
            return form_values.help_of(focused.field)
        return focused.help() if isinstance(focused, FormLine) else self._preset.help

    @property
    def _preset(self) -> Preset:
        return presets.matching(self._values) or Preset(presets.CUSTOM, "your own configuration", dict(self._values))

    # What the person does

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check the texts again."""
        event.stop()
        self._update()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the next field."""
        event.stop()
        self.action_go(1)

    def on_key(self, event: events.Key) -> None:
        """Go on from a line that has no use for enter itself; say where a letter works."""
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.action_go(1)
        elif isinstance(self.screen.focused, FormLine) and event.is_printable:
            self._foot.show_help(keys.where_it_works(event.key, event.character or ""))

    def on_descendant_focus(self) -> None:
        """Show help for the field, and what is wrong with the one that was left."""
        self._show()

    def on_descendant_blur(self) -> None:
        """Write the default into a field that was left empty."""
        for name, row in self._rows.items():
            if not form_values.tidy(row.input.value) and not row.input.has_focus and not form_values.is_dependent(name):
                row.input.value = form_values.default_text(name, {})

    def on_preset_line_next(self, event: PresetLine.Next) -> None:
        """Fill the form with another preset."""
        event.stop()
        self._fill(presets.beside(self._preset, self._custom, event.step).values)

    async def on_fold_line_toggled(self, event: FoldLine.Toggled) -> None:
        """Show or hide a group."""
        event.stop()
        group = self._folds[event.group][1]
        if group.display:
            group.display = False
        else:
            await self._open(event.group)
            self.call_after_refresh(group.scroll_visible, animate=False)
        self._show()

    async def _open(self, name: str) -> None:
        """Show a group. Its rows are made now, since they take a while and are seldom needed."""
        group = self._folds[name][1]
        if not group.children:
            await group.mount(*self._rows_in(name))
        group.display = True

    def on_queue_button_pressed(self) -> None:
        """Queue."""
        self.queue()

    def action_go(self, step: int) -> None:
        """Go to the field so many places below, or above."""
        chain = [widget for widget in self.screen.focus_chain if self in widget.ancestors]
        focused = self.screen.focused
        if focused in chain:
            place = chain.index(focused) + step
            if 0 <= place < len(chain):
                self.screen.set_focus(chain[place])  # at once: another key may follow before a widget's own focus()

    def next_preset(self) -> None:
        """Fill the form with the next preset."""
        self._preset_line.press(1)

    def reset(self) -> None:
        """Set every field to its default."""
        self._fill({})

    def queue(self) -> None:
        """Queue the runs of the form or, when something is wrong, go to the first wrong field."""
        for row in self._rows.values():
            row.input.complete()
        values = form_values.changed({name: row.input.value for name, row in self._rows.items()})
        sweep = self._sweep if self._sweep is not None and values == self._values else form_values.check(values)
        if not sweep.problems:
            self.post_message(self.Queued(sweep.configs))
            return
        self._reasons_shown = {problem.name for problem in sweep.problems}
        self._take(sweep)
        self.remove_class("-off")
        self.notify(f"nothing was queued: {counted(len(sweep.problems), 'problem')} in the form", severity="warning")
        name = next((name for name in self._rows if name in self._reasons_shown), None)
        if name is not None:
            self.call_later(self._go_to, name)
        self._show()

    async def _go_to(self, name: str) -> None:
        row = self._rows[name]
        if row.field.group:
            await self._open(row.field.group)
            self._show()
        row.input.focus()
