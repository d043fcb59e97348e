"""Tests of exchanging the reward during a playback, and of its bars and curves."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pygame
import pytest

from playing import theme
from playing.bars import draw_curve, draw_stacked_bar
from playing.live_reward import FileWatcher, LiveReward, reward_files
from playing.painter import Painter, Status
from playing.playback import CURVE_STEPS, FADE, Playback
from playing.players import Players
from playing.selection import Selection
from playing.window import Window
from rewards.expression import RewardError
from rewards.make import load_tried_reward
from rewards.sandbox.parent import TrialProcess

PADDLE, BICYCLE = "PaddleBall-v0", "BicycleBalance-v0"
STEP = 1 / 30 + 1e-9  # seconds of the window's clock
PATIENCE = 240.0  # seconds, where others use the machine too
HIGH = "def high(before, action, after):\n    return -after.paddle_y\n"
NEAR = "def near(before, action, after):\n    return -abs(after.ball_y - after.paddle_y)\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make_playback(env_id: str = PADDLE, **options: Any) -> Playback:
    env = gymnasium.make(env_id, render_mode="rgb_array", **options)
    players = Players(env, Selection(env_id, options, 3))
    return Playback(env, players, players.player("rules"))


def state(playback: Playback) -> Any:
    return playback.env.unwrapped.state  # type: ignore[attr-defined]


def reward_of(env_id: str, expression: str) -> Any:
    return gymnasium.make(env_id, reward=expression).unwrapped.batch.reward  # type: ignore[attr-defined]


# The files


def settled(watched: FileWatcher) -> bool:
    """Check that the first look reports nothing; return what the second one reports."""
    assert not watched.changed()
    return watched.changed()


def test_changes_are_found_by_content_not_by_file_time() -> None:
    file = Path("mine.py")
    file.write_text("a = 1\n")
    before = file.stat()
    watched = FileWatcher([file])
    assert not settled(watched)
    file.write_text("a = 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert settled(watched)
    assert not settled(watched), "once for each change"
    os.utime(file)
    assert not settled(watched), "touched, not changed"


def test_each_way_of_saving_counts_once_when_it_is_complete() -> None:
    file = Path("mine.py")
    file.write_text("a = 1\n")
    watched = FileWatcher([file])
    file.write_text("")  # opened for writing
    assert not watched.changed()
    file.write_text("a = ")
    assert not watched.changed()
    file.write_text("a = 2\n")
    assert settled(watched)
    file.rename("mine.py~")  # made a backup of
    assert not watched.changed()
    Path(".swap").write_text("a = 3\n")
    Path(".swap").rename(file)
    assert settled(watched)
    assert not settled(watched)
    file.unlink()
    assert settled(watched), "gone for good"


def test_all_files_of_an_expression_are_watched() -> None:
    Path("my reward.py").write_text("")
    expression = "hit_or_miss - 0.5*a.py:f + 'b c.py' + json:dumps"
    assert reward_files(expression) == [Path("a.py"), Path("b c.py")]
    assert reward_files("my reward.py") == [Path("my reward.py")]
    assert reward_files("~/a.py:f") == [Path.home() / "a.py"]


# The exchange


def paddle_terms(before: Any, action: Any, after: Any) -> dict[str, float]:
    return {
        "follow_ball": -abs(after.ball_y - after.paddle_y),
        "effort": abs(action - 1.0),
    }


def bicycle_terms(before: Any, action: Any, after: Any) -> dict[str, float]:
    return {
        "progress": after.x - before.x,
        "keep_speed": 1 / (1 + (after.speed - after.commanded_speed) ** 2),
    }


@pytest.mark.parametrize(
    ("env_id", "reward", "other", "terms"),
    [
        (PADDLE, "hit_or_miss", "2*follow_ball - 0.5*effort", paddle_terms),
        (BICYCLE, "stay_upright", "2*progress - 0.5*keep_speed", bicycle_terms),
    ],
)
def test_an_exchanged_reward_counts_from_the_next_step(
    env_id: str, reward: str, other: str, terms: Any
) -> None:
    playback, undisturbed = (make_playback(env_id, reward=reward) for _ in range(2))
    for _ in range(20):
        playback.step()
        undisturbed.step()
    playback.exchange_reward(reward_of(env_id, other))
    assert playback.episode.steps == 20
    paid = {name: [] for name in playback.terms}  # type: ignore[var-annotated]
    for k in range(30):
        before, action = state(playback), playback.action
        playback.step()
        undisturbed.step()
        assert state(playback).tobytes() == state(undisturbed).tobytes(), k
        for name, value in terms(before, action, state(playback)).items():
            assert playback.terms[name].now == pytest.approx(value, rel=1e-12)
            paid[name].append(playback.terms[name].weight * value)
    weights = dict(zip(paid, (2.0, -0.5), strict=True))
    assert {name: term.weight for name, term in playback.terms.items()} == weights
    for name, values in paid.items():
        term = playback.terms[name]
        assert list(term.recent) == pytest.approx(values, rel=1e-12)
        assert term.total == pytest.approx(sum(values) / weights[name], rel=1e-9)
        assert (term.lowest, term.highest) == pytest.approx(
            (min(0.0, *values), max(0.0, *values)), rel=1e-12
        )
    total = sum(sum(values) for values in paid.values())
    assert playback.episode.total_reward == pytest.approx(total, rel=1e-9)
    playback.next_episode()
    playback.step()
    assert list(playback.terms) == list(paid), "the next episode uses it too"


def test_bars_fade_and_curves_have_a_limited_length() -> None:
    playback = make_playback(reward="hit_or_miss")
    term = playback.terms["hit_or_miss"]
    term.add(1.0)
    for _ in range(10):
        term.add(0.0)
    assert term.part == pytest.approx(FADE**10)
    for _ in range(CURVE_STEPS):
        term.add(0.0)
    assert list(term.recent) == [0.0] * CURVE_STEPS
    assert term.highest == 1.0


def test_the_longest_bar_of_the_episode_is_the_scale() -> None:
    playback = make_playback(reward="hit_or_miss - 2*effort")
    playback.action = 0
    playback.step()
    assert playback.bars == (0.0, 2.0)
    assert playback.longest_bar == 2.0
    playback.action = 1
    playback.step()
    assert playback.bars[1] == pytest.approx(2.0 * FADE)
    assert playback.longest_bar == 2.0


# The pictures


def columns_of(surface: pygame.Surface, colour: theme.Colour) -> np.ndarray[Any, Any]:
    pixels = pygame.surfarray.array3d(surface)
    return np.flatnonzero((pixels == colour).all(2).any(1))


def test_the_parts_of_a_stacked_bar_are_drawn_end_to_end() -> None:
    surface, track = pygame.Surface((420, 60)), pygame.Rect(10, 20, 400, 20)
    first, second, third, fourth = theme.TERMS[:4]
    parts = [(0.5, first), (-0.25, third), (0.25, second), (-0.5, fourth)]
    draw_stacked_bar(surface, track, parts)
    middle = track.centerx
    expected = [(middle, middle + 100), (middle - 50, middle)]
    expected += [(middle + 100, middle + 150), (middle - 150, middle - 50)]
    for (_, colour), ends in zip(parts, expected, strict=True):
        columns = columns_of(surface, colour)
        # the line in the middle hides a pixel of its neighbours
        seen = [float(columns.min()), float(columns.max() + 1)]
        assert seen == pytest.approx(list(ends), abs=2)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_curve_is_as_high_as_its_values(sign: float) -> None:
    surface, track = pygame.Surface((120, 120)), pygame.Rect(10, 10, 100, 100)
    values = [sign * value for value in (0.0, 0.0, 0.5, 1.0)]
    span = (min(values), max(values))
    draw_curve(surface, track, values, 5, span, theme.TERMS[0])
    line = (pygame.surfarray.array3d(surface) == theme.TERMS[0]).all(2)
    assert not line[: 10 + 24].any(), "five places, four values: the oldest has none yet"
    rows = [float(np.flatnonzero(line[10 + column]).mean()) for column in (50, 74, 98)]
    expected = [106, 58, 13] if sign > 0 else [13, 58, 106]
    assert rows == pytest.approx(expected, abs=4)


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("env_id", [PADDLE, BICYCLE])
def test_each_term_has_a_colour_in_the_panel(env_id: str, count: int) -> None:
    known = {
        PADDLE: ("hit_or_miss", "effort", "follow_ball", "anticipate", "stay_alive", "effort"),
        BICYCLE: ("stay_upright", "keep_speed", "progress", "smooth", "any_motion", "just_alive"),
    }
    names = list(dict.fromkeys(known[env_id][:count]))
    playback = make_playback(env_id, reward=" + ".join(f"0.1*{name}" for name in names))
    for _ in range(40):
        playback.step()
    painter = Painter(playback)
    painter.paint(Status(training=(("steps trained", "12k"),) * 4))
    pixels = painter.pixels()[:, 640:]
    for name, colour in zip(names, theme.TERMS, strict=False):
        assert (pixels == colour).all(2).sum() > 60, name
    rows = np.flatnonzero((pixels[:600] == theme.CHOSEN).all(2).any(1))
    assert rows.max() < 596, "the actions stay above the hints"


# The window


class Trial:
    """Stands in for a trial process; the test sets its outcome."""

    outcome: ClassVar[list[str] | str | None] = []
    started = 0
    stopped = 0

    def __init__(self, expression: str, env_id: str, env_options: dict[str, Any]) -> None:
        self.expression, self.env_id, self.env_options = expression, env_id, env_options
        self.verdict = {"compiled": [False] * (expression.count("+") + 1)}
        type(self).started += 1

    def poll(self) -> list[str] | None:
        if isinstance(self.outcome, str):
            raise RewardError(self.outcome)
        return self.outcome

    def stop(self) -> None:
        type(self).stopped += 1


@pytest.fixture
def trial() -> type[Trial]:
    class TrialOfTest(Trial):
        """Has counts of its own."""

    return TrialOfTest


def open_window(
    monkeypatch: pytest.MonkeyPatch, expression: str, trial: Any = TrialProcess
) -> tuple[Window, LiveReward]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    playback = make_playback(reward=load_tried_reward(expression, PADDLE, {}, [False, False]))
    live = LiveReward(playback, expression, {}, trial)
    return Window(playback, "test", live_reward=live), live


@pytest.fixture
def workshop(
    monkeypatch: pytest.MonkeyPatch, trial: type[Trial]
) -> Iterator[tuple[Window, LiveReward]]:
    Path("mine.py").write_text(HIGH)
    yield open_window(monkeypatch, "mine.py", trial)
    pygame.display.quit()


def frames(window: Window, live: LiveReward, until: Any) -> None:
    """Advance the window until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        window.frame(STEP)
        if until():
            return
        pygame.time.wait(2)
    raise AssertionError(f"the condition never held: {live.error}")


