"""A run's pictures, shown or drawn again from any screen that shows the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenet_tui.host import ssh

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal

    from textual.app import App
    from textual.screen import Screen

    from lenet_tui.store import Run


def view(screen: Screen[Any], root: Path, run: Run, mode: Literal["blocks", "pixels"] = "blocks") -> None:
    """Show the run's three pictures over ``screen``, or a message when it has no folder yet."""
    if run.folder is None:
        screen.notify("this run has no folder yet: it has not started", severity="warning")
        return
    from lenet_tui.tui.pictures.screen import PicturesScreen

    screen.app.push_screen(PicturesScreen(root / run.folder, mode, run))


_MOST_REASONS = 3
_LONG = 12.0  # seconds, for a command to copy by hand


async def draw(app: App[Any], root: Path, runs: Sequence[Run]) -> None:
    """Write the three pictures into the folder of each run; one message says where, or what could not be drawn."""
    from lenet_tui.tui.runs import export

    able = [run for run in runs if run.folder is not None and run.epochs_done]
    failed: list[str] = []
    skipped = len(runs) - len(able)
    for number, run in enumerate(able, start=1):
        of_all = f" ({number} of {len(able)})" if len(able) > 1 else ""
        app.notify(f"drawing the pictures of run {run.id}{' so far' * (run.state == 'running')}{of_all}…")
        result = await export.export(root / str(run.folder))
        if result.error:
            failed.append(f"run {run.id}: {result.error}")
        elif len(runs) == 1:
            names = " ".join(path.name for path in result.paths)
            app.notify(
                f"exported {names} into {run.folder}; {_how_to_fetch([root / str(run.folder) / '*.png'])}", timeout=12
            )
    if len(runs) == 1 and skipped:
        app.notify(f"run {runs[0].id} has finished no epoch yet: there is nothing to draw", severity="warning")
    elif len(runs) > 1:
        counts = [f"exported {len(able) - len(failed)}"]
        counts += [f"skipped {skipped} without a finished epoch"] if skipped else []
        counts += [f"failed {len(failed)}"] if failed else []
        place = _how_to_fetch([root / "*/*/*.png"])
        app.notify(f"{', '.join(counts)}; {place}", severity="warning" if failed else "information", timeout=_LONG)
    if failed:
        app.notify("; ".join(failed[:_MOST_REASONS]), severity="error")


def _how_to_fetch(paths: Sequence[Path]) -> str:
    return ssh.scp_line([str(path.absolute()) for path in paths]) or "v shows them"
