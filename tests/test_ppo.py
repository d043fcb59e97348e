"""PPO compared with slow direct formulas and with problems whose solutions are known."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from agents import make_agent
from agents.agent import Step, Task, UnsuitableTaskError
from agents.networks.distributions import Categorical, Gaussian
from agents.ppo import PPOAgent, PPOSettings, generalized_advantages


def slow_advantage(columns: list[Any], gamma: float, lam: float, t: int) -> float:
    """Return A_t as the sum over all later deltas of the episode (GAE paper, equation 16)."""
    rewards, values, next_values, done = columns
    total, weight = 0.0, 1.0
    for k in range(t, len(rewards)):
        total += weight * (rewards[k] + gamma * next_values[k] - values[k])
        if done[k]:
            break
        weight *= gamma * lam
    return total


@pytest.mark.parametrize(("gamma", "lam"), [(0.99, 0.95), (0.9, 0.0), (1.0, 1.0), (0.97, 0.5)])
def test_gae_is_the_sum_over_the_rest_of_the_episode(gamma: float, lam: float) -> None:
    generator = np.random.default_rng(3)
    rewards, values, next_values = generator.normal(size=(3, 40, 6))
    done = generator.random((40, 6)) < 0.15
    arrays = (rewards, values, next_values, done)
    r, v, n, d = (torch.tensor(array, dtype=torch.float64) for array in arrays)
    found = generalized_advantages(r, v, n, d, gamma, lam).numpy()
    for t in range(40):
        for i in range(6):
            columns = [array[:, i] for array in arrays]
            slow = slow_advantage(columns, gamma, lam, t)
            assert found[t, i] == pytest.approx(slow, abs=1e-10)


def test_gae_with_lambda_one_is_return_minus_value() -> None:
    rewards = torch.tensor([[1.0], [2.0], [4.0]])
    values = torch.tensor([[0.5], [0.25], [0.125]])
    next_values = torch.tensor([[0.25], [0.125], [0.0]])
    done = torch.tensor([[0.0], [0.0], [1.0]])
    found = generalized_advantages(rewards, values, next_values, done, 0.5, 1.0)
    assert found[:, 0].tolist() == [1 + 1 + 1 - 0.5, 2 + 2 - 0.25, 4 - 0.125]


def one_hot_task(size: int, num_envs: int) -> Task:
    space = spaces.Box(0.0, 1.0, (size,), np.float32)
    return Task("test", space, spaces.Discrete(2), num_envs, 1_000_000)


def constant_value_agent(value: float, **settings: Any) -> PPOAgent:
    """Return an agent whose value function is constant."""
    agent = PPOAgent(one_hot_task(2, 3), PPOSettings(**settings), seed=0)
    with torch.no_grad():
        agent.network.heads.weight[-1].zero_()
        agent.network.heads.bias[-1].fill_(value)
    return agent


def test_truncation_bootstraps_from_the_final_observation_and_termination_does_not() -> None:
    """Environment 0 continues, 1 terminates, 2 is truncated; V is 7 everywhere."""
    agent = constant_value_agent(7.0, num_steps=2, epochs=1, minibatches=1)
    observations = np.zeros((3, 2), np.float32)
    terminated, truncated = np.array([False, True, False]), np.array([False, False, True])
    rewards, valid = np.ones(3), np.ones(3, bool)
    actions = agent.act(observations)
    first = Step(observations, actions, rewards, {}, terminated, truncated, observations, valid)
    assert agent.learn(first) is None
    agent.act(observations)
    assert agent.rollout.next_values[0].tolist() == [
        0.0,
        0.0,
        7.0,
    ]  # environment 0 is known at t + 1
    nothing = np.zeros(3, bool)
    second = Step(observations, actions, rewards, {}, nothing, nothing, observations, valid)
    assert agent.learn(second) is not None
    assert agent.rollout.next_values[0].tolist() == [7.0, 0.0, 7.0]
    assert agent.rollout.next_values[1].tolist() == [7.0, 7.0, 7.0]


def test_truncation_uses_the_last_observation_not_the_first_of_the_next_episode() -> None:
    agent = PPOAgent(one_hot_task(2, 1), PPOSettings(num_steps=4), seed=0)
    seen, last = np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 1.0]], np.float32)
    actions = agent.act(seen)
    yes, no = np.ones(1, bool), np.zeros(1, bool)
    agent.learn(Step(seen, actions, np.zeros(1), {}, no, yes, last, yes))
    with torch.no_grad():
        _, value = agent.network(torch.tensor(last))
    assert agent.rollout.next_values[0, 0] == value[0]
    agent.act(seen)
    agent.learn(Step(seen, actions, np.zeros(1), {}, no, no, seen, yes))
    assert agent.rollout.next_values[0, 0] == value[0]


def test_steps_that_only_reset_an_environment_are_not_learned_from() -> None:
    agent = PPOAgent(one_hot_task(2, 2), PPOSettings(num_steps=3, epochs=1, minibatches=2), seed=0)
    agent.rollout.valid[:] = [[True, True], [True, False], [True, True]]
    rollout = {name: torch.from_numpy(array) for name, array in agent.rollout.arrays().items()}
    advantages = torch.arange(6.0).reshape(3, 2)
    batches = list(agent.minibatches(rollout, advantages, advantages))
    learned = sorted(torch.cat([batch[3] for batch in batches]).tolist())
    assert learned == [0.0, 1.0, 2.0, 4.0, 5.0]


def test_a_rollout_of_resets_only_changes_nothing() -> None:
    agent = PPOAgent(one_hot_task(2, 2), PPOSettings(num_steps=1), seed=0)
    observations, no = np.zeros((2, 2), np.float32), np.zeros(2, bool)
    actions = agent.act(observations)
    assert (
        agent.learn(Step(observations, actions, np.ones(2), {}, no, no, observations, no)) is None
    )


def plain_ppo(
    network: Any, steps: dict[str, Any], settings: PPOSettings
) -> tuple[list[Tensor], dict[str, list[Tensor]]]:
    """Improve `network` by PPO with PyTorch's own distributions and Adam, one batch in an epoch.

    Episodes have one step. The clipped objective is written as in Achiam, "Spinning up in deep RL"
    (2018): an advantage counts at most with the ratio 1 + clip_coef if it is positive, and at least
    with 1 - clip_coef if it is negative.
    """
    one, values = steps["observations"], steps["values"]

    def policy() -> torch.distributions.Distribution:
        outputs = network(one)[0].T
        if steps["actions"].ndim == 1:
            return torch.distributions.Categorical(logits=outputs)
        normal = torch.distributions.Normal(outputs, network.log_std.exp())
        return torch.distributions.Independent(normal, 1)

    returns = steps["rewards"] + settings.gamma * steps["next_values"]
    advantages = returns - values
    advantages = (advantages - advantages.mean()) / advantages.std(correction=0)
    old = policy().log_prob(steps["actions"]).detach()
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, eps=1e-5)
    history: dict[str, list[Tensor]] = {name: [] for name in ("policy", "value", "ratio")}
    for _ in range(settings.epochs):
        ratio = (policy().log_prob(steps["actions"]) - old).exp()
        limited = torch.where(
            advantages > 0,
            advantages * ratio.clamp(max=1 + settings.clip_coef),
            advantages * ratio.clamp(min=1 - settings.clip_coef),
        )
        errors = ((network(one)[1] - returns) ** 2).mean() / 2
        objective = limited.mean() + settings.entropy_coef * policy().entropy().mean()
        optimizer.zero_grad()
        relative_errors = errors / ((returns - returns.mean()) ** 2).mean()
        (settings.value_coef * relative_errors - objective).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings.max_grad_norm)
        optimizer.step()
        history["policy"].append(-limited.mean().detach())
        history["value"].append(errors.detach())
        history["ratio"].append(ratio.detach())
    history["advantages"] = [advantages]
    history["returns"] = [returns]
    return list(network.parameters()), history


@pytest.mark.parametrize(
    "actions", [spaces.Discrete(3), spaces.Box(-9, 9, (2,), np.float32)], ids=["discrete", "box"]
)
def test_an_update_is_that_of_a_plain_implementation(actions: spaces.Space[Any]) -> None:
    """Large steps, so that ratios are clipped on both sides for either sign of the advantage."""
    settings = PPOSettings(
        learning_rate=0.02,
        num_steps=16,
        epochs=5,
        minibatches=1,
        gamma=0.9,
        clip_coef=0.1,
        entropy_coef=0.3,
        value_coef=0.7,
        max_grad_norm=0.4,
        width=16,
    )
    task = Task("test", spaces.Box(-3, 3, (4,), np.float32), actions, 8, 1_000)
    agent = PPOAgent(task, settings, seed=0)
    with torch.no_grad():  # an untrained policy hardly depends on what it sees
        agent.network.heads.weight[:-1] *= 50.0
    network = copy.deepcopy(agent.network)
    generator = np.random.default_rng(0)
    collected: dict[str, list[Any]] = {}
    metrics = None
    for _ in range(settings.num_steps):
        seen, followed = generator.uniform(-3, 3, (2, 8, 4)).astype(np.float32)
        rewards = generator.choice([-1.0, 1.0], 8)
        terminated, valid = generator.random(8) < 0.5, generator.random(8) < 0.9
        sampled = agent.act(seen)
        with torch.no_grad():
            values, next_values = (network(torch.tensor(each))[1] for each in (seen, followed))
        step = {"observations": seen, "actions": agent.rollout.actions[agent.rollout.length].copy()}
        step |= {"rewards": rewards.astype(np.float32), "values": values.numpy()}
        step["next_values"] = np.where(terminated, 0.0, next_values.numpy())
        for name, array in step.items():
            collected.setdefault(name, []).append(array[valid])
        ends = (terminated, ~terminated)
        metrics = agent.learn(Step(seen, sampled, rewards, {}, *ends, followed, valid))
    steps = {name: torch.tensor(np.concatenate(arrays)) for name, arrays in collected.items()}
    expected, history = plain_ppo(network, steps, settings)
    for found, parameter in zip(agent.network.parameters(), expected, strict=True):
        torch.testing.assert_close(found, parameter, rtol=0, atol=2e-5)

    (advantages,), ratio = history["advantages"], torch.stack(history["ratio"])
    for sign in (advantages > 0, advantages < 0):
        assert (ratio[:, sign] > 1.1).any()
        assert (ratio[:, sign] < 0.9).any()
    assert metrics is not None
    assert metrics["policy_loss"] == pytest.approx(np.mean(history["policy"]), abs=1e-5)
    assert metrics["value_loss"] == pytest.approx(np.mean(history["value"]), abs=1e-5)
    assert metrics["clip_fraction"] == pytest.approx(
        float(((ratio - 1).abs() > 0.1).double().mean())
    )
    assert metrics["approx_kl"] == pytest.approx(float((ratio - 1 - ratio.log()).mean()), abs=1e-5)
    (returns,) = history["returns"]
    explained = 1 - (returns - steps["values"]).var() / returns.var()
    assert metrics["explained_variance"] == pytest.approx(float(explained), abs=1e-5)
    assert metrics["learning_rate"] == 0.02


class Corridor:
    """Five cells in a row as a batch: left or right, +1 at the right end, 0.2 at the left one.

    With gamma = 0.9 the optimal action is `right` everywhere, and V(cell) = 0.9^(3 - cell) counted
    from the leftmost inner cell, since 0.2 < 0.9^2.
    """

    CELLS = 3

    def __init__(self, count: int) -> None:
        self.cells = np.arange(count) % self.CELLS
        self.generator = np.random.default_rng(0)

    def observe(self, cells: Any) -> Any:
        return np.eye(self.CELLS, dtype=np.float32)[np.clip(cells, 0, self.CELLS - 1)]

    def step(self, actions: Any) -> tuple[Any, Any, Any]:
        after = self.cells + 2 * actions - 1
        rewards = np.where(after == self.CELLS, 1.0, np.where(after == -1, 0.2, 0.0))
        terminated = (after == self.CELLS) | (after == -1)
        last = self.observe(after)
        sampled = self.generator.integers(0, self.CELLS, len(after))
        self.cells = np.where(terminated, sampled, after)
        return rewards, terminated, last


@pytest.mark.parametrize("seed", range(3))
def test_ppo_finds_the_optimal_policy_and_values_of_a_corridor(seed: int) -> None:
    corridor, count = Corridor(32), 32
    settings = PPOSettings(num_steps=16, gamma=0.9, learning_rate=5e-3, entropy_coef=0.001)
    agent = PPOAgent(one_hot_task(Corridor.CELLS, count), settings, seed)
    no, valid = np.zeros(count, bool), np.ones(count, bool)
    for _ in range(16 * 60):
        seen = corridor.observe(corridor.cells)
        actions = agent.act(seen)
        rewards, terminated, last = corridor.step(actions)
        agent.learn(Step(seen, actions, rewards, {}, terminated, no, last, valid))
    cells = corridor.observe(np.arange(Corridor.CELLS))
    assert agent.act(cells, explore=False).tolist() == [1, 1, 1]
    values = [agent.insight(cell).value for cell in cells]
    assert values == pytest.approx([0.81, 0.9, 1.0], abs=0.05)


def test_ppo_finds_the_best_continuous_action() -> None:
    """The reward is -(a - 3)^2 for one step in the Box 0..4, so the mean must approach 3."""
    space = spaces.Box(0.0, 4.0, (1,), np.float32)
    task = Task("test", spaces.Box(-1, 1, (1,), np.float32), space, 64, 1_000_000)
    agent = PPOAgent(task, PPOSettings(num_steps=8, learning_rate=5e-3), seed=0)
    seen, yes, no = np.ones((64, 1), np.float32), np.ones(64, bool), np.zeros(64, bool)
    for _ in range(8 * 60):
        actions = agent.act(seen)
        assert space.contains(actions[0])
        agent.learn(Step(seen, actions, -((actions[:, 0] - 3.0) ** 2), {}, yes, no, seen, yes))
    assert agent.act(seen[:1], explore=False)[0, 0] == pytest.approx(3.0, abs=0.15)


def test_distributions_agree_with_torch() -> None:
    generator = np.random.default_rng(0)
    logits, none = torch.from_numpy(generator.normal(size=(3, 50))).float(), torch.zeros(0)
    categorical = Categorical(spaces.Discrete(3, start=5))
    sampled = categorical.sample(logits.numpy(), none.numpy(), generator)
    chosen = torch.from_numpy(sampled)
    oracle = torch.distributions.Categorical(logits=logits.T)
    torch.testing.assert_close(categorical.log_prob(logits, chosen, none), oracle.log_prob(chosen))
    torch.testing.assert_close(categorical.entropy(logits, none), oracle.entropy())
    assert set(categorical.to_environment(sampled)) == {5, 6, 7}

    means, log_std = logits[:2], torch.tensor([-0.5, 0.3])
    gaussian = Gaussian(spaces.Box(-1.0, 1.0, (2,), np.float32))
    actions = torch.from_numpy(gaussian.sample(means.numpy(), log_std.numpy(), generator))
    normal = torch.distributions.Normal(means.T, log_std.exp())
    found = gaussian.log_prob(means, actions, log_std)
    torch.testing.assert_close(found, normal.log_prob(actions).sum(1))
    torch.testing.assert_close(gaussian.entropy(means, log_std), normal.entropy().sum(1))


def test_continuous_samples_have_the_means_and_deviations_of_the_policy() -> None:
    means = np.repeat(np.array([[0.5], [-2.0]], np.float32), 100_000, 1)
    log_std = np.array([-0.5, 0.3], np.float32)
    gaussian = Gaussian(spaces.Box(-1.0, 1.0, (2,), np.float32))
    sampled = gaussian.sample(means, log_std, np.random.default_rng(1))
    assert sampled.mean(0) == pytest.approx([0.5, -2.0], abs=0.02)  # 4 standard deviations
    assert sampled.std(0) == pytest.approx(np.exp(log_std), rel=0.01)


def test_discrete_samples_have_the_probabilities_of_the_policy() -> None:
    logits = np.repeat(np.log(np.array([[0.6], [0.3], [0.1]], np.float32)), 100_000, 1)
    generator = np.random.default_rng(1)
    sampled = Categorical(spaces.Discrete(3)).sample(logits, np.zeros(0), generator)
    frequencies = np.bincount(sampled, minlength=3) / 100_000
    assert frequencies == pytest.approx([0.6, 0.3, 0.1], abs=0.006)  # 4 standard deviations


def play(agent: PPOAgent, steps: int) -> list[Any]:
    """Play steps that all look the same; return the actions."""
    n = agent.task.num_envs
    seen, no, yes = np.ones((n, 2), np.float32), np.zeros(n, bool), np.ones(n, bool)
    taken = []
    for _ in range(steps):
        actions = agent.act(seen)
        agent.learn(Step(seen, actions, np.zeros(n), {}, no, no, seen, yes))
        taken.append(actions)
    return taken


@pytest.mark.parametrize(
    "actions", [spaces.Discrete(3), spaces.Box(-9, 9, (2,), np.float32)], ids=["discrete", "box"]
)
def test_noise_is_held_for_some_steps_and_actions_stay_those_of_the_policy(
    actions: spaces.Space[Any],
) -> None:
    """A held action and a new one are equal by chance in a third of all cases, or in none."""
    task = Task("test", spaces.Box(0.0, 1.0, (2,), np.float32), actions, 2_000, 1_000_000)
    agent = PPOAgent(task, PPOSettings(num_steps=100, persistence=4.0), seed=0)
    taken = np.array(play(agent, 40)).reshape(40, 2_000, -1)
    same = (taken[1:] == taken[:-1]).all(2).mean()
    discrete = isinstance(actions, spaces.Discrete)
    assert same == pytest.approx(0.75 + 0.25 / 3 if discrete else 0.75, abs=0.01)
    if discrete:
        assert np.bincount(taken.ravel()) / taken.size == pytest.approx([1 / 3] * 3, abs=0.02)
    else:
        assert agent.rollout.actions[:40].std() == pytest.approx(np.exp(-0.5), rel=0.02)


def test_a_restored_agent_holds_the_same_noise() -> None:
    task, settings = one_hot_task(2, 8), PPOSettings(num_steps=4, persistence=5.0)
    agent, other = PPOAgent(task, settings, seed=0), PPOAgent(task, settings, seed=1)
    play(agent, 10)
    other.restore(agent.tensors(), agent.numbers())
    assert np.array_equal(play(agent, 10), play(other, 10))


def test_checkpoints_of_earlier_versions_held_no_noise() -> None:
    agent, other = (PPOAgent(one_hot_task(2, 8), PPOSettings(num_steps=4), seed) for seed in (0, 1))
    play(agent, 10)
    earlier = {name: tensor for name, tensor in agent.tensors().items() if name != "noise"}
    other.restore(earlier, agent.numbers())
    assert np.array_equal(play(agent, 10), play(other, 10))


def test_screens_are_served_and_other_spaces_are_rejected() -> None:
    screens = spaces.Box(0, 255, (2, 40, 40), np.uint8)
    agent = PPOAgent(Task("t", screens, spaces.Discrete(3), 2, 1), PPOSettings(), seed=0)
    assert agent.act(np.zeros((2, 2, 40, 40), np.uint8)).shape == (2,)
    for observation, action in (
        (spaces.Discrete(4), spaces.Discrete(2)),
        (spaces.Box(0, 1, (2,)), spaces.MultiBinary(2)),
    ):
        with pytest.raises(UnsuitableTaskError, match="must be"):
            make_agent("ppo", Task("t", observation, action, 1, 1), PPOSettings(), 0)


def test_acting_without_exploration_changes_nothing() -> None:
    env = gymnasium.make_vec("PaddleBall-v0", num_envs=4)
    observations, _ = env.reset(seed=0)
    task = Task("t", env.single_observation_space, env.single_action_space, 4, 1)
    agent = PPOAgent(task, PPOSettings(), seed=0)
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    assert (
        agent.act(observations, explore=False).tolist()
        == agent.act(observations, explore=False).tolist()
    )
    assert all(torch.equal(before[name], tensor) for name, tensor in agent.tensors().items())


def test_divergence_raises_an_error() -> None:
    agent = constant_value_agent(0.0, num_steps=1)
    observations, no = np.zeros((3, 2), np.float32), np.zeros(3, bool)
    actions = agent.act(observations)
    rewards = np.array([np.nan, 0.0, 0.0])
    with pytest.raises(FloatingPointError, match="diverged after 3 steps"):
        agent.learn(Step(observations, actions, rewards, {}, no, no, observations, ~no))
