"""``t-SNE.png``: how the last hidden layer arranges the images (van der Maaten & Hinton 2008)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patheffects import withStroke
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from lenet_tui.config import CLASSES
from lenet_tui.data.catalog import CLASS_COLOURS
from lenet_tui.errors import NotDrawable
from lenet_tui.reports import style
from lenet_tui.reports.matplotlib_import import with_defaults
from lenet_tui.run.embedding import Embedding, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lenet_tui.run.folder import RunRecord
    from lenet_tui.run.predictions import Predictions

    Arrangement = tuple[NDArray[np.intp], NDArray[np.float32]]

PERPLEXITY = 30
COMPONENTS = 50  # wider features are first projected on this many principal components
ITERATIONS = 250
LEAST_IMAGES = 10
MAP = 5.95  # inches, a side
SAMPLE_SEED = 0  # the same images in the picture of every run
FEW_WRONG = 150  # up to so many misclassified images get large rings; more would hide what they ring
MARKERS = "osD^vP*X<>"
SIZES = (17, 17, 17, 20, 20, 24, 36, 24, 20, 20)  # of the markers, so that they look equally large

_THREAD_LIMIT = threading.Lock()  # threadpool_limits changes the whole process, then restores it


@with_defaults
def draw(record: RunRecord, predictions: Predictions, arrangement: Arrangement | None = None) -> bytes:
    """Return the PNG of the map of the run's features, arranged here unless ``arrangement`` is that of `arranged`.

    Raises `NotDrawable` as `arranged` does.
    """
    chosen, places = arrangement or arranged(record, predictions)
    labels = predictions.labels[chosen]
    wrong = predictions.predicted[chosen] != labels

    page = style.Page(
        record,
        f"t-SNE of the last hidden layer, {style.split_name(predictions)}",
        height=MAP + 0.2,
        caption=f"t-SNE (van der Maaten & Hinton 2008) of {predictions.features.shape[1]:,} penultimate features; "
        f"{_sample(len(chosen), len(predictions.labels))}, perplexity "
        f"{_perplexity(len(chosen)):g}, PCA start, seed {record.config.seed}. Neighbourhoods carry meaning; the axes, "
        "distances between clusters and their sizes don't.",
    )
    axes = page.axes(style.MARGIN, 0.1, MAP, MAP)
    names = style.class_names(record)
    for label in range(CLASSES):
        here = places[labels == label]
        axes.scatter(
            here[:, 0], here[:, 1], s=SIZES[label], c=CLASS_COLOURS[label], marker=MARKERS[label],
            linewidths=0.3, edgecolors="white", label=f"{names[label]} ({len(here):,})",
        )  # fmt: skip
    size, width = (62, 1.1) if wrong.sum() <= FEW_WRONG else (34, 0.7)
    axes.scatter(
        places[wrong, 0], places[wrong, 1], s=size, facecolors="none", edgecolors=style.INK, linewidths=width,
        label=f"misclassified\n({wrong.sum():,} of {len(chosen):,})",
    )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.03)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#bbbbbb")
    _name_clusters(axes, places, labels, names)
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, frameon=False, fontsize=9.5,
        title="true class", title_fontsize=10, alignment="left", handletextpad=0.3, labelspacing=0.6,
    )  # fmt: skip
    for handle, size in zip(legend.legend_handles, SIZES, strict=False):
        handle.set_sizes([2.5 * size])  # type: ignore[union-attr]
    return page.png()


def arranged(record: RunRecord, predictions: Predictions) -> Arrangement:
    """Return the numbers (M,) of the images that the map shows and their places (M, 2).

    Raises `NotDrawable` where there is nothing to arrange.
    """
    chosen = stratified_sample(predictions.labels, record.config.tsne_samples)
    features = predictions.features[chosen]
    if len(chosen) < LEAST_IMAGES:
        raise NotDrawable(f"{len(chosen)} images are too few for t-SNE")
    if not np.isfinite(features).all():
        raise NotDrawable("the features are not finite: the run diverged")
    if not np.ptp(features, axis=0).any():
        raise NotDrawable("the features of all images are the same: the network has collapsed")
    return chosen, embed(features, record.config.seed)


def embedding(predictions: Predictions, arrangement: Arrangement) -> Embedding:
    """Return an arrangement as ``t-SNE.csv`` keeps it."""
    chosen, places = arrangement
    true, predicted = predictions.labels[chosen].tolist(), predictions.predicted[chosen].tolist()
    points = map(Point, chosen.tolist(), true, predicted, places[:, 0].tolist(), places[:, 1].tolist())
    return Embedding(predictions.split, tuple(points))


def stratified_sample(labels: NDArray[np.int64], size: int) -> NDArray[np.intp]:
    """Return the sorted indices of ``size`` images, all of them if there are fewer, every class in its proportion.

    The same labels and size always give the same indices. Shares that aren't whole numbers are rounded so that
    they add up to ``size``, the largest remainders up.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    counts = np.bincount(labels, minlength=CLASSES)
    exact = counts * size / len(labels)
    quota = np.floor(exact).astype(int)
    rounded_up = np.argsort(quota - exact, kind="stable")[: size - quota.sum()]
    quota[rounded_up] += 1
    random = np.random.default_rng(SAMPLE_SEED)
    parts = [random.permutation(np.flatnonzero(labels == label))[: quota[label]] for label in range(CLASSES)]
    return np.sort(np.concatenate(parts))


def embed(features: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Return the place of each of (N, F) feature vectors in the plane, (N, 2), the same for the same input.

    Coarser and shorter than scikit-learn's default, in a quarter of its time: the KL divergence of 2,000 MNIST images
    ends at 0.81 instead of 0.72, which no eye can see. On one thread, because with more the sums come out differently.
    """
    with _THREAD_LIMIT, threadpool_limits(1):
        if features.shape[1] > 2 * COMPONENTS:
            wanted = min(COMPONENTS, len(features))
            features = PCA(wanted, svd_solver="randomized", random_state=seed).fit_transform(features)
        method = _ShortTSNE(
            perplexity=_perplexity(len(features)),
            init="pca",
            learning_rate=max(len(features) / 10, 50),
            max_iter=ITERATIONS,
            angle=0.75,
            random_state=seed,
        )
        places: NDArray[np.float32] = method.fit_transform(features)
    return places


class _ShortTSNE(TSNE):  # type: ignore[misc]
    """Exaggerates for 50 iterations instead of 250: features that a network has learned lie in clusters already."""

    _EXPLORATION_MAX_ITER = 50


def _sample(chosen: int, count: int) -> str:
    return f"all {count:,} images" if chosen == count else f"stratified sample of {chosen:,} of {count:,} images"


def _perplexity(count: int) -> float:
    return min(PERPLEXITY, (count - 1) // 3)


def _name_clusters(axes: Axes, places: NDArray[np.float32], labels: NDArray[np.int64], names: tuple[str, ...]) -> None:
    for label in np.unique(labels):
        here = places[labels == label]
        middle = np.median(here, axis=0)
        nearest = here[np.argmin(((here - middle) ** 2).sum(axis=1))]  # the median may lie between two halves
        axes.annotate(
            names[label], nearest, ha="center", va="center", size=15 if len(names[label]) < 4 else 11, weight="bold",
            color=style.INK, path_effects=[withStroke(linewidth=3, foreground="white")], zorder=6,
        )  # fmt: skip
