"""The benchmarks run from end to end. Tests do not judge the measured speed."""

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
    COMPARISONS,
    describe_run,
    make_protocol,
    run_all_learners,
    show_comparison,
)
from benchmarks.engine import measure_engine
from benchmarks.evaluator import Evaluator, Policy
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


def test_measures_are_sampled_in_turn() -> None:
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
def test_the_table_has_a_line_for_each_row(terminal: bool) -> None:
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
    protocols = {game: make_protocol(game, seconds=600.0, steps=600)}
    (run,) = run_all_learners(protocols, seeds=(1,), learners=(learner,))
    assert 600 <= run.result.steps <= 16_384
    assert run.result.seconds > 0
    assert not run.result.solved
    assert "not solved within" in describe_run(run)
    show_comparison(Console(quiet=True), protocols, [run])


def test_every_comparison_names_known_learners() -> None:
    for game, comparison in COMPARISONS.items():
        protocol = make_protocol(game, seconds=1.0, steps=1)
        assert set(comparison.learners) <= set(LEARNERS)
        assert protocol.solved_score == preset_config(1, options=GAMES[game]).solved_score


def test_zoo_hyperparameters_include_schedules() -> None:
    settings = zoo("CartPole-v1", "PPO")
    assert settings["n_timesteps"] == 100_000
    assert settings["learning_rate"](1.0) == 0.001
    assert settings["learning_rate"](0.25) == 0.00025
    assert zoo("PaddleBall-v0", "PPO") == {}


def test_a_learner_that_ends_before_the_budget_is_evaluated() -> None:
    protocol = make_protocol("CartPole-v1", seconds=600.0, steps=1_000_000)
    evaluator = Evaluator(protocol, 1)
    pushes_left = Policy(lambda observations: np.zeros(len(observations), np.int64))
    assert evaluator.keep_training(100, pushes_left)
    evaluator.finish(150, pushes_left)
    result = evaluator.result()
    assert result.steps == 150
    assert 8 < result.score < 11  # published: pushing one way falls after 9.3 steps on average


def test_agents_are_paired_with_the_games_they_support() -> None:
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


def test_runs_stop_at_the_time_limit_and_appear_in_the_table() -> None:
    stopped = learn("paddle", "reinforce", seed=1, seconds=0.3)
    assert not stopped.solved
    assert stopped.seconds >= 0.3
    rules = learn("paddle", "rules", seed=1, seconds=60.0)
    assert rules.score > 40
    written = io.StringIO()
    show_agents(Console(file=written, width=200), [stopped, rules])
    assert "| reinforce | 0 of 1 | never | never |" in written.getvalue()
    assert "| rules |  |  |  |" in written.getvalue()


def test_an_unknown_game_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agents", "--games", "chess"]) == 2
    assert "unknown name `chess`; known names: paddle, bicycle" in capsys.readouterr().err


def test_recipe_learns() -> None:
    returns: list[float] = []

    def keep_training(steps: int, network: cleanrl_recipe.Network) -> bool:
        if steps in (4, 10_000):
            evaluation = evaluate(Policy(network.best), "CartPole-v1", {}, 20, seed=1)
            returns.append(float(evaluation.returns.mean()))
        return steps < 10_000

    cleanrl_recipe.learn("CartPole-v1", 1, keep_training, cleanrl_recipe.Recipe())
    before, after = returns
    assert after > before + 50


def test_stopwatch_measures_time_and_memory_and_reports_failure(tmp_path: Path) -> None:
    found = stopwatch([sys.executable, "-c", "kept = bytearray(10**8)"], str(tmp_path))
    assert found["seconds"] > 0
    assert found["first_line"] is None
    assert found["processor"] > 0
    if found["peak_bytes"] is not None:
        assert 10**8 < found["peak_bytes"] < 2 * 10**8
    with pytest.raises(RuntimeError, match="oh no"):
        stopwatch([sys.executable, "-c", "raise SystemExit('oh no')"], str(tmp_path))


def test_stopwatch_measures_the_time_to_the_first_line(tmp_path: Path) -> None:
    code = "import time\nprint('one', flush=True)\ntime.sleep(0.5)\nprint('two')"
    found = stopwatch([sys.executable, "-c", code], str(tmp_path))
    assert 0 < found["first_line"] <= found["seconds"] - 0.5


def test_first_frame_ends_the_program(tmp_path: Path) -> None:
    program = [str(HERE / "first_frame.py"), str(PLAY), "--agent", "random"]
    assert stopwatch([sys.executable, *program], str(tmp_path))["seconds"] > 0


def test_a_program_that_shows_no_frame_fails(tmp_path: Path) -> None:
    program = [str(HERE / "first_frame.py"), str(PLAY), "--help"]
    with pytest.raises(RuntimeError, match="no frame"):
        stopwatch([sys.executable, *program], str(tmp_path))


def test_compare_says_how_to_install_stable_baselines3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    assert main(["compare"]) == 2
    assert "pip install" in capsys.readouterr().err


def test_facts_name_processor_and_versions() -> None:
    facts = machine_facts()
    assert facts["processor"]
    assert facts["torch"]
