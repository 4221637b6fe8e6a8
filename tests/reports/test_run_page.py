"""``report.html`` and the zip file of a run: complete, self-contained, and safe whatever the files say."""

from __future__ import annotations

import argparse
import io
import json
import re
import zipfile
from html.parser import HTMLParser

import pytest

from lenet_tui.cli import export
from lenet_tui.config import RunConfig
from lenet_tui.host import ssh
from lenet_tui.run.folder import PICTURES
from tests.reports.conftest import opened, predictions


def call(*words: object) -> int:
    parser = argparse.ArgumentParser()
    export.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["export", *map(str, words)])
    return arguments.run(arguments)


class Reader(HTMLParser):
    """Keeps every address, and every element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.elements: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "srcset", "data")]


def test_the_report_has_all_of_a_run_and_loads_nothing(make_run, capsys):
    folder = make_run(RunConfig(batch_size=16), predicted=predictions())
    assert call(folder.path, "--report") == 0
    assert capsys.readouterr().out.splitlines() == [str(folder.path / n) for n in (*PICTURES, "report.html")]
    text = (folder.path / "report.html").read_text(encoding="utf-8")
    page = Reader(text)
    assert len(page.addresses) == 3
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert "script" not in page.elements
    assert "http" not in re.sub(r"http-equiv", "", text)
    assert "prefers-color-scheme: dark" in text
    for words in (
        "<strong>16</strong>",
        "<td>torch</td><td>2.6.0</td>",
        "c0ffee",
        "train loss",
        "val acc",
        "t-SNE map",
    ):
        assert words in text, words
    assert text.count("<tr") > len(folder.read_metrics()) + 20


def test_what_the_files_say_is_text_and_never_html(make_run):
    folder = make_run()
    evil = "<script>alert(1)</script><img src=//x onerror=1>&\x1b"
    record = folder.read_record()
    dataset = record.dataset.model_copy(update={"source": evil, "checksum": evil, "fallback_for": evil})
    changed = {"environment": {evil: evil}, "device": evil, "reason": evil, "dataset": dataset}
    folder.write_record(record.model_copy(update=changed))
    moved = folder.path.rename(folder.path.with_name("<b>x & y"))
    assert call(moved, "--report") == 0
    text = (moved / "report.html").read_text(encoding="utf-8")
    page = Reader(text)
    assert not {"script", "b"} & set(page.elements)
    assert page.elements.count("img") == 1  # the loss: there are no predictions
    assert text.count("&lt;script&gt;alert(1)") >= 6
    assert "\x1b" not in text
    assert "not drawn, predictions.npz is not there yet" in text


def test_the_zip_file_is_what_is_handed_in(make_run, capsys):
    folder = make_run(predicted=predictions())
    folder.checkpoint_path.write_bytes(b"x")
    folder.weights_path.write_bytes(b"x")
    assert call(folder.path, "--zip", "--json") == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["zip"] == str(folder.path / "lenet_bs64_lr0.001.zip")
    assert run["report"] == str(folder.path / "report.html")
    with zipfile.ZipFile(run["zip"]) as archive:
        assert archive.testzip() is None
        names = [f"bs64_lr0.001/{name}" for name in (*PICTURES, "report.html", "metrics.csv", "run.json")]
        assert archive.namelist() == names
        assert archive.read(names[3]) == (folder.path / "report.html").read_bytes()
        assert opened(archive.read(names[0])).size
    before = (folder.path / "lenet_bs64_lr0.001.zip").stat().st_size
    assert call(folder.path, "--zip") == 0
    assert (folder.path / "lenet_bs64_lr0.001.zip").stat().st_size == before


def test_a_run_without_an_epoch_has_a_report_too(make_run):
    folder = make_run(rows=())
    assert call(folder.path, "--zip") == 0
    assert "No epoch is done." in (folder.path / "report.html").read_text(encoding="utf-8")
    with zipfile.ZipFile(io.BytesIO((folder.path / "lenet_bs64_lr0.001.zip").read_bytes())) as archive:
        assert archive.namelist() == ["bs64_lr0.001/report.html", "bs64_lr0.001/run.json"]


def test_a_link_in_place_of_the_report_is_not_followed(make_run, tmp_path, capsys):
    folder = make_run()
    (tmp_path / "precious").write_text("mine")
    (folder.path / "report.html").symlink_to(tmp_path / "precious")
    call(folder.path, "--report")
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize(
    ("connection", "paths", "line"),
    [
        ("10.0.0.2 5555 10.0.0.1 22", ["/a/b/*.png"], "scp 'me@10.0.0.1:/a/b/*.png' ."),
        ("::2 5555 fe80::1 2222", ["/a/x y.zip"], "scp -P 2222 'me@[fe80::1]:/a/x y.zip' ."),
        ("10.0.0.2 5555 10.0.0.1 22", ["/a/b", "/a/c"], "scp -r me@10.0.0.1:/a/b me@10.0.0.1:/a/c ."),
        ("10.0.0.2 5555 10.0.0.1 22", [], None),
        ("10.0.0.2 5555 $(evil) 22", ["/a"], None),
        ("10.0.0.2 5555 10.0.0.1 22;evil", ["/a"], None),
        ("", ["/a"], None),
    ],
)
def test_over_ssh_the_line_to_fetch_it_is_said(connection, paths, line, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", connection)
    monkeypatch.setattr("getpass.getuser", lambda: "me")
    assert ssh.scp_line(paths) == line


def test_pages_of_several_runs_are_fetched_by_folder(make_run, monkeypatch, capsys):
    first, second = make_run(), make_run(RunConfig(seed=1))
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.2 5555 10.0.0.1 22")
    assert call(first.path, second.path, "--report") == 0
    assert f"10.0.0.1:{second.path} ." in capsys.readouterr().err
    assert call(first.path, second.path, "--zip") == 0
    assert f"10.0.0.1:{second.path}/lenet_bs64_lr0.001_seed1.zip ." in capsys.readouterr().err
