"""settings.toml: what is right is used, what is wrong is named and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lenet_tui.tui import settings
from lenet_tui.tui.keys import NAMES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "own.toml"
    monkeypatch.setenv(settings.VARIABLE, str(path))
    return path


def test_without_a_file_everything_is_at_its_default(own: Path, tmp_path: Path) -> None:
    assert settings.load(tmp_path, NAMES) == (settings.Settings(), [])


def test_the_roots_settings_win_over_the_persons_own(own: Path, tmp_path: Path) -> None:
    own.write_text('theme = "nord"\nmouse = false\n[keys]\nstop = "ctrl+k"\n[defaults]\nepochs = 5\n')
    (tmp_path / ".lenet-tui").mkdir()
    (tmp_path / ".lenet-tui" / "settings.toml").write_text('theme = "dracula"\n[keys]\nexport = "E"\n')
    found, wrong = settings.load(tmp_path, NAMES)
    assert wrong == []
    assert (found.theme, found.mouse) == ("dracula", False)
    assert found.keys == {"stop": "ctrl+k", "export": "E"}
    assert found.defaults == {"epochs": 5}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("theme = ", "cannot be read"),
        ("themes = 'nord'", "themes is not a setting"),
        ("on_end = 'siren'", "on_end"),
        ("[keys]\nstopp = 'x'", "keys.stopp is not a name of a key"),
        ("[defaults]\nlr = 0", "defaults.lr 0 must be a number above 0"),
        ("[defaults]\nlearning_rate = 0.1", "defaults.learning_rate"),
    ],
)
def test_what_is_wrong_is_named_in_a_line_and_left_out(own: Path, tmp_path: Path, text: str, named: str) -> None:
    own.write_text("quiet = true\n" + text)
    found, (line,) = settings.load(tmp_path, NAMES)
    assert named in line
    assert "\n" not in line
    assert found.keys == {}
    assert found.defaults == {}
    if "cannot be read" not in named:
        assert found.quiet


def test_an_older_name_of_a_key_still_works(own: Path, tmp_path: Path) -> None:
    own.write_text("[keys]\nagain = 'f6'\nrub = 'f7'\n")
    found, wrong = settings.load(tmp_path, NAMES)
    assert (found.keys, wrong) == ({"resume": "f6", "erase": "f7"}, [])


def test_the_documentation_names_every_setting_and_every_key() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    for name in [*settings.Settings.model_fields, *NAMES]:
        assert f"`{name}`" in text, name
