"""The live curves: train and val loss or accuracy of the current run, with other runs over them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from lenet_tui.tui.curves import chart, plots
from lenet_tui.tui.curves import layout as curves_layout
from lenet_tui.tui.curves.plots import SMOOTHINGS, Curve, Options, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lenet_tui.tui.curves.chart import Row

# By Okabe & Ito 2008 where 16 colours can keep them apart, else their neighbours; a test has them all apart.
PALETTE = ("#56b4e9", "#e69f00", "#d75fd7", "#009e73", "#f0e442", "#5f87ff", "#ff5f5f", "#dddddd", "#55dd55")
TRAIN_FAINTNESS = 0.35
SHADOW = Color.parse("#808080")


class CurvesPanel(Widget, can_focus=True):
    """A title, a legend, and one or two plots. Only what changed on screen is painted again."""

    DEFAULT_CSS = """
    CurvesPanel { height: 1fr; background: $background; color: $foreground; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "curves--title",
        "curves--focus",
        "curves--text",
        "curves--frame",
        "curves--warn",
    }
    DEFAULT_CSS += """
    CurvesPanel > .curves--title { color: $foreground; text-style: bold; }
    CurvesPanel > .curves--focus { color: $accent; }
    CurvesPanel > .curves--text { color: $foreground 75%; }
    CurvesPanel > .curves--frame { color: $foreground 55%; }
    CurvesPanel > .curves--warn { color: $text-warning; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._curves: tuple[Curve, ...] = ()
        self._title = ""
        self._options = Options()
        self._ready = False
        self._trouble = ""
        self._rows: tuple[Row, ...] = ()
        self._drawn_from: tuple[object, ...] = ()
        self._styles_by_role: dict[str, Style] = {}

    @property
    def options(self) -> Options:
        """How the curves are shown now."""
        return self._options

    def show(self, curves: Sequence[Curve], title: str) -> None:
        """Show runs, the current one first. Costs nothing when they and the title are as they were."""
        if tuple(curves) == self._curves and title == self._title:
            return
        if [curve.run_id for curve in curves[:1]] != [curve.run_id for curve in self._curves[:1]]:
            self._options = replace(self._options, zoom=None)
        self._curves, self._title = tuple(curves), title
        self._update()

    def text(self) -> list[str]:
        """Return what is on screen, without colours."""
        return chart.text_of(self._rows)

    # Painting

    def render_line(self, y: int) -> Strip:
        """Return a row of the panel."""
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[y]
        runs = ((role, "".join(char for char, _ in cells)) for role, cells in groupby(row, key=lambda cell: cell[1]))
        strip = Strip([Segment(text, self._style(role)) for role, text in runs], len(row))
        return strip.adjust_cell_length(width, self.rich_style)  # without a style NO_COLOR's filter fails

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._update()

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001 - Textual's own signature
        """Show whether the panel has the focus."""
        super().watch_has_focus(has_focus)
        self._update()

    def notify_style_update(self) -> None:
        """Take the colours of another theme."""
        self._styles_by_role.clear()
        super().notify_style_update()

    def _update(self) -> None:
        """Draw, and have those parts of rows painted that are not as they were."""
        width, height = self.size
        if not self.is_mounted or not width or not height:
            return
        body = self._body(width, height - 1)
        title = curves_layout.title_row(self._title, width, focused=self.has_focus)
        before, self._rows = self._rows, (title, *body)
        changed = list(_changes(before, self._rows))
        if changed:
            self.refresh(*changed)

    def _body(self, width: int, height: int) -> tuple[Row, ...]:
        if any(curve.epochs for curve in self._curves):
            if self._trouble:
                return curves_layout.notice(self._trouble, width, height)
            if not self._ready:
                self.run_worker(self._get_ready(), exclusive=True, group="chart")
                return curves_layout.notice("", width, height)
        drawn_from = (self._curves, self._options, width, height)
        if drawn_from == self._drawn_from and self._rows:
            return self._rows[1:]
        self._drawn_from = drawn_from
        return curves_layout.body(self._curves, self._options, width, height)

    async def _get_ready(self) -> None:
        # The drawing library takes a third of a second to import; keys are answered meanwhile.
        try:
            await asyncio.to_thread(chart.warm_up)
            self._ready = True
        except (ImportError, OSError) as error:
            self._trouble = f"cannot draw: {error}"
        self._update()

    def _style(self, role: str) -> Style:
        if role not in self._styles_by_role:
            self._styles_by_role[role] = self._new_style(role)
        return self._styles_by_role[role]

    def _new_style(self, role: str) -> Style:
        name = role.removesuffix(chart.SHADED)
        _, background = self.background_colors
        if name[:-1] in ("run", "best", "train"):
            colour = Color.parse(PALETTE[int(name[-1]) % len(PALETTE)])
            if background.brightness > 0.5:
                colour = colour.blend(Color(0, 0, 0), 0.4 if colour.brightness > 0.6 else 0.15)
            if name.startswith("train"):
                colour = colour.blend(background, TRAIN_FAINTNESS)
            style = Style(color=colour.rich_color, bold=name.startswith("best"))
        elif name == "shadow":
            style = Style(color=SHADOW.rich_color)
        else:
            part = {"": "text", "rule": "frame", "name": "title"}.get(name, name)
            style = self.get_component_rich_style(f"curves--{part}")
        if role.endswith(chart.SHADED):
            background = background.blend(self.colors[3], 0.06)
        return style + Style(bgcolor=background.rich_color)

    # What keys do

    def toggle_log(self) -> None:
        """Draw the loss on a logarithmic scale, or on a linear one again."""
        self._set(replace(self._options, log=not self._options.log))

    def cycle_metric(self) -> None:
        """Go from loss to accuracy and, where there is room, to both."""
        room = curves_layout.room_for_both(self.size.width, self.size.height - 1)
        order: tuple[Shown, ...] = ("loss", "accuracy", "both") if room else ("loss", "accuracy")
        shown = self._options.shown
        place = order.index(shown) if shown in order else 0
        self._set(replace(self._options, shown=order[(place + 1) % len(order)]))

    def cycle_smoothing(self) -> None:
        """Smooth more, or not at all."""
        place = SMOOTHINGS.index(self._options.smoothing)
        self._set(replace(self._options, smoothing=SMOOTHINGS[(place + 1) % len(SMOOTHINGS)]))

    def reset_zoom(self) -> None:
        """Show all epochs."""
        self._set(replace(self._options, zoom=None))

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as many epochs."""
        view, whole = plots.visible_epochs(self._curves, self._options), plots.extent(self._curves)
        self._set(replace(self._options, zoom=plots.zoomed(view, whole, factor)))

    def pan(self, share: float) -> None:
        """Move by a share of the epochs in sight, to the left when negative."""
        if self._options.zoom:
            view = plots.visible_epochs(self._curves, self._options)
            self._set(replace(self._options, zoom=plots.panned(view, plots.extent(self._curves), share)))

    def _set(self, options: Options) -> None:
        if options != self._options:
            self._options = options
            self._update()


def _changes(before: Sequence[Row], after: Sequence[Row]) -> Iterator[Region]:
    """Yield the part of each row that changed, from the first to the last cell."""
    for y, row in enumerate(after):
        old = before[y] if y < len(before) else ()
        if old == row:
            continue
        if len(old) != len(row):
            yield Region(0, y, len(row), 1)
            continue
        differing = [x for x, cells in enumerate(zip(old, row, strict=True)) if cells[0] != cells[1]]
        yield Region(differing[0], y, differing[-1] - differing[0] + 1, 1)
