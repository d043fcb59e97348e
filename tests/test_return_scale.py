"""The scale of returns compared with plain sums, and learning compared on different scales."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from agents import make_agent, settings_type
from agents.agent import Agent, Step, Task
from agents.return_scale import MEMORY, SCALE, ReturnAgent, ReturnScale, ScaledAgent

NUM_ENVS = 4
GAMMA = 0.9
AGENTS: dict[str, dict[str, Any]] = {
    "ppo": {"num_steps": 8},
    "reinforce": {"baseline": True},
    "dqn": {"learning_starts": 8, "batch_size": 8},
    "pqn": {"num_steps": 8},
    "sac": {"warmup": 8, "batch_size": 8, "width": 16},
    "reward_model": {"batch_size": 8, "width": 16},
}
POWERS = {"value_loss": 2, "q_values": 1, "mean_value": 1, "alpha": 1, "advantage_rms": 1}
POWERS |= {"loss_of_push": 2, "loss_of_ridge": 2}
"""Power of the reward's unit in which curves are drawn; others have none."""
POLICY_LOSS = {"ppo": 0, "reinforce": 1, "sac": 1}


def slow_scale(rewards: Any, over: Any, gamma: float) -> float:
    """Return sigma of rewards (steps, n), with returns that are summed up one by one."""
    squares = weights = 0.0
    for column in range(rewards.shape[1]):
        ends = [*(np.flatnonzero(over[:, column]) + 1).tolist(), len(rewards)]
        for first, last in zip([0, *ends[:-1]], ends, strict=True):
            episode = rewards[first:last, column]
            later = (len(rewards) - last) * rewards.shape[1]
            recent = math.exp(-later / MEMORY)
            for t in range(len(episode)):
                squares += recent * sum(gamma**k * r for k, r in enumerate(episode[t:])) ** 2
                waits = np.flatnonzero(episode[t:])
                weights += recent * gamma ** (2 * waits[0]) if len(waits) else 0.0
    return math.sqrt(squares / weights)


def measured(rewards: Any, over: Any = None, gamma: float = GAMMA) -> ReturnScale:
    """Return a scale that has seen rewards (steps, n)."""
    scale = ReturnScale(rewards.shape[1], gamma)
    over = np.zeros(rewards.shape, bool) if over is None else over
    for each, ended in zip(rewards, over, strict=True):
        scale.add(each, ended, np.ones(len(each), bool))
    scale.update()
    return scale


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.97, 1.0])
def test_sigma_is_that_of_returns_that_are_summed_up_one_by_one(gamma: float) -> None:
    generator = np.random.default_rng(0)
    rewards = generator.normal(size=(60, 5)) * (generator.random((60, 5)) < 0.3)
    over = generator.random((60, 5)) < 0.1
    expected = slow_scale(rewards, over, gamma)
    assert measured(rewards, over, gamma).value == pytest.approx(expected, rel=1e-9)


def test_steps_that_only_reset_an_environment_do_not_count() -> None:
    scale, other = ReturnScale(1, GAMMA), ReturnScale(1, GAMMA)
    no, yes = np.zeros(1, bool), np.ones(1, bool)
    for each in (scale, other):
        each.add(np.ones(1), yes, yes)
    scale.add(np.full(1, np.nan), no, no)
    for each in (scale, other):
        each.add(np.full(1, 3.0), no, yes)
        each.update()
    assert scale.value == other.value == pytest.approx(math.sqrt(5.0), rel=1e-4)


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1e6, 1e12])
def test_sigma_is_proportional_to_the_rewards(size: float) -> None:
    rewards = np.random.default_rng(0).normal(size=(50, 3))
    at_one = measured(rewards).value
    assert measured(size * rewards).value == pytest.approx(size * at_one, rel=1e-12)
    assert measured(np.full((500, 3), size)).value == pytest.approx(size / (1 - GAMMA), rel=0.02)


def test_rewards_of_zero_have_no_scale() -> None:
    scale = measured(np.zeros((50, 3)))
    assert (scale.value, scale.unit, scale.update()) == (0.0, 1.0, 1.0)


def test_rare_rewards_of_one_have_a_scale_of_one() -> None:
    rewards = np.zeros((5_000, 2))
    rewards[-1] = 1.0
    assert measured(rewards).value == pytest.approx(1.0)


def test_one_outlier_hardly_changes_sigma_but_a_lasting_change_does() -> None:
    generator = np.random.default_rng(0)
    scale = measured(generator.normal(size=(2_000, 3)))
    no, yes = np.zeros(3, bool), np.ones(3, bool)
    before = scale.value
    scale.add(np.array([1e9, 0.0, 0.0]), no, yes)
    scale.update()
    assert before <= scale.value < 1.5 * before
    for _ in range(8_000):
        scale.add(1e3 * generator.normal(size=3), no, yes)
        scale.update()
    assert scale.value > 300 * before


def test_a_restored_scale_continues_like_the_original() -> None:
    generator = np.random.default_rng(0)
    scale, other = measured(generator.normal(size=(30, 2))), ReturnScale(2, GAMMA)
    other.restore(scale.arrays())
    other.value = scale.value
    for each in generator.normal(size=(30, 2)):
        for one in (scale, other):
            one.add(each, each > 1.0, np.ones(2, bool))
    assert (scale.update(), scale.value) == (other.update(), other.value)


