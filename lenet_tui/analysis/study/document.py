"""The discussion as a whole: its sections in the order of the assignment's questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.analysis.study.blocks import Figure, Section, section
from lenet_tui.analysis.study.prose import (
    alexnet,
    batch_size,
    frame,
    improvements,
    learning_rate,
    overfitting,
    setup,
)
from lenet_tui.config import DATASET_TITLES

if TYPE_CHECKING:
    from collections.abc import Container

    from lenet_tui.analysis.study.findings import Findings


def title(found: Findings) -> str:
    """Return the document's title."""
    return f"LeNet on {DATASET_TITLES[found.study.plan.dataset]}: batch size, learning rate, and what else helps"


def sections(found: Findings, figures: Container[str]) -> list[Section]:
    """Return the document's sections, with those of its figures that have been drawn."""
    parts = [
        frame.summary(found),
        frame.missing(found),
        setup.write(found),
        overfitting.write(found),
        batch_size.write(found),
        learning_rate.write(found),
        improvements.write(found),
        alexnet.write(found),
        frame.limits(found),
        frame.references(found),
        frame.all_runs(found),
    ]
    return [
        section(part.title, (b for b in part.blocks if not isinstance(b, Figure) or b.file in figures))
        for part in parts
        if part
    ]
