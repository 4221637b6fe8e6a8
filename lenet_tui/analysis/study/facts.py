"""What the template of the discussion is given: the study, its data and runs, and the facts of each section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lenet_tui.analysis.plain_markdown import code, plain
from lenet_tui.analysis.study import answer_facts, planner
from lenet_tui.analysis.study.comparisons import FAMILIES
from lenet_tui.analysis.study.findings import PARAMETERS
from lenet_tui.analysis.study.numbers import cited, loss, minutes, seeds_text, share
from lenet_tui.analysis.study.plan import DEFAULT, Plan
from lenet_tui.config import DATASET_TITLES
from lenet_tui.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.plan import StudyRun

REFERENCES = (
    "H. B. Mann (1945). Nonparametric tests against trend. Econometrica 13.",
    "B. L. Welch (1947). The generalization of Student's problem when several different population variances are "
    "involved. Biometrika 34.",
    "S. Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6.",
    "N. A. Obuchowski, H. E. Rockette (1995). Hypothesis testing of diagnostic accuracy for multiple readers and "
    "multiple tests. Communications in Statistics 24.",
    "K. H. Hamed, A. R. Rao (1998). A modified Mann-Kendall trend test for autocorrelated data. Journal of Hydrology "
    "204.",
    "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to document recognition. "
    "Proceedings of the IEEE 86.",
    "L. Prechelt (1998). Early stopping – but when? In: Neural Networks: Tricks of the Trade. Springer.",
    "P. Simard, D. Steinkraus, J. Platt (2003). Best practices for convolutional neural networks applied to visual "
    "document analysis. ICDAR.",
    "S. L. Hillis (2007). A comparison of denominator degrees of freedom methods for multiple observer ROC analysis. "
    "Statistics in Medicine 26.",
    "A. Krizhevsky, I. Sutskever, G. Hinton (2012). ImageNet classification with deep convolutional neural networks. "
    "NeurIPS 25.",
    "C. Guo, G. Pleiss, Y. Sun, K. Weinberger (2017). On calibration of modern neural networks. ICML.",
)

_PROGRAMS = (("lenet-tui", "lenet-tui"), ("torch", "PyTorch"), ("numpy", "NumPy"), ("python", "Python"))


def title(findings: Findings) -> str:
    """Return the document's title."""
    return f"LeNet on {DATASET_TITLES[findings.study.plan.dataset]}: results and discussion"


def facts(findings: Findings) -> Mapping[str, Any]:
    """Return what the template is rendered with: claims, numbers and short names, but no sentences about them."""
    study = findings.study
    plan = study.plan
    measured = findings.answers.noise.get("best loss")
    frame: dict[str, Any] = {
        "title": title(findings),
        "plan": {
            "epochs": counted(plan.epochs, "epoch"),
            "seeds": counted(plan.seeds, "seed"),
            "single": plan.seeds == 1,
        },
        "data": _data(findings),
        "default": _default(findings),
        "missing": _missing(findings),
        "pooled": findings.answers.is_pooled,
        "noise": measured.deviation if measured else None,
        "power": planner.detectable(plan.seeds, measured.deviation) if measured else None,
        "counts": {
            "loss": _count(findings, FAMILIES[0]),
            "accuracy": _count(findings, FAMILIES[1]),
        },
        "repeat": _repeat(findings),
        "references": REFERENCES,
        "runs": [_run(run) for run in sorted(study.runs, key=lambda run: run.run_id or 0) if run.run_id is not None],
    }
    return frame | dict(answer_facts.facts(findings))


def _count(findings: Findings, family: Sequence[str]) -> int:
    return sum(measure in family for measure, _ in findings.answers.claims)


def _data(findings: Findings) -> dict[str, str]:
    named = {"title": DATASET_TITLES[findings.study.plan.dataset]}
    for run in findings.study.finished:
        record = run.record.dataset
        sizes = {"train": record.train, "validation": record.validation, "test": record.test}
        return named | {part: f"{size:,}" for part, size in sizes.items()}
    return named | dict.fromkeys(("train", "validation", "test"), "")