def test_a_saved_reward_is_used_in_the_same_episode(workshop: tuple[Window, LiveReward]) -> None:
    window, live = workshop
    frames(window, live, lambda: window.playback.episode.steps >= 5)
    assert list(window.playback.terms) == ["high"]
    Path("mine.py").write_text(NEAR)
    frames(window, live, lambda: "near" in window.playback.terms)
    assert window.playback.episode.number == 0
    assert window.playback.episode.steps > 5
    window.frame(STEP)
    seen = state(window.playback)
    assert window.playback.terms["near"].now == pytest.approx(-abs(seen.ball_y - seen.paddle_y))
    assert window.status.reward == "version 2 of mine.py"
    assert window.status.message.startswith("now using version 2 of mine.py")
    assert window.status.error == ""


def test_an_error_stays_visible_while_the_last_working_reward_is_used(
    workshop: tuple[Window, LiveReward], trial: type[Trial]
) -> None:
    window, live = workshop
    window.frame(STEP)
    plain = (painted(window) == theme.BAD).all(2).sum()
    trial.outcome = f"{Path('mine.py').resolve()}:2: `after.bal_y`: paddle has no such field"
    Path("mine.py").write_text("broken")
    frames(window, live, lambda: bool(window.status.error))
    assert window.status.error.startswith("mine.py:2: `after.bal_y`: paddle has no such field")
    assert (painted(window) == theme.BAD).all(2).sum() > plain + 1000
    steps = window.playback.episode.steps
    for _ in range(200):
        window.frame(STEP)
    assert "bal_y" in window.status.error
    assert window.playback.episode.steps > steps or window.playback.episode.number > 0
    assert window.playback.terms["high"].now == pytest.approx(-state(window.playback).paddle_y)
    trial.outcome = []
    Path("mine.py").write_text(NEAR)
    frames(window, live, lambda: "near" in window.playback.terms)
    assert window.status.error == ""


