"""Comparisons of learners: protocol, statistics, stored results, settings, tables."""

from __future__ import annotations

import io
import json
import math
import re
import sys
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from agents.agent import Agent
from benchmarks import agents, comparison, learners, tuning
from benchmarks.__main__ import main
from benchmarks.cleanrl import run_script
from benchmarks.evaluator import Evaluator, Point, Policy
from benchmarks.learners import Learner, zoo
from benchmarks.learning_curves import curve, draw_curves
from benchmarks.protocol import GAMES, EvalProtocol
from benchmarks.reliability import bootstrap, interquartile_mean, probability_of_improvement
from benchmarks.runs import Job, Lines, Run, run_job, stored_runs
from benchmarks.translation import cleanrl, stable_baselines3
from training.presets import preset
from training.ranges import ranges_of_agent

PUSH_LEFT = Policy(lambda observations: np.zeros(len(observations), np.int64))
SHORT = replace(GAMES["CartPole-v1"], steps=300, every=100, episodes=10)
PRESET = Learner("our", "ppo", "our settings")


# --- The protocol and its evaluations


def test_every_evaluation_of_the_grid_takes_place_once() -> None:
    evaluator = Evaluator(SHORT, seed=1)
    answers = [evaluator.keep_training(steps, PUSH_LEFT) for steps in (64, 128, 192, 256, 320)]
    assert answers == [True, True, True, True, False]
    assert [point.steps for point in evaluator.points] == [128, 256, 320]
    assert all(8 < point.score < 11 for point in evaluator.points)  # published: 9.3 on average
    learning = [point.learning for point in evaluator.points]
    assert learning == sorted(learning)
    assert all(point.processor > 0 for point in evaluator.points)
    assert all(point.learning < point.total for point in evaluator.points)
    assert evaluator.solved is None


def test_a_learner_that_ends_before_the_budget_is_evaluated_once_more() -> None:
    evaluator = Evaluator(SHORT, seed=1)
    assert evaluator.keep_training(100, PUSH_LEFT)
    evaluator.finish(100, PUSH_LEFT)
    evaluator.finish(150, PUSH_LEFT)
    assert [point.steps for point in evaluator.points] == [100, 150]


def test_a_score_counts_as_solved_if_other_episodes_confirm_it() -> None:
    class Lucky(Agent):
        """Balances in some evaluations: `good` says in which, after its first element."""

        def __init__(self, good: list[bool]) -> None:
            self.good = good

        def act(self, observations: Any, explore: bool = True) -> Any:
            balanced = observations[:, 2] + 0.3 * observations[:, 3] + 0.1 * observations[:, 1] > 0
            return balanced.astype(np.int64) if self.good[0] else np.zeros(len(observations), int)

        def set_lookahead(self, lookahead: Any) -> None:
            """Is called before each evaluation."""
            self.good.pop(0)

    evaluator = Evaluator(SHORT, seed=1)
    evaluator.keep_training(100, Lucky([False, True, False]))
    assert evaluator.points[-1].score == 500
    assert evaluator.solved is None
    evaluator.keep_training(200, Lucky([False, True, True]))
    assert evaluator.solved == evaluator.points[-1]


def test_games_have_a_grid_that_divides_the_budget_and_a_goal() -> None:
    for name, protocol in GAMES.items():
        assert protocol.game == name
        assert protocol.steps % protocol.every == 0
        if name not in ("LunarLander-v3", "InvertedPendulum-v5"):  # they need other packages
            assert math.isfinite(protocol.solved_score)


def test_agents_are_trained_on_the_games_they_support() -> None:
    names = ("dqn", "sac", "ppo", "rules", "reward_model")
    found = {
        game: [learner.algorithm for learner in agents.learners_of(GAMES[game], names)]
        for game in ("paddle", "bicycle", "Pendulum-v1", "bicycle, screen")
    }
    assert found == {
        "paddle": ["dqn", "ppo", "rules", "reward_model"],
        "bicycle": ["sac", "ppo", "rules", "reward_model"],
        "Pendulum-v1": ["sac", "ppo", "reward_model"],
        "bicycle, screen": ["sac", "ppo"],
    }