def make(name: str) -> Agent:
    actions: Any = spaces.Discrete(2)
    if name == "sac":
        actions = spaces.Box(-1.0, 1.0, (1,), np.float32)
    seen = spaces.Box(-1.0, 1.0, (3,), np.float32)
    terms = {"push": 1.0, "ridge": 1.0}
    task = Task("test", seen, actions, NUM_ENVS, 1_000_000, terms)
    return make_agent(name, task, settings_type(name)(**AGENTS[name]), seed=1)


def play(agent: Agent, scale: float, steps: int, seed: int = 0) -> dict[str, float]:
    """Play steps with rewards that depend on state and action; return all metrics, added up."""
    generator, total = np.random.default_rng(seed), dict[str, float]()
    seen = generator.uniform(-1, 1, (NUM_ENVS, 3)).astype(np.float32)
    for _ in range(steps):
        actions = agent.act(seen)
        after = generator.uniform(-1, 1, (NUM_ENVS, 3)).astype(np.float32)
        push = np.where(seen[:, 0] > 0.5, actions.reshape(NUM_ENVS) - 0.5, 0.0)
        terms = {"push": scale * push, "ridge": scale * 0.125 * after[:, 1]}
        terminated, truncated = generator.random((2, NUM_ENVS)) < 0.1
        rewards = terms["push"] + terms["ridge"]
        valid = np.ones(NUM_ENVS, bool)
        ends = (terminated, truncated)
        found = agent.learn(Step(seen, actions, rewards, terms, *ends, after, valid))
        for name, value in (found or {}).items():
            total[name] = total.get(name, 0.0) + value
        seen = after
    return total


@pytest.mark.parametrize("name", AGENTS)
def test_learning_is_the_same_on_every_scale_bit_for_bit(name: str) -> None:
    """With powers of two, no number is rounded in another way: 2^-30 is 1e-9, 2^40 is 1e12."""
    seen = np.array([0.7, 0.1, -0.2], np.float32)
    agent = make(name)
    metrics = play(agent, 1.0, 260)
    value = agent.insight(seen).value
    assert value
    policy = agent.tensors()
    powers = POWERS | {"policy_loss": POLICY_LOSS.get(name, 0)}
    for scale in (2.0**-30, 2.0**40):
        other = make(name)
        scaled = play(other, scale, 260)
        for key, tensor in other.tensors().items():
            if key.startswith(("network.", "optimizer.")) and not key.endswith("return_scale"):
                assert torch.equal(tensor, policy[key]), key
        assert other.insight(seen).value == scale * value
        for key, number in metrics.items():
            assert scaled[key] == number * scale ** powers.get(key, 0), key


@pytest.mark.parametrize("name", [name for name in AGENTS if name != "reward_model"])
def test_a_new_scale_changes_no_prediction(name: str) -> None:
    """Also in a checkpoint of an earlier version, which has no scale."""
    agent = make(name)
    play(agent, 1.0, 100)
    old = {n: t for n, t in agent.tensors().items() if "return_scale" not in n}
    earlier = make(name)
    assert isinstance(earlier, ReturnAgent)
    earlier.restore(old, agent.numbers())
    seen = np.array([0.7, 0.1, -0.2], np.float32)
    assert earlier.return_scale.value == 1.0
    before = earlier.insight(seen).value
    for each in 50.0 * np.random.default_rng(0).normal(size=(50, NUM_ENVS)):
        no = np.zeros(NUM_ENVS, bool)
        earlier.return_scale.add(each, no, ~no)
    assert earlier.rescale() < 1.0
    assert earlier.insight(seen).value == pytest.approx(before, rel=1e-4)


def test_the_reward_model_of_an_earlier_version_keeps_its_predictions() -> None:
    agent, earlier = make("reward_model"), make("reward_model")
    play(agent, 1.0, 50)
    tensors = {n: t for n, t in agent.tensors().items() if "return_scale" not in n}
    earlier.restore(tensors, agent.numbers())
    seen = np.array([0.7, 0.1, -0.2], np.float32)
    assert earlier.insight(seen).value
    play(earlier, 1.0, 50)


@pytest.mark.parametrize("name", [name for name in AGENTS if name != "reward_model"])
def test_episodes_that_are_not_continued_are_forgotten(name: str) -> None:
    agent = make(name)
    assert isinstance(agent, ReturnAgent)
    play(agent, 1.0, 53)
    before = agent.return_scale.arrays()
    agent.discard_rollout()
    after = agent.return_scale.arrays()
    assert before["running"].any()
    assert not after["running"].any()
    assert np.array_equal(before["finished"], after["finished"])


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("shape", [(0,), (2, 3)])
def test_a_damaged_scale_is_refused(name: str, shape: tuple[int, ...]) -> None:
    agent = make(name)
    with pytest.raises(RuntimeError, match="invalid for input of size"):
        agent.restore_policy(agent.policy_tensors() | {SCALE: torch.ones(shape)})


@pytest.mark.parametrize("name", ["dqn", "reward_model"])
def test_a_new_reward_is_measured_from_the_beginning(name: str) -> None:
    """`play.py --train` continues with the policy of the run before."""
    parent, child = make(name), make(name)
    play(parent, 1e6, 50)
    child.warm_start(parent.tensors())
    assert isinstance(child, ScaledAgent)
    assert [scale.value for scale in child.scales.values()] == [0.0] * len(child.scales)
    play(child, 1e-6, 50)
    assert all(1e-8 < scale.value < 1e-5 for scale in child.scales.values())
