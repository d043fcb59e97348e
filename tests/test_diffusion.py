"""Drawings from noise: compared with a problem whose answer is known, and with the shapes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stages.datasets.dataset import Array, examples_of
from stages.datasets.denoise import PIXELS, Denoise, as_screens, drawn, mixed, observe
from stages.datasets.shape_kinds import ANIMALS
from stages.supervised.drawing import draw_from_noise, spread


def test_noise_hides_the_picture_and_keeps_its_variance() -> None:
    clean = np.random.default_rng(0).choice([-1.0, 1.0], (4, PIXELS))
    static = np.random.default_rng(1).standard_normal((4, PIXELS))
    for share, expected in ((0.0, clean), (1.0, static)):
        np.testing.assert_allclose(mixed(clean, static, np.full(4, share)), expected, atol=1e-12)
    half = mixed(clean, static, np.full(4, 0.5))
    np.testing.assert_allclose(half, (clean + static) / math.sqrt(2), atol=1e-12)


def test_examples_are_animals_in_noise() -> None:
    seen, clean, kinds = Denoise().sample(400, 3)
    assert kinds is not None
    assert np.array_equal(kinds, np.arange(400) % 2)
    assert np.array_equal(seen[:, PIXELS + 1], 10 * kinds)
    share = seen[:, PIXELS] / 10
    assert share.min() < 0.02
    assert share.max() > 0.98
    turn = math.pi / 2 * share[:, None].astype(float)
    static = (seen[:, :PIXELS] - np.cos(turn) * clean) / np.sin(turn)
    assert static[share > 0.1].std() == pytest.approx(1.0, abs=0.01)
    assert abs(np.corrcoef(static[share > 0.1].ravel(), clean[share > 0.1].ravel())[0, 1]) < 0.01
    assert np.array_equal(Denoise().sample(30, 3).observations, seen[:30])
    assert clean.min() == -1
    wide = (as_screens(clean) > 60).any(1).sum(1)  # columns; pandas are wider
    assert wide[::2].mean() > 1.2 * wide[1::2].mean()


def test_the_score_is_r_squared() -> None:
    dataset = Denoise(test_examples=500)
    targets = examples_of(dataset, "test").targets
    assert dataset.score(targets, targets) == pytest.approx(1.0)
    middle = np.broadcast_to(targets.mean(0), targets.shape)
    assert dataset.score(middle, targets).mean() == pytest.approx(0.0, abs=1e-5)
    with pytest.raises(ValueError, match="`noise` must be 0"):
        Denoise(noise=0.1)


def test_many_small_steps_draw_from_the_right_distribution() -> None:
    """For pixels with a normal distribution, the best denoiser is known, and so is its drawing.

    The noise is the normal distribution with mean 0 and deviation 1. What is drawn from it must be
    the same quantile of the distribution of the pictures.
    """
    middle = np.array([[-0.5], [0.8]])  # of the two kinds
    deviation = 0.3

    def predict(seen: Array) -> Array:
        noisy, turn, kind = seen[:, :PIXELS], math.pi / 20 * seen[:, PIXELS, None], seen[:, -1] / 10
        mean, cosine = middle[kind.astype(int)], np.cos(turn)
        gain = cosine * deviation**2 / (cosine**2 * deviation**2 + np.sin(turn) ** 2)
        return np.asarray(mean + gain * (noisy - cosine * mean))

    static = np.random.default_rng(0).standard_normal((6, PIXELS))
    kinds = np.arange(6) % 2
    pictures = draw_from_noise(predict, static, kinds, 100)
    assert len(pictures) == 101
    assert pictures[0] is static
    np.testing.assert_allclose(pictures[-1], middle[kinds] + deviation * static, atol=0.05)
    at_once = draw_from_noise(predict, static, kinds, 1)[-1]
    np.testing.assert_allclose(at_once, middle[kinds] + 0 * static, atol=1e-6)  # the mean


def test_a_network_that_knows_the_picture_draws_it() -> None:
    rng = np.random.default_rng(0)
    animals = drawn(np.arange(4) % len(ANIMALS), rng.random((4, 6)))
    static = rng.standard_normal((4, PIXELS))
    wanted = np.arange(4) % 2
    shares: list[float] = []

    def predict(seen: Array) -> Array:
        shares.append(float(seen[0, PIXELS]) / 10)
        assert np.array_equal(seen[:, PIXELS + 1], 10 * wanted)
        return animals

    found = draw_from_noise(predict, static, wanted, 4)
    assert shares == [1.0, 0.75, 0.5, 0.25]
    np.testing.assert_allclose(found[-1], animals, atol=1e-12)
    halfway = mixed(animals, static, np.full(4, 0.5))
    np.testing.assert_allclose(found[2], halfway, atol=1e-12)
    assert observe(static, np.ones(4), wanted).shape == (4, PIXELS + 2)


def test_the_spread_compares_animals_of_the_same_kind() -> None:
    screens = np.zeros((4, 24, 24))
    screens[1::2] = 255.0  # two black pandas and two white rabbits
    assert spread(screens) == 0
    screens[2] = 255.0
    assert spread(screens) == pytest.approx(100.0**2 / 2)
