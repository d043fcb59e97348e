"""Text on pygame surfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pygame
import pytest

from envs.engine.drawing import pixels_of, write


def restart_pygame() -> None:
    pygame.quit()
    pygame.init()


@pytest.mark.parametrize("end", [pygame.quit, restart_pygame])
def test_text_is_drawn_after_pygame_was_ended(end: Callable[[], None]) -> None:
    """Gymnasium's environments end pygame when they close, and some start it again."""
    pygame.init()
    before = text_in((255, 0, 0))
    end()
    after = text_in((0, 255, 0))  # another colour, as rendered text is kept
    assert before[..., 0].any()
    assert np.array_equal(before[..., 0], after[..., 1])


def text_in(colour: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    surface = pygame.Surface((80, 40))
    write(surface, "letters", (4, 20), 24, colour)
    return pixels_of(surface)
