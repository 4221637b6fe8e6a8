"""What stands around the answers: the summary, what is missing, the limits, and the table of all runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet_tui.analysis.plain_markdown import code
from lenet_tui.analysis.study.blocks import Bullets, Paragraph, Section, Table, section
from lenet_tui.analysis.study.phrases import Sentence, cited, listed, loss, minutes, share
from lenet_tui.analysis.study.prose import alexnet, batch_size, improvements, learning_rate, overfitting
from lenet_tui.analysis.study.prose.effect import state_of
from lenet_tui.config import DATASET_TITLES
from lenet_tui.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.plan import StudyRun

_ANSWERS = (
    ("Overfitting", overfitting.short),
    ("Batch size", batch_size.short),
    ("Learning rate", learning_rate.short),
    ("Improvements", improvements.short),
    ("AlexNet", alexnet.short),
)


def summary(findings: Findings) -> Section:
    """Return the answers in short, a point each."""
    if findings.default is None:
        text = "No run of the default is finished yet, and everything is held against it: there are no answers so far."
        return section("Summary", [Paragraph((Sentence(text),))])
    points = []
    for title, answer in _ANSWERS:
        first, *rest = answer(findings)
        points.append((Sentence(f"**{title}:** {first.text}", first.runs, first.p), *rest))
    return section("Summary", [Bullets(tuple(points))])


def missing(findings: Findings) -> Section | None:
    """Return what is still missing and why, None when nothing is."""
    study = findings.study
    open_ = study.missing()
    if not open_:
        return None
    text = (
        f"{len(study.finished)} of {counted(len(study.runs), 'run')} are finished. This document is written from "
        "those, and grows when it is written again."
    )
    return section(
        "What is missing", [Paragraph((Sentence(text),)), Bullets(tuple(_missing(open_, study.plan.epochs)))]
    )


def limits(findings: Findings) -> Section:
    """Return what the study can't say."""
    plan = findings.study.plan
    seeds = (
        "One seed tells nothing about others."
        if plan.seeds == 1
        else f"{_number(plan.seeds)} seeds per arm can show large differences only; those of a few per cent need more."
    )
    title = DATASET_TITLES[plan.dataset]
    items = [
        f"{seeds} The seeds vary weights, order and distortions, not the split: that another validation set would "
        "order the arms in the same way is assumed.",
        "The best validation loss is the lowest of all epochs, which a curve with large ups and downs reaches by "
        "luck more easily than a steady one: arms with rough curves look a little too good.",
        "Noise is taken for equally large, on the logarithmic scale, in the arms of one question: with three seeds "
        "that is what gives small p-values their strength, and an arm that is noisier than the others gets too small "
        "a one.",
        "The intervals of test accuracy are rather too wide than too narrow where seeds hardly matter, so that small "
        "gains stay hidden.",
        "p-values are adjusted within a question: of two gains of one size the one that was tested beside fewer "
        "arms is shown sooner, and what is not shown is not thereby the smaller one.",
        "The gap is followed from where the validation loss is lowest, which it is partly by chance, so that its "
        "growth looks a little larger than it is.",
        "The criterion of overfitting asks for a steady rise: it finds a small one in a smooth curve sooner than a "
        "large one in a curve that fluctuates, so read it beside the gaps.",
        "Settings were not tuned: one strength of each improvement, one learning rate for all batch sizes, no "
        "batch above 64 and no learning rate between those of the assignment, one optimizer.",
        f"All arms end after {counted(plan.epochs, 'epoch')}, on {title}; what is slow to learn, or other images, "
        "may give another order.",
        "Times are those of this machine, with several runs side by side and whatever else it had to do; tables "
        "give the fastest seed's median epoch, which that disturbs least.",
    ]
    return section("Limits", [Bullets(tuple((Sentence(text),) for text in items))])


