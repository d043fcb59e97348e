"""A small GPT: says at each token what the next one is likely to be.

Tokens become vectors, a causal transformer makes features of them that know what came before, and
one linear layer says from each feature what comes next (Radford et al., "Improving language
understanding by generative pre-training", 2018). Where one answer to the whole row is wanted, the
layer reads the last feature, which has seen all of it.

What is learned from is the log-probability of the right answer, as in `agents.supervised`.
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

REPORT_EVERY = 10  # updates; writing curves takes its time


@dataclass(frozen=True)
class GPTSettings:
    """Hyperparameters."""

    width: int = 64
    """Numbers in each vector."""
    layers: int = 2
    """Blocks of the transformer."""
    heads: int = 4
    """Heads of each attention."""
    learning_rate: float = 6e-3
    """Step size of Adam."""
    anneal: bool = True
    """Let the learning rate rise from 0 at first and fall to 0 towards the end."""
    warmup: float = 0.05
    """Share of the planned steps in which it rises."""
    max_grad_norm: float = 1.0
    """Longest gradient."""

    def __post_init__(self) -> None:
        at_least_one(self, "width", "layers", "heads")
        positive(self, "learning_rate", "max_grad_norm")
        if not 0 < self.warmup < 1:
            raise ValueError(f"warmup must be between 0 and 1, not {self.warmup}")


class Backbone(nn.Module):
    """From tokens to features."""

    def __init__(
        self, pieces: int, window: int, settings: GPTSettings, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(pieces, settings.width)
        self.position_embedding = nn.Embedding(window, settings.width)
        for embedding in (self.token_embedding, self.position_embedding):
            nn.init.normal_(embedding.weight, 0.0, INITIAL_STD, generator)
        shape = (settings.width, settings.layers, settings.heads)
        self.transformer = Transformer(*shape, generator)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, t) to (n, t, width); `t` is the window at most."""
        places = self.position_embedding.weight[: tokens.shape[1]]
        features: Tensor = self.transformer(self.token_embedding(tokens) + places)
        return features


class GPT(nn.Module):
    """A backbone and one head."""

    def __init__(
        self, pieces: int, window: int, outputs: int, settings: GPTSettings, seed: int
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.backbone = Backbone(pieces, window, settings, generator)
        self.head = nn.Linear(settings.width, outputs, bias=False)
        nn.init.normal_(self.head.weight, 0.0, INITIAL_STD, generator)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (n, t, outputs) of what is to be said at each of the tokens (n, t)."""
        logits: Tensor = self.head(self.backbone(tokens))
        return logits


class GPTAgent(TorchAgent):
    """Serves rows of tokens; the next token at each, or one class for the row."""

    name = "gpt"
    learns_from_labels = True

    def __init__(self, task: Task, settings: GPTSettings, seed: int, device: str = "cpu") -> None:
        self.settings = settings
        seen, space = task.observation_space, task.action_space
        tokens = isinstance(seen, spaces.Box) and np.issubdtype(seen.dtype, np.integer)
        if not (tokens and len(seen.shape or ()) == 1):
            raise UnsuitableTaskError(
                f"gpt: observations {seen} cannot be served; what can are rows of tokens (Box of "
                "one dimension of whole numbers), as --env commentary has them"
            )
        assert isinstance(seen, spaces.Box)
        self.everywhere = isinstance(space, spaces.MultiDiscrete) and space.shape == seen.shape
        if self.everywhere:
            outputs = int(space.nvec.max())  # type: ignore[attr-defined]
        elif isinstance(space, spaces.Discrete) and space.start == 0:
            outputs = int(space.n)
        else:
            raise UnsuitableTaskError(
                f"gpt: actions {space} cannot be served; what can are one class for each token or "
                "one for all (Discrete)"
            )
        self.network: GPT
        network = GPT(int(seen.high.max()) + 1, seen.shape[0], outputs, settings, seed)
        super().__init__(task, network, settings.learning_rate, seed, device)

    def logits(self, observations: Array) -> Tensor:
        """Of what is asked for: (n, t, outputs), or (n, outputs) where it is one class."""
        tokens = torch.as_tensor(observations, dtype=torch.int64, device=self.device)
        logits: Tensor = self.network(tokens)
        return logits if self.everywhere else logits[:, -1]

    def act(self, observations: Array, explore: bool = True) -> Array:
        """The likeliest answers (n, t) or (n,); nothing has to be tried where answers are told."""
        if explore:
            self._logits = self.logits(observations)
            return self._logits.argmax(-1).numpy(force=True)
        with torch.inference_mode():
            return self.logits(observations).argmax(-1).numpy(force=True)

    def learn(self, step: Step) -> dict[str, float] | None:
        """One step up the gradient of the right answers' log-probability.

        Raises:
            ValueError: if they are not told.
        """
        if step.labels is None:
            raise ValueError("gpt learns from right answers, and is told only rewards")
        self.steps_seen += len(step.rewards)
        if self.settings.anneal:
            self._anneal()
        answers = torch.as_tensor(step.labels, device=self.device)
        loss = functional.cross_entropy(self._logits.flatten(0, -2), answers.flatten())
        self.descend(loss, self.settings.max_grad_norm)
        if self.steps_seen // len(step.rewards) % REPORT_EVERY:
            return None
        return self.check({"loss": loss.item(), "mean_reward": float(step.rewards.mean())})

    def _anneal(self) -> None:
        progress, warmup = self.steps_seen / self.task.total_steps, self.settings.warmup
        share = min(progress / warmup, (1.0 - progress) / (1.0 - warmup))
        self.optimizer.param_groups[0]["lr"] = self.settings.learning_rate * max(share, 0.0)

    def continuation(
        self, tokens: Array, count: int, temperature: float, generator: np.random.Generator
    ) -> Iterator[int]:
        """`count` tokens that go on from `tokens` (t,), each drawn by its probability.

        Args:
            tokens: at least one.
            count: how many.
            temperature: below 1 the likely ones become likelier; at 0 it is always the likeliest.
            generator: to draw with.
        """
        window = self.network.backbone.position_embedding.num_embeddings
        seen = tokens.tolist()
        for _ in range(count):
            with torch.inference_mode():
                logits = self.logits(np.array([seen[-window:]]))[0, -1].numpy(force=True)
            clocks = generator.standard_exponential(logits.shape)  # Gumbel-max, as for all policies
            seen.append(int((logits - temperature * np.log(clocks)).argmax()))
            yield seen[-1]

    def insight(self, observation: Array) -> Insight:
        """The probability of each next token, or of each class."""
        with torch.inference_mode():
            logits = self.logits(observation[None])[0]
        return Insight((logits[-1] if self.everywhere else logits).softmax(-1).numpy(force=True))
