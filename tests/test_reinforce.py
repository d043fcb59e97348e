"""REINFORCE compared with a decision tree whose paths can all be enumerated."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from agents import make_agent
from agents.agent import Step, Task, UnsuitableTaskError
from agents.reinforce import ReinforceAgent, ReinforceSettings, returns_to_go
from tests.test_ppo import Corridor
from tests.test_training import QUICK, assert_same_checkpoint, curves, run_train
from training.run_folder import load_checkpoint

CARTPOLE = ("--agent", "reinforce", "--env", "CartPole-v1", "--baseline")
CELLS = 3
REWARDS = np.array([[1.0, 2.0], [5.0, -3.0], [0.5, 4.0]], np.float32)  # of each cell and action
LOGITS = np.array([[0.3, -0.2], [0.1, 0.7], [-0.4, 0.9]], np.float32)
VALUES = np.array([3.0, 1.0, 2.5], np.float32)  # close to those of the policy


def make_reinforce(count: int, **settings: Any) -> ReinforceAgent:
    space = spaces.Box(0.0, 1.0, (CELLS,), np.float32)
    task = Task("t", space, spaces.Discrete(2), count, 1_000)
    return ReinforceAgent(task, ReinforceSettings(**settings), seed=0)


def tabular(**settings: Any) -> ReinforceAgent:
    """Return an agent whose networks are tables: logits and a value for each cell."""
    agent = make_reinforce(1, **settings)
    policy, value = nn.Linear(CELLS, 2, bias=False), nn.Linear(CELLS, 1, bias=False)
    with torch.no_grad():
        policy.weight.copy_(torch.tensor(LOGITS.T))
        value.weight.copy_(torch.tensor(VALUES[None]))
    agent.network.policy, agent.network.value = nn.Sequential(policy), nn.Sequential(value)
    return agent


def probabilities(logits: Any) -> Any:
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(1, keepdims=True)


def paths() -> Any:
    """Yield all paths: in cell 0, action a leads to cell 1 + a, where any action is the last."""
    for first, second in itertools.product(range(2), range(2)):
        yield [0, 1 + first], [first, second]


def expected_return(logits: Any) -> float:
    p, total = probabilities(logits), 0.0
    for cells, actions in paths():
        total += p[cells, actions].prod() * REWARDS[cells, actions].sum()
    return float(total)


def gradients(agent: ReinforceAgent) -> tuple[Any, Any]:
    """Return the gradient estimates (4, 3, 2) of all paths, and the probabilities of the paths."""
    estimates: list[Any] = []
    weights: list[Any] = []
    for cells, actions in paths():
        rewards = [REWARDS[cell, action, None] for cell, action in zip(cells, actions, strict=True)]
        returns = returns_to_go(rewards, [np.array([0])] * 2, 1, 1.0)
        (logits,) = agent.network.policy.parameters()
        observations = torch.eye(CELLS)[cells]
        losses = agent.losses(observations, torch.tensor(actions), torch.from_numpy(returns))
        (gradient,) = torch.autograd.grad(losses["policy_loss"], [logits])
        estimates.append(-gradient.numpy().T)
        weights.append(probabilities(LOGITS)[cells, actions].prod())
    return np.array(estimates), np.array(weights)


@pytest.mark.parametrize("baseline", [False, True])
def test_the_gradient_is_that_of_the_expected_return(baseline: bool) -> None:
    """The mean over all paths equals finite differences of the expected return."""
    estimates, weights = gradients(tabular(baseline=baseline))
    found = (weights[:, None, None] * estimates).sum(0)
    for cell, action in itertools.product(range(CELLS), range(2)):
        more, less = LOGITS.astype(np.float64), LOGITS.astype(np.float64)
        more[cell, action] += 1e-4
        less[cell, action] -= 1e-4
        slope = (expected_return(more) - expected_return(less)) / 2e-4
        assert found[cell, action] == pytest.approx(slope, abs=1e-4)


def test_the_gradient_of_one_path_matches_a_hand_computed_one() -> None:
    """d log pi(a|s) / d logit(s, b) = [a = b] - pi(b|s), times the later rewards."""
    for baseline in (False, True):
        estimates, _ = gradients(tabular(baseline=baseline))
        for estimate, (cells, actions) in zip(estimates, paths(), strict=True):
            by_hand = np.zeros((CELLS, 2))
            for t, (cell, action) in enumerate(zip(cells, actions, strict=True)):
                later = REWARDS[cells[t:], actions[t:]].sum()
                by_hand[cell] -= probabilities(LOGITS)[cell] * (later - baseline * VALUES[cell])
                by_hand[cell, action] += later - baseline * VALUES[cell]
            np.testing.assert_allclose(estimate, by_hand, atol=1e-5)


def test_the_baseline_reduces_the_variance() -> None:
    variances = []
    for baseline in (False, True):
        estimates, weights = gradients(tabular(baseline=baseline))
        mean = (weights[:, None, None] * estimates).sum(0)
        variances.append(float((weights * ((estimates - mean) ** 2).sum((1, 2))).sum()))
    assert variances[1] < 0.75 * variances[0]


def scripted(agent: ReinforceAgent, truncated_value: float = 0.0) -> Any:
    """Return the arguments of an update by three environments with episodes of 1, 2 and 3 steps.

    Rewards are 10 * environment + time. Environment 0 is reset at time 1, where actions have no
    effect, and continues; environment 1 is truncated at time 1; environment 2 ends at time 2.
    """
    head = agent.network.value[-1]
    assert isinstance(head, nn.Linear)
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, truncated_value)
    given: list[Any] = []
    losses = agent.losses
    agent.losses = lambda *batch: given.append(batch) or losses(*batch)  # type: ignore
    no = np.zeros(3, bool)
    for t, (terminated, truncated, valid) in enumerate(
        (
            (np.array([True, False, False]), no, ~no),
            (no, np.array([False, True, False]), np.array([False, True, True])),
            (np.array([False, False, True]), no, ~no),
        )
    ):
        seen = np.eye(CELLS, dtype=np.float32)[[t, t, t]]
        rewards = 10.0 * np.arange(3) + t
        actions = agent.act(seen)
        metrics = agent.learn(Step(seen, actions, rewards, {}, terminated, truncated, seen, valid))
        assert (metrics is None) == (t < 2)
    return given[0]


@pytest.mark.parametrize("baseline", [False, True])
def test_one_whole_episode_of_each_environment_is_used(baseline: bool) -> None:
    agent = make_reinforce(3, gamma=0.5, baseline=baseline)
    agent.return_scale.value = 1.0
    observations, _, returns = scripted(agent, truncated_value=8.0)
    returns = returns * agent.return_scale.value
    assert observations.argmax(1).tolist() == [0, 0, 0, 1, 1, 2]
    rest = 8.0 * 0.5 if baseline else 0.0  # value after the truncation
    one, two = 11 + rest, [20 + 0.5 * (21 + 0.5 * 22), 21 + 0.5 * 22, 22]
    expected = [0.0, 10 + 0.5 * one, two[0], one, two[1], two[2]]
    assert returns.tolist() == pytest.approx(expected)


def test_the_loss_is_the_mean_over_the_episodes() -> None:
    agent = make_reinforce(3)
    observations, actions, returns = scripted(agent)
    log_probs = agent.network.policy(observations).log_softmax(1)
    chosen = log_probs.gather(1, actions[:, None])[:, 0]
    found = ReinforceAgent.losses(agent, observations, actions, returns)
    assert found["policy_loss"].item() == pytest.approx(-(chosen * returns).sum().item() / 3)


def test_unfinished_episodes_are_not_used_after_an_update() -> None:
    """Environments 0 and 1 are in the middle of an episode; only 2 starts one."""
    agent = make_reinforce(3)
    scripted(agent)
    seen, no = np.zeros((3, CELLS), np.float32), np.zeros(3, bool)
    agent.learn(Step(seen, agent.act(seen), np.ones(3), {}, no, no, seen, ~no))
    assert agent.collected["environments"][0].tolist() == [2]


def test_collection_starts_with_the_first_valid_step() -> None:
    """Environment 0 is reset in step 1, which completes the collection; environment 1 in step 2."""
    agent = make_reinforce(2)
    seen, no = np.zeros((2, CELLS), np.float32), np.zeros(2, bool)
    for over, valid in (([1, 0], [1, 1]), ([0, 1], [0, 1]), ([0, 0], [1, 0]), ([0, 0], [1, 1])):
        terminated, counts = np.array(over, bool), np.array(valid, bool)
        agent.learn(Step(seen, agent.act(seen), np.ones(2), {}, terminated, no, seen, counts))
    assert [rows.tolist() for rows in agent.collected["environments"]] == [[0], [0, 1]]


def test_returns_are_discounted_sums() -> None:
    generator = np.random.default_rng(0)
    lengths = [7, 1, 4]
    rewards = [generator.normal(size=length).astype(np.float32) for length in lengths]
    rows = [np.flatnonzero(np.array(lengths) > t) for t in range(7)]
    columns = [np.array([rewards[i][t] for i in rows[t]]) for t in range(7)]
    slow = [
        sum(0.9 ** (k - t) * rewards[i][k] for k in range(t, lengths[i]))
        for t in range(7)
        for i in rows[t]
    ]
    np.testing.assert_allclose(returns_to_go(columns, rows, 3, 0.9), slow, rtol=1e-5)


@pytest.mark.parametrize("baseline", [False, True])
def test_reinforce_finds_the_optimal_policy_of_a_corridor(baseline: bool) -> None:
    corridor, count = Corridor(32), 32
    agent = make_reinforce(count, gamma=0.9, baseline=baseline, learning_rate=1e-2)
    no, valid = np.zeros(count, bool), np.ones(count, bool)
    for _ in range(1_000):
        seen = corridor.observe(corridor.cells)
        actions = agent.act(seen)
        rewards, terminated, last = corridor.step(actions)
        agent.learn(Step(seen, actions, rewards, {}, terminated, no, last, valid))
    cells = corridor.observe(np.arange(CELLS))
    assert agent.act(cells, explore=False).tolist() == [1, 1, 1]
    values = [agent.insight(cell).value for cell in cells]
    assert values == pytest.approx([0.81, 0.9, 1.0], abs=0.1)


def test_reinforce_finds_the_best_continuous_action() -> None:
    space = spaces.Box(0.0, 4.0, (1,), np.float32)
    task = Task("t", spaces.Box(-1, 1, (1,), np.float32), space, 64, 1)
    agent = ReinforceAgent(task, ReinforceSettings(baseline=True, learning_rate=1e-2), seed=0)
    seen, yes, no = np.ones((64, 1), np.float32), np.ones(64, bool), np.zeros(64, bool)
    for _ in range(400):
        actions = agent.act(seen)
        rewards = -((actions[:, 0] - 3.0) ** 2)
        agent.learn(Step(seen, actions, rewards, {}, yes, no, seen, yes))
    assert agent.act(seen[:1], explore=False)[0, 0] == pytest.approx(3.0, abs=0.15)


@pytest.mark.parametrize(
    "options",
    [["--baseline"], ["--env-options", "observation=screen", "screen_size=24"]],
    ids=["vector", "screen"],
)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    options: list[str], tmp_path: Path
) -> None:
    options = ["--agent", "reinforce", *QUICK, *options]
    through = run_train("--run-dir", tmp_path / "a", "--steps", 9600, *options)
    half = run_train("--run-dir", tmp_path / "b", "--steps", 4800, *options)
    assert load_checkpoint(half)[1]["agent"]["lengths"]  # in the middle of an episode
    run_train("--resume", half, "--steps", 9600)
    assert_same_checkpoint(through, half)
    tags = {f"train/{name}" for name in ("policy_loss", "value_loss", "entropy", "advantage_rms")}
    assert tags <= set(curves(through).Tags()["scalars"])


def test_reinforce_solves_cartpole(tmp_path: Path) -> None:
    """CartPole resets in the step after an episode, and truncates episodes at 500 steps."""
    folder = run_train("--run-dir", tmp_path, *CARTPOLE)
    assert load_checkpoint(folder)[1]["progress"]["evaluated_score"] >= 475


def test_other_spaces_are_rejected() -> None:
    vector = spaces.Box(0, 1, (2,))
    for observation, action in (
        (spaces.Discrete(4), spaces.Discrete(2)),
        (vector, spaces.MultiBinary(2)),
    ):
        with pytest.raises(UnsuitableTaskError, match="must be"):
            make_agent("reinforce", Task("t", observation, action, 1, 1), ReinforceSettings(), 0)


def test_divergence_raises_an_error() -> None:
    agent = make_reinforce(1)
    seen, yes, no = np.ones((1, CELLS), np.float32), np.ones(1, bool), np.zeros(1, bool)
    with pytest.raises(FloatingPointError, match="diverged"):
        agent.learn(Step(seen, agent.act(seen), np.array([np.nan]), {}, yes, no, seen, yes))
