"""DQN compared with hand-computed formulas and with a problem whose Q values are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents import make_agent, settings_type
from agents.agent import Step, Task, UnsuitableTaskError
from agents.dqn import DQNAgent, DQNSettings
from tests.test_ppo import Corridor, one_hot_task
from tests.test_training import assert_same_checkpoint, run_train

CORRIDOR_Q = [[0.2, 0.729, 0.81], [0.81, 0.9, 1.0]]
"""Q of left and right in each of the three cells, with gamma = 0.9 and 1 at the right end."""


def walk_the_corridor(agent: Any, count: int, steps: int) -> None:
    torch.set_num_threads(1)  # tiny networks are 20 times slower with two threads on a busy machine
    corridor = Corridor(count)
    no, valid = np.zeros(count, bool), np.ones(count, bool)
    for _ in range(steps):
        seen = corridor.observe(corridor.cells)
        actions = agent.act(seen)
        rewards, terminated, last = corridor.step(actions)
        agent.learn(Step(seen, actions, rewards, {}, terminated, no, last, valid))


def corridor_q(agent: Any) -> Any:
    """Return Q (actions, cells) in units of the reward."""
    with torch.no_grad():
        return agent.network(torch.eye(Corridor.CELLS)).numpy() * agent.return_scale.value


class Table(nn.Module):
    """Return Q of one-hot observations from the table."""

    def __init__(self, q: list[list[float]]) -> None:
        super().__init__()
        self.q = torch.tensor(q)

    def forward(self, observations: Tensor) -> Tensor:
        return self.q[:, observations.argmax(1)]


def small_agent(**settings: Any) -> DQNAgent:
    return DQNAgent(one_hot_task(3, 4), DQNSettings(**settings), seed=0)


def one_step(**changes: Any) -> Step:
    """Four environments stay in the first of three states, with reward 0."""
    seen, no = np.eye(3, dtype=np.float32)[[0] * 4], np.zeros(4, bool)
    fields: dict[str, Any] = {
        "observations": seen,
        "actions": no.astype(int),
        "rewards": np.zeros(4),
    }
    fields |= {
        "terms": {},
        "terminated": no,
        "truncated": no,
        "next_observations": seen,
        "valid": ~no,
    }
    return Step(**(fields | changes))


@pytest.mark.parametrize(("double", "values"), [(True, [10.0, 40.0, 30.0]), (False, [20, 50, 30])])
def test_targets_match_hand_computed_ones(double: bool, values: list[float]) -> None:
    """The network prefers actions 0, 1, 0; the target network prefers 1, 0, 0."""
    agent: Any = small_agent(double=double)
    agent.network = Table([[2.0, 0.0, 9.0], [1.0, 3.0, 5.0]])
    agent.target = Table([[10.0, 50.0, 30.0], [20.0, 40.0, 0.0]])
    rewards, discounts = np.array([1.0, -2.0, 0.5]), np.array([0.9, 0.81, 0.0])
    batch = {"rewards": rewards, "discounts": discounts, "next_observations": np.eye(3)}
    assert agent.targets(batch).tolist() == pytest.approx((rewards + discounts * values).tolist())


def test_learning_starts_after_as_many_steps_as_set() -> None:
    """Four environments make four steps at a time."""
    agent = small_agent(learning_starts=8, batch_size=4)
    for steps, updates in ((4, 0), (8, 1), (12, 2)):
        agent.learn(one_step())
        assert (agent.steps_seen, agent.updates) == (steps, updates)


@pytest.mark.parametrize("huber", [True, False])
def test_an_update_is_one_adam_step_on_a_hand_computed_loss(huber: bool) -> None:
    """Errors lie on both sides of the Huber threshold, in units of the returns' scale."""
    agent = small_agent(huber=huber, learning_starts=0, batch_size=64, max_grad_norm=1e9)
    for parameters in agent.target.head.parameters():
        nn.init.zeros_(parameters)  # all its values are 0
    rewards = np.array([0.3, -0.5, 4.0, -7.0])
    agent.learn(one_step(rewards=rewards, actions=np.array([0, 1, 1, 0])))
    gradient = agent.network.head.bias.grad
    fresh = DQNAgent(one_hot_task(3, 4), agent.settings, seed=0)
    fresh.replay.add(one_step(rewards=rewards, actions=np.array([0, 1, 1, 0])))
    batch = fresh.replay.sample(fresh.generator, 64, 0.99, 3)
    with torch.no_grad():
        q = fresh.network(torch.eye(3)[[0]])[:, 0].numpy()
    errors = q[batch["actions"]] - batch["rewards"] / agent.return_scale.value
    slopes = np.clip(errors, -1.0, 1.0) if huber else errors
    expected = [slopes[batch["actions"] == action].sum() / 64 for action in (0, 1)]
    assert gradient is not None
    assert gradient.tolist() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("seed", "target"),
    [(0, {"target_every": 20}), (2, {"target_rate": 0.05})],
)
def test_dqn_finds_the_q_of_a_corridor(seed: int, target: dict[str, Any]) -> None:
    settings = DQNSettings(
        gamma=0.9,
        n_step=1,
        learning_starts=500,
        exploration_steps=5_000,
        last_epsilon=0.3,
        batch_size=128,
        replay_capacity=5_000,
        **{"target_every": 1, **target},
    )
    agent = DQNAgent(one_hot_task(Corridor.CELLS, 16), settings, seed)
    walk_the_corridor(agent, 16, 1200)
    assert corridor_q(agent) == pytest.approx(np.array(CORRIDOR_Q), abs=0.04)
    cells = np.eye(Corridor.CELLS, dtype=np.float32)
    assert agent.act(cells, explore=False).tolist() == [1, 1, 1]
    insight = agent.insight(cells[1])
    assert insight.value == pytest.approx(0.9, abs=0.04)
    assert insight.probabilities is not None
    assert insight.probabilities.tolist() == [0.0, 1.0]


