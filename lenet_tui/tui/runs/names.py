"""Names of runs in little room: the parts that most runs share are left out first, as long as the names differ."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LEFT_OUT = "…"
_MOST_PARTS = 7  # of a name whose shorter forms are counted: there are two to the power of it

Parts = tuple[str, ...]


class ShortNames:
    """What may be left out of names that are parts like ``("bs16", "seed1")``, so that they still differ."""

    def __init__(self, names: Iterable[Parts]) -> None:
        every = Counter(names)
        self._shares: Counter[str] = Counter()
        self._matches: Counter[frozenset[str]] = Counter()
        for parts, count in every.items():
            self._shares.update(dict.fromkeys(parts, count))
            if len(parts) <= _MOST_PARTS:
                subsets = (subset for size in range(len(parts) + 1) for subset in combinations(parts, size))
                self._matches.update({frozenset(subset): count for subset in subsets})

    def least(self, parts: Parts) -> str:
        """Return the shortest form of a name that no other name has."""
        return self._shorter(parts, 0, differs=True)

    def fitted(self, parts: Parts, room: int) -> str:
        """Return a name in at most ``room`` cells if that can be; as few parts as possible are left out."""
        text = self._shorter(parts, room, differs=True)
        return text if len(text) <= room else self._shorter(parts, room, differs=False)

    def _shorter(self, parts: Parts, room: int, *, differs: bool) -> str:
        kept = list(range(len(parts)))
        while len(_joined(parts, kept)) > room and len(kept) > 1:
            forms = [[place for place in kept if place != left] for left in kept]
            if differs:
                forms = [form for form in forms if self._is_alone(parts, form)]
                if not forms:
                    break
            # The part left out is the one that most runs have.
            kept = min(forms, key=lambda form: sum(self._shares[parts[place]] for place in form))
        return _joined(parts, kept)

    def _is_alone(self, parts: Parts, kept: Sequence[int]) -> bool:
        return self._matches[frozenset(parts[place] for place in kept)] == self._matches[frozenset(parts)]


def _joined(parts: Parts, kept: Sequence[int]) -> str:
    words, gap = [], ""
    for place, part in enumerate(parts):
        if place in kept:
            words.append(gap + part)
            gap = ""
        else:
            gap = LEFT_OUT
    text = " ".join(words)
    return text + gap if len(text + gap) < len(" ".join(parts)) else " ".join(parts)
