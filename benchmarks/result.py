"""One measured figure and the bound it has to keep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """A figure with its bound, None where it is only reported; ``detail`` says what it was made of."""

    name: str
    figure: float
    bound: float | None
    detail: str
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Say whether the figure keeps its bound."""
        if self.bound is None:
            return True
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def __str__(self) -> str:
        """Give the figure in one line."""
        relation = "≥" if self.at_least else "≤"
        bound = "" if self.bound is None else f" ({relation} {self.bound:g}: {'holds' if self.holds else 'MISSED'})"
        return f"{self.name}: {self.figure:.4g}{bound}; {self.detail}"
