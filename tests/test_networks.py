"""Backbones compared with convolutions written in NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from agents.agent import UnsuitableTaskError
from agents.networks.backbones import LARGEST_MAP, make_backbone

Array = np.ndarray[Any, Any]


def screens(frames: int, height: int, width: int) -> spaces.Box:
    return spaces.Box(0, 255, (frames, height, width), np.uint8)


def backbone_for(space: spaces.Space[Any], width: int, seed: int = 0) -> nn.Module:
    return make_backbone(space, width, torch.Generator().manual_seed(seed))


def parameters(layer: Any) -> tuple[Array, Array]:
    return layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()


def convolved(maps: Array, layer: nn.Conv2d) -> Array:
    """Return the ReLU of each window of (n, channels, height, width) times the weights."""
    weight, bias = parameters(layer)
    side, stride = layer.kernel_size[0], layer.stride[0]
    windows = sliding_window_view(maps, (side, side), (2, 3))[:, :, ::stride, ::stride]
    sums = np.einsum("ncyxij,kcij->nkyx", windows, weight) + bias[:, None, None]
    return sums.clip(0.0)


@pytest.mark.parametrize("side", [24, 40, 84, 128])
def test_a_screen_backbone_is_convolutions_and_a_linear_layer(side: int) -> None:
    backbone = backbone_for(screens(2, side, side), 16)
    for name, parameter in backbone.named_parameters():
        if name.endswith("bias"):  # initially 0, which would hide a mistake
            nn.init.normal_(parameter, 0.0, 0.5)
    seen = np.random.default_rng(0).integers(0, 256, (3, 2, side, side), np.uint8)
    maps = seen / 255.0
    for layer in backbone.modules():
        if isinstance(layer, nn.Conv2d):
            maps = convolved(maps, layer)
    (linear,) = (layer for layer in backbone.modules() if isinstance(layer, nn.Linear))
    weight, bias = parameters(linear)
    expected = (maps.reshape(3, -1) @ weight.T + bias).clip(0.0)
    with torch.no_grad():
        found = backbone(torch.from_numpy(seen)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert (expected > 0).any()


def test_a_vector_backbone_is_two_linear_layers() -> None:
    backbone: Any = backbone_for(spaces.Box(-1, 1, (5,), np.float32), 8)
    seen = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    expected = seen.astype(np.float64)
    for layer in (backbone.first, backbone.second):
        nn.init.normal_(layer.bias)
        weight, bias = parameters(layer)
        expected = (expected @ weight.T + bias).clip(0.0)
    with torch.no_grad():
        np.testing.assert_allclose(backbone(torch.from_numpy(seen)).numpy(), expected, atol=1e-5)


def test_a_recurrent_backbone_is_a_gated_recurrent_unit() -> None:
    rows = spaces.Box(-1, 1, (5, 3), np.float32)
    backbone: Any = make_backbone(rows, 4, torch.Generator().manual_seed(0), recurrent=True)
    unit = backbone.unit
    for bias in (unit.bias_ih_l0, unit.bias_hh_l0):
        nn.init.normal_(bias)
    weights = [
        getattr(unit, f"weight_{name}_l0").detach().double().numpy() for name in ("ih", "hh")
    ]
    biases = [getattr(unit, f"bias_{name}_l0").detach().double().numpy() for name in ("ih", "hh")]
    seen = np.random.default_rng(0).normal(size=(7, 5, 3)).astype(np.float32)
    state = np.zeros((7, 4))
    for row in seen.transpose(1, 0, 2):  # Cho et al., arXiv 1406.1078, equations 5 to 8
        from_row, from_state = (
            np.split(part @ weight.T + bias, 3, axis=1)
            for part, weight, bias in zip((row, state), weights, biases, strict=True)
        )
        reset, update = (1 / (1 + np.exp(-from_row[k] - from_state[k])) for k in (0, 1))
        new = np.tanh(from_row[2] + reset * from_state[2])
        state = update * state + (1 - update) * new
    with torch.no_grad():
        np.testing.assert_allclose(backbone(torch.from_numpy(seen)).numpy(), state, atol=1e-5)


@pytest.mark.parametrize("space", [spaces.Box(-1, 1, (5,), np.float32), screens(2, 24, 24)])
def test_a_recurrent_backbone_needs_rows(space: spaces.Box) -> None:
    with pytest.raises(UnsuitableTaskError, match="--recurrent needs rows of float vectors"):
        make_backbone(space, 8, torch.Generator(), recurrent=True)


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_screens_of_any_size_become_width_features(frames: int) -> None:
    for side in range(24, 129, 4):
        backbone = backbone_for(screens(frames, side, side), 12)
        seen = torch.randint(0, 256, (2, frames, side, side), dtype=torch.uint8)
        assert backbone(seen).shape == (2, 12)
        assert backbone(seen.float()).equal(backbone(seen))
        (linear,) = (layer for layer in backbone.modules() if isinstance(layer, nn.Linear))
        assert linear.in_features <= 32 * LARGEST_MAP**2


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 200), (24, 60), (210, 160), (12, 9)])
def test_screens_need_not_be_square(height: int, width: int) -> None:
    backbone = backbone_for(screens(1, height, width), 4)
    assert backbone(torch.zeros(3, 1, height, width, dtype=torch.uint8)).shape == (3, 4)


def test_every_pixel_of_a_small_screen_has_an_effect() -> None:
    backbone = backbone_for(screens(2, 24, 24), 64)
    lit = torch.zeros(2 * 24 * 24, 2, 24, 24)
    for k, place in enumerate(itertools.product(range(2), range(24), range(24))):
        lit[k][place] = 255.0
    with torch.no_grad():
        features = backbone(lit)
    assert (features.std(1) > 0).all()


def test_the_weights_depend_on_the_generator_only() -> None:
    torch.manual_seed(1)
    one = backbone_for(screens(2, 84, 84), 8, seed=5)
    torch.manual_seed(2)
    other, another = (
        backbone_for(screens(2, 84, 84), 8, seed=5),
        backbone_for(screens(2, 84, 84), 8, 6),
    )
    assert all(a.equal(b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert not next(iter(one.parameters())).equal(next(iter(another.parameters())))


@pytest.mark.parametrize(
    "space",
    [
        screens(2, 7, 24),
        spaces.Box(0.0, 1.0, (2, 24, 24), np.float32),
        spaces.Box(0, 255, (24, 24), np.uint8),
        spaces.Discrete(4),
    ],
)
def test_other_spaces_are_rejected(space: spaces.Space[Any]) -> None:
    with pytest.raises(UnsuitableTaskError, match="at least 8"):
        backbone_for(space, 8)
