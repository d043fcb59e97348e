"""One picture of a match: the game at the left, the panel at the right, words over the game."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pygame

from envs.render import load_view
from envs.single import GameEnv
from playing import theme
from playing.match import Match
from playing.panel import draw_panel

GAME_SIDE = 640
SIZE = (1152, 640)  # multiples of 16, as video wants them

HELP = (
    ("space", "pause, go on"),
    (". or right arrow", "one step"),
    ("+  −", "faster, slower"),
    ("n", "next episode"),
    ("tab or a", "switch agent"),
    ("k", "play yourself, give back"),
    ("arrows or w, a, s, d", "your moves"),
    ("h", "this help"),
    ("q or esc", "quit"),
)


@dataclass
class Status:
    """What a picture says beside the match itself."""

    speed: float = 1.0
    paused: bool = False
    help: bool = False
    message: str = ""

    @property
    def pace(self) -> str:
        """In words."""
        return "PAUSED" if self.paused else f"{self.speed:g}x"


class Painter:
    """Draws a match onto `surface`, a plain pygame surface: no display is needed."""

    def __init__(self, match: Match) -> None:
        self.surface = pygame.Surface(SIZE)
        self._match = match
        self._game = self.surface.subsurface((0, 0, GAME_SIDE, GAME_SIDE))
        self._panel = self.surface.subsurface((GAME_SIDE, 0, SIZE[0] - GAME_SIDE, SIZE[1]))
        unwrapped = match.env.unwrapped
        self._view = load_view(unwrapped.game) if isinstance(unwrapped, GameEnv) else None

    def paint(self, status: Status) -> pygame.Surface:
        """Bring `surface` up to date."""
        self._paint_game()
        draw_panel(self._panel, self._match, status.pace)
        if self._match.episode.over:
            self._paint_ending()
        if status.message:
            self._paint_banner(status.message, GAME_SIDE - 64, 28)
        if status.help:
            self._paint_help()
        return self.surface

    def pixels(self) -> np.ndarray[Any, Any]:
        """What is on `surface`: uint8 (height, width, 3)."""
        rows = pygame.image.tobytes(self.surface, "RGB")
        return np.frombuffer(rows, np.uint8).reshape(SIZE[1], SIZE[0], 3)

    def _paint_game(self) -> None:
        unwrapped = self._match.env.unwrapped
        if self._view is not None:
            assert isinstance(unwrapped, GameEnv)
            self._view(self._game, unwrapped.state, unwrapped.batch.options)
            return
        frame: np.ndarray[Any, Any] = np.asarray(self._match.env.render())
        image = pygame.surfarray.make_surface(frame.swapaxes(0, 1))
        scale = GAME_SIDE / max(image.get_size())
        size = (round(image.get_width() * scale), round(image.get_height() * scale))
        self._game.fill(theme.DARK)
        place = ((GAME_SIDE - size[0]) // 2, (GAME_SIDE - size[1]) // 2)
        self._game.blit(pygame.transform.smoothscale(image, size), place)

    def _paint_ending(self) -> None:
        episode = self._match.episode
        end = "Game over" if episode.terminated else "Time is up"
        name = "return" if episode.score is None else "score"
        text = f"{end}: {name} {theme.number(episode.result.score)}"
        self._paint_banner(text, GAME_SIDE // 2, 60)

    def _paint_banner(self, text: str, y: float, size: int) -> None:
        """A line on a dark plate over the game."""
        width, height = theme.text_size(text, size)
        width = min(width, GAME_SIDE - 96)
        plate = pygame.Rect(0, 0, width + size, height + size // 2)
        plate.center = (GAME_SIDE // 2, round(y))
        pygame.draw.rect(self._game, theme.DARK, plate, border_radius=12)
        pygame.draw.rect(self._game, theme.LINE, plate, 2, border_radius=12)
        theme.write(self._game, text, plate.center, size, theme.TEXT, 0.5, width)

    def _paint_help(self) -> None:
        plate = pygame.Rect(60, 60, GAME_SIDE - 120, GAME_SIDE - 120)
        pygame.draw.rect(self._game, theme.DARK, plate, border_radius=16)
        pygame.draw.rect(self._game, theme.LINE, plate, 2, border_radius=16)
        theme.write(self._game, "Keys", (plate.left + 32, plate.top + 42), 48)
        for k, (key, meaning) in enumerate(HELP):
            y = plate.top + 100 + 40 * k
            theme.write(self._game, key, (plate.left + 32, y), 32, theme.CHOSEN)
            theme.write(self._game, meaning, (plate.left + 250, y), 32, theme.TEXT)
