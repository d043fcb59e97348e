"""Sweeps over settings: what is tried, what is kept, going on, and wrong options."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest
from rich.console import Console

from agents import settings_type
from envs.registry import AGENTS
from training.__main__ import main
from training.ranges import FILE, ranges_of_agent, with_value
from training.sweep.options import read_sweep
from training.sweep.report import describe, report
from training.sweep.trials import finished, open_study, run_trial

SMALL = ["--env", "CartPole-v1", "--agent", "reinforce", "--steps", "600", "--eval-every", "200"]
SMALL += ["--eval-episodes", "4", "--workers", "1"]


def test_ranges_are_of_settings_that_agents_have() -> None:
    for agent in tomllib.loads(FILE.read_text()):
        assert agent in AGENTS
        settings = {each.name for each in dataclasses.fields(settings_type(agent))}
        assert ranges_of_agent(agent).keys() <= settings | {"num_envs"}


def test_ranges_take_in_the_value_of_the_preset() -> None:
    assert with_value((1, 2), 2) == (1, 2)
    assert with_value((1, 2), 3) == (1, 2, 3)
    assert with_value(slice(0.1, 1.0), 5.0) == slice(0.1, 5.0)
    sweep, _ = read_sweep(["--env", "paddle", "--agent", "ppo"])
    assert sweep.preset["num_envs"] == 128
    assert 128 in sweep.ranges["num_envs"]  # type: ignore[operator]


def test_a_sweep_trains_on_tuning_seeds_and_never_stops_early() -> None:
    sweep, workers = read_sweep(["--env", "paddle", "--seeds", "3", "--workers", "2"])
    assert (sweep.seeds, workers) == ((100, 101, 102), "2")
    config = sweep.with_settings({"num_envs": 7, "gamma": 0.5}, 101)
    assert (config.seed, config.num_envs, config.settings.gamma) == (101, 7, 0.5)
    assert config.solved_score is None
    assert config.steps == 10 * config.eval_every


@pytest.mark.parametrize("steps", [["--steps", "5000"], ["--steps=5000"]])
def test_a_short_sweep_has_ten_evaluations_too(steps: list[str]) -> None:
    config = read_sweep(["--env", "paddle", *steps])[0].config
    assert (config.steps, config.eval_every) == (5000, 500)


def test_a_sweep_keeps_its_trials_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    arguments = ["sweep", *SMALL, "--folder", str(tmp_path / "s"), "--seeds", "1", "--trials"]
    assert main([*arguments, "1"]) == 0
    assert main([*arguments, "2"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("trial 0: ") == printed.count("trial 1: ") == 1

    sweep, _ = read_sweep([*arguments[1:], "2"])
    trials = finished(open_study(sweep))
    assert trials[0].params == sweep.preset
    assert [len(trial.intermediate_values) for trial in trials] == [3, 3]
    for trial in trials:
        scores = list(trial.intermediate_values.values())
        assert trial.value == pytest.approx(sum(scores) / 3)
        assert list((tmp_path / "s" / f"trial_{trial.number:03}_seed_100").glob("events*"))

    best = max(trials, key=lambda trial: trial.value)
    (written,) = tomllib.loads((tmp_path / "s" / "best.toml").read_text())["CartPole-v1"].items()
    assert written[0] == "reinforce"
    assert written[1] == pytest.approx(best.params, rel=1e-2)

    assert main([*arguments, "2", "--gamma", "0.5"]) == 2
    assert "was started with other options" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trials", "0"], "--trials must be a positive whole number, got '0'"),
        (["--trials"], "--trials"),
        (["--workers", "x"], "--workers must be"),
        (["--stesp", "3"], "did you mean --steps?"),
        (["--agent", "random"], "there are no ranges for random"),
        (["--steps", "9", "--eval-every", "10"], "--eval-every must be at most --steps"),
        (["--folder", __file__], "--folder must be a folder"),
        (["--resume=runs/x"], "--resume is an option of train.py that a sweep does not"),
        (["--storage", "nothing://x", "--folder", "s"], "the storage nothing://x cannot be used"),
    ],
)
def test_wrong_options_are_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if "--storage" in arguments or "--folder" in arguments:
        pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "--env", "CartPole-v1", *arguments]) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1


def test_a_trial_that_fails_says_why(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    sweep, _ = read_sweep([*SMALL, "--folder", str(tmp_path)])
    sweep = dataclasses.replace(sweep, ranges={"gamma": (2.0,)})
    run_trial((sweep, 0))
    study = open_study(sweep)
    assert "failed (--gamma must be" in describe(finished(study)[0])
    with pytest.raises(ValueError, match=r"no trial of .* was complete \(--gamma must be"):
        report(Console(), sweep, study)


def test_a_missing_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    assert main(["sweep", *SMALL]) == 2
    assert '".[sweep]"' in capsys.readouterr().err
