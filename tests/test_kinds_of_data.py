"""Tests of sounds, tables and translations, compared with SciPy, the engine and plain sums."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage, signal

import train
from envs.engine.game import SAMPLE_RATE
from envs.engine.single import GameEnv
from envs.paddle.game import GAME, PaddleOptions
from envs.paddle.sound import SOUNDS, TIMES, last_sound, step_sound, wave
from rewards.make import make_single
from stages.datasets.classify import Classify
from stages.datasets.dataset import examples_of
from stages.datasets.paddle_states import rows
from stages.datasets.regress import Regress
from stages.datasets.sounds import HELD, KINDS, Sounds
from stages.datasets.spectrogram import (
    BANDS,
    HOP,
    LOUDEST,
    WINDOW,
    filters,
    log_mel,
    mel,
    powers,
)
from stages.datasets.translate import COARSE, DEFOCUS, Translate, frames
from stages.lab.trials import Trial, learning_curve
from stages.supervised.boosted_trees import make_trees

# --- The spectrogram


def test_the_mel_scale_is_the_published_one() -> None:
    """1,000 mel are 1,000 Hz; the same curve with a natural logarithm has the factor 1127."""
    assert mel(0) == 0
    assert mel(1000.0) == pytest.approx(1000.0, abs=0.1)
    frequencies = np.linspace(0, 4000, 50)
    np.testing.assert_allclose(mel(frequencies), 1127 * np.log1p(frequencies / 700), rtol=1e-5)


def test_powers_are_those_of_scipy_and_of_the_sum() -> None:
    waves = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    hann = signal.get_window("hann", WINDOW)
    settings: dict[str, Any] = {"nperseg": WINDOW, "noverlap": WINDOW - HOP, "detrend": False}
    _, _, scaled = signal.spectrogram(waves, 1.0, hann, mode="complex", **settings)
    expected = np.abs(scaled * np.sqrt(np.square(hann).sum())) ** 2
    found = powers(waves)
    np.testing.assert_allclose(found, expected.transpose(0, 2, 1), rtol=1e-3, atol=1e-3)
    moment, k = 3, 17
    part = waves[1, moment * HOP : moment * HOP + WINDOW] * hann
    turns = np.exp(-2j * math.pi * k * np.arange(WINDOW) / WINDOW)
    assert found[1, moment, k] == pytest.approx(abs((part * turns).sum()) ** 2, rel=1e-4)


def test_bands_are_triangles_that_leave_nothing_out() -> None:
    weights, place = filters(), mel(np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE))
    middles = np.arange(1, BANDS + 1) * mel(SAMPLE_RATE / 2) / (BANDS + 1)
    between = (place > middles[0]) & (place < middles[-1])
    np.testing.assert_allclose(weights[:, between].sum(0), 1.0, atol=1e-5)
    assert (weights.sum(1) > 0).all()
    for row, middle in zip(weights, middles, strict=True):
        assert row.argmax() == np.abs(place - middle).argmin()


@pytest.mark.parametrize("frequency", [300, 1000, 3000])
def test_a_tone_is_a_bright_line_at_its_pitch(frequency: float) -> None:
    seconds = np.arange(2000) / SAMPLE_RATE
    tone = np.sin(2 * math.pi * frequency * seconds)[None].astype(np.float32)
    screen = log_mel(tone)[0, 0]
    middles = np.arange(1, BANDS + 1) * float(mel(4000)) / (BANDS + 1)
    band = int(np.abs(middles - float(mel(frequency))).argmin())
    assert set(screen.argmax(0)) == {BANDS - 1 - band}  # high pitch at the top
    assert 235 <= screen.max() <= 255
    assert pytest.approx(36.12, abs=0.01) == LOUDEST
    fainter = log_mel(tone / 10)[0, 0]
    assert screen.max() - float(fainter.max()) == pytest.approx(255 * 20 / 60, abs=8)  # 20 dB


# --- The game's sounds


@pytest.mark.parametrize(("kind", "pitch"), [("hit", 1.0), ("wall", 1.0), ("wall", 2.0)])
def test_sounds_have_their_pitch_and_die_away(kind: str, pitch: float) -> None:
    sound = wave(kind, TIMES - 0.05, pitch)
    begins = round(0.05 * SAMPLE_RATE)
    assert not sound[:begins].any()
    assert 0.3 < np.abs(sound).max() <= 1
    assert np.abs(sound[-200:]).max() < 0.05
    spectrum = np.abs(np.fft.rfft(sound, 8 * SAMPLE_RATE))
    assert spectrum.argmax() / 8 == pytest.approx(SOUNDS[kind].frequency * pitch, rel=0.03)


@np.errstate(over="ignore")
def test_sounds_match_what_the_game_did() -> None:
    """In each step: has a counter changed, or a velocity changed its sign?"""
    options, generator = PaddleOptions(max_steps=10_000), np.random.default_rng(0)
    seen = dict.fromkeys(SOUNDS, 0)
    for seed in range(15):
        state = GAME.states(1)[0]
        state.rng = seed
        GAME.reset(state, options)
        assert step_sound(state) is None
        while not state.missed and state.t < 200:
            before = state.copy()
            follow = 1 + int(np.sign(state.ball_y - state.paddle_y))
            GAME.step(state, follow if generator.random() < 0.6 else 1, options)
            state.t += 1
            hit, missed = state.hits > before.hits, state.missed
            turned = any(np.sign(state[v]) != np.sign(before[v]) for v in ("ball_vx", "ball_vy"))
            kind, ago = last_sound(state)
            assert (step_sound(state) is not None) == bool(hit or missed or turned) == (ago <= 1)
            if ago <= 1:
                seen[kind] += 1
                expected = "miss" if missed else "hit" if hit else "wall"
                assert kind == expected or (hit and kind == "wall")  # both in one step
    assert min(seen.values()) >= 3


def test_examples_are_sounds_in_noise() -> None:
    clean, loud = Sounds(observation="waveform", background=0.0), Sounds(observation="waveform")
    quiet, noisy = clean.sample(600, 3), loud.sample(600, 3)
    assert np.array_equal(quiet.targets, noisy.targets)
    assert np.bincount(quiet.targets, minlength=3) == pytest.approx([200] * 3, abs=50)
    rest = (noisy.observations - quiet.observations)[np.abs(quiet.observations) < 0.1]
    assert rest.std() == pytest.approx(Sounds.background, abs=0.01)
    peaks = np.abs(quiet.observations).max(1)
    assert 0.05 < peaks.min() < 0.3
    assert 0.8 < peaks.max() <= 1.0
    seen = Sounds().sample(10, 3).observations
    assert np.array_equal(seen, log_mel(noisy.observations[:10]))


def test_a_running_game_has_a_target_while_a_sound_lasts() -> None:
    state = GAME.states(1)[0]
    state.ball_x, state.ball_y, state.ball_vx, state.ball_vy = 0.5, 0.5, 0.04, 0.001
    state.t, dataset = 100, Sounds()
    _, target = dataset.example_from_game(np.zeros(0), state)  # hit 12.5 steps ago
    assert target is not None
    assert KINDS[int(target)] == "hit"
    again, _ = dataset.example_from_game(np.zeros(0), state)
    state.ball_x, state.t = 0.54, 101
    assert np.array_equal(
        dataset.example_from_game(np.zeros(0), state)[0], again
    )  # the same recording
    state.ball_x, state.t = 0.04 * (HELD + 1), 104
    observation, target = dataset.example_from_game(np.zeros(0), state)
    assert target is None
    assert observation in dataset.observation_space
    assert observation.flags.c_contiguous  # as torch needs it


# --- Tables and translations


def test_rows_are_what_the_game_observes() -> None:
    env: GameEnv = make_single("paddle")
    env.reset(seed=4)
    for _ in range(5):
        seen = env.step(2)[0]
        assert np.array_equal(rows(np.asarray([env.state], GAME.state))[0], seen)


def test_meaningless_columns_are_random_and_come_after_the_state() -> None:
    plain, more = (
        Regress(observation="state", noise_columns=count).sample(2_000, 1) for count in (0, 3)
    )
    assert np.array_equal(plain.targets, more.targets)
    assert np.array_equal(plain.observations, more.observations[:, :5])
    noise = more.observations[:, 5:]
    assert noise.shape == (2_000, 3)
    assert np.abs(noise).max() <= 1
    assert noise.std() == pytest.approx(1 / math.sqrt(3), abs=0.02)
    correlations = np.corrcoef(np.column_stack((more.observations, more.targets)).T)
    assert np.abs(correlations[5:8] - np.eye(9)[5:8]).max() < 0.1
    with pytest.raises(ValueError, match="needs observation=state"):
        Regress(noise_columns=3)


@pytest.mark.parametrize("question", ["regress", "classify"])
def test_trees_learn_a_table_with_one_cut(question: str) -> None:
    """One threshold on one column separates the table."""
    dataset = Classify() if question == "classify" else Regress()
    table = np.random.default_rng(0).uniform(-1, 1, (200, 5))
    targets = (table[:, 2] > 0).astype(np.int64 if question == "classify" else np.float32)
    grown = make_trees(dataset, 100).fit(table, targets)
    assert np.abs(grown.predict(table) - targets).mean() < 0.01


def test_translations_are_of_the_same_state() -> None:
    kinds = {
        (source, target): Translate(100, source=source, target=target).sample(50, 1)
        for source, target in (("state", "screen"), ("screen", "coarse"), ("coarse", "state"))
    }
    states, screens = kinds["state", "screen"][:2]
    assert np.array_equal(screens, kinds["screen", "coarse"].observations)
    coarse = kinds["screen", "coarse"].targets
    assert np.array_equal(coarse, kinds["coarse", "state"].observations)
    assert np.array_equal(states, kinds["coarse", "state"].targets)
    block = 24 // COARSE
    for row in range(COARSE):
        for column in range(COARSE):
            pixels = screens[:, 0, row * block :, column * block :][:, :block, :block]
            assert np.abs(pixels.mean((1, 2)) - coarse[:, 0, row, column]).max() <= 0.5 + 1e-9
    for state, screen in zip(states, screens[:, 0].astype(float), strict=True):
        ball = frames(state)[0]
        if ball[1] > 0.4:  # outside the paddle's light
            light = screen[:, 7:]
            x = ((np.arange(7, 24) + 0.5) * light.sum(0)).sum() / light.sum() / 24
            y = ((np.arange(24) + 0.5) * light.sum(1)).sum() / light.sum() / 24
            assert x == pytest.approx(ball[1], abs=0.05)
            assert y == pytest.approx(ball[2], abs=0.07)  # light beyond the screen is lost


def test_a_lens_out_of_focus_blurs_and_a_background_only_adds_light() -> None:
    blurred, screens, _ = Translate(source="defocused").sample(20, 1)
    for seen, screen in zip(blurred[:, 0], screens[:, 0].astype(float), strict=True):
        expected = ndimage.gaussian_filter(screen, DEFOCUS, mode="constant", truncate=8)
        assert np.abs(seen - expected).max() <= 1.0  # rounded, and the edges of the kernel
    in_front, same, _ = Translate(source="cluttered").sample(20, 1)
    assert np.array_equal(same, screens)
    light = in_front.astype(int) - same
    assert light.min() >= 0
    assert (light.std((1, 2, 3)) > 5).all()
    assert np.abs(light[0] - light[1]).max() > 50
    fewer = Translate(source="cluttered").sample(5, 1)
    assert np.array_equal(fewer.observations, in_front[:5])


@pytest.mark.parametrize("target", ["state", "screen"])
def test_scores_are_r_squared(target: str) -> None:
    dataset = Translate(100, source="coarse", target=target)
    targets = examples_of(dataset, "test").targets[:4000]
    right = np.asarray(targets, np.float32)
    always = np.broadcast_to(right.mean(0), right.shape)
    assert dataset.score(right, targets) == pytest.approx(1.0)
    assert dataset.score(always, targets).mean() == pytest.approx(0.0, abs=0.03)
    halfway = (right + always) / 2
    assert dataset.score(halfway, targets).mean() == pytest.approx(0.75, abs=0.01)


# --- All kinds of data


@pytest.mark.parametrize(
    ("env", "options", "score"),
    [("sounds", {}, 0.6), ("translate", {"source": "screen", "target": "state"}, 0.8)],
)
def test_they_can_be_learned(env: str, options: dict[str, Any], score: float) -> None:
    """Few examples lead to scores far above those of random or constant predictions."""
    trial = Trial(env, 15_360, options={"examples": 1_000, **options})
    points = learning_curve(trial.config(1))
    assert points[-1].score > score


@pytest.mark.parametrize(
    ("env", "option", "message"),
    [
        ("sounds", "observation=mp3", "option `observation` must be spectrogram or waveform"),
        ("sounds", "background=2", "option `background` must be between 0 and 1"),
        ("translate", "source=text", "option `source` must be state, screen, coarse, "),
        ("translate", "target=state", "options `source` and `target` must differ"),
        ("translate", "screen_size=25", "option `screen_size` must be a multiple of 8"),
        ("translate", "noise=0.1", "option `noise` must be 0"),
        ("translate", "observation=state", "option `observation` does not apply here"),
        (
            "classify",
            "observation=table",
            "option `observation` must be screen, features, motion or state",
        ),
    ],
)
def test_wrong_options_get_one_line_and_leave_nothing(
    env: str, option: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert train.main(["--env", env, "--run-dir", str(folder), "--env-options", option]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not folder.exists()
