"""The benchmarks run from end to end; what they measure is no matter of tests."""

from __future__ import annotations

import io
import json
import math
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks import cleanrl_recipe
from benchmarks.__main__ import main
from benchmarks.agents import GAMES, learn, pairs, show_agents
from benchmarks.comparison import (
    CONTESTS,
    describe_trial,
    make_examination,
    run_trials,
    show_comparison,
)
from benchmarks.engine import measure_engine
from benchmarks.evaluator import Policy, Referee
from benchmarks.learners import LEARNERS, zoo
from benchmarks.machine import machine_facts
from benchmarks.measuring import Measure, Row, interleaved
from benchmarks.report import show_rows
from benchmarks.startup import HERE, PLAY, stopwatch
from benchmarks.training import measure_training, preset_config
from training.evaluation import evaluate


def test_median_and_all_repeats_decide_whether_a_target_is_met() -> None:
    fast = Measure("fast", "s", "", 4.0, "less")
    assert Row(fast, (1.0, 3.0, 9.0), (1.0,)).met is True
    assert Row(fast, (5.0, 3.0, 9.0), (1.0,)).met is False
    assert Row(fast, (1.0, 3.0, math.inf), (1.0,)).met is False
    assert Row(Measure("many", "1/s", "", 4.0), (5.0, 3.0, 9.0), (1.0,)).met is True
    assert Row(Measure("no target", "1/s", ""), (5.0,), (1.0,)).met is None


def test_measures_take_turns() -> None:
    order: list[str] = []

    def sample(name: str) -> float:
        order.append(name)
        return float(len(order))

    rows = interleaved([(Measure(name, "", ""), partial(sample, name)) for name in "ab"], 2)
    assert order == ["a", "b", "a", "b"]
    assert [row.values for row in rows] == [(1.0, 3.0), (2.0, 4.0)]


def test_engine_rows_are_positive_and_become_json() -> None:
    rows = measure_engine(repeats=1, seconds=0.01)
    assert all(value > 0 for row in rows for value in row.values)
    assert json.loads(json.dumps([row.to_json() for row in rows]))[0]["target"] == 50e6


@pytest.mark.parametrize("terminal", [True, False])
def test_table_has_a_line_for_each_row(terminal: bool) -> None:
    written = io.StringIO()
    console = Console(file=written, width=200, force_terminal=terminal)
    show_rows(console, [Row(Measure("balls", "1/s", "each counts", 2.0), (1.0, math.inf), (1.0,))])
    text = written.getvalue()
    assert all(word in text for word in ("balls", ">= 2", "1 of 2", "each counts"))


def test_training_that_is_not_solved_counts_as_infinite() -> None:
    speed, solved, learning = measure_training(seeds=(1,), steps=10_000)
    assert solved.values == (math.inf,)
    assert solved.to_json()["values"] == [None]
    assert speed.median > 0
    assert learning.median > 0


@pytest.mark.parametrize("learner", LEARNERS)
def test_learners_stop_at_their_budget(learner: str) -> None:
    if learner.startswith("Stable-Baselines3"):
        pytest.importorskip("stable_baselines3")
    game = "Pendulum-v1" if learner.endswith(("sac", "SAC")) else "paddle"
    examinations = {game: make_examination(game, seconds=600.0, steps=600)}
    (trial,) = run_trials(examinations, seeds=(1,), learners=(learner,))
    assert 600 <= trial.verdict.steps <= 16_384
    assert trial.verdict.seconds > 0
    assert not trial.verdict.solved
    assert "not solved within" in describe_trial(trial)
    show_comparison(Console(quiet=True), examinations, [trial])


def test_every_contest_is_between_learners_that_there_are() -> None:
    for game, contest in CONTESTS.items():
        examination = make_examination(game, seconds=1.0, steps=1)
        assert set(contest.learners) <= set(LEARNERS)
        assert examination.solved_score == preset_config(1, options=GAMES[game]).solved_score


def test_hyperparameters_of_the_zoo_are_read_with_their_schedules() -> None:
    settings = zoo("CartPole-v1", "PPO")
    assert settings["n_timesteps"] == 100_000
    assert settings["learning_rate"](1.0) == 0.001
    assert settings["learning_rate"](0.25) == 0.00025
    assert zoo("PaddleBall-v0", "PPO") == {}


