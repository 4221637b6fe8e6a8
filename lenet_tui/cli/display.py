"""What ``train`` shows: a live display in a terminal, plain lines in a pipe, one JSON document for programs."""

from __future__ import annotations

import contextlib
import sys
import termios
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lenet_tui.cli import output
from lenet_tui.formatting import counted, loss, percent, printable
from lenet_tui.run.folder import PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from lenet_tui.reports import Report
    from lenet_tui.run import metrics
    from lenet_tui.run.folder import RunFolder, RunRecord, State
    from lenet_tui.run.metrics import EpochMetrics


class EarlyNote:
    """What is about to happen, on standard error while nothing else can be shown; only in a terminal, where it goes
    away again.
    """

    def __init__(self) -> None:
        self._shown = False

    def show(self, text: str) -> None:
        """Show it."""
        self._shown = True
        output.note(text)

    def clear(self) -> None:
        """Take it away."""
        if self._shown:
            self._shown = False
            output.clear_note()


class Display:
    """A reporter for `experiment.run` that shows nothing: what the displays have in common.

    ``run_id`` is the run's number, once it has one. ``watching`` is for a run that another process trains.
    """

    def __init__(self, *, watching: bool = False) -> None:
        self.run_id: int | None = None
        self._watching = watching
        self._stopping = False
        self._skipped: list[Report] = []

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def stop(self) -> None:
        """Have the run stop at the next opportunity. Called from a signal handler."""
        self._stopping = True

    def should_stop(self) -> bool:
        """Say whether `stop` was called."""
        return self._stopping

    def warn(self, text: str) -> None:
        """Tell the person something that must not be overlooked, on standard error."""
        output.console(output.stderr, soft_wrap=True).print(printable(text), style="bold red", markup=False)

    def on_run_start(self, folder: RunFolder, record: RunRecord) -> None:
        """The run is about to train."""

    def on_progress(self, progress: metrics.Progress) -> None:
        """Training has come further in its epoch."""

    def on_epoch_end(self, row: EpochMetrics, best: EpochMetrics) -> None:
        """An epoch is done; ``best`` is the one of lowest validation loss."""

    def on_training_end(self, state: State) -> None:
        """Training is over, and the reports are about to be written."""

    def on_reports_written(self, written: Sequence[Report]) -> None:
        """The reports are written, or skipped with a reason."""
        self._skipped = [report for report in written if report.skipped]

    def summary(self, folder: RunFolder, record: RunRecord) -> None:
        """Say what came out and where it is."""

    def _where(self, folder: RunFolder, record: RunRecord) -> str:
        """Return what the run computes on and where its files go, and after which epoch it goes on when resumed."""
        number = "" if self.run_id is None else f"run {self.run_id}: "
        done = 0 if self._watching or not folder.checkpoint_path.exists() else len(folder.read_metrics())
        resumed = f", continuing after epoch {done}" if done else ""
        return f"{number}{record.device}, {counted(record.threads, 'thread')}, into {folder.path}{resumed}"

    def _summary_lines(self, folder: RunFolder, record: RunRecord) -> list[str]:
        number = "" if self.run_id is None else f"run {self.run_id} "
        first, *others = summary_lines(folder, record)
        skipped = [f"not drawn: {report.path.name}: {report.skipped}" for report in self._skipped]
        return [number + first, *skipped, *others]


class PlainDisplay(Display):
    """One plain line an epoch, for pipes and logs."""

    def __init__(self, *, watching: bool = False) -> None:
        super().__init__(watching=watching)
        self._to_output = True
        self._epochs = 0

    def on_run_start(self, folder: RunFolder, record: RunRecord) -> None:
        """Print what is trained and where."""
        self._epochs = record.config.epochs
        self._line(f"{record.config.title()}; {self._where(folder, record)}")

    def on_epoch_end(self, row: EpochMetrics, best: EpochMetrics) -> None:
        """Print the epoch's figures."""
        figures, seconds = epoch_line(row, self._epochs)
        self._line(f"{figures}  {seconds}" + ("  lowest val loss" if row is best else ""))

    def on_training_end(self, state: State) -> None:
        """Say that the pictures are being drawn."""
        self._line(_REPORTING[state])

    def summary(self, folder: RunFolder, record: RunRecord) -> None:
        """Print the closing lines."""
        for line in self._summary_lines(folder, record):
            self._line(line)

    def _line(self, text: str) -> None:
        if self._to_output:
            try:
                output.say(text, flush=True)
            except output.ReaderGone:  # end in order, and say how to go on where it is seen
                if self._watching:
                    raise
                self._to_output = False
                self.stop()
            else:
                return
        output.tell(text)


