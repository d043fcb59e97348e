"""Record a playback to a GIF or MP4 file. No display is needed."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from playing.painter import VIDEO_SIZE, Painter, Status
from playing.playback import Playback
from playing.selection import PlayError
from training.gif import write_gif
from training.run_folder import atomic_path

Frame = np.ndarray[Any, Any]

MAX_FRAMES_PER_SECOND = {".gif": 30, ".mp4": 60}
ENDING_SECONDS = 1.0


def check_target(path: Path) -> None:
    """Raise PlayError if no video can be written to `path`, before anything is played."""
    if path.suffix.lower() not in MAX_FRAMES_PER_SECOND:
        raise PlayError(f"--record writes .gif or .mp4, got {path.name!r}")
    if path.is_dir() or not path.parent.is_dir():
        problem = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise PlayError(f"cannot write {path}: {problem}")
    if path.suffix.lower() == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise PlayError(
            '.mp4 needs another package: pip install "imageio[ffmpeg]", or record a .gif instead'
        )


def record(
    playback: Playback, path: Path, speed: float, episodes: int, seconds: float | None = None
) -> int:
    """Play `episodes` episodes into `path`, atomically, and return the number of frames.

    `path` is one that `check_target` accepts, `speed` is a factor on the speed of the environment,
    and `seconds` is the maximum duration of the video, if there is one.

    Raises:
        OSError: if the file cannot be written.
    """
    suffix = path.suffix.lower()
    rate = playback.steps_per_second * speed
    stride = math.ceil(rate / MAX_FRAMES_PER_SECOND[suffix])
    rate /= stride
    frames = _frames(playback, Status(speed=speed), episodes, stride, round(rate * ENDING_SECONDS))
    if seconds is not None:
        frames = itertools.islice(frames, max(1, round(rate * seconds)))
    with atomic_path(path) as temporary:
        if suffix == ".mp4":
            return _write_mp4(temporary, frames, rate)
        with temporary.open("wb") as file:
            return write_gif(file, frames, rate)


def _frames(
    playback: Playback, status: Status, episodes: int, stride: int, ending: int
) -> Iterator[Frame]:
    """Yield what the window shows every `stride` steps; the last frame `ending` times more."""
    painter = Painter(playback, VIDEO_SIZE)

    def frame() -> Frame:
        painter.paint(status)
        return painter.padded_pixels()

    for k in range(episodes):
        if k > 0:
            playback.next_episode()
        yield frame()
        while not playback.episode.over:
            for _ in range(stride):
                playback.step()
            yield frame()
        yield from itertools.repeat(frame(), ending)


def _write_mp4(path: Path, frames: Iterable[Frame], rate: float) -> int:
    from imageio_ffmpeg import write_frames

    options = ["-f", "mp4"]  # the temporary file has another suffix
    writer = write_frames(str(path), VIDEO_SIZE, "rgb0", fps=rate, quality=8, output_params=options)
    count = 0
    with contextlib.closing(writer):
        writer.send(None)
        for frame in frames:
            writer.send(frame)
            count += 1
    return count
