"""Images of 28 × 28 pixels as lines of text: half blocks in a terminal, characters by brightness in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

RAMP = " ░▒▓█"
GAP = 2


def drawn(image: NDArray[np.uint8], *, colours: bool) -> list[Text]:
    """Return an image (H, W), H even, as H / 2 lines of W characters, two pixels in each."""
    lines = []
    for upper, lower in zip(image[::2].tolist(), image[1::2].tolist(), strict=True):
        line = Text()
        for top, bottom in zip(upper, lower, strict=True):
            if colours:
                line.append("▀", Style(color=f"rgb({top},{top},{top})", bgcolor=f"rgb({bottom},{bottom},{bottom})"))
            else:
                line.append(character(top, bottom))
        lines.append(line)
    return lines


def character(top: int, bottom: int) -> str:
    """Return the character for two pixels from 0 to 255, one above the other."""
    if abs(top - bottom) > 127:
        return "▀" if top > bottom else "▄"
    return RAMP[(top + bottom) * len(RAMP) // 511]


def has_colours(console: Console) -> bool:
    """Say whether a console shows pictures in colours."""
    return bool(console.color_system) and not console.no_color


def side_by_side(console: Console, pictures: Sequence[Sequence[Text]]) -> None:
    """Print pictures, each as a list of lines, as many beside each other as fit."""
    width = max((line.cell_len for picture in pictures for line in picture), default=0) + GAP
    across = max(1, (console.width + GAP) // width) if console.is_terminal else 1
    for first in range(0, len(pictures), across):
        row = pictures[first : first + across]
        for number in range(max(map(len, row))):
            line = Text()
            for picture in row:
                part = picture[number] if number < len(picture) else Text()
                line.append_text(part)
                line.append(" " * (width - part.cell_len))
            line.rstrip()
            console.print(line, soft_wrap=True)
        console.print()
