"""Label examples by hand: python play.py --label shapes

The window shows one screen after the other, and a key names its class. Each label is written at
once, to labels1.npz or the next free number. Everyone gets the same screens, so that two people can
be compared (`python -m stages agreement`), and a network can be trained on the file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pygame

from envs.engine.capabilities import action_names_of
from envs.names import one_of
from envs.options import parse_env_options
from envs.registry import DATASETS
from playing import theme
from playing.painter import SIZE
from playing.selection import PlayError, PlayOptions
from rewards.command_line import as_typed
from training import hand_labels
from training.hand_labels import HandLabels
from training.messages import one_line

SCREENS = 60
FIRST_SEED = 1  # of the screens, if --seed is not given: the same for everyone
SIDE = 480  # pixels of a screen in the window
DEFAULT_OPTIONS: dict[str, dict[str, Any]] = {"shapes": {"of": "animals"}}
"""Of each dataset of screens that has an option `labels`: options with which each class has a key
of its own."""


@dataclass(frozen=True)
class Labelled:
    """Result of labelling, which play.py prints."""

    file: Path | None
    """None if nothing was labelled."""
    labels: int
    right: int
    """Number of labels that are those of the dataset."""
    command: str
    """Command that trains on the file."""

    def __str__(self) -> str:
        if self.file is None:
            return "no screen was labelled; nothing is written"
        return (
            f"{self.file}: {self.labels} screens, {self.right / self.labels:.0%} labelled as the "
            f"program does; train on it: {self.command}"
        )


class Screens:
    """Screens to be labelled, and their classes by keys."""

    def __init__(self, name: str, options: dict[str, Any], seed: int) -> None:
        """Make the dataset called `name`.

        Raises:
            ValueError: if it takes no labels by hand, or its classes have no keys of their own.
        """
        if name not in DEFAULT_OPTIONS:
            raise ValueError(f"--label must be {one_of(DEFAULT_OPTIONS)}, got {name!r}")
        self.options = DEFAULT_OPTIONS[name] | options
        env_id = DATASETS[name].env_id
        self._env: gymnasium.Env[Any, Any] = gymnasium.make(env_id, **self.options)
        self._seed = seed
        self.names = action_names_of(self._env) or ()
        self.keys = {label[0]: k for k, label in enumerate(self.names)}
        if len(self.keys) < len(self.names):
            names = ", ".join(self.names)
            raise ValueError(f"--label needs classes with different first letters, not {names}")

    def observation(self, k: int) -> Any:
        """Return the `k`-th screen (frames, side, side)."""
        return self._env.reset(seed=self._seed + k)[0]

    def answer(self, k: int) -> int:
        """Return the dataset's label of the `k`-th screen."""
        self.observation(k)
        return int(self._env.step(self._env.action_space.sample())[-1]["answer"])


def label(options: PlayOptions, window: pygame.Surface) -> Labelled:
    """Let a person label screens in `window`, and write each label to the file.

    Raises:
        PlayError: if the dataset cannot be labelled, or the file not written.
    """
    assert options.label is not None
    try:
        given = parse_env_options(options.env_options)
        seed = FIRST_SEED if options.seed is None else options.seed
        screens = Screens(options.label, given, seed)
    except (ValueError, gymnasium.error.Error) as error:
        raise PlayError(one_line(error)) from None
    file = next(path for path in free_files() if not path.exists())
    chosen = ask(screens, options.episodes or SCREENS, window, file)
    right = sum(label == screens.answer(k) for k, label in enumerate(chosen))
    pairs = " ".join(f"{name}={value}" for name, value in screens.options.items())
    command = f"python train.py --env {options.label} --env-options {pairs} labels={file}"
    written = file if chosen else None
    return Labelled(written, len(chosen), right, as_typed(" ".join(command.split())))


def keep(file: Path, screens: Screens, chosen: Sequence[int]) -> None:
    """Write the labels of the first screens to a file, or remove it if there are none.

    Raises:
        PlayError: if it cannot be written.
    """
    shown = range(len(chosen))
    try:
        if not chosen:
            file.unlink(missing_ok=True)
            return
        seen = np.stack([screens.observation(k) for k in shown])
        answers = [screens.answer(k) for k in shown]
        hand_labels.write(file, HandLabels(*map(np.array, (seen, chosen, answers, screens.names))))
    except OSError as error:
        raise PlayError(f"cannot write {file}: {error.strerror or error}") from None


def free_files() -> Iterator[Path]:
    """Yield labels1.npz, labels2.npz, ..."""
    return (Path(f"labels{number}.npz") for number in itertools.count(1))


def ask(screens: Screens, count: int, window: pygame.Surface, file: Path) -> list[int]:
    """Show screens until `count` are labelled or the window is closed; return the classes.

    Raises:
        PlayError: if `file`, in which they are kept, cannot be written.
    """
    chosen: list[int] = []
    while len(chosen) < count:
        draw(screens, len(chosen), count, window)
        event = pygame.event.wait()
        if event.type == pygame.QUIT:
            break
        if event.type != pygame.KEYDOWN:
            continue
        if event.key in (pygame.K_ESCAPE, pygame.K_q):
            break
        if event.key == pygame.K_BACKSPACE:
            del chosen[-1:]
        elif (key := pygame.key.name(event.key)) in screens.keys:
            chosen.append(screens.keys[key])
        else:
            continue
        keep(file, screens, chosen)
    return chosen


def draw(screens: Screens, k: int, count: int, window: pygame.Surface) -> None:
    """Draw the `k`-th screen and the keys."""
    newest = screens.observation(k)[-1]
    image = pygame.surfarray.make_surface(np.repeat(newest.T[..., None], 3, axis=2))
    window.fill(theme.DARK)
    window.blit(pygame.transform.scale(image, (SIDE, SIDE)), (80, (SIZE[1] - SIDE) // 2))
    left = SIDE + 160
    theme.write(window, theme.text("labelling", "question"), (left, 120), 44)
    for row, (key, number) in enumerate(screens.keys.items()):
        y = 200 + 60 * row
        theme.write(window, key, (left, y), 48, theme.CHOSEN)
        theme.write(window, theme.name("classes", screens.names[number]), (left + 60, y), 44)
    progress = theme.text("labelling", "progress", number=k + 1, count=count)
    theme.write(window, progress, (left, 440), 34, theme.DIM)
    theme.write(window, theme.text("labelling", "keys"), (left, 500), 26, theme.DIM)
    pygame.display.flip()
