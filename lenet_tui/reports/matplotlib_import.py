"""Importing matplotlib so that nothing that the person has set for it takes part, and drawing with its own defaults.

Otherwise MPLBACKEND, which every command in a notebook inherits, or a ``matplotlibrc`` could make drawing fail, and
pictures of the same run would differ from one account to the next.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import warnings
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from lenet_tui.errors import LabError
from lenet_tui.host import folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_P = ParamSpec("_P")
_R = TypeVar("_R")
_RC_FILE = Path("matplotlibrc")  # looked for in the current folder first, before the environment


def prepare() -> None:
    """See to it that an import of matplotlib reads nothing of the person's. Cheap: nothing is imported yet.

    Only where the current folder has a ``matplotlibrc``, matplotlib is imported at once, by `load`.
    """
    os.environ["MPLBACKEND"] = "agg"
    os.environ["MATPLOTLIBRC"] = os.devnull
    os.environ["MPLCONFIGDIR"] = str(_cache())
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells where its cache is, and that this takes a moment
    if os.path.lexists(_RC_FILE):
        load()


def load() -> None:
    """Import matplotlib, where it is not imported yet, without the current folder's ``matplotlibrc``."""
    if "matplotlib" not in sys.modules:
        with _elsewhere() if os.path.lexists(_RC_FILE) else contextlib.nullcontext(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("matplotlib")


def with_defaults(draw: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return ``draw`` as a function that draws with matplotlib's defaults, without a person's settings."""

    @wraps(draw)
    def drawing(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        import matplotlib

        defaults: dict[Any, Any] = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
        defaults["text.parse_math"] = False  # a $ in a text from disk is a $
        with warnings.catch_warnings():
            # A missing glyph is drawn as a box and warned of, which is an error where PYTHONWARNINGS says so.
            warnings.simplefilter("ignore")
            with matplotlib.rc_context(defaults):
                return draw(*args, **kwargs)

    return drawing


def _cache() -> Path:
    """Return the folder for matplotlib's list of fonts; one that does not work makes it use a temporary one."""
    path = Path(os.devnull)
    with contextlib.suppress(LabError):
        path = folders.cache() / "matplotlib"
        if not _can_be_written(path):
            path = folders.temporary() / "matplotlib"
    return path


def _can_be_written(path: Path) -> bool:
    """Say whether ``path`` is or could be made a folder to write in, without making it."""
    for folder in (path, *path.parents):
        if os.path.lexists(folder):
            return os.access(folder, os.W_OK | os.X_OK) and folder.is_dir()
    return False


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Work in another folder of lenet-tui, and come back to this one even where it was deleted."""
    here = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir(Path(__file__).parent)
        try:
            yield
        finally:
            os.fchdir(here)
    finally:
        os.close(here)
