"""What may be said of a tested difference. No other module of the study, and no template, compares anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.analysis.statistics import LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lenet_tui.analysis.statistics import Difference


@dataclass(frozen=True)
class Claim:
    """A tested difference and its p, adjusted for what was tested beside it.

    ``first`` less ``second`` are the configurations of a pair, both empty for a trend or a change within runs.
    """

    difference: Difference
    adjusted_p: float
    first: str = ""
    second: str = ""

    @property
    def is_significant(self) -> bool:
        """Whether there is a difference; if not, there may still be one."""
        return self.adjusted_p < 1 - LEVEL

    @property
    def lower(self) -> bool:
        """Whether the difference is significant and below 0."""
        return self.is_significant and self.difference.mean < 0

    @property
    def higher(self) -> bool:
        """Whether the difference is significant and above 0."""
        return self.is_significant and self.difference.mean > 0

    def marked(self, text: str) -> str:
        """Return ``text`` in bold where the difference is significant."""
        return f"**{text}**" if self.is_significant else text


def strongest(claims: Sequence[Claim]) -> int:
    """Return the place of the claim of smallest p, the first of equals; 0 for none."""
    return min(range(len(claims)), key=lambda place: claims[place].adjusted_p, default=0)


def candidates(levels: Sequence[str], pairs: Iterable[Claim]) -> list[str]:
    """Return the levels than which no other has a significantly lower loss, in the order given."""
    beaten = {claim.first if claim.higher else claim.second for claim in pairs if claim.is_significant}
    return [name for name in levels if name not in beaten]


def ranked(claims: Mapping[str, Claim]) -> list[str]:
    """Return names by their difference, lowest first."""
    return sorted(claims, key=lambda name: claims[name].difference.mean)


def lowering(claims: Mapping[str, Claim]) -> list[str]:
    """Return the names whose difference is significantly below 0, lowest first."""
    return [name for name in ranked(claims) if claims[name].lower]


def raising(claims: Mapping[str, Claim]) -> list[str]:
    """Return the names whose difference is significantly above 0, highest first."""
    return [name for name in reversed(ranked(claims)) if claims[name].higher]


def most(values: Mapping[str, float], count: int) -> list[str]:
    """Return the names of the largest values above 0, at most ``count``, the largest first."""
    return [name for name in sorted(values, key=lambda name: -values[name]) if values[name] > 0][:count]
