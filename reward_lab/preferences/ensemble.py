"""Fits the networks of a learned reward to answers about pairs of clips.

The probability that the left clip is preferred is a logistic function of the difference of the
clips' rewards (Bradley and Terry 1952; Christiano et al. 2017, arXiv 1706.03741, equation 1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents.adam import Adam
from agents.networks.backbones import flatten
from rewards.learned import LIMIT, Networks

Array = np.ndarray[Any, Any]

MEMBERS = 3
WIDTH = 32
UPDATES = 300
BATCH = 32
LEARNING_RATE = 5e-3
GUESSES = 0.1
"""Share of answers that are taken to be guesses, as in section 2.2.3 of the paper."""
DECAY = 1e-4
"""Weight of the squared weights in the loss."""


def preference_loss(difference: Tensor, answers: Tensor, guesses: float = GUESSES) -> Tensor:
    """Return the cross-entropy (..., n) of answers (n,): 1 left, 0 right, 0.5 equal.

    `difference` (..., n) is the reward of the left clip minus that of the right one.
    """
    left = guesses / 2 + (1 - guesses) * torch.sigmoid(difference)
    return -(answers * left.log() + (1 - answers) * (1 - left).log())


class Members(nn.Module):
    """`m` networks with two hidden layers, as in `rewards.learned.Networks`."""

    def __init__(self, members: int, inputs: int, width: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)

        def weights(*shape: int) -> nn.Parameter:
            size = math.sqrt(2.0 / shape[1])  # He et al. (ICCV 2015), for ReLU
            return nn.Parameter(torch.randn(shape, generator=generator) * size)

        self.weight1 = weights(members, inputs, width)
        self.bias1 = nn.Parameter(torch.zeros(members, width))
        self.weight2 = weights(members, width, width)
        self.bias2 = nn.Parameter(torch.zeros(members, width))
        self.weight3 = nn.Parameter(weights(members, width).detach() * 0.1)
        self.bias3 = nn.Parameter(torch.zeros(members))

    def forward(self, features: Tensor, played: Tensor) -> Tensor:
        """Return the sums (m, n) of the outputs over clips with inputs (n, length, k).

        `played` (n, length) is 1 for the steps that count and 0 for the others.
        """
        inputs = features.flatten(0, 1).expand(len(self.bias3), -1, -1)
        hidden = torch.baddbmm(self.bias1[:, None], inputs, self.weight1).relu()
        hidden = torch.baddbmm(self.bias2[:, None], hidden, self.weight2).relu()
        outputs = (hidden @ self.weight3[..., None])[..., 0] + self.bias3[:, None]
        return (outputs.view(-1, *played.shape) * played).sum(-1)


def fit(features: Array, played: Array, answers: Array, samples: Array, seed: int) -> Networks:
    """Return new networks, fitted to answers.

    Args:
        features: inputs (n, 2, length, k) of the left and the right clip of each pair.
        played: flags (n, 2, length): steps before the end of the game.
        answers: 1 left, 0 right, 0.5 equal, NaN for neither (n,).
        samples: how often (m, n) each network gets each answer.
        seed: of the initial weights and the order of the answers.
    """
    shift, scale = standardisation(features[played])
    seen = torch.from_numpy(((features - shift) / scale).clip(-LIMIT, LIMIT)).float()
    steps, targets = torch.from_numpy(played).float(), torch.from_numpy(answers).float()
    counts = torch.from_numpy(samples).float()
    usable = np.flatnonzero(~np.isnan(answers))
    members = Members(len(samples), features.shape[-1], WIDTH, seed)
    vector = flatten(members)
    assert vector.grad is not None
    optimizer, generator = Adam(vector, LEARNING_RATE), np.random.default_rng(seed)
    for _ in range(UPDATES if len(usable) else 0):
        rows = torch.from_numpy(generator.permutation(usable)[:BATCH])
        sums = members(seen[rows].flatten(0, 1), steps[rows].flatten(0, 1))
        left, right = sums.view(len(samples), -1, 2).unbind(-1)
        losses = preference_loss(left - right, targets[rows]) * counts[:, rows]
        squares = sum(w.square().sum() for w in (members.weight1, members.weight2, members.weight3))
        vector.grad.zero_()
        (losses.mean(1).sum() + DECAY * squares).backward()
        optimizer.step()
    return normalised(_arrays(members, shift, scale), features[played])


def standardisation(inputs: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of inputs (n, k); 1 where they are all equal."""
    scale = inputs.std(0)
    return inputs.mean(0), np.where(scale > 1e-9, scale, 1.0)


def normalised(networks: Networks, inputs: Array) -> Networks:
    """Return networks whose outputs have a standard deviation of 1 each over inputs (n, k).

    Unlike in the paper, nothing is subtracted: in games that end, the sign of the reward says
    whether it is good to continue.
    """
    spread = outputs(networks, inputs).std(1)
    return networks._replace(unit=np.where(spread > 1e-9, spread, 1.0))


def outputs(networks: Networks, inputs: Array) -> Array:
    """Return the output (m, ...) of each network for inputs (..., k), not divided by its unit."""
    seen = ((inputs - networks.shift) / networks.scale).clip(-LIMIT, LIMIT)
    flat = seen.reshape(-1, seen.shape[-1])
    hidden = np.maximum(flat @ networks.weight1 + networks.bias1[:, None], 0.0)
    hidden = np.maximum(hidden @ networks.weight2 + networks.bias2[:, None], 0.0)
    found = (hidden @ networks.weight3[..., None])[..., 0] + networks.bias3[:, None]
    shaped: Array = found.reshape(-1, *inputs.shape[:-1])
    return shaped


def untrained(inputs: int, seed: int) -> Networks:
    """Return networks with random weights, for `inputs` inputs."""
    members = Members(MEMBERS, inputs, WIDTH, seed)
    return _arrays(members, np.zeros(inputs), np.ones(inputs))


def _arrays(members: Members, shift: Array, scale: Array) -> Networks:
    arrays = {name: each.detach().double().numpy() for name, each in members.named_parameters()}
    return Networks(shift, scale, **arrays, unit=np.ones(len(members.bias3)))


def held_out_accuracy(
    networks: Networks, features: Array, played: Array, answers: Array, samples: Array
) -> float | None:
    """Return the share of answers predicted by networks that were not trained on them.

    Only the answers left and right count. Each pair is predicted by the networks that did not get
    its answer ("out of bag", Breiman 1996). The arguments are those of `fit`. None if there is no
    such pair.
    """
    unseen = samples == 0
    votes = (differences(networks, features, played) * unseen).sum(0)
    judged = unseen.any(0) & np.isin(answers, (0.0, 1.0))
    right = (votes > 0) == (answers == 1.0)
    return float(right[judged].mean()) if judged.any() else None


def differences(networks: Networks, features: Array, played: Array) -> Array:
    """Return the reward of the left clip minus that of the right one (m, n), of each network.

    The arguments are those of `fit`.
    """
    sums: Array = (outputs(networks, features) * played).sum(-1)
    return sums[..., 0] - sums[..., 1]
