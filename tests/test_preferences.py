"""Rewards learned from comparisons: the loss, the teacher, the clips, sessions and the window."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pygame
import pytest
import torch
from rich.console import Console

from benchmarks.__main__ import main as benchmark
from benchmarks.preferences import Result, Trial
from envs.paddle.game import GAME
from reward_lab import texts
from reward_lab.preferences.clips import Clips, record
from reward_lab.preferences.ensemble import (
    differences,
    fit,
    held_out_accuracy,
    preference_loss,
)
from reward_lab.preferences.prefer import Preferences, begin, finish, opened
from reward_lab.preferences.session import Teacher, plan_rounds
from reward_lab.preferences.store import PAIRS, PROGRESS, SETTINGS, Settings, Store
from reward_lab.preferences.teacher import Answer, ScoreTeacher
from reward_lab.preferences.window import PreferWindow, prefer_by_hand
from rewards.__main__ import main
from rewards.command_line import INTERRUPTED
from rewards.learned import FILE, load_learned
from training.display import PlainDisplay
from training.run_folder import TENSORS, RunError, read_tensors

TINY = Settings(
    env="paddle",
    env_options={},
    teacher="score",
    mistakes=0.0,
    comparisons=3,
    clip_seconds=0.5,
    steps=10_000,
    seed=1,
)


def test_the_loss_is_the_cross_entropy_of_bradley_and_terry() -> None:
    difference = torch.linspace(-8, 8, 33, dtype=torch.float64)
    for answer in (0.0, 0.5, 1.0):
        answers = torch.full_like(difference, answer)
        expected = torch.nn.functional.binary_cross_entropy_with_logits(
            difference, answers, reduction="none"
        )
        found = preference_loss(difference, answers, guesses=0.0)
        torch.testing.assert_close(found, expected)
    # one answer in ten is a guess: "left" has at least the probability 1/20
    guessed = preference_loss(torch.tensor([-1e3, 1e3]), torch.tensor([1.0, 1.0]), guesses=0.1)
    assert guessed.tolist() == pytest.approx([-np.log(0.05), -np.log(0.95)])


def known_utility(count: int, seed: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Return pairs of clips whose true reward is known, and the answers that follow from it."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(count, 2, 10, 4))
    played = np.arange(10) < generator.integers(3, 11, (count, 2, 1))
    paid = (0.5 + features[..., 0] - np.abs(features[..., 1])) * played
    left, right = paid.sum(-1).T
    return features, played, (left > right).astype(float), paid


def test_the_networks_recover_a_known_utility() -> None:
    features, played, answers, _ = known_utility(150, 1)
    samples = np.random.default_rng(2).poisson(1.0, (3, 150))
    networks = fit(features, played, answers, samples, seed=1)
    held_out = held_out_accuracy(networks, features, played, answers, samples)
    assert held_out is not None
    assert held_out > 0.75
    others, steps, expected, _ = known_utility(400, 3)
    found = differences(networks, others, steps).mean(0) > 0
    assert (found == (expected == 1.0)).mean() > 0.75
    again = fit(features, played, answers, samples, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(networks, again, strict=True))


def test_equal_and_skipped_answers_prefer_neither_clip() -> None:
    features, played, _, _ = known_utility(60, 1)
    answers = np.where(np.arange(60) % 2, 0.5, np.nan)
    networks = fit(features, played, answers, np.ones((3, 60)), seed=1)
    assert np.abs(differences(networks, features, played)).mean() < 1.0
    assert held_out_accuracy(networks, features, played, answers, np.zeros((3, 60))) is None


def clip_of(hits: tuple[int, int], over: bool = False) -> Clips:
    """Return a clip of two steps in which the number of hits changes."""
    states = GAME.states(3)
    states["hits"] = (hits[0], hits[0], hits[1])
    return Clips(states[None], GAME.actions(2)[None], np.array([2]), np.array([over]))


def pair_of(left: Clips, right: Clips) -> Clips:
    """Return a pair of clips."""
    return Clips(
        *(np.concatenate(arrays) for arrays in zip(left.arrays, right.arrays, strict=True))
    )


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (clip_of((0, 1)), clip_of((7, 7)), "left"),  # the rise counts, not the score
        (clip_of((3, 3)), clip_of((0, 2)), "right"),
        (clip_of((0, 0)), clip_of((0, 0), over=True), "left"),
        (clip_of((0, 1), over=True), clip_of((0, 0)), "left"),
        (clip_of((1, 2)), clip_of((5, 6)), "equal"),
        (clip_of((0, 0), over=True), clip_of((2, 2), over=True), "equal"),
    ],
)
def test_the_teacher_sees_the_score_and_the_end(left: Clips, right: Clips, expected: str) -> None:
    assert ScoreTeacher(GAME, 0.0, 1).answer(pair_of(left, right), 0) == expected


def test_the_teacher_makes_as_many_mistakes_as_asked_for() -> None:
    teacher, pair = ScoreTeacher(GAME, 0.3, 1), pair_of(clip_of((0, 1)), clip_of((0, 0)))
    answers = [teacher.answer(pair, number) for number in range(1_000)]
    assert answers == [teacher.answer(pair, number) for number in range(1_000)]
    assert 0.25 < sum(answer != "left" for answer in answers) / 1_000 < 0.35
    assert set(answers) == {"left", "right", "equal"}


def test_rounds_add_up() -> None:
    for comparisons in (1, 2, 3, 50, 200, 799):
        plan = plan_rounds(comparisons)
        assert plan[-1] == comparisons
        assert all(np.diff([0, *plan]) > 0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return the folder of a new session."""
    return begin(TINY, tmp_path / "preferences" / "tiny")


