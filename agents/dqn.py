"""Deep Q-network (DQN): predicts returns from a replay buffer, with a target network.

Mnih et al., "Human-level control through deep reinforcement learning" (Nature 518, 2015), with two
additions: double Q-learning (van Hasselt et al., "Deep reinforcement learning with double
Q-learning", AAAI 2016), and n-step returns (Sutton, "Learning to predict by the methods of temporal
differences", 1988) in the form of Hessel et al., "Rainbow" (AAAI 2018).

Differences from Mnih et al.: many environments run in parallel; Adam replaces RMSProp; rewards are
not clipped; the loss is the Huber loss, which equals their error clipping; the target network may
also follow the network smoothly (Lillicrap et al., "Continuous control with deep reinforcement
learning", ICLR 2016) instead of being copied from time to time.

Checkpoints contain the replay buffer, because a resumed run could not continue exactly without it.
The default of 100,000 steps takes 5.5 MB with the states of paddle-and-ball, but 232 MB with two
24 x 24 screens; use a smaller `replay_capacity` there. See `replay.Replay` for the size of a step.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from agents.agent import Array, Step, Task
from agents.checkpointing import under
from agents.networks.backbones import flatten, make_backbone
from agents.q_agent import QAgent, QNetwork, number_of_actions
from agents.replay import Replay
from agents.return_scale import explained_variance
from agents.validation import at_least_one, between_0_and_1, not_negative, positive

REPORT_EVERY = 100  # updates


@dataclass(frozen=True)
class DQNSettings:
    """Hyperparameters of DQN."""

    learning_rate: float = 1e-3
    """Learning rate of Adam."""
    replay_capacity: int = 100_000
    """Number of environment steps in the replay buffer."""
    learning_starts: int = 5_000
    """Number of environment steps before the first update."""
    train_every: int = 1
    """Number of steps that each environment runs between two rounds of updates."""
    updates: int = 1
    """Number of updates in each round."""
    batch_size: int = 256
    """Number of steps sampled from the replay buffer for an update."""
    gamma: float = 0.99
    """Discount factor of future rewards."""
    n_step: int = 3
    """Number of rewards in a target before the prediction takes over."""
    double: bool = True
    """Double Q-learning: the network chooses the action that the target network evaluates."""
    huber: bool = True
    """Use the Huber loss, which limits the effect of large errors, instead of the squared error."""
    target_every: int = 100
    """Number of updates of the network between two updates of the target network."""
    target_rate: float = 1.0
    """Size of a target update: 1 copies the network, less follows it smoothly (Polyak average)."""
    first_epsilon: float = 1.0
    """Probability of a random action at the start of training."""
    last_epsilon: float = 0.05
    """Probability of a random action after `exploration_steps`."""
    exploration_steps: int = 100_000
    """Number of environment steps over which the probability falls linearly."""
    max_grad_norm: float = 10.0
    """Maximum norm of the gradient."""
    width: int = 64
    """Number of units in each hidden layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "replay_capacity", "train_every", "updates", "batch_size", "n_step")
        at_least_one(self, "target_every", "exploration_steps", "width")
        between_0_and_1(self, "gamma", "first_epsilon", "last_epsilon")
        positive(self, "learning_rate", "max_grad_norm")
        not_negative(self, "learning_starts")
        if not 0 < self.target_rate <= 1:
            raise ValueError(f"--target-rate must be above 0 and at most 1, got {self.target_rate}")


