"""Files of every kind, damaged ones and what is no file: the picture, or one line."""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from lenet_tui.errors import LabError, UsageError
from lenet_tui.handwriting import as_mnist, read
from lenet_tui.handwriting.files import MOST_BYTES, read_colours
from tests.handwriting.test_digits import apart, plain, prepared, seven, written

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["plain"]


@pytest.mark.parametrize("name", ["seven.webp", "seven.bmp", "seven.gif", "seven.tiff"])
def test_other_kinds_of_files_are_read(tmp_path: Path, plain: NDArray[np.float64], name: str) -> None:
    assert apart(prepared(written(tmp_path, seven(), name)), plain) < 2


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow cannot write AVIF")
def test_avif_is_read_where_pillow_can(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    assert apart(prepared(written(tmp_path, seven(), "seven.avif")), plain) < 2


@pytest.mark.parametrize("name", ["seven.gif", "seven.tiff", "seven.webp"])
def test_of_several_pictures_in_a_file_the_first_is_read(tmp_path: Path, plain: NDArray[np.float64], name: str) -> None:
    blank = Image.new("L", (300, 400), 220)
    path = written(tmp_path, seven(), name, save_all=True, append_images=[blank, blank])
    assert apart(prepared(path), plain) < 2


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "F", "I"])
def test_the_mode_of_a_tiff_does_not_matter(tmp_path: Path, plain: NDArray[np.float64], mode: str) -> None:
    picture = seven()
    if mode == "LAB":
        flat = Image.new("L", picture.size, 128)
        picture = Image.merge("LAB", (picture, flat, flat))
    else:
        picture = picture.convert("RGB").convert(mode) if mode in ("CMYK", "YCbCr") else picture.convert(mode)
    path = written(tmp_path, picture, "seven.tiff")
    with Image.open(path) as opened:
        assert opened.mode == mode
    assert apart(prepared(path), plain) < 2


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_few_bits_in_sixteen_are_the_whole_range(tmp_path: Path, plain: NDArray[np.float64], bits: int) -> None:
    deep = np.asarray(seven(), dtype=np.float64) / 255 * (2**bits - 1)
    assert apart(prepared(written(tmp_path, Image.fromarray(deep.astype(np.uint16)))), plain) < 2


@pytest.mark.parametrize("scale", [1 / 255, 1.0, 1e6, -1.0])
def test_floats_of_any_scale_are_read(tmp_path: Path, plain: NDArray[np.float64], scale: float) -> None:
    deep = np.asarray(seven(), dtype=np.float32) * np.float32(scale)
    deep[0, 0], deep[0, 1] = np.nan, np.inf
    assert apart(prepared(written(tmp_path, Image.fromarray(deep), "seven.tiff")), plain) < 2


