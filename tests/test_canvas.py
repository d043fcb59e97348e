"""Pictures for web pages: small, and the same as those that pygame paints."""

from __future__ import annotations

import functools
import gzip
import importlib
import json
from itertools import pairwise
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest

from envs.bicycle.tasks import TASKS
from envs.engine.canvas import Canvas
from envs.engine.film import LONGEST, film, picture
from envs.engine.game import Game

Array = np.ndarray[Any, Any]
GAMES = ("paddle", *TASKS)


class Episode(NamedTuple):
    """An episode played by a game's best hand-written rule."""

    game: Game
    options: Any
    states: list[Any]


@functools.cache
def episode(name: str, steps: int = 600) -> Episode:
    """Return an episode of paddle, or of a task of the bicycle in gusty wind."""
    if name == "paddle":
        env: Any = gymnasium.make("envs:PaddleBall-v0").unwrapped
    else:
        env = gymnasium.make("envs:BicycleBalance-v0", task=name, gust=40.0).unwrapped
    rules = importlib.import_module(env.game.rules_module).rules(env.action_space)
    act = next(iter(rules.values()))
    observation, _ = env.reset(seed=3)
    states = [env.state.copy()]
    while len(states) < steps:
        observation, _, terminated, _, _ = env.step(act(observation[None])[0])
        states.append(env.state.copy())
        if terminated:
            break
    return Episode(env.game, env.batch.options, states)


# Films


@pytest.mark.parametrize(("name", "kilobytes"), [("paddle", 10), *((task, 400) for task in TASKS)])
def test_a_film_of_ten_seconds_is_small(name: str, kilobytes: int) -> None:
    made = json.dumps(film(*episode(name)), separators=(",", ":"))
    assert json.loads(made)["frames"]
    assert len(gzip.compress(made.encode())) < 1_000 * kilobytes


@pytest.mark.parametrize(("steps", "frames"), [(1, 1), (2, 2), (6, 4), (51, 31), (600, LONGEST)])
def test_a_film_of_the_bicycle_shows_thirty_of_fifty_steps(steps: int, frames: int) -> None:
    """The texts, which show speed, angles and time, tell which step a frame shows."""
    game, options, states = episode("balance")
    made = film(game, options, states[:steps])
    assert made["fps"] == 30
    assert len(made["frames"]) == frames
    last = min(steps - 1, round((frames - 1) * 50 / 30))
    alone = film(game, options, [states[last]])["frames"][0]
    assert texts_of(made["frames"][-1]) == texts_of(alone)


def texts_of(shapes: list[Any]) -> list[str]:
    """Return the texts of a picture."""
    return [values[-1] for values in shapes if values[0] == "t"]


# Lines with fewer points


def line_of(points: Array, width: Any, side: int = 100) -> list[Any]:
    """Return the picture of one line, or an empty list."""
    canvas = Canvas(side, side)
    canvas.line((1, 2, 255), points.tolist(), width)
    return picture(canvas)


def distances(points: Array, corners: Array) -> Array:
    """Return the distance of each point from a line through corners."""
    shares = np.linspace(0.0, 1.0, 2_000)[:, None]
    on_it = [a + shares * (b - a) for a, b in pairwise(corners)]
    away = points[:, None] - np.concatenate(on_it)[None]
    return np.hypot(away[..., 0], away[..., 1]).min(1)


@pytest.mark.parametrize("width", [2.0, "widths"])
def test_a_line_keeps_its_ends_and_passes_close_to_all_points(width: Any) -> None:
    angles = np.linspace(0.0, 4.0, 90)
    points = np.stack([50 + 40 * np.sin(angles), 10 + 20 * angles], axis=1)
    widths = (2 + angles**2).tolist() if width == "widths" else width
    ((kind, colour, sent, differences),) = line_of(points, widths)
    assert (kind, colour) == ("l", "#0102ff")
    corners = np.cumsum(np.reshape(differences, (-1, 2)), axis=0) / 10
    assert len(corners) < 45
    np.testing.assert_allclose(corners[[0, -1]], points[[0, -1]], atol=0.05)
    assert distances(points, corners).max() < 0.4
    if width == "widths":
        at = np.hypot(*(points[:, None] - corners[None]).transpose(2, 0, 1)).argmin(0)
        np.testing.assert_allclose(np.array(sent) / 10, np.array(widths)[at], atol=0.06)
    else:
        assert sent == 20


def test_a_long_line_is_cut_off_outside_of_the_picture() -> None:
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(200):
        ends = rng.normal(50, 200, (2, 2))
        shares = np.linspace(0, 1, 1_001)[:, None]
        on_it = ends[0] + shares * (ends[1] - ends[0])
        visible = on_it[((on_it > 0) & (on_it < 100)).all(1)]
        lines = line_of(ends, 1)
        if len(visible):
            found += 1
            first, change = np.reshape(lines[0][3], (2, 2)) / 10
            assert distances(visible, np.array([first, first + change])).max() < 0.3
            assert abs(np.array([first, first + change]) - 50).max() < 61
        elif lines:
            first, change = np.reshape(lines[0][3], (2, 2)) / 10
            assert abs(first - 50).max() < 61, "in the margin"
    assert found > 20


def test_parts_of_a_picture_have_their_own_corner_and_texts_lie_over_all_shapes() -> None:
    canvas = Canvas(100, 100)
    part = canvas.part((10, 20, 30, 40)).part((1, 2, 3, 4))
    end = part.text("m", (0, 0), 16)
    part.circle((0, 0, 0), (1.5, 2.0), 0.25)
    canvas.fill((255, 255, 255))
    outer, white, (*_, x, _, width, _, text) = picture(canvas)
    inner = ["s", 10, 20, 30, 40, [["c", "#000000", 15, 20, 2]]]
    assert outer == ["s", 100, 200, 300, 400, [inner]]
    assert white == ["r", "#ffffff", 0, 0, 1000, 1000]
    assert (x, x + width, text) == (110, 110 + 10 * end, "m")
