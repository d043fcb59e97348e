"""Letters on pictures."""

from __future__ import annotations

from collections.abc import Callable

import pygame
import pytest

from envs.engine import lettering


def begun_anew() -> None:
    pygame.quit()
    pygame.init()


@pytest.mark.parametrize("end", [pygame.quit, begun_anew])
def test_letters_are_drawn_after_somebody_else_has_ended_pygame(end: Callable[[], None]) -> None:
    """Gymnasium's environments do when they close; some begin it again."""
    pictures = []
    between: list[Callable[[], object]] = [pygame.init, end]
    for happens in between:
        happens()
        lettering._letters.cache_clear()
        surface = pygame.Surface((80, 40))
        lettering.write(surface, "letters", (4, 20), 24)
        pictures.append(pygame.image.tobytes(surface, "RGB"))
    assert any(pictures[0])
    assert pictures[0] == pictures[1]
