from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import pytest

from lenet_tui import data
from lenet_tui.cli.main import main
from lenet_tui.data import files
from lenet_tui.data.catalog import IDX_FILES
from tests.data.conftest import write_files

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = (file.name for file in IDX_FILES)


def dotted(name: str) -> str:
    return name.replace("-idx", ".idx")


OTHER_NAMES = {
    "7-Zip's": dotted,
    "upper case": str.upper,
    "a browser's copy": lambda name: f"{name} (1)",
    "a second download": lambda name: f"{dotted(name)}(2)",
    "Windows' copy": lambda name: f"{name} - Copy",
    "test for t10k": lambda name: name.replace("t10k", "test"),
    "Kaggle's folders": lambda name: f"{name}/{name}",
    "Kaggle's folders with dots": lambda name: f"{dotted(name)}/{dotted(name)}",
}
OTHER_PACKED = {
    "7-Zip's, packed": lambda name: f"{dotted(name)}.gz",
    "a browser's copy, packed": lambda name: f"{name} (1).gz",
    "upper case, packed": lambda name: f"{name}.GZ".upper(),
    "packed, and named as if not": lambda name: name,
}


@pytest.mark.parametrize("kind", [*OTHER_NAMES, *OTHER_PACKED])
def test_files_are_found_under_the_names_that_programs_give(
    kind: str, tmp_path: Path, fashion: dict[str, bytes], fashion_gz: dict[str, bytes]
) -> None:
    folder = tmp_path / "mine"
    renamed = (OTHER_NAMES | OTHER_PACKED)[kind]
    for name, content in fashion.items():
        path = folder / renamed(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fashion_gz[f"{name}.gz"] if kind in OTHER_PACKED else content)
    result = data.verify("fashion-mnist", folder)
    assert [file.path for file in result.files] == [folder / renamed(name) for name in fashion]


