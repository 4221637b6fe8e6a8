from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet_tui.analysis.study import blocks, document
from lenet_tui.analysis.study.findings import find
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS
from lenet_tui.training import augment
from tests.analysis.study.making import study

ALL = ("loss_default.png", "batch_size.png", "learning_rate.png", "improvements.png", "alexnet.png")
CLAIM = re.compile(
    r"\b(lower|higher|better|worse|earlier|later|wider|narrower|(?<!not )overshoot|times that|"
    r"(more|less) from epoch to epoch)\b"
)

# Numbers that are settings and levels, not measurements.
FIXED = re.compile(
    r"ends more than 5 % above its lowest, rises|p-value|rate of 0.001, without|With 30 % of the features|"
    r"95 % intervals \(|few per cent|scaled \(10 %\)|0\.1 points below"
)


def sections(made):
    return document.sections(find(made), ALL)


def text(made):
    return blocks.markdown("study", sections(made))


def section(made, number):
    return re.search(rf"## {number}\. .*?(?=\n## )", text(made), re.DOTALL).group()


def adjusted(found):
    values = set()
    for effect in found.effects.values():
        contrasts = [effect.loss, effect.accuracy, *effect.details.values()]
        values |= {contrast.adjusted_p for contrast in contrasts if contrast}
        values |= {effect.pair.adjusted_p} if effect.pair else set()
    return values


studies = st.builds(
    study,
    seeds=st.sampled_from((1, 2, 3)),
    factors=st.dictionaries(
        st.sampled_from([variant.name for variant in VARIANTS]), st.sampled_from((0.5, 0.85, 0.95, 1.08, 1.6, 3.0))
    ),
    noise=st.sampled_from((0.005, 0.05, 0.3)),
    start=st.integers(0, 10_000),
    keep=st.integers(0, 99).map(lambda n: lambda variant, seed: (hash_of(variant, seed) + n) % 7 > 0),
    wrong=st.integers(0, 99).map(lambda n: lambda variant, seed: (hash_of(variant, seed) * n) % 31),
)


def hash_of(variant, seed):
    return 3 * [other.name for other in VARIANTS].index(variant.name) + 5 * seed


@settings(max_examples=40, deadline=None)
@given(studies)
def test_no_sentence_says_that_there_is_a_difference_where_the_adjusted_p_does_not_show_one(made):
    result = find(made)
    existing = adjusted(result)
    for sentence in blocks.sentences(document.sections(result, ALL)):
        if CLAIM.search(re.sub(r"usual expectation, [^,:]*,", "", sentence.text)):
            assert sentence.p is not None, sentence.text
        if sentence.p is not None:
            assert sentence.p < 0.05, sentence.text
            assert sentence.p in existing, sentence.text


@settings(max_examples=40, deadline=None)
@given(studies)
def test_an_interval_beside_a_claim_leaves_out_equality(made):
    for sentence in blocks.sentences(sections(made)):
        for low, high in re.findall(
            r"(?:lower|higher) than [^()]*\(95 % interval ([\d.]+) % to ([\d.]+) %", sentence.text
        ):
            assert 0 < float(low) <= float(high), sentence.text
        for low, high in re.findall(r"times that of [^()]*\(95 % interval ([\d.]+) to ([\d.]+),", sentence.text):
            assert 1 < float(low) <= float(high), sentence.text


@settings(max_examples=40, deadline=None)
@given(studies)
def test_every_claim_about_the_best_loss_has_the_direction_of_the_runs_themselves(made):
    for sentence in blocks.sentences(sections(made)):
        message = re.match(r"With (.*?) the best validation loss is .*?(lower|higher|times)", sentence.text)
        variant = message and next((variant for variant in VARIANTS if variant.name == message[1]), None)
        if (
            not message
            or not variant
            or not all(seed in made.of(variant) and seed in made.of(DEFAULT) for seed in range(made.plan.seeds))
        ):
            continue
        logs = [
            np.mean([np.log(min(row.val_cross_entropy for row in run.history)) for run in made.of(which).values()])
            for which in (variant, DEFAULT)
        ]
        assert (logs[0] < logs[1]) == (message[2] == "lower"), sentence.text


@settings(max_examples=20, deadline=None)
@given(studies)
def test_sentences_with_figures_measured_in_runs_carry_the_runs(made):
    on_record = {run.run_id for run in made.finished}
    for sentence in blocks.sentences(sections(made)):
        assert set(sentence.runs) <= on_record
        sentences = re.sub(r"\*\*.*?\*\* \(.*?\):|learning rate [\d.]+", "", sentence.text)
        if re.search(r"\d %|\bp [=<≤]|\d\.\d{3}|points", sentences) and not FIXED.search(sentences):
            assert sentence.runs, sentence.text


