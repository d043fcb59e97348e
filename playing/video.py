"""A match recorded to a file, without any display."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from playing.painter import SIZE, Painter, Status
from playing.playback import Match
from playing.selection import PlayError
from training.gif import write_gif
from training.run_folder import atomic_path

Picture = np.ndarray[Any, Any]

MOST_FRAMES_PER_SECOND = {".gif": 50, ".mp4": 60}
ENDING_SECONDS = 1.0


def check_target(path: Path) -> None:
    """Raise PlayError where no recording can be written, before anything is played."""
    if path.suffix.lower() not in MOST_FRAMES_PER_SECOND:
        raise PlayError(f"--record writes .gif or .mp4, not {path.name!r}")
    if path.is_dir() or not path.parent.is_dir():
        problem = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise PlayError(f"cannot write {path}: {problem}")
    if path.suffix.lower() == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise PlayError(
            'mp4 needs one more package: pip install "imageio[ffmpeg]"; a .gif needs nothing'
        )


def record(
    match: Match,
    path: Path,
    steps_per_second: float,
    speed: float,
    episodes: int,
    seconds: float | None = None,
) -> int:
    """Play `episodes` episodes into `path`, atomically; returns the number of pictures.

    Args:
        match: what is played.
        path: as `check_target` accepts it.
        steps_per_second: at speed 1.
        speed: factor on it.
        episodes: how many.
        seconds: stop after so many seconds of film, even within an episode.

    Raises:
        OSError: if the file cannot be written.
    """
    suffix = path.suffix.lower()
    rate = steps_per_second * speed
    stride = math.ceil(rate / MOST_FRAMES_PER_SECOND[suffix])
    rate /= stride
    pictures = _pictures(match, Status(speed=speed), episodes, stride, round(rate * ENDING_SECONDS))
    if seconds is not None:
        pictures = itertools.islice(pictures, max(1, round(rate * seconds)))
    with atomic_path(path) as temporary:
        if suffix == ".mp4":
            return _write_mp4(temporary, pictures, rate)
        with temporary.open("wb") as file:
            return write_gif(file, pictures, rate)


def _pictures(
    match: Match, status: Status, episodes: int, stride: int, ending: int
) -> Iterator[Picture]:
    """What the window would show: every `stride`-th step, the last one `ending` times more."""
    painter = Painter(match)

    def picture() -> Picture:
        painter.paint(status)
        return painter.pixels()

    for k in range(episodes):
        if k > 0:
            match.next_episode()
        yield picture()
        while not match.episode.over:
            for _ in range(stride):
                match.step()
            yield picture()
        yield from itertools.repeat(picture(), ending)


def _write_mp4(path: Path, pictures: Iterable[Picture], rate: float) -> int:
    from imageio_ffmpeg import write_frames

    options = ["-f", "mp4"]  # the temporary file's name does not say so
    writer = write_frames(str(path), SIZE, fps=rate, quality=8, output_params=options)
    count = 0
    with contextlib.closing(writer):
        writer.send(None)
        for picture in pictures:
            writer.send(picture)
            count += 1
    return count
