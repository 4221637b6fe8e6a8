"""Errors that a person can correct: one clear line each, never a traceback.

Everything else that is raised is a bug.
"""

from __future__ import annotations

from lenet_tui.formatting import printable


class LabError(Exception):
    """The work could not be done (exit code 1); the message says why and what would help, in one line.

    It may name files and values of anybody's, so what a terminal, UTF-8 or SQLite cannot take is replaced.
    """

    exit_code = 1

    def __str__(self) -> str:
        return printable(super().__str__())


class UsageError(LabError):
    """What was asked for is wrong (exit code 2); the message names it and says what would be right."""

    exit_code = 2


class DataError(LabError):
    """A data set cannot be had or used; the message says why and what would help."""


class DamagedFileError(DataError):
    """A file is not what it should be: truncated, corrupt, or another file in its place."""


class UnavailableError(DataError):
    """One source could not deliver; there may be others."""


class NotDrawable(Exception):  # noqa: N818 - not an error: the run is just not that far
    """There is nothing to draw yet; the message names what is missing."""
