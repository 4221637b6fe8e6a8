"""No module imports itself through others, not even for types alone."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import lenet_tui

PACKAGE = Path(lenet_tui.__file__).parent


def test_no_imports_form_a_circle() -> None:
    paths = {_name(path): path for path in PACKAGE.rglob("*.py")}
    assert len(paths) > 100
    graph = {name: _imports(name, path, paths) for name, path in paths.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from None


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(name: str, path: Path, paths: dict[str, Path]) -> set[str]:
    """Return the modules of the package that one imports, also within functions and for types."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {module if module in paths else node.module for module in modules}
    return (names & paths.keys()) - {name}