class DQNAgent(QAgent):
    """Serves vectors and screens with discrete actions."""

    name = "dqn"
    settings: DQNSettings

    def __init__(self, task: Task, settings: DQNSettings, seed: int, device: str = "cpu") -> None:
        actions = number_of_actions("dqn", task.action_space)
        generator = torch.Generator().manual_seed(seed)
        backbone = make_backbone(task.observation_space, settings.width, generator)
        network = QNetwork(backbone, settings.width, actions, generator)
        super().__init__(task, network, settings, seed, device)
        self.target = copy.deepcopy(self.network)
        self._target_parameters = flatten(self.target)
        self.replay = Replay(task, settings.replay_capacity)
        self.updates = 0

    def learn(self, step: Step) -> dict[str, float] | None:
        """Store the step; every `train_every` steps, update the network from the buffer."""
        settings, count = self.settings, len(step.rewards)
        self.measure(step)
        self.replay.add(step)
        self.steps_seen += count
        due = self.steps_seen // count % settings.train_every == 0
        if self.steps_seen < settings.learning_starts or not due:
            return None
        metrics = None
        self.rescale()
        for _ in range(settings.updates):
            loss, predicted, targets = self._improve()
            self.updates += 1
            if self.updates % settings.target_every == 0:
                self._target_parameters.data.lerp_(self.parameters.data, settings.target_rate)
            if self.updates % REPORT_EVERY == 0:
                metrics = {
                    "value_loss": loss.item() * self.return_scale.unit**2,
                    "q_values": predicted.mean().item() * self.return_scale.unit,
                    "explained_variance": explained_variance(predicted, targets).item(),
                    "epsilon": self.epsilon,
                    "learning_rate": settings.learning_rate,
                }
        return self.check(metrics) if metrics else None

    def _improve(self) -> tuple[Tensor, Tensor, Tensor]:
        """Take one gradient step on a batch.

        Returns the loss, Q of the batch's actions (n,) before the step, and its targets (n,).
        """
        settings = self.settings
        sizes = (settings.batch_size, settings.gamma, settings.n_step)
        batch = self.replay.sample(self.generator, *sizes)
        batch["rewards"] /= self.return_scale.unit
        targets = self.targets(batch)
        actions = torch.from_numpy(batch["actions"]).to(self.device)
        predicted = self.chosen(self.network(self.tensor(batch["observations"])), actions)
        loss = functional.smooth_l1_loss if settings.huber else functional.mse_loss
        error = loss(predicted, targets) * (1.0 if settings.huber else 0.5)
        self.descend(error, settings.max_grad_norm)
        return error.detach(), predicted.detach(), targets

    def targets(self, batch: dict[str, Array]) -> Tensor:
        """Return the targets of Q (n,): equation 3 of van Hasselt et al., or 4 with `double`."""
        with torch.no_grad():
            following = self.tensor(batch["next_observations"])
            values: Tensor = self.target(following)
            best = self.network(following).argmax(0) if self.settings.double else values.argmax(0)
            value = values.gather(0, best[None])[0]
        rewards, discounts = self.tensor(batch["rewards"]), self.tensor(batch["discounts"])
        return rewards + discounts * value

    def value_outputs(self) -> list[Tensor]:
        """Return weights and biases of Q in both networks."""
        return [*super().value_outputs(), *self.target.head.parameters()]

    def tensors(self) -> dict[str, Any]:
        """Return both networks, the optimizer and the replay buffer."""
        replay = self.replay.arrays()
        return {
            **super().tensors(),
            **{f"target.{name}": value for name, value in self.target.state_dict().items()},
            **{f"replay.{name}": torch.from_numpy(array) for name, array in replay.items()},
        }

    def numbers(self) -> dict[str, Any]:
        """Return the random generator and counters."""
        return {**super().numbers(), "updates": self.updates}

    def load_backbone(self, tensors: dict[str, Any]) -> None:
        """Load the backbone of another agent into both networks."""
        super().load_backbone(tensors)
        self.target.load_state_dict(self.network.state_dict())

    def discard_rollout(self) -> None:
        """Mark that the next step does not follow the newest one in the buffer."""
        super().discard_rollout()
        self.replay.cut()

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        self.updates = numbers["updates"]
        self.target.load_state_dict(under("target.", tensors))
        self.replay.restore({n: t.numpy() for n, t in under("replay.", tensors).items()})
