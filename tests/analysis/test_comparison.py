"""What a comparison tells of runs is what their folders say, and no more than tests bear out."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest

from lenet_tui.analysis.comparison import formats
from lenet_tui.analysis.comparison.compare import compare
from lenet_tui.analysis.comparison.groups import figures
from lenet_tui.analysis.run_result import RunResult
from lenet_tui.analysis.statistics import block_contrasts, holm, mcnemar, mean_interval, paired_difference
from lenet_tui.config import RunConfig
from tests.reports.conftest import OVERFITTING, history, predictions, record


def run(number, lowest=0.3, *, wrong=6, state="finished", rows=None, checksum="c0ffee", **config):
    """A run whose best validation loss is ``lowest``, in epoch 2, and that gets the first ``wrong`` images wrong."""
    text = record(RunConfig(epochs=3, **config))
    dataset = text.dataset.model_copy(update={"checksum": checksum})
    text = text.model_copy(update={"state": state, "dataset": dataset})
    rows = history([0.5, 0.2, 0.1], [0.9, lowest, lowest + 0.1]) if rows is None else rows
    answer = predictions(400, wrong=wrong) if state == "finished" else None
    return RunResult(number, f"lenet/{number}", text, tuple(rows), answer)


def seeds(first, losses, wrong, **config):
    return [
        run(first + seed, loss, wrong=count, seed=seed, **config)
        for seed, (loss, count) in enumerate(zip(losses, wrong, strict=True))
    ]


WORSE = [*seeds(1, [0.30, 0.33, 0.27], [5, 6, 5]), *seeds(4, [0.61, 0.66, 0.53], [80, 82, 79], batch_size=16)]


def test_a_run_is_told_by_its_best_epoch_and_its_last():
    result = figures(run(1, 0.3))
    assert (result.epochs, result.best_epoch, result.best_val_loss, result.best_val_cross_entropy) == (3, 2, 0.3, 0.3)
    assert result.best_gap == pytest.approx(0.3 - 0.9 * 0.2)
    assert result.end_gap == pytest.approx(0.4 - 0.9 * 0.1)
    assert result.test_accuracy == pytest.approx(1 - 6 / 400)
    assert result.train_seconds == 4.5
    assert result.overfitting is None


def test_overfitting_is_told_with_what_accuracy_did_meanwhile():
    result = figures(run(1, rows=OVERFITTING))
    assert result.overfitting is not None
    assert result.overfitting.first == 5
    assert result.accuracy_change == 0  # the loss rose, the accuracy held


def test_only_settings_that_differ_are_named_and_seeds_are_one_group():
    result = compare([run(1), run(2, lr=0.01), run(3, seed=1, threads=2, device="cpu", tsne_samples=100)])
    assert result.differing == ("lr",)
    assert [group.label for group in result.groups] == ["lr 0.001", "lr 0.01"]
    assert [[r.run_id for r in group.runs] for group in result.groups] == [[1, 3], [2]]
    assert [label for label, _ in result.lines] == ["lr 0.001, seed 0", "lr 0.001, seed 1", "lr 0.01, seed 0"]


def test_what_follows_from_another_setting_is_not_named_beside_it():
    result = compare([run(1), run(2, dataset="digits")])
    assert result.differing == ("dataset",)  # not the smaller validation set of the digits


def test_of_many_differing_settings_a_label_has_those_not_at_their_default():
    result = compare([run(1), run(2, lr=0.01), run(3, batch_size=16), run(4, ema=0.9, augment="affine")])
    assert [g.label for g in result.groups] == ["defaults", "lr 0.01", "batch 16", "augment affine, EMA decay 0.9"]


def test_a_group_has_the_mean_and_interval_of_its_seeds():
    result = compare(WORSE).groups[1].estimates
    assert result["best_val_cross_entropy"] == mean_interval([0.61, 0.66, 0.53])
    assert result["test_accuracy"] == mean_interval([1 - count / 400 for count in (80, 82, 79)])


def test_a_repeated_seed_counts_once_in_means_and_tests():
    result = compare([run(1, 0.3), run(2, 0.5, threads=1), run(3, 0.4, seed=1)])
    assert [r.run_id for r in result.groups[0].counted] == [1, 3]
    assert result.groups[0].estimates["best_val_loss"] == mean_interval([0.3, 0.4])
    assert any("run 2 repeats run 1 (same configuration and seed) with another result" in n for n in result.notes)


def test_a_run_and_its_repetition_are_not_tested():
    result = compare([run(1, 0.3), run(2, 0.3)])
    assert result.verdicts == ()
    assert "run 2 repeats run 1 (same configuration and seed) with the same result" in result.notes[0]
    assert result.notes[-1].endswith("the finished runs repeat each other, with one configuration and one seed")


def test_replicates_are_compared_by_losses_and_by_test_images():
    loss, accuracy = compare(WORSE).verdicts
    logs = {a: dict(enumerate(map(math.log, v))) for a, v in (("a", (0.30, 0.33, 0.27)), ("b", (0.61, 0.66, 0.53)))}
    wanted = block_contrasts(logs, "a")["b"]
    assert loss.estimate == pytest.approx(math.exp(wanted.difference.mean))
    assert (loss.p, loss.adjusted_p) == (wanted.difference.p, wanted.adjusted_p)
    right = np.stack([r.right for r in WORSE]).reshape(2, 3, 400)
    difference = paired_difference(right[1], right[0])
    assert (accuracy.estimate, accuracy.low, accuracy.p) == (difference.mean, difference.low, difference.p)
    assert "batch 16: higher best validation cross-entropy than batch 64 (difference +99.9 %" in loss.text
    assert "batch 16: lower test accuracy than batch 64 (difference −18." in accuracy.text


def test_seeds_of_one_configuration_are_told_apart_by_seed_and_called_chance():
    result = compare(seeds(1, [0.30, 0.33, 0.27], [5, 6, 5]))
    assert [verdict.text.partition(":")[0] for verdict in result.verdicts] == ["run 2 (seed 1)", "run 3 (seed 2)"]
    assert "not significantly different from run 1 (seed 0)" in result.verdicts[0].text
    assert "share one configuration" in result.notes[-1]


def test_noise_is_not_significant_and_never_called_no_difference():
    noise = [*seeds(1, [0.30, 0.36, 0.27], [5, 6, 9]), *seeds(4, [0.34, 0.29, 0.31], [6, 9, 4], batch_size=16)]
    result = compare(noise).verdicts
    assert len(result) == 2
    for verdict in result:
        assert not verdict.shown
        assert verdict.text.partition(" (")[0].endswith("not significantly different from batch 64")


def test_p_values_of_accuracies_are_adjusted_for_all_that_were_tested():
    variants = [*WORSE, *seeds(7, [0.31, 0.32, 0.28], [9, 8, 7], batch_size=32)]
    tested = [v for v in compare(variants).verdicts if v.measure == "test accuracy"]
    assert [v.adjusted_p for v in tested] == holm([v.p for v in tested])
    assert tested[0].adjusted_p == 2 * tested[0].p


def test_single_runs_are_compared_by_the_images_that_one_of_them_recognised():
    runs = [run(1, wrong=5), run(2, wrong=40, batch_size=16), run(3, wrong=7, batch_size=32)]
    result = compare(runs)
    tests = [mcnemar(other.right, runs[0].right) for other in runs[1:]]
    assert [v.only for v in result.verdicts] == [(0, 35), (0, 2)]
    assert [v.adjusted_p for v in result.verdicts] == holm([test.p for test in tests])
    assert [v.shown for v in result.verdicts] == [True, False]
    assert result.verdicts[0].text.startswith(
        "run 2 (batch 16): lower test accuracy than run 1 (batch 64) (difference −8.75 points"
    )
    assert any("holds for these weights only" in note for note in result.notes)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"dataset": "digits"}, "digits and mnist are different images"),
        ({"val_size": 100}, "100 and 5,000 validation images"),
        ({"checksum": "decaf"}, "different checksums"),
    ],
)
def test_runs_of_other_images_are_not_tested_and_a_note_says_why(other, reason):
    result = compare([*seeds(1, [0.3, 0.3], [5, 5]), *seeds(3, [0.9, 0.9], [90, 90], **other)])
    assert not [v for v in result.verdicts if 3 in v.runs or 4 in v.runs]
    assert any(reason in note for note in result.notes)
    assert len({group.label for group in result.groups}) == 2


def test_runs_of_other_test_labels_are_not_tested():
    other = run(2, batch_size=16)
    object.__setattr__(other, "predictions", predictions(300))
    result = compare([run(1), other])
    assert not result.verdicts
    assert any("its test labels are not those of run 1" in note for note in result.notes)


def test_an_unfinished_run_is_told_as_far_as_it_is_but_not_tested():
    result = compare([*WORSE, run(9, 0.001, state="stopped", batch_size=16, seed=3)])
    assert any("run 9 is stopped after 3 of 3 epochs" in note for note in result.notes)
    assert 9 in [r.run_id for _, r in result.lines]
    assert 9 not in [r.run_id for r in result.groups[1].counted]
    assert result.verdicts == compare(WORSE).verdicts


def test_a_group_without_a_finished_run_is_told_but_not_tested():
    stopped = seeds(7, [0.001, 0.001], [0, 0], state="stopped", batch_size=32)
    result = compare([*WORSE, *stopped])
    assert result.verdicts == compare(WORSE).verdicts
    assert result.groups[2].estimates["best_val_loss"] == mean_interval([0.001, 0.001])


def test_runs_without_an_epoch_are_left_out_and_two_have_to_be_left():
    assert (
        "run 3 is running and has no epoch yet: left out"
        in compare([run(1), run(2, lr=0.01), run(3, rows=[], state="running")]).notes
    )
    with pytest.raises(ValueError, match=r"run 3 is running .* there is nothing to compare"):
        compare([run(1), run(3, rows=[], state="running")])


def test_diverged_runs_are_told_in_every_form():
    result = compare([run(1), run(2, rows=history([math.nan], [math.inf]), lr=1.0)])
    document = json.loads(json.dumps(formats.as_json(result), allow_nan=False))
    assert document["runs"][1]["best_val_loss"] is None
    assert "run 2 has no epoch with a finite validation loss" in document["notes"]
    assert "run 2" in formats.as_markdown(result)


def test_the_forms_have_every_run_and_the_same_numbers():
    result = compare(WORSE)
    document = formats.as_json(result)
    rows = list(csv.DictReader(io.StringIO(formats.as_csv(result))))
    assert [entry["run"] for entry in document["runs"]] == [int(row["run"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [entry["best_val_loss"] for entry in document["runs"]] == [float(row["best_val_loss"]) for row in rows]
    assert [row["batch_size"] for row in rows] == ["64"] * 3 + ["16"] * 3
    text = formats.as_markdown(result)
    assert "| 4 | batch 16, seed 0 | finished | 3/3 | 0.6100 | 2 |" in text
    assert all(verdict.text in text for verdict in result.verdicts)


def test_a_line_of_csv_has_the_epochs_that_were_done_even_where_runs_were_to_have_different_numbers_of_them():
    text = record(RunConfig(epochs=20)).model_copy(update={"state": "stopped"})
    stopped = RunResult(2, "lenet/2", text, tuple(history([0.5, 0.4], [0.9, 0.8])), None)
    rows = list(csv.DictReader(io.StringIO(formats.as_csv(compare([run(1), stopped])))))
    assert [(row["epochs_done"], row["epochs"]) for row in rows] == [("3", "3"), ("2", "20")]
