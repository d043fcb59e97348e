"""What an environment may offer beyond Gymnasium's interface, and functions that ask for it.

Each function takes an environment or a vector environment, looks below its wrappers, and returns
None where there is no such thing, as in most environments that are not ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from envs.engine.batch import GameBatch
from envs.engine.single import GameEnv

Array = np.ndarray[Any, Any]


class Batch(Protocol):
    """The games or examples of an environment, which can be saved and continued exactly."""

    observations: Array

    def checkpoint(self) -> dict[str, Array]:
        """Return everything that decides how the batch continues."""

    def restore(self, saved: dict[str, Array]) -> None:
        """Continue from what `checkpoint` returned."""


@runtime_checkable
class HasBatch(Protocol):
    """An environment of ours, single or vector."""

    batch: Batch


@runtime_checkable
class ShowsAgent(Protocol):
    """An environment that draws what its agent predicts."""

    def watch(self, agent: Any) -> None:
        """Draw the predictions of `agent` from now on."""


@runtime_checkable
class NamesActions(Protocol):
    """An environment that names its actions (Discrete) or their components (Box)."""

    @property
    def action_names(self) -> tuple[str, ...]:
        """One name for each action or component."""


@runtime_checkable
class ShowsPrediction(Protocol):
    """An environment that draws a prediction into its picture."""

    prediction: Any


@runtime_checkable
class ShowsGame(Protocol):
    """An environment whose picture shows a running game."""

    @property
    def played(self) -> GameEnv:
        """The game."""


@runtime_checkable
class Assesses(Protocol):
    """A vector environment that evaluates all actions of a step together."""

    def assess(self, codes: Callable[[Array], Array | None]) -> tuple[Any, ...]:
        """Evaluate the last step; return metrics, pictures and an embedding.

        `codes` is the agent's method that returns the codes of observations.
        """


def batch_of(environment: Any) -> Batch | None:
    """Return the batch behind one of our environments."""
    unwrapped = environment.unwrapped
    return unwrapped.batch if isinstance(unwrapped, HasBatch) else None


def game_batch_of(environment: Any) -> GameBatch | None:
    """Return the batch behind one of our games."""
    batch = batch_of(environment)
    return batch if isinstance(batch, GameBatch) else None


def show_agent(environment: Any, agent: Any) -> None:
    """Hand `agent` to an environment that draws its predictions; do nothing for others."""
    if isinstance(environment.unwrapped, ShowsAgent):
        environment.unwrapped.watch(agent)


def action_names_of(environment: Any) -> tuple[str, ...] | None:
    """Return the names of the actions or their components."""
    unwrapped = environment.unwrapped
    return unwrapped.action_names if isinstance(unwrapped, NamesActions) else None


def show_prediction(environment: Any, prediction: Any) -> None:
    """Hand `prediction` to an environment that draws predictions; do nothing for others."""
    if isinstance(environment.unwrapped, ShowsPrediction):
        environment.unwrapped.prediction = prediction


def shown_game(environment: Any) -> GameEnv | None:
    """Return the game that the picture shows: the environment itself, or the game behind it."""
    unwrapped = environment.unwrapped
    if isinstance(unwrapped, ShowsGame):
        return unwrapped.played
    return unwrapped if isinstance(unwrapped, GameEnv) else None


def assessing(environment: Any) -> Assesses | None:
    """Return the vector environment itself if it evaluates a whole step."""
    unwrapped = environment.unwrapped
    return unwrapped if isinstance(unwrapped, Assesses) else None
