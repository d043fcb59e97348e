"""SAC compared with PyTorch's distributions, hand-computed targets, and a known optimum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor
from torch.distributions import Independent, Normal, TanhTransform, TransformedDistribution

from agents import make_agent
from agents.agent import Step, Task, UnsuitableTaskError
from agents.sac import SACAgent, SACSettings, squash
from tests.test_training import QUICK, assert_same_checkpoint, run_train

torch.set_num_threads(1)  # tiny networks are slower with more threads
SEEN = spaces.Box(-1.0, 1.0, (3,), np.float32)
SMALL = {"width": 16, "batch_size": 8, "warmup": 8, "capacity": 64}


def make_sac(actions: spaces.Space[Any], num_envs: int = 8, **settings: Any) -> SACAgent:
    return SACAgent(Task("test", SEEN, actions, num_envs, 1), SACSettings(**settings), seed=0)


def a_step(agent: SACAgent, **changes: Any) -> Step:
    count = agent.task.num_envs
    seen, no = np.full((count, 3), 0.5, np.float32), np.zeros(count, np.bool_)
    whole: dict[str, Any] = {
        "observations": seen,
        "actions": agent.act(seen),
        "rewards": np.ones(count),
    }
    whole |= {"terms": {}, "terminated": no, "truncated": no, "next_observations": seen}
    return Step(**(whole | {"valid": ~no} | changes))


def oracle(outputs: Tensor) -> TransformedDistribution:
    mean, log_std = outputs.chunk(2, 1)
    normal = Independent(Normal(mean, log_std.exp()), 1)
    return TransformedDistribution(normal, [TanhTransform()])


def test_log_probabilities_of_squashed_actions_match_pytorch() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = 0.5 * torch.randn(200, 6, generator=generator, dtype=torch.float64)
    noise = torch.randn(200, 3, generator=generator, dtype=torch.float64)
    actions, log_probs = squash(outputs, noise)
    torch.testing.assert_close(actions, (outputs[:, :3] + outputs[:, 3:].exp() * noise).tanh())
    torch.testing.assert_close(log_probs, oracle(outputs).log_prob(actions), rtol=1e-6, atol=1e-6)


def test_log_probabilities_stay_finite_where_tanh_is_one() -> None:
    _, log_probs = squash(torch.tensor([[40.0, 0.0], [-40.0, 0.0]]), torch.zeros(2, 1))
    expected = -0.5 * np.log(2 * np.pi) - 2 * (np.log(2) - 40)  # log(1 - tanh^2 u): 2 log 2 - 2 |u|
    assert log_probs.tolist() == pytest.approx([expected] * 2, rel=1e-6)


def random_batch(agent: SACAgent, count: int) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)

    def sampled(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    batch = {
        "observations": sampled(count, 3),
        "actions": sampled(count, 2).tanh(),
        "rewards": sampled(count),
        "next_observations": sampled(count, 3),
        "discounts": torch.tensor([0.9, 0.0] * (count // 2)),
    }
    return batch, sampled(count, 2), sampled(count, 2)


def trained_a_little() -> SACAgent:
    """Return an agent whose targets, policy and temperature have changed."""
    agent = make_sac(spaces.Box(-1.0, 1.0, (2,), np.float32), **SMALL, learning_rate=0.01)
    generator = np.random.default_rng(0)
    for _ in range(20):
        agent.learn(a_step(agent, rewards=generator.normal(size=8)))
    with torch.no_grad():
        agent.network.log_alpha.fill_(np.log(0.37))
    return agent


def q_by_hand(pair: Any, seen: Tensor, action: Tensor) -> list[float]:
    """Return both estimates for one state and action, layer by layer."""
    found = []
    for critic in pair:
        hidden = torch.cat((seen, action))
        for layer in (critic[0], critic[2]):
            hidden = (layer.weight @ hidden + layer.bias).detach().clamp_min(0)
        found.append((critic[4].weight[0] @ hidden + critic[4].bias[0]).item())
    return found


def test_targets_match_hand_computed_ones() -> None:
    """The target is r + gamma (min of the target critics - alpha log pi), or r at the end."""
    agent = trained_a_little()
    batch, _, noise = random_batch(agent, 6)
    found = agent.targets(batch, noise)
    for i in range(6):
        seen = batch["next_observations"][i]
        with torch.no_grad():
            outputs = agent.network.policy(seen[None])
            action = (outputs[0, :2] + outputs[0, 2:].exp() * noise[i]).tanh()
            log_prob = float(oracle(outputs).log_prob(action[None]))
            value = min(q_by_hand(agent.target.pair, seen, action)) - 0.37 * log_prob
        expected = float(batch["rewards"][i]) + (0.9 * value if i % 2 == 0 else 0.0)
        assert float(found[i]) == pytest.approx(expected, abs=1e-4)
        assert q_by_hand(agent.target.pair, seen, action) != pytest.approx(
            q_by_hand(agent.network.critics.pair, seen, action), abs=1e-4
        )


def test_the_sum_of_losses_has_the_gradients_of_three_separate_losses() -> None:
    """Each part of the network gets the gradient of its own loss, as the paper defines it."""
    agent = trained_a_little()
    batch, noise, next_noise = random_batch(agent, 6)
    critics, policy, log_alpha = (
        agent.network.critics,
        agent.network.policy,
        agent.network.log_alpha,
    )
    total, _ = agent.losses(batch, noise, next_noise)
    whole = torch.autograd.grad(total, [*critics.parameters(), *policy.parameters(), log_alpha])

    target = agent.targets(batch, next_noise)
    first, second = critics(batch["observations"], batch["actions"])
    value_loss = 0.5 * ((first - target) ** 2).mean() + 0.5 * ((second - target) ** 2).mean()
    outputs = policy(batch["observations"])
    actions = (outputs[:, :2] + outputs[:, 2:].exp() * noise).tanh()
    log_probs = oracle(outputs).log_prob(actions)
    lower = torch.minimum(*critics(batch["observations"], actions))
    policy_loss = (0.37 * log_probs - lower).mean()
    alpha_loss = (-log_alpha.exp() * (log_probs.detach() - 2.0)).mean()  # 2 dimensions
    expected = (
        *torch.autograd.grad(value_loss, list(critics.parameters())),
        *torch.autograd.grad(policy_loss, list(policy.parameters())),
        *torch.autograd.grad(alpha_loss, [log_alpha]),
    )
    for found, by_hand in zip(whole, expected, strict=True):
        torch.testing.assert_close(found, by_hand, rtol=1e-3, atol=1e-5)


def test_target_critics_follow_slowly() -> None:
    agent = make_sac(spaces.Box(-1.0, 1.0, (2,), np.float32), **SMALL, tau=0.25)
    before = [parameter.clone() for parameter in agent.target.parameters()]
    agent.learn(a_step(agent))
    now, current = agent.target.parameters(), agent.network.critics.parameters()
    for old, new, critic in zip(before, now, current, strict=True):
        torch.testing.assert_close(new, 0.75 * old + 0.25 * critic)


def test_truncation_bootstraps_and_termination_does_not() -> None:
    for name, bootstraps in (("terminated", False), ("truncated", True)):
        agent = make_sac(spaces.Box(-1.0, 1.0, (2,), np.float32), **SMALL)
        agent.replay.add(a_step(agent, **{name: np.ones(8, np.bool_)}))
        sampled = agent.replay.sample(agent.generator, 8, 0.99)
        batch = {key: agent.tensor(array) for key, array in sampled.items()}
        targets = agent.targets(batch, torch.ones(8, 2))
        assert bool((targets != 1.0).all()) == bootstraps


def test_steps_that_only_reset_an_environment_are_not_learned_from() -> None:
    agent = make_sac(spaces.Box(-1.0, 1.0, (2,), np.float32), **SMALL)
    rewards, valid = np.ones(8), np.arange(8) % 2 == 0
    rewards[~valid] = np.nan
    for _ in range(10):
        agent.learn(a_step(agent, rewards=rewards, valid=valid))
    assert all(bool(parameter.isfinite().all()) for parameter in agent.network.parameters())


def test_the_best_action_and_the_best_deviation_are_found() -> None:
    """Episodes of one step with reward -(distance to a point)^2 in a Box with unequal sides.

    The best policy at temperature alpha is proportional to exp(reward / alpha): a Gaussian of
    variance alpha / 2 in each of the 2 dimensions, of entropy log(pi e alpha).
    """
    space = spaces.Box(np.array([0, -1], np.float32), np.array([4, 0], np.float32))
    best = np.array([3.0, -0.7])
    agent = make_sac(space, 16, width=32, batch_size=64, learning_rate=1e-2, warmup=64)
    yes, off, alpha = np.ones(16, np.bool_), [], 1.0
    for _ in range(900):
        actions = agent.act(np.full((16, 3), 0.5, np.float32))
        assert all(space.contains(action) for action in actions)
        rewards = -(((actions - best) / [2.0, 0.5]) ** 2).sum(1)
        step = a_step(agent, actions=actions, rewards=rewards, terminated=yes)
        metrics = agent.learn(step)
        if metrics:
            alpha = metrics["alpha"]
            off.append(metrics["entropy"] - np.log(np.pi * np.e * alpha))
    found = agent.act(np.full((1, 3), 0.5, np.float32), explore=False)[0]
    assert found == pytest.approx(best, abs=0.15)
    assert np.mean(off[-5:]) == pytest.approx(0, abs=0.2)
    assert 0.0 < alpha < 0.15


def test_acting_without_exploration_changes_nothing() -> None:
    agent = trained_a_little()
    seen, numbers = np.full((8, 3), 0.5, np.float32), agent.numbers()
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    actions = agent.act(seen, explore=False)
    assert (actions == agent.act(seen, explore=False)).all()
    assert all(torch.equal(before[name], tensor) for name, tensor in agent.tensors().items())
    assert agent.numbers() == numbers
    assert (agent.act(seen) != agent.act(seen)).all()


@pytest.mark.parametrize("observation", ["state", "screen"])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    observation: str, tmp_path: Path
) -> None:
    options = ["--env", "tiny", "--agent", "sac", "--width", 16, "--capacity", 400, *QUICK]
    options += ["--persistence", 3, "--warmup", 200, "--batch-size", 16, "--env-options"]
    options += [f"observation={observation}", "screen_size=24"]
    through = run_train("--run-dir", tmp_path / "a", "--steps", 960, *options)
    half = run_train("--run-dir", tmp_path / "b", "--steps", 480, *options)
    run_train("--resume", half, "--steps", 960)
    assert_same_checkpoint(through, half)
    early = run_train("--run-dir", tmp_path / "c", "--steps", 160, *options)  # in the warm-up
    run_train("--resume", early, "--steps", 960)
    assert_same_checkpoint(through, early)


def test_environments_of_other_projects_can_be_trained_and_resumed(tmp_path: Path) -> None:
    place = ["--env", "Pendulum-v1", "--agent", "sac", "--run-dir", tmp_path]
    folder = run_train(*place, "--steps", 1200, *QUICK, "--warmup", 1000)
    run_train("--resume", folder, "--steps", 1400)


def test_other_spaces_are_rejected() -> None:
    unbounded = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    for actions in (spaces.Discrete(2), unbounded, spaces.Box(0, 9, (2,), np.int64)):
        with pytest.raises(UnsuitableTaskError, match="sac: actions"):
            make_agent("sac", Task("t", SEEN, actions, 1, 1), SACSettings(), 0)
    task = Task("t", spaces.Discrete(3), spaces.Box(-1, 1, (2,), np.float32), 1, 1)
    with pytest.raises(UnsuitableTaskError, match="must be"):
        make_agent("sac", task, SACSettings(), 0)


def test_divergence_raises_an_error() -> None:
    agent = make_sac(spaces.Box(-1.0, 1.0, (2,), np.float32), 500, **{**SMALL, "capacity": 1000})
    agent.learn(a_step(agent))
    with pytest.raises(FloatingPointError, match="sac diverged after 1,000 steps"):
        agent.learn(a_step(agent, rewards=np.full(500, np.nan)))
