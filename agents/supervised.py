"""Learning from answers: a policy gradient in which somebody else has chosen the action.

The policy gradient makes an action a likelier by climbing A * log pi(a|s): the action is the one
that was tried, and the advantage A says how good it was. Told the right answer, one climbs
log pi(answer|s): the action is the one that should have been tried, and its A is 1. That is all
the difference, and `loss` is where it stands. For classes it is the cross-entropy, for numbers (a
Gaussian policy) the squared error (Bishop, "Pattern recognition and machine learning", sections
4.3.2 and 5.2).

Where only rewards come, this is REINFORCE on episodes of one step, a contextual bandit: advantages
are the rewards, normalised over the minibatch. In episodes of more steps it would see no further
than the next reward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.agent import Array, Insight, Step, Task
from agents.networks.backbones import make_backbone, orthogonal
from agents.networks.bottleneck import Bottleneck
from agents.networks.box_head import Boxes, GridNetwork
from agents.networks.distributions import Categorical, Gaussian, make_distribution
from agents.networks.prompt_network import Answers, PromptNetwork
from agents.saliency import pictures
from agents.torch_agent import TorchAgent
from agents.validation import at_least_one, not_negative, positive

GRID_AXES = 4  # of the action space of `stages.datasets.detect`
REPORT_EVERY = 10  # updates; writing curves takes its time


@dataclass(frozen=True)
class SupervisedSettings:
    """Hyperparameters."""

    learning_rate: float = 4e-3
    """Step size of Adam."""
    anneal: bool = False
    """Let the learning rate fall linearly to 0 over the planned steps."""
    entropy_coef: float = 0.1
    """Weight of the entropy bonus where only rewards come: who stops trying never finds out."""
    max_grad_norm: float = 10.0
    """Longest gradient."""
    width: int = 128
    """Features in each layer."""
    codes: int = 0
    """Numbers that all features have to pass through on their way; 0: as many as there are."""
    layers: int = 2
    """Blocks of the transformer, where there are prompts."""
    heads: int = 2
    """Of each block's attention."""

    def __post_init__(self) -> None:
        at_least_one(self, "width", "layers", "heads")
        positive(self, "learning_rate", "max_grad_norm")
        not_negative(self, "entropy_coef", "codes")


