"""Compiles the native engine when the package is installed; everything else is in pyproject.toml.

The sources are compiled once for each instruction set and linked into one library with a C interface, which
lenet_tui/engine/library.py loads. Where that fails, as without a compiler, the installation goes on without it.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

SOURCE = "lenet_tui/engine/source"
# GCC warns of its own headers.
FLAGS = ["-std=c++17", "-O3", "-g0", "-fvisibility=hidden", "-Wno-psabi", "-Wno-uninitialized"]
FLAGS += ["-Wno-maybe-uninitialized"]
AVX2 = ["-mavx2", "-mfma"]
AVX512 = ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mfma", "-mprefer-vector-width=512"]


def variants() -> list[tuple[str, int, int, list[str]]]:
    """Return the instruction sets to compile for: name, floats in a vector, registers, flags."""
    platform = sysconfig.get_platform()
    if platform.endswith("x86_64"):
        return [("baseline", 4, 16, []), ("avx2", 8, 16, AVX2), ("avx512", 16, 32, AVX512)]
    return [("baseline", 4, 32 if platform.endswith(("aarch64", "arm64")) else 16, [])]


class BuildEngine(build_ext):
    """Builds a library that belongs to no version of Python."""

    def get_ext_filename(self, fullname: str) -> str:
        """Return its name without the tag of an interpreter."""
        return str(Path(*fullname.split("."))) + ".so"

    def build_extension(self, ext: Extension) -> None:
        """Compile and link; raises setuptools' errors, which cost no more than the engine."""
        target = Path(self.get_ext_fullpath(ext.name))
        target.unlink(missing_ok=True)  # where this fails, an older one must not stay
        flags = FLAGS + (["-DWITH_AVX"] if len(variants()) > 1 else [])
        objects = self.compiler.compile([f"{SOURCE}/dispatch.cpp"], self.build_temp, extra_postargs=flags)
        for name, lanes, registers, more in variants():
            defined = [f"-DINSTRUCTIONS={name}", f"-DLANES={lanes}", f"-DREGISTERS={registers}"]
            folder = f"{self.build_temp}/{name}"
            objects += self.compiler.compile([f"{SOURCE}/lenet.cpp"], folder, extra_postargs=[*flags, *more, *defined])
        target.parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_shared_object(objects, str(target), extra_postargs=["-pthread"], target_lang="c++")

    def copy_extensions_to_source(self) -> None:
        """Put it beside its source, for an editable installation; not into a file that a process has loaded."""
        for ext in self.extensions:
            inplace, _ = self._get_inplace_equivalent(self.get_finalized_command("build_py"), ext)
            Path(inplace).unlink(missing_ok=True)
        super().copy_extensions_to_source()


class Wheel(bdist_wheel):
    """A wheel for a platform and any Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return the tags of Python, its binary interface and the platform."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension("lenet_tui.engine._lenet", [f"{SOURCE}/{n}.cpp" for n in ("lenet", "dispatch")], optional=True)
    ],
    cmdclass={"build_ext": BuildEngine, "bdist_wheel": Wheel},
)
