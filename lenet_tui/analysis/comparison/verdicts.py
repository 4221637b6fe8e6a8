"""Which differences between compared runs are significant, in sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from lenet_tui.analysis.statistics import LEVEL, block_contrasts, holm, mcnemar, paired_difference
from lenet_tui.formatting import counted, p_value, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet_tui.analysis.comparison.groups import Group
    from lenet_tui.analysis.run_result import RunResult

Measure = Literal["validation loss", "test accuracy"]
Test = Literal["block model", "two-way ANOVA", "McNemar"]
LEAST_SEEDS = 2  # shared by two groups, below which there is no estimate of seed-to-seed variation


@dataclass(frozen=True)
class Verdict:
    """The result of one test of ``subject`` against ``baseline``.

    ``estimate`` is the ratio of best validation cross-entropies (subject's by baseline's), or the difference of shares
    of test images recognised (subject's less baseline's); ``low`` to ``high`` is its 95 % interval, which McNemar's
    test doesn't have. ``adjusted_p`` is Holm's over all that was tested of the same measure. ``n`` counts the seeds, or
    for McNemar the images; ``only`` are then those that only the subject and only the baseline recognised.
    """

    subject: str
    baseline: str
    measure: Measure
    test: Test
    estimate: float
    low: float | None
    high: float | None
    p: float
    adjusted_p: float
    n: int
    runs: tuple[int, ...]
    only: tuple[int, int] | None = None

    @property
    def shown(self) -> bool:
        """Whether the difference is significant; if not, there may still be one."""
        return self.adjusted_p < 1 - LEVEL

    @property
    def text(self) -> str:
        """The verdict as a sentence."""
        loss = self.measure == "validation loss"
        what = "best validation cross-entropy" if loss else "test accuracy"
        above = self.estimate > (1 if loss else 0)
        if self.shown:
            claim = f"{self.subject}: {'higher' if above else 'lower'} {what} than {self.baseline}"
        else:
            claim = f"{self.subject}: {what} not significantly different from {self.baseline}"
        return f"{claim} ({', '.join([f'difference {self._size(self.estimate)}', *self._grounds()])})."

    def _grounds(self) -> list[str]:
        if self.only is not None:
            grounds = [f"{self.only[0]:,} of {self.n:,} images right only here, {self.only[1]:,} only there"]
        else:
            grounds = []
        if self.low is not None and self.high is not None:
            grounds.append(f"unadjusted 95 % CI {self._size(self.low)} to {self._size(self.high)}")
        return [*grounds, f"Holm-adjusted {p_value(self.adjusted_p)}"]

    def _size(self, value: float) -> str:
        if self.measure == "validation loss":
            return f"{100 * (value - 1):+.1f} %".replace("-", "−")
        return f"{100 * value:+.2f} points".replace("-", "−")


def verdicts(groups: Sequence[Group]) -> tuple[list[Verdict], list[str]]:
    """Return what tests say of the groups against the first, and notes on what could not be tested and why.

    Where a group shares at least two seeds with the first, configurations are compared: best validation
    cross-entropies by `block_contrasts` of their logarithms, test images recognised by `paired_difference`. Otherwise
    single runs are, by `mcnemar` of each against the first finished one.
    """
    notes = []
    comparable = [groups[0]]
    for group in groups[1:]:
        reason = _apart(group.runs[0], groups[0].runs[0])
        if reason:
            notes.append(f"{group.label} is not tested against {groups[0].label}: {reason}")
        else:
            comparable.append(group)
    first = comparable[0]
    if any(len(_shared(group, first)) >= LEAST_SEEDS for group in comparable[1:]):
        losses, missing = _losses(comparable)
        accuracies, untested = _accuracies(comparable)
        return losses + accuracies, notes + missing + untested
    result, untested = _single([run for group in comparable for run in group.runs], comparable)
    return result, notes + untested


def _apart(run: RunResult, other: RunResult) -> str | None:
    one, two = run.record.dataset, other.record.dataset
    if one.name != two.name:
        return f"{shown(one.name)} and {shown(two.name)} are different images"
    if one.checksum != two.checksum:
        return "their images have different checksums"
    if run.config.val_size != other.config.val_size:
        return f"{run.config.val_size:,} and {other.config.val_size:,} validation images are different ones"
    return None


def _finished(group: Group) -> dict[int, RunResult]:
    return {run.config.seed: run for run in group.counted if run.state == "finished"}


def _shared(group: Group, first: Group) -> list[tuple[RunResult, RunResult]]:
    ours, theirs = _finished(group), _finished(first)
    return [(ours[seed], theirs[seed]) for seed in sorted(ours) if seed in theirs]


def _losses(groups: Sequence[Group]) -> tuple[list[Verdict], list[str]]:
    first, notes = groups[0], []
    values: dict[str, dict[int, float]] = {}
    for group in groups:
        values[group.label] = {}
        for seed, run in _finished(group).items():
            loss = run.best_val_cross_entropy
            if loss is not None and math.isfinite(loss) and loss > 0:
                values[group.label][seed] = math.log(loss)
            else:
                notes.append(f"run {run.run_id} has no positive, finite validation cross-entropy")
    try:
        contrasts = block_contrasts(values, first.label)
    except ValueError as error:
        return [], [*notes, f"validation losses are not tested: {error}"]
    result = []
    for group in groups[1:]:
        contrast = contrasts.get(group.label)
        if contrast is None:
            notes.append(f"{group.label} is not tested: no finished run shares a seed with {first.label}")
            continue
        d = contrast.difference
        result.append(
            Verdict(
                group.label, first.label, "validation loss", "block model",
                math.exp(d.mean), math.exp(d.low), math.exp(d.high), d.p, contrast.adjusted_p, d.n,
                tuple(run.run_id for both in (group, first) for run in _finished(both).values()),
            )
        )  # fmt: skip
    return result, notes


def _accuracies(groups: Sequence[Group]) -> tuple[list[Verdict], list[str]]:
    first, notes, result = groups[0], [], []
    for group in groups[1:]:
        pairs = [pair for pair in _shared(group, first) if _same_images(*pair)]
        if len(pairs) < LEAST_SEEDS:
            notes.append(
                f"the test accuracy of {group.label} is not tested: it has {counted(len(pairs), 'finished run')} of "
                f"the same seed and test images as {first.label}"
            )
            continue
        ours, theirs = (np.stack([run.right for run in runs]) for runs in zip(*pairs, strict=True))
        d = paired_difference(ours, theirs)
        result.append(
            Verdict(
                group.label, first.label, "test accuracy", "two-way ANOVA", d.mean, d.low, d.high, d.p, d.p, d.n,
                tuple(run.run_id for runs in zip(*pairs, strict=True) for run in runs),
            )
        )  # fmt: skip
    return _adjusted(result), notes


def _single(runs: Sequence[RunResult], groups: Sequence[Group]) -> tuple[list[Verdict], list[str]]:
    alone = len(groups) == 1  # then they differ in the seed only
    names = {
        run: f"run {run.run_id} ({f'seed {run.config.seed}' if alone else group.label})"
        for group in groups
        for run in group.runs
    }
    repeated = {run for group in groups for run in group.runs if run not in group.counted}
    finished = [run for run in runs if run.right is not None]
    tested = [run for run in finished if run not in repeated]
    if len(tested) < 2:
        if len(finished) > 1:
            return [], ["nothing is tested: the finished runs repeat each other, with one configuration and one seed"]
        return [], ["nothing is tested: fewer than two finished runs are on the same images"]
    first, notes, result = tested[0], [], []
    for run in tested[1:]:
        if run.right is None or first.right is None or not _same_images(run, first):
            notes.append(f"run {run.run_id} is not tested: its test labels are not those of run {first.run_id}")
            continue
        test = mcnemar(run.right, first.right)
        result.append(
            Verdict(
                names[run], names[first], "test accuracy", "McNemar",
                (test.only_first - test.only_second) / len(run.right), None, None, test.p, test.p, len(run.right),
                (run.run_id, first.run_id), (test.only_first, test.only_second),
            )
        )  # fmt: skip
    if result and alone:
        notes.append("these runs share one configuration, so their differences show the seed-to-seed variation")
    elif result:
        notes.append(
            "single runs are compared, so the result holds for these weights only; with two finished seeds or more, "
            "the configurations are compared, also by validation loss"
        )
    return _adjusted(result), notes


def _same_images(run: RunResult, other: RunResult) -> bool:
    ours, theirs = run.predictions, other.predictions
    return ours is not None and theirs is not None and np.array_equal(ours.labels, theirs.labels)


def _adjusted(result: Sequence[Verdict]) -> list[Verdict]:
    adjusted = holm([verdict.p for verdict in result])
    return [replace(verdict, adjusted_p=p) for verdict, p in zip(result, adjusted, strict=True)]
