"""GIFs are read back with Pillow and compared with what was written."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from training.gif import gif_bytes, write_gif

Array = np.ndarray[Any, Any]


def moving_square(count: int, side: int = 48) -> list[Array]:
    """Return frames of a bright square that moves one pixel per frame on a dark background."""
    frames = []
    for k in range(count):
        frame = np.full((side, side + 10, 3), (20, 24, 36), np.uint8)
        frame[10:20, k % side : k % side + 10] = (255, 196, 84)
        frame[30:34, 5:9] = (k * 16 % 256, 100, 200)
        frames.append(frame)
    return frames


def read_back(content: bytes) -> tuple[list[Array], list[int], dict[Any, Any]]:
    """Return the frames, their durations in milliseconds, and Pillow's information on the file."""
    image = Image.open(io.BytesIO(content))
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        frames.append(np.array(frame.convert("RGB")))
        durations.append(int(frame.info["duration"]))
    return frames, durations, dict(image.info)


def test_every_frame_comes_back_pixel_for_pixel() -> None:
    written = moving_square(12)
    frames, _, info = read_back(gif_bytes(written, 25))
    assert len(frames) == 12
    for got, expected in zip(frames, written, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert info["loop"] == 0


@pytest.mark.parametrize("rate", [7.5, 25, 30, 50])
def test_rounding_of_delays_does_not_add_up(rate: float) -> None:
    _, durations, _ = read_back(gif_bytes(moving_square(40), rate))
    assert sum(durations) == pytest.approx(40_000 / rate, abs=10)
    assert max(durations) - min(durations) <= 10


def test_an_unchanged_frame_adds_few_bytes() -> None:
    frame = np.random.default_rng(0).integers(0, 4, (64, 64, 1), np.uint8).repeat(3, 2) * 60
    one, many = (len(gif_bytes([frame] * count, 20)) for count in (1, 21))
    assert many - one <= 20 * 40
    frames, _, _ = read_back(gif_bytes([frame] * 3, 20))
    assert len(frames) == 3
    np.testing.assert_array_equal(frames[2], frame)


def test_colours_beyond_the_palette_become_the_nearest_entry() -> None:
    rows, columns = np.mgrid[0:64, 0:64].astype(np.uint8) * 4
    frame = np.stack([rows, columns, (rows // 2 + columns // 2)], -1)
    (got,), _, _ = read_back(gif_bytes([frame], 10))
    distance = np.abs(got.astype(int) - frame.astype(int))
    assert distance.mean() < 8


def test_a_colour_that_appears_late_still_gets_an_entry() -> None:
    rows, columns = np.mgrid[0:64, 0:64].astype(np.uint8) * 4
    frame = np.stack([rows, columns, np.zeros_like(rows)], -1)
    later = frame.copy()
    later[20:30, 20:30] = (90, 80, 250)
    frames, _, _ = read_back(gif_bytes([frame, later], 10))
    np.testing.assert_array_equal(frames[1][20:30, 20:30], later[20:30, 20:30])


def test_a_fourth_channel_is_ignored() -> None:
    frames = moving_square(5)
    padded = [np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in frames]
    assert gif_bytes(padded, 20) == gif_bytes(frames, 20)


def test_frames_are_written_without_keeping_them() -> None:
    alive = 0

    class Frame(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def frames() -> Any:
        nonlocal alive
        for _ in range(20):
            assert alive <= 2
            alive += 1
            yield np.zeros((8, 8, 3), np.uint8).view(Frame)

    file = io.BytesIO()
    assert write_gif(file, (np.asarray(frame) for frame in frames()), 10) == 20


def test_a_training_video_is_small() -> None:
    assert len(gif_bytes(moving_square(150, 230), 30)) < 100_000


@pytest.mark.parametrize(
    ("frames", "rate", "message"),
    [
        ([], 10, "at least one frame"),
        (moving_square(1), 0, "frames/s"),
        (moving_square(1), 51, "frames/s"),
        ([np.zeros((4, 4, 3))], 10, "float64"),
        ([np.zeros((4, 4), np.uint8)], 10, r"\(4, 4\)"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)], 10, "one size"),
    ],
)
def test_impossible_frames_and_rates_are_refused(
    frames: list[Array], rate: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gif_bytes(frames, rate)
