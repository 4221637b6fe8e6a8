from __future__ import annotations

from lenet_tui.analysis.study.comparisons import variants_of
from lenet_tui.analysis.study.findings import PARAMETERS
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS, Plan, study_runs
from lenet_tui.config import RunConfig
from lenet_tui.training import models


def test_the_default_is_that_of_the_assignment_and_every_arm_differs_from_it_in_one_setting_or_is_a_combination():
    config = Plan().config(DEFAULT, 0)
    assert (config.model, config.batch_size, config.lr) == ("lenet", 64, 0.001)
    assert config == RunConfig()
    assert [len(variant.changes) for variant in VARIANTS] == [0, *[1] * 12, 3, 1]


def test_the_arms_cover_the_batch_sizes_and_learning_rates_of_the_assignment_and_six_improvements():
    sizes = {Plan().config(variant, 0).batch_size for variant in (DEFAULT, *variants_of("batch_size"))}
    rates = {Plan().config(variant, 0).lr for variant in (DEFAULT, *variants_of("lr"))}
    assert (sizes, rates) == ({16, 32, 64}, {0.01, 0.001, 0.0001})
    assert len(variants_of("improvements")) >= 6


def test_no_configuration_is_wanted_twice():
    wanted = [run.config for run in study_runs(Plan(seeds=3), [])]
    assert len({config.identity() for config in wanted}) == len(wanted) == 3 * len(VARIANTS)


def test_every_arm_of_a_seed_comes_before_the_next_seed():
    assert [run.seed for run in study_runs(Plan(seeds=2), [])] == [0] * len(VARIANTS) + [1] * len(VARIANTS)


def test_a_finished_run_is_preferred_whatever_it_was_computed_with_and_of_several_the_oldest():
    config = Plan().config(DEFAULT, 0)
    elsewhere = {"threads": 4, "tsne_samples": 500, "device": "cpu"}
    runs = [
        (1, "failed", config.identity()),
        (2, "queued", config.identity()),
        (4, "finished", config.identity()),
        (3, "finished", config.model_copy(update=elsewhere).identity()),
        (5, "finished", config.model_copy(update={"epochs": 3}).identity()),
    ]
    assert study_runs(Plan(), runs)[0].run_id == 3


def test_the_numbers_of_parameters_are_those_of_the_networks():
    assert {name: models.parameter_count(models.build(RunConfig(model=name))) for name in PARAMETERS} == PARAMETERS
