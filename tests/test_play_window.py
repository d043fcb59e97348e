"""Tests of the window of play.py, through the keys that a user presses."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest

import play
from envs.paddle.game import PaddleOptions
from playing import theme
from playing.painter import GAME_SIDE, Painter, Status
from playing.players import Players
from playing.selection import Selection
from playing.window import Window
from tests.playbacks import ENV, make_playback

BICYCLE = "BicycleBalance-v0"
PADDLE_SPEED = PaddleOptions().paddle_speed
STEP = 1 / 30 + 1e-9  # seconds of the window's clock
ROOT = Path(play.__file__).parent


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide all runs except those that a test makes."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield Window(make_playback(reward="hit_or_miss - 0.01*effort"), "test")
    pygame.display.quit()


def press(window: Window, *keys: int, release: bool = True) -> None:
    """Press keys, and let the window handle them without any time passing."""
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode=""))
        if release:
            pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))
    window.frame(0.0)


def steps(window: Window) -> int:
    return window.playback.episode.steps


def paddle_y(window: Window) -> float:
    return float(window.playback.env.unwrapped.state.paddle_y)  # type: ignore[attr-defined]


def test_the_window_plays_at_the_speed_of_the_game(window: Window) -> None:
    for _ in range(10):
        window.frame(STEP)
    assert steps(window) == 10


def test_space_pauses_and_resumes(window: Window) -> None:
    press(window, pygame.K_SPACE)
    window.frame(1.0)
    assert steps(window) == 0
    press(window, pygame.K_SPACE)
    window.frame(STEP)
    assert steps(window) == 1


@pytest.mark.parametrize("key", [pygame.K_PERIOD, pygame.K_RIGHT])
def test_period_and_right_advance_one_step(window: Window, key: int) -> None:
    press(window, key, key)
    window.frame(1.0)
    assert steps(window) == 2
    assert window.status.paused


def test_plus_and_minus_change_the_speed(window: Window) -> None:
    press(window, pygame.K_PLUS, pygame.K_EQUALS)
    assert window.status.speed == 4
    for count in range(1, 9):
        window.frame(STEP / 4)
        assert steps(window) == count
    press(window, *[pygame.K_MINUS] * 30)
    assert 0 < window.status.speed < 0.2
    press(window, *[pygame.K_KP_PLUS] * 30)
    assert 8 <= window.status.speed < 100


def test_a_slow_machine_skips_steps_and_does_not_freeze(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here, two seconds pass whenever somebody looks at the clock."""
    monkeypatch.setattr("playing.window.time.perf_counter", itertools.count(0.0, 2.0).__next__)
    for count in range(1, 4):
        window.frame(1.0)
        assert steps(window) == count


def test_n_starts_the_next_episode_with_the_next_seed(window: Window) -> None:
    window.frame(STEP)
    press(window, pygame.K_n)
    assert window.playback.episode.number == 1
    assert steps(window) == 0
    np.testing.assert_array_equal(window.playback.observation, make_playback(seed=4).observation)
    assert window.playback.results == []


@pytest.mark.parametrize("key", [pygame.K_a, pygame.K_TAB])
def test_a_and_tab_switch_players_during_an_episode(window: Window, key: int) -> None:
    window.frame(STEP)
    names = [window.playback.player.name]
    for _ in range(2):
        press(window, key)
        names.append(window.playback.player.name)
    assert names == ["rules", "random", "rules"]
    assert steps(window) == 1


def test_a_player_that_cannot_be_loaded_is_reported_and_not_offered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playback = make_playback()
    players = Players(playback.env, Selection(ENV, {}, 0, tmp_path / "gone"))
    playback.players = players
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = Window(playback, "test")
    playback.player = players.player("random")
    press(window, pygame.K_a)
    assert "gone" in window.status.message
    assert playback.player.name == "random"
    window.frame(10.0)
    assert window.status.message == ""
    press(window, pygame.K_a)
    assert playback.player.name == "rules"
    pygame.display.quit()


