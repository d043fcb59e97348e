"""The reward model compared with known rewards; the planner with dynamic programming."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

import train
from agents import make_agent
from agents.agent import Step, Task, UnsuitableTaskError
from agents.planning import plan, sequences
from agents.reward_model import Memory, RewardModelAgent, RewardModelSettings
from agents.scatter_plot import DOTS, LEFT, SIDE, TOP, scatter
from tests.test_training import QUICK, assert_same_checkpoint, curves, run_train
from training.evaluation import evaluate
from training.lookahead import make_lookahead
from training.trained_agent import load_agent

torch.set_num_threads(1)  # tiny networks are slower with more threads
SEEN = spaces.Box(-1.0, 1.0, (2,), np.float32)
TERMS = {"push": 2.0, "ridge": -1.0}


def known(seen: Any, actions: Any) -> dict[str, Any]:
    return {"push": seen[:, 0] * (actions - 1.0), "ridge": np.abs(seen[:, 1])}


def random_step(generator: np.random.Generator, count: int, actions: Any) -> Step:
    seen, no = generator.uniform(-1, 1, (count, 2)).astype(np.float32), np.zeros(count, np.bool_)
    terms = known(seen, actions)
    rewards = 2.0 * terms["push"] - terms["ridge"]
    return Step(seen, actions, rewards, terms, seen[:, 0] > 0.4, no, seen, ~no)


@pytest.mark.parametrize("continuous", [False, True])
def test_a_known_reward_is_learned_term_by_term(continuous: bool) -> None:
    space: Any = spaces.Box(0.0, 2.0, (), np.float32) if continuous else spaces.Discrete(3)
    task, generator = Task("test", SEEN, space, 64, 1, TERMS), np.random.default_rng(0)
    agent = RewardModelAgent(task, RewardModelSettings(width=32, learning_rate=5e-3), seed=0)
    for _ in range(600):
        agent.learn(random_step(generator, 64, agent.act(np.zeros((64, 2), np.float32))))
    actions = generator.uniform(0, 2, 2_000) if continuous else generator.integers(0, 3, 2_000)
    fresh = random_step(generator, 2_000, actions.astype(space.dtype))
    terms, ends = agent.predict(fresh.observations, fresh.actions)
    for k, name in enumerate(TERMS):
        assert np.sqrt(np.mean((terms[:, k] - fresh.terms[name]) ** 2)) < 0.03
    assert np.mean((ends > 0.5) == fresh.terminated) > 0.98
    seen = np.array([[0.35, 0.0], [-0.9, 0.3]], np.float32)  # rewards: 2 x (a - 1) - |y|
    assert agent.act(seen, explore=False) == pytest.approx([2, 0], abs=0.1)
    promised = [agent.insight(observation).value for observation in seen]
    assert promised == pytest.approx([0.7, 1.5], abs=0.2)


CELLS = 6


def corridor(cell: int, action: int) -> tuple[int, float, bool]:
    """The reward is 0.3 at the left end, 1 at the right end, -0.01 elsewhere; ends terminate."""
    after = cell + 2 * action - 1
    reward = {-1: 0.3, CELLS: 1.0}.get(after, -0.01)
    return after, reward, after in (-1, CELLS)


class Corridors:
    """Dynamics without termination: after an end, the walk continues and can be rewarded again."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells

    def futures(self, actions: Any) -> Iterator[Any]:
        cells = np.repeat(self.cells, actions.shape[1] // len(self.cells))
        for row in actions:
            cells = cells + 2 * row - 1
            yield cells[:, None]


def perfect(seen: Any, actions: Any) -> tuple[Any, Any]:
    found = [
        corridor(int(cell), int(action)) for cell, action in zip(seen[:, 0], actions, strict=True)
    ]
    _, rewards, ends = zip(*found, strict=True)
    return np.array(rewards), np.array(ends, float)


@cache
def best_return(cell: int, horizon: int, gamma: float) -> float:
    return max(return_of(cell, action, horizon, gamma) for action in (0, 1)) if horizon else 0.0


def return_of(cell: int, action: int, horizon: int, gamma: float) -> float:
    """Return optimal values by dynamic programming (Bellman, 1957)."""
    after, reward, over = corridor(cell, action)
    return reward + (0.0 if over else gamma * best_return(after, horizon - 1, gamma))


@pytest.mark.parametrize("gamma", [1.0, 0.9, 0.5])
@pytest.mark.parametrize("horizon", range(1, 9))
def test_with_a_perfect_model_the_planner_is_optimal(horizon: int, gamma: float) -> None:
    cells = np.arange(CELLS)
    tried = sequences(spaces.Discrete(2), horizon, 2**8, 1.0, np.random.default_rng(0))
    actions, returns = plan(cells[:, None], tried, Corridors(cells), perfect, gamma)
    for cell, action in zip(cells.tolist(), actions.tolist(), strict=True):
        best = best_return(cell, horizon, gamma)
        assert returns[cell] == pytest.approx(best)
        assert return_of(cell, action, horizon, gamma) == pytest.approx(best)


def test_a_longer_horizon_finds_the_larger_reward() -> None:
    """From cell 1, the left end is 2 steps away and the right end 5."""
    chosen = []
    for horizon in range(1, 8):
        tried = sequences(spaces.Discrete(2), horizon, 2**8, 1.0, np.random.default_rng(0))
        cells = np.array([1])
        chosen.append(plan(cells[:, None], tried, Corridors(cells), perfect, 1.0)[0][0])
    assert chosen[1:] == [0, 0, 0, 1, 1, 1]


def test_all_sequences_are_tried_if_they_are_few_enough() -> None:
    generator = np.random.default_rng(0)
    tried = sequences(spaces.Discrete(3, start=5), 4, 81, 2.0, generator)
    assert sorted(map(tuple, tried.T.tolist())) == list(itertools.product((5, 6, 7), repeat=4))
    tried = sequences(spaces.Discrete(3, start=5), 40, 80, 8.0, generator)
    assert tried.shape == (40, 80)
    assert sorted(np.bincount(tried[0])[5:].tolist()) == [26, 27, 27]
    changes = (tried[1:] != tried[:-1]).mean()
    assert changes == pytest.approx(2 / 3 / 8, abs=0.02)  # a third of the new ones are equal
    box = spaces.Box(np.array([0, -1], np.float32), np.array([4, 0], np.float32))
    tried = sequences(box, 5, 30, 2.0, generator)
    assert tried.shape == (5, 30, 2)
    assert all(box.contains(action) for action in tried.reshape(-1, 2))


@pytest.mark.parametrize("observation", ["state", "screen"])
@pytest.mark.parametrize("single", [False, True])
def test_lookahead_returns_the_observations_that_follow(observation: str, single: bool) -> None:
    """Two copies of each game take different actions; then the games take those of copy 1."""
    options: Any = {"observation": observation, "screen_size": 24}
    count = 1 if single else 3
    env: Any = (
        gymnasium.make("PaddleBall-v0", **options)
        if single
        else gymnasium.make_vec("PaddleBall-v0", num_envs=count, **options)
    )
    env.reset(seed=0)
    generator = np.random.default_rng(0)
    for _ in range(15):
        env.step(1 if single else np.ones(count, np.int64))
    before = env.unwrapped.batch.checkpoint()
    actions = generator.integers(0, 3, (12, 2 * count))
    lookahead = make_lookahead(env)
    assert lookahead is not None
    told = [seen.copy() for seen in lookahead.futures(actions)]
    after = env.unwrapped.batch.checkpoint()
    assert all((before[name] == after[name]).all() for name in before)
    for t in range(12):
        seen, *_ = env.step(int(actions[t, 1]) if single else actions[t, 1::2])
        np.testing.assert_array_equal(told[t][1::2], seen[None] if single else seen)
    assert any((seen[0] != seen[1]).any() for seen in told)


def test_lookahead_does_not_reveal_future_random_numbers() -> None:
    env: Any = gymnasium.make_vec("TinyLeaf-v0", num_envs=2)
    env.reset(seed=0)
    lookahead = make_lookahead(env)
    assert lookahead is not None
    actions = np.zeros((3, 2, 1), np.float32)
    told = list(lookahead.futures(actions))
    for t in range(3):
        assert (np.abs(env.step(actions[t])[0] - told[t]) > 1e-3).all()
    assert make_lookahead(gymnasium.make("CartPole-v1")) is None


def test_the_memory_keeps_the_newest_valid_steps() -> None:
    task = Task("test", SEEN, spaces.Discrete(3), 4, 1)
    memory, valid = Memory(task, 7), np.array([True, False, True, True])
    for t in range(5):
        seen, no = np.full((4, 2), t, np.float32), np.zeros(4, np.bool_)
        numbers = 4.0 * t + np.arange(4)
        memory.add(Step(seen, np.zeros(4, np.int64), numbers, {}, no, no, seen, valid))
    assert len(memory) == 7
    _, _, terms, _ = memory.newest(3)
    assert terms[:, 0].tolist() == [19, 18, 16]
    assert sorted(memory.rows(np.arange(7))[2][:, 0]) == [8, 10, 11, 12, 14, 15, 16, 18, 19][2:]


def test_a_scatter_plot_has_its_dots_in_the_right_places() -> None:
    picture = scatter(np.array([0.0, 10.0, 0.0]), np.array([0.0, 10.0, 10.0]), "what it shows")
    margin = 0.06 / 1.12
    near, far = LEFT + SIDE * margin, LEFT + SIDE * (1 - margin)
    top, bottom = TOP + SIDE * margin, TOP + SIDE * (1 - margin)

    def dotted(x: float, y: float) -> bool:
        return tuple(picture[round(y), round(x)]) == DOTS

    assert dotted(near, bottom)
    assert dotted(far, top)
    assert dotted(near, top)
    assert not dotted(far, bottom)
    assert picture.dtype == np.uint8
    assert scatter(np.zeros(2), np.zeros(2), "nothing but zeros").shape == picture.shape


def test_a_run_writes_scatter_plots_and_its_agent_can_play(tmp_path: Path) -> None:
    options = ["--agent", "reward_model", "--horizon", 2, "--width", 16, "--num-envs", 16]
    options += ["--reward", "hit_or_miss - 0.01*effort", "--eval-episodes", 2, "--eval-every", 1000]
    options += ["--video-frames", 4]
    folder = run_train("--run-dir", tmp_path, "--steps", 1600, *options)
    tags = curves(folder).Tags()
    expected = {"hit_or_miss", "effort", "the_end"}
    assert {f"agent/predicted_{name}" for name in expected} <= set(tags["images"])
    env = gymnasium.make("PaddleBall-v0")  # with another reward than in training
    agent = load_agent(folder, env)
    assert len(evaluate(agent, "PaddleBall-v0", {"max_steps": 50}, 2, 0).scores) == 2


@pytest.mark.parametrize(
    "options",
    [
        ["--env", "tiny", "--horizon", 3, "--reward", "centred - 0.1*breath"],
        ["--env-options", "observation=screen", "screen_size=24", "max_steps=20"],
    ],
    ids=["continuous", "screen"],
)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    options: list[Any], tmp_path: Path
) -> None:
    options = ["--agent", "reward_model", "--width", 16, "--capacity", 500, *QUICK, *options]
    through = run_train("--run-dir", tmp_path / "a", "--steps", 800, *options)
    half = run_train("--run-dir", tmp_path / "b", "--steps", 400, *options)
    run_train("--resume", half, "--steps", 800)
    assert_same_checkpoint(through, half)


