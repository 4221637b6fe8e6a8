"""The live curves: one chart or two of the current run, with other runs over them, and a cursor that reads them out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lenet_tui.tui.curves import chart, plots, raster, view
from lenet_tui.tui.curves import layout as curves_layout
from lenet_tui.tui.curves.charts import METRICS, SMOOTHINGS, Curve, Options
from lenet_tui.tui.curves.layout import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Literal

    from textual import events

    from lenet_tui.tui.curves.chart import Row
    from lenet_tui.tui.curves.charts import Metric
    from lenet_tui.tui.curves.raster import Marks
    from lenet_tui.tui.curves.step_reader import Steps

# By Okabe & Ito 2008 where 16 colours can keep them apart, else their neighbours; a test has them all apart.
PALETTE = ("#56b4e9", "#e69f00", "#d75fd7", "#009e73", "#f0e442", "#5f87ff", "#ff5f5f", "#dddddd", "#55dd55")
SHADOW = Color.parse("#808080")
_SHADE, _CURSOR, _BAND = 0.06, 0.16, 0.22  # of the text's or the run's colour in the background
_MARKS: tuple[Marks, ...] = ("braille", "blocks", "ascii")
_WHEEL = 0.8  # of the epochs are shown after a step of the wheel


class CurvesPanel(Widget, can_focus=True):
    """A title, a legend, and one or two charts. Only what changed on screen is painted again."""

    DEFAULT_CSS = """
    CurvesPanel { height: 1fr; background: $background; color: $foreground; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "curves--title",
        "curves--focus",
        "curves--text",
        "curves--frame",
        "curves--grid",
        "curves--warn",
    }
    DEFAULT_CSS += """
    CurvesPanel > .curves--title { color: $foreground; text-style: bold; }
    CurvesPanel > .curves--focus { color: $accent; }
    CurvesPanel > .curves--text { color: $foreground 75%; }
    CurvesPanel > .curves--frame { color: $foreground 55%; }
    CurvesPanel > .curves--grid { color: $foreground 22%; }
    CurvesPanel > .curves--warn { color: $text-warning; text-style: bold; }
    """

    @dataclass
    class Chosen(Message):
        """A person chose how the curves are shown."""

        options: Options

    def __init__(
        self,
        options: Options | None = None,
        read_steps: Callable[[str], Steps] | None = None,
        *,
        framed: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._curves: tuple[Curve, ...] = ()
        self._title = ""
        self._options = options or Options()
        self._read_steps = read_steps
        self._framed = framed  # a border around it shows the focus
        self._steps: dict[int, Steps] = {}
        self._steps_read_for: tuple[object, ...] = ()
        self._cursor: float | None = None
        self._hovers = False  # the cursor goes when the mouse does
        self._ready = False
        self._trouble = ""
        self._rows: tuple[Row, ...] = ()
        self._sheet = Sheet(())
        self._drawn_from: tuple[object, ...] = ()
        self._styles_by_role: dict[str, Style] = {}

    @property
    def options(self) -> Options:
        """How the curves are shown now."""
        return self._options

    @property
    def cursor(self) -> float | None:
        """The epoch whose values are read out, None for none."""
        return self._cursor

    @property
    def colours(self) -> Mapping[int, str]:
        """The colour, as ``#rrggbb``, of each run that is shown."""
        shown = plots.colours_of(plots.drawn_curves(self._curves, self._options))
        groups = {curve.group: shown[curve.run_id] for curve in self._curves if curve.run_id in shown}
        numbers = {curve.run_id: shown.get(curve.run_id, groups.get(curve.group, 0)) for curve in self._curves}
        return {run_id: self._colour(number).hex6 for run_id, number in numbers.items()}

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
        title = curves_layout.title_row(self._title, width, focused=self.has_focus, ruled=not self._framed)
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
        curves = self._curves
        if "steps" in curves_layout.charts_shown(self._options, width, height):
            curves = self._with_steps()
        drawn_from = (curves, self._options, width, height, self._cursor)
        if drawn_from != self._drawn_from or not self._rows:
            self._drawn_from = drawn_from
            self._sheet = curves_layout.body(curves, self._options, width, height, self._cursor)
        return self._sheet.rows

    def _with_steps(self) -> tuple[Curve, ...]:
        """Return the curves with what is known of their steps, and read that again."""
        if self._read_steps is not None and (self._curves, self._steps) != self._steps_read_for:
            self._steps_read_for = self._curves, self._steps
            self.run_worker(self._look_for_steps(self._curves, self._read_steps), exclusive=True, group="steps")
        known = ((curve, self._steps.get(curve.run_id, (None, ""))) for curve in self._curves)
        return tuple(replace(curve, steps=points, no_steps=note) for curve, (points, note) in known)

    async def _look_for_steps(self, curves: Sequence[Curve], read: Callable[[str], Steps]) -> None:
        steps = await asyncio.to_thread(lambda: {curve.run_id: read(curve.folder) for curve in curves})
        if steps != self._steps:
            self._steps = steps
            self._steps_read_for = self._curves, steps
            self._update()

    async def _get_ready(self) -> None:
        # The drawing library takes a third of a second to import; keys are answered meanwhile.
        try:
            await asyncio.to_thread(raster.warm_up)
            self._ready = True
        except (ImportError, OSError) as error:
            self._trouble = f"cannot draw: {error}"
        self._update()

    def _style(self, role: str) -> Style:
        if role not in self._styles_by_role:
            self._styles_by_role[role] = self._new_style(role)
        return self._styles_by_role[role]

    def _colour(self, number: int) -> Color:
        colour = Color.parse(PALETTE[number % len(PALETTE)])
        _, background = self.background_colors
        if background.brightness > 0.5:
            colour = colour.blend(Color(0, 0, 0), 0.4 if colour.brightness > 0.6 else 0.15)
        return colour

    def _new_style(self, role: str) -> Style:
        name, *flags = role.split(" ")
        _, background = self.background_colors
        if name[:-1] in ("run", "best", "train"):
            style = Style(color=self._colour(int(name[-1])).rich_color, bold=name.startswith("best"))
        elif name == "shadow":
            style = Style(color=SHADOW.rich_color)
        else:
            part = {"": "text", "rule": "frame", "name": "title", "cursor": "focus", "value": "title"}.get(name, name)
            style = self.get_component_rich_style(f"curves--{part}")
        for flag in flags:
            if flag.startswith(chart.IN_BAND.strip()):
                background = background.blend(self._colour(int(flag[-1])), _BAND)
            else:
                background = background.blend(self.colors[3], _CURSOR if flag == chart.AT_CURSOR.strip() else _SHADE)
        return style + Style(bgcolor=background.rich_color)

    # What keys do

    def toggle_log(self) -> None:
        """Draw the loss on a logarithmic scale, or on a linear one again."""
        self._choose(log=not self._options.log)

    def cycle_metric(self) -> None:
        """Show the next chart."""
        self._choose(shown=METRICS[(METRICS.index(self._options.shown) + 1) % len(METRICS)])

    def cycle_second(self) -> None:
        """Show the next chart beside the first one, after the last none."""
        if not curves_layout.room_for_both(self.size.width, self.size.height - 1):
            self.notify("no room for two charts; hide the form or enlarge the window", severity="warning")
            return
        order: list[Metric | Literal["none"]] = ["none", *(name for name in METRICS if name != self._options.shown)]
        shown = curves_layout.charts_shown(self._options, self.size.width, self.size.height - 1)
        place = order.index(shown[1]) if len(shown) > 1 else 0
        self._choose(second=order[(place + 1) % len(order)])

    def toggle_train(self) -> None:
        """Hide the train curves, or show them."""
        self._choose(train=not self._options.train)

    def toggle_seeds(self) -> None:
        """Show the runs of one configuration as mean and range, or each of them."""
        self._choose(seeds=not self._options.seeds)

    def cycle_marks(self) -> None:
        """Draw with braille dots, with blocks, or with letters, as the terminal's font needs it."""
        self._choose(marks=_MARKS[(_MARKS.index(self._options.marks) + 1) % len(_MARKS)])

    def cycle_smoothing(self) -> None:
        """Smooth more, or not at all."""
        place = SMOOTHINGS.index(self._options.smoothing) if self._options.smoothing in SMOOTHINGS else 0
        self._choose(smoothing=SMOOTHINGS[(place + 1) % len(SMOOTHINGS)])

    def reset_zoom(self) -> None:
        """Show every epoch that there is; from there, every epoch that is planned, or not."""
        zoomed = self._options.zoom is not None
        self._set(replace(self._options, zoom=None, planned=not (zoomed or self._options.planned)))

    def zoom(self, factor: float, around: float | None = None) -> None:
        """Show ``factor`` times as many epochs."""
        now, whole = self._view()
        around = self._cursor if around is None else around
        self._set(replace(self._options, zoom=view.zoomed(now, whole, factor, around)))

    def pan(self, share: float) -> None:
        """Move by a share of the epochs in sight, to the left when negative."""
        if self._options.zoom:
            now, whole = self._view()
            self._set(replace(self._options, zoom=view.panned(now, whole, share)))

    def move_cursor(self, by: int) -> None:
        """Read out a later epoch, or an earlier one; beyond the last one there is no cursor."""
        now, whole = self._view()
        grain = self._grain
        if self._cursor is None:
            self._put_cursor(now[1] if by < 0 else max(now[0], grain))
            return
        # An epoch or, where they are closer than columns, a column.
        step = max(1, int((now[1] - now[0]) / grain / max(1, self.size.width)))
        epoch = max(grain, round((round(self._cursor / grain) + by * step) * grain, 1))
        self._put_cursor(None if epoch > whole[1] else epoch)

    @property
    def _grain(self) -> float:
        """What the cursor moves by, in epochs."""
        return 0.1 if self._options.shown == "steps" else 1.0

    def _put_cursor(self, epoch: float | None, *, hovers: bool = False) -> None:
        self._hovers = hovers
        if epoch == self._cursor or not any(curve.epochs for curve in self._curves):
            return
        self._cursor = epoch
        if epoch is not None and self._options.zoom:
            self._options = replace(self._options, zoom=view.with_epoch(*self._view(), epoch))
        self._update()

    def _view(self) -> tuple[view.View, view.View]:
        return view.visible_epochs(self._curves, self._options), view.extent(self._curves, self._options)

    # What the mouse does

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Read out the epoch below the mouse."""
        if self._cursor is None or self._hovers:
            self._put_cursor(self._epoch_below(event), hovers=True)

    def on_click(self, event: events.Click) -> None:
        """Keep the cursor where it was clicked."""
        if (epoch := self._epoch_below(event)) is not None:
            self._put_cursor(epoch)

    def on_leave(self) -> None:
        """Remove the cursor that only followed the mouse."""
        if self._hovers:
            self._put_cursor(None)

    def on_blur(self) -> None:
        """Remove the cursor."""
        self._put_cursor(None)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show fewer epochs, around the one below the mouse."""
        event.stop()
        self.zoom(_WHEEL, self._epoch_below(event))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show more epochs, around the one below the mouse."""
        event.stop()
        self.zoom(1 / _WHEEL, self._epoch_below(event))

    def _epoch_below(self, event: events.MouseEvent) -> float | None:
        epoch = self._sheet.epoch_at(event.x, event.y - 1)
        grain = self._grain
        return None if epoch is None else max(grain, round(round(epoch / grain) * grain, 1))

    def _choose(self, **values: object) -> None:
        before = self._options
        self._set(replace(self._options, **values))  # type: ignore[arg-type]
        if self._options != before:
            self.post_message(self.Chosen(self._options))

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
