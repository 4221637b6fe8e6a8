"""``settings.toml``: what a person likes to have otherwise in the app. Documented in ``docs/settings.md``."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lenet_tui import folders
from lenet_tui.config import RunConfig, problems
from lenet_tui.errors import UsageError
from lenet_tui.store import PRIVATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

FILE = "settings.toml"
VARIABLE = "LENET_TUI_SETTINGS"


class Settings(BaseModel):
    """Everything that can be set. The person's own file comes first, then the root's, which wins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Annotated[str, Field(description="colours; any theme the app offers")] = "textual-dark"
    mouse: Annotated[bool, Field(description="whether the mouse is heeded")] = True
    quiet: Annotated[bool, Field(description="draw less often, for slow links")] = False
    on_end: Annotated[Literal["bell", "message", "both", "none"], Field(description="what happens when a run ends")] = (
        "message"
    )
    pictures: Annotated[Literal["blocks", "pixels"], Field(description="how pictures are shown in the terminal")] = (
        "blocks"
    )
    keys: Annotated[dict[str, str], Field(description="other keys, by the names that help shows")] = {}
    defaults: Annotated[dict[str, Any], Field(description="what the form begins with")] = {}


def own_path() -> Path | None:
    """Return where the person's own settings are; None without a home folder. Raises `UsageError`: `from_variable`."""
    given, folder = folders.from_variable(VARIABLE), folders.configuration()
    return given or (folder and folder / FILE)


def load(root: Path, key_names: frozenset[str]) -> tuple[Settings, list[str]]:
    """Return the settings for ``root`` and, a line each, what was wrong in the files; what is wrong is left out."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    places = [root / PRIVATE_FOLDER / FILE]
    try:
        own = own_path()
        places[:0] = [own] if own else []
    except UsageError as error:
        wrong.append(str(error))
    for path in places:
        found, complaint = _read(path)
        wrong += complaint
        for name, value in found.items():
            if isinstance(value, dict) and isinstance(values.get(name), dict):
                values[name] = values[name] | value
            else:
                values[name] = value
    while True:
        try:
            settings = Settings(**values)
            break
        except ValidationError as error:
            detail = error.errors()[0]
            name = str(detail["loc"][0])
            known = ", ".join(Settings.model_fields)
            said = f"is not a setting; there are {known}" if detail["type"] == "extra_forbidden" else detail["msg"]
            wrong.append(f"{FILE}: {name} {said}")
            del values[name]
    return _checked(settings, key_names, wrong)


def _read(path: Path) -> tuple[dict[str, Any], list[str]]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file), []
    except FileNotFoundError:
        return {}, []
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"{path} cannot be read: {error}"]


def _checked(settings: Settings, key_names: frozenset[str], wrong: list[str]) -> tuple[Settings, list[str]]:
    unknown = sorted(settings.keys.keys() - key_names)
    wrong += [f"{FILE}: keys.{name} is nothing the app can do; '?' shows the names" for name in unknown]
    defaults = dict(settings.defaults)
    try:
        RunConfig(**defaults)
    except ValidationError as error:
        for problem in problems(error):
            wrong.append(f"{FILE}: defaults.{problem.name} {problem.value} {problem.message}")
            defaults.pop(problem.name, None)
    keys = {name: keys for name, keys in settings.keys.items() if name in key_names}
    return settings.model_copy(update={"keys": keys, "defaults": defaults}), wrong
