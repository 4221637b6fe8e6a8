"""Importing torchvision where its compiled operators do not fit the installed torch.

With the CPU build of torch beside the registry's torchvision, ``import torchvision`` ends in "operator
torchvision::nms does not exist": its Python code describes operators that its unloadable library would have
declared. Nothing here computes with them, so declaring the two by name is enough to import the rest.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

_declarations: list[Any] = []  # they last for as long as this holds the library object


def import_torchvision_datasets() -> ModuleType:
    """Return the module ``torchvision.datasets``.

    Where torchvision imports by itself, nothing else happens. Raises what importing it raises.
    """
    try:
        return importlib.import_module("torchvision.datasets")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error) or _declarations:
            raise
    for name in [module for module in sys.modules if module.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # the half-imported rest of the attempt
    _declare_operators()
    return importlib.import_module("torchvision.datasets")


def _declare_operators() -> None:
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declarations.append(library)
