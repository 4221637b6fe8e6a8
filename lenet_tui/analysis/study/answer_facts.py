"""The facts of the sections that answer the assignment's questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lenet_tui.analysis.study import claims
from lenet_tui.analysis.study.comparisons import comparisons, is_shortened, level, levels_of, variants_of
from lenet_tui.analysis.study.findings import PARAMETERS
from lenet_tui.analysis.study.numbers import listed, minutes, points, ratio, whole_percent
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS
from lenet_tui.config import MODEL_TITLES, RunConfig
from lenet_tui.data.catalog import CLASS_NAMES, DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lenet_tui.analysis.study.claims import Claim
    from lenet_tui.analysis.study.comparisons import Comparison, Measure
    from lenet_tui.analysis.study.findings import Findings
    from lenet_tui.analysis.study.plan import Question, Variant

NAMED_CONFUSIONS = 5
_TITLES: dict[Question, str] = {"batch_size": "batch size", "lr": "learning rate"}
_LONG_NAMES = {
    "three together": "augmentation, schedule and averaging together",
    "cosine schedule": "a cosine schedule",
}


def facts(findings: Findings) -> Mapping[str, Any]:
    """Return the facts of all sections."""
    return {
        "overfitting": _overfitting(findings),
        "parts": findings.parts,
        "stopping": _stopping(findings),
        "batch": _batch(findings),
        "rate": _rate(findings),
        "improve": _improve(findings),
        "alexnet": _alexnet(findings),
        "calibration": _calibration(findings),
        "mistakes": _mistakes(findings),
        "comparisons": [_row(findings, comparison) for comparison in comparisons()],
    }


def named(name: str) -> str:
    """Return a configuration's name as it stands in a sentence."""
    return _LONG_NAMES.get(name, name)


def rise(findings: Findings, name: str) -> dict[str, Any] | None:
    """Return what becomes of a configuration's val loss after its lowest."""
    found = findings.overfit.get(name)
    if found is None:
        return None
    text = ratio(found.rise) if found.rise else f"{100 * found.own_rise:+.0f} %".replace("-", "−")
    return {"name": name, "found": found.found, "lowest": found.lowest, "rise_text": text}


def _overfitting(findings: Findings) -> dict[str, Any]:
    rows = [row for variant in VARIANTS if not is_shortened(variant) if (row := rise(findings, variant.name))]
    others = [row for row in rows if row["name"] != DEFAULT.name]
    return {
        "rows": rows,
        "found": [named(str(row["name"])) for row in others if row["found"]],
        "others": [named(row["name"]) for row in others if not row["found"]],
    }


def _stopping(findings: Findings) -> dict[str, Any] | None:
    cut = findings.shortened
    if not cut or not all(one.same for one in cut):
        return None
    (variant,) = [variant for variant in VARIANTS if is_shortened(variant)]
    epochs = [one.epochs[0] for one in cut]
    low, high = min(epochs), max(epochs)
    return {
        "patience": dict(variant.changes)["patience"],
        "epochs": f"{high} epochs" if low == high else f"{low} to {high} epochs",
        "saved": 1 - sum(epochs) / sum(one.epochs[1] for one in cut),
        "loss": sum(one.losses[0] for one in cut) / len(cut),
        "whole": sum(one.losses[1] for one in cut) / len(cut),
    }


def _levels(findings: Findings, question: Question) -> list[dict[str, Any]]:
    rows = []
    for variant in levels_of(question):
        summary = findings.summaries.get(variant.name)
        if summary:
            rows.append(
                {
                    "level": f"{level(variant, question):g}",
                    "name": variant.name,
                    "updates": f"{summary.updates:,}",
                    "best": summary.best,
                    "epoch": summary.epoch,
                    "end": summary.end,
                    "train": summary.train,
                    "falling": summary.falling,
                    "seeds": len(summary.runs),
                }
            )
    return rows


def _pairs(findings: Findings, question: Question, measure: Measure) -> list[tuple[Comparison, Claim]]:
    asked = [c for c in comparisons() if c.question == question and c.kind == "pair"]
    found = [(comparison, findings.answers.claim(measure, comparison.name)) for comparison in asked]
    return [(comparison, claim) for comparison, claim in found if claim is not None]


def _pair_title(comparison: Comparison, question: Question) -> str:
    by_name = {variant.name: variant for variant in levels_of(question)}
    first, second = (f"{level(by_name[name], question):g}" for name in (comparison.first, comparison.second))
    return f"{first} against {second}"


