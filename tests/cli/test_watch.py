"""``lenet-tui watch``: what it prints of a run that another process trains, and how it ends."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lenet_tui.cli import watch
from lenet_tui.cli.main import main
from lenet_tui.config import RunConfig
from lenet_tui.host.process import this_process
from lenet_tui.run.folder import RunFolder
from lenet_tui.store import Store
from tests.cli.test_train import record
from tests.tui.runs import history, summary_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = RunConfig(dataset="digits", epochs=2)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with run 1 in a queue that starts nothing."""
    with Store(tmp_path) as store:
        store.set_paused(True)
        store.add([CONFIG])
    return tmp_path


@pytest.fixture
def between(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have these steps done in turn, one each time that ``watch`` waits."""

    def script(*steps: Callable[[Store], object]) -> None:
        left = iter(steps)

        def sleep(_seconds: float) -> None:
            with Store(root) as store:
                next(left)(store)

        monkeypatch.setattr(watch, "time", SimpleNamespace(sleep=sleep))

    return script


def begin(store: Store) -> None:
    store.set_paused(False)  # or nothing may begin
    assert store.claim(1, this_process(), 1)
    store.set_paused(True)
    folder = store.root / "lenet" / CONFIG.folder_name()
    folder.mkdir(parents=True)
    RunFolder(folder).write_record(record(CONFIG))
    assert store.begin(1, this_process(), folder, "cpu")


def epoch(number: int) -> Callable[[Store], object]:
    return lambda store: store.record_epoch(1, this_process(), history(2)[number - 1])


def end(store: Store) -> None:
    summary = summary_of(history(2), 0.99)
    folder = RunFolder(store.root / "lenet" / CONFIG.folder_name())
    folder.write_record(record(CONFIG).model_copy(update={"state": "finished", "summary": summary}))
    assert store.end(1, this_process(), "finished", summary=summary)


def interrupted(_store: Store) -> None:
    raise KeyboardInterrupt


def test_a_queued_run_is_followed_from_its_start_to_its_end(root, between, capsys):
    between(begin, epoch(1), epoch(2), end)
    assert main(["watch", "1", "--root", str(root)]) == 0
    out, err = capsys.readouterr()
    assert err == "run 1 waits: the queue is paused; 'lenet-tui queue start' makes it active again\n"
    lines = out.splitlines()
    assert lines[0].startswith("LeNet on digits")
    assert "continuing" not in lines[0]
    assert lines[1] == "epoch 1/2  train loss 0.5000  val loss 0.4000  val acc 69.00 %  2.0 s  lowest val loss"
    assert lines[2] == "epoch 2/2  train loss 0.2500  val loss 0.4100  val acc 84.00 %  2.0 s"
    assert lines[3] == "testing, drawing the pictures" or lines[3].startswith("run 1 finished")
    assert any(line.startswith("run 1 finished: test acc 99.00 %") for line in lines)


def test_json_is_a_document_a_line(root, between, capsys):
    between(begin, epoch(1), epoch(2), end)
    assert main(["watch", "1", "--root", str(root), "--json"]) == 0
    out, err = capsys.readouterr()
    assert not err
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["state", "state", "epoch", "epoch", "end"]
    assert {event["id"] for event in events} == {1}
    assert [event["state"] for event in events if event["event"] != "epoch"] == ["queued", "running", "finished"]
    assert [event["val_loss"] for event in events if event["event"] == "epoch"] == pytest.approx([0.4, 0.41])
    assert events[-1]["test_accuracy"] == 0.99


def test_ctrl_c_leaves_the_run_alone(root, between, capsys):
    between(begin, epoch(1), interrupted)
    assert main(["watch", "1", "--root", str(root)]) == 130
    assert "lenet-tui: no longer watching run 1; it goes on\n" in capsys.readouterr().err
    with Store(root) as store:
        run = store.get(1)
        assert (run.state, run.stop_request, run.epochs_done) == ("running", None, 1)
        store.end(1, this_process(), "stopped")


def test_a_run_that_was_stopped_or_deleted_ends_it_with_1(root, between, capsys):
    between(lambda store: store.request_stop(1))
    assert main(["watch", "1", "--root", str(root)]) == 1
    assert capsys.readouterr().out.startswith("run 1 stopped")
    assert main(["watch", "1", "--root", str(root)]) == 1
    with Store(root) as store:
        store.resume(1)
    between(lambda store: store.remove(1), lambda store: store.delete(1))
    assert main(["watch", "1", "--root", str(root)]) == 1


def test_a_folder_names_the_run_and_a_missing_run_is_one_line(trained_root, tmp_path, capsys):
    folder = RunConfig(dataset="digits", threads=1, tsne_samples=120, epochs=2).folder_name()
    assert main(["watch", f"lenet/{folder}", "--root", str(trained_root)]) == 0
    assert "epoch 2/2" in capsys.readouterr().out
    assert main(["watch", "3", "--root", str(trained_root)]) == 1
    assert main(["watch", "99", "--root", str(trained_root)]) == 2
    assert main(["watch", "1", "--root", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