def test_a_picture_that_is_dark_all_over_is_read(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    dark = Image.fromarray((np.asarray(seven()) * 0.08).astype(np.uint8))
    assert apart(prepared(written(tmp_path, dark)), plain) < 3


def test_odd_data_beside_a_picture_does_not_matter(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    path = written(tmp_path, seven(), "seven.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05broken", quality=90)
    assert apart(prepared(path), plain) < 2


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", r"is a HEIC picture, which cannot be read; save it as JPEG or PNG"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix", r"is a HEIC picture"),
        (b"%PDF-1.7\n", r"is a PDF, which cannot be read; save its page as JPEG or PNG"),
        (b"a seven, in words", r"is not a picture that can be read: PNG, JPEG, WEBP, BMP, GIF and TIFF can"),
        (b"", r"is not a picture that can be read"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, start: bytes, words: str) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(start)
    with pytest.raises(LabError, match=words):
        read(path)


def test_damaged_files_are_one_clear_line(tmp_path: Path) -> None:
    whole = written(tmp_path, seven(), "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    png = written(tmp_path, seven(), "whole.png").read_bytes()
    (tmp_path / "half.png").write_bytes(png[: len(png) // 2])
    (tmp_path / "broken.png").write_bytes(png[:60] + b"\0\0\0\0" + png[64:])
    for name in ("half.jpg", "half.png", "broken.png"):
        with pytest.raises(LabError, match="is damaged") as raised:
            read(tmp_path / name)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.png", "No such file"),
        ("file/x.png", "Not a directory"),
        (".", "it is a directory"),
        ("pipe", "it is no regular file"),
        ("a\0b", "no file has such a name"),
        ("/dev/zero", "it is no regular file"),
    ],
)
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    errors: list[Exception] = []

    def look() -> None:
        try:
            read(tmp_path / name)
        except UsageError as error:
            errors.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(10)
    assert len(errors) == 1
    assert words in str(errors[0])


def test_a_link_that_is_named_is_followed(tmp_path: Path, plain: NDArray[np.float64]) -> None:
    (tmp_path / "link.png").symlink_to(written(tmp_path, seven()))
    assert apart(prepared(tmp_path / "link.png"), plain) < 1


def test_control_characters_of_a_name_are_not_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        read(tmp_path / "a\x1b[31m\nb.png")
    assert "\x1b" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("size", [(9000, 9000), (60_000, 60_000)])
def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, size: tuple[int, int]) -> None:
    # Only the header says so: making and reading gigabytes would take minutes.
    path = written(tmp_path, Image.new("1", (8, 8)))
    content = bytearray(path.read_bytes())
    content[16:24] = b"".join(side.to_bytes(4, "big") for side in size)
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(LabError, match="more than 64 million pixels"):
        read(path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, seven())
    os.truncate(path, MOST_BYTES + 1)  # a hole, which takes no room
    with pytest.raises(LabError, match="more than 512 MB"):
        read(path)


def test_text_that_unpacks_to_gigabytes_is_one_clear_line(tmp_path: Path) -> None:
    png = written(tmp_path, seven()).read_bytes()
    body = b"zTXt" + b"x\0\0" + zlib.compress(b"0" * 200_000_000)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path = tmp_path / "bomb.png"
    path.write_bytes(png[:33] + chunk + png[33:])
    with pytest.raises(LabError, match=r"bomb\.png is damaged"):
        read(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    names = ("x.png", "x.jpg", "x.webp", "x.bmp", "x.gif", "x.tiff")
    return {name: written(folder, seven((60, 80)), name).read_bytes() for name in names}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_to_a_file_only_our_errors_come_out(
    tmp_path: Path, whole: dict[str, bytes], data: st.DataObject, capfd: pytest.CaptureFixture[str]
) -> None:
    name = data.draw(st.sampled_from(sorted(whole)))
    content = bytearray(whole[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(content), 400) - 1))
        content[at : at + 1] = data.draw(st.binary(min_size=0, max_size=4))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path = tmp_path / name
    path.write_bytes(content)
    with contextlib.suppress(LabError):
        colours = read_colours(path)
        assert colours.ndim == 3
        assert max(colours.shape[:2]) <= 640
        assert np.isfinite(colours).all()
    assert capfd.readouterr().err == ""


def test_the_picture_that_the_network_gets_has_the_ink_of_one_digit(tmp_path: Path) -> None:
    two = Image.new("L", (600, 400), 220)
    two.paste(seven(), (0, 0))
    two.paste(seven(), (300, 0))
    result = read(written(tmp_path, two))
    assert len(result.digits) == 2
    assert [digit.left < 300 for digit in result.digits] == [True, False]
    assert np.abs(as_mnist(result.digits[0].ink).astype(int) - as_mnist(result.digits[1].ink)).mean() < 1


def test_data_sets_of_other_things_have_one_thing_a_picture(tmp_path: Path) -> None:
    two = Image.new("L", (600, 400), 220)
    two.paste(seven(), (0, 0))
    two.paste(seven(), (300, 0))
    path = written(tmp_path, two)
    for dataset in ("kmnist", "fashion-mnist"):
        (thing,) = read(path, dataset).digits
        assert thing.ink.shape[1] > 300


def test_a_page_of_writing_is_refused(tmp_path: Path) -> None:
    page = Image.new("L", (630, 400), 220)
    for number in range(24):
        page.paste(seven((60, 80)), (10 + number % 8 * 75, 10 + number // 8 * 100))
    with pytest.raises(LabError, match="24 separate marks, too many to be digits"):
        read(written(tmp_path, page))


def test_ink_that_looks_like_no_digit_is_doubted(tmp_path: Path) -> None:
    wide = Image.new("L", (400, 200), 220)
    wide.paste(30, (100, 90, 300, 100))
    assert "wider than a digit" in read(written(tmp_path, wide)).digits[0].doubts[0]
    tiny = Image.new("L", (400, 200), 220)
    tiny.paste(30, (100, 90, 103, 98))
    assert "only 8 pixels large" in read(written(tmp_path, tiny)).digits[0].doubts[0]
    blob = Image.new("L", (200, 200), 220)
    blob.paste(30, (0, 0, 130, 90))
    assert "looks like no handwriting" in read(written(tmp_path, blob)).digits[0].doubts[0]
