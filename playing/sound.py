"""Plays the sounds of a game through the sound device."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pygame

from envs.engine.capabilities import shown_game
from envs.engine.game import SAMPLE_RATE
from envs.names import load
from playing.playback import Playback
from playing.selection import PlayError


class Speaker:
    """Plays the sound of the last step of a playback."""

    def __init__(self, playback: Playback) -> None:
        """Open the sound device.

        Raises:
            PlayError: if there is no device, or the game has no sounds.
        """
        env = shown_game(playback.env)
        if env is None or not env.game.sound:
            raise PlayError(f"{playback.env_id} has no sounds: leave out --sound")
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

    def play(self) -> None:
        """Play the sound of the last step, if it has one, over the sounds that still play."""
        wave = self._sound_of(self._env.state)
        if wave is not None:
            pygame.mixer.Sound(buffer=(wave * np.iinfo(np.int16).max).astype(np.int16)).play()

    def close(self) -> None:
        """Close the sound device."""
        pygame.mixer.quit()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discard what C libraries write: without a device, ALSA prints ten lines."""
    sys.stderr.flush()
    kept, discarded = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(discarded, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(discarded)
