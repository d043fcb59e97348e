"""A game to be heard: what its steps sound like, through the machine's sound device."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pygame

from envs.engine.game import SAMPLE_RATE
from envs.engine.single import GameEnv
from envs.names import load
from playing.playback import Match
from playing.selection import PlayError
from stages.viewers.examples import GameViewer


class Speaker:
    """Plays what the last step of a match sounds like."""

    def __init__(self, match: Match) -> None:
        """Open the sound device.

        Raises:
            PlayError: where there is none, or the game has no sounds.
        """
        env = match.env.unwrapped
        env = env.played if isinstance(env, GameViewer) else env
        if not isinstance(env, GameEnv) or not env.game.sound:
            raise PlayError(f"{match.env_id} has no sounds: leave out --sound")
        self._sound_of = load(env.game.sound)
        self._env = env
        try:
            with _silent_stderr():
                pygame.mixer.init(SAMPLE_RATE, -16, 1, allowedchanges=0)
        except pygame.error as error:
            raise PlayError(f"there is no sound device ({error}): leave out --sound") from None
        if pygame.mixer.get_driver() == "dummy":
            self.close()
            raise PlayError("SDL_AUDIODRIVER selects the silent dummy driver: unset it for --sound")

    def hear(self) -> None:
        """Play it, if there is something to be heard; what still sounds goes on."""
        wave = self._sound_of(self._env.state)
        if wave is not None:
            pygame.mixer.Sound(buffer=(wave * np.iinfo(np.int16).max).astype(np.int16)).play()

    def close(self) -> None:
        """Be silent."""
        pygame.mixer.quit()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discard what C libraries write: without a device, ALSA prints ten lines of its own."""
    sys.stderr.flush()
    kept, discarded = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(discarded, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(discarded)
