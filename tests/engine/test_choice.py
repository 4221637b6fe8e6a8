"""Which engine a run gets, and what is said where it is not the native one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lenet_tui.engine import choice
from lenet_tui.engine import library as loading
from lenet_tui.engine.choice import TORCH, Engine, choose, keep
from lenet_tui.engine.library import VARIABLE, Library, library, load
from lenet_tui.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

needs_native = pytest.mark.skipif(library().handle is None, reason=f"no native engine: {library().problem}")


def without(monkeypatch: pytest.MonkeyPatch, problem: str = "there is no compiler") -> None:
    for module in (loading, choice):
        monkeypatch.setattr(module, "library", lambda: Library(None, problem))


@needs_native
@pytest.mark.parametrize("instructions", library().available)
def test_the_environment_variable_forces_an_instruction_set(instructions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert choose("auto", "lenet", "cpu", 2) == Engine("native", library().available[-1], 2)
    monkeypatch.setenv(VARIABLE, instructions)
    assert choose("auto", "lenet", "cpu") == Engine("native", instructions)
    assert choose("torch", "lenet", "cpu") == TORCH


@needs_native
def test_an_instruction_set_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "mmx")
    assert choose("auto", "lenet", "cpu") == TORCH
    with pytest.raises(UsageError, match=r"--engine native cannot be used: LENET_TUI_INSTRUCTIONS is 'mmx'"):
        choose("native", "lenet", "cpu")


@pytest.mark.parametrize(("model", "device"), [("alexnet", "cpu"), ("lenet", "cuda")])
def test_what_the_native_engine_cannot_compute_torch_does(model: str, device: str) -> None:
    assert choose("auto", model, device) == TORCH
    with pytest.raises(UsageError, match=r"--engine native cannot be used: it computes .* only|on the CPU"):
        choose("native", model, device)


def test_without_the_library_torch_is_used_and_the_reason_given(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch)
    assert choose("auto", "lenet", "cpu") == TORCH
    with pytest.raises(UsageError, match="there is no compiler"):
        choose("native", "lenet", "cpu")


def test_a_run_keeps_its_engine_and_says_so_where_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Engine("native", "avx512", 2)
    assert keep(TORCH, "lenet", "cpu") == (TORCH, "")
    without(monkeypatch)
    engine, why = keep(begun, "lenet", "cpu")
    assert engine == TORCH
    assert why == (
        "it was begun with engine native (avx512), which cannot be used here: there is no compiler; it goes on with "
        "engine torch, and does not end in the same bits"
    )


@needs_native
def test_a_run_keeps_the_instruction_set_that_it_was_begun_with(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Engine("native", "baseline")
    assert keep(begun, "lenet", "cpu") == (begun, "")
    engine, why = keep(Engine("native", "avx1024"), "lenet", "cpu")
    assert engine.name == "native"
    assert "this processor has no avx1024" in why


@pytest.mark.parametrize("content", [b"", b"no library", b"\x7fELF" + bytes(100)])
def test_a_broken_library_is_a_message(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "_lenet.so"
    path.write_bytes(content)
    found = load(path)
    assert found.handle is None
    assert found.problem.startswith(f"{path} cannot be loaded: ")
    assert "\n" not in found.problem


def test_a_missing_library_is_a_message(tmp_path: Path) -> None:
    assert load(tmp_path / "_lenet.so") == Library(None, "it was not compiled when lenet-tui was installed")


@needs_native
def test_a_library_of_another_version_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_VERSION", -1)
    assert "is of another version of lenet-tui" in loading.library.__wrapped__().problem
