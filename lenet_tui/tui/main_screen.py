"""The main screen: form, live curves and the list of runs, and everything that can be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, Static

from lenet_tui.errors import LabError
from lenet_tui.tui import keys
from lenet_tui.tui.curves.panel import CurvesPanel
from lenet_tui.tui.form import duplicates
from lenet_tui.tui.form.command_line import command_for, root_flag
from lenet_tui.tui.form.panel import RunForm
from lenet_tui.tui.queueing import Queueing
from lenet_tui.tui.run_actions import RunActions
from lenet_tui.tui.runs.describe import curve, headline, status_line
from lenet_tui.tui.runs.table import RunsList
from lenet_tui.tui.store_watcher import Snapshot
from lenet_tui.tui.widgets.key_footer import KeyFooter
from lenet_tui.tui.widgets.machine_line import MachineLine
from lenet_tui.tui.widgets.plain_text import PlainStatic

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from lenet_tui.store import Run
    from lenet_tui.tui.app import LabApp
    from lenet_tui.tui.settings import Settings

MAX_OVERLAID = 8
_LITTLE = 1  # the worth of a key that does nothing now


class MainScreen(RunActions, Queueing, Screen[None]):
    """Form to the left; curves above the runs to the right."""

    CSS_PATH = "main_screen.tcss"
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-middle"), (160, "-wide")]  # noqa: RUF012 - so in Textual
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.MAIN)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._following = True
        self._to_resume: set[int] = set()
        self._can_resume = False  # the current run

    @property
    def lab(self) -> LabApp:
        """The app, as what it is."""
        return cast("LabApp", self.app)

    @property
    def form(self) -> RunForm:
        """The form."""
        return self.query_one(RunForm)

    @property
    def runs(self) -> RunsList:
        """The list of runs."""
        return self.query_one(RunsList)

    @property
    def curves(self) -> CurvesPanel:
        """The live plots."""
        return self.query_one(CurvesPanel)

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield PlainStatic("", id="status")
        with Horizontal(id="panes"):
            yield RunForm(id="form")
            with Vertical(id="right"):
                yield CurvesPanel(id="curves")
                yield MachineLine(id="machine")
                yield Input(placeholder="words to filter by; esc shows all", id="filter", compact=True)
                yield RunsList(id="runs")
        yield KeyFooter(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the defaults of the settings."""
        self.query_one("#filter").display = False
        if self._settings.defaults:
            self.form.load_values(self._settings.defaults)
        self.show(self.lab.snapshot, Snapshot())
        self.call_after_refresh(self.form.focus_first)

    # Showing what is

    def show(self, snapshot: Snapshot, before: Snapshot) -> None:
        """Show another state of the store."""
        self.query_one("#status", Static).update(status_line(snapshot, self.lab.root, self.runs.sorting))
        self.runs.show(snapshot)
        self.form.set_speeds(snapshot.speeds, snapshot.queue, snapshot.capacity)
        if snapshot.runs.keys() != before.runs.keys():
            self.form.set_known(duplicates.latest(snapshot.runs.values()))
        self.query_one(MachineLine).set_active(bool(snapshot.running))
        if self._following:
            self._follow(snapshot)
        self._show_curves()
        self._tell_what_ended(snapshot, before)
        self.resume_what_stopped(snapshot)

    def worth_now(self) -> dict[str, int]:
        """Return which keys have another place in the footer than their own: stop and resume, as the run is now."""
        return {"stop": _LITTLE, "again": keys.worth_of("stop")} if self._can_resume else {}

    def _show_keys(self) -> None:
        current = self.runs.current
        can_resume = current is not None and current.state in ("stopped", "failed")
        if can_resume != self._can_resume:
            self._can_resume = can_resume
            self.refresh_bindings()

    def _follow(self, snapshot: Snapshot) -> None:
        """Keep to a run that is at work, while there is one."""
        current = self.runs.current
        if snapshot.running and (current is None or current.state != "running"):
            self.runs.go_to(snapshot.running[0].id, by_person=False)

    def _show_curves(self) -> None:
        snapshot = self.lab.snapshot
        self._show_keys()
        current = self.runs.current
        shown = ([current] if current else []) + [run for run in self.runs.marked if run != current]
        shown = shown[: MAX_OVERLAID + 1]
        self.lab.watcher.watch(frozenset(run.id for run in shown))
        self.curves.show(
            [curve(run, snapshot.epochs.get(run.id, ())) for run in shown],
            headline(current, snapshot) if current else "",
        )

    def _tell_what_ended(self, snapshot: Snapshot, before: Snapshot) -> None:
        if not before.runs:
            return
        ended = [snapshot.runs[run.id] for run in before.running if run.id in snapshot.runs]
        for run in ended:
            if run.state in ("finished", "failed") and self._settings.on_end != "none":
                if self._settings.on_end in ("bell", "both"):
                    self.app.bell()
                if self._settings.on_end in ("message", "both"):
                    self._tell_end(run)

    def _tell_end(self, run: Run) -> None:
        if run.state == "failed":
            self.notify(run.reason or "", title=f"run {run.id} failed", severity="error")
        else:
            accuracy = "" if run.test_accuracy is None else f"test accuracy {run.test_accuracy:.2%}; "
            self.notify(f"{accuracy}pictures in {run.folder}", title=f"run {run.id} finished")

    # What the panes say

    def on_runs_list_moved(self, event: RunsList.Moved) -> None:
        """Show the curves of what is chosen now."""
        if event.by_person:
            self._following = False
        self._show_curves()

    def on_run_form_queued(self, event: RunForm.Queued) -> None:
        """Queue what the form made."""
        self.queue(event.configs)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the person types."""
        if event.input.id == "filter":
            self.runs.filter(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go from the filter to what it found."""
        if event.input.id == "filter":
            self.runs.focus()

    def action_study(self) -> None:
        """Train the whole assignment, and read what came of it."""
        from lenet_tui.data import is_here
        from lenet_tui.tui.study.screen import StudyScreen

        self.app.push_screen(StudyScreen(self.lab.root, is_here, quiet=self._settings.quiet))

    # Going about

    def action_go_form(self) -> None:
        """Go to the form."""
        self.form.display = True
        self.form.focus_first()

    def action_go_curves(self) -> None:
        """Go to the curves."""
        self.curves.focus()

    def action_go_runs(self) -> None:
        """Go to the runs; from there, show all of them and take the marks away."""
        chosen = self.query_one("#filter", Input)
        if chosen.has_focus or self.runs.has_focus:
            if chosen.value or chosen.display:
                chosen.value = ""
                chosen.display = False
            elif self.runs.has_focus:
                self.runs.unmark_all()
        self.runs.focus()

    def action_filter(self) -> None:
        """Open the line to filter with."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()

    def action_wide(self) -> None:
        """Hide the form, or show it."""
        self.form.display = not self.form.display
        if not self.form.display and (self.focused is None or self.form in self.focused.ancestors_with_self):
            self.runs.focus()

    def action_follow(self) -> None:
        """Keep to the run at work."""
        self._following = True
        self._follow(self.lab.snapshot)
        self.notify("following what runs" if self.lab.snapshot.running else "nothing runs; the next one is followed")

    # The form

    def action_queue(self) -> None:
        """Queue what the form says."""
        # Once the field has taken the keys that were typed before this one, which comes ahead of them.
        (self.focused or self.form).call_later(self.form.action_queue)

    def action_next_preset(self) -> None:
        """Fill the form with the next preset."""
        self.form.action_next_preset()

    def action_reset_form(self) -> None:
        """Put every field back to its default."""
        self.form.action_reset()

    def action_copy_command(self) -> None:
        """Copy the command line of the chosen run or, from the form, of what it says."""
        run = self.runs.current
        in_form = self.focused is not None and self.form in self.focused.ancestors_with_self
        try:
            command = self.form.equivalent_command() if in_form or run is None else command_for(run.config)
        except LabError as error:  # of another version
            self.notify(str(error), severity="error")
            return
        command += root_flag(self.lab.root)
        self.app.copy_to_clipboard(command)
        self.notify(command, title="copied, where the terminal allows it", timeout=12)

    # The curves

    def action_metric(self) -> None:
        """Show loss, accuracy, or both."""
        self.curves.action_cycle_metric()

    def action_log(self) -> None:
        """Draw the loss on a logarithmic scale, or not."""
        self.curves.action_toggle_log()

    def action_smoothing(self) -> None:
        """Smooth more, or not."""
        self.curves.action_cycle_smoothing()

    def action_zoom_in(self) -> None:
        """Show fewer epochs."""
        self.curves.action_zoom_in()

    def action_zoom_out(self) -> None:
        """Show more epochs."""
        self.curves.action_zoom_out()

    def action_pan_left(self) -> None:
        """Move to earlier epochs."""
        self.curves.action_pan_left()

    def action_pan_right(self) -> None:
        """Move to later epochs."""
        self.curves.action_pan_right()

    def action_reset_zoom(self) -> None:
        """Show every epoch."""
        self.curves.action_reset_zoom()

    # The list

    def action_mark(self) -> None:
        """Mark the current run."""
        self.runs.mark()

    def action_mark_all(self) -> None:
        """Mark all runs."""
        self.runs.mark_all()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.runs.sort_by_next()
        self._tell_sorting()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.runs.reverse()
        self._tell_sorting()

    def _tell_sorting(self) -> None:
        self.query_one("#status", Static).update(status_line(self.lab.snapshot, self.lab.root, self.runs.sorting))

    # The app

    def action_help(self) -> None:
        """Show every key."""
        self.lab.action_help()

    def action_suspend(self) -> None:
        """Go back to the shell."""
        self.lab.action_suspend()

    def action_theme(self) -> None:
        """Choose other colours."""
        self.app.search_themes()

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def action_quit_now(self) -> None:
        """Leave, from anywhere."""
        self.app.exit()
