"""``settings.toml``, the person's preferences for the app. Documented in ``docs/settings.md``."""

from __future__ import annotations

import re
import textwrap
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lenet_tui.config import RunConfig, problems
from lenet_tui.errors import LabError, UsageError
from lenet_tui.formatting import printable
from lenet_tui.host import folders
from lenet_tui.host.safe_files import read_own
from lenet_tui.store import PRIVATE_FOLDER
from lenet_tui.tui.curves.charts import Metric
from lenet_tui.tui.curves.raster import Marks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "settings.toml"
_MOST_BYTES = 100_000
_MOST_COMPLAINTS, _LONGEST_COMPLAINT = 4, 300
_KEY = r"(?:\w+(?:\+\w+)*|[^\s,])"
_KEYS = re.compile(rf"{_KEY}(?:, *{_KEY})*")
VARIABLE = "LENET_TUI_SETTINGS"


class Settings(BaseModel):
    """All settings. The root's file wins over the person's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Annotated[str, Field(description="colours: the name of a theme")] = "textual-dark"
    mouse: Annotated[bool, Field(description="whether the mouse works")] = True
    quiet: Annotated[bool, Field(description="draw less often, for slow links")] = False
    on_end: Annotated[Literal["bell", "message", "both", "none"], Field(description="what happens when a run ends")] = (
        "message"
    )
    pictures: Annotated[Literal["blocks", "pixels"], Field(description="how the PNG files are shown")] = "pixels"
    chart: Annotated[Metric, Field(description="the chart of the curves panel")] = "loss"
    second_chart: Annotated[
        Literal["auto", "none"] | Metric, Field(description='the chart beside it; "auto" is one where there is room')
    ] = "auto"
    log_scale: Annotated[bool, Field(description="whether losses have a logarithmic axis")] = False
    smoothing: Annotated[float, Field(ge=0, lt=1, description="how smooth curves are")] = 0.0
    train_curve: Annotated[bool, Field(description="whether the train curve is shown")] = True
    seeds: Annotated[bool, Field(description="whether seeds are shown as mean and range")] = False
    line_marks: Annotated[Marks, Field(description="what curves are drawn with")] = "braille"
    columns: Annotated[list[str], Field(description="the columns of the runs list; none: the usual ones")] = []
    sort: Annotated[str, Field(description="the column that sorts the runs; none: the queue, then the newest")] = ""
    reverse: Annotated[bool, Field(description="whether the order is reversed")] = False
    baseline: Annotated[int | None, Field(description="the number of the run to compare with")] = None
    form: Annotated[bool, Field(description="whether the form is shown")] = True
    form_width: Annotated[int, Field(ge=0, le=1000, description="columns of the form; 0: the usual ones")] = 0
    curves_share: Annotated[float, Field(ge=0, lt=1, description="share of the lines for the curves; 0: the usual")] = 0
    keys: Annotated[dict[str, str], Field(description="other keys, by the names that help shows")] = {}
    defaults: Annotated[dict[str, Any], Field(description="the form's values at the start")] = {}


def own_path() -> Path | None:
    """Return where the person's own settings are; None without a home folder. Raises `UsageError`: `from_variable`."""
    given, folder = folders.from_variable(VARIABLE), folders.configuration()
    return given or (folder and folder / FILE)


def load(root: Path, key_names: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Return the settings for ``root`` and, a line each, what was wrong in the files; what is wrong is left out.

    ``key_names`` maps each name that a key may have in the files to its id.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []
    places = [(root / PRIVATE_FOLDER / FILE, False)]
    try:
        own = own_path()
        # The person's own file may be a link; one in the root may not, since others may have packed the root.
        places[:0] = [(own.resolve(), True)] if own else []
    except UsageError as error:
        wrong.append(str(error))
    for path, is_given in places:
        content, complaint = _read(path, is_given=is_given)
        wrong += complaint
        for name, value in content.items():
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
            names = ", ".join(Settings.model_fields)
            text = (
                f"is not a setting; the settings are {names}" if detail["type"] == "extra_forbidden" else detail["msg"]
            )
            wrong.append(f"{FILE}: {name} {text}")
            del values[name]
    settings, wrong = _checked(settings, key_names, wrong)
    if len(wrong) > _MOST_COMPLAINTS:
        wrong = [*wrong[:_MOST_COMPLAINTS], f"{FILE}: {len(wrong) - _MOST_COMPLAINTS} more such problems"]
    return settings, [textwrap.shorten(printable(line), _LONGEST_COMPLAINT, placeholder=" …") for line in wrong]


def _read(path: Path, *, is_given: bool) -> tuple[dict[str, Any], list[str]]:
    try:
        return tomllib.loads(read_own(path, _MOST_BYTES, any_owner=is_given).decode()), []
    except FileNotFoundError:
        return {}, []
    except LabError as error:
        return {}, [str(error)]
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, or endless nested brackets
        return {}, [f"{path} cannot be read: {error}"]


def _checked(settings: Settings, key_names: Mapping[str, str], wrong: list[str]) -> tuple[Settings, list[str]]:
    unknown = sorted(settings.keys.keys() - key_names)
    wrong += [f"{FILE}: keys.{name} is not a name of a key; press ? for the names" for name in unknown]
    defaults = dict(settings.defaults)
    try:
        RunConfig(**defaults)
    except ValidationError as error:
        for problem in problems(error):
            wrong.append(f"{FILE}: defaults.{problem.name} {problem.value} {problem.message}")
            defaults.pop(problem.name, None)
    keys = {key_names[name]: keys for name, keys in settings.keys.items() if name in key_names}
    for name in [name for name, pressed in keys.items() if not (pressed.isprintable() and _KEYS.fullmatch(pressed))]:
        wrong.append(f"{FILE}: keys.{name} is {keys.pop(name)[:20]!r}; a key is a name like f5 or ctrl+k, or a letter")
    return settings.model_copy(update={"keys": keys, "defaults": defaults}), wrong
