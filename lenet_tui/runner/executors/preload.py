"""Imports all that takes long, in the process that workers are forked from.

A failed import is left to the worker, which says why; here it would end the process that every worker comes from.
"""

from __future__ import annotations

import importlib
import sys

from lenet_tui.runner.log import reason_of

_MODULES = (
    "lenet_tui.runner.worker",
    "lenet_tui.reports.confusion",
    "lenet_tui.reports.loss",
    "lenet_tui.reports.tsne",
    "sklearn.datasets",
)

for _name in _MODULES:
    try:
        importlib.import_module(_name)
    except BaseException as error:  # noqa: BLE001 - even SystemExit
        print(f"{_name} cannot be imported: {reason_of(error)}", file=sys.stderr, flush=True)  # noqa: T201 - the log
