"""PQN compared with hand-computed formulas and with a problem whose Q values are known."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from agents.agent import Step
from agents.pqn import PQNAgent, PQNSettings, lambda_returns, layer_norm_backbone
from tests.test_dqn import CORRIDOR_Q, Table, corridor_q, walk_the_corridor
from tests.test_ppo import Corridor, one_hot_task
from tests.test_training import assert_same_checkpoint, run_train


def slow_return(columns: list[Any], gamma: float, lam: float, t: int) -> float:
    """Return the lambda-return as a weighted mean of n-step returns (Sutton and Barto, 12.3)."""
    rewards, next_values, done = columns
    n_step_returns, total = [], 0.0
    for k in range(t, len(rewards)):
        total += gamma ** (k - t) * rewards[k]
        n_step_returns.append(total + gamma ** (k - t + 1) * next_values[k])
        if done[k]:
            break
    last = len(n_step_returns) - 1
    weights = [(1 - lam) * lam**n for n in range(last)] + [lam**last]
    return float(np.dot(weights, n_step_returns))


@pytest.mark.parametrize(("gamma", "lam"), [(0.99, 0.65), (0.9, 0.0), (1.0, 1.0), (0.97, 0.95)])
def test_q_lambda_is_the_weighted_mean_of_n_step_returns(gamma: float, lam: float) -> None:
    generator = np.random.default_rng(3)
    rewards, next_values = generator.normal(size=(2, 40, 6))
    done = generator.random((40, 6)) < 0.15
    arrays = (rewards, next_values, done)
    r, v, d = (torch.tensor(array, dtype=torch.float64) for array in arrays)
    found = lambda_returns(r, v, d, gamma, lam).numpy()
    for t in range(40):
        for i in range(6):
            slow = slow_return([array[:, i] for array in arrays], gamma, lam, t)
            assert found[t, i] == pytest.approx(slow, abs=1e-10)


def small_agent(num_envs: int, **settings: Any) -> PQNAgent:
    return PQNAgent(one_hot_task(3, num_envs), PQNSettings(**settings), seed=0)


def test_rows_of_vectors_are_normalised_too() -> None:
    backbone = layer_norm_backbone(spaces.Box(-1, 1, (5, 8)), 16, torch.Generator().manual_seed(0))
    assert sum(isinstance(layer, torch.nn.LayerNorm) for layer in backbone) == 2
    assert backbone(torch.zeros(3, 5, 8)).shape == (3, 16)


def steps_of(count: int, num_envs: int, **changes: Any) -> list[Step]:
    """Return a step from the first to the second state, with reward 1."""
    seen, after = (np.eye(3, dtype=np.float32)[[state] * num_envs] for state in (0, 1))
    no = np.zeros(num_envs, bool)
    fields: dict[str, Any] = {
        "observations": seen,
        "actions": no.astype(int),
        "rewards": np.ones(num_envs),
    }
    fields |= {"terms": {}, "terminated": no, "truncated": no, "next_observations": after}
    return [Step(**(fields | {"valid": ~no} | changes)) for _ in range(count)]


def test_truncation_bootstraps_from_the_last_observation_and_termination_does_not() -> None:
    """Environment 0 continues, 1 terminates, 2 is truncated; max Q is 7 there and 99 elsewhere."""
    agent: Any = small_agent(3, num_steps=2, gamma=0.5, q_lambda=0.8)
    agent.network = Table([[99.0, 6.0, 99.0], [99.0, 7.0, 99.0]])
    terminated, truncated = np.array([False, True, False]), np.array([False, False, True])
    (first,) = steps_of(1, 3, terminated=terminated, truncated=truncated)
    (second,) = steps_of(1, 3)
    agent.rollout.write(0, first)
    agent.rollout.write(1, second)
    went_on = 1 + 0.5 * (0.2 * 7 + 0.8 * 4.5)
    expected = [[went_on, 1.0, 4.5], [4.5, 4.5, 4.5]]
    assert agent.returns().numpy() == pytest.approx(np.array(expected))


@pytest.mark.parametrize("seed", range(2))
def test_pqn_finds_the_q_of_a_corridor(seed: int) -> None:
    """With lambda = 0, because Peng's Q(lambda) includes the rewards of random actions."""
    settings = PQNSettings(
        num_steps=8,
        gamma=0.9,
        q_lambda=0.0,
        exploration_steps=10_000,
        last_epsilon=0.3,
        learning_rate=5e-3,
    )
    agent = PQNAgent(one_hot_task(Corridor.CELLS, 32), settings, seed)
    walk_the_corridor(agent, 32, 8 * 120)
    assert corridor_q(agent) == pytest.approx(np.array(CORRIDOR_Q), abs=0.04)
    assert agent.act(np.eye(3, dtype=np.float32), explore=False).tolist() == [1, 1, 1]