def painted(window: Window) -> np.ndarray[Any, Any]:
    return pygame.surfarray.array3d(window.screen)[:640]


def test_an_endless_trial_stops_nothing_and_ends_at_the_next_save(
    workshop: tuple[Window, LiveReward], trial: type[Trial]
) -> None:
    window, live = workshop
    trial.outcome = None
    Path("mine.py").write_text(NEAR)
    frames(window, live, lambda: trial.started == 1)
    steps = window.playback.episode.steps
    for k in range(10):
        window.frame(STEP)
        assert window.playback.episode.steps == steps + k + 1
    assert list(window.playback.terms) == ["high"]
    Path("mine.py").write_text(NEAR + "\n")
    frames(window, live, lambda: trial.stopped == 1)
    trial.outcome = ["it pays the same at each step"]
    frames(window, live, lambda: "near" in window.playback.terms)
    assert "it pays the same at each step" in window.status.message
    live.close()


def test_a_reward_that_fails_late_is_reverted(workshop: tuple[Window, LiveReward]) -> None:
    window, live = workshop
    # at several steps, because the file's change is noticed at an unknown one
    late = (
        "def late(before, action, after):\n    return float('inf') if after.t % 500 == 0 else 1\n"
    )
    Path("mine.py").write_text(late)
    frames(window, live, lambda: "late" in window.playback.terms)
    frames(window, live, lambda: bool(window.status.error))
    assert window.status.error.startswith("mine.py:1: `late` returned inf for after: ball_x=")
    assert list(window.playback.terms) == ["high"]
    assert window.status.reward == "mine.py"
    steps = window.playback.episode.steps
    window.frame(STEP)
    assert window.playback.episode.steps == steps + 1


