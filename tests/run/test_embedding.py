from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lenet_tui.errors import LabError
from lenet_tui.run.embedding import Embedding, Point

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "split,image,true,predicted,x,y\n"
MAP = Embedding("test", (Point(3, 4, 9, -12.25, 3.5), Point(17, 0, 0, 0.0, -1.125)))


def test_a_map_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "t-SNE.csv"
    MAP.write(path)
    assert path.read_text() == HEAD + "test,3,4,9,-12.2500,3.5000\ntest,17,0,0,0.0000,-1.1250\n"
    assert Embedding.read(path) == MAP
    assert [point.is_wrong for point in MAP.points] == [True, False]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "columns"),
        (HEAD, "not all of the test or the validation set"),
        (HEAD + "test,1,2,2,0,0\nvalidation,2,2,2,0,0\n", "not all of the test or the validation set"),
        (HEAD + "train,1,2,2,0,0\n", "not all of the test or the validation set"),
        (HEAD + "test,1,2,2,0\n", "5 fields instead of 6"),
        (HEAD + "test,1,2,10,0,0\n", "does not exist"),
        (HEAD + "test,-1,2,2,0,0\n", "does not exist"),
        (HEAD + "test,1,2,2,nan,0\n", "not a number"),
        (HEAD + "test,1,2,2,0,1e300\n", "not a number"),
        (HEAD + "test,1,2,two,0,0\n", "invalid literal"),
        (HEAD + 'test,1,2,2,0,"0\n', "damaged"),
        (HEAD + "täst,1,2,2,0,0\n", "damaged"),
    ],
)
def test_what_is_no_map_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "t-SNE.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=reason) as error:
        Embedding.read(path)
    assert "\n" not in str(error.value)


def test_a_missing_map_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Embedding.read(tmp_path / "t-SNE.csv")