def _default(findings: Findings) -> dict[str, Any] | None:
    if findings.default is None:
        return None
    runs = list(findings.study.of(DEFAULT).values())
    return {
        "parameters": f"{PARAMETERS['lenet']:,}",
        "overfit": answer_facts.rise(findings, DEFAULT.name),
        "first_train": sum(run.history[0].train_loss for run in runs) / len(runs),
        "last_train": sum(run.history[-1].train_loss for run in runs) / len(runs),
    }


def _missing(findings: Findings) -> dict[str, Any] | None:
    study = findings.study
    left = study.missing()
    if not left:
        return None
    return {
        "finished": f"{len(study.finished)} of {counted(len(study.runs), 'run')}",
        "lines": list(_missing_lines(left, study.plan.epochs)),
    }


def _missing_lines(runs: Sequence[StudyRun], epochs: int) -> Iterator[str]:
    """Name runs of one state together; failed and stopped ones one by one, with the command that continues them."""
    for run in runs:
        if run.state == "running":
            done = f"{run.epochs_done} of {counted(epochs, 'epoch')} done"
            yield f"Run {run.run_id} ({_variant(run)}) is running, {done}."
    waiting = [run for run in runs if run.state in ("queued", "interrupted")]
    if waiting:
        yield f"Queued: {_grouped(waiting)}."
    for run in runs:
        if run.state in ("failed", "stopped"):
            way = "retry" if run.state == "failed" else "resume"
            verb = "tries it again" if run.state == "failed" else "lets it go on"
            yield f"{_state(run)}, {_variant(run)}: `lenet-tui queue {way} {run.run_id}` {verb}."
        elif run.state == "finished":
            yield f"{_state(run)}, {_variant(run)}."
    unknown = [run for run in runs if run.run_id is None]
    if unknown:
        yield f"Not queued: {_grouped(unknown)}."


def _state(run: StudyRun) -> str:
    reason = f" ({plain(run.reason)})" if run.reason else ""
    if run.state == "finished":
        return f"Run {run.run_id} is finished but can't be read{reason}"
    return f"Run {run.run_id} {'failed' if run.state == 'failed' else 'was stopped'}{reason}"


def _grouped(runs: Sequence[StudyRun]) -> str:
    variants: dict[str, list[StudyRun]] = {}
    for run in runs:
        variants.setdefault(run.variant.name, []).append(run)
    parts = []
    for name, own in variants.items():
        ids = [run.run_id for run in own if run.run_id is not None]
        parts.append(f"{name}, {seeds_text([run.seed for run in own])}" + (f" ({cited(ids)})" if ids else ""))
    return "; ".join(parts)


def _variant(run: StudyRun) -> str:
    return f"{run.variant.name}, seed {run.seed}"


def _repeat(findings: Findings) -> dict[str, str]:
    plan, finished = findings.study.plan, findings.study.finished
    usual = Plan()
    command = f"lenet-tui study homework --seeds {plan.seeds} --epochs {plan.epochs}"
    command += "" if plan.dataset == usual.dataset else f" --dataset {plan.dataset}"
    sentence = ""
    if finished:
        record = finished[0].record
        versions = [
            f"{title} {plain(record.environment[name])}" for name, title in _PROGRAMS if name in record.environment
        ]
        processor = record.environment.get("cpu")
        parts = [f"engine {record.engine}", counted(record.threads, "CPU thread")]
        parts += [plain(processor)] if processor else []
        checksum = plain(record.dataset.checksum[:12])
        sentence = f"{', '.join([*versions, *parts])}; images with checksum {checksum}…."
    return {"command": command, "sentence": sentence}


def _run(run: StudyRun) -> dict[str, str]:
    row = {"run": str(run.run_id), "name": f"{run.variant.name}, {run.seed}", "loss": "", "accuracy": "", "time": ""}
    result = run.result
    if result is None or result.best is None:
        return row | {"loss": run.state or ""}
    return row | {
        "run": f"{run.run_id} {code(result.folder)}",
        "loss": f"{loss(result.best.val_cross_entropy)} (epoch {result.best.epoch})",
        "accuracy": share(float(result.right.mean())) if result.right is not None else "",
        "time": minutes(sum(row.seconds for row in result.history)),
    }
