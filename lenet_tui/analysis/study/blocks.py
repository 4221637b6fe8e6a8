"""What the document is made of, and how each part of it is written as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lenet_tui.analysis.study.phrases import cited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lenet_tui.analysis.study.phrases import Sentence


@dataclass(frozen=True)
class Paragraph:
    """Sentences that belong together."""

    sentences: tuple[Sentence, ...]

    def markdown(self) -> str:
        """Return it as one line of Markdown."""
        return _joined(self.sentences)


@dataclass(frozen=True)
class Bullets:
    """A list of points, each of some sentences."""

    items: tuple[tuple[Sentence, ...], ...]

    def markdown(self) -> str:
        """Return it as a Markdown list."""
        return "\n".join(f"- {_joined(item)}" for item in self.items)


@dataclass(frozen=True)
class Table:
    """A table, heading first. The first column and those named in ``left`` are text, the others numbers.

    Columns with nothing below their heading are left out. Cells are Markdown; a pipe in them is escaped.
    """

    rows: tuple[tuple[str, ...], ...]
    left: frozenset[str] = frozenset()

    def markdown(self) -> str:
        """Return it as a Markdown table."""
        columns = [column for column in zip(*self.rows, strict=True) if any(column[1:])]
        heading, *rows = zip(*columns, strict=True)
        rule = [":--" if n == 0 or name in self.left else "--:" for n, name in enumerate(heading)]
        return "\n".join(f"| {' | '.join(row)} |" for row in (heading, rule, *rows))


@dataclass(frozen=True)
class Figure:
    """A picture beside the document, in ``file``. ``alt`` says what it shows to those who don't see it."""

    file: str
    alt: str
    caption: str

    def markdown(self) -> str:
        """Return it as a Markdown image with its caption."""
        return f"![{self.alt}]({self.file})\n\n*{self.caption}*"


Block = Paragraph | Bullets | Table | Figure


@dataclass(frozen=True)
class Section:
    """A part of the document under a heading."""

    title: str
    blocks: tuple[Block, ...]


def section(title: str, blocks: Iterable[Block | None]) -> Section:
    """Return the section of what there is to say; what has nothing in it is left out."""
    return Section(title, tuple(block for block in blocks if block is not None and not _is_empty(block)))


def markdown(title: str, sections: Sequence[Section]) -> str:
    """Return the text of ``discussion.md``."""
    parts = [f"# {title}"]
    for part in sections:
        parts += [f"## {part.title}", *(block.markdown() for block in part.blocks)]
    return "\n\n".join(parts) + "\n"


def sentences(sections: Iterable[Section]) -> Iterator[Sentence]:
    """Yield every sentence of the document, in order."""
    for part in sections:
        for block in part.blocks:
            if isinstance(block, Paragraph):
                yield from block.sentences
            elif isinstance(block, Bullets):
                for item in block.items:
                    yield from item


def _joined(text: Sequence[Sentence]) -> str:
    """Join sentences. Neighbours of which one comes from runs that the other comes from too are cited together.

    The runs stand after the last of them; what comes from no runs may stand between.
    """
    parts = [sentence.text for sentence in text]
    together: set[int] = set()
    last = 0
    for n, sentence in enumerate(text):
        runs = set(sentence.runs)
        if not runs:
            continue
        if together and not (runs <= together or together <= runs):
            parts[last] += _citation(together)
            together = set()
        together |= runs
        last = n
    if together:
        parts[last] += _citation(together)
    return " ".join(parts)


def _citation(runs: Iterable[int]) -> str:
    return f" [{cited(runs)}](#all-runs)"


def _is_empty(block: Block) -> bool:
    if isinstance(block, Paragraph):
        return not block.sentences
    if isinstance(block, Bullets):
        return not block.items
    return isinstance(block, Table) and len(block.rows) < 2
