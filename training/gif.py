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
LOOP_FOREVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


def gif_bytes(frames: Iterable[Array], frames_per_second: float) -> bytes:
    """Return `frames`, uint8 (height, width, 3), as a GIF. Raises ValueError like `write_gif`."""
    file = io.BytesIO()
    write_gif(file, frames, frames_per_second)
    return file.getvalue()


def write_gif(file: BinaryIO, frames: Iterable[Array], frames_per_second: float) -> int:
    """Write frames, uint8 (height, width, 3), one by one without keeping them; return their number.

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
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            kind = f"{frame.dtype} {frame.shape}"
            raise ValueError(f"a frame must be uint8 (height, width, 3), got {kind}")
        if shown is None or before is None:
            height, width = frame.shape[:2]
            file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0))
            palette_place = file.tell()
            file.write(bytes(3 * 256) + LOOP_FOREVER)
            indices = palette.indices(frame)
        elif frame.shape != before.shape:
            sizes = f"{before.shape[:2]} and {frame.shape[:2]}"
            raise ValueError(f"all frames must have one size, got {sizes}")
        else:
            red, green, blue = np.moveaxis(frame != before, 2, 0)
            changed = red | green | blue
            indices = shown.copy()
            indices[changed] = palette.indices(frame[changed])  # faster than looking up all pixels
        delay = _hundredths(count + 1, frames_per_second) - _hundredths(count, frames_per_second)
        file.write(_encoded(indices, shown, delay))
        shown, before = indices, frame
        count += 1
    if shown is None:
        raise ValueError("a GIF needs at least one frame")
    file.write(b"\x3b")
    file.seek(palette_place)
    file.write(palette.colours.tobytes())
    return count


def _hundredths(frame: int, frames_per_second: float) -> int:
    """Return when a frame begins, in 1/100 s. Delays are differences, so rounding cannot add up."""
    return round(frame * 100 / frames_per_second)


def _encoded(indices: Array, shown: Array | None, delay: int) -> bytes:
    """Return one frame: the smallest rectangle with all changes since the last frame, `shown`."""
    top, left, (bottom, right) = 0, 0, indices.shape
    if shown is not None:
        same = indices == shown
        rows, columns = (np.flatnonzero(~same.all(axis)) for axis in (1, 0))
        if len(rows):
            top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        else:
            bottom = right = 1
        indices = np.where(same, np.uint8(UNCHANGED), indices)
    part = np.ascontiguousarray(indices[top:bottom, left:right])
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
        """Return the entry of each pixel (..., 3), uint8 (...)."""
        high = (pixels >> 3).astype(np.uint16)
        keys = high[..., 0] << 10 | high[..., 1] << 5 | high[..., 2]
        new = self._entry[keys] < 0
        if new.any():
            self._add(keys[new], pixels[new])
        indices: Array = self._entry[keys].astype(np.uint8)
        return indices

    def _add(self, keys: Array, colours: Array) -> None:
        keys, first = np.unique(keys, return_index=True)
        added = colours[first]
        free = UNCHANGED - self._used
        if len(added) > free:
            added = _typical(colours, free)
        self.colours[self._used : self._used + len(added)] = added
        self._used += len(added)
        known = self.colours[: self._used].astype(np.int32)
        for key, colour in zip(keys, colours[first], strict=True):
            self._entry[key] = ((known - colour) ** 2).sum(1).argmin()


def _typical(colours: Array, count: int) -> Array:
    """Return at most `count` colours (m, 3) that represent `colours` (n, 3), by median cut."""
    if count == 0:
        return colours[:0]
    palette = Image.fromarray(colours[None]).quantize(count).getpalette() or []
    return np.array(palette, np.uint8).reshape(-1, 3)[:count]
