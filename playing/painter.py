"""Paints one frame: the game on the left, the panel on the right, messages over the game."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pygame

from envs.engine.capabilities import show_prediction
from envs.engine.drawing import pixels_of
from envs.engine.render import SurfaceView
from envs.engine.single import GameEnv
from playing import theme
from playing.panel import Progress, draw_panel
from playing.playback import Playback

GAME_SIDE = 640
SIZE = (1152, 640)
VIDEO_SIZE = (864, 480)  # multiples of 16, as video codecs need

ERROR_FONT = 26  # pixels
ERROR_LINES = 5


@dataclass
class Status:
    """What a frame shows besides the playback itself."""

    speed: float = 1.0
    paused: bool = False
    help: bool = False
    message: str = ""
    error: str = ""
    """What is wrong with the file that was saved last; shown until it is corrected."""
    reward: str = ""
    """The reward in use, if it can change."""
    training: Progress = ()
    """Progress of the training, if there is one."""

    @property
    def pace(self) -> str:
        """The speed in words."""
        return theme.text("panel", "paused") if self.paused else f"{self.speed:g}x"


class Painter:
    """Paints a playback onto `surface`, a pygame surface that needs no display."""

    def __init__(self, playback: Playback, size: tuple[int, int] = SIZE) -> None:
        """Prepare the surface. `size` is (width, height) with the proportions of `SIZE`."""
        self.surface = pygame.Surface(size)
        self._playback = playback
        width, side = size
        self._game = GamePainter(playback, self.surface.subsurface((0, 0, side, side)))
        self._panel = self.surface.subsurface((side, 0, width - side, side))
        self._full_panel = pygame.Surface((SIZE[0] - GAME_SIDE, SIZE[1]))

    def paint(self, status: Status) -> pygame.Surface:
        """Update `surface` and return it."""
        self._game.paint()
        panel = self._full_panel
        draw_panel(panel, self._playback, status.pace, status.reward, status.training)
        pygame.transform.smoothscale(panel, self._panel.get_size(), self._panel)
        paint_messages(self._game.surface, status)
        return self.surface

    def pixels(self) -> np.ndarray[Any, Any]:
        """Return the pixels of `surface`: uint8 (height, width, 3)."""
        return pixels_of(self.surface)

    def padded_pixels(self) -> np.ndarray[Any, Any]:
        """Return the pixels with a constant fourth channel: uint8 (height, width, 4)."""
        width, height = self.surface.get_size()
        content = pygame.image.tobytes(self.surface, "RGBX")
        return np.frombuffer(content, np.uint8).reshape(height, width, 4)


class GamePainter:
    """Paints the game of a playback, and how its episode ended, onto a square `surface`."""

    def __init__(self, playback: Playback, surface: pygame.Surface) -> None:
        self.surface = surface
        self._playback = playback
        unwrapped = playback.env.unwrapped
        self._view = SurfaceView(unwrapped.game) if isinstance(unwrapped, GameEnv) else None

    def paint(self) -> None:
        """Update `surface`."""
        unwrapped = self._playback.env.unwrapped
        if self._view is not None:
            assert isinstance(unwrapped, GameEnv)
            self._view(self.surface, unwrapped.state, unwrapped.batch.options)
        else:
            show_prediction(self._playback.env, self._playback.action)
            self._paint_frame(np.asarray(self._playback.env.render()))
        if self._playback.episode.over:
            self._paint_ending()

    def _paint_frame(self, frame: np.ndarray[Any, Any]) -> None:
        """Paint the picture of another environment as large as it fits."""
        side = self.surface.get_width()
        image = pygame.surfarray.make_surface(frame.swapaxes(0, 1))
        scale = side / max(image.get_size())
        size = (round(image.get_width() * scale), round(image.get_height() * scale))
        self.surface.fill(theme.DARK)
        corner = ((side - size[0]) // 2, (side - size[1]) // 2)
        self.surface.blit(pygame.transform.smoothscale(image, size), corner)

    def _paint_ending(self) -> None:
        episode = self._playback.episode
        end = theme.text("panel", "game_over" if episode.terminated else "time_up")
        name = theme.text("panel", "return" if episode.score is None else "score")
        text = f"{end}: {name} {theme.number(episode.result.score)}"
        side = self.surface.get_height()
        _paint_banner(self.surface, text, side // 2, side * 3 // 32)


def paint_messages(surface: pygame.Surface, status: Status) -> None:
    """Paint the error, the message and the help of `status`, where there are any."""
    if status.error:
        _paint_error(surface, status.error)
    if status.message:
        _paint_banner(surface, status.message, surface.get_height() - 64, 28)
    if status.help:
        _paint_help(surface)


def _paint_plate(surface: pygame.Surface, plate: pygame.Rect, rim: theme.Colour) -> None:
    pygame.draw.rect(surface, theme.DARK, plate, border_radius=12)
    pygame.draw.rect(surface, rim, plate, 2, border_radius=12)


def _paint_banner(surface: pygame.Surface, text: str, y: float, size: int) -> None:
    """Paint one line on a dark plate."""
    width, height = theme.text_size(text, size)
    width = min(width, surface.get_width() - 96)
    plate = pygame.Rect(0, 0, width + size, height + size // 2)
    plate.center = (surface.get_width() // 2, round(y))
    _paint_plate(surface, plate, theme.LINE)
    theme.write(surface, text, plate.center, size, theme.TEXT, 0.5, width)


def _paint_error(surface: pygame.Surface, error: str) -> None:
    """Paint the error at the top, in a few lines on a plate with a red rim."""
    width = surface.get_width() - 64
    lines = theme.wrapped(error, ERROR_FONT, width - 40)[:ERROR_LINES]
    plate = pygame.Rect(32, 24, width, 24 + 32 * len(lines))
    _paint_plate(surface, plate, theme.BAD)
    for k, line in enumerate(lines):
        place = (plate.left + 20, plate.top + 28 + 32 * k)
        theme.write(surface, line, place, ERROR_FONT, theme.TEXT, width=width - 40)


def _paint_help(surface: pygame.Surface) -> None:
    plate = pygame.Rect(0, 0, 560, 520)
    plate.center = (surface.get_width() // 2, surface.get_height() // 2)
    _paint_plate(surface, plate, theme.LINE)
    theme.write(surface, theme.text("help", "title"), (plate.left + 32, plate.top + 42), 48)
    for k, (key, meaning) in enumerate(theme.help_on_keys()):
        y = plate.top + 96 + 37 * k
        theme.write(surface, key, (plate.left + 32, y), 30, theme.CHOSEN, width=212)
        theme.write(surface, meaning, (plate.left + 250, y), 30, theme.TEXT, width=290)
