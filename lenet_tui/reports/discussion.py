"""``study/homework/``: the discussion as Markdown and as one HTML file, and its figures, from the runs there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.analysis.study import document
from lenet_tui.analysis.study.findings import find
from lenet_tui.errors import LabError
from lenet_tui.host.safe_files import write_own
from lenet_tui.reports import study as figures
from lenet_tui.reports.webpage import webpage

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.analysis.study.plan import Study

MARKDOWN, HTML = "discussion.md", "discussion.html"


def folder_in(root: Path) -> Path:
    """Return the folder that the homework's documents are in."""
    return root / "study" / "homework"


def write(study: Study, folder: Path) -> list[Path]:
    """Write the documents of ``study`` into ``folder``, made where it is missing, and return what was written.

    Figures of an earlier call that can't be drawn from these runs are removed. Raises `LabError` when the folder can't
    be written.
    """
    findings = find(study)
    drawn = figures.draw(findings)
    title = document.title(findings)
    text = document.markdown(findings, drawn)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in document.FIGURES.values():
            if name not in drawn:
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise LabError(f"cannot write in {folder}: {error.strerror}") from None
    for name, picture in drawn.items():
        write_own(folder / name, picture.png)
    write_own(folder / MARKDOWN, text.encode())
    write_own(folder / HTML, webpage(title, text, {name: picture.svg for name, picture in drawn.items()}).encode())
    return [folder / MARKDOWN, folder / HTML, *(folder / name for name in drawn)]
