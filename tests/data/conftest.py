from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import shutil
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lenet_tui import data
from lenet_tui.data import idx
from lenet_tui.data.catalog import IDX_FILES, IdxFile
from lenet_tui.data.torchvision_import import import_torchvision_datasets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The folder of the real MNIST, where it can be had."""
    try:
        return data.obtain("mnist").located.folder
    except data.DataError as error:
        pytest.skip(f"needs the real MNIST: {error}")


@pytest.fixture(autouse=True)
def cache_dir(mnist_dir_before: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache for each test; the person's own folders are out of sight."""
    monkeypatch.delenv("LENET_TUI_DATA", raising=False)
    monkeypatch.setenv("LENET_TUI_CACHE", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "datasets"
    shutil.rmtree(tmp_path)  # 55 MB a test are too much to keep


@pytest.fixture
def mnist_dir_before(request: pytest.FixtureRequest) -> None:
    """Find the real MNIST before the cache is changed under it."""
    if "mnist_dir" in request.fixturenames:
        request.getfixturevalue("mnist_dir")


@pytest.fixture
def no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def offline(no_npm: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No mirror and no npm; returns the empty folder on PATH."""
    published = import_torchvision_datasets()
    for name in ("MNIST", "FashionMNIST", "KMNIST"):
        monkeypatch.setattr(getattr(published, name), "mirrors", [])
    return no_npm


def structured(file: IdxFile, value: int = 7) -> bytes:
    """A file that passes every check there is without a checksum: the right shape, classes in equal numbers."""
    values = np.full(file.shape, value, np.uint8)
    if file.is_labels:
        values = (np.arange(file.shape[0]) % 10).astype(np.uint8)
    return idx.header(file.shape) + values.tobytes()


@pytest.fixture(scope="session")
def fashion() -> dict[str, bytes]:
    """Four files with the structure of Fashion-MNIST, unpacked."""
    return {file.name: structured(file) for file in IDX_FILES}


@pytest.fixture(scope="session")
def fashion_gz(fashion: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same, packed."""
    return {f"{name}.gz": gzip.compress(content, 1, mtime=0) for name, content in fashion.items()}


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def link_files(folder: Path, source: Path) -> Path:
    """A folder with the four files of ``source``, without copying them."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in IDX_FILES:
        os.link(source / file.name, folder / file.name) if _same_disk(source, folder) else (
            folder / file.name
        ).symlink_to(source / file.name)
    return folder


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


@dataclass
class Recorder:
    """A `Progress` that remembers."""

    steps: list[tuple[str, int, int | None]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def step(self, what: str, done: int, total: int | None) -> None:
        self.steps.append((what, done, total))

    def notice(self, message: str) -> None:
        self.notices.append(message)


@dataclass
class Mirror:
    """A web server on this machine. ``hangs`` are names that it never answers, ``cut`` those it breaks off."""

    url: str
    files: dict[str, bytes]
    hangs: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def mirrors() -> Iterator[list[Mirror]]:
    """Two mirrors, with nothing on them."""
    running, servers = [], []
    for _ in range(2):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        mirror = Mirror(f"http://127.0.0.1:{server.server_port}/", {})
        server.mirror = mirror  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        running.append(mirror)
        servers.append(server)
    yield running
    for mirror, server in zip(running, servers, strict=True):
        mirror.closing.set()
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        mirror: Mirror = self.server.mirror  # type: ignore[attr-defined]
        name = self.path.lstrip("/")
        mirror.requests.append(name)
        if name in mirror.hangs:
            mirror.closing.wait(30)
            return
        if name not in mirror.files:
            self.send_error(404, "not on this mirror")
            return
        content = mirror.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if name in mirror.cut else content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


@pytest.fixture
def fashion_mirrors(
    mirrors: list[Mirror], fashion_gz: dict[str, bytes], no_npm: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Mirror]:
    """Two mirrors that have the stand-in for Fashion-MNIST, and a torchvision that knows them and its checksums."""
    published = import_torchvision_datasets().FashionMNIST
    for mirror in mirrors:
        mirror.files = dict(fashion_gz)
    monkeypatch.setattr(published, "mirrors", [mirror.url for mirror in mirrors])
    monkeypatch.setattr(
        published, "resources", [(name, hashlib.md5(content).hexdigest()) for name, content in fashion_gz.items()]
    )
    return mirrors
