"""The exercises: what they measure, how they are graded, and what they say."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.engine.game import load_game
from envs.registry import GAMES
from reward_lab.grading import Grading, grade
from rewards.__main__ import main
from rewards.check.events import Steps
from rewards.exercises import EXERCISES, Goal, find_exercise, measures
from rewards.texts import LANGUAGES
from tests.test_compare import in_this_process as in_this_process

SOLUTIONS = Path(__file__).parent / "solutions"


def episode(game: str, task: str | None = None, **fields: Any) -> tuple[Steps, Any]:
    """Return the steps of an episode with these values of fields, the start first; and options."""
    chosen: dict[str, Any] = {} if task is None else {"task": task}
    definition, _ = load_game(GAMES[game].target, chosen)
    count = len(next(iter(fields.values())))
    states = definition.states(count).view(np.recarray)
    states["t"] = range(count)
    for name, values in fields.items():
        states[name] = values
    actions, no = definition.actions(count - 1), np.zeros(count - 1, np.bool_)
    return Steps(states[:-1], actions, states[1:], no, no), definition.make_options({})


PADDLE = {
    "hits": [0, 0, 0, 1, 1, 2],
    "ball_vx": [0.03, 0.03, -0.03, 0.03, -0.03, 0.03],
    "ball_y": [0.5, 0.5, 0.5, 0.3, 0.3, 0.9],
    "paddle_y": [0.5, 0.5, 0.4, 0.35, 0.35, 0.85],
}
RIDE = {
    "speed": [3.0, *[5.0] * 250, *[1.5] * 49, 1.9],
    "heading": [math.pi, *[0.0] * 299, -3 * math.pi],
    "pedal": [1.0, *[0.25] * 150, *[0.0] * 150],
    "roll": [0.0, *[0.1, 0.0, 0.03, -0.03, 0.06] * 2, -0.2, 0.04, *[-0.06] * 287, 0.2],
    "fallen": [0] * 300 + [1],
}


@pytest.mark.parametrize(
    ("measure", "given", "expected"),
    [
        (measures.balls, ("paddle", None, PADDLE), 2),
        (measures.share_moving, ("paddle", None, PADDLE), 3 / 5),
        (measures.offset_of_hits, ("paddle", None, PADDLE), 0.05),
        (measures.distance_from_middle, ("paddle", None, PADDLE), (0.1 + 0.15) / 2),
        (measures.seconds_upright, ("bicycle", "balance", RIDE), 299 * 0.02),
        (measures.top_speed, ("bicycle", "balance", RIDE), 1.9),
        (measures.left_turns, ("bicycle", "balance", RIDE), 2),
        (measures.mean_pedal, ("bicycle", "balance", RIDE), 0.125),
        (measures.swings, ("bicycle", "balance", RIDE), 2),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_measure_is_what_was_counted_by_hand(
    measure: Any, given: tuple[str, str | None, dict[str, list[float]]], expected: float
) -> None:
    game, task, fields = given
    assert measure(*episode(game, task, **fields)) == pytest.approx(expected)


@pytest.mark.parametrize("measure", [measures.offset_of_hits, measures.distance_from_middle])
def test_what_did_not_happen_has_no_value_and_does_not_pass(measure: Any) -> None:
    assert math.isnan(measure(*episode("paddle", hits=[0, 0], ball_vx=[0.03, 0.03])))
    assert math.isnan(measures.top_speed(*episode("bicycle", "balance", speed=[1.0, 9.0])))
    assert not Goal(measure, most=9).reached(math.nan)


@pytest.mark.parametrize("goals", [0, 1])
def test_a_ride_arrives_if_it_ends_at_the_goal(goals: int) -> None:
    assert measures.share_arrived(*episode("bicycle", "goal", goals=[0, goals])) == goals


def graded(name: str, *agents: dict[str, list[float]]) -> Grading:
    measured = tuple({key: np.array(values) for key, values in each.items()} for each in agents)
    folders = tuple(Path(str(k)) for k in range(len(agents)))
    return Grading(find_exercise(name), "mine.py", folders, measured)


def test_all_agents_must_reach_all_goals_on_average() -> None:
    good = {"balls": [30.0, 60.0], "share_moving": [0.2, 0.3]}
    lazy = {"balls": [30.0, 40.0], "share_moving": [0.1, 0.1]}
    nervous = {"balls": [60.0, 60.0], "share_moving": [0.2, 0.5]}
    found = graded("calm", good, good)
    assert (found.passed, found.passing, found.missed) == (True, 2, None)
    for agent, missed in ((lazy, "balls"), (nervous, "share_moving")):
        found = graded("calm", good, agent)
        assert (found.passed, found.passing) == (False, 1)
        assert found.missed is not None
        assert found.missed.name == missed
    assert found.to_json()["means"]["share_moving"] == [0.25, 0.35]
    unhit = graded("tips", {"balls": [9.0, 9.0], "offset_of_hits": [math.nan, 0.1]})
    assert unhit.passed  # the mean of the episodes that have a value


@pytest.mark.usefixtures("in_this_process")
def test_the_behaviour_of_a_trained_agent_is_measured(tmp_path: Path) -> None:
    exercise = dataclasses.replace(find_exercise("returns"), steps=2_560)
    found = grade(exercise, "hit_or_miss", place=tmp_path)
    (folder,) = found.folders
    measured = json.loads((folder / "evaluation.json").read_text())
    assert found.measured[0]["balls"].tolist() == measured["scores"]
    assert not found.passed


def test_each_exercise_has_a_solution_and_texts_that_name_its_goals() -> None:
    assert len(EXERCISES) == 10
    names = [exercise.name for exercise in EXERCISES]
    assert sorted([*names, "__init__"]) == sorted(file.stem for file in SOLUTIONS.glob("*.py"))
    for exercise in EXERCISES:
        assert find_exercise(str(exercise.number)) is find_exercise(exercise.name) is exercise
        assert f"Exercise {exercise.number}:" in (SOLUTIONS / f"{exercise.name}.py").read_text()
        goals = [goal.name for goal in exercise.goals]
        definition, _ = load_game(GAMES[exercise.env].target, dict(exercise.env_options))
        fields = set(definition.state.names or ())
        for lang in LANGUAGES:
            texts = exercise.texts(lang)
            assert list(texts["names"]) == list(texts["hints"]) == goals
            assert "{" not in texts["task"]
            named = re.findall(r"(?:before|after)\.(\w+)", " ".join(texts["hints"].values()))
            assert set(named) <= fields


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["0"], "the exercises have the numbers 1 to 10, got 0"),
        (["11", "mine.py"], "the exercises have the numbers 1 to 10, got 11"),
        (["clam"], "there is no exercise `clam`; did you mean `calm`?"),
        (["calm", "gone.py"], "gone.py does not exist"),
        (["calm", "hit_or_mis"], "did you mean `hit_or_miss`?"),
        (["calm", "hit_or_miss", "--out", "x.gif"], "--out must end in .png"),
        (["calm", "hit_or_miss", "--seeds", "0"], "--seeds must be between 1 and 10, got 0"),
        (["calm", "hit_or_miss", "--workers", "0"], "--workers must be a positive number"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["exercise", *arguments]) == 2
    error = capfd.readouterr().err
    assert problem in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("in_this_process")
def test_the_command_lists_shows_and_grades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["exercise"]) == 0
    listed = " ".join(re.findall(r"[\w.%]+", capsys.readouterr().out))
    assert "Return at least 40 balls" in listed
    assert main(["exercise", "arrive", "--lang", "ko"]) == 0
    assert "python -m rewards new my_reward.py --env bicycle" in capsys.readouterr().out
    exercises = [dataclasses.replace(each, steps=128) for each in EXERCISES]
    monkeypatch.setattr("rewards.exercises.EXERCISES", tuple(exercises))
    assert main(["exercise", "1", "hit_or_miss", "--json", "found.json"]) == 0
    printed = capsys.readouterr().out
    assert "Not passed yet. Agents that reached all goals: 0 of 1" in printed
    assert "Hint: `after.hits - before.hits` is 1" in printed
    assert json.loads(Path("found.json").read_text())["passed"] is False
    assert Path("exercise.png").stat().st_size > 10_000