def references(findings: Findings) -> Section:
    """Return where the methods come from that the other sections use."""
    single = findings.study.plan.seeds == 1
    tests = (
        (
            "Q. McNemar (1947). Note on the sampling error of the difference between correlated proportions or "
            "percentages. Psychometrika 12.",
        )
        if single
        else (
            "A. B. Owen (2007). The pigeonhole bootstrap. Annals of Applied Statistics 1.",
            "S. L. Hillis (2007). A comparison of denominator degrees of freedom methods for multiple observer ROC "
            "analysis. Statistics in Medicine 26.",
        )
    )
    items = (
        "H. B. Mann (1945). Nonparametric tests against trend. Econometrica 13.",
        "S. Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
        "Statistics 6.",
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to document recognition. "
        "Proceedings of the IEEE 86.",
        "L. Prechelt (1998). Early stopping – but when? In: Neural Networks: Tricks of the Trade. Springer.",
        "P. Simard, D. Steinkraus, J. Platt (2003). Best practices for convolutional neural networks applied to visual "
        "document analysis. ICDAR.",
        *tests,
        "A. Krizhevsky, I. Sutskever, G. Hinton (2012). ImageNet classification with deep convolutional neural "
        "networks. NeurIPS 25.",
        "D. Kingma, J. Ba (2015). Adam: a method for stochastic optimization. ICLR.",
    )
    return section("References", [Bullets(tuple((Sentence(text),) for text in items))])


def all_runs(findings: Findings) -> Section:
    """Return the table of all runs on record."""
    heading = (
        "run", "arm", "seed", "folder", "state", "best validation loss", "in epoch", "validation accuracy",
        "test accuracy", "time",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [heading]
    rows += [
        (str(study_run.run_id), study_run.variant.name, str(study_run.seed), *_figures(study_run))
        for study_run in sorted(findings.study.runs, key=lambda study_run: study_run.run_id or 0)
        if study_run.run_id is not None
    ]
    intro = Sentence(
        "Validation accuracy is that of the epoch of lowest validation loss, test accuracy that of the weights kept."
    )
    table = Table(tuple(rows), frozenset({"arm", "folder", "state"}))
    if len(rows) == 1:
        return section("All runs", [Paragraph((Sentence("None is on record."),))])
    return section("All runs", [Paragraph((intro,)), table])


def _figures(study_run: StudyRun) -> tuple[str, ...]:
    run = study_run.result
    if run is None or run.best is None:
        return ("", study_run.state or "", "", "", "", "", "")
    tested = share(float(run.right.mean())) if run.right is not None else ""
    return (
        code(run.folder),
        run.state,
        loss(run.best.val_cross_entropy),
        str(run.best.epoch),
        share(run.best.val_accuracy),
        tested,
        minutes(sum(row.seconds for row in run.history)),
    )


def _missing(runs: Sequence[StudyRun], epochs_wanted: int) -> Iterable[tuple[Sentence, ...]]:
    """Name runs of one state together; failed and stopped ones one by one, with the command that continues them."""
    running = [e for e in runs if e.state == "running"]
    for study_run in running:
        name = cited([study_run.run_id or 0]).capitalize()
        done = f"{study_run.epochs_done} of {counted(epochs_wanted, 'epoch')} done"
        yield (Sentence(f"{name} ({_variant(study_run)}) is running, {done}."),)
    waiting = [e for e in runs if e.state in ("queued", "interrupted")]
    if waiting:
        yield (Sentence(f"Queued: {_grouped(waiting)}."),)
    for study_run in runs:
        if study_run.state in ("failed", "stopped"):
            way = "retry" if study_run.state == "failed" else "resume"
            verb = "tries it again" if study_run.state == "failed" else "lets it go on"
            text = f"{state_of(study_run, epochs_wanted).capitalize()}, {_variant(study_run)}"
            yield (Sentence(f"{text}: `lenet-tui queue {way} {study_run.run_id}` {verb}."),)
        elif study_run.state == "finished":
            yield (Sentence(f"{state_of(study_run, epochs_wanted).capitalize()}, {_variant(study_run)}."),)
    unknown = [e for e in runs if e.run_id is None]
    if unknown:
        yield (Sentence(f"Not queued: {_grouped(unknown)}."),)


def _grouped(runs: Sequence[StudyRun]) -> str:
    variants: dict[str, list[StudyRun]] = {}
    for study_run in runs:
        variants.setdefault(study_run.variant.name, []).append(study_run)
    parts = []
    for name, of_variant in variants.items():
        seeds = f"seed{'' if len(of_variant) == 1 else 's'} {listed([str(run.seed) for run in of_variant])}"
        ids = [run.run_id for run in of_variant if run.run_id is not None]
        parts.append(f"{name}, {seeds}" + (f" ({cited(ids)})" if ids else ""))
    return "; ".join(parts)


def _variant(study_run: StudyRun) -> str:
    return f"{study_run.variant.name}, seed {study_run.seed}"


def _number(count: int) -> str:
    return {2: "Two", 3: "Three", 4: "Four", 5: "Five"}.get(count, str(count))
