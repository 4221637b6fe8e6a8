"""The main screen: form, live curves and the list of runs."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.errors import NoWidget
from textual.widgets import Input, Static

from lenet_tui import __version__
from lenet_tui.errors import LabError
from lenet_tui.formatting import percent
from lenet_tui.tui import keys
from lenet_tui.tui.curves.panel import CurvesPanel
from lenet_tui.tui.curves.selection import as_settings, curves_of, options_of, runs_shown
from lenet_tui.tui.curves.step_reader import StepReader
from lenet_tui.tui.form import duplicates
from lenet_tui.tui.form.command_line import command_for, root_flag
from lenet_tui.tui.form.panel import RunForm
from lenet_tui.tui.run_controller import RunController
from lenet_tui.tui.runs.filter_input import FilterInput
from lenet_tui.tui.runs.status import headline, status_line
from lenet_tui.tui.runs.table import RunsList
from lenet_tui.tui.screens import LabScreen
from lenet_tui.tui.store_watcher import Snapshot
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.machine_line import MachineLine
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from lenet_tui.store import Run
    from lenet_tui.tui.lab import Lab

_TITLES = {"#form": "1 New run", "#curves-panel": "2 Curves", "#runs-panel": "3 Runs"}
_WELCOME = """\
LeNet and its relatives on MNIST: trained in
the background, watched here, and compared.

