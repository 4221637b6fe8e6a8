"""A run's pictures, shown or drawn again from any screen that shows the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from textual.screen import Screen

    from lenet_tui.store import Run


def view(screen: Screen[Any], root: Path, run: Run, mode: Literal["blocks", "pixels"] = "blocks") -> None:
    """Show the run's three pictures over ``screen``, or a message when it has no folder yet."""
    if run.folder is None:
        screen.notify("this run has no folder yet: it has not started", severity="warning")
        return
    from lenet_tui.tui.pictures.screen import PicturesScreen

    screen.app.push_screen(PicturesScreen(root / run.folder, mode, run))


async def draw(screen: Screen[Any], root: Path, run: Run) -> None:
    """Write the three pictures into the run's folder and show their paths, or why they could not be drawn."""
    from lenet_tui.tui.runs import export

    if run.folder is None or not run.epochs_done:
        screen.notify(f"run {run.id} has finished no epoch yet", severity="warning")
        return
    if run.state == "running":
        screen.notify(f"drawing the pictures of run {run.id} so far…")
    else:
        screen.notify(f"drawing the pictures of run {run.id}…")
    result = await export.export(root / run.folder)
    if result.error:
        screen.notify(result.error, title=f"run {run.id}", severity="error")
    else:
        names = "  ".join(path.name for path in result.paths)
        screen.notify(f"{names}\nin {run.folder}", title=f"run {run.id}: written")
