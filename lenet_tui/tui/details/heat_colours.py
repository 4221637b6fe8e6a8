"""The colours of a confusion matrix, for dark and for light themes and for terminals with few colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget

_FEW = "standard"  # Rich's name for 16 colours


@dataclass(frozen=True)
class HeatColours:
    """Styles of cells: ``errors`` and ``right`` by the least share of the row, in falling order.

    Errors are far rarer than right answers, so their steps are finer. ``none`` is the style of a cell without images.
    """

    errors: tuple[tuple[float, str], ...]
    right: tuple[tuple[float, str], ...]
    cursor: str
    none: str = "dim"

    def style(self, share: float, *, right: bool) -> str:
        """Return the style of a cell with this share of the images of its row."""
        if not share:
            return self.none
        return next(style for least, style in (self.right if right else self.errors) if share >= least)


# The further from the ground of the theme, the larger the share. A test holds the text of each readable.
DARK = HeatColours(
    errors=(
        (0.3, "#000000 on #ffc46b"),
        (0.1, "#000000 on #f59a33"),
        (0.03, "#000000 on #d97a1e"),
        (0.01, "#ffffff on #9c4f0c"),
        (0.003, "#ffffff on #70390b"),
        (0.0, "#ffffff on #47280f"),
    ),
    right=((0.95, "#ffffff on #2b6cb0"), (0.8, "#ffffff on #225385"), (0.0, "#ffffff on #1a3a5a")),
    cursor="bold #000000 on #ff87ff",
)
LIGHT = HeatColours(
    errors=(
        (0.3, "#ffffff on #8c2d04"),
        (0.1, "#ffffff on #b84203"),
        (0.03, "#000000 on #ee7a1c"),
        (0.01, "#000000 on #fda649"),
        (0.003, "#000000 on #fdc97f"),
        (0.0, "#000000 on #fde3b8"),
    ),
    right=((0.95, "#000000 on #6baed6"), (0.8, "#000000 on #9ecae1"), (0.0, "#000000 on #cfe1f2")),
    cursor="bold #ffffff on #a0009c",
)
# In the values that Rich takes for the 16 colours, of which Textual's own names would give others.
SIXTEEN = HeatColours(
    errors=((0.1, "#ffffff on #aa0000"), (0.01, "#000000 on #ffff55"), (0.0, "")),
    right=((0.8, "#000000 on #55ffff"), (0.0, "#000000 on #00aaaa")),
    cursor="bold #ffffff on #aa00aa",
)
PLAIN = HeatColours(errors=((0.0, ""),), right=((0.0, "bold"),), cursor="bold reverse")


def of(widget: Widget) -> HeatColours:
    """Return the colours for where a widget is shown."""
    app = widget.app
    if app.no_color or app.console.color_system is None:
        return PLAIN
    if app.console.color_system == _FEW:
        return SIXTEEN
    return LIGHT if widget.background_colors[1].brightness > 0.5 else DARK
