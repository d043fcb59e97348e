"""Two matches side by side: before the last change, and now."""

from __future__ import annotations

import pygame

from playing import theme
from playing.painter import SIZE, GamePicture, Status, paint_words
from playing.playback import Match

CAPTION = 64  # pixels
HALF = SIZE[0] // 2


class SplitPainter:
    """Draws two matches onto `surface`, each below what tells it from the other."""

    def __init__(self, before: Match, now: Match, labels: tuple[str, str]) -> None:
        """Prepare.

        Args:
            before: at the left.
            now: at the right.
            labels: what each agent learned from.
        """
        self.surface = pygame.Surface(SIZE)
        self._below = self.surface.subsurface((0, CAPTION, SIZE[0], SIZE[1] - CAPTION))
        self._sides = [
            (title, label, match, GamePicture(match, self._square(k)))
            for k, (title, label, match) in enumerate(
                (("BEFORE", labels[0], before), ("NOW", labels[1], now))
            )
        ]

    def paint(self, status: Status) -> pygame.Surface:
        """Bring `surface` up to date."""
        self.surface.fill(theme.PANEL)
        for k, (title, label, match, picture) in enumerate(self._sides):
            picture.paint()
            caption = self.surface.subsurface((k * HALF, 0, HALF, CAPTION))
            _draw_caption(caption, title, label, match)
        pygame.draw.line(self.surface, theme.LINE, (HALF, 0), (HALF, SIZE[1]), 4)
        paint_words(self._below, status)
        return self.surface

    def _square(self, k: int) -> pygame.Surface:
        return self._below.subsurface((k * HALF, 0, HALF, HALF))


def _draw_caption(surface: pygame.Surface, title: str, label: str, match: Match) -> None:
    colour = theme.PLAYERS["learning"] if title == "NOW" else theme.OTHER
    badge = pygame.Rect(16, 14, theme.text_size(title, 28)[0] + 28, 36)
    pygame.draw.rect(surface, colour, badge, border_radius=18)
    theme.write(surface, title, badge.center, 28, theme.DARK, 0.5)
    episode, right = match.episode, surface.get_width() - 16
    name, value = ("score", episode.score)
    if value is None:
        name, value = ("return", episode.total_reward)
    written = theme.write(surface, theme.number(value), (right, 32), 40, theme.TEXT, 1.0)
    written = theme.write(surface, name, (written.left - 8, 34), 22, theme.DIM, 1.0)
    space = written.left - badge.right - 28
    theme.write(surface, label, (badge.right + 14, 32), 26, theme.TEXT, width=space)
