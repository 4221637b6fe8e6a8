"""The discussion as Markdown: facts put into the one template."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

from lenet_tui.analysis.study import facts, numbers

if TYPE_CHECKING:
    from collections.abc import Collection

    from jinja2 import Template

    from lenet_tui.analysis.study.findings import Findings

# The figures by their name in the template, in the order of the document.
FIGURES = {
    "loss": "loss_default.png",
    "batch": "batch_size.png",
    "rate": "learning_rate.png",
    "improve": "improvements.png",
    "alexnet": "alexnet.png",
    "mistakes": "mistakes.png",
    "maps": "t-SNE.png",
}
TEMPLATE = "discussion.md.j2"


def title(findings: Findings) -> str:
    """Return the document's title."""
    return facts.title(findings)


def markdown(findings: Findings, drawn: Collection[str]) -> str:
    """Return the text of ``discussion.md``, with those of its figures whose files are in ``drawn``."""
    there = [(key, file) for key, file in FIGURES.items() if file in drawn]
    shown = {key: {"file": file, "number": number} for number, (key, file) in enumerate(there, start=1)}
    return _tidy(_template().render(facts.facts(findings), figures=shown))


def source() -> str:
    """Return the text of the template."""
    return (files("lenet_tui.analysis.study") / TEMPLATE).read_text(encoding="utf-8")


def environment() -> Environment:
    """Return what the template is read with; its filters write numbers."""
    made = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    made.filters |= {
        "loss": numbers.loss,
        "share": numbers.share,
        "whole_percent": numbers.whole_percent,
        "ratio": numbers.ratio,
        "points": numbers.points,
        "amount": numbers.amount,
        "p": numbers.p_text,
        "epochs": numbers.epochs,
        "within": numbers.within,
        "listed": lambda words, last="and": numbers.listed(list(words), last),
        "two": lambda value: f"{value:.2f}",
        "capitalised": lambda text: text[:1].upper() + text[1:],
        "unbold": lambda text: text.replace("**", ""),
    }
    return made


@cache
def _template() -> Template:
    return environment().from_string(source())


def _tidy(text: str) -> str:
    """Join what the template spread over lines: within a paragraph one line, between blocks one empty line."""
    blocks = re.split(r"\n\s*\n", text.strip())
    joined = "\n\n".join(_block(block) for block in blocks) + "\n"
    return re.sub(r"\n+(?=#+ )", "\n\n", joined)


def _block(block: str) -> str:
    lines = [line.strip() for line in block.splitlines()]
    if block.startswith("```") or any(re.match(r"\||- |\d+\. |#", line) for line in lines):
        return "\n".join(lines)
    return re.sub(r" {2,}", " ", " ".join(lines))
