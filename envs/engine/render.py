"""The human's eyes: a game's view drawn with pygame, off screen or in a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from envs.engine.game import Game
from envs.names import load

SIZE = (480, 480)

View = Callable[[Any, Any, Any], None]
"""Draws onto the whole of (pygame surface, state, options)."""


def load_view(game: Game) -> View:
    """What draws one match of `game` for people; imports pygame.

    Where the view is a class, each match gets an instance: it may remember what it has drawn.
    """
    found = load(game.view)
    view: View = found() if isinstance(found, type) else found
    return view


class Renderer:
    """Draws one kind of game; pygame is imported when the first picture is drawn."""

    def __init__(self, game: Game, size: tuple[int, int] = SIZE) -> None:
        self._game = game
        self._size = size
        self._views: dict[int, View] = {}
        self._surface: Any = None
        self._window: Any = None
        self._clock: Any = None

    def picture(self, state: Any, options: Any, match: int = 0) -> np.ndarray[Any, Any]:
        """The state as people see it: uint8 (height, width, 3), read-only.

        `match` tells apart matches whose pictures are drawn in turn.
        """
        import pygame

        from envs.engine.drawing import pixels_of

        if self._surface is None:
            pygame.font.init()
            self._surface = pygame.Surface(self._size)
        if match not in self._views:
            self._views[match] = load_view(self._game)
        self._views[match](self._surface, state, options)
        return pixels_of(self._surface)

    def show(self, picture: np.ndarray[Any, Any]) -> None:
        """Put a picture into the window and keep to the frame rate."""
        import pygame

        if self._window is None:
            pygame.display.init()
            self._window = pygame.display.set_mode(self._size)
            pygame.display.set_caption(self._game.name)
            self._clock = pygame.time.Clock()
        pygame.event.pump()  # or the desktop takes the window for frozen
        pygame.surfarray.blit_array(self._window, picture.swapaxes(0, 1))
        pygame.display.flip()
        self._clock.tick(self._game.steps_per_second)

    def close(self) -> None:
        """Close the window, if there is one."""
        import pygame

        if self._window is not None:
            pygame.display.quit()
            self._window = None