def test_clips_are_what_the_agent_would_play_next(store: Store) -> None:
    with opened(store, "") as (session, _):
        before = session.run.runner.checkpoint()
        first, again = (record(session.run, 90, 40, np.random.default_rng(4)) for _ in range(2))
        for one, other in zip(first.arrays, again.arrays, strict=True):
            assert np.array_equal(one, other)
        for name, array in session.run.runner.checkpoint().items():
            assert np.array_equal(array, before[name])
    assert 0 < first.over.sum() < 40
    for k in range(40):
        passed = np.diff(first.states["t"][k])
        assert passed.tolist() == [1] * first.steps[k] + [0] * (90 - first.steps[k])
        assert bool(first.states["missed"][k, -1]) == first.over[k]
        moved = np.diff(first.states["paddle_y"][k])[: first.steps[k]]
        actions = first.actions[k, : first.steps[k]]
        assert (moved[actions == 1] == 0).all()
        assert (moved[actions == 0] <= 0).all()
        assert (moved[actions == 2] >= 0).all()


class Leaves:
    """A teacher that leaves after a number of answers."""

    def __init__(self, teacher: Teacher, answers: int) -> None:
        self.is_person = teacher.is_person
        self._teacher = teacher
        self._left = answers

    def answer(self, pair: Clips, number: int) -> Answer | None:
        """Return the teacher's answer, or None."""
        self._left -= 1
        return None if self._left < 0 else self._teacher.answer(pair, number)


def learn(store: Store, teacher: Teacher) -> Preferences:
    """Run the session of a folder with a teacher."""
    interrupted = Event()
    with opened(store, "") as (session, logger):
        display = PlainDisplay(Console(quiet=True), "", 1)
        session.learn(teacher, logger, display, interrupted)
        return finish(session, logger, interrupted)


def outcome(store: Store) -> tuple[Any, ...]:
    """Return everything that a session has learned."""
    run = store.run_folder()
    assert run is not None
    tensors, _ = read_tensors(run / TENSORS)
    numbers = {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}
    return (store.folder / FILE).read_bytes(), numbers, store.progress()


def test_a_resumed_session_gives_the_same_bits(tmp_path: Path) -> None:
    teacher = ScoreTeacher(GAME, 0.0, 1)
    teacher.is_person = True  # the agent then trains during the questions
    whole, parts = (begin(TINY, tmp_path / name / "preferences" / "tiny") for name in "ab")
    found = learn(whole, teacher)
    assert found.final is not None
    assert (found.comparisons, found.steps >= TINY.steps) == (3, True)
    for answers in (1, 1):
        assert learn(parts, Leaves(teacher, answers)).final is None
    assert len(parts.progress().answers) == 2
    assert learn(parts, teacher).final is not None
    assert outcome(parts) == outcome(whole)
    kept = found.run / "reward" / "preferences" / "tiny" / FILE
    assert kept.read_bytes() == (whole.folder / FILE).read_bytes()
    assert (load_learned(whole.folder).networks.unit > 0).all()


@pytest.mark.parametrize("name", [SETTINGS, PAIRS, PROGRESS])
def test_a_damaged_folder_is_refused_in_one_line(store: Store, name: str) -> None:
    learn(store, Leaves(ScoreTeacher(GAME, 0.0, 1), 1))
    file = store.folder / name
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(RunError, match=name) as error, opened(store, ""):
        pass
    assert "\n" not in str(error.value)


def test_clips_whose_numbers_are_of_another_kind_are_refused(tmp_path: Path) -> None:
    clips, kept = clip_of((0, 1)), Store(tmp_path)
    kept.write_pairs(clips)
    assert kept.pairs(GAME, 2) is not None
    for name in ("actions", "steps", "over"):
        kept.write_pairs(replace(clips, **{name: getattr(clips, name).astype(np.float64)}))
        with pytest.raises(RunError, match="of another game or length"):
            kept.pairs(GAME, 2)