def test_steps_that_only_reset_an_environment_are_not_learned_from() -> None:
    agent = small_agent(2, num_steps=3, epochs=1, minibatches=2)
    agent.rollout.valid[:] = [[True, True], [True, False], [True, True]]
    batches = list(agent.minibatches(torch.arange(6.0).reshape(3, 2)))
    assert sorted(torch.cat([batch[2] for batch in batches]).tolist()) == [0, 1, 2, 4, 5]
    (beginning,) = steps_of(1, 2, valid=np.zeros(2, bool))
    nothing = small_agent(2, num_steps=1)
    assert nothing.learn(beginning) is None


def test_each_layer_of_the_backbone_is_normalised_before_relu() -> None:
    """Compared with NumPy, with scales and shifts other than 1 and 0."""
    space = spaces.Box(-1, 1, (5,), np.float32)
    backbone = layer_norm_backbone(space, 8, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    for parameter in backbone.parameters():
        parameter.data += torch.randn(parameter.shape, generator=generator)
    vectors = torch.randn(10, 5, generator=generator)
    weights = [parameter.detach().numpy() for parameter in backbone.parameters()]
    hidden = vectors.numpy()
    for matrix, bias, scale, shift in (weights[:4], weights[4:]):
        sums = hidden @ matrix.T + bias
        centred = sums - sums.mean(1, keepdims=True)
        normal = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
        hidden = np.maximum(normal * scale + shift, 0.0)
    assert backbone(vectors).detach().numpy() == pytest.approx(hidden, abs=1e-4)


@pytest.mark.parametrize(
    ("steps", "options"),
    [
        (2400, ["--num-steps", "37"]),  # stops in the middle of a rollout
        (640, ["--env-options", "observation=screen", "screen_size=24", "--num-steps", "20"]),
    ],
    ids=["within a rollout", "screen"],
)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    steps: int, options: list[str], tmp_path: Path
) -> None:
    common = ["--agent", "pqn", "--num-envs", "16", "--eval-every", "500", "--eval-episodes", "2"]
    common += ["--exploration-steps", str(steps + 100), *options]
    through = run_train("--run-dir", tmp_path / "a", "--steps", 2 * steps, *common)
    half = run_train("--run-dir", tmp_path / "b", "--steps", steps, *common)
    run_train("--resume", half, "--steps", 2 * steps)
    assert_same_checkpoint(through, half)


def test_the_learning_rate_falls_to_0_over_the_planned_steps() -> None:
    task = dataclasses.replace(one_hot_task(3, 2), total_steps=4)
    agent = PQNAgent(task, PQNSettings(num_steps=1, anneal=True, learning_rate=0.5), seed=0)
    metrics = [agent.learn(step) for step in steps_of(2, 2)]
    assert [each["learning_rate"] for each in metrics if each] == [0.25, 0.0]


def test_acting_without_exploration_changes_nothing() -> None:
    agent = small_agent(3, num_steps=2)
    for step in steps_of(3, 3):
        agent.learn(step)
    tensors, numbers = agent.tensors(), agent.numbers()
    seen = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]
    assert (agent.act(seen, explore=False) == agent.act(seen, explore=False)).all()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in agent.tensors().items())
    assert agent.numbers() == numbers


def test_divergence_raises_an_error() -> None:
    agent = small_agent(3, num_steps=1)
    (step,) = steps_of(1, 3, rewards=np.full(3, np.nan))
    with pytest.raises(FloatingPointError, match="diverged after 3 steps"):
        agent.learn(step)