def _batch(findings: Findings) -> dict[str, Any]:
    rows = _levels(findings, "batch_size")
    trend = "batch_size trend"
    pairs = _pairs(findings, "batch_size", "best loss")
    found = [row["level"] for row in rows if (own := findings.overfit.get(row["name"])) and own.found]
    return {
        "best": findings.answers.claim("best loss", trend),
        "final": findings.answers.claim("final loss", trend),
        "accuracy": findings.answers.claim("test accuracy", trend),
        "pairs": len(pairs),
        "different": [_pair_title(c, "batch_size") for c, claim in pairs if claim.is_significant],
        "rows": rows,
        "updates": [f"{_round(findings, row['name'])} ({row['level']})" for row in rows],
        "smallest": rows[0] if rows else None,
        "largest": rows[-1] if rows else None,
        "found": found,
    }


def _round(findings: Findings, name: str) -> str:
    """Return after how many updates the val loss is lowest, mean over seeds, to two figures."""
    summary = findings.summaries[name]
    return f"{int(float(f'{summary.updates * summary.epoch.mean:.2g}')):,}"


def _rate(findings: Findings) -> dict[str, Any]:
    best = _pairs(findings, "lr", "best loss")
    rows = _levels(findings, "lr")
    levels = {row["name"]: row["level"] for row in rows}
    pairs = [
        {
            "title": _pair_title(comparison, "lr"),
            "claim": claim,
            "accuracy": findings.answers.claim("test accuracy", comparison.name),
        }
        for comparison, claim in best
    ]
    train = [
        {
            "title": _pair_title(comparison, "lr"),
            "claim": claim,
            "is_large": comparison.first == levels_of("lr")[-1].name,
        }
        for comparison, claim in _pairs(findings, "lr", "train loss")
        if comparison.second == DEFAULT.name
    ]
    strongest = claims.strongest([claim for _, claim in best])
    return {
        "pairs": pairs,
        "candidates": [levels[name] for name in claims.candidates(list(levels), [claim for _, claim in best])],
        "headline": pairs[strongest] if pairs else None,
        "rows": rows,
        "falling": [f"{row['falling']} of {row['seeds']} with {row['level']}" for row in rows if row["falling"]],
        "train": train,
    }


def _flags(variant: Variant) -> str:
    words = [f"--{name.replace('_', '-')} {_value(value)}" for name, value in variant.changes]
    return f"`{' '.join(words)}`"


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _improve(findings: Findings) -> dict[str, Any]:
    losses = findings.claims_of("improvements", "best loss")
    accuracies = findings.claims_of("improvements", "test accuracy")
    default = findings.default
    rows = {}
    for variant in variants_of("improvements"):
        summary = findings.summaries.get(variant.name)
        if summary is None:
            continue
        loss_claim, accuracy = losses.get(variant.name), accuracies.get(variant.name)
        rows[variant.name] = {
            "short": variant.name,
            "name": named(variant.name),
            "flags": _flags(variant),
            "loss": loss_claim,
            "accuracy": accuracy,
            "loss_text": loss_claim.marked(ratio(loss_claim.difference)) if loss_claim else "not tested",
            "accuracy_text": accuracy.marked(points(accuracy.difference)) if accuracy else "not tested",
            "seconds": minutes(summary.epoch_seconds),
            "cost": whole_percent(summary.epoch_seconds / default.epoch_seconds) if default else "",
            "unfinished": summary.is_unfinished,
        }
    lowering = [rows[name] for name in claims.lowering(losses)]
    raising = [rows[name] for name in claims.raising(accuracies)]
    return {
        "rows": list(rows.values()),
        "tested": len(losses),
        "accuracy_tested": len(accuracies),
        "lowering": lowering,
        "higher": [rows[name] for name in claims.raising(losses)],
        "raising": raising,
        "top": rows[claims.ranked(losses)[0]] if losses else None,
        "top_accuracy": rows[claims.ranked(accuracies)[-1]] if accuracies else None,
        "next": lowering[:3],
        "note": "Appendix A says why two are not tested by the val loss." if len(losses) < len(rows) else "",
    }


