"""A small GPT: predicts the next token at each position of a sequence.

Tokens become vectors, a causal transformer computes features of them that depend on all earlier
tokens, and a linear head computes logits of the next token from each feature (Radford et al.,
"Improving language understanding by generative pre-training", 2018). For a single label of the
whole sequence, the head reads the last feature, which depends on all tokens.

As in `agents.supervised`, the loss is minus the log-probability of the correct label.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import Array, Insight, Step, Task, UnsuitableTaskError
from agents.networks.transformer import INITIAL_STD, Transformer
from agents.torch_agent import TorchAgent
from agents.validation import at_least_one, positive

REPORT_EVERY = 10  # updates; writing curves takes time


@dataclass(frozen=True)
class GPTSettings:
    """Hyperparameters of the GPT."""

    width: int = 64
    """Size of each embedding and feature vector."""
    layers: int = 2
    """Number of blocks of the transformer."""
    heads: int = 4
    """Number of attention heads in each block."""
    learning_rate: float = 6e-3
    """Maximum learning rate of Adam."""
    anneal: bool = True
    """Increase the learning rate from 0 during the warm-up, then decrease it linearly to 0."""
    warmup: float = 0.05
    """Fraction of the planned steps that the warm-up takes."""
    max_grad_norm: float = 1.0
    """Maximum norm of the gradient."""

    def __post_init__(self) -> None:
        at_least_one(self, "width", "layers", "heads")
        positive(self, "learning_rate", "max_grad_norm")
        if not 0 < self.warmup < 1:
            raise ValueError(f"--warmup must be between 0 and 1, got {self.warmup}")


class Backbone(nn.Module):
    """Computes features of tokens."""

    def __init__(
        self, vocabulary: int, window: int, settings: GPTSettings, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, settings.width)
        self.position_embedding = nn.Embedding(window, settings.width)
        for embedding in (self.token_embedding, self.position_embedding):
            nn.init.normal_(embedding.weight, 0.0, INITIAL_STD, generator)
        shape = (settings.width, settings.layers, settings.heads)
        self.transformer = Transformer(*shape, generator)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (n, t) to features (n, t, width); t is at most the window."""
        positions = self.position_embedding.weight[: tokens.shape[1]]
        features: Tensor = self.transformer(self.token_embedding(tokens) + positions)
        return features


class GPT(nn.Module):
    """A backbone and a linear head."""

    def __init__(
        self, vocabulary: int, window: int, outputs: int, settings: GPTSettings, seed: int
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.backbone = Backbone(vocabulary, window, settings, generator)
        self.head = nn.Linear(settings.width, outputs, bias=False)
        nn.init.normal_(self.head.weight, 0.0, INITIAL_STD, generator)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits (n, t, outputs) for tokens (n, t)."""
        logits: Tensor = self.head(self.backbone(tokens))
        return logits


class GPTAgent(TorchAgent):
    """Serves sequences of tokens, with one label for each token or one for the sequence."""

    name = "gpt"
    learns_from_labels = True

    def __init__(self, task: Task, settings: GPTSettings, seed: int, device: str = "cpu") -> None:
        self.settings = settings
        seen, space = task.observation_space, task.action_space
        tokens = isinstance(seen, spaces.Box) and np.issubdtype(seen.dtype, np.integer)
        if not (tokens and len(seen.shape or ()) == 1):
            raise UnsuitableTaskError(
                "gpt: observations must be sequences of tokens (an integer Box of one dimension), "
                f"got {seen}; use --env commentary"
            )
        assert isinstance(seen, spaces.Box)
        same_shape = space.shape == seen.shape
        self.labels_each_token = isinstance(space, spaces.MultiDiscrete) and same_shape
        if isinstance(space, spaces.MultiDiscrete) and self.labels_each_token:
            outputs = int(space.nvec.max())
        elif isinstance(space, spaces.Discrete) and space.start == 0:
            outputs = int(space.n)
        else:
            raise UnsuitableTaskError(
                "gpt: actions must be one class for each token (MultiDiscrete) or one for the "
                f"sequence (Discrete from 0), got {space}"
            )
        self.network: GPT
        network = GPT(int(seen.high.max()) + 1, seen.shape[0], outputs, settings, seed)
        super().__init__(task, network, settings.learning_rate, seed, device)

    def logits(self, observations: Array) -> Tensor:
        """Return logits (n, t, outputs) of each token, or (n, outputs) of the sequence."""
        tokens = torch.as_tensor(observations, dtype=torch.int64, device=self.device)
        logits: Tensor = self.network(tokens)
        return logits if self.labels_each_token else logits[:, -1]

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return the most likely labels (n, t) or (n,); labels make exploration unnecessary."""
        if explore:
            self._logits = self.logits(observations)
            return self._logits.argmax(-1).numpy(force=True)
        with torch.inference_mode():
            return self.logits(observations).argmax(-1).numpy(force=True)

    def learn(self, step: Step) -> dict[str, float] | None:
        """Take one gradient step that makes the labels more likely.

        Raises:
            ValueError: if the environment provides no labels.
        """
        if step.labels is None:
            raise ValueError("gpt learns from labels, but got only rewards")
        self.steps_seen += len(step.rewards)
        if self.settings.anneal:
            self.anneal(self.settings.warmup)
        labels = torch.as_tensor(step.labels, device=self.device)
        loss = functional.cross_entropy(self._logits.flatten(0, -2), labels.flatten())
        self.descend(loss, self.settings.max_grad_norm)
        if self.steps_seen // len(step.rewards) % REPORT_EVERY:
            return None
        return self.check({"loss": loss.item(), "mean_reward": float(step.rewards.mean())})

    def continuation(
        self, tokens: Array, count: int, temperature: float, generator: np.random.Generator
    ) -> Iterator[int]:
        """Yield `count` tokens that continue one or more `tokens` (t,), sampled by probability.

        A `temperature` below 1 makes likely tokens more likely; at 0, the most likely one is always
        chosen.
        """
        window = self.network.backbone.position_embedding.num_embeddings
        seen = tokens.tolist()
        for _ in range(count):
            with torch.inference_mode():
                logits = self.logits(np.array([seen[-window:]]))[0, -1].numpy(force=True)
            clocks = generator.standard_exponential(logits.shape)  # Gumbel-max trick
            seen.append(int((logits - temperature * np.log(clocks)).argmax()))
            yield seen[-1]

    def policy_network(self) -> nn.Module:
        """Raise UnsuitableTaskError."""
        raise UnsuitableTaskError(
            "it reads a whole sequence of tokens again for each token that it adds; only policies "
            "that choose one action for each observation can be exported"
        )

    def insight(self, observation: Array) -> Insight:
        """Return the probability of each next token, or of each class."""
        with torch.inference_mode():
            logits = self.logits(observation[None])[0]
        last = logits[-1] if self.labels_each_token else logits
        return Insight(last.softmax(-1).numpy(force=True))
