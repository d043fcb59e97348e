"""Deep Q-network: reward prediction with a replay memory and a target network.

Mnih et al., "Human-level control through deep reinforcement learning" (Nature 518, 2015), with
double Q-learning, van Hasselt et al., "Deep reinforcement learning with double Q-learning" (AAAI
2016), and returns of several steps, Sutton, "Learning to predict by the methods of temporal
differences" (1988), as Hessel et al., "Rainbow" (AAAI 2018), put them in.

Besides: it learns from a batch of environments, with Adam instead of RMSProp; rewards are not
clipped; the loss is Huber's, which is what the clipping of errors in Mnih et al. comes to; the
target network may follow smoothly (Lillicrap et al., "Continuous control with deep reinforcement
learning", ICLR 2016) instead of in jumps.

Checkpoints hold the memory too, or a resumed run would not go on exactly: see `Replay` for its
size. The 100,000 steps that are kept by default are 5.5 MB of paddle-and-ball's states, but 232 MB
of its two 24 x 24 screens: keep fewer then.
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
from agents.validation import at_least_one, between_0_and_1, not_negative, positive

REPORT_EVERY = 100  # updates


@dataclass(frozen=True)
class DQNSettings:
    """Hyperparameters."""

    learning_rate: float = 1e-3
    """Step size of Adam."""
    replay_capacity: int = 100_000
    """Environment steps that are kept to learn from."""
    learning_starts: int = 5_000
    """Environment steps before the first update."""
    train_every: int = 1
    """Steps of each environment between updates."""
    updates: int = 1
    """Updates then."""
    batch_size: int = 256
    """Steps drawn from the memory for an update."""
    gamma: float = 0.99
    """Discount."""
    n_step: int = 3
    """Rewards in a target before the prediction takes over."""
    double: bool = True
    """Let the network choose the action that the target network values."""
    huber: bool = True
    """Huber loss, which large errors only pull at evenly; else half the squared error."""
    target_every: int = 100
    """Updates between those of the target network."""
    target_rate: float = 1.0
    """How far it then comes towards the network: 1 copies, little follows smoothly (Polyak)."""
    first_epsilon: float = 1.0
    """Probability of an action at random in the beginning."""
    last_epsilon: float = 0.05
    """The same in the end."""
    exploration_steps: int = 100_000
    """Environment steps over which it falls."""
    max_grad_norm: float = 10.0
    """Longest gradient."""
    width: int = 64
    """Features in each layer."""

    def __post_init__(self) -> None:
        at_least_one(self, "replay_capacity", "train_every", "updates", "batch_size", "n_step")
        at_least_one(self, "target_every", "exploration_steps", "width")
        between_0_and_1(self, "gamma", "first_epsilon", "last_epsilon")
        positive(self, "learning_rate", "max_grad_norm")
        not_negative(self, "learning_starts")
        if not 0 < self.target_rate <= 1:
            raise ValueError(f"target_rate must be above 0 and at most 1, not {self.target_rate}")


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
        """Remember what followed; now and then improve the prediction by what is remembered."""
        settings, count = self.settings, len(step.rewards)
        self.replay.add(step)
        self.steps_seen += count
        due = self.steps_seen // count % settings.train_every == 0
        if self.steps_seen < settings.learning_starts or not due:
            return None
        metrics = None
        for _ in range(settings.updates):
            loss, predicted = self._improve()
            self.updates += 1
            if self.updates % settings.target_every == 0:
                self._target_parameters.data.lerp_(self.parameters.data, settings.target_rate)
            if self.updates % REPORT_EVERY == 0:
                metrics = {
                    "value_loss": loss.item(),
                    "q_values": predicted.mean().item(),
                    "epsilon": self.epsilon,
                    "learning_rate": settings.learning_rate,
                }
        return self.check(metrics) if metrics else None

    def _improve(self) -> tuple[Tensor, Tensor]:
        """One step down the loss of a batch; returns the loss and Q of its actions (batch,)."""
        settings = self.settings
        batch = self.replay.sample(
            self.generator, settings.batch_size, settings.gamma, settings.n_step
        )
        wanted = self._targets(batch)
        actions = torch.from_numpy(batch["actions"]).to(self.device)
        predicted = self.chosen(self.network(self.tensor(batch["observations"])), actions)
        loss = functional.smooth_l1_loss if settings.huber else functional.mse_loss
        error = loss(predicted, wanted) * (1.0 if settings.huber else 0.5)
        self.descend(error, settings.max_grad_norm)
        return error.detach(), predicted.detach()

    def _targets(self, batch: dict[str, Array]) -> Tensor:
        """What Q ought to be, (batch,): rewards, and the prediction for what follows them.

        That is max_a Q'(s, a) (equation 3 of van Hasselt et al.; Q' is the target network), or
        doubled Q'(s, argmax_a Q(s, a)) (equation 4).
        """
        with torch.no_grad():
            following = self.tensor(batch["next_observations"])
            values: Tensor = self.target(following)
            best = self.network(following).argmax(0) if self.settings.double else values.argmax(0)
            value = values.gather(0, best[None])[0]
        rewards, discounts = self.tensor(batch["rewards"]), self.tensor(batch["discounts"])
        return rewards + discounts * value

    def tensors(self) -> dict[str, Any]:
        """Both networks, the optimizer and the memory."""
        replay = self.replay.arrays()
        return {
            **super().tensors(),
            **{f"target.{name}": value for name, value in self.target.state_dict().items()},
            **{f"replay.{name}": torch.from_numpy(array) for name, array in replay.items()},
        }

    def numbers(self) -> dict[str, Any]:
        """Generator and counters."""
        return {**super().numbers(), "updates": self.updates}

    def load_backbone(self, tensors: dict[str, Any]) -> None:
        """Begin with the backbone of another agent, in both networks."""
        super().load_backbone(tensors)
        self.target.load_state_dict(self.network.state_dict())

    def discard_rollout(self) -> None:
        """What comes next does not follow what is remembered."""
        self.replay.cut()

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        super().restore(tensors, numbers)
        self.updates = numbers["updates"]
        self.target.load_state_dict(under("target.", tensors))
        replay = {name: tensor.numpy() for name, tensor in under("replay.", tensors).items()}
        self.replay.restore(replay)
