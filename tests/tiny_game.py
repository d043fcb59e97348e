"""The smallest complete game, the example of docs/contributing.md: a leaf in the wind.

The leaf lies on a line from -1 to 1. In each step, a random gust moves it and the player blows
against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.engine.canvas import Canvas
from envs.engine.game import Field, Game, state_dtype
from envs.engine.palette import BACKGROUND, WHITE
from envs.engine.raster import fill_rectangle
from envs.engine.rng import uniform

FIELDS = (
    Field("x", "f8", "place of the leaf, -1..1"),
    Field("t", "i8", "steps since the start"),
    Field("rng", "u8", "the generator's state"),
)
STATE = state_dtype(FIELDS)


@dataclass(frozen=True)
class TinyOptions:
    """Options of the game."""

    gust: float = 0.2
    """Maximum push of the wind in a step."""
    max_steps: int = 200
    """Number of steps after which an episode is truncated."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.gust <= 1.0:
            raise ValueError(f"option `gust` of tiny must be between 0 and 1, got {self.gust}")
        if self.max_steps < 1:
            raise ValueError(f"option `max_steps` of tiny must be at least 1, got {self.max_steps}")


def reset(state: Any, options: Any) -> None:
    """Start near the middle."""
    state.x = uniform(state, -0.5, 0.5)


def step(state: Any, action: Any, options: Any) -> None:
    """Move the leaf by the player's breath and by a gust of wind."""
    breath = min(max(float(action[0]), -1.0), 1.0)
    state.x += 0.1 * breath + uniform(state, -options.gust, options.gust)


def terminated(state: Any, options: Any) -> bool:
    """Return whether the leaf was blown off."""
    return abs(state.x) > 1.0


def observe(state: Any, out: Any, options: Any) -> None:
    """Write the position of the leaf, -1..1."""
    out[0] = min(max(state.x, -1.0), 1.0)


def draw(state: Any, screen: Any, options: Any) -> None:
    """Draw the leaf as a bright column, for agents."""
    side = len(screen)
    middle = (state.x + 1.0) / 2.0 * side
    fill_rectangle(screen, middle - 1.0, 0.0, middle + 1.0, side, 255.0)


def score(state: Any) -> float:
    """Return the number of steps that the leaf stayed."""
    return state.t


def check(state: Any, options: Any) -> None:
    """Raise ValueError if the leaf is off the line."""
    if not -1.0 <= state.x <= 1.0:
        raise ValueError(f"state field `x` must be in -1..1, got {state.x}")


def view(canvas: Canvas, state: Any, options: Any) -> None:
    """Draw the leaf as a stripe, for people."""
    canvas.fill(BACKGROUND)
    canvas.rect(WHITE, ((state.x + 1.0) / 2.0 * canvas.width, 0, 4, canvas.height))


GAME = Game(
    name="tiny",
    state=STATE,
    fields=FIELDS,
    options=TinyOptions,
    action_space=spaces.Box(-1.0, 1.0, (1,), np.float32),
    observation_space=spaces.Box(-1.0, 1.0, (1,), np.float32),
    reset=reset,
    step=step,
    terminated=terminated,
    observe=observe,
    draw=draw,
    score=score,
    check=check,
    view="tests.tiny_game:view",
    steps_per_second=10,
    action_names=("breath",),
)
