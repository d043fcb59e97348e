"""play.py --sound: what SDL really plays, and when it plays nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import play
from envs.engine.game import SAMPLE_RATE
from envs.paddle.sound import SOUNDS

ROOT = Path(play.__file__).parent


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run_python(*arguments: str, audio_driver: str | None) -> subprocess.CompletedProcess[str]:
    """Run Python with SDL's dummy display; SDL's disk driver writes its samples to audio.raw."""
    settings = {
        "SDL_VIDEODRIVER": "dummy",
        "SDL_DISKAUDIOFILE": str(Path("audio.raw").absolute()),
        "PYTHONPATH": str(ROOT),
    }
    environment = {k: v for k, v in os.environ.items() if k != "SDL_AUDIODRIVER"} | settings
    if audio_driver is not None:
        environment["SDL_AUDIODRIVER"] = audio_driver
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def run(arguments: str, audio_driver: str) -> subprocess.CompletedProcess[str]:
    """Run play.py."""
    return run_python(str(ROOT / "play.py"), *arguments.split(), audio_driver=audio_driver)


def pitches(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    """Return the strongest frequency (Hz) of each sound; sounds begin after 0.1 s of silence."""
    loud = np.flatnonzero(np.abs(samples) > 1_000)
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-SAMPLE_RATE) > SAMPLE_RATE / 10)]
    tones = [samples[start : start + SAMPLE_RATE // 10] for start in starts]
    return [float(np.abs(np.fft.rfft(tone, 8 * SAMPLE_RATE)).argmax()) / 8 for tone in tones]


def test_the_samples_that_sdl_plays_contain_the_games_sounds() -> None:
    """With seed 0, the ball bounces off a wall in step 15 and off the paddle in step 50."""
    options = "--episodes 1 --seed 0 --speed 2 --env-options max_steps=60"
    done = run(f"--sound --agent rules {options}", "disk")
    assert done.returncode == 0, done.stderr
    samples = np.fromfile("audio.raw", np.int16).astype(float)
    expected = [SOUNDS[kind].frequency for kind in ("wall", "hit")]
    assert pitches(samples) == pytest.approx(expected, rel=0.03)


def test_sdl_chooses_the_device_where_no_driver_is_set() -> None:
    code = (
        "import os, play, pygame\n"
        "def init(*_, **__):\n"
        "    raise pygame.error(os.environ.get('SDL_AUDIODRIVER', 'the driver of the system'))\n"
        "pygame.mixer.init = init\n"
        "raise SystemExit(play.main(['--sound', '--agent', 'rules']))"
    )
    done = run_python("-c", code, audio_driver=None)
    assert done.returncode == 2
    assert "the driver of the system" in done.stderr


@pytest.mark.parametrize("arguments", ["", "--record out.gif"])
def test_without_sound_the_device_stays_closed(arguments: str) -> None:
    """Gymnasium's own games initialize all of pygame, the sound device included."""
    options = "--env CartPole-v1 --agent random --episodes 1 --seed 0 --speed 9"
    done = run(f"{options} {arguments}", "disk")
    assert done.returncode == 0, done.stderr
    assert not Path("audio.raw").exists()


@pytest.mark.parametrize(
    ("arguments", "audio_driver", "message"),
    [
        ("--agent rules", "no_such_driver", "there is no sound device"),
        ("--agent rules", "dummy", "SDL_AUDIODRIVER selects the silent dummy driver: unset it"),
    ],
)
def test_where_nothing_can_sound_one_line_says_why(
    arguments: str, audio_driver: str, message: str
) -> None:
    done = run(f"--sound {arguments}", audio_driver)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(Path().iterdir()) in ([], [Path("audio.raw")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--agent random --env CartPole-v1", "CartPole-v1 has no sounds: leave out"),
        ("--agent rules --json", "leave out --json"),
        ("--agent rules --record out.gif", "leave out --record"),
    ],
)
def test_options_without_a_window_exclude_sound(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play.main(["--sound", *arguments.split()]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(Path().iterdir()) == []
