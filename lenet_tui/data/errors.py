"""What can go wrong with data sets."""

from __future__ import annotations

from lenet_tui.errors import LabError


class DataError(LabError):
    """A data set cannot be had or used; the message says why and what would help."""


class DamagedFileError(DataError):
    """A file is not what it should be: truncated, corrupt, or another file in its place."""


class UnavailableError(DataError):
    """One source could not deliver; there may be others."""
