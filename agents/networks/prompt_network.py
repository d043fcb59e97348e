"""A transformer that reads a prompt, and answers each of its questions by what stood before."""

from __future__ import annotations

import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import Task, UnsuitableTaskError
from agents.networks.backbones import orthogonal
from agents.networks.distributions import Categorical
from agents.networks.transformer import Transformer


class Answers(Categorical):
    """One choice for each question of a prompt (n, t); `outputs` (k, n, t) are logits."""

    def __init__(self, space: spaces.MultiDiscrete) -> None:
        super().__init__(spaces.Discrete(int(space.nvec[0])))

    def log_prob(self, outputs: Tensor, actions: Tensor, log_std: Tensor) -> Tensor:
        """Of the answers to one question, the mean over the prompt; (n,)."""
        return super().log_prob(outputs, actions, log_std).mean(-1)


class PromptNetwork(nn.Module):
    """Prompts (n, t + 1, d + 1), as `stages.datasets.prompts` has them, to logits (k, n, t).

    Each question goes in together with the example before it, question and answer, so that a single
    layer can look for an example like the question. Examples have no order, so that places in the
    row go untold, and a prompt may be longer than any that was trained on.
    """

    def __init__(
        self,
        task: Task,
        space: spaces.MultiDiscrete,
        width: int,
        layers: int,
        heads: int,
        seed: int,
    ) -> None:
        """Draw the weights.

        Raises:
            UnsuitableTaskError: if these are no prompts.
            ValueError: if the heads cannot share the width evenly.
        """
        super().__init__()
        shape, choices = task.observation_space.shape, int(space.nvec[0])
        if shape is None or len(shape) != 2 or shape[0] != 1 + len(space.nvec):
            raise UnsuitableTaskError(
                f"answers {space} to observations {task.observation_space} cannot be learned; "
                "what can are those to prompts, see --env prompts"
            )
        generator = torch.Generator().manual_seed(seed)
        seen = shape[1] - 1
        self.description = nn.Linear(seen * choices, width)
        self.question = nn.Linear(2 * seen + choices, width)
        self.transformer = Transformer(width, layers, heads, generator)
        self.head = nn.Linear(width, choices)
        for layer, gain in ((self.description, 1.0), (self.question, 1.0), (self.head, 0.01)):
            orthogonal(layer, gain, generator)
        self.log_std = nn.Parameter(torch.zeros(0))
        self.choices: Tensor
        self.register_buffer("choices", torch.arange(choices), persistent=False)

    def forward(self, prompts: Tensor) -> Tensor:
        """Logits (k, n, t); those of a question depend on its row and those above alone."""
        described = self.one_hot(prompts[:, 0, :-1]).flatten(1)
        seen, told = prompts[:, 1:, :-1], self.one_hot(prompts[:, 1:, -1])
        seen_before = functional.pad(seen[:, :-1], (0, 0, 1, 0))
        questions = self.question(torch.cat((seen, seen_before, told), 2))
        row = torch.cat((self.description(described)[:, None], questions), 1)
        logits: Tensor = self.head(self.transformer(row)[:, 1:])
        return logits.permute(2, 0, 1)

    def one_hot(self, choices: Tensor) -> Tensor:
        """(...) to (..., k); zeros where nothing was told."""
        return (choices[..., None] == self.choices).float()