def _alexnet(findings: Findings) -> dict[str, Any]:
    titles = {DEFAULT.name: "LeNet", "dropout": "LeNet with dropout"}
    rows = [
        {
            "against": titles[comparison.second],
            "loss": claim,
            "accuracy": findings.answers.claim("test accuracy", comparison.name),
        }
        for comparison, claim in _pairs(findings, "alexnet", "best loss")
    ]
    table = []
    best = claims.ranked(findings.claims_of("improvements", "best loss"))[:1]
    for name in dict.fromkeys((DEFAULT.name, "dropout", *best, *(variant.name for variant in variants_of("alexnet")))):
        summary = findings.summaries.get(name)
        if summary:
            model = dict(summary.variant.changes).get("model", RunConfig.model_fields["model"].default)
            table.append(
                {
                    "name": titles.get(name, name if name == MODEL_TITLES[model] else f"LeNet, {name}"),
                    "parameters": f"{PARAMETERS[model]:,}",
                    "best": summary.best,
                    "accuracy": summary.test_accuracy.mean,
                    "seconds": minutes(summary.epoch_seconds),
                }
            )
    (variant,) = variants_of("alexnet")
    own, default = findings.summaries.get(variant.name), findings.default
    cost = f"{own.epoch_seconds / default.epoch_seconds:.1f}" if own and default and default.epoch_seconds else ""
    return {"rows": rows, "table": table, "cost": cost, "overfit": rise(findings, variant.name)}


def _calibration(findings: Findings) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {}
    for variant in VARIANTS:
        summary = findings.summaries.get(variant.name)
        if summary and summary.calibration:
            own = summary.calibration
            rows[variant.name] = {
                "name": variant.name,
                "loss": own.loss,
                "scaled_loss": own.scaled_loss,
                "temperature": own.temperature,
                "error": own.error,
            }
    best = claims.ranked(findings.claims_of("improvements", "best loss"))[:1]
    top = rows.get(best[0]) if best else None
    return {
        "rows": list(rows.values()),
        "default": rows.get(DEFAULT.name),
        "top": top and top | {"name": named(top["name"])},
        "smoothing": rows.get("label smoothing"),
    }


def _mistakes(findings: Findings) -> dict[str, Any] | None:
    groups = findings.mistakes
    if not groups or groups[0].name != DEFAULT.name or not groups[0].errors:
        return None
    default = groups[0]
    classes = CLASS_NAMES.get(findings.study.plan.dataset, DIGITS)
    flat = {f"{row},{column}": float(default.confusions[row, column]) for row, column in np.ndindex(10, 10)}
    top: list[dict[str, Any]] = []
    for key in claims.most(flat, NAMED_CONFUSIONS):
        row, column = map(int, key.split(","))
        counts = [f"{group.confusions[row, column]:.1f}" for group in groups]
        top.append({"title": f"{classes[row]} → {classes[column]}", "counts": counts, "errors": flat[key]})
    by_class = {str(number): float(count) for number, count in enumerate(default.by_class())}
    (worst,) = claims.most(by_class, 1)
    everywhere = findings.wrong_everywhere
    shown = [group for group in groups if group.neighbours]
    return {
        "names": [group.name for group in groups],
        "top": [*top, None],
        "confusions": top,
        "totals": [f"{group.errors:.1f}" for group in groups],
        "share": sum(row["errors"] for row in top) / default.errors,
        "default_errors": f"{default.errors:.1f}",
        "worst": {
            "name": classes[int(worst)],
            "counts": [f"{group.by_class()[int(worst)]:.1f}" for group in groups],
        },
        "everywhere": None if everywhere is None else f"{everywhere:,}",
        "right_name": named(groups[1].name) if len(groups) > 1 else "",
        "own": listed([f"{whole_percent(g.neighbours[0])} ({g.name})" for g in shown if g.neighbours]),
        "other": listed([f"{whole_percent(g.neighbours[1])} ({g.name})" for g in shown if g.neighbours]),
        "gap": default.neighbour_gap,
    }


def _row(findings: Findings, comparison: Comparison) -> dict[str, str]:
    question = comparison.question
    if question in _TITLES:
        what = "trend" if comparison.kind == "trend" else _pair_title(comparison, question)
        title = f"{_TITLES[question]}, {what}"
    else:
        title = comparison.name
    cells = {}
    measures: dict[str, Measure] = {
        "best": "best loss",
        "final": "final loss",
        "accuracy": "test accuracy",
        "test": "test loss",
    }
    for key, measure in measures.items():
        claim = findings.answers.claim(measure, comparison.name)
        write = points if measure == "test accuracy" else ratio
        cells[key] = claim.marked(write(claim.difference)) if claim else ""
    return {"title": title} | cells