class TerminalDisplay(Display):
    """A line an epoch that stays, and below it a bar that moves."""

    def __init__(self, *, watching: bool = False) -> None:
        super().__init__(watching=watching)
        self._console = output.console()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[status]}"),
            TextColumn("time left"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            refresh_per_second=5,
        )
        self._task = self._bar.add_task("loading", total=None, status="")
        self._epochs = 0
        self._terminal = contextlib.ExitStack()

    def __enter__(self) -> Display:
        """Keep the terminal from printing ``^C``, which would push the bar a line down."""
        self._terminal.enter_context(_control_keys_not_echoed())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away, and leave the terminal as it was."""
        with _terminal_may_be_gone():
            self._bar.stop()
        self._terminal.close()

    def stop(self) -> None:
        """Have the run stop, and say so in the bar."""
        super().stop()
        self._bar.update(self._task, description="stopping")

    def on_run_start(self, folder: RunFolder, record: RunRecord) -> None:
        """Show what is trained and where, and start the bar."""
        self._epochs = record.config.epochs
        with _terminal_may_be_gone():
            self._console.print(record.config.title(), style="bold", markup=False)
            self._console.print(printable(self._where(folder, record)), style="dim", markup=False)
            self._bar.start()

    def on_progress(self, progress: metrics.Progress) -> None:
        """Move the bar."""
        with _terminal_may_be_gone():
            self._bar.update(
                self._task,
                description=f"epoch {progress.epoch}/{self._epochs} step {progress.step}/{progress.steps}",
                total=self._epochs * progress.steps,
                completed=(progress.epoch - 1) * progress.steps + progress.step,
                status=f"train loss {loss(progress.train_loss)} · {progress.images_per_second:,.0f} images/s",
            )

    def on_epoch_end(self, row: EpochMetrics, best: EpochMetrics) -> None:
        """Print the epoch's figures above the bar."""
        figures, seconds = epoch_line(row, self._epochs)
        words = " lowest val loss" if self._console.width >= _WIDE else ""
        with _terminal_may_be_gone():
            self._bar.print(f"{figures}  [dim]{seconds}[/]" + (f"  [green]◆{words}[/]" if row is best else ""))

    def on_training_end(self, state: State) -> None:
        """Say that the pictures are being drawn."""
        with _terminal_may_be_gone():
            self._bar.update(self._task, description=_REPORTING[state], status="", total=None)

    def summary(self, folder: RunFolder, record: RunRecord) -> None:
        """Print the closing lines."""
        with _terminal_may_be_gone():
            colour = {"finished": "green", "stopped": "yellow"}.get(record.state, "red")
            for number, line in enumerate(self._summary_lines(folder, record)):
                self._console.print(
                    printable(line), style=f"bold {colour}" if number == 0 else "", markup=False, soft_wrap=True
                )


class JsonDisplay(PlainDisplay):
    """Plain lines on standard error, and at the end one JSON document on standard output."""

    def __init__(self) -> None:
        super().__init__()
        self._to_output = False

    def summary(self, folder: RunFolder, record: RunRecord) -> None:
        """Print ``run.json`` with the run's paths."""
        super().summary(folder, record)
        pictures = {path.stem: str(path) for path in folder.pictures if path.exists()}
        document = {"id": self.run_id} | record.model_dump(mode="json")
        document |= {"folder": str(folder.path), "pictures": pictures}
        output.say_json(document)


_WIDE = 100  # columns that have room for words after an epoch's figures
_REPORTING: dict[State, str] = {
    "finished": "testing, drawing the pictures",
    "stopped": "drawing the pictures (Ctrl-C again leaves at once)",
    "failed": "drawing the pictures",
}


def epoch_line(row: EpochMetrics, epochs: int) -> tuple[str, str]:
    """Return an epoch's figures and its duration: ``epoch  1/20  train loss 0.2941  …  val acc 97.86 %``, ``1.2 s``."""
    width = len(str(epochs))
    return (
        f"epoch {row.epoch:>{width}}/{epochs}  train loss {loss(row.train_loss)}  val loss {loss(row.val_loss)}  "
        f"val acc {percent(row.val_accuracy)}",
        f"{row.seconds:.1f} s",
    )


def summary_lines(folder: RunFolder, record: RunRecord) -> list[str]:
    """Return the closing lines: state and test accuracy, best epoch, pictures, and how to continue."""
    summary = record.summary
    if record.dataset.fallback_for:
        stand_in = f" (on {record.config.dataset}, NOT on {record.dataset.fallback_for})"
    else:
        stand_in = ""
    if summary is not None and summary.test_accuracy is not None:
        lines = [
            f"{record.state}: test acc {percent(summary.test_accuracy)} of {record.dataset.test:,} images"
            f"{stand_in}, best epoch {summary.selected_epoch}"
        ]
    else:
        lines = [f"{record.state}: {record.reason}{stand_in}"]
    if summary is not None:
        early = f", stopped early after {summary.epochs_done}" if summary.stopped_early else ""
        lines.append(
            f"lowest val loss {loss(summary.best_val_loss)} at epoch {summary.best_epoch} of "
            f"{record.config.epochs}{early}; "
            f"{summary.train_seconds:.0f} s, {summary.images_per_second:,.0f} images/s"
        )
        drawn = [name for name in PICTURES if (folder.path / name).exists()]
        lines.append(f"{folder.path}/: {' '.join(drawn)}")
    if record.state == "stopped":
        lines.append(f"continue with: lenet-tui train --resume {folder.path}")
    return lines


@contextlib.contextmanager
def _control_keys_not_echoed() -> Iterator[None]:
    try:
        before = termios.tcgetattr(sys.stdin)
    except (termios.error, ValueError):  # input is no terminal
        yield
        return
    quiet = [*before[:3], before[3] & ~termios.ECHOCTL, *before[4:]]
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _terminal_may_be_gone() -> Iterator[None]:
    # A hangup takes the terminal away; the run still has to end in order.
    with contextlib.suppress(OSError):
        yield