class Policy(nn.Module):
    """A backbone, perhaps a bottleneck, and one head."""

    def __init__(
        self, task: Task, width: int, codes: int, outputs: int, spreads: int, seed: int
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.backbone = make_backbone(task.observation_space, width, generator)
        self.bottleneck = Bottleneck(width, codes, generator) if codes else None
        self.head = nn.Linear(width, outputs)
        orthogonal(self.head, 0.01, generator)
        self.log_std = nn.Parameter(torch.full((spreads,), -0.5))

    def forward(self, observations: Tensor) -> Tensor:
        """Outputs (k, n) for observations (n, ...)."""
        codes = self.encode(observations)
        return self.head(self.backbone(observations)).T if codes is None else self.outputs(codes)

    def outputs(self, codes: Tensor) -> Tensor:
        """Outputs (k, n) for codes (n, codes): the other half of the network."""
        assert self.bottleneck is not None
        outputs: Tensor = self.head(self.bottleneck.decoder(codes)).T
        return outputs

    def encode(self, observations: Tensor) -> Tensor | None:
        """What passes through the bottleneck (n, codes), if there is one."""
        if self.bottleneck is None:
            return None
        codes: Tensor = self.bottleneck.encoder(self.backbone(observations))
        return codes


class SupervisedAgent(TorchAgent):
    """Serves vectors, screens and prompts; answers and rewards; classes, numbers, boxes."""

    name = "supervised"
    learns_from_labels = True

    def __init__(
        self, task: Task, settings: SupervisedSettings, seed: int, device: str = "cpu"
    ) -> None:
        self.settings = settings
        self.distribution: Categorical | Gaussian | Boxes
        self.network: Policy | GridNetwork | PromptNetwork
        network: Policy | GridNetwork | PromptNetwork
        space = task.action_space
        if isinstance(space, spaces.Box) and len(space.shape) == GRID_AXES:
            self.distribution, network = Boxes(space), GridNetwork(task, space, seed)
        elif isinstance(space, spaces.MultiDiscrete):
            self.distribution = Answers(space)
            network = PromptNetwork(
                task, space, settings.width, settings.layers, settings.heads, seed
            )
        else:
            self.distribution = make_distribution(space)
            sizes = (self.distribution.outputs, self.distribution.parameters)
            network = Policy(task, settings.width, settings.codes, *sizes, seed)
        super().__init__(task, network, settings.learning_rate, seed, device)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Actions (n, ...); with `explore` drawn, and noted for the `learn` that follows."""
        if not explore:
            with torch.inference_mode():
                outputs = self.network(self.tensor(observations)).numpy(force=True)
            return self.distribution.to_environment(self.distribution.mode(outputs))
        self._outputs = self.network(self.tensor(observations))
        numbers = (self._outputs.numpy(force=True), self.network.log_std.numpy(force=True))
        self._drawn = self.distribution.sample(*numbers, self.generator)
        return self.distribution.to_environment(self._drawn)

    def learn(self, step: Step) -> dict[str, float] | None:
        """One step up the gradient, from the guesses just made."""
        if not step.valid.any():
            return None
        self.steps_seen += len(step.rewards)
        if self.settings.anneal:
            left = max(0.0, 1.0 - self.steps_seen / self.task.total_steps)
            self.optimizer.param_groups[0]["lr"] = self.settings.learning_rate * left
        loss = self.loss(step)
        self.descend(loss, self.settings.max_grad_norm)
        if self.steps_seen // len(step.rewards) % REPORT_EVERY:
            return None
        return self.check({"loss": loss.item(), "mean_reward": float(step.rewards.mean())})

    def loss(self, step: Step) -> Tensor:
        """What is to fall: of the answers, or of what was tried as far as it was rewarded."""
        if step.labels is not None:
            chosen: Array = self.distribution.from_environment(step.labels)
            advantages: Array = np.ones(len(chosen), np.float32)
        else:
            chosen, rewards = self._drawn, step.rewards[step.valid]
            advantages = (step.rewards - rewards.mean()) / (rewards.std() + 1e-8)
        actions = torch.as_tensor(chosen, device=self.device)
        log_probs = self.distribution.log_prob(self._outputs, actions, self.network.log_std)
        gains = self.tensor(advantages) * log_probs
        if step.labels is None and not isinstance(self.distribution, Boxes):
            entropy = self.distribution.entropy(self._outputs, self.network.log_std)
            gains = gains + self.settings.entropy_coef * entropy
        return -gains[torch.as_tensor(step.valid, device=self.device)].mean()

    def insight(self, observation: Array) -> Insight:
        """The probability of each class, where there is one question."""
        if not isinstance(self.distribution, Categorical) or isinstance(self.distribution, Answers):
            return Insight()
        with torch.inference_mode():
            logits = self.network(self.tensor(observation[None]))[:, 0]
        return Insight(logits.softmax(0).numpy(force=True))

    def encode(self, observations: Array) -> Array | None:
        """The codes; the half of the network up to there is all that it takes."""
        if not isinstance(self.network, Policy):
            return None
        with torch.inference_mode():
            codes = self.network.encode(self.tensor(observations))
        return None if codes is None else codes.numpy(force=True)

    def rebuilt(self, codes: Array) -> Array:
        """The actions (n, ...) that it takes from codes (n, k), by the other half of its network.

        Raises:
            ValueError: if it has no bottleneck.
        """
        if not isinstance(self.network, Policy) or not self.settings.codes:
            raise ValueError("there are no codes to rebuild from: see the setting `codes`")
        with torch.inference_mode():
            outputs = self.network.outputs(self.tensor(codes)).numpy(force=True)
        return self.distribution.to_environment(self.distribution.mode(outputs))

    def pictures(self, observations: Array) -> dict[str, list[Array]]:
        """What the network looks at, if it sees screens."""
        return pictures(self.network, self._scores, self.tensor(observations))

    def _scores(self, screens: Tensor) -> dict[str, Tensor]:
        """The logit of the class that is chosen; of numbers, the first."""
        outputs = self.network(screens)
        discrete = isinstance(self.distribution, Categorical)
        return {"guess": outputs.amax(0) if discrete else outputs[0]}
