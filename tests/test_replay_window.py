"""Tests of play.py --replay, through the keys that a user presses, and of --save-episodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest

import play
from playing import theme
from playing.replay import TIMELINE, Replay, ReplayWindow
from rewards.command_line import USAGE_ERROR
from tests.playbacks import ENV, make_playback
from tests.test_recorded_episodes import GAMES, played
from training.recorded_episodes import (
    About,
    EpisodeRecorder,
    RecordedEpisodes,
    read_episodes,
    write_episodes,
)
from training.rescoring import rescore

REWARDS = ("hit_or_miss", "follow_ball")


@pytest.fixture(scope="module")
def episodes() -> RecordedEpisodes:
    found = played(*GAMES[0][:2]).recorded
    assert found is not None
    return found


@pytest.fixture
def window(episodes: RecordedEpisodes, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayWindow]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    screen = pygame.display.set_mode((1152, 640))
    yield ReplayWindow(Replay(rescore(episodes, REWARDS)), {}, 1.0, screen)
    pygame.display.quit()


def press(window: ReplayWindow, *keys: int, letter: str = "") -> tuple[int, int]:
    """Press keys without any time passing; return the episode and the step that are shown."""
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode=letter))
    window.frame(0.0)
    return window.replay.episode, window.replay.step


def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    surface = pygame.display.get_surface()
    assert surface is not None
    return pygame.surfarray.array3d(surface)


def test_it_plays_at_its_speed_and_stops_at_the_end(window: ReplayWindow) -> None:
    window.frame(0.5)
    assert window.replay.step == 15
    press(window, 0, letter="-")
    window.frame(0.5)
    assert window.replay.step == 15 + 7
    window.frame(100.0)
    assert window.replay.step == window.replay.length
    assert press(window, pygame.K_SPACE) == (1, 0)


def test_keys_step_and_seek_in_both_directions(
    window: ReplayWindow, episodes: RecordedEpisodes
) -> None:
    assert press(window, pygame.K_RIGHT, pygame.K_RIGHT, pygame.K_UP) == (0, 32)
    assert window.paused
    there = picture()
    assert press(window, pygame.K_LEFT) == (0, 31)
    assert (picture() != there).any()
    assert press(window, pygame.K_RIGHT) == (0, 32)
    assert (picture() == there).all()
    assert window.replay.state == episodes.states_of(0)[32]
    assert press(window, pygame.K_DOWN) == (0, 2)
    assert press(window, pygame.K_END) == (0, episodes.lengths[0])
    assert press(window, pygame.K_HOME) == (0, 0)
    assert press(window, pygame.K_n, pygame.K_n) == (2, 0)
    assert press(window, pygame.K_p) == (1, 0)
    assert press(window, pygame.K_p, pygame.K_p) == (len(episodes) - 1, 0)


def test_a_click_on_the_curves_goes_there(window: ReplayWindow) -> None:
    place = (TIMELINE.centerx, TIMELINE.centery)
    pygame.event.post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, button=1, pos=place))
    press(window)
    assert abs(window.replay.step - window.replay.length / 2) <= 1


def test_keys_jump_to_the_moments_of_disagreement(window: ReplayWindow) -> None:
    moments = sorted(moment[:2] for moment in window.replay.found.moments())
    assert len(moments) > 2
    press(window, pygame.K_n)
    press(window, pygame.K_p)
    shown = [press(window, pygame.K_m) for _ in moments]
    assert shown == [(episode, step + 1) for episode, step in moments]
    assert press(window, pygame.K_m) == shown[0]
    assert press(window, pygame.K_b) == shown[-1]
    assert press(window, pygame.K_b) == shown[-2]


@pytest.mark.parametrize("reward", [[], ["--reward", "follow_ball"]])
def test_the_command_shows_the_episodes_of_a_file(
    reward: list[str],
    episodes: RecordedEpisodes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_episodes(tmp_path / "it.npz", episodes)
    shown: list[Replay] = []
    monkeypatch.setattr(ReplayWindow, "run", lambda self: shown.append(self.replay))
    assert play.main(["--replay", str(tmp_path / "it.npz"), *reward, "--lang", "ko"]) == 0
    theme.use_language("en")
    titles = [paid.reward.title for paid in shown[0].found.paid]
    assert titles == ["hit_or_miss", *reward[1:]]
    assert bool(shown[0].moments) == bool(reward)


def test_the_rewards_so_far_are_sums_of_what_was_paid(window: ReplayWindow) -> None:
    press(window, pygame.K_UP)
    for paid, (now, so_far) in zip(window.replay.found.paid, window.replay.rewards(), strict=True):
        assert now == paid.rewards[29]
        assert so_far == pytest.approx(sum(paid.rewards[:30]))


def test_episodes_that_were_played_are_saved_and_paid_as_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.npz"
    given = ["--agent", "random", "--headless", "--json", "--episodes", "3", "--seed", "5"]
    assert play.main([*given, "--save-episodes", str(file)]) == 0
    output = capsys.readouterr()
    assert "rewards rescore" in output.err
    (paid,) = rescore(read_episodes(file), ["hit_or_miss"]).paid
    assert f'"returns": {paid.returns.tolist()}' in output.out.replace("\n", "")


def test_a_playback_records_whole_episodes_also_those_of_a_person() -> None:
    playback = make_playback("random", max_steps=90)
    playback.recorder = EpisodeRecorder(About(ENV, {"max_steps": 90}, "you"))
    playback.step()
    playback.start_episode(0)  # what was begun is not whole
    for human in (False, True):
        playback.set_human(human)
        while not playback.episode.over:
            playback.step(human_action=2)
        playback.next_episode()
    recorded = playback.recorder.episodes()
    assert recorded is not None
    (paid,) = rescore(recorded, ["hit_or_miss"]).paid
    assert paid.returns.tolist() == [result.total_reward for result in playback.results]
    assert recorded.lengths.tolist() == [result.length for result in playback.results]
    assert (recorded.actions[recorded.steps_of(1)] == 2).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replay", "nothing.npz"], "is missing"),
        (["--replay", "FILE", "--headless"], "leave out --headless"),
        (["--replay", "FILE", "--reward", "no_such_term"], "paddle has no reward term"),
        (["--save-episodes", "mine.txt"], "must end in .npz"),
        (["--save-episodes", "/proc/mine.npz"], "--save-episodes: cannot write into /proc"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str],
    message: str,
    episodes: RecordedEpisodes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_episodes(tmp_path / "it.npz", episodes)
    given = [str(tmp_path / "it.npz") if each == "FILE" else each for each in arguments]
    assert play.main(given) == USAGE_ERROR
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