@pytest.mark.parametrize(
    ("key", "way"), [(pygame.K_UP, -1), (pygame.K_w, -1), (pygame.K_DOWN, 1), (pygame.K_s, 1)]
)
def test_k_lets_a_person_play_and_then_the_agent_again(window: Window, key: int, way: int) -> None:
    press(window, pygame.K_k)
    before = paddle_y(window)
    for _ in range(3):
        window.frame(STEP)
    assert paddle_y(window) == before, "no key, no move"
    press(window, key, release=False)
    for _ in range(3):
        window.frame(STEP)
    assert paddle_y(window) == pytest.approx(before + way * 3 * PADDLE_SPEED)
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))
    window.frame(STEP)
    assert paddle_y(window) == pytest.approx(before + way * 3 * PADDLE_SPEED)
    press(window, pygame.K_k)
    assert not window.playback.human
    assert (
        window.playback.action
        == window.playback.player.agent.act(window.playback.observation[None])[0]
    )


def test_a_tap_between_two_frames_counts_once(window: Window) -> None:
    press(window, pygame.K_k)
    before = paddle_y(window)
    press(window, pygame.K_UP)
    for _ in range(3):
        window.frame(STEP)
    assert paddle_y(window) == pytest.approx(before - PADDLE_SPEED)


@pytest.fixture
def ride(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """A window in which a person rides the bicycle."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = Window(make_playback("random", env_id=BICYCLE), "test")
    press(window, pygame.K_k)
    assert window.playback.human
    yield window
    pygame.display.quit()


def controls(window: Window) -> tuple[float, float, float]:
    """Advance one step and return torque (N m), pedal and brake."""
    window.frame(1 / 50 + 1e-9)
    state = window.playback.env.unwrapped.state  # type: ignore[attr-defined]
    return float(state.torque), float(state.pedal), float(state.brake)


LEFT, RIGHT = (pygame.K_LEFT, pygame.K_a), (pygame.K_RIGHT, pygame.K_d)
UP, DOWN = (pygame.K_UP, pygame.K_w), (pygame.K_DOWN, pygame.K_s)


@pytest.mark.parametrize("hand", [0, 1], ids=["arrows", "letters"])
def test_keys_held_together_are_combined(ride: Window, hand: int) -> None:
    assert controls(ride) == (0, 0, 0)
    press(ride, LEFT[hand], release=False)
    torque, *_ = controls(ride)
    assert torque < 0
    press(ride, UP[hand], release=False)
    assert controls(ride) == (torque, 1, 0)
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=LEFT[hand]))
    assert controls(ride) == (0, 1, 0)
    press(ride, RIGHT[hand], release=False)
    assert controls(ride) == (-torque, 1, 0)
    press(ride, DOWN[hand], release=False)
    assert controls(ride) == (-torque, 1, 1)
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    assert controls(ride) == (0, 0, 0), "keys let go over another window"
    assert ride.playback.player.name == "random", "a is a key of the game now"
    assert not ride.status.paused, "so is the right arrow"


def test_taps_between_two_frames_are_combined_once(ride: Window) -> None:
    press(ride, pygame.K_RIGHT, pygame.K_DOWN)
    torque, pedal, brake = controls(ride)
    assert torque > 0
    assert (pedal, brake) == (0, 1)
    assert controls(ride) == (0, 0, 0)


def test_one_step_of_a_person_uses_the_keys_held(ride: Window) -> None:
    press(ride, pygame.K_LEFT, release=False)
    press(ride, pygame.K_PERIOD)
    assert float(ride.playback.action[0]) < 0


def test_each_component_of_a_continuous_action_has_a_bar(ride: Window) -> None:
    painter, status, seen = Painter(ride.playback), Status(), set()
    for choice in ([0, 0, 0], [0.5, 0, 0], [-0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]):
        ride.playback.action = np.array(choice, np.float32)
        painter.paint(status)
        pixels = painter.pixels()[:, GAME_SIDE + 170 : GAME_SIDE + 410]
        bars = (pixels == theme.CHOSEN).all(2)
        seen.add(bars.tobytes())
        columns = np.flatnonzero(bars.any(0))
        if choice[0]:
            assert (columns.mean() > 120) == (choice[0] > 0), "from the middle, either way"
        elif any(choice):
            assert columns.min() < 30, "from the left"
            assert len(columns) == pytest.approx(106, abs=3), "half of the bar"
    assert len(seen) == 5


@pytest.mark.parametrize("options", [{}, {"task": "path"}, {"action": "discrete"}])
def test_the_agent_continues_the_ride_of_a_person(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = Window(make_playback("random", env_id=BICYCLE, **options), "test")
    for keys in ([pygame.K_k], [pygame.K_LEFT, pygame.K_UP], [pygame.K_k]):
        press(window, *keys)
        window.frame(1 / 50 + 1e-9)
    assert steps(window) == 3
    assert not window.playback.human
    pygame.display.quit()


def test_h_shows_and_hides_the_help(window: Window) -> None:
    def picture() -> bytes:
        return pygame.image.tobytes(window.screen, "RGB")

    press(window, pygame.K_SPACE)
    plain = picture()
    press(window, pygame.K_h)
    assert window.status.help
    assert picture() != plain
    press(window, pygame.K_h)
    assert picture() == plain


@pytest.mark.parametrize("key", [pygame.K_q, pygame.K_ESCAPE, None])
def test_q_escape_and_the_close_button_quit(window: Window, key: int | None) -> None:
    if key is None:
        pygame.event.post(pygame.event.Event(pygame.QUIT))
    else:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode=""))
    window.run()
    assert not window.is_open


def test_the_end_of_an_episode_stays_visible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = Window(make_playback(max_steps=3), "test", episodes=2)
    for _ in range(5):
        window.frame(STEP)
    assert steps(window) == 3
    assert window.playback.episode.truncated
    window.frame(1.0)
    assert (window.playback.episode.number, steps(window)) == (1, 0)
    for _ in range(5):
        window.frame(STEP)
    still_open = window.is_open
    window.frame(1.0)
    assert (still_open, window.is_open) == (True, False)
    assert [result.length for result in window.playback.results] == [3, 3]


def test_only_display_and_font_of_pygame_are_initialized() -> None:
    code = (
        "import pygame, play; from playing.window import Window\n"
        "def look(window):\n"
        "    window.frame(0.05)\n"
        "    assert pygame.mixer.get_init() is None and not pygame.joystick.get_init()\n"
        "    assert pygame.display.get_init() and pygame.font.get_init()\n"
        "    assert not pygame.get_init()\n"
        "    raise SystemExit(7)\n"
        "Window.run = look; play.main(['--agent', 'rules'])"
    )
    environment = os.environ | {"SDL_VIDEODRIVER": "dummy", "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 7


def test_each_value_of_the_playback_appears_in_the_picture(window: Window) -> None:
    """Change one value after the other; the picture must change each time."""
    painter, status = Painter(window.playback), Status()
    term = window.playback.terms["effort"]
    window.playback.step()
    changes: list[tuple[Any, str, Any]] = [
        (window.playback.episode, "score", 7.0),
        (window.playback.episode, "total_reward", -3.5),
        (window.playback.episode, "steps", 99),
        (window.playback.episode, "number", 4),
        (term, "now", 0.5),
        (term, "total", 12.0),
        (term, "shown", 0.25),
        (window.playback, "action", 1),
        (window.playback, "human", True),
        (status, "speed", 2.0),
        (status, "paused", True),
        (status, "message", "hello"),
    ]
    seen = {painter.paint(status) and painter.pixels().tobytes()}
    for thing, name, value in changes:
        setattr(thing, name, value)
        seen.add(painter.paint(status) and painter.pixels().tobytes())
    assert len(seen) == len(changes) + 1
