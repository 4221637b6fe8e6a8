"""Fetching from the mirrors that torchvision knows, with a time limit and with progress.

torchvision's own downloader has neither, so only its lists are used: mirrors, files, checksums.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import queue
import shutil
import threading
import time
import urllib.parse
import urllib.request
from typing import IO, TYPE_CHECKING

from lenet_tui.data.catalog import TORCHVISION_CLASS, title
from lenet_tui.data.torchvision_import import import_torchvision_datasets
from lenet_tui.errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from lenet_tui.config import DatasetName
    from lenet_tui.data.progress import Progress

CONNECT_SECONDS = 10.0
_CHUNK = 1 << 16
_PATIENCE_SECONDS = 20.0  # then a mirror must have kept up this many bytes a second
_SLOWEST = 4096


def download(name: DatasetName, into: Path, progress: Progress) -> str:
    """Put the four unpacked files of a data set into the folder ``into``; return the host that had them.

    Each .gz file is checked against torchvision's md5. A mirror that refuses, is slow or sends something else
    is not asked again. Raises `UnavailableError` saying what each mirror did when none is left.
    """
    try:
        published = getattr(import_torchvision_datasets(), TORCHVISION_CLASS[name])
    except (ImportError, RuntimeError, OSError) as error:
        raise UnavailableError(f"cannot import torchvision, which lists the mirrors: {error}") from None
    mirrors, reasons, used = list(published.mirrors), [], ""
    for packed_name, md5 in published.resources:
        while mirrors:
            used = urllib.parse.urlsplit(mirrors[0]).netloc
            try:
                _download_file(mirrors[0] + packed_name, md5, into / packed_name, progress)
                break
            except UnavailableError as error:
                reasons.append(f"{used}: {error}")
                progress.notice(f"{title(name)} mirror {used}: {error}")
                del mirrors[0]
        else:
            raise UnavailableError("; ".join(reasons) or "torchvision lists no mirror")
        _unpack(into / packed_name)
    return used


def _download_file(url: str, md5: str, path: Path, progress: Progress) -> None:
    what = path.name
    response = _open(url)
    with response, path.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0) or None
        started, done, digest = time.monotonic(), 0, hashlib.md5(usedforsecurity=False)
        progress.step(what, 0, total)
        while chunk := _read(response):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress.step(what, done, total)
            seconds = time.monotonic() - started
            if seconds > _PATIENCE_SECONDS and done < _SLOWEST * seconds:
                raise UnavailableError(f"too slow: {done} bytes of {what} in {seconds:.0f} s")
    if digest.hexdigest() != md5:
        short = f", and {done} bytes of {total}" if total is not None and done != total else ""
        raise UnavailableError(f"{what} arrived damaged: md5 expected {md5}, found {digest.hexdigest()}{short}")


def _open(url: str) -> http.client.HTTPResponse:
    # urllib's limit holds for each address of a host and not for looking it up; waiting outside bounds it all.
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise UnavailableError(f"{url} is not a web address")
    answer: queue.Queue[http.client.HTTPResponse | OSError | http.client.HTTPException] = queue.Queue()
    limit = CONNECT_SECONDS

    def ask() -> None:
        request = urllib.request.Request(url, headers={"User-Agent": "lenet-tui"})  # noqa: S310 - checked above
        try:
            answer.put(urllib.request.urlopen(request, timeout=limit))  # noqa: S310 - checked above
        except (OSError, http.client.HTTPException) as error:
            answer.put(error)

    threading.Thread(target=ask, name="lenet-tui-connect", daemon=True).start()
    try:
        response = answer.get(timeout=limit)
    except queue.Empty:
        raise UnavailableError(f"no answer within {limit:g} s") from None
    if isinstance(response, Exception):
        raise UnavailableError(_reason(response)) from None
    return response


def _read(response: IO[bytes]) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"the connection broke: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", error)  # URLError wraps the error of the system
    if isinstance(inner, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:g} s"
    return str(getattr(inner, "strerror", None) or inner)


def _unpack(packed: Path) -> None:
    with gzip.open(packed) as source, packed.with_suffix("").open("wb") as target:
        shutil.copyfileobj(source, target, _CHUNK)
    packed.unlink()
