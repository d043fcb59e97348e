"""A transformer that reads a prompt and answers each question from the examples before it."""

from __future__ import annotations

import torch
from gymnasium.spaces import Discrete, MultiDiscrete
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import Task, UnsuitableTaskError
from agents.networks.backbones import orthogonal
from agents.networks.distributions import Categorical
from agents.networks.transformer import Transformer


class PromptCategorical(Categorical):
    """One class for each question of a prompt (n, t); `outputs` (k, n, t) are logits."""

    def __init__(self, space: MultiDiscrete) -> None:
        super().__init__(Discrete(int(space.nvec[0])))

    def log_prob(self, outputs: Tensor, actions: Tensor, log_std: Tensor) -> Tensor:
        """Return the log-probability of an answer, averaged over each prompt, (n,)."""
        return super().log_prob(outputs, actions, log_std).mean(-1)


class PromptNetwork(nn.Module):
    """Maps prompts (n, t + 1, d + 1) of `stages.datasets.prompts` to logits (k, n, t).

    The input of each question includes the example before it, question and answer, so that a single
    layer can search for an example similar to the question. The order of examples has no meaning.
    Therefore, there is no position embedding, and prompts may be longer than those of training.
    """

    def __init__(
        self, task: Task, space: MultiDiscrete, width: int, layers: int, heads: int, seed: int
    ) -> None:
        """Initialise the weights from `seed`.

        Raises UnsuitableTaskError without prompts, ValueError if `heads` does not divide `width`.
        """
        super().__init__()
        shape, choices = task.observation_space.shape, int(space.nvec[0])
        if shape is None or len(shape) != 2 or shape[0] != 1 + len(space.nvec):
            raise UnsuitableTaskError(
                f"MultiDiscrete actions need prompts as observations (--env prompts), got "
                f"{task.observation_space} with {space}"
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
        """Return logits (k, n, t); a question's logits depend on its row and earlier rows only."""
        described = self.one_hot(prompts[:, 0, :-1]).flatten(1)
        seen, told = prompts[:, 1:, :-1], self.one_hot(prompts[:, 1:, -1])
        seen_before = functional.pad(seen[:, :-1], (0, 0, 1, 0))
        questions = self.question(torch.cat((seen, seen_before, told), 2))
        row = torch.cat((self.description(described)[:, None], questions), 1)
        logits: Tensor = self.head(self.transformer(row)[:, 1:])
        return logits.permute(2, 0, 1)

    def one_hot(self, choices: Tensor) -> Tensor:
        """Map classes (...) to (..., k); all zeros for a missing class."""
        return (choices[..., None] == self.choices).float()
