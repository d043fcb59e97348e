"""What agents share: checks of settings, the learning rate's schedule, and untrained policies."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from agents import make_agent, settings_type
from agents.agent import Task
from agents.ppo import PPOAgent, PPOSettings
from agents.q_agent import QAgent
from agents.sac import squash
from agents.torch_agent import TorchAgent
from agents.validation import (
    MAX_SIZES,
    at_least_one,
    between_0_and_1,
    check_sizes,
    not_negative,
    positive,
)
from envs.names import flag
from envs.registry import AGENTS

SEEN = spaces.Box(-1.0, 1.0, (4,), np.float32)
NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (at_least_one, [1, 1.5, 10**9], [0, 0.99, -1, NAN, INF]),
        (between_0_and_1, [0, 0.5, 1], [-1e-9, 1 + 1e-9, NAN, INF]),
        (positive, [1e-300, 1, 1e300], [0, -1, NAN, INF]),
        (not_negative, [0, 1e-300, 1e300], [-1e-300, NAN, INF]),
    ],
)
def test_settings_are_accepted_up_to_their_bounds(check: Any, good: Any, bad: Any) -> None:
    for value in good:
        check(SimpleNamespace(one=value, other=value), "one", "other")
    for value in bad:
        with pytest.raises(ValueError, match=r"other must .*" + str(value).replace("+", ".")):
            check(SimpleNamespace(one=good[0], other=value), "one", "other")


SHARES = ("gamma", "gae_lambda", "q_lambda", "tau", "first_epsilon", "last_epsilon")
MAY_BE_0 = ("noise", "entropy_coef", "value_coef", "learning_starts", "codes")


def is_possible(agent: str, name: str, default: float, value: float) -> bool:
    """Return whether a setting of an agent may have a value."""
    if name in SHARES:
        return 0.0 <= value <= 1.0
    if name in ("elite", "target_rate"):
        return 0.0 < value <= 1.0
    if (agent, name) == ("gpt", "warmup"):
        return 0.0 < value < 1.0
    if name == "persistence":
        return 1.0 <= value < INF
    if name == "target_entropy":
        return math.isfinite(value)
    if name in MAY_BE_0:
        return 0.0 <= value < INF
    return (1 if isinstance(default, int) else 1e-300) <= value < INF


@pytest.mark.parametrize("agent", AGENTS)
def test_every_setting_is_accepted_if_it_is_possible(agent: str) -> None:
    settings = settings_type(agent)()
    for name, default in vars(settings).items():
        if type(default) not in (int, float):
            continue
        for value in (NAN, -INF, -1, -1e-9, 0, 1e-9, 0.5, 1 - 1e-9, 1, 1 + 1e-9, 2, INF):
            if is_possible(agent, name, default, value):
                replace(settings, **{name: value})
            else:
                with pytest.raises(ValueError, match=f"^{flag(name)} must be "):
                    replace(settings, **{name: value})


def test_sizes_have_limits() -> None:
    for name, most in MAX_SIZES.items():
        check_sizes(SimpleNamespace(**{name: most}))
        with pytest.raises(ValueError, match=f"^{flag(name)} must be at most {most:,}, got"):
            check_sizes(SimpleNamespace(**{name: most + 1}))


@pytest.mark.parametrize(
    ("warmup", "rates"),
    [
        (0.0, {0: 1.0, 25: 0.75, 50: 0.5, 100: 0.0, 120: 0.0}),
        (0.2, {0: 0.0, 10: 0.5, 20: 1.0, 60: 0.5, 100: 0.0, 120: 0.0}),
    ],
)
def test_the_learning_rate_rises_and_falls_linearly(warmup: float, rates: dict[int, float]) -> None:
    task = Task("test", SEEN, spaces.Discrete(2), 1, total_steps=100)
    agent = TorchAgent(task, nn.Linear(1, 1), 0.5, 0, "cpu")
    assert agent.learning_rate == 0.5
    for steps, rate in rates.items():
        agent.steps_seen = steps
        agent.anneal(warmup)
        assert agent.learning_rate == pytest.approx(0.5 * rate)


@pytest.mark.parametrize("name", ["ppo", "reinforce", "supervised"])
def test_an_untrained_policy_is_nearly_uniform(name: str) -> None:
    """Initial weights of the last layer are small, as is usual for policies."""
    task = Task("test", SEEN, spaces.Discrete(5), 2, 100)
    agent = make_agent(name, task, settings_type(name)(), 0)
    for seen in np.random.default_rng(0).uniform(-1, 1, (20, 4)).astype(np.float32):
        probabilities = agent.insight(seen).probabilities
        assert probabilities is not None
        assert probabilities == pytest.approx(np.full(5, 0.2), abs=0.01)


@pytest.mark.parametrize("name", ["ppo", "reinforce"])
def test_initial_values_are_as_large_as_the_features(name: str) -> None:
    """The heads are orthogonal, with a gain of 0.01 for the policy and 1 for the value."""
    task = Task("test", SEEN, spaces.Discrete(5), 2, 100)
    network: Any = make_agent(name, task, settings_type(name)(), 0).network  # type: ignore[attr-defined]
    if name == "ppo":
        policy, value = network.heads.weight[:-1], network.heads.weight[-1:]
    else:
        policy, value = network.policy[-1].weight, network.value[-1].weight
    assert torch.linalg.svdvals(policy).tolist() == pytest.approx([0.01] * 5)
    assert torch.linalg.svdvals(value).tolist() == pytest.approx([1.0])


@pytest.mark.parametrize("name", ["dqn", "pqn"])
def test_q_values_are_close_to_0_before_training(name: str) -> None:
    task = Task("test", SEEN, spaces.Discrete(5), 2, 100)
    agent = make_agent(name, task, settings_type(name)(), 0)
    assert isinstance(agent, QAgent)
    seen = np.random.default_rng(0).uniform(-1, 1, (20, 4)).astype(np.float32)
    assert 0.0 < agent.network(agent.tensor(seen)).abs().max() < 0.02


@pytest.mark.parametrize("shift", [-700.0, 0.0, 700.0])
def test_ppo_shows_the_probabilities_of_its_logits(shift: float) -> None:
    agent = PPOAgent(Task("test", SEEN, spaces.Discrete(3), 1, 100), PPOSettings(), seed=0)
    with torch.no_grad():
        agent.network.heads.bias[:3] = torch.tensor([0.5, 2.0, -1.0]) + shift
        seen = np.full(4, 0.3, np.float32)
        expected = agent.network(torch.from_numpy(seen[None]))[0][:, 0].softmax(0).numpy()
    assert agent.insight(seen).probabilities == pytest.approx(expected, abs=1e-4)


def test_every_epoch_of_ppo_sees_each_step_once_in_another_order() -> None:
    settings = PPOSettings(num_steps=6, epochs=3, minibatches=4)
    agent = PPOAgent(Task("test", SEEN, spaces.Discrete(2), 2, 100), settings, seed=0)
    agent.rollout.valid[:] = True
    rollout = {name: torch.from_numpy(array) for name, array in agent.rollout.arrays().items()}
    numbers = torch.arange(12.0).reshape(6, 2)
    batches = [batch[4].tolist() for batch in agent.minibatches(rollout, -numbers, numbers)]
    assert [len(batch) for batch in batches] == [3] * 12
    epochs = [np.concatenate(batches[k : k + 4]).tolist() for k in (0, 4, 8)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_sac_limits_its_deviations() -> None:
    """The limits exp(-20) and exp(2) are those of the paper's code."""
    outputs = torch.tensor([[0.1, -30.0], [0.1, 9.0]])
    actions, _ = squash(outputs, torch.full((2, 1), 0.05))
    expected = [math.tanh(0.1 + 0.05 * math.exp(log_std)) for log_std in (-20, 2)]
    assert actions[:, 0].tolist() == pytest.approx(expected, abs=1e-6)