def test_referee_examines_who_ends_before_the_budget() -> None:
    examination = make_examination("CartPole-v1", seconds=600.0, steps=1_000_000)
    referee = Referee(examination, 1)
    pushes_left = Policy(lambda observations: np.zeros(len(observations), np.int64))
    assert referee.go_on(100, pushes_left)
    referee.finish(150, pushes_left)
    verdict = referee.verdict()
    assert verdict.steps == 150
    assert 8 < verdict.score < 11  # published: pushing one way falls after 9.3 steps on average


def test_agents_meet_the_games_that_they_serve() -> None:
    games = ("paddle", "bicycle", "Pendulum-v1", "paddle, screen")
    met = pairs(games, ("dqn", "sac", "ppo", "rules"))
    assert met == [
        ("paddle", "dqn"),
        ("paddle", "ppo"),
        ("paddle", "rules"),
        ("bicycle", "sac"),
        ("bicycle", "ppo"),
        ("bicycle", "rules"),
        ("Pendulum-v1", "sac"),
        ("Pendulum-v1", "ppo"),
        ("paddle, screen", "dqn"),
        ("paddle, screen", "ppo"),
    ]


def test_agents_are_given_up_when_their_time_is_over_and_shown_in_a_table() -> None:
    given_up = learn("paddle", "reinforce", seed=1, seconds=0.3)
    assert not given_up.solved
    assert given_up.seconds >= 0.3
    by_hand = learn("paddle", "rules", seed=1, seconds=60.0)
    assert by_hand.score > 40
    written = io.StringIO()
    show_agents(Console(file=written, width=200), [given_up, by_hand])
    assert "| reinforce | 0 of 1 | never | never |" in written.getvalue()
    assert "| rules |  |  |  |" in written.getvalue()


def test_a_game_that_there_is_not_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agents", "--games", "chess"]) == 2
    assert "there is no `chess`; there are paddle, bicycle" in capsys.readouterr().err


def test_recipe_learns() -> None:
    returns: list[float] = []

    def go_on(steps: int, network: cleanrl_recipe.Network) -> bool:
        if steps in (4, 10_000):
            evaluation = evaluate(Policy(network.best), "CartPole-v1", {}, 20, seed=1)
            returns.append(float(evaluation.returns.mean()))
        return steps < 10_000

    cleanrl_recipe.learn("CartPole-v1", 1, go_on, cleanrl_recipe.Recipe())
    before, after = returns
    assert after > before + 50


def test_stopwatch_tells_seconds_memory_and_failure(tmp_path: Path) -> None:
    found = stopwatch([sys.executable, "-c", "kept = bytearray(10**8)"], str(tmp_path))
    assert found["seconds"] > 0
    assert found["first_line"] is None
    assert found["processor"] > 0
    if found["peak_bytes"] is not None:
        assert 10**8 < found["peak_bytes"] < 2 * 10**8
    with pytest.raises(RuntimeError, match="oh no"):
        stopwatch([sys.executable, "-c", "raise SystemExit('oh no')"], str(tmp_path))


def test_stopwatch_tells_when_the_first_line_comes(tmp_path: Path) -> None:
    code = "import time\nprint('one', flush=True)\ntime.sleep(0.5)\nprint('two')"
    found = stopwatch([sys.executable, "-c", code], str(tmp_path))
    assert 0 < found["first_line"] <= found["seconds"] - 0.5


def test_first_frame_ends_the_program(tmp_path: Path) -> None:
    program = [str(HERE / "first_frame.py"), str(PLAY), "--agent", "random"]
    assert stopwatch([sys.executable, *program], str(tmp_path))["seconds"] > 0


def test_a_program_without_a_frame_has_failed(tmp_path: Path) -> None:
    program = [str(HERE / "first_frame.py"), str(PLAY), "--help"]
    with pytest.raises(RuntimeError, match="no frame"):
        stopwatch([sys.executable, *program], str(tmp_path))


def test_without_stable_baselines3_the_comparison_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    assert main(["compare"]) == 2
    assert "pip install" in capsys.readouterr().err


def test_facts_name_processor_and_versions() -> None:
    facts = machine_facts()
    assert facts["processor"]
    assert facts["torch"]