def test_the_target_network_is_copied_or_follows_smoothly() -> None:
    for rate in (1.0, 0.25):
        agent = small_agent(learning_starts=0, target_every=3, target_rate=rate)
        for _ in range(3):
            before = weights_of(agent.target)
            agent.learn(one_step(rewards=np.ones(4), terminated=np.ones(4, bool)))  # scale 1
            came = weights_of(agent.target) - before
            way = weights_of(agent.network) - before
            assert way.abs().max() > 0
            expected = rate * way if agent.updates == 3 else torch.zeros_like(way)
            torch.testing.assert_close(came, expected)


def weights_of(network: nn.Module) -> Tensor:
    """Return a copy of all weights of a network in one vector."""
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def test_updates_start_and_repeat_on_schedule() -> None:
    agent = small_agent(learning_starts=20, train_every=3, updates=2)
    made = []
    for _ in range(12):  # 4 environment steps each
        agent.learn(one_step())
        made.append(agent.updates)
    assert made == [0, 0, 0, 0, 0, 2, 2, 2, 4, 4, 4, 6]


def test_epsilon_falls_linearly_and_is_the_share_of_random_actions() -> None:
    task = Task("t", spaces.Box(0, 1, (3,)), spaces.Discrete(4, start=7), 5_000, 1)
    settings = DQNSettings(first_epsilon=0.9, last_epsilon=0.1, exploration_steps=100)
    agent = DQNAgent(task, settings, seed=0)
    seen = np.ones((5_000, 3), np.float32)
    (best,) = set(agent.act(seen, explore=False).tolist())
    for steps, epsilon in ((0, 0.9), (50, 0.5), (100, 0.1), (1000, 0.1)):
        agent.steps_seen = steps
        assert agent.epsilon == pytest.approx(epsilon)
        kinds, counts = np.unique(agent.act(seen), return_counts=True)
        assert kinds.tolist() == [7, 8, 9, 10]
        expected = [epsilon / 4 + (1 - epsilon) * (kind == best) for kind in kinds]
        assert counts / 5_000 == pytest.approx(expected, abs=0.03)  # 4 standard deviations


@pytest.mark.parametrize(
    "options",
    [
        ["--train-every", "3", "--updates", "2"],
        ["--replay-capacity", "1000", "--target-rate", "0.01", "--target-every", "1"],
        ["--env-options", "observation=screen", "screen_size=24", "--train-every", "8"],
    ],
    ids=["vector", "memory gone round, Polyak", "screen"],
)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    options: list[str], tmp_path: Path
) -> None:
    common = ["--agent", "dqn", "--num-envs", "16", "--eval-every", "2000", "--eval-episodes", "2"]
    common += ["--learning-starts", "300", "--exploration-steps", "1500", *options]
    through = run_train("--run-dir", tmp_path / "a", "--steps", 2400, *common)
    half = run_train("--run-dir", tmp_path / "b", "--steps", 1200, *common)
    run_train("--resume", half, "--steps", 2400)
    assert_same_checkpoint(through, half)


def test_stored_steps_do_not_continue_into_episodes_after_a_resume() -> None:
    agent = small_agent(learning_starts=1000)
    agent.learn(one_step())
    agent.discard_rollout()
    agent.learn(one_step(rewards=np.full(4, 100.0)))
    batch = agent.replay.sample(np.random.default_rng(0), 200, 0.9, 3)
    assert set(batch["rewards"].tolist()) == {0.0, 100.0}


def test_acting_without_exploration_changes_nothing() -> None:
    agent = small_agent(learning_starts=0)
    agent.learn(one_step())
    tensors = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    numbers = agent.numbers()
    seen = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]
    assert (agent.act(seen, explore=False) == agent.act(seen, explore=False)).all()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in agent.tensors().items())
    assert agent.numbers() == numbers


@pytest.mark.parametrize("name", ["dqn", "pqn"])
def test_screens_are_served_and_other_spaces_are_rejected(name: str) -> None:
    settings = settings_type(name)()
    screens = spaces.Box(0, 255, (2, 40, 40), np.uint8)
    agent = make_agent(name, Task("t", screens, spaces.Discrete(3), 2, 1), settings, 0)
    assert agent.act(np.zeros((2, 2, 40, 40), np.uint8)).shape == (2,)
    for observation, action in (
        (spaces.Discrete(4), spaces.Discrete(2)),
        (spaces.Box(0, 1, (2,)), spaces.Box(-1, 1, (2,))),
    ):
        with pytest.raises(UnsuitableTaskError, match="must be"):
            make_agent(name, Task("t", observation, action, 1, 1), settings, 0)


def test_divergence_raises_an_error() -> None:
    agent = small_agent(learning_starts=0, updates=100)
    with pytest.raises(FloatingPointError, match="diverged after 4 steps"):
        agent.learn(one_step(rewards=np.full(4, np.nan)))
