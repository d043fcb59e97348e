"""What a network says that detects things: of each cell and class, how sure it is, and a box.

It stands where agents have a distribution of actions (`networks.distributions`): `log_prob` is that
of an answer, each cell's yes or no a Bernoulli variable and each of a box's four numbers a Laplace
variable around the guess.
"""

from __future__ import annotations

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import Array, Task
from agents.networks.backbones import ToUnit

SPREAD = 0.02  # of the Laplace variables, in fractions of the screen: half a pixel or so
FILTERS = 32


class Boxes:
    """Guesses (n, rows, columns, classes, 5); `outputs` (k, n) are the network's."""

    parameters = 0

    def __init__(self, space: spaces.Box) -> None:
        self._shape = space.shape
        self.outputs = int(np.prod(space.shape))

    def sample(self, outputs: Array, log_std: Array, generator: np.random.Generator) -> Array:
        """Nothing is tried out here: answers tell more."""
        return self.mode(outputs)

    def mode(self, outputs: Array) -> Array:
        """The guesses."""
        return self._guesses(torch.from_numpy(outputs)).numpy()

    def to_environment(self, actions: Array) -> Array:
        """They are what the environment takes."""
        return actions

    def from_environment(self, answers: Array) -> Array:
        """Lists of things as they are, (n, k, 5)."""
        return answers

    def log_prob(self, outputs: Tensor, answers: Tensor, log_std: Tensor) -> Tensor:
        """Of lists of things (n, k, 5), up to a constant; (n,)."""
        n, (rows, columns, *_) = len(answers), self._shape
        logits = outputs.T.reshape(n, *self._shape)[..., 0]
        example, thing = (answers[..., 0] >= 0).nonzero(as_tuple=True)
        truth = answers[example, thing]
        row = (truth[:, 2] * rows).long().clamp(0, rows - 1)
        column = (truth[:, 1] * columns).long().clamp(0, columns - 1)
        place = (example, row, column, truth[:, 0].long())
        there = torch.zeros_like(logits)
        there[place] = 1.0
        sure = -functional.binary_cross_entropy_with_logits(logits, there, reduction="none")
        misses = (self._guesses(outputs)[place][:, 1:] - truth[:, 1:]).abs().sum(1) / SPREAD
        return sure.sum((1, 2, 3)).index_add(0, example, -misses)

    def _guesses(self, outputs: Tensor) -> Tensor:
        """Middles lie within their cells, sizes within the screen."""
        rows, columns, *_ = self._shape
        unit = outputs.T.reshape(-1, *self._shape).sigmoid()
        sure, x, y, width, height = unit.unbind(-1)
        x = (x + torch.arange(columns, device=x.device)[:, None]) / columns
        y = (y + torch.arange(rows, device=y.device)[:, None, None]) / rows
        return torch.stack((sure, x, y, width, height), -1)


class GridNetwork(nn.Module):
    """Convolutions that keep places apart: each cell of the grid sees its surroundings."""

    def __init__(self, task: Task, space: spaces.Box, seed: int) -> None:
        super().__init__()
        assert task.observation_space.shape is not None
        frames = task.observation_space.shape[0]
        *_, classes, numbers = space.shape
        self.log_std = nn.Parameter(torch.zeros(0))
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.layers = nn.Sequential(
                ToUnit(),
                nn.Conv2d(frames, FILTERS // 2, 5, stride=2, padding=2),
                nn.ReLU(inplace=True),
                nn.Conv2d(FILTERS // 2, FILTERS, 3, stride=2, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(FILTERS, FILTERS, 3, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(FILTERS, classes * numbers, 1),
            )

    def forward(self, screens: Tensor) -> Tensor:
        """Outputs (k, n), of each screen in the order (row, column, class, number)."""
        outputs: Tensor = self.layers(screens).permute(0, 2, 3, 1).flatten(1).T
        return outputs
