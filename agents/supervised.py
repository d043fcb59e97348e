"""Supervised learning: a policy gradient whose actions are the labels.

A policy gradient makes an action a more likely by following the gradient of A log pi(a|s): the
action was sampled, and the advantage A says how good it was. With labels, the gradient is that of
log pi(label|s): the action is the correct one, and A is 1. This is the only difference, and `loss`
shows it. For classes, the loss is the cross-entropy; for numbers (a Gaussian policy), it is the
squared error (Bishop, "Pattern recognition and machine learning", sections 4.3.2 and 5.2).

Without labels, this is REINFORCE on episodes of one step, a contextual bandit: the advantages are
the rewards, normalised over the minibatch. In longer episodes, it would consider only the next
reward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents import ranks
from agents.agent import Array, Insight, Step, Task, UnsuitableTaskError
from agents.networks.backbones import make_backbone, orthogonal
from agents.networks.bottleneck import Bottleneck
from agents.networks.box_head import Boxes, GridNetwork
from agents.networks.distributions import Categorical, Gaussian, make_distribution
from agents.networks.policy_network import PolicyNetwork, best_in
from agents.networks.prompt_network import PromptCategorical, PromptNetwork
from agents.saliency import pictures
from agents.torch_agent import TorchAgent
from agents.validation import at_least_one, not_negative, positive

GRID_AXES = 4  # of the action space of `stages.datasets.detect`
REPORT_EVERY = 10  # updates; writing curves takes time


@dataclass(frozen=True)
class SupervisedSettings:
    """Hyperparameters of supervised learning."""

    learning_rate: float = 4e-3
    """Learning rate of Adam."""
    anneal: bool = False
    """Decrease the learning rate linearly to 0 over the planned steps."""
    entropy_coef: float = 0.1
    """Weight of the entropy bonus without labels, which keeps the predictions exploring."""
    max_grad_norm: float = 10.0
    """Maximum norm of the gradient."""
    width: int = 128
    """Number of units in each hidden layer."""
    codes: int = 0
    """Size of the bottleneck that all features pass through; 0: no bottleneck."""
    layers: int = 2
    """Number of blocks of the transformer; for prompts only."""
    heads: int = 2
    """Number of attention heads in each block; for prompts only."""

    def __post_init__(self) -> None:
        at_least_one(self, "width", "layers", "heads")
        positive(self, "learning_rate", "max_grad_norm")
        not_negative(self, "entropy_coef", "codes")


class Policy(nn.Module):
    """A backbone, an optional bottleneck, and a linear head."""

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
        """Return outputs (k, n) for observations (n, ...)."""
        codes = self.encode(observations)
        return self.head(self.backbone(observations)).T if codes is None else self.outputs(codes)

    def outputs(self, codes: Tensor) -> Tensor:
        """Return outputs (k, n) for codes (n, codes): the second half of the network."""
        assert self.bottleneck is not None
        outputs: Tensor = self.head(self.bottleneck.decoder(codes)).T
        return outputs

    def encode(self, observations: Tensor) -> Tensor | None:
        """Return codes (n, codes) of observations (n, ...), or None without a bottleneck."""
        if self.bottleneck is None:
            return None
        codes: Tensor = self.bottleneck.encoder(self.backbone(observations))
        return codes


class SupervisedAgent(TorchAgent):
    """Serves vectors, screens and prompts with labels or rewards for classes, numbers or boxes."""

    name = "supervised"
    learns_from_labels = True
    trains_on_ranks = True

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
            self.distribution = PromptCategorical(space)
            blocks = (settings.width, settings.layers, settings.heads)
            network = PromptNetwork(task, space, *blocks, seed)
        else:
            self.distribution = make_distribution(space)
            sizes = (self.distribution.outputs, self.distribution.parameters)
            network = Policy(task, settings.width, settings.codes, *sizes, seed)
        super().__init__(task, network, settings.learning_rate, seed, device)

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return predictions (n, ...); with `explore`, sample them and keep them for `learn`."""
        if not explore:
            with torch.inference_mode():
                outputs = self.network(self.tensor(observations)).numpy(force=True)
            return self.distribution.to_environment(self.distribution.mode(outputs))
        self._outputs = self.network(self.tensor(observations))
        numbers = (self._outputs.numpy(force=True), self.network.log_std.numpy(force=True))
        self._sampled = self.distribution.sample(*numbers, self.generator)
        return self.distribution.to_environment(self._sampled)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Take one gradient step for the last predictions."""
        if not step.valid.any():
            return None
        examples = len(step.rewards) * ranks.count()
        self.steps_seen += examples
        if self.settings.anneal:
            self.anneal()
        loss = self.loss(step)
        self.descend(loss, self.settings.max_grad_norm)
        if self.steps_seen // examples % REPORT_EVERY:
            return None
        return self.check({"loss": loss.item(), "mean_reward": float(step.rewards.mean())})

    def loss(self, step: Step) -> Tensor:
        """Return minus the mean of A log pi(a|s).

        With labels, a is the label and A is 1. Without, a was sampled, A is its normalised reward,
        and an entropy bonus is added.
        """
        if step.labels is not None:
            chosen: Array = self.distribution.from_environment(step.labels)
            advantages: Array = np.ones(len(chosen), np.float32)
        else:
            paid = torch.from_numpy(step.rewards[step.valid])
            chosen, rewards = self._sampled, ranks.of_all(paid, axis=0).numpy()
            advantages = (step.rewards - rewards.mean()) / (rewards.std() + 1e-8)
        actions = torch.as_tensor(chosen, device=self.device)
        log_probs = self.distribution.log_prob(self._outputs, actions, self.network.log_std)
        gains = self.tensor(advantages) * log_probs
        if step.labels is None and not isinstance(self.distribution, Boxes):
            entropy = self.distribution.entropy(self._outputs, self.network.log_std)
            gains = gains + self.settings.entropy_coef * entropy
        return -gains[torch.as_tensor(step.valid, device=self.device)].mean()

    def insight(self, observation: Array) -> Insight:
        """Return the probability of each class, if there is one prediction per observation."""
        if type(self.distribution) is not Categorical:
            return Insight()
        with torch.inference_mode():
            logits = self.network(self.tensor(observation[None]))[:, 0]
        return Insight(logits.softmax(0).numpy(force=True))

    def policy_network(self) -> PolicyNetwork:
        """Return the network with the most likely class or the predicted numbers."""
        if not isinstance(self.network, Policy):
            raise UnsuitableTaskError(
                "it predicts boxes, or a class for each example in a prompt; only one class or one "
                "row of numbers for each observation can be exported"
            )
        best = best_in(self.task.action_space)
        return PolicyNetwork(self.network, lambda network, seen: network(seen), best)

    def encode(self, observations: Array) -> Array | None:
        """Return codes (n, k): the output of the first half of the network."""
        if not isinstance(self.network, Policy):
            return None
        with torch.inference_mode():
            codes = self.network.encode(self.tensor(observations))
        return None if codes is None else codes.numpy(force=True)

    def decode(self, codes: Array) -> Array:
        """Return actions (n, ...) for codes (n, k): the output of the second half of the network.

        Raises:
            ValueError: if the network has no bottleneck.
        """
        if not isinstance(self.network, Policy) or not self.settings.codes:
            raise ValueError("the network has no bottleneck: set --codes")
        with torch.inference_mode():
            outputs = self.network.outputs(self.tensor(codes)).numpy(force=True)
        return self.distribution.to_environment(self.distribution.mode(outputs))

    def pictures(self, observations: Array) -> dict[str, list[Array]]:
        """Return filters and saliency, if observations are screens."""
        return pictures(self.network, self._scores, self.tensor(observations))

    def _scores(self, screens: Tensor) -> dict[str, Tensor]:
        """Return the logit of the predicted class, or the first number, (n,)."""
        outputs = self.network(screens)
        discrete = isinstance(self.distribution, Categorical)
        return {"prediction": outputs.amax(0) if discrete else outputs[0]}
