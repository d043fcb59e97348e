"""Rendering for people: a game's view painted with pygame, off screen or in a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from envs.engine.game import Game
from envs.names import load

if TYPE_CHECKING:  # it imports pygame
    from envs.engine.canvas import Canvas

SIZE = (480, 480)

View = Callable[["Canvas", Any, Any], None]
"""Function(canvas, state, options) that draws a state over a whole canvas."""


def load_view(game: Game) -> View:
    """Return a view of `game`; imports pygame.

    If the view is a class, the result is a new instance, which may remember earlier states.
    Therefore each running game needs a view of its own.
    """
    found = load(game.view)
    view: View = found() if isinstance(found, type) else found
    return view


class SurfaceView:
    """A view of one running game that paints onto pygame surfaces."""

    def __init__(self, game: Game) -> None:
        from envs.engine.painting import Painter

        self._view = load_view(game)
        self._painter = Painter()

    def __call__(self, surface: Any, state: Any, options: Any) -> None:
        """Paint `state` over a whole surface."""
        from envs.engine.canvas import Canvas

        canvas = Canvas(*surface.get_size())
        self._view(canvas, state, options)
        self._painter.paint(canvas, surface)


class Renderer:
    """Renders one game; pygame is imported with the first picture."""

    def __init__(self, game: Game, size: tuple[int, int] = SIZE) -> None:
        self._game = game
        self._size = size
        self._views: dict[int, SurfaceView] = {}
        self._surface: Any = None
        self._window: Any = None
        self._clock: Any = None

    def picture(self, state: Any, options: Any, row: int = 0) -> np.ndarray[Any, Any]:
        """Return the picture of game `row` of a batch: uint8 (height, width, 3), read-only."""
        import pygame

        from envs.engine.drawing import pixels_of

        if self._surface is None:
            pygame.font.init()
            self._surface = pygame.Surface(self._size)
        if row not in self._views:
            self._views[row] = SurfaceView(self._game)
        self._views[row](self._surface, state, options)
        return pixels_of(self._surface)

    def show(self, picture: np.ndarray[Any, Any]) -> None:
        """Show a picture in the window and wait to keep the frame rate."""
        import pygame

        if self._window is None:
            pygame.display.init()
            self._window = pygame.display.set_mode(self._size)
            pygame.display.set_caption(self._game.name)
            self._clock = pygame.time.Clock()
        pygame.event.pump()  # otherwise the desktop reports a frozen window
        pygame.surfarray.blit_array(self._window, picture.swapaxes(0, 1))
        pygame.display.flip()
        self._clock.tick(self._game.steps_per_second)

    def close(self) -> None:
        """Close the window, if there is one."""
        import pygame

        if self._window is not None:
            pygame.display.quit()
            self._window = None
