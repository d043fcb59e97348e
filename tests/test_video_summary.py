"""Summaries of films: chosen screens and distances, calculated by hand."""

from __future__ import annotations

import numpy as np
import pytest

from stages.datasets.reconstruct import Reconstruct
from stages.unsupervised.filming import chosen, evenly_spaced, film, unseen


def test_one_moment_of_each_group_is_chosen() -> None:
    """Three groups of points, far from each other, one of them seen only for a moment."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2, 1], (40, 40, 5, 40))
    points = np.array([[0, 0], [50, 0], [0, 50]])[groups] + rng.normal(0, 0.1, (125, 2))
    found = {
        tuple(groups[chosen(points, 3, np.random.default_rng(seed))].tolist()) for seed in range(9)
    }
    assert any(set(each) == {0, 1, 2} for each in found)
    summary = chosen(points, 1, rng)
    assert summary == np.linalg.norm(points - points.mean(0), axis=1).argmin()


def test_evenly_spaced_moments_are_in_the_middle_of_their_parts() -> None:
    assert evenly_spaced(100, 4).tolist() == [12, 37, 62, 87]
    assert evenly_spaced(3, 3).tolist() == [0, 1, 2]


def test_what_is_unseen_is_the_distance_to_the_nearest_moment_shown() -> None:
    places = np.array([[0.0, 0.0], [0.3, 0.4], [1.0, 0.0], [1.0, 0.1]])
    assert unseen(places, np.array([0, 2])) == pytest.approx(100 * (0 + 0.5 + 0 + 0.1) / 4)
    assert unseen(places, np.arange(4)) == 0


def test_a_film_shows_the_ball_where_it_is() -> None:
    screens, places = film(3)
    assert len(screens) == len(places) > 200
    assert screens[0] in Reconstruct().observation_space
    assert np.abs(np.diff(places, axis=0)).max() < 0.07  # a ball that flies
    beyond = places[:, 0] > 0.35  # outside the paddle's light
    light = screens[beyond, 0, :, 6:].astype(float)
    columns = np.arange(6, 24) + 0.5
    x = (light.sum(1) @ columns) / light.sum((1, 2)) / 24
    assert np.corrcoef(x, places[beyond, 0])[0, 1] > 0.98
