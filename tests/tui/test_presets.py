"""Presets: each can be queued, is recognised by its values, and cycling comes back to where it began."""

from __future__ import annotations

import pytest

from lenet_tui.config import RunConfig
from lenet_tui.sweep import expand
from lenet_tui.tui.form.presets import CUSTOM, PRESETS, Preset, beside, matching


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_makes_runs_and_is_recognised_by_its_values(preset: Preset) -> None:
    assert expand(preset.values).configs
    assert matching(dict(preset.values)) is preset


def test_the_assignment_default_is_every_default_and_the_sweeps_have_three_runs() -> None:
    made = {preset.name: expand(preset.values).configs for preset in PRESETS}
    assert made["assignment default"] == (RunConfig(),)
    assert [config.batch_size for config in made["batch-size sweep"]] == [16, 32, 64]
    assert [config.lr for config in made["learning-rate sweep"]] == [0.01, 0.001, 0.0001]


def test_cycling_goes_round_and_passes_by_what_was_custom() -> None:
    custom = Preset(CUSTOM, "", {"lr": "0.5"})
    assert beside(PRESETS[-1], None, 1) is PRESETS[0]
    assert beside(PRESETS[-1], custom, 1) is custom
    assert beside(custom, custom, 1) is PRESETS[0]
    assert beside(PRESETS[0], custom, -1) is custom
    assert matching({"lr": "0.5"}) is None
