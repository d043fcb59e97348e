"""Saliency of networks whose gradients are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.agent import Task
from agents.ppo import PPOAgent, PPOSettings
from agents.saliency import GAP, picture_of_filters, pictures, saliency, video_of

ORANGE, BLUE = [255, 120, 0], [0, 130, 255]
SCREENS = spaces.Box(0, 255, (2, 24, 24), np.uint8)


def some_screens(count: int, seed: int = 0) -> Tensor:
    sampled = np.random.default_rng(seed).integers(0, 256, (count, 2, 24, 24), np.uint8)
    return torch.from_numpy(sampled)


def test_the_saliency_of_a_linear_network_equals_its_weights() -> None:
    linear = nn.Linear(2 * 24 * 24, 3)
    weights = linear.weight.detach().numpy().reshape(3, 2, 24, 24)

    def scores(screens: Tensor) -> dict[str, Tensor]:
        return {str(k): column for k, column in enumerate(linear(screens.flatten(1)).T)}

    found = saliency(scores, some_screens(5))
    assert list(found) == ["0", "1", "2"]
    for k in range(3):
        for gradient in found[str(k)]:
            np.testing.assert_array_equal(gradient, weights[k])


def test_each_screen_has_a_gradient_of_its_own() -> None:
    """The gradient of half the sum of squares is the screen itself."""
    screens = some_screens(4)
    found = saliency(lambda seen: {"s": 0.5 * seen.square().sum((1, 2, 3))}, screens)
    np.testing.assert_array_equal(found["s"], screens.numpy())


def test_a_video_shows_the_sign_of_the_gradient_over_the_screen() -> None:
    screens, gradients = np.zeros((2, 2, 40, 40), np.uint8), np.zeros((2, 2, 40, 40))
    screens[0, 0, 3, 5] = 100
    screens[:, :, 12, 25] = 200
    gradients[0, 1, 10:20, 20:30] = 2.0
    gradients[1, 0, 10:20, 20:30] = -2.0
    first, second = video_of(screens, gradients)
    factor = 5  # 200 / 40
    right = 40 * factor + GAP
    assert first.shape == (40 * factor, 2 * 40 * factor + GAP, 3)
    assert (first[3 * factor : 4 * factor, 5 * factor : 6 * factor] == 100).all()
    three_quarters_orange, three_quarters_blue = [191, 90, 0], [0, 97, 191]
    assert first[10 * factor, right + 20 * factor].tolist() == three_quarters_orange
    assert first[20 * factor - 1, right + 30 * factor - 1].tolist() == three_quarters_orange
    assert first[20 * factor, right + 30 * factor].tolist() == [0, 0, 0]
    assert first[12 * factor, right + 25 * factor].tolist() == [191 + 50, 90 + 50, 50]
    assert second[10 * factor, 20 * factor].tolist() == three_quarters_blue
    assert second[12 * factor, right + 25 * factor].tolist() == [200, 200, 200]
    assert (second[:, right:] > 0).sum() == 3 * factor**2


def test_a_video_without_gradients_is_the_screen() -> None:
    screens = some_screens(2).numpy()
    (shown, _) = video_of(screens, np.zeros(screens.shape))
    factor = 8  # 200 // 24
    np.testing.assert_array_equal(shown[::factor, : 24 * factor : factor, 1], screens[0, 0])


def test_filters_have_a_row_for_each_frame_and_their_own_scale() -> None:
    weights = np.zeros((3, 2, 8, 8), np.float32)
    weights[1, 0, 0, 0], weights[1, 1, 7, 7] = 0.5, -0.25
    weights[2, 1, 0, 0] = -10.0
    shown = picture_of_filters(weights)
    side = 40  # 8 pixels, 5 times as large
    assert shown.shape == (2 * side + GAP, 3 * side + 2 * GAP, 3)
    assert (shown[:, :side][:side] == 0).all()
    assert shown[0, side + GAP].tolist() == ORANGE
    assert shown[2 * side + GAP - 1, 2 * side + GAP - 1].tolist() == [0, 65, 127]
    assert shown[side + GAP, 2 * side + 2 * GAP].tolist() == BLUE


def agent_for(observations: spaces.Box, actions: spaces.Space[Any]) -> PPOAgent:
    return PPOAgent(Task("t", observations, actions, 2, 1), PPOSettings(), seed=0)


@pytest.mark.parametrize(
    ("actions", "scores"),
    [
        (spaces.Discrete(3), {"saliency_of_value", "saliency_of_action"}),
        (spaces.Box(-1, 1, (2,), np.float32), {"saliency_of_value"}),
    ],
)
def test_ppo_shows_filters_and_saliency(actions: spaces.Space[Any], scores: set[str]) -> None:
    agent = agent_for(SCREENS, actions)
    found = agent.pictures(some_screens(3).numpy())
    assert set(found) == {"filters"} | scores
    assert all(len(found[name]) == 3 for name in scores)
    for frame in (frame for frames in found.values() for frame in frames):
        assert frame.dtype == np.uint8
        assert frame.ndim == 3
        assert frame.shape[2] == 3
        assert frame.max() > 100


def test_saliency_of_the_action_is_that_of_the_chosen_one() -> None:
    """If one logit is far above the others, the gradient is that of this logit."""
    agent = agent_for(SCREENS, spaces.Discrete(3))
    with torch.no_grad():
        agent.network.heads.bias[1] = 9.0
    screens = some_screens(2)
    found = agent.pictures(screens.numpy())["saliency_of_action"]
    alone = pictures(agent.network, lambda seen: {"logit": agent.network(seen)[0][1]}, screens)
    np.testing.assert_array_equal(found, alone["saliency_of_logit"])
    value = pictures(agent.network, lambda seen: {"value": agent.network(seen)[1]}, screens)
    assert not np.array_equal(found, value["saliency_of_value"])


def test_computing_saliency_changes_nothing() -> None:
    agent = agent_for(SCREENS, spaces.Discrete(3))
    assert agent.parameters.grad is not None
    agent.parameters.grad.fill_(1.5)
    before, state = agent.parameters.detach().clone(), agent.generator.bit_generator.state
    screens = some_screens(3)
    agent.pictures(screens.numpy())
    assert agent.parameters.equal(before)
    assert (agent.parameters.grad == 1.5).all()
    assert agent.generator.bit_generator.state == state
    assert screens.equal(some_screens(3))


def test_vectors_have_no_pictures() -> None:
    vectors = spaces.Box(-1, 1, (5,), np.float32)
    agent = agent_for(vectors, spaces.Discrete(3))
    assert agent.pictures(np.zeros((4, 5), np.float32)) == {}
    linear = nn.Linear(5, 1)
    assert pictures(linear, lambda seen: {"s": linear(seen)[:, 0]}, torch.zeros(4, 5)) == {}
