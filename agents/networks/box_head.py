"""Object detection: for each cell of a grid and each class, a confidence and a box.

`Boxes` has the interface of a distribution of actions (`networks.distributions`). In `log_prob`,
whether a cell contains an object is a Bernoulli variable, and each of the four numbers of a box is
a Laplace variable around the prediction.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from agents.agent import Array, Task
from agents.networks.backbones import ToUnit

LAPLACE_SCALE = 0.02  # fraction of the screen, about half a pixel
FILTERS = 32


class Boxes:
    """Predictions (n, rows, columns, classes, 5); `outputs` (k, n) are those of the network."""

    parameters = 0

    def __init__(self, space: spaces.Box) -> None:
        self._shape = space.shape
        self.outputs = int(np.prod(space.shape))

    def sample(self, outputs: Array, log_std: Array, generator: np.random.Generator) -> Array:
        """Return the predictions: with labels, no exploration is needed."""
        return self.mode(outputs)

    def mode(self, outputs: Array) -> Array:
        """Return the predictions."""
        return self._predictions(torch.from_numpy(outputs)).numpy()

    def to_environment(self, actions: Array) -> Array:
        """Return predictions as they are."""
        return actions

    def from_environment(self, actions: Array) -> Array:
        """Return lists of objects (n, k, 5) as they are."""
        return actions

    def log_prob(self, outputs: Tensor, actions: Tensor, log_std: Tensor) -> Tensor:
        """Return the log-probability (n,) of lists of objects (n, k, 5), up to a constant."""
        n, (rows, columns, *_) = len(actions), self._shape
        logits = outputs.T.reshape(n, *self._shape)[..., 0]
        example, thing = (actions[..., 0] >= 0).nonzero(as_tuple=True)
        truth = actions[example, thing]
        row = (truth[:, 2] * rows).long().clamp(0, rows - 1)
        column = (truth[:, 1] * columns).long().clamp(0, columns - 1)
        place = (example, row, column, truth[:, 0].long())
        there = torch.zeros_like(logits)
        there[place] = 1.0
        sure = -functional.binary_cross_entropy_with_logits(logits, there, reduction="none")
        distances = (self._predictions(outputs)[place][:, 1:] - truth[:, 1:]).abs()
        misses = distances.sum(1) / LAPLACE_SCALE
        return sure.sum((1, 2, 3)).index_add(0, example, -misses)

    def _predictions(self, outputs: Tensor) -> Tensor:
        """Return predictions whose centres are in their cells and whose sizes are in 0..1."""
        rows, columns, *_ = self._shape
        unit = outputs.T.reshape(-1, *self._shape).sigmoid()
        sure, x, y, width, height = unit.unbind(-1)
        x = (x + torch.arange(columns, device=x.device)[:, None]) / columns
        y = (y + torch.arange(rows, device=y.device)[:, None, None]) / rows
        return torch.stack((sure, x, y, width, height), -1)


class GridNetwork(nn.Module):
    """Convolutions that end in a grid: the prediction of a cell depends on its surroundings."""

    def __init__(self, task: Task, space: spaces.Box, seed: int) -> None:
        super().__init__()
        assert task.observation_space.shape is not None
        frames = task.observation_space.shape[0]
        *_, classes, numbers = space.shape
        self.log_std = nn.Parameter(torch.zeros(0))
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
        generator = torch.Generator().manual_seed(seed)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                _initialize(layer, generator)

    def forward(self, screens: Tensor) -> Tensor:
        """Return outputs (k, n); k counts (row, column, class, number)."""
        outputs: Tensor = self.layers(screens).permute(0, 2, 3, 1).flatten(1).T
        return outputs


def _initialize(layer: nn.Conv2d, generator: torch.Generator) -> None:
    """Draw the weights as PyTorch does, but not from the generator of the whole process."""
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(layer.weight[0].numel())
    assert layer.bias is not None
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