def test_acting_without_exploration_changes_nothing() -> None:
    task = Task("test", SEEN, spaces.Discrete(3), 4, 1, TERMS)
    agent = RewardModelAgent(task, RewardModelSettings(), seed=0)
    agent.learn(random_step(np.random.default_rng(0), 4, agent.act(np.zeros((4, 2), np.float32))))
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    numbers, seen = agent.numbers(), np.ones((9, 2), np.float32)
    assert (agent.act(seen, explore=False) == agent.act(seen, explore=False)).all()
    assert agent.numbers() == numbers
    assert all(torch.equal(before[name], tensor) for name, tensor in agent.tensors().items())


def test_environments_of_other_projects_allow_horizon_1_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--env", "CartPole-v1", "--agent", "reward_model", "--run-dir", str(tmp_path)]
    assert train.main([*place, "--horizon", "2"]) == 2
    assert "CartPole-v1 cannot be copied; use horizon 1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    folder = run_train(*place, "--steps", 400, *QUICK)
    run_train("--resume", folder, "--steps", 800)


def test_other_spaces_are_rejected() -> None:
    unbounded = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    for seen, actions in ((SEEN, unbounded), (SEEN, spaces.MultiBinary(2))):
        with pytest.raises(UnsuitableTaskError, match="reward_model: actions"):
            make_agent("reward_model", Task("t", seen, actions, 1, 1), RewardModelSettings(), 0)