@pytest.mark.parametrize("way", ["--data-dir", "LENET_TUI_DATA", "import"])
def test_other_names_are_found_by_each_way_to_name_a_folder(
    way: str, tmp_path: Path, fashion: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    folder = write_files(tmp_path / "mine", {dotted(name): content for name, content in fashion.items()})
    words = {
        "--data-dir": ["data", "get", "fashion-mnist", "--data-dir", str(folder)],
        "LENET_TUI_DATA": ["data", "get", "fashion-mnist"],
        "import": ["data", "import", "fashion-mnist", str(folder)],
    }[way]
    if way == "LENET_TUI_DATA":
        monkeypatch.setenv("LENET_TUI_DATA", str(folder))
    assert main(words) == 0
    imported = sorted(path.name for path in (cache_dir / "FashionMNIST" / "raw").glob("*ubyte"))
    assert imported == (sorted(fashion) if way == "import" else [])


@pytest.mark.parametrize("packed", [True, False])
def test_a_zip_file_is_looked_into(
    packed: bool, tmp_path: Path, fashion: dict[str, bytes], fashion_gz: dict[str, bytes]
) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in (fashion_gz if packed else fashion).items():
            package.writestr(f"archive/{name}", content)
    result = data.verify("fashion-mnist", tmp_path)
    assert result.files[0].path.parent == tmp_path / "archive.zip" / "archive"


def test_the_real_mnist_is_found_beside_emnists_files_by_its_checksum(tmp_path: Path, mnist_dir: Path) -> None:
    for file in IDX_FILES:
        (tmp_path / dotted(file.name)).symlink_to(mnist_dir / file.name)
        emnist = f"emnist-mnist-{file.name.replace('t10k', 'test')}"
        (tmp_path / emnist).write_bytes((mnist_dir / TEST_LABELS).read_bytes()[::-1])
    assert [file.path.name for file in data.verify("mnist", tmp_path).files] == [dotted(f.name) for f in IDX_FILES]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_emnists_files_are_called_what_they_are(suffix: str, tmp_path: Path) -> None:
    content = gzip.compress(b"not MNIST's") if suffix else b"not MNIST's"
    names = [f"emnist-mnist-{name.replace('t10k', 'test')}{suffix}" for name in (f.name for f in IDX_FILES)]
    write_files(tmp_path / "mine", dict.fromkeys(names, content))
    with pytest.raises(data.DamagedFileError, match=r"EMNIST's images are others than MNIST's, and transposed"):
        data.verify("mnist", tmp_path / "mine")


@pytest.mark.parametrize("way", ["--data-dir", "import"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnist_train.csv", "mnist_train.csv is a table of pixels, as Kaggle has them"),
        ("train.csv", "train.csv is a table of pixels"),
        ("MNIST.7z", "MNIST.7z has to be unpacked"),
        ("mnist.zip", "mnist.zip has to be unpacked"),
    ],
)
def test_another_form_of_the_data_is_called_what_it_is_with_the_names_expected(
    name: str, message: str, way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_files(tmp_path / "mine", {name: b"label,1x1,1x2\n5,0,0\n"})
    words = {
        "--data-dir": ["data", "verify", "mnist", "--data-dir", str(folder)],
        "import": ["data", "import", "mnist", str(folder)],
    }[way]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert message in error
    assert ", ".join(file.name for file in IDX_FILES) in error
    assert error.count("\n") == 1


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link_loop(path: Path) -> None:
    path.symlink_to(path.name)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [fifo, link_loop, endless, Path.mkdir])
@pytest.mark.parametrize("others", [True, False], ids=["beside the others", "alone"])
def test_what_is_no_file_is_named_and_never_waited_for(
    make: object, others: bool, tmp_path: Path, fashion: dict[str, bytes]
) -> None:
    folder = write_files(tmp_path / "mine", {TRAIN_LABELS: fashion[TRAIN_LABELS]} if others else {})
    make(folder / TRAIN_IMAGES)  # type: ignore[operator]
    with pytest.raises(data.DataError, match=f"{TRAIN_IMAGES} is not a regular file"):
        data.verify("fashion-mnist", folder)


def bomb(length: int) -> bytes:
    return gzip.compress(bytes(50_000_000), 9) * (length // 50_000_000)


@pytest.mark.timeout(60)
def test_a_gzip_bomb_is_unpacked_only_as_far_as_the_file_could_be(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    folder = write_files(tmp_path / "mine", fashion | {f"{TRAIN_IMAGES}.gz": bomb(50_000_000_000)})
    (folder / TRAIN_IMAGES).unlink()
    with pytest.raises(data.DamagedFileError, match=f"{TRAIN_IMAGES}.*more was not read|bytes packed"):
        data.verify("fashion-mnist", folder)


@pytest.mark.timeout(60)
def test_a_sparse_file_of_a_terabyte_is_not_read_to_its_end(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    folder = write_files(tmp_path / "mine", fashion)
    os.truncate(folder / TRAIN_IMAGES, 1 << 40)
    with pytest.raises(data.DamagedFileError, match=rf"{TRAIN_IMAGES}: length expected .* found {1 << 40}"):
        data.verify("fashion-mnist", folder)


@pytest.mark.parametrize("shape", ["7fffffff 0000001c 0000001c", "ffffffff ffffffff ffffffff"])
def test_a_header_that_claims_too_many_images_is_named(shape: str, tmp_path: Path, fashion: dict[str, bytes]) -> None:
    lying = bytes.fromhex("00000803" + shape) + fashion[TRAIN_IMAGES][16:]
    folder = write_files(tmp_path / "mine", fashion | {TRAIN_IMAGES: lying})
    with pytest.raises(data.DamagedFileError, match=TRAIN_IMAGES):
        data.verify("fashion-mnist", folder)


@pytest.mark.parametrize("name", ["/etc/{}", "../{}", "x/../../{}", "//{}"])
def test_a_zip_file_cannot_lead_out_of_itself(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as package:
        package.writestr(name.format(TRAIN_IMAGES), b"")
        package.writestr("good", b"")
    assert files.members(tmp_path / "evil.zip") == [tmp_path / "evil.zip" / "good"]


@pytest.mark.timeout(60)
def test_a_zip_file_of_very_many_members_is_left_alone(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as package:
        for number in range(20_000):
            package.writestr(f"{number}/{TRAIN_IMAGES}", b"")
    assert files.members(tmp_path / "many.zip") == []
    with pytest.raises(data.DataError, match=r"many\.zip has to be unpacked"):
        data.verify("mnist", tmp_path)


def test_a_damaged_member_of_a_zip_file_is_named(tmp_path: Path, fashion: dict[str, bytes]) -> None:
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in fashion.items():
            package.writestr(name, content)
    content = bytearray(path.read_bytes())
    content[20_000:20_100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(data.DataError, match=rf"mine\.zip/{TRAIN_IMAGES}.*(zip|cannot read)"):
        data.verify("fashion-mnist", tmp_path)
