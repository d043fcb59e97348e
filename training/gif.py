"""Animated GIFs, written frame by frame with one palette for all frames.

Pillow compresses the pixels. Its own `save_all` is not used because it keeps every frame in memory
until the end: half a gigabyte for a video of twenty seconds.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]

FASTEST = 50
"""Highest number of frames per second; viewers slow down anything faster."""
UNCHANGED = 255  # the last palette entry is transparent: the pixel stays as it was
VISIBLE = 300
"""Squared colour difference times the square root of the number of pixels that needs an entry."""
LOOP_FOREVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


def gif_bytes(frames: Iterable[Array], frames_per_second: float) -> bytes:
    """Return `frames` as a GIF. Frames and errors are those of `write_gif`."""
    file = io.BytesIO()
    write_gif(file, frames, frames_per_second)
    return file.getvalue()


def write_gif(file: BinaryIO, frames: Iterable[Array], frames_per_second: float) -> int:
    """Write frames one by one without keeping them; return their number.

    A frame is uint8 (height, width, 3), or (height, width, 4) with a constant fourth channel, which
    is ignored. Frames of four channels are written faster.

    The file must be seekable, because the palette is written last.

    Raises:
        ValueError: for no frames, frames of another type or size, or an impossible rate.
    """
    if not 0 < frames_per_second <= FASTEST:
        raise ValueError(
            f"a GIF has more than 0 and at most {FASTEST} frames/s, got {frames_per_second}"
        )
    palette = _Palette()
    shown: Array | None = None
    before: Array | None = None
    count = 0
    for frame in frames:
        pixels = _packed(frame)
        if shown is None or before is None:
            height, width = pixels.shape
            file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0))
            palette_place = file.tell()
            file.write(bytes(3 * 256) + LOOP_FOREVER)
            shown = changes = palette.indices(pixels)
        elif pixels.shape != before.shape:
            raise ValueError(
                f"all frames must have one size, got {before.shape} and {pixels.shape}"
            )
        else:
            changed = pixels != before
            new, old = palette.indices(pixels[changed]), shown[changed]
            changes = np.full(pixels.shape, UNCHANGED, np.uint8)
            changes[changed] = np.where(new == old, np.uint8(UNCHANGED), new)
            shown[changed] = new
        delay = _hundredths(count + 1, frames_per_second) - _hundredths(count, frames_per_second)
        file.write(_encoded(changes, delay))
        before = pixels
        count += 1
    if shown is None:
        raise ValueError("a GIF needs at least one frame")
    file.write(b"\x3b")
    file.seek(palette_place)
    file.write(palette.colours.tobytes())
    return count


def _packed(frame: Array) -> Array:
    """Return one number per pixel, uint32 (height, width): red is the lowest byte."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] not in (3, 4):
        kind = f"{frame.dtype} {frame.shape}"
        raise ValueError(f"a frame must be uint8 (height, width, 3 or 4), got {kind}")
    if frame.shape[2] == 3:
        frame = np.pad(frame, ((0, 0), (0, 0), (0, 1)))
    return np.ascontiguousarray(frame).view("<u4")[..., 0]


def _hundredths(frame: int, frames_per_second: float) -> int:
    """Return when a frame begins, in 1/100 s. Delays are differences, so rounding cannot add up."""
    return round(frame * 100 / frames_per_second)


def _encoded(changes: Array, delay: int) -> bytes:
    """Return one frame: the smallest rectangle around all pixels that are not `UNCHANGED`."""
    different = changes != UNCHANGED
    rows, columns = (np.flatnonzero(different.any(axis)) for axis in (1, 0))
    top, bottom, left, right = 0, 1, 0, 1
    if len(rows):
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    part = np.ascontiguousarray(changes[top:bottom, left:right])
    timing = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 0b101, delay, UNCHANGED, 0)
    place = struct.pack("<BHHHHB", 0x2C, left, top, right - left, bottom - top, 0)
    pixels = Image.fromarray(part).tobytes("gif", "L")
    return timing + place + b"\x08" + pixels + b"\x00"


class _Palette:
    """A palette that fills up as colours appear; five bits of each channel tell them apart."""

    def __init__(self) -> None:
        self.colours = np.zeros((256, 3), np.uint8)
        self._used = 0
        self._entry = np.full(1 << 15, -1, np.int16)

    def indices(self, pixels: Array) -> Array:
        """Return the entry of each packed pixel, uint8."""
        keys = pixels >> 3 & 0x1F | pixels >> 6 & 0x3E0 | pixels >> 9 & 0x7C00
        found = self._entry.take(keys)
        new = found < 0
        if new.any():
            self._add(keys[new], pixels[new])
            found = self._entry.take(keys)
        return found.astype(np.uint8)

    def _add(self, keys: Array, pixels: Array) -> None:
        """Give entries to the colours with the largest errors; the others get the nearest entry."""
        keys, first, counts = np.unique(keys, return_index=True, return_counts=True)
        colours = (pixels[first, None] >> np.array([0, 8, 16], np.uint32) & 255).astype(np.int32)
        weights = np.sqrt(counts)
        nearest, distances = np.zeros(len(keys), np.int16), np.full(len(keys), 3 * 256**2)

        def use(entry: int) -> None:
            to_entry = ((colours - self.colours[entry]) ** 2).sum(1)
            closer = to_entry < distances
            nearest[closer], distances[closer] = entry, to_entry[closer]

        for entry in range(self._used):
            use(entry)
        for _ in range((UNCHANGED - self._used + 1) // 2):  # the rest is for later frames
            errors = distances * weights
            worst = errors.argmax()
            if errors[worst] < VISIBLE:
                break
            self.colours[self._used] = colours[worst]
            use(self._used)
            self._used += 1
        self._entry[keys] = nearest
