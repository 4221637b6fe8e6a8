"""One model of all configurations: by hand where that is possible, by simulation where the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lenet_tui.analysis.contrasts import ConfigurationModel, mean_difference, pair_weights, trend_weights
from lenet_tui.analysis.statistics import block_contrasts, holm, paired_difference
from lenet_tui.analysis.study import planner
from lenet_tui.analysis.study.comparisons import FAMILIES, comparisons, is_tested

CONFIGURATIONS = 13
NOISE = 0.08


def made(random, configurations, seeds, sizes=None):
    sizes = np.ones(configurations) if sizes is None else sizes
    noise = random.normal(size=(configurations, seeds)) * sizes[:, None] + random.normal(size=seeds)
    return {f"c{n}": dict(enumerate(row.tolist())) for n, row in enumerate(noise)}


def test_a_pair_of_few_seeds_is_that_of_the_two_way_analysis_of_variance():
    values = made(np.random.default_rng(0), 5, 3)
    expected = block_contrasts(values, "c0")["c1"].difference
    found = ConfigurationModel(values).contrast(pair_weights("c1", "c0"))
    assert (found.mean, found.low, found.high, found.p) == pytest.approx(
        (expected.mean, expected.low, expected.high, expected.p)
    )


def test_a_missing_run_costs_no_more_than_itself():
    values = made(np.random.default_rng(1), 5, 4)
    del values["c0"][2], values["c3"][0]
    expected = block_contrasts(values, "c0")["c3"].difference
    found = ConfigurationModel(values).contrast(pair_weights("c3", "c0"))
    assert (found.mean, found.low, found.p) == pytest.approx((expected.mean, expected.low, expected.p))


def test_two_configurations_of_many_seeds_are_the_paired_t_test():
    values = made(np.random.default_rng(2), 2, 6)
    expected = mean_difference([values["c1"][seed] - values["c0"][seed] for seed in range(6)])
    found = ConfigurationModel(values).contrast(pair_weights("c1", "c0"))
    assert (found.mean, found.low, found.p) == pytest.approx((expected.mean, expected.low, expected.p))


def test_accuracy_of_two_configurations_is_hillis():
    random = np.random.default_rng(3)
    right = {name: {seed: random.random(500) < 0.9 for seed in range(4)} for name in ("a", "b")}
    shares = {name: {seed: float(own.mean()) for seed, own in of.items()} for name, of in right.items()}
    images = {name: {seed: own.astype(float) for seed, own in of.items()} for name, of in right.items()}
    found = ConfigurationModel(shares, images).contrast(pair_weights("a", "b"))
    expected = paired_difference(*(np.stack(list(right[name].values())) for name in ("a", "b")))
    assert (found.mean, found.low, found.p) == pytest.approx((expected.mean, expected.low, expected.p))


def test_a_trend_is_the_slope_of_the_means():
    values = {"16": {0: 3.0, 1: 3.1}, "32": {0: 2.0, 1: 2.3}, "64": {0: 1.5, 1: 1.2}}
    weights = trend_weights({name: math.log2(float(name)) for name in values})
    found = ConfigurationModel(values).contrast(weights)
    means = [np.mean(list(of.values())) for of in values.values()]
    assert found.mean == pytest.approx(np.polyfit([4, 5, 6], means, 1)[0])
    with pytest.raises(ValueError, match="two different levels"):
        trend_weights({"a": 1.0, "b": 1.0})


def test_what_shares_no_seed_cannot_be_compared_and_one_seed_says_nothing():
    model = ConfigurationModel({"a": {0: 1.0, 1: 2.0}, "b": {0: 1.5, 1: 2.0}, "c": {7: 1.0, 8: 3.0}})
    assert model.contrast(pair_weights("b", "a")) is not None
    assert model.contrast(pair_weights("c", "a")) is None
    assert model.contrast(pair_weights("z", "a")) is None
    with pytest.raises(ValueError, match="nothing about noise"):
        ConfigurationModel({"a": {0: 1.0}, "b": {0: 2.0}})
    with pytest.raises(ValueError, match="finite"):
        ConfigurationModel({"a": {0: math.nan, 1: 1.0}, "b": {0: 2.0, 1: 1.0}})


def test_values_that_never_vary_have_no_interval():
    found = ConfigurationModel({"a": {0: 1.0, 1: 1.0}, "b": {0: 1.0, 1: 1.0}}).contrast(pair_weights("a", "b"))
    assert (found.mean, found.p) == (0.0, 1.0)


def family_wise_errors_and_coverage(seeds, sizes, studies):
    """How often any of the comparisons with the first is significant where none is, and how many intervals hold 0."""
    random = np.random.default_rng(11)
    errors, covered = 0, []
    for _ in range(studies):
        model = ConfigurationModel(made(random, CONFIGURATIONS, seeds, sizes))
        found = [model.contrast(pair_weights(f"c{n}", "c0")) for n in range(1, CONFIGURATIONS)]
        errors += min(holm([one.p for one in found])) < 0.05
        covered += [one.low <= 0 <= one.high for one in found]
    return errors / studies, np.mean(covered)


# Thousands of studies of each kind, with the exact shares: benchmarks/study_simulation.py.
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("kind", ["equal", "default three times as noisy"])
def test_false_alarms_are_rare_and_intervals_hold_what_they_say(seeds, kind):
    if kind != "equal" and seeds < 5:
        pytest.skip("up to four seeds, equal noise is assumed, and the document says so")
    sizes = np.ones(CONFIGURATIONS)
    sizes[0] = 1 if kind == "equal" else 3
    errors, coverage = family_wise_errors_and_coverage(seeds, sizes, 300)
    assert errors <= 0.06 + 0.03  # three standard errors of 300 studies
    assert 0.92 <= coverage <= 0.98


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_a_difference_that_the_planner_names_is_found_four_times_in_five(seeds):
    random = np.random.default_rng(5)
    decrease = math.log(1 - planner.detectable(seeds, NOISE, CONFIGURATIONS))
    level = 0.05 / planner.COMPARISONS  # what the smallest p has to be below
    found = 0
    for _ in range(500):
        values = made(random, CONFIGURATIONS, seeds, np.full(CONFIGURATIONS, NOISE))
        values["c1"] = {seed: value + decrease for seed, value in values["c1"].items()}
        found += ConfigurationModel(values).contrast(pair_weights("c1", "c0")).p < level
    assert found / 500 == pytest.approx(0.8, abs=0.05 + 0.03)


def test_the_planner_counts_the_comparisons_of_the_study():
    counted = sum(is_tested(comparison, measure) for measure in FAMILIES[0] for comparison in comparisons())
    assert counted == planner.COMPARISONS
    assert planner.detectable(1) is None
    assert planner.detectable(20) < planner.detectable(10) < planner.detectable(5)


def test_the_planners_quantiles_are_students():
    from scipy import stats

    for freedom in (5, 7.4, 12, 60):
        for share in (0.8, 0.975, 0.9987):
            assert planner._quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=0.001)