def test_without_an_earlier_reward_the_default_reward_is_used(
    monkeypatch: pytest.MonkeyPatch, trial: type[Trial]
) -> None:
    Path("mine.py").write_text("def f(before, action, after):\n    return [1][after.t // 5]\n")
    window, live = open_window(monkeypatch, "hit_or_miss + mine.py", trial)
    frames(window, live, lambda: bool(window.status.error))
    assert list(window.playback.terms) == ["hit_or_miss"]
    assert window.status.error.startswith("mine.py:2: IndexError")
    assert "now using the default reward of the game" in window.status.error
    pygame.display.quit()


def test_a_real_trial_process_exchanges_a_reward_and_reports_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("mine.py").write_text(HIGH)
    window, live = open_window(monkeypatch, "mine.py + 0.5*hit_or_miss")
    frames(window, live, lambda: window.playback.episode.steps > 3)
    Path("mine.py").write_text("def near(before, action, after):\n    return after.bal_y\n")
    frames(window, live, lambda: bool(window.status.error))
    assert window.status.error.startswith("mine.py:2: `after.bal_y`")
    Path("mine.py").write_text(NEAR)
    frames(window, live, lambda: "near" in window.playback.terms)
    window.frame(STEP)
    seen = state(window.playback)
    assert window.playback.terms["near"].now == pytest.approx(-abs(seen.ball_y - seen.paddle_y))
    live.close()
    pygame.display.quit()
