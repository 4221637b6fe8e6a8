"""What the pictures share: the page with its title, the palette, the names of classes, the PNG's metadata."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from lenet_tui import __version__
from lenet_tui.data.catalog import CLASS_NAMES, DIGITS
from lenet_tui.formatting import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lenet_tui.run.folder import RunRecord
    from lenet_tui.run.predictions import Predictions

WIDTH, DPI = 8.0, 180  # inches; 1,440 px, and nearly the size that it is printed in on A4
MARGIN = 0.25  # inches
INK, PALE, ALARM = "#1a1a1a", "#6b6b6b", "#b3200e"
FONT = "DejaVu Sans"  # comes with matplotlib


def class_names(record: RunRecord) -> tuple[str, ...]:
    """Return the names of the ten classes of the images that the run saw, which may be a stand-in's."""
    return CLASS_NAMES.get(record.dataset.name, DIGITS)


def split_name(predictions: Predictions) -> str:
    """Name the images that the predictions are of, and say when they aren't what a finished run shows."""
    return "test set" if predictions.split == "test" else "validation set (run not finished)"


def unbroken(text: str) -> str:
    """Return ``text`` with spaces that lines are not broken at."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


class Page:
    """A page of fixed width. Title and caption make it taller instead of eating into the picture.

    The title is ``heading``, then the run's configuration, then a loud line where another data set stands in for
    the one that was wanted. ``height`` is that of the body between title and caption, in inches.
    """

    def __init__(self, record: RunRecord, heading: str, *, height: float, caption: str = "") -> None:
        self.record = record
        self.heading = heading
        self.note = (
            f"{shown(record.dataset.name)}, standing in for {shown(record.dataset.fallback_for)}"
            if record.dataset.fallback_for
            else None
        )
        self.figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self.figure)
        self._body = height

        configuration = ", ".join(unbroken(part) for part in record.config.title().split(", "))
        head = [(line, 12.0, "bold", INK) for line in self._wrapped(heading, 12.0, "bold")]
        head += [(line, 10.0, "normal", INK) for line in self._wrapped(configuration, 10.0, "normal")]
        if self.note is not None:
            head += [(line, 12.0, "bold", ALARM) for line in self._wrapped(f"⚠ {self.note}", 12.0, "bold")]
        foot = [(line, 8.5, "normal", PALE) for line in self._wrapped(caption, 8.5, "normal")]

        self._foot_height = MARGIN + sum(_line_height(size) for _, size, _, _ in foot)
        self._height = self._foot_height + height + sum(_line_height(size) for _, size, _, _ in head) + MARGIN
        self.figure.set_size_inches(WIDTH, self._height)
        self._write(head, top=self._height - MARGIN)
        self._write(foot, top=self._foot_height)

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Return axes at a place in the body, everything in inches."""
        bottom += self._foot_height
        place = (left / WIDTH, bottom / self._height, width / WIDTH, height / self._height)
        return self.figure.add_axes(place)

    def png(self) -> bytes:
        """Return the page as a PNG whose text chunks say what it shows and which run it is from."""
        title = f"{self.heading}; {self.record.config.title()}".replace("\N{NO-BREAK SPACE}", " ") + (
            f" ({self.note})" if self.note else ""
        )
        content = io.BytesIO()
        self._canvas.print_png(  # type: ignore[no-untyped-call]
            content,
            metadata={
                "Title": title,
                "Software": f"lenet-tui {__version__}",
                "lenet-tui:config": json.dumps(self.record.config.model_dump(mode="json")),
                "lenet-tui:dataset": shown(self.record.dataset.name),
                "lenet-tui:checksum": shown(self.record.dataset.checksum),
            },
        )
        return content.getvalue()

    def _write(self, lines: list[tuple[str, float, str, str]], *, top: float) -> None:
        for line, size, weight, colour in lines:
            self.figure.text(
                MARGIN / WIDTH, top / self._height, line, va="top", size=size, weight=weight, color=colour,
                family=FONT, parse_math=False,
            )  # fmt: skip
            top -= _line_height(size)

    def _wrapped(self, text: str, size: float, weight: str) -> list[str]:
        """Break ``text`` at its spaces into lines that fit the page; no-break spaces hold."""
        font = FontProperties(family=FONT, size=size, weight=weight)
        renderer = self._canvas.get_renderer()  # type: ignore[no-untyped-call]
        lines: list[str] = []
        for word in text.split(" ") if text else []:
            longer = f"{lines[-1]} {word}" if lines else word
            width, _, _ = renderer.get_text_width_height_descent(longer, font, ismath=False)
            if lines and width <= (WIDTH - 2 * MARGIN) * DPI:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines


def _line_height(points: float) -> float:
    return 1.4 * points / 72
