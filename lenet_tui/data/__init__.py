"""Data sets: where they are, whether they are what they should be, and how they are split.

Neither torch nor torchvision nor scikit-learn is imported with this package; the tensors are made in
`lenet_tui.data.datasets`.
"""

from lenet_tui.data.cache import CACHE_VARIABLE, cache_folder
from lenet_tui.data.catalog import check_val_size, max_val_size
from lenet_tui.data.locating import DATA_VARIABLE, Located, is_here, locate
from lenet_tui.data.progress import QUIET, Progress
from lenet_tui.data.sources import Verified, VerifiedFile, adopt, obtain, verify
from lenet_tui.errors import DamagedFileError, DataError

__all__ = [
    "CACHE_VARIABLE",
    "DATA_VARIABLE",
    "QUIET",
    "DamagedFileError",
    "DataError",
    "Located",
    "Progress",
    "Verified",
    "VerifiedFile",
    "adopt",
    "cache_folder",
    "check_val_size",
    "is_here",
    "locate",
    "max_val_size",
    "obtain",
    "verify",
]
