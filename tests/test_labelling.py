"""Labelling by hand: the window, the file, training on it, and the agreement of two people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest

import play
import train
from stages.__main__ import main
from stages.datasets.dataset import examples_of
from stages.datasets.shapes import Shapes
from training import hand_labels
from training.hand_labels import HandLabels

FEW = ["--env-options", "examples=100", "test_examples=100"]
KEYS = {"p": pygame.K_p, "r": pygame.K_r, "back": pygame.K_BACKSPACE, "quit": pygame.K_q}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that lets a person press keys, one for each screen that is drawn."""

    def press(names: list[str]) -> None:
        events = iter([pygame.event.Event(pygame.KEYDOWN, key=KEYS[name]) for name in names])
        monkeypatch.setattr(pygame.event, "wait", lambda: next(events))

    return press


def label(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert play.main(["--label", "shapes", *arguments, *FEW]) == 0
    return capsys.readouterr().out


def test_the_file_has_the_keys_that_were_pressed(pressed: Any, capsys: Any) -> None:
    pressed(["p", "r", "back", "p", "p", "r"])
    printed = label(capsys, "--episodes", "4", "--lang", "ko")
    found = hand_labels.read(Path("labels1.npz"))
    assert found.names.tolist() == ["panda", "rabbit"]
    assert found.labels.tolist() == [0, 0, 0, 1]
    assert found.observations.shape == (4, 1, 24, 24)
    known = examples_of(Shapes(of="animals", examples=100), "train")
    for screen, answer in zip(found.observations, found.answers, strict=True):
        (row,) = np.flatnonzero((known.observations == screen).all((1, 2, 3)))
        assert known.targets[row] == answer
    share = np.mean(found.labels == found.answers)
    assert printed.startswith(f"labels1.npz: 4 screens, {share:.0%} labelled as the program does")


def test_the_command_that_is_printed_trains_on_the_labels(pressed: Any, capsys: Any) -> None:
    pressed(["p"] * 7 + ["r", "quit"])
    command = label(capsys).rpartition("train on it: ")[2].split()
    assert command[:2] == ["python", "train.py"]
    given = ["--steps", "512", "--eval-episodes", "50", "--run-dir", "runs"]
    assert train.main([*command[2:], *given]) == 0
    dataset = Shapes(of="animals", labels="labels1.npz", test_examples=100)
    assert examples_of(dataset, "train").targets.tolist() == [0] * 7 + [1]
    test = examples_of(dataset, "test")  # those of the program
    plain = Shapes(of="animals", test_examples=100)
    assert np.array_equal(test.targets, examples_of(plain, "test").targets)


def test_two_people_are_compared(pressed: Any, capsys: Any) -> None:
    for keys in (["p"] * 5, ["p", "p", "p", "r", "r"]):
        pressed(keys)
        label(capsys, "--episodes", "5")
    assert main(["agreement", "labels1.npz", "labels2.npz"]) == 0
    assert "5 screens: the two people agree on 60.0%." in capsys.readouterr().out
    pressed(["p"] * 5)
    label(capsys, "--episodes", "5", "--seed", "100")
    assert main(["agreement", "labels1.npz", "labels3.npz"]) == 2
    assert "the files have different screens" in capsys.readouterr().err


def test_each_label_is_kept_at_once(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    kept: list[list[int]] = []
    keys = iter(["p", "r", "back", "r"])

    def press() -> pygame.event.Event:
        if Path("labels1.npz").exists():
            kept.append(hand_labels.read(Path("labels1.npz")).labels.tolist())
        return pygame.event.Event(pygame.KEYDOWN, key=KEYS[next(keys)])

    monkeypatch.setattr(pygame.event, "wait", press)
    with pytest.raises(StopIteration):
        label(capsys, "--episodes", "3")
    assert kept == [[0], [0, 1], [0], [0, 1]]


def test_nothing_is_written_without_a_label(pressed: Any, capsys: Any) -> None:
    pressed(["quit"])
    assert "nothing is written" in label(capsys)
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "paddle"], "--label must be shapes, got 'paddle'"),
        (["--label", "sounds"], "--label must be shapes, got 'sounds'"),
        (["--label", "shapes", *FEW, "of=balls"], "different first letters"),
        (["--label", "shapes", "--headless"], "leave out --headless"),
    ],
)
def test_what_cannot_be_labelled_gets_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play.main(arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    screens, none = np.zeros((3, 1, 24, 24), np.uint8), np.zeros(0, np.int64)
    two, names = np.zeros(2, np.int64), np.array(["panda", "rabbit"])
    hand_labels.write(tmp_path / "a.npz", HandLabels(screens, two, two, names))
    (tmp_path / "b.npz").write_bytes(b"PK no archive")
    np.savez(tmp_path / "c.npz", observations=none)
    hand_labels.write(tmp_path / "d.npz", HandLabels(screens[:2], two - 1, two, names))
    for file in ("a", "b", "c", "d", "nowhere"):
        with pytest.raises(ValueError, match=r"\.npz"):
            hand_labels.read(tmp_path / f"{file}.npz")
    hand_labels.write(tmp_path / "e.npz", HandLabels(screens[:2], two, two, names[::-1]))
    with pytest.raises(ValueError, match="other screens or classes"):
        Shapes(of="animals", labels=str(tmp_path / "e.npz"))
