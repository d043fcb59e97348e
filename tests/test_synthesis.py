"""Sounds that are measured and made: compared with Fourier transforms and with the game's waves."""

from __future__ import annotations

import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.engine.game import SAMPLE_RATE
from envs.paddle import sound
from stages.__main__ import main
from stages.datasets.griffin_lim import overlapped, powers_in, waves_of
from stages.datasets.listen import Listen
from stages.datasets.sounds import KINDS, Sounds
from stages.datasets.spectrogram import HOP, WINDOW, filters, log_mel, powers, spectra
from stages.datasets.synthesize import Synthesize
from stages.lab.command import run_experiment
from stages.supervised.listening import Heard
from stages.supervised.synthesize import EXPERIMENT


def test_pitch_and_loudness_are_those_of_the_waves() -> None:
    """A wall's sound is one sine: its highest line in the spectrum is its pitch."""
    waves, kinds, _ = Sounds(observation="waveform", background=0.0).sample(60, 4)
    pitch, loudness = (
        Listen(question=question).sample(60, 4) for question in ("pitch", "loudness")
    )
    assert np.array_equal(pitch.observations, Sounds().sample(60, 4).observations)
    walls = kinds == KINDS.index("wall")
    assert walls.sum() > 10
    spectrum = np.abs(np.fft.rfft(waves[walls], 16 * SAMPLE_RATE))
    lowest = sound.SOUNDS["wall"].frequency / 2
    expected = np.log2(spectrum.argmax(1) / 16 / lowest)
    highest = math.log2(2 * 490 / lowest)  # a miss an octave above that of the game
    np.testing.assert_allclose(highest * pitch.targets[walls, 0], expected, atol=0.08)
    for dataset, targets in (
        (Listen(), pitch.targets),
        (Listen(question="loudness"), loudness.targets),
    ):
        assert all(target in dataset.action_space for target in targets)
    peaks = np.abs(waves).max(1)
    assert (peaks <= loudness.targets[:, 0] + 1e-6).all()
    assert np.corrcoef(peaks[walls], loudness.targets[walls, 0])[0, 1] > 0.95


def test_wrong_labels_are_a_share_of_all() -> None:
    dataset = Listen(noise=0.5)
    right = np.full((2_000, 1), 0.5, np.float32)
    wrong = dataset.add_label_noise(right, np.random.default_rng(0))
    assert (wrong != right).mean() == pytest.approx(0.5, abs=0.05)
    assert wrong.max() <= dataset.action_space.high[0]
    with pytest.raises(ValueError, match="`question` must be pitch or loudness"):
        Listen(question="age")


def test_overlapping_windows_give_the_wave_back() -> None:
    waves = np.random.default_rng(0).standard_normal((2, 1_216)).astype(np.float32)
    again = overlapped(spectra(waves))
    inside = slice(HOP, 1_216 - HOP)  # the window is 0 at the edges
    np.testing.assert_allclose(again[:, inside], waves[:, inside], atol=1e-4)


def test_powers_are_positive_and_fill_the_bands() -> None:
    waves = Sounds(observation="waveform", background=0.0).sample(20, 1).observations
    found = powers_in(log_mel(waves))
    assert (found >= 0).all()
    loud, expected = (np.sqrt(each @ filters().T) for each in (found, powers(waves)))
    assert np.abs(loud - expected).mean() < 0.15 * expected.mean()


def test_waves_from_spectrograms_sound_alike() -> None:
    """The spectrogram of the new wave is within 2 dB, and a tone keeps its pitch."""
    screens = Sounds(background=0.0).sample(20, 1).observations
    again = log_mel(waves_of(screens, np.random.default_rng(0)))
    heard = screens > 60
    assert np.abs(again.astype(float) - screens)[heard].mean() < 255 * 2 / 60
    seconds = np.arange(2_240) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 700 * seconds)[None].astype(np.float32)
    made = waves_of(log_mel(tone), np.random.default_rng(0))
    assert made.shape == tone.shape
    spectrum = np.abs(np.fft.rfft(made[0] * np.hanning(2_240)))
    assert spectrum.argmax() * SAMPLE_RATE / 2_240 == pytest.approx(700, rel=0.08)


def test_described_sounds_are_those_of_the_game() -> None:
    seen, spectrograms, kinds = Synthesize().sample(30, 2)
    assert kinds is not None
    assert np.array_equal(seen[:, :3].argmax(1), kinds)
    assert np.array_equal(np.sort(seen[:, :3], 1), np.tile((0, 0, 1), (30, 1)))
    for row, screen in zip(seen, spectrograms, strict=True):
        kind = KINDS[int(row[:3].argmax())]
        tone = sound.wave(kind, sound.TIMES - np.float32(0.04), 2 ** (2 * row[3] - 1))
        expected = log_mel((0.2 + 0.8 * row[4]) * tone[None])[0].astype(int)
        assert np.abs(expected - screen).max() <= 2
    assert WINDOW + HOP * (spectrograms.shape[-1] - 1) == sound.SAMPLES


def test_a_place_for_the_sounds_is_checked_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synthesize", "--wav", "nowhere/a.wav"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == "stages synthesize: --wav: there is no folder nowhere"


def test_a_file_of_sounds_can_be_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sounds of the first network, one after the other, with pauses of the same length."""
    waves = np.random.default_rng(0).uniform(-1, 1, (9, sound.SAMPLES))
    errors = {
        (question, key): 1.0
        for question in ("kind", "pitch", "loudness")
        for key in ("made", "real", "deaf")
    }

    def run_trials(_: Any, configs: dict[Any, list[Any]], *__: Any) -> dict[Any, list[Any]]:
        return {cell: [Heard(errors, waves) for _ in each] for cell, each in configs.items()}

    file = tmp_path / "sounds.wav"
    arguments = ["--wav", str(file), "--out", str(tmp_path / "slide.png")]
    assert run_experiment("synthesize", EXPERIMENT, arguments, run_trials=run_trials) == 0
    assert str(file) in capsys.readouterr().out.replace("\n", "")
    with wave.open(str(file)) as opened:
        assert opened.getparams()[:3] == (1, 2, SAMPLE_RATE)
        heard = np.frombuffer(opened.readframes(10**6), "<i2").reshape(9, 2, -1) / 32_767
    np.testing.assert_allclose(heard[:, 0], waves, atol=1e-4)
    assert not heard[:, 1].any()
