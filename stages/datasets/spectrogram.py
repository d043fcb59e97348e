"""Sound as a picture: the log-mel spectrogram.

The power of short overlapping windows, summed in bands of equal width on the mel scale, in decibels
(Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word
recognition", IEEE ASSP 1980).
"""

from __future__ import annotations

import functools

import numpy as np

from envs.engine.game import SAMPLE_RATE
from stages.datasets.dataset import Array

WINDOW, HOP = 256, 64  # samples
BANDS = 32
LOUDEST = 10 * np.log10((WINDOW / 4) ** 2)  # dB of a sine of amplitude 1
RANGE = 60.0  # dB from black to white
HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def mel(frequency: Array | float) -> Array:
    """Return the mel of a frequency in Hz (O'Shaughnessy, "Speech communication", 1987, p. 150)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(frequency) / 700.0))


@functools.cache
def filters() -> Array:
    """Return the weight of each frequency (columns) in each band (rows).

    Bands are triangles on the mel scale, from the centre of the band below to that of the one above
    (Young et al., "The HTK book", 2006, section 5.4).
    """
    frequencies = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    middles = np.linspace(0.0, mel(SAMPLE_RATE / 2), BANDS + 2)[1:-1]
    distances = np.abs(mel(frequencies) - middles[:, None]) / middles[0]
    return np.asarray(np.maximum(0.0, 1.0 - distances), np.float32)


def spectra(waves: Array) -> Array:
    """Return the complex spectra (n, times, frequencies) of waves (n, samples) in Hann windows."""
    windows = np.lib.stride_tricks.sliding_window_view(waves, WINDOW, -1)[:, ::HOP]
    return np.fft.rfft(windows * HANN)


def powers(waves: Array) -> Array:
    """Return the power (n, times, frequencies) of waves (n, samples)."""
    spectrum = spectra(waves)
    return np.asarray(spectrum.real**2 + spectrum.imag**2)


def log_mel(waves: Array) -> Array:
    """Return screens uint8 (n, 1, BANDS, times): time runs right, high pitch is at the top.

    White is as loud as a sine of amplitude 1, black is `RANGE` dB below.
    """
    loudness = 10 * np.log10(powers(waves) @ filters().T + 1e-10)
    screens = 255 * (1 + (loudness - LOUDEST) / RANGE)
    upright = np.clip(screens, 0, 255).astype(np.uint8).transpose(0, 2, 1)[:, None, ::-1]
    return np.ascontiguousarray(upright)
