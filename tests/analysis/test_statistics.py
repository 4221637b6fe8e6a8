"""Statistics against SciPy, and against what can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lenet_tui.analysis.statistics import block_contrasts, holm, mcnemar, mean_interval, mean_squares, paired_difference

VALUES = st.integers(-(10**6), 10**6).map(lambda thousandths: thousandths / 1000)


@given(st.lists(VALUES, min_size=2, max_size=20, unique=True))
def test_a_mean_interval_is_students(values):
    result = mean_interval(values)
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert (result.mean, result.low, result.high) == pytest.approx((np.mean(values), low, high), rel=1e-6, abs=1e-6)
    assert result.n == len(values)


def test_a_mean_interval_of_three_values_is_as_worked_out_by_hand():
    result = mean_interval([1.0, 2.0, 3.0])  # mean 2, deviation 1, 4.3027 = the quantile of 2 degrees of freedom
    assert result.low == pytest.approx(2 - 4.3027 / math.sqrt(3), abs=1e-4)
    assert result.high == pytest.approx(2 + 4.3027 / math.sqrt(3), abs=1e-4)


def test_one_value_is_a_mean_without_an_interval():
    result = mean_interval([0.3])
    assert (result.mean, result.low, result.high, result.n) == (0.3, None, None, 1)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_no_values_and_values_that_are_not_finite_have_no_mean(values):
    with pytest.raises(ValueError, match="finite"):
        mean_interval(values)


def right(*counts):
    """Whether two classifiers are right: of both, only the first, only the second, none, so many images each."""
    pairs = [(1, 1), (1, 0), (0, 1), (0, 0)]
    return np.array([pair for pair, count in zip(pairs, counts, strict=True) for _ in range(count)], dtype=bool).T


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [
        (0, 0, 1),
        (1, 0, 1),
        (5, 0, 2 / 2**5),
        (1, 7, 2 * (1 + 8) / 2**8),
        (2, 8, 2 * (1 + 10 + 45) / 2**10),
        (4, 4, 1),
    ],
)
def test_mcnemar_is_the_exact_binomial(only_first, only_second, p):
    result = mcnemar(*right(50, only_first, only_second, 3))
    assert (result.only_first, result.only_second) == (only_first, only_second)
    assert result.p == pytest.approx(p)


def test_mcnemar_of_different_images_is_refused():
    with pytest.raises(ValueError, match="same images"):
        mcnemar([True, False], [True])


def test_holm_adjusts_as_worked_out_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1, 1]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_lies_between_no_correction_and_bonferronis(p_values):
    adjusted = holm(p_values)
    for p, own in zip(p_values, adjusted, strict=True):
        assert p <= own <= min(1, len(p_values) * p) + 1e-12
    assert sorted(adjusted) == [adjusted[i] for i in sorted(range(len(p_values)), key=lambda i: p_values[i])]


def correctness(random, shares, images=1000):
    return random.random((len(shares), images)) < np.reshape(shares, (-1, 1))


def test_the_paired_difference_sees_a_difference_that_every_seed_has():
    random = np.random.default_rng(1)
    first, second = correctness(random, [0.99] * 5), correctness(random, [0.9] * 5)
    result = paired_difference(first, second)
    assert result.mean == pytest.approx(first.mean() - second.mean())
    assert result.low < result.mean < result.high
    assert result.low > 0
    assert result.p < 0.01
    assert result.n == 5


def test_the_paired_difference_changes_sign_with_the_order():
    random = np.random.default_rng(2)
    first, second = correctness(random, [0.95, 0.94, 0.97]), correctness(random, [0.93, 0.95, 0.94])
    result, back = paired_difference(first, second), paired_difference(second, first)
    assert (back.mean, back.low, back.high, back.p) == pytest.approx(
        (-result.mean, -result.high, -result.low, result.p)
    )


def test_resampling_seeds_and_images_varies_as_the_mean_squares_say():
    random = np.random.default_rng(6)
    values = random.normal(size=(4, 1)) + random.normal(size=(1, 30)) + random.normal(size=(4, 30))
    of_seeds, of_images, left = mean_squares(values)
    drawn = [
        values[np.ix_(random.integers(0, 4, 4), random.integers(0, 30, 30))].mean() for _ in range(20_000)
    ]  # Owen's pigeonhole bootstrap, as it is described
    text = (3 / 4 * of_seeds + 29 / 30 * of_images + 3 / 4 * 29 / 30 * left) / (4 * 30)
    assert np.var(drawn) == pytest.approx(text, rel=0.04)


# Means 1, 3 of the rows and 1, 2, 3 of the columns, mean 2: sums of squares 6, 4 and 4 of 1, 2 and 2 degrees.
TWO_WAY = np.array([[1.0, 1.0, 1.0], [1.0, 3.0, 5.0]])


def test_mean_squares_are_as_worked_out_by_hand():
    assert mean_squares(TWO_WAY) == pytest.approx((6.0, 2.0, 2.0))


def test_the_standard_error_is_that_of_dorfman_berbaum_and_metz_with_hilliss_degrees_of_freedom():
    # Rows 0, 1, 2 on top of columns 0 and 6: mean squares 2 (2 degrees) and 54 (1 degree), nothing left; 56 / 6 is the
    # variance of the mean, and 2 · (56 / 2)² degrees of freedom are more than the one of the images.
    values = np.array([[0.0, 6.0], [1.0, 7.0], [2.0, 8.0]])
    result = paired_difference(values, np.zeros_like(values))
    assert result.high - result.mean == pytest.approx(stats.t.ppf(0.975, 1) * math.sqrt(56 / 6))
    effects = np.array([0.1, 0.4, 0.3, 0.7])
    of_seeds = np.tile(effects[:, None], (1, 50))
    result = paired_difference(of_seeds, np.zeros_like(of_seeds))  # images all alike: Student's, on the seeds' means
    assert (result.low, result.high) == pytest.approx(stats.t.interval(0.95, 3, effects.mean(), stats.sem(effects)))


def test_seeds_that_agree_by_chance_are_no_proof_of_precision():
    random = np.random.default_rng(8)
    values = random.normal(size=(3, 200))
    values -= values.mean(axis=1, keepdims=True) - 0.05  # every seed says 0.05 exactly
    result = paired_difference(values, np.zeros_like(values))
    assert result.mean == pytest.approx(0.05)
    assert (result.high - result.low) / 2 > 1.9 / math.sqrt(3 * 200)  # no less than the noise of 600 values


@pytest.mark.parametrize(("of_seed", "of_image"), [(0.0, 0.0), (0.002, 0.0), (0.0, 1.0), (0.002, 1.0)])
def test_no_difference_is_called_one_about_as_seldom_as_it_should_be(of_seed, of_image):
    random, trials, wrong = np.random.default_rng(5), 400, 0
    for _ in range(
        trials
    ):  # about one error in a hundred, as on MNIST; images differ in how hard they are, and to whom
        hard = random.beta(0.02, 2, 4000) if of_image else np.full(4000, 0.01)
        harder = random.permutation(hard) if of_image else hard
        errors = random.random((3, 4000)) < np.clip(hard + random.normal(0, of_seed, (3, 1)), 0, 1)
        others = random.random((3, 4000)) < np.clip(harder + random.normal(0, of_seed, (3, 1)), 0, 1)
        wrong += paired_difference(errors, others).p < 0.05
    assert wrong / trials < 0.085  # three standard errors above 5 %


def test_the_interval_of_three_seeds_covers_what_it_says_where_percentiles_cover_far_less():
    random = np.random.default_rng(3)
    trials, covered, by_percentiles = 300, 0, 0
    for _ in range(trials):  # the truth is no difference: all seeds scatter around the same share
        first = correctness(random, random.normal(0.7, 0.1, 3))
        second = correctness(random, random.normal(0.7, 0.1, 3))
        result = paired_difference(first, second)
        covered += result.low <= 0 <= result.high
        means = first.mean(axis=1) - second.mean(axis=1)
        low, high = np.quantile(means[random.integers(0, 3, (1000, 3))].mean(axis=1), [0.025, 0.975])
        by_percentiles += low <= 0 <= high
    assert 0.92 < covered / trials < 0.99
    assert by_percentiles / trials < 0.85


def test_replicates_that_never_differ_show_no_difference():
    same = np.ones((3, 20))
    result = paired_difference(same, same)
    assert (result.mean, result.low, result.high, result.p) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.ones((1, 5)), np.ones((1, 5)), "mcnemar"),
        (np.ones((2, 5)), np.ones((2, 4)), "same seeds and images"),
        (np.ones(5), np.ones(5), "same seeds and images"),
        (np.full((2, 5), np.nan), np.ones((2, 5)), "finite"),
    ],
)
def test_what_is_not_paired_is_refused_by_the_bootstrap(first, second, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(first, second)


def by_seed(*values):
    return dict(enumerate(values))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=3, max_size=10))
def test_contrasts_of_two_complete_arms_are_the_paired_t_test(pairs):
    base, variant = map(list, zip(*pairs, strict=True))
    if np.ptp(np.subtract(variant, base)) < 1e-3:
        return
    result = block_contrasts({"base": by_seed(*base), "arm": by_seed(*variant)}, "base")["arm"]
    wanted = stats.ttest_rel(variant, base)
    low, high = wanted.confidence_interval(0.95)
    assert result.difference.mean == pytest.approx(np.mean(variant) - np.mean(base), rel=1e-6, abs=1e-6)
    assert (result.difference.low, result.difference.high) == pytest.approx((low, high), rel=1e-5, abs=1e-5)
    assert result.difference.p == pytest.approx(wanted.pvalue, rel=1e-4)
    assert result.adjusted_p == result.difference.p


# Means 2, 3, 5 of the variants and 7/3, 11/3, 4 of the seeds; sums of squares 20 = 14 (variants) + 14/3 (seeds)
# + 4/3 (residual of 4 degrees of freedom), so a variance of 1/3, and a standard error of √(2/3 · 1/3) = 0.4714 for a
# difference.
ANOVA = {"a": by_seed(1.0, 2.0, 3.0), "b": by_seed(2.0, 4.0, 3.0), "c": by_seed(4.0, 5.0, 6.0)}


def test_contrasts_of_three_arms_are_the_two_way_analysis_of_variance_worked_out_by_hand():
    result = block_contrasts(ANOVA, "a")
    assert list(result) == ["b", "c"]
    b, c = result["b"].difference, result["c"].difference
    assert (b.mean, c.mean) == pytest.approx((1, 3))
    assert (b.low, b.high) == pytest.approx((1 - 2.7764 * 0.4714, 1 + 2.7764 * 0.4714), abs=1e-3)
    assert b.p == pytest.approx(0.10119, abs=1e-5)  # t = 2.1213; for four degrees of freedom p has a closed form
    assert c.p == pytest.approx(0.00312, abs=1e-5)  # t = 6.3640
    assert (result["b"].adjusted_p, result["c"].adjusted_p) == pytest.approx((b.p, 2 * c.p))
    assert (result["b"].shown, result["c"].shown) == (False, True)
    assert (b.n, c.n) == (3, 3)


def test_a_missing_run_costs_no_more_than_itself():
    effects, seeds = {"a": 0.0, "b": 1.5, "c": -2.0}, [10.0, 20.0, 40.0]
    values = {variant: by_seed(*(effect + seed for seed in seeds)) for variant, effect in effects.items()}
    del values["b"][2], values["a"][0]  # means of what is left would be far off: 16.5 and 30 instead of 1.5 apart
    result = block_contrasts(values, "a")
    assert result["b"].difference.mean == pytest.approx(1.5)
    assert result["c"].difference.mean == pytest.approx(-2)
    assert (result["b"].difference.n, result["c"].difference.n) == (2, 3)


def test_a_seed_that_only_one_arm_has_changes_nothing():
    variants = {"base": by_seed(1.0, 2.5, 2.0), "arm": by_seed(2.0, 2.0, 4.0)}
    more = {"base": variants["base"] | {7: 100.0}, "arm": variants["arm"]}
    one, other = block_contrasts(variants, "base")["arm"], block_contrasts(more, "base")["arm"]
    assert other.difference.p == pytest.approx(one.difference.p)
    assert other.difference.mean == pytest.approx(one.difference.mean)


def test_an_arm_that_shares_no_seed_with_anybody_is_left_out():
    result = block_contrasts(ANOVA | {"apart": {8: 1.0, 9: 2.0}, "empty": {}}, "a")
    assert result == block_contrasts(ANOVA, "a")


def test_an_arm_is_joined_to_the_baseline_by_seeds_that_others_share():
    values = {"a": {0: 1.0, 1: 2.0}, "c": {2: 7.0, 3: 8.0}, "b": {1: 3.0, 2: 5.0}, "more": {1: 2.0, 2: 4.5}}
    assert block_contrasts(values, "a")["c"].difference.n == 2


def test_arms_that_are_equal_run_for_run_show_no_difference():
    same = by_seed(0.1, 0.3, 0.7)
    result = block_contrasts({"base": same, "same": dict(same)}, "base")["same"]
    assert (result.difference.mean, result.difference.p, result.shown) == (0, 1, False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": {0: 1.0}, "b": {0: 2.0}}, "one seed"),
        ({"a": {}, "b": {0: 2.0}}, "baseline a has no values"),
        ({"a": by_seed(1.0, 2.0), "b": by_seed(1.0, math.inf)}, "finite"),
    ],
)
def test_contrasts_without_anything_to_tell_noise_by_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        block_contrasts(values, "a")