^r     trains what the form says
← →    in its first line: the two sweeps
esc h  queues and discusses all of them
F1     shows every key"""
_LEAST_WIDTH, _LEAST_HEIGHT = 20, 6
_ROOM = 50, 10  # columns and lines for three panels
_LETTERS = "1abcdefghijklmnopqrstuvwxyz"
_LOW = 1  # the priority of a key that does nothing now
_STOP_PRIORITY = next(key.priority for key in keys.RUNS if key.id == "stop")


class MainScreen(LabScreen[None]):
    """Form to the left; curves above the runs to the right."""

    CSS_PATH = "main_screen.tcss"
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-middle"), (160, "-wide")]  # noqa: RUF012 - so in Textual
    KEYS = keys.MAIN
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(KEYS)

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self.form = RunForm(id="form", classes="panel")
        self.curves = CurvesPanel(options_of(lab.settings), StepReader(lab.root).read, framed=True, id="curves")
        self.runs = RunsList(id="runs")
        self.controller = RunController(self, lab, self.runs, self.form)
        self._can_resume = False  # the current run
        self._is_full = False  # one panel was chosen for the whole screen

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        with Horizontal(id="header"):
            yield PlainStatic(f"lenet-tui {__version__}", id="product")
            yield PlainStatic("", id="status")
            yield MachineLine(id="machine")
        with Horizontal(id="panels"):
            yield self.form
            with Vertical(id="right"):
                with Vertical(id="curves-panel", classes="panel"):
                    yield PlainStatic(_WELCOME, id="welcome")
                    yield self.curves
                with Vertical(id="runs-panel", classes="panel"):
                    yield FilterInput(self.runs.completion, id="filter")
                    yield self.runs
        yield KeyFooter(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Fill the form with the defaults of the settings."""
        self.query_one("#filter").display = False
        for panel, title in self._panels.items():
            panel.border_title = title
        settings = self._lab.settings
        self.form.set_class(not settings.form, "-off")
        self._set_width()
        if settings.curves_share:
            self._share_lines(settings.curves_share)
        if self._lab.settings.defaults:
            self.form.load_values(self._lab.settings.defaults)
        self.show(self._lab.snapshot, Snapshot())
        self._show_welcome(is_empty=False)  # until the store was read
        self.call_after_refresh(self.form.focus_first if settings.form else self.runs.focus)

    @property
    def _panels(self) -> dict[Widget, str]:
        """The panels by title, whose number is the key that goes there."""
        return {panel: title for name, title in _TITLES.items() for panel in self.query(name)}

    @property
    def panel(self) -> Widget | None:
        """The panel that has the focus."""
        above = self.focused.ancestors_with_self if self.focused else ()
        return next((panel for panel in self._panels if panel in above), None)

    @property
    def section(self) -> str:
        """The keys of the panel that has the focus."""
        panel = self.panel
        return self._panels[panel].partition(" ")[2] if panel else ""

    # What is shown

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:
        """Show another state of the store."""
        self._show_status(snapshot)
        self._show_welcome(is_empty=not snapshot.runs)
        self.runs.show(snapshot)
        self.form.set_speeds(snapshot.speeds, snapshot.queue, snapshot.capacity)
        if snapshot.runs.keys() != before.runs.keys():
            self.form.set_existing(duplicates.latest(snapshot.runs.values()))
        self.query_one(MachineLine).set_active(bool(snapshot.running))
        self.controller.update(snapshot)
        self._show_curves()
        self._notify_ends(snapshot, before)

    def _show_welcome(self, *, is_empty: bool) -> None:
        self.query_one("#welcome").display = is_empty
        self.curves.display = not is_empty

    def _show_status(self, snapshot: Snapshot) -> None:
        self.query_one("#status", Static).update(status_line(snapshot, self._lab.root, self.runs.sorting))

    def priorities(self) -> dict[str, int]:
        """Return the priorities that differ now: those of other panels' keys, of stop and of resume."""
        others = {"New run", "Runs", "Curves"} - {self.section} if self.section else set()
        hidden = {key.id: 0 for key in keys.MAIN if key.section in others and key.id != "queue"}
        return hidden | ({"stop": _LOW, "resume": _STOP_PRIORITY} if self._can_resume and "Runs" not in others else {})

    def _show_keys(self) -> None:
        self.query_one("#runs-panel").border_subtitle = self.runs.summary
        current = self.runs.current
        can_resume = current is not None and current.state in ("stopped", "failed")
        if can_resume != self._can_resume:
            self._can_resume = can_resume
            self.refresh_bindings()

    def _show_curves(self) -> None:
        self._show_keys()
        current = self.runs.current
        settings, snapshot = self._lab.settings, self._lab.snapshot
        shown = runs_shown(current, self.runs.marked, snapshot, settings.baseline, seeds=self.curves.options.seeds)
        self._lab.watcher.watch(frozenset(run.id for run in shown))
        view = self.runs.view
        curves = curves_of(shown, snapshot, settings.baseline, view.label)
        self.curves.show(curves, headline(current, snapshot, view) if current else "")
        self.runs.show_colours(self.curves.colours)

    def _notify_ends(self, snapshot: Snapshot, before: Snapshot) -> None:
        if not before.runs:
            return
        ended = [snapshot.runs[run.id] for run in before.running if run.id in snapshot.runs]
        for run in ended:
            if run.state in ("finished", "failed") and self._lab.settings.on_end != "none":
                if self._lab.settings.on_end in ("bell", "both"):
                    self.app.bell()
                if self._lab.settings.on_end in ("message", "both"):
                    self._notify_end(run)

    def _notify_end(self, run: Run) -> None:
        if run.state == "failed":
            self.notify(run.reason or "", title=f"run {run.id} failed", severity="error")
        else:
            accuracy = "" if run.test_accuracy is None else f"test acc {percent(run.test_accuracy)}; "
            self.notify(f"{accuracy}pictures in {run.folder}", title=f"run {run.id} finished")

    # Messages of the panels

    def on_runs_list_moved(self, event: RunsList.Moved) -> None:
        """Show the curves of the selected runs."""
        if event.by_person:
            self.controller.following = False
        self._show_curves()

    def on_run_form_queued(self, event: RunForm.Queued) -> None:
        """Queue the runs of the form."""
        self.controller.queue(event.configs)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the person types."""
        if event.input.id == "filter":
            self.runs.filter(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go from the filter to the runs."""
        if event.input.id == "filter":
            self.runs.focus()

    def on_runs_list_sorted(self) -> None:
        """Show by what the list is sorted."""
        self._show_status(self._lab.snapshot)

    def on_curves_panel_chosen(self, event: CurvesPanel.Chosen) -> None:
        """Keep how the curves are shown, and show the runs that belong there."""
        self._lab.keep(**as_settings(event.options))
        self._show_curves()

    # Keys

    def open_screen(self, feature: str) -> None:
        """Open the ``SCREEN`` of a feature's module, a `LabScreen` that takes the lab; imported on first need."""
        self.app.push_screen(import_module(f"lenet_tui.tui.{feature}.screen").SCREEN(self._lab))

    def go_to_form(self) -> None:
        """Go to the form."""
        self._show_all_panels()
        self.form.remove_class("-off")
        self._lab.keep(form=True)
        self.form.focus_first()

    def go_to_curves(self) -> None:
        """Go to the curves."""
        self._show_all_panels()
        self.curves.focus()

    def go_to_runs(self) -> None:
        """Go to the runs; from there, remove the filter or else the marks."""
        line = self.query_one("#filter", Input)
        if not self.runs.has_focus:
            self._show_all_panels()
        if line.has_focus or self.runs.has_focus:
            if line.value or line.display:
                line.value = ""
                line.display = False
            elif self.runs.has_focus:
                self.runs.unmark_all()
        self.runs.focus()

    def show_filter(self) -> None:
        """Open the line to filter with."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()

    def toggle_form(self) -> None:
        """Hide the form, or show it."""
        self._show_all_panels()
        self.form.toggle_class("-off")
        self._lab.keep(form=not self.form.has_class("-off"))
        if self.form.has_class("-off") and (self.focused is None or self.form in self.focused.ancestors_with_self):
            self.runs.focus()

    def toggle_full_screen(self) -> None:
        """Show only the panel with the focus, or all of them again."""
        self._is_full = not self._is_full and self.panel is not None
        self._arrange(self.panel)

    def _show_all_panels(self) -> None:
        self._is_full = False
        self._arrange(self.panel)

    def _arrange(self, panel: Widget | None) -> None:
        """Show all panels, or only this one: on the full screen, and where there is no room for three."""
        width, height = self.size
        alone = panel if self._is_full or width < _ROOM[0] or height < _ROOM[1] else None
        self.set_class(alone is not None, "-full")
        for other in self._panels:
            other.set_class(alone not in (None, other), "-hidden")
        self.query_one("#right").set_class(alone is self.form, "-hidden")
        self._set_width()

    def on_resize(self) -> None:
        """Show one panel where there is no room for three."""
        self._arrange(self.panel)

    def on_descendant_focus(self) -> None:
        """Show the panel that has the focus now."""
        panel = self.panel
        if panel is not None and panel.has_class("-hidden"):
            self._arrange(panel)

    def resize(self, columns: int, lines: int) -> None:
        """Make the form wider by so many columns, and the curves taller by so many lines."""
        if columns:
            # From what was chosen, not from what is laid out: several keys may come before that.
            width = (self._lab.settings.form_width or self.form.outer_size.width) + columns
            width = min(max(width, _LEAST_WIDTH), max(self.size.width // 2, _LEAST_WIDTH))
            self._lab.keep(form_width=width)
            self._set_width()
        if lines:
            curves, runs = self.query_one("#curves-panel"), self.query_one("#runs-panel")
            room = curves.outer_size.height + runs.outer_size.height
            share = self._lab.settings.curves_share
            now = math.floor(share * room) if share else curves.outer_size.height
            height = min(max(now + lines, _LEAST_HEIGHT), max(room - _LEAST_HEIGHT, _LEAST_HEIGHT))
            share = math.ceil(1e4 * height / room) / 1e4  # up, since a part of a line is no line
            self._share_lines(share)
            self._lab.keep(curves_share=share)

    def _set_width(self) -> None:
        """Give the form the width that was chosen; all of it on the whole screen."""
        chosen = self._lab.settings.form_width or None
        self.form.styles.width = "1fr" if self.has_class("-full") else chosen

    def _share_lines(self, share: float) -> None:
        self.query_one("#curves-panel").styles.height = f"{round(1e4 * share)}fr"
        self.query_one("#runs-panel").styles.height = f"{round(1e4 * (1 - share))}fr"

    def jump(self) -> None:
        """Show a letter at every panel and field, and go where the next key says."""
        from lenet_tui.tui.dialogs.jump import JumpScreen

        chain = [widget for widget in self.focus_chain if self._is_in_sight(widget)]
        targets = dict(zip(_LETTERS, chain, strict=False))

        def go(letter: str | None) -> None:
            if letter is not None:
                self.set_focus(targets[letter])

        self.app.push_screen(JumpScreen(targets), go)

    def _is_in_sight(self, widget: Widget) -> bool:
        try:
            return bool(self.find_widget(widget).visible_region)
        except NoWidget:
            return False

    def copy_command(self) -> None:
        """Copy the command that queues the current run or, from the form, its runs."""
        run = self.runs.current
        in_form = self.focused is not None and self.form in self.focused.ancestors_with_self
        try:
            command = self.form.equivalent_command() if in_form or run is None else command_for(run.config)
        except LabError as error:  # of another version
            self.notify(str(error), severity="error")
            return
        command += root_flag(self._lab.root)
        self.app.copy_to_clipboard(command)
        self.notify(command, title="copied, if the terminal allows it", timeout=12)