class ByKeys(PreferWindow):
    """A window in which keys are pressed, a new one for each question."""

    keys = (pygame.K_RIGHT, pygame.K_SPACE, pygame.K_DOWN)

    def frame(self, seconds: float) -> None:
        """Press the key for the open question, and show the next frame."""
        question = self.person.question
        if question is not None:
            event = pygame.event.Event(pygame.KEYDOWN, key=self.keys[question.number])
            pygame.event.post(event)
        super().frame(seconds)


@pytest.fixture
def dummy_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw into a window that nobody sees."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


def test_keys_in_the_window_answer(tmp_path: Path, dummy_display: None) -> None:
    store = begin(replace(TINY, teacher="you"), tmp_path / "preferences" / "mine")
    found = prefer_by_hand(store, ByKeys(texts.load("prefer", "en"), "paddle"))
    assert store.progress().answers == ["right", "equal", "skip"]
    assert found.final is not None


def test_closing_the_window_saves(tmp_path: Path, dummy_display: None) -> None:
    class Escape(ByKeys):
        """Presses Esc at the second question."""

        keys = (pygame.K_LEFT, pygame.K_ESCAPE, pygame.K_ESCAPE)

    store = begin(replace(TINY, teacher="you"), tmp_path / "preferences" / "mine")
    found = prefer_by_hand(store, Escape(texts.load("prefer", "ko"), "paddle"))
    assert found.final is None
    assert not found.interrupted
    assert store.progress().answers == ["left"]


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_in_the_window_is_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dummy_display: None
) -> None:
    class Interrupted(PreferWindow):
        """Gets Ctrl-C at the first question."""

        def frame(self, seconds: float) -> None:
            if self.person.question is not None:
                signal.raise_signal(signal.SIGINT)
            super().frame(seconds)

    monkeypatch.setattr("reward_lab.preferences.command.PreferWindow", Interrupted)
    folder = tmp_path / "preferences" / "mine"
    begin(replace(TINY, teacher="you"), folder)
    monkeypatch.chdir(tmp_path)
    assert main(["prefer", "--resume", "preferences/mine"]) == INTERRUPTED
    assert Store(folder).progress().answers == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "chess"], "no game `chess`; choose from bicycle, paddle"),
        (["--comparisons", "0"], "--comparisons must be between 1 and 100,000, got 0"),
        (["--mistakes", "0.1"], "--mistakes needs --teacher score"),
        (["--teacher", "score", "--mistakes", "nan"], "--mistakes must be between 0 and 1"),
        (["--teacher", "score", "--name", "a/b"], "--name must be a plain name"),
        (["--teacher", "score", "--env-options", "gravity=1"], "paddle has no option `gravity`"),
        (["--resume", "preferences/none"], "there is no folder preferences/none"),
        (["--resume", "a", "--comparisons", "9"], "leave out --comparisons"),
        (["--resume", "a", "--name", "b"], "leave out --name"),
        (["--resume", "/proc"], "/proc has no settings.json: it holds no comparisons to continue"),
        (["--seed", "-1"], "--seed must be between 0 and 4,294,967,295, got -1"),
    ],
)
def test_wrong_options_take_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["prefer", *arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert not list(tmp_path.iterdir())


def test_the_benchmark_shows_what_its_file_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, figure = tmp_path / "results.jsonl", tmp_path / "figure.png"
    for seed, (comparisons, score) in itertools.product((1, 2), ((0, 50.0), (100, 30.0))):
        trial = Trial("paddle", comparisons, 0.0, 1_000, seed)
        result = Result(trial, score + seed, 52.0, score > 40, 1_000, comparisons, 0.75)
        with file.open("a") as stream:
            stream.write(json.dumps(asdict(result)) + "\n")
    options = ["--games", "paddle", "--comparisons", "0", "100", "--steps", "1000", "--seeds", "1"]
    files = ["2", "--results", str(file), "--figure", str(figure)]
    assert benchmark(["preferences", *options, *files]) == 0
    shown = capsys.readouterr().out
    assert "| paddle | own reward |  | 2 of 2 | 51.5 ± 6.4 | 52.0 ± 0.0 | 1,000 |  | 75% |" in shown
    assert "| paddle | 100 | 0% | 0 of 2 | 31.5 ± 6.4 | 52.0 ± 0.0 | 1,000 | 100 | 75% |" in shown
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_ctrl_c_ends_the_benchmark_and_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(trial: Trial) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.preferences.run_trial", interrupted)
    results, numbers = tmp_path / "results.jsonl", tmp_path / "numbers.json"
    files = ["--results", str(results), "--json", str(numbers)]
    assert benchmark(["preferences", "--games", "paddle", *files]) == INTERRUPTED
    assert "stopped: 0 of 5 runs are over" in capsys.readouterr().out
    assert json.loads(numbers.read_text())["interrupted"]
