from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lenet_tui.data.catalog import IDX_FILES, PUBLISHED_GZ_MD5, TORCHVISION_CLASS
from lenet_tui.data.torchvision_import import import_torchvision_datasets

NEEDS_OPERATORS = """
from . import extension
if not extension.DECLARED:
    raise RuntimeError("operator torchvision::nms does not exist")
from . import datasets
"""


def run(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(path)!r}, {root!r}]\n" + code],
        capture_output=True,
        text=True,
        check=False,
    )


EXTENSION = """
import torch
DECLARED = all(hasattr(torch.ops.torchvision, name) for name in ("nms", "qnms"))
"""


def package(folder: Path, init: str) -> Path:
    (folder / "torchvision" / "datasets").mkdir(parents=True)
    (folder / "torchvision" / "extension.py").write_text(EXTENSION)
    (folder / "torchvision" / "__init__.py").write_text(init)
    (folder / "torchvision" / "datasets" / "__init__.py").write_text("HERE = True")
    return folder


def test_the_published_checksums_are_torchvisions() -> None:
    published = import_torchvision_datasets()
    for name, class_name in TORCHVISION_CLASS.items():
        assert dict(getattr(published, class_name).resources) == {
            f"{file.name}.gz": PUBLISHED_GZ_MD5[name][file.name] for file in IDX_FILES
        }


def test_a_torchvision_without_its_operators_can_be_imported(tmp_path: Path) -> None:
    code = "from lenet_tui.data import torchvision_import as t\n"
    code += "assert t.import_torchvision_datasets().HERE; assert t.import_torchvision_datasets().HERE; print('well')"
    done = run(code, package(tmp_path, NEEDS_OPERATORS))
    assert done.stdout == "well\n", done.stderr


def test_a_torchvision_that_works_is_left_alone(tmp_path: Path) -> None:
    code = "from lenet_tui.data import torchvision_import as t\n"
    code += "assert t.import_torchvision_datasets().HERE; print(len(t._declarations), 'torch' in sys.modules)"
    assert run(code, package(tmp_path, "")).stdout == "0 False\n"


@pytest.mark.parametrize("problem", ["ImportError('no such thing')", "RuntimeError('another thing')"])
def test_any_other_failure_of_torchvision_is_its_own(tmp_path: Path, problem: str) -> None:
    code = "from lenet_tui.data import torchvision_import as t\n"
    code += "try: t.import_torchvision_datasets()\nfinally: print(len(t._declarations))"
    done = run(code, package(tmp_path, f"raise {problem}"))
    assert (done.returncode, done.stdout) == (1, "0\n")
    assert done.stderr.splitlines()[-1] == problem.replace("('", ": ").replace("')", "")


def test_data_and_its_commands_come_without_torch_torchvision_and_scikit_learn(tmp_path: Path) -> None:
    code = "import lenet_tui.data, lenet_tui.cli.data\nlenet_tui.data.locate('digits')\n"
    code += "print(sorted({'torch', 'torchvision', 'sklearn', 'textual', 'lenet_tui.store'} & set(sys.modules)))"
    done = run(code, tmp_path)
    assert done.stdout == "[]\n", done.stderr