@settings(max_examples=20, deadline=None)
@given(studies)
def test_a_verdict_in_a_table_is_that_of_its_adjusted_p(made):
    for row in re.findall(r"^\|(.*)\|$", text(made), re.MULTILINE):
        *_, p, verdict = [cell.strip() for cell in row.split("|")]
        if verdict in ("better", "worse"):
            assert p == "< 0.001" or float(p) < 0.05
        elif verdict == "no difference shown":
            assert float(p) >= 0.05


def test_smaller_batches_that_are_worse_are_not_told_the_usual_story():
    message = section(study(factors={"batch size 16": 1.6, "batch size 32": 1.3}), 2)
    assert "usual expectation, a benefit from the noise of small batches, was not confirmed" in message
    assert "did worse than 64" in message
    assert "agrees with the usual expectation" not in message
    assert "lower than that of" not in message


def test_smaller_batches_that_are_better_are_told_it_with_its_limits():
    message = section(study(factors={"batch size 16": 0.6, "batch size 32": 0.7}), 2)
    assert "agrees with the usual expectation" in message
    assert "does not tell the two apart" in message
    assert "was not confirmed" not in message


def test_batch_sizes_of_which_one_is_better_and_one_worse_are_told_so():
    message = section(study(factors={"batch size 16": 1.6, "batch size 32": 0.6}), 2)
    assert "The direction is not the same for all" in message
    assert "agrees with the usual expectation" not in message


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.9])
def test_an_improvement_is_only_explained_as_one_when_it_is(factor):
    message = section(study(factors={"dropout": factor}), 4)
    (point,) = re.findall(r"- \*\*Dropout\*\*.*", message)
    assert ("combinations that fit single training images do not pay" in point) == (factor < 1)
    assert ("was not confirmed" in point) == (factor >= 1)


def test_the_strength_of_augmentation_is_told_as_it_is():
    message = section(study(factors={"affine augmentation": 0.6, "elastic augmentation": 0.6}), 4)
    assert f"shifted (by up to {augment.SHIFT_PIXELS:.0f} pixels), turned ({augment.ROTATION_DEGREES:.0f}°)" in message
    assert f"scaled ({100 * augment.SCALING:.0f} %)" in message
    assert f"σ = {augment.ELASTIC_SIGMA:.0f} and α = {augment.ELASTIC_ALPHA:.0f} pixels" in message


def test_further_outcomes_are_told_where_they_are_shown():
    made = study(factors={"dropout": 0.5}, noise=0.01)
    result = find(made)
    (row,) = re.findall(r"\| dropout \| (lower|higher|–) \| (?:lower|higher|–) \| (?:wider|narrower|–) \|", text(made))
    assert row == {"less": "lower", "more": "higher"}.get(result.effects["dropout"].detail("end"), "–") == "lower"


def test_label_smoothing_that_raises_cross_entropy_is_told_to_do_what_it_is_known_for():
    (point,) = re.findall(r"- \*\*Label smoothing\*\*.*", section(study(factors={"label smoothing": 1.8}), 4))
    assert "its known effect" in point
    assert "In test accuracy, which does not ask for certainty" in point


def test_no_difference_shown_is_told_with_how_large_it_could_be():
    message = section(study(noise=0.1), 5)
    assert re.search(
        r"no difference in the best validation loss is shown: the 95 % interval reaches from [\d.]+ %", message
    )


def test_with_one_seed_images_are_compared_and_nothing_is_said_of_other_seeds():
    message = text(study(seeds=1, factors={"AlexNet": 0.3}, wrong=lambda v, seed: 1 if v.name == "AlexNet" else 25))
    assert "McNemar's exact test" in message
    assert "a difference that holds for these two runs only" in message
    assert not re.search(r"\b(lower|higher) than that of", message)
    assert "95 % interval" not in message


def test_early_stopping_is_told_by_what_it_saved_and_is_in_no_family():
    made = study()
    result = find(made)
    assert "early stopping" not in result.effects
    assert len(result.shortened) == 3


def test_a_study_without_a_single_run_has_no_answers_and_says_so():
    message = text(study(keep=lambda variant, seed: False))
    assert "there are no answers so far" in message
    assert message.count("no run of the default is finished") == 5
    assert "Not queued: default, seeds 0, 1 and 2" in message


def test_without_runs_of_the_default_nothing_is_compared():
    result = find(study(keep=lambda variant, seed: variant != DEFAULT))
    assert {effect.verdict for effect in result.effects.values()} == {"unanswered"}
