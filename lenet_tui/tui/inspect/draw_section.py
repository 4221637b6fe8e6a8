"""A canvas to draw on, and the predictions of one or two runs while it is drawn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import work
from textual.strip import Strip

from lenet_tui.errors import LabError
from lenet_tui.inspection.messages import SIDE, Guess, Guesses, GuessesRequest
from lenet_tui.tui.inspect import images as planes
from lenet_tui.tui.inspect.canvas import Canvas
from lenet_tui.tui.inspect.section import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import MouseDown, MouseMove, MouseUp

    from lenet_tui.store import Run
    from lenet_tui.tui.inspect.canvas import Point
    from lenet_tui.tui.inspect.inspector import Inspector

GAP = 2
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEAST_BAR = 4
_RIGHT_BUTTON = 3
_ROOM_TO_ENLARGE = 2 * SIDE + 50, SIDE + 3  # from with so many columns and rows, the canvas is twice as large


class DrawSection(Section):
    """Canvas to the left, probabilities and the network input to the right.

    One drawing at a time is asked about; what is drawn meanwhile is asked about next.
    """

    def __init__(self, inspector: Inspector, run: Run, others: Sequence[Run], second: Run | None, *, id: str) -> None:  # noqa: A002
        super().__init__(inspector, run, id=id)
        self.canvas = Canvas()
        self.others = tuple(others)
        self.second = second
        self.pen_down = False
        self.cursor = SIDE // 2, SIDE // 2  # column and row
        self.guesses: tuple[tuple[Run, Guess], ...] = ()
        self._asked: tuple[object, ...] | None = None  # drawing and runs of the guesses
        self._asking = False
        self._mouse: Point | None = None
        self._erasing = False

    # Guesses

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs that predict."""
        return (self.inspected,) if self.second is None else (self.inspected, self.second)

    def forget(self) -> None:
        """Ask again: a run has new weights."""
        self._asked = None

    def load(self) -> None:
        """Ask for predictions of the drawing, one drawing at a time."""
        self.repaint()
        if not self._asking:
            self._asking = True
            self._ask()

    def _wanted(self) -> tuple[object, ...]:
        return self.canvas.ink, tuple(run.folder or "" for run in self.runs)

    @work(group="guess")
    async def _ask(self) -> None:
        try:
            while self._asked != self._wanted():
                wanted, runs = self._wanted(), self.runs
                request = GuessesRequest(folders=tuple(run.folder or "" for run in runs), drawing=self.canvas.ink)
                try:
                    answer = await self.inspector.ask(request, Guesses, self.show_status)
                    if len(answer.guesses) != len(runs):
                        raise LabError("the helper process sent too few predictions")
                except LabError as error:
                    self.guesses = ()
                    self.show_status(f"{error}\n\nPress r, or draw, to try again.")
                    return
                self._asked, self.guesses = wanted, tuple(zip(runs, answer.guesses, strict=True))
                self.show_status("")
                self.repaint()
        finally:
            self._asking = False

    def next_other(self) -> None:
        """Add the predictions of the next run; after the last run, of none."""
        if not self.others:
            self.notify("there is no other run to compare with", severity="warning")
            return
        ids = [run.id for run in self.others]
        place = ids.index(self.second.id) + 1 if self.second is not None and self.second.id in ids else 0
        self.second = self.others[place] if place < len(self.others) else None
        self.load()

    # Keys

    def move(self, right: int, down: int) -> None:
        """Move the pen, which draws while it is down."""
        column, row = self.cursor
        self.cursor = min(SIDE - 1, max(0, column + right)), min(SIDE - 1, max(0, row + down))
        if self.pen_down:
            self.canvas.stroke(_middle(column, row), _middle(*self.cursor))
        self.load()

    def page(self, by: int) -> None:
        """Move the pen many pixels up or down."""
        self.move(0, by * SIDE // 4)

    def pen(self) -> None:
        """Set the pen down, or lift it."""
        self.pen_down = not self.pen_down
        if self.pen_down:
            self.canvas.begin()
            self.canvas.stroke(_middle(*self.cursor), _middle(*self.cursor))
        self.load()

    def erase(self) -> None:
        """Erase the ink around the pen, and lift it."""
        self.pen_down = False
        self.canvas.begin()
        self.canvas.erase(_middle(*self.cursor), _middle(*self.cursor))
        self.load()

    def clear(self) -> None:
        """Erase all ink, and lift the pen."""
        self.pen_down = False
        self.canvas.clear()
        self.load()

    def undo(self) -> None:
        """Undo the last stroke, and lift the pen."""
        self.pen_down = False
        self.canvas.undo()
        self.load()

    # Mouse

    def on_mouse_down(self, event: MouseDown) -> None:
        """Begin to draw or, with the right button, to erase."""
        point = self._under(event)
        if point is not None:
            self.capture_mouse()
            self.pen_down = False
            self.canvas.begin()
            self._mouse, self._erasing = point, event.button == _RIGHT_BUTTON
            self._drag(point)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Draw on."""
        if self._mouse is not None:
            point = self._under(event, anywhere=True)
            if point is not None:
                self._drag(point)

    def on_mouse_up(self, event: MouseUp) -> None:  # noqa: ARG002
        """End the stroke."""
        self._mouse = None
        self.release_mouse()

    def _drag(self, point: Point) -> None:
        assert self._mouse is not None  # noqa: S101 - it is down
        (self.canvas.erase if self._erasing else self.canvas.stroke)(self._mouse, point)
        self._mouse = point
        self.cursor = min(SIDE - 1, max(0, int(point[0]))), min(SIDE - 1, max(0, int(point[1])))
        self.load()

    def _under(self, event: MouseDown | MouseMove, *, anywhere: bool = False) -> Point | None:
        """Return where on the canvas the mouse is, None beside it unless ``anywhere`` will do."""
        scale = self._scale()
        x, y = event.x - self.gutter.left - 1, event.y - self.gutter.top - 1  # within the frame
        inside = 0 <= x < SIDE * scale and 0 <= y < SIDE * scale // 2
        return ((x + 0.5) / scale, (2 * y + 1) / scale) if inside or anywhere else None

    # Painting

    def _scale(self) -> int:
        width, height = _ROOM_TO_ENLARGE
        return 2 if self.size.width >= width and self.size.height >= height else 1

    def paint(self, width: int, height: int) -> Sequence[Strip]:
        """Return canvas and guesses."""
        if self.inspected.folder is None:
            return self.folded(self.status, width)
        left = self._framed()
        room = width - left[0].cell_length - GAP
        right = self._bars(room, height)
        return planes.beside([left, right], GAP) if room > 0 else left

    def _framed(self) -> planes.Tile:
        scale = self._scale()
        side = SIDE * scale
        left, top = self.cursor[0] * scale, self.cursor[1] * scale
        cursor = [y * side + x for y in range(top, top + scale) for x in range(left, left + scale)]
        ink = planes.enlarged(self.canvas.ink, SIDE, scale)
        picture = planes.grey(ink, side, colours=self.colours, marked=() if self._mouse else cursor)
        pen = "pen down: arrows draw" if self.pen_down else "pen up: space sets it down"
        above = self.line(f"┌{'─' * side}┐", side + 2)
        below = self.line(f"└{f' {pen} ':─^{side}}┘", side + 2, "bold" if self.pen_down else "")
        edge = Strip([Segment("│")], 1)
        return [above, *(Strip.join([edge, line, edge]) for line in picture), below]

    def _bars(self, width: int, height: int) -> planes.Tile:
        """Return the probabilities by each run beside each other, and the network input below."""
        if width < 2 * _LEAST_BAR:
            return []
        if not any(self.canvas.ink) and not self.status:
            return self.folded(
                "Draw a digit: set the pen down with space, then move it with the arrows, or use the mouse.", width
            )
        if not self.guesses:
            return self.folded(self.status or "asking…", width)
        each = (width - GAP * (len(self.guesses) - 1)) // len(self.guesses)
        return planes.beside([self._column(run, guess, each, height) for run, guess in self.guesses], GAP)

    def _column(self, run: Run, guess: Guess, width: int, height: int) -> planes.Tile:
        title = self.line(f"{run.id} {run.folder}", width, "bold")
        if guess.error:
            return [title, *self.folded(guess.error, width)]
        best = max(range(len(guess.probabilities)), key=guess.probabilities.__getitem__)
        longest = min(max(map(len, guess.names)), max(1, width // 3))
        bars = [
            self.strips(_bar(guess.names[n][:longest], share, longest, width, best=n == best), width)[0]
            for n, share in enumerate(guess.probabilities)
        ]
        lines = [title, *bars, self.line("network input:", width, "dim")]
        side = SIDE if height - len(lines) >= SIDE // 2 and width >= SIDE else SIDE // 2
        if height - len(lines) >= side // 2:
            seen = guess.prepared if side == SIDE else planes.halved(guess.prepared, SIDE)
            lines += planes.grey(seen, side, colours=self.colours)
        return lines


def _bar(name: str, share: float, label_width: int, width: int, *, best: bool) -> Text:
    """Return ``4 ██████▌      52 %``."""
    room = max(1, width - label_width - 7)
    eighths = round(share * room * 8)
    bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    style = Style(bold=best)
    text = Text(f"{name:<{label_width}} ", style)
    text.append(f"{bar:<{room}}", "#ff9e3c" if best else "#50a0ff")
    text.append(f"{100 * share:>4.0f} %", style)
    return text


def _middle(column: int, row: int) -> Point:
    return column + 0.5, row + 0.5
