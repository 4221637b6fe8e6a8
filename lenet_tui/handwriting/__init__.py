"""Pictures of handwriting, and what a network sees of them."""

from __future__ import annotations

from lenet_tui.handwriting.digits import Digit
from lenet_tui.handwriting.mnist import as_mnist, prepare
from lenet_tui.handwriting.reading import Handwriting, read

__all__ = ["Digit", "Handwriting", "as_mnist", "prepare", "read"]
