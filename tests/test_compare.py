"""The reward lab compares rewards: what is trained, what is kept, and what is concluded."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from envs.names import load
from reward_lab.comparison import Comparison, compare
from reward_lab.process import TASKS
from reward_lab.runs import jobs_for, run_folder_of, settings_of_train, train_all
from reward_lab.sources import reward_digest
from reward_lab.supervised import Job, run_supervised
from reward_lab.trainer import train_runs
from rewards.__main__ import main
from training.run_folder import TENSORS

STEPS = 2_560
SETTINGS: Any = ("hit_or_miss", 1, 1000, "paddle", None, {})


def run_here(jobs: Sequence[Job], processes: int, on_report: Callable[..., None]) -> list[Any]:
    """Run jobs in this process, as the others take seconds to start."""
    requests = [(load(TASKS[job.task]), json.loads(json.dumps(job.request))) for job in jobs]
    return [task(request, on_report, Event()) for task, request in requests]


class LaterEvent(Event):
    """An event that is set when it was asked `calls` times."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self._left = calls

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("runs", "comparison"):
        monkeypatch.setattr(f"reward_lab.{module}.run_supervised", run_here)


def comparison(returns: Any, scores: Any) -> Comparison:
    names = tuple(f"reward{k}" for k in range(len(scores)))
    folders = tuple(tuple(Path(name, str(k)) for k in range(len(scores[0]))) for name in names)
    return Comparison("PaddleBall-v0", names, 1, folders, np.array(returns), np.array(scores))


@pytest.mark.usefixtures("in_this_process")
def test_the_matrix_is_what_the_evaluations_measured_and_nothing_is_trained_twice(
    tmp_path: Path,
) -> None:
    rewards = ("hit_or_miss", "hit_or_miss - 0.05*effort")
    found = compare(rewards, steps=STEPS, seeds=2, place=tmp_path)
    for k in range(2):
        for s, folder in enumerate(found.folders[k]):
            measured = json.loads((folder / "evaluation.json").read_text())
            assert measured["episodes"] == 100
            assert found.scores[k, s] == measured["mean_score"]
            assert found.returns[k, k, s] == pytest.approx(measured["mean_return"], rel=1e-12)
            # these agents miss in the end, before time is up
            assert found.returns[k, 0, s] == pytest.approx(measured["mean_score"] - 1)
    trained = {path: path.stat().st_mtime_ns for path in tmp_path.rglob(TENSORS)}
    assert len(trained) == 4
    again = compare(rewards[::-1], steps=STEPS, seeds=2, place=tmp_path)
    assert np.array_equal(again.returns, found.returns[::-1, ::-1])
    assert trained == {path: path.stat().st_mtime_ns for path in tmp_path.rglob(TENSORS)}


def test_a_training_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    config = settings_of_train("hit_or_miss", 1, 16_384, "paddle", None, {})
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder, stops in ((whole, [Event()]), (stopped, [LaterEvent(80), Event()])):
        for stop in stops:
            assert not (folder / "evaluation.json").exists()
            (job,) = jobs_for({folder: config}, 1)
            train_runs(job.request, lambda content: None, stop)
    for name in (TENSORS, "evaluation.json", "episodes.npz"):
        assert (whole / name).read_bytes() == (stopped / name).read_bytes()


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_cluster_trains_what_this_machine_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("def alive(before, action, after):\n    return 1.0\n")
    config = settings_of_train("mine.py:alive", 1, 512, "paddle", None, {})
    (here,), (there,) = (train_all([config], Path(workers), workers) for workers in ("1", "ray"))
    for name in (TENSORS, "evaluation.json"):
        assert (there / name).read_bytes() == (here / name).read_bytes()


def test_a_hacked_reward_pays_its_agents_more_than_the_best_ones_which_score_more() -> None:
    returns = np.zeros((3, 3, 3))
    returns[:, 0] = [[10, 11, 12], [0, 1, 1], [9, 10, 11]]  # by the reward of the best agents
    returns[:, 1] = [[1, 2, 1], [8, 9, 9], [1, 1, 1]]
    returns[:, 2] = [[5, 5, 5], [0, 0, 0], [1, 9, 7]]
    found = comparison(returns, [[40, 41, 42], [1, 2, 3], [30, 20, 30]])
    sure, unsure = found.hacks()
    assert (sure.reward, sure.certain, sure.less.value) == (1, True, -39)
    assert sure.more.value == pytest.approx((7 + 7 + 8) / 3)
    assert (unsure.reward, unsure.certain) == (2, False)
    assert not comparison(np.ones((2, 2, 3)), [[40, 41, 42], [1, 2, 3]]).hacks()


def test_agreement_is_spearmans_rank_correlation() -> None:
    generator = np.random.default_rng(0)
    returns = generator.integers(0, 6, (4, 4, 3)).astype(float)  # with ties
    scores = generator.normal(size=(4, 3))
    found = comparison(returns, scores)
    judged = np.stack([*(returns[:, j].ravel() for j in range(4)), scores.ravel()])
    assert found.agreement() == pytest.approx(spearmanr(judged, axis=1).statistic)
    returns[:, 1] = 2 * returns[:, 0] + 3
    assert comparison(returns, scores).alike()[0][:2] == (0, 1)
    returns[:, 1] = 7.0  # it pays all agents the same
    assert all(1 not in pair[:2] for pair in comparison(returns, scores).alike())


