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


def title(findings: Findings) -> str:
    """Return the document's title."""
    return f"LeNet on {DATASET_TITLES[findings.study.plan.dataset]}: batch size, learning rate, and what else helps"


def sections(findings: Findings, figures: Container[str]) -> list[Section]:
    """Return the document's sections, with those of its figures that have been drawn."""
    parts = [
        frame.summary(findings),
        frame.missing(findings),
        setup.write(findings),
        overfitting.write(findings),
        batch_size.write(findings),
        learning_rate.write(findings),
        improvements.write(findings),
        alexnet.write(findings),
        frame.limits(findings),
        frame.references(findings),
        frame.all_runs(findings),
    ]
    return [
        section(part.title, (b for b in part.blocks if not isinstance(b, Figure) or b.file in figures))
        for part in parts
        if part
    ]