# --- Learners


@pytest.mark.parametrize("kind", ["our settings", "defaults"])
def test_our_agents_use_the_budget_with_the_preset_or_the_general_settings(kind: Any) -> None:
    protocol = replace(GAMES["paddle"], steps=600, every=300, episodes=5)
    run = run_job(Job(protocol, Learner("our", "ppo", kind), 1))
    assert [point.steps // 300 for point in run.points] == [1, 2]
    wanted = preset("PaddleBall-v0" if kind == "our settings" else "another", "ppo", {})
    for name in ("num_envs", "num_steps", "learning_rate"):
        assert run.settings[name] == wanted[name]


@pytest.mark.parametrize(
    ("algorithm", "kind", "games"),
    [
        ("PPO", "our settings", "compiled games"),
        ("DQN", "our settings", "DummyVecEnv"),
        ("A2C", "defaults", "DummyVecEnv"),
        ("PPO", "tuned", "compiled games"),
    ],
)
def test_stable_baselines3_uses_the_budget(algorithm: str, kind: Any, games: Any) -> None:
    pytest.importorskip("stable_baselines3")
    protocol = replace(GAMES["paddle"], steps=600, every=300, episodes=5)
    settings = {"num_envs": 4, "num_steps": 8, "minibatches": 4, "width": 16}
    learner = Learner("Stable-Baselines3", algorithm, kind, games, settings)
    run = run_job(Job(protocol, learner, 1))
    assert [point.steps // 300 for point in run.points] == [1, 2]
    assert run.settings == (settings if kind == "tuned" else learner.settings(protocol))


def test_cleanrl_files_run_unchanged_until_the_budget_is_used_up(tmp_path: Path) -> None:
    """A script of the same form: it never ends by itself, and uses Gymnasium 0.29's names."""
    script = tmp_path / "cleanrl" / "dqn.py"
    script.parent.mkdir()
    script.write_text(
        "import sys\n"
        "import gymnasium as gym\n"
        "import numpy as np\n"
        "import torch\n"
        "if __name__ == '__main__':\n"
        "    arguments = dict(each.split('=') for each in sys.argv[1:])\n"
        "    make = lambda: gym.make(arguments['--env-id'])\n"
        "    envs = gym.vector.SyncVectorEnv([make, make])\n"
        "    q_network = lambda seen: torch.tensor([[1.0, 0.0]]).repeat(len(seen), 1)\n"
        "    envs.reset(seed=int(arguments['--seed']))\n"
        "    while True:\n"
        "        step = envs.step(np.zeros(2, int))\n"
        "        ended = step[2] | step[3]\n"
        "        assert 'final_info' not in step[4]\n"
        "        for i in np.flatnonzero(ended):\n"
        "            last = step[4]['final_observation'][i]\n"
        "            assert last[1] != 0 == step[0][i][1]  # cars start without speed\n"
        "        print('not seen')\n"
    )
    protocol = replace(GAMES["MountainCar-v0"], steps=450, every=150, episodes=2)
    evaluator = Evaluator(protocol, seed=1)
    run_script(script, ["--env-id=MountainCar-v0", "--seed=1"], evaluator)
    assert [(point.steps, point.score) for point in evaluator.points] == [
        (150, -200),
        (300, -200),
        (450, -200),
    ]


def test_our_settings_keep_their_meaning_in_stable_baselines3() -> None:
    settings = learners.Learner("our", "ppo", "our settings").settings(GAMES["paddle"])
    found = stable_baselines3("PPO", settings, 500_000, 1)
    per_update = found["n_envs"] * found["n_steps"]
    assert per_update / found["batch_size"] == settings["minibatches"]
    assert per_update == settings["num_envs"] * settings["num_steps"]
    assert found["net_arch"] == [settings["width"]] * 2
    settings = learners.Learner("our", "dqn", "our settings").settings(GAMES["paddle"])
    found = stable_baselines3("DQN", settings, 500_000, 1)
    updates = found["target_update_interval"] / found["n_envs"] * found["gradient_steps"]
    assert updates / found["train_freq"] == settings["target_every"]
    assert found["exploration_fraction"] * 500_000 == settings["exploration_steps"]
    assert stable_baselines3("SAC", {"target_entropy": -1.0}, 1, 3) == {"target_entropy": -3.0}
    assert stable_baselines3("PPO", {}, 500_000, 1) == {}


def test_our_settings_keep_their_meaning_in_cleanrl() -> None:
    settings = learners.Learner("our", "ppo", "our settings").settings(GAMES["paddle"])
    given = dict(each.split("=") for each in cleanrl("ppo.py", settings, 900) if "=" in each)
    assert int(given["--num-minibatches"]) == settings["minibatches"]
    assert float(given["--vf-coef"]) == settings["value_coef"]
    assert {"--no-anneal-lr", "--no-clip-vloss"} <= set(cleanrl("ppo.py", settings, 900))
    assert cleanrl("ppo.py", {}, 900) == ["--total-timesteps=900"]


def test_zoo_hyperparameters_include_schedules() -> None:
    settings = zoo("CartPole-v1", "PPO")
    assert settings["n_timesteps"] == 100_000
    assert settings["learning_rate"](1.0) == 0.001
    assert settings["learning_rate"](0.25) == 0.00025
    assert zoo("PaddleBall-v0", "PPO") == {}


# --- Statistics


def test_interquartile_mean_is_the_mean_of_the_middle_half() -> None:
    assert interquartile_mean([np.array([100.0, 1, 2, -50])]) == 1.5
    assert interquartile_mean([np.array([1.0, 2]), np.array([9.0, 0])]) == 1.5
    assert interquartile_mean([np.array([3.0, 4, 8])]) == 5  # a quarter of 3 runs is none


def test_probability_of_improvement_counts_pairs() -> None:
    ours, theirs = np.array([1.0, 2, 3]), np.array([2.0, 0])
    assert probability_of_improvement([ours], [theirs]) == 4.5 / 6  # 1>0, 2>0, 3>2, 3>0, 2=2
    tasks = [ours, np.array([0.0])], [theirs, np.array([1.0, 1])]
    assert probability_of_improvement(*tasks) == 4.5 / 12


def test_intervals_are_those_of_all_resamples() -> None:
    """Of 2 + 2 runs in two tasks, all 16 resamples can be listed."""
    tasks = [np.array([0.0, 1]), np.array([10.0, 14])]

    def mean(scores: Any) -> Any:
        return np.concatenate(scores, -1).mean(-1)

    every = [
        mean([tasks[0][list(i)], tasks[1][list(j)]])
        for i, j in product(product((0, 1), repeat=2), repeat=2)
    ]
    found = bootstrap(mean, tasks)
    assert found.value == 6.25
    assert (found.low, found.high) == (min(every), max(every))  # 1 of 16 is more than 2.5 %
    assert bootstrap(mean, tasks) == found


def test_statistics_agree_with_rliable() -> None:
    metrics = pytest.importorskip("rliable.metrics")
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=(2, 10, 3)).round(1)  # runs x tasks, with ties
    assert interquartile_mean(list(first.T)) == pytest.approx(metrics.aggregate_iqm(first))
    assert probability_of_improvement(list(first.T), list(second.T)) == pytest.approx(
        metrics.probability_of_improvement(first, second)
    )


# --- Runs and tables


def made_up(learner: str, seed: int, scores: tuple[float, ...], solved: int | None) -> Run:
    """Return a run with an evaluation after each 100 steps and each second."""
    points = tuple(Point(100 * k, k, k / 4, 2.0 * k, score) for k, score in enumerate(scores, 1))
    at = None if solved is None else points[solved]
    protocol = SHORT.to_json()
    return Run(SHORT.game, learner, seed, points, at, {}, protocol, {"commit": "abc"})


RUNS = [
    *(made_up("ours", seed, (20.0, 490.0, 500.0), 1) for seed in (1, 2)),
    made_up("theirs", 1, (10.0, 20.0, 480.0), 2),
    made_up("theirs", 2, (10.0, 20.0, 30.0), None),
    *(made_up("slower", seed, (10.0, 480.0, 500.0), 2) for seed in (1, 2)),
]


def printed(runs: list[Run], *protocols: EvalProtocol) -> list[list[str]]:
    """Return the cells of all lines of the tables."""
    written = io.StringIO()
    comparison.show_runs(Console(file=written, width=300), protocols or [SHORT], runs)
    lines = [line for line in written.getvalue().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_run_that_ran_out_is_not_within_the_budget_and_has_no_multiple() -> None:
    rows = {row[0]: row for row in printed(RUNS)}
    assert rows["ours"][1:7] == ["2 of 2", "200", "2", "0.5", "4", ""]
    assert rows["ours"][7] == "500 (500 .. 500)"
    # the median of a solved and an unsolved run is unsolved
    assert rows["theirs"][1:7] == [
        "1 of 2",
        "not within 300 (300 .. not within 300)",
        "- (3 .. -)",
        "- (0.75 .. -)",
        "- (6 .. -)",
        "",
    ]
    assert rows["theirs"][8] == "1.00 (1.00 .. 1.00)"
    assert rows["slower"][6] == "1.5"
    assert rows["slower"][8] == "0.50 (0.50 .. 0.50)"
    assert not any("never" in cell for row in rows.values() for cell in row)


def test_several_games_have_a_summary_of_normalised_scores() -> None:
    other = replace(SHORT, game="paddle", arguments=("--env", "paddle"))
    random = [made_up("our random", 1, (25.0,), None)]
    runs = [*random, *RUNS]
    runs += [replace(run, game="paddle") for run in runs]
    rows = [row for row in printed(runs, SHORT, other) if len(row) == 4]
    (ours,) = [row for row in rows if row[0] == "ours"]
    normalised = [(500 - 25) / (475 - 25), (500 - 25) / (40 - 25)]
    assert ours[1] == "2"
    assert float(ours[2].split()[0]) == pytest.approx(np.mean(normalised), abs=0.01)
    (slower,) = [row for row in rows if row[0] == "slower"]
    assert slower[3].startswith("0.50")


def test_results_are_kept_as_they_come_and_a_half_done_table_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "folder" / "results.jsonl"
    protocol = replace(GAMES["CartPole-v1"], steps=100)
    Lines(results).append(
        asdict(run_job(Job(protocol, Learner("our", "random", "our settings"), 1)))
    )
    (first,) = results.read_text().splitlines()
    assert json.loads(first)["machine"]["torch"]
    results.write_text(first + "\n" + first[:40])  # the next line was cut off
    command = ["agents", "--games", "CartPole-v1", "--agents", "random", "--steps", "100"]
    assert main([*command, "--results", str(results), "--seeds", "1", "2"]) == 0
    lines = results.read_text().splitlines()
    assert lines[0] == first
    assert [json.loads(line)["seed"] for line in lines] == [1, 2]
    assert re.search(r"\| our random \|.*\| 2\d\.?\d* \(", capsys.readouterr().out)


def test_results_of_another_budget_or_kind_are_refused(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "results.jsonl")
    job = Job(SHORT, PRESET, 1)
    lines.append(vars(replace(RUNS[0], learner=PRESET.name)))
    with pytest.raises(ValueError, match="another protocol or other settings"):
        stored_runs(lines, [job])
    assert stored_runs(lines, [Job(SHORT, PRESET, 2)]) == []
    other = Lines(tmp_path / "other.jsonl")
    other.append({"rows": []})
    with pytest.raises(ValueError, match="something other than results"):
        stored_runs(other, [job])
    for text in ("no JSON\n", "no JSON", "[]\n", '{"game": 1}\nno JSON'):
        (tmp_path / "other").write_text(text)
        with pytest.raises(ValueError, match="something other than results"):
            Lines(tmp_path / "other")
        assert (tmp_path / "other").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["agents", "--games", "chess"], "unknown name 'chess'; choose from 'paddle', 'bicycle'"),
        (["engin"], "there is no suite or command `engin`; did you mean `engine`?"),
        (
            ["scale", "--mutations", "3"],
            "there is no option --mutations; python -m benchmarks scale",
        ),
        (["damage", "--mutations", "0"], "--mutations must be at least 1, got 0"),
        (
            ["agents", "--workers", "0"],
            "--workers must be a positive number, ray or ray://HOST:PORT, got '0'",
        ),
        (["scale", "--scales", "1", "0"], "--scales must be positive, got 1.0 0.0"),
        (["scale", "--seconds", "nan"], "--seconds must be positive, got nan"),
        (["agents", "--games", "paddle", "--seeds", "100"], "seed 100 is for tuning"),
        (["agents", "--games", "paddle", "--results", "."], "Is a directory"),
        (["engine", "--json", "nowhere/a.json"], "--json: there is no folder nowhere"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_learner_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("stable_baselines3")
    assert main(["compare", "--games", "paddle", "--learners", "nobody"]) == 2
    assert "no learner has such a name" in capsys.readouterr().err


@pytest.mark.parametrize("suite", ["compare", "tune"])
def test_what_is_not_installed_is_said(
    suite: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    assert main([suite]) == 2
    assert "pip install" in capsys.readouterr().err


def test_curves_hold_the_last_evaluation(tmp_path: Path) -> None:
    found = curve(RUNS[:2], "learning", np.array([0.5, 1.0, 2.5, 3.0, 9.0]))
    assert found.at.tolist() == [1.0, 2.5, 3.0]
    assert found.middle.tolist() == [20.0, 490.0, 500.0]
    pytest.importorskip("matplotlib")
    draw_curves(SHORT, RUNS, tmp_path / "figures" / "cartpole.png")
    assert (tmp_path / "figures" / "cartpole.png").read_bytes()[:4] == b"\x89PNG"


# --- Tuning


def test_the_best_trial_with_the_same_protocol_is_used(tmp_path: Path) -> None:
    lines, learner = Lines(tmp_path / "tuned.jsonl"), replace(PRESET, kind="tuned")
    assert tuning.tuned(lines, SHORT, learner) is None
    other = replace(SHORT, steps=100)
    for value, settings, protocol in (
        (3.0, {"gamma": 0.9}, SHORT),
        (5.0, {"gamma": 0.95}, SHORT),
        (None, {"gamma": 0.98}, SHORT),
        (9.0, {"gamma": 0.99}, other),
    ):
        trial = {"game": protocol.game, "learner": learner.name, "protocol": protocol.to_json()}
        lines.append({**trial, "value": value, "settings": settings})
    best = tuning.tuned(Lines(lines.path), SHORT, learner)
    assert best is not None
    assert best.settings(SHORT) == {"gamma": 0.95}
    assert best.name == "our ppo, tuned"


def test_a_sweep_goes_on_where_it_stopped() -> None:
    pytest.importorskip("optuna")
    done: list[dict[str, Any]] = []
    ranges = ranges_of_agent("ppo")
    for number in range(4):
        params = tuning.suggest(done, ranges)
        assert params == tuning.suggest(done, ranges)
        assert params.keys() == ranges.keys()
        assert 1e-4 <= params["learning_rate"] <= 1e-2
        assert params["gamma"] in ranges["gamma"]  # type: ignore[operator]
        done.append({"params": params, "value": None if number == 1 else float(number)})
    assert len({str(trial["params"]) for trial in done}) == 4


def test_every_implementation_is_tuned_over_ranges_that_its_agent_knows() -> None:
    for game in ("paddle", "Pendulum-v1"):
        for learner in learners.tunable(learners.learners_of(GAMES[game])):
            known = {"num_envs", *vars(learners.our_config(GAMES[game], learner.agent, 1).settings)}
            assert tuning.ranges_of(learner).keys() <= known