def test_a_reward_is_known_by_its_files_and_nothing_is_executed(tmp_path: Path) -> None:
    file, helper, deeper = (tmp_path / name for name in ("mine.py", "helper.py", "deep/er.py"))
    deeper.parent.mkdir()
    file.write_text("import helper\nraise SystemExit\n")
    helper.write_text("from deep.er import x\n")
    deeper.write_text("x = 1\n")
    before = reward_digest(str(file))
    (tmp_path / "unrelated.py").write_text("")
    assert reward_digest(str(file)) == before
    for path in (file, helper, deeper):
        path.write_text(path.read_text() + "# changed\n")
        after = reward_digest(str(file))
        assert after != before
        before = after
    assert reward_digest("hit_or_miss") != reward_digest("stay_alive")
    learned = tmp_path / "preferences" / "mine" / "reward.safetensors"
    learned.parent.mkdir(parents=True)
    learned.write_text("some numbers")
    before = reward_digest(str(learned.parent))
    learned.write_text("other numbers")
    assert reward_digest(str(learned.parent)) != before


def test_a_file_that_changes_before_it_is_loaded_is_not_trained_on(tmp_path: Path) -> None:
    (job,) = jobs_for({tmp_path / "run": settings_of_train(*SETTINGS)}, 1)
    with pytest.raises(ValueError, match="hit_or_miss changed while it was loaded"):
        train_runs(job.request | {"source": "of the file before"}, lambda content: None, Event())
    assert not list(tmp_path.iterdir())


def test_every_setting_has_a_folder_of_its_own() -> None:
    others = [("stay_alive", 0), (2, 1), (2000, 2), ("reinforce", 4), ({"ball_speed": 0.04}, 5)]
    folders = {run_folder_of(settings_of_train(*SETTINGS), Path())}
    for value, k in others:
        changed: Any = (*SETTINGS[:k], value, *SETTINGS[k + 1 :])
        folders.add(run_folder_of(settings_of_train(*changed), Path()))
    assert len(folders) == 6


def test_jobs_use_all_processes_and_begin_with_a_users_code() -> None:
    def runs_of(rewards: Sequence[str], processes: int) -> list[tuple[int, bool]]:
        configs = {
            Path(reward, str(seed)): settings_of_train(reward, seed, 1000, "paddle", None, {})
            for reward in rewards
            for seed in (1, 2, 3)
        }
        return [(len(job.request["runs"]), job.has_code) for job in jobs_for(configs, processes)]

    assert runs_of(["hit_or_miss", "mine.py"], 2) == [(3, True), (3, False)]
    assert runs_of(["hit_or_miss"], 2) == [(2, False), (1, False)]
    assert runs_of(["hit_or_miss"], 8) == [(1, False)] * 3


def test_a_job_that_fails_is_one_line(tmp_path: Path) -> None:
    job = Job("pay", {"folders": [str(tmp_path / "none")], "rewards": ["hit_or_miss"]}, False)
    with pytest.raises(ValueError, match="has no recorded episodes"):
        run_supervised([job], 1, lambda content: None)


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "name 2 to 26 rewards"),
        (["hit_or_miss", "hit_or_miss"], "is named twice"),
        (["hit_or_miss", "stay_alive", "--seeds", "1"], "--seeds must be between 2 and 10"),
        (["hit_or_miss", "stay_alive", "--env", "CartPole-v1"], "has a reward of its own"),
        (["hit_or_miss", "stay_alive", "--env", "padle"], "did you mean `paddle`?"),
        (["hit_or_miss", "stay_alive", "--steps", "0"], "--steps must be at least 1"),
        (["hit_or_miss", "stay_alive", "--workers", "0"], "--workers must be a positive number"),
        (["hit_or_miss", "stay_alive", "--json", "no/folder"], "--json: there is no folder no"),
        (["hit_or_miss", "stay_alive", "--json", "/proc/x"], "--json: cannot write into /proc"),
        (["hit_or_miss", "stay_aliv", "--steps", "9"], "did you mean `stay_alive`?"),
        (["hit_or_miss", "gone.py", "--steps", "9"], "gone.py does not exist"),
        (["hit_or_miss", "stay_alive", "--agent", "kmeans"], "k-means needs a dataset of points"),
    ],
)
def test_wrong_input_is_one_line_and_nothing_is_written(
    arguments: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *arguments]) == 2
    error = capfd.readouterr().err
    assert problem in error
    assert error.count("\n") == 1
    assert not list(tmp_path.rglob("*"))


def test_a_misspelt_reward_is_named_before_a_missing_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
    assert main(["compare", "hit_or_miss", "stay_aliv"]) == 2
    assert "did you mean `stay_alive`?" in capsys.readouterr().err


def test_ctrl_c_during_the_imports_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(target: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("envs.names.load", interrupted)
    assert main(["compare", "hit_or_miss", "stay_alive"]) == 130
    assert capfd.readouterr().err == "rewards: interrupted\n"


@pytest.mark.usefixtures("in_this_process")
def test_the_command_prints_the_matrix_and_draws_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["hit_or_miss", "2*hit_or_miss", "--steps", "128", "--seeds", "2"]
    assert main(["compare", *arguments, "--json", "found.json"]) == 0
    printed = capfd.readouterr().out
    found = json.loads(Path("found.json").read_text())
    assert found["rewards"] == ["hit_or_miss", "2*hit_or_miss"]
    assert found["returns"][0][1] == [2 * paid for paid in found["returns"][0][0]]
    assert "A  hit_or_miss" in printed
    assert "agree" in printed
    assert main(["compare", *arguments, "--lang", "ko"]) == 0
    assert "agree" not in capfd.readouterr().out
    for figure in ("compare.png", "compare.ko.png"):
        assert Path(figure).stat().st_size > 10_000
