"""From a spectrogram back to sound.

A log-mel spectrogram has lost two things. The power of single frequencies within a band: it is
estimated by multiplicative updates that keep it positive (Lee and Seung, "Algorithms for
non-negative matrix factorization", NeurIPS 2000). And the phases: Griffin and Lim ("Signal
estimation from modified short-time Fourier transform", IEEE ASSP 1984) begin with random ones, and
replace them again and again by those of the wave that results.
"""

from __future__ import annotations

import numpy as np

from stages.datasets.dataset import Array
from stages.datasets.spectrogram import HANN, HOP, LOUDEST, RANGE, WINDOW, filters, spectra

UPDATES, ROUNDS = 60, 60
SMALLEST = 1e-8
FAINTEST = 0.1  # weight of windows; where it is less, at both ends, waves are faded


def powers_in(screens: Array) -> Array:
    """Return powers (n, times, frequencies) whose `log_mel` is like `screens` (n, 1, bands, times).

    Black pixels are silent.
    """
    bands = screens[:, 0, ::-1].transpose(0, 2, 1).astype(np.float32)
    loudness = np.where(bands > 0, 10 ** ((LOUDEST + RANGE * (bands / 255 - 1)) / 10), 0.0)
    weights = filters()
    back = loudness @ weights
    found = back.copy()
    for _ in range(UPDATES):
        found *= back / np.maximum(found @ weights.T @ weights, SMALLEST)
    return np.asarray(found)


def waves_of(screens: Array, generator: np.random.Generator) -> Array:
    """Return waves float32 (n, samples) in -1..1 that sound like `screens` (n, 1, bands, times)."""
    loudness = np.sqrt(powers_in(screens))
    turns = generator.random(loudness.shape, np.float32)
    phases = np.exp(2j * np.pi * turns)
    for _ in range(ROUNDS):
        found = spectra(overlapped(loudness * phases))
        phases = found / np.maximum(np.abs(found), SMALLEST)
    return np.asarray(np.clip(overlapped(loudness * phases), -1.0, 1.0), np.float32)


def overlapped(spectrum: Array) -> Array:
    """Return the waves (n, samples) whose `spectra` are closest to spectra (n, times, frequencies).

    The windows' waves are added, weighted by the window. Both ends are faded.
    """
    count, times, _ = spectrum.shape
    windows = np.fft.irfft(spectrum, WINDOW) * HANN
    waves = np.zeros((count, WINDOW + HOP * (times - 1)))
    weights = np.zeros(waves.shape[1])
    for k in range(times):
        part = slice(HOP * k, HOP * k + WINDOW)
        waves[:, part] += windows[:, k]
        weights[part] += HANN**2
    return waves / np.maximum(weights, FAINTEST)
