"""Which images are misclassified, as what, and where they lie in the t-SNE maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree  # type: ignore[import-untyped]

from lenet_tui.analysis.contrasts import mean_difference
from lenet_tui.analysis.study.claims import Claim
from lenet_tui.config import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from lenet_tui.analysis.run_result import RunResult
    from lenet_tui.run.embedding import Embedding

NEIGHBOURS = 10


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The mistakes of one configuration on the test images.

    ``confusions`` (10, 10) are errors per run by true class (row) and predicted class (column), 0 on the diagonal;
    ``always`` counts the images that every run gets wrong. ``neighbours`` are shares: how many of the ten nearest
    neighbours in the t-SNE map are of an image's own class, for images that are recognised and for misclassified ones;
    None where there is no map with such images. ``neighbour_gap`` is the first less the second, over seeds.
    """

    name: str
    runs: tuple[int, ...]
    confusions: NDArray[np.float64]
    always: int
    neighbours: tuple[float, float] | None
    neighbour_gap: Claim | None
    embedding: Embedding | None
    seed: int

    @property
    def errors(self) -> float:
        """Misclassified images per run."""
        return float(self.confusions.sum())

    def by_class(self) -> NDArray[np.float64]:
        """Return the errors per run of each true class, (10,)."""
        return np.asarray(self.confusions.sum(axis=1))


def mistakes(name: str, runs: Sequence[RunResult]) -> Mistakes | None:
    """Return the mistakes of a configuration's finished runs; None without predictions of the same images."""
    tested = [(run, run.predictions) for run in runs if run.predictions is not None]
    if not tested:
        return None
    labels = tested[0][1].labels
    tested = [(run, predictions) for run, predictions in tested if np.array_equal(predictions.labels, labels)]
    confusions = np.zeros((CLASSES, CLASSES))
    always = np.ones(len(labels), dtype=bool)
    for _, predictions in tested:
        predicted = predictions.predicted
        np.add.at(confusions, (labels, predicted), 1.0 / len(tested))
        always &= predicted != labels
    np.fill_diagonal(confusions, 0.0)
    mapped = [(run, run.embedding) for run, _ in tested if run.embedding is not None and run.embedding.split == "test"]
    shares = [found for _, embedding in mapped if (found := _neighbours(embedding)) is not None]
    gap = mean_difference([own - other for own, other in shares])
    first = mapped[0] if mapped else (tested[0][0], None)
    return Mistakes(
        name,
        tuple(run.run_id for run, _ in tested),
        confusions,
        int(always.sum()),
        (_mean(own for own, _ in shares), _mean(other for _, other in shares)) if shares else None,
        Claim(gap, gap.p) if gap else None,
        first[1],
        first[0].config.seed,
    )


def wrong_everywhere(groups: Sequence[Sequence[RunResult]]) -> int | None:
    """Return how many test images every run gets wrong; None without runs that were tested on the same images."""
    wrong = [run.right for runs in groups for run in runs if run.right is not None]
    if not wrong or len({len(right) for right in wrong}) > 1:
        return None
    return int((~np.any(np.stack(wrong), axis=0)).sum())


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _neighbours(embedding: Embedding) -> tuple[float, float] | None:
    places = np.array([(point.x, point.y) for point in embedding.points])
    true = np.array([point.true for point in embedding.points])
    wrong = np.array([point.is_wrong for point in embedding.points])
    if len(places) <= NEIGHBOURS or wrong.all() or not wrong.any():
        return None
    _, nearest = cKDTree(places).query(places, k=NEIGHBOURS + 1)
    same = (true[nearest[:, 1:]] == true[:, None]).mean(axis=1)
    return float(same[~wrong].mean()), float(same[wrong].mean())
