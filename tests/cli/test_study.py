from __future__ import annotations

import json

import pytest

from lenet_tui.analysis.study.plan import VARIANTS, Plan
from lenet_tui.cli.main import main
from lenet_tui.host.process import this_process
from lenet_tui.store import Store
from tests.analysis.study.making import EPOCHS, study, write_folders
from tests.tui.runs import running

WORDS = ("study", "homework", "--epochs", str(EPOCHS), "--root")


@pytest.fixture
def root(tmp_path):
    """A root whose queue is paused, so that no runner starts and nothing is trained."""
    with Store(tmp_path) as store:
        store.set_paused(True)
    return tmp_path


def call(root, *words, capsys):
    capsys.readouterr()
    assert main([*WORDS, str(root), *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def discussion(root):
    return (root / "study" / "homework" / "discussion.md").read_text()


def configs(root):
    with Store(root) as store:
        return [run.config for run in store.runs()]


def test_every_arm_is_queued_once_a_seed_and_a_second_call_queues_nothing(root, capsys):
    first = call(root, capsys=capsys)
    assert len(first["queued"]) == 5 * len(VARIANTS)
    assert call(root, capsys=capsys)["queued"] == []
    queued = configs(root)
    assert len({config.identity() for config in queued}) == len(queued) == 5 * len(VARIANTS)
    assert queued[: len(VARIANTS)] == [Plan(5, EPOCHS).config(variant, 0) for variant in VARIANTS]


def test_what_the_study_would_find_is_said_when_it_is_queued(root, capsys):
    assert main([*WORDS, str(root)]) == 0
    assert "with 5 seeds, a val loss 26 % lower would be found with a chance of 80 %" in capsys.readouterr().out
    assert main([*WORDS, str(root)]) == 0
    assert "chance of 80 %" not in capsys.readouterr().out


def test_more_seeds_queue_only_those_that_are_missing(root, capsys):
    call(root, "--seeds", "1", capsys=capsys)
    call(root, "--seeds", "2", capsys=capsys)
    assert len(configs(root)) == 2 * len(VARIANTS)


def test_runs_that_are_finished_already_are_not_trained_again(root, capsys):
    write_folders(root, study(keep=lambda variant, seed: seed == 0))
    assert len(call(root, capsys=capsys)["queued"]) == 4 * len(VARIANTS)


def test_stopped_and_failed_runs_are_named_with_the_way_on_and_neither_resumed_nor_queued_again(root, capsys):
    plan = Plan(1, EPOCHS)
    with Store(root) as store:
        stopped = store.add([plan.config(VARIANTS[1], 0)])[0].id
        store.request_stop(stopped)
        failed = running(store, plan.config(VARIANTS[3], 0)).id
        assert store.end(failed, this_process(), "failed", "validation loss became nan in epoch 2")
    answer = call(root, "--seeds", "1", capsys=capsys)
    assert len(answer["queued"]) == len(VARIANTS) - 2
    assert main([*WORDS, str(root), "--seeds", "1"]) == 0
    printed = capsys.readouterr().out
    for text in (printed, discussion(root)):
        assert f"lenet-tui queue resume {stopped}" in text
        assert f"lenet-tui queue retry {failed}" in text
        assert "validation loss became nan in epoch 2" in text
    with Store(root) as store:
        assert [store.get(run_id).state for run_id in (stopped, failed)] == ["stopped", "failed"]


def test_without_queueing_nothing_is_queued_and_the_documents_are_written(root, capsys):
    assert call(root, "--no-queue", capsys=capsys)["queued"] == []
    assert configs(root) == []
    assert "there are no answers so far" in discussion(root)
    assert (root / "study" / "homework" / "discussion.html").exists()


def test_the_document_of_some_runs_tells_what_is_missing_and_that_of_all_does_not(root, capsys):
    whole = study(5)
    write_folders(root, study(5, keep=lambda variant, seed: seed == 0 or variant.question != "alexnet"))
    with Store(root) as store:
        running(store, whole.plan.config(VARIANTS[-1], 1), epochs=3)
    call(root, capsys=capsys)
    text = discussion(root)
    assert f"(AlexNet, seed 1) is running, 3 of {EPOCHS} epochs done" in text
    assert "Queued: AlexNet, seeds 2, 3 and 4" in text
    assert "## What is missing" in text


def test_a_whole_study_has_nothing_missing(root, capsys):
    write_folders(root, study(seeds=2))
    answer = call(root, "--seeds", "2", capsys=capsys)
    assert (answer["queued"], answer["finished"]) == ([], 2 * len(VARIANTS))
    assert "What is missing" not in discussion(root)


def test_a_finished_run_whose_folder_is_damaged_is_told_and_the_rest_is_written(root, capsys):
    write_folders(root, study(seeds=2))
    (root / "lenet" / f"bs16_lr0.001_ep{EPOCHS}" / "metrics.csv").write_text("nonsense\n1\n")
    call(root, "--seeds", "2", capsys=capsys)
    assert "can't be read" in discussion(root)
    assert "## 4. Ways to improve" in discussion(root)


def test_figures_that_these_runs_do_not_give_do_not_stay_behind(root, capsys):
    write_folders(root, study(seeds=2))
    call(root, "--seeds", "2", "--no-queue", capsys=capsys)
    assert len(list((root / "study" / "homework").glob("*.png"))) == 7
    call(root, "--seeds", "1", "--epochs", "3", "--no-queue", capsys=capsys)
    assert not list((root / "study" / "homework").glob("*.png"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "0"], "--epochs 0 must be a whole number from 1 to 1000"),
        (["--dataset", "digit"], "did you mean digits?"),
        (["--seeds", "0"], "0 must be a whole number from 1 to 100"),
        (["--no-queue", "--root", "/nowhere/at/all"], "does not exist"),
    ],
)
def test_a_wrong_flag_is_one_line(words, message, capsys):
    assert main(["study", "homework", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
