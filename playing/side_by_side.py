"""Paints two playbacks side by side: before the last change of the reward, and now."""

from __future__ import annotations

import pygame

from playing import theme
from playing.painter import SIZE, GamePainter, Status, paint_messages
from playing.playback import Playback

CAPTION = 64  # pixels
HALF = SIZE[0] // 2


class SplitPainter:
    """Paints two playbacks onto `surface`, each below a caption that names its reward."""

    def __init__(self, before: Playback, now: Playback, labels: tuple[str, str]) -> None:
        """Prepare the surface. `labels` are the rewards that `before` and `now` learned from."""
        self.surface = pygame.Surface(SIZE)
        self._games = self.surface.subsurface((0, CAPTION, SIZE[0], SIZE[1] - CAPTION))
        self._sides = [
            (title, label, playback, GamePainter(playback, self._square(k)))
            for k, (title, label, playback) in enumerate(
                (("before_heading", labels[0], before), ("now_heading", labels[1], now))
            )
        ]

    def paint(self, status: Status) -> pygame.Surface:
        """Update `surface` and return it."""
        self.surface.fill(theme.PANEL)
        for k, (title, label, playback, painter) in enumerate(self._sides):
            painter.paint()
            caption = self.surface.subsurface((k * HALF, 0, HALF, CAPTION))
            _draw_caption(caption, title, label, playback)
        pygame.draw.line(self.surface, theme.LINE, (HALF, 0), (HALF, SIZE[1]), 4)
        paint_messages(self._games, status)
        return self.surface

    def _square(self, k: int) -> pygame.Surface:
        return self._games.subsurface((k * HALF, 0, HALF, HALF))


def _draw_caption(surface: pygame.Surface, title: str, label: str, playback: Playback) -> None:
    colour = theme.PLAYERS["learning"] if title == "now_heading" else theme.OTHER
    heading = theme.text("panel", title)
    badge = pygame.Rect(16, 14, theme.text_size(heading, 28)[0] + 28, 36)
    pygame.draw.rect(surface, colour, badge, border_radius=18)
    theme.write(surface, heading, badge.center, 28, theme.DARK, 0.5)
    episode, right = playback.episode, surface.get_width() - 16
    name = theme.text("panel", "return" if episode.score is None else "score")
    value = theme.number(episode.result.score)
    written = theme.write(surface, value, (right, 32), 40, theme.TEXT, 1.0)
    written = theme.write(surface, name, (written.left - 8, 34), 22, theme.DIM, 1.0)
    space = written.left - badge.right - 28
    theme.write(surface, label, (badge.right + 14, 32), 26, theme.TEXT, width=space)
