"""Grade the solutions of the exercises: each exercise must be feasible, with any seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from agents.validation import at_least_one
from benchmarks.command import BenchmarkCommand, Names, select_names
from benchmarks.report import number, show_table
from reward_lab.grading import Grading, grade
from rewards.exercises import EXERCISES, Exercise
from training.messages import say

SOLUTIONS = Path("tests", "solutions")
HEADINGS = ("exercise", "measured", "asked", "agents: mean over their episodes", "pass")


@dataclass(frozen=True)
class ExercisesCommand(BenchmarkCommand):
    """Train on the solution of each exercise, and grade it. Run it in the repository."""

    exercises: Names = ()
    """Names of exercises. Default: all."""
    seeds: int = 5
    """Number of agents trained on each solution."""
    jobs: int = 1
    """Number of trainings in parallel, each in its own process."""

    def __post_init__(self) -> None:
        at_least_one(self, "jobs", "seeds")

    def check(self) -> None:
        """Raise ValueError if the solutions are not here: they are not installed."""
        if not SOLUTIONS.is_dir():
            raise ValueError(f"there is no folder {SOLUTIONS}; run this in the repository")

    def run(self, console: Console) -> dict[str, Any]:
        """Grade; print a line per exercise, then a table."""
        by_name = {exercise.name: exercise for exercise in EXERCISES}
        found = []
        for name in select_names(self.exercises, by_name):
            found.append(grade_solution(by_name[name], self.seeds, self.jobs))
            say(console, f"{name}: {found[-1].passing} of {self.seeds} agents pass")
        show_table(console, HEADINGS, [line for each in found for line in _lines(each)])
        return {"exercises": [each.to_json() for each in found]}


def grade_solution(exercise: Exercise, seeds: int, jobs: int) -> Grading:
    """Train on the solution of an exercise, and grade it."""
    reward = (SOLUTIONS / f"{exercise.name}.py").as_posix()
    return grade(exercise, reward, seeds=seeds, workers=str(jobs))


def _lines(found: Grading) -> list[tuple[str, ...]]:
    """Return a line of the table for each goal."""
    return [
        (
            f"{found.exercise.number} {found.exercise.name}",
            goal.name,
            goal.asked,
            ", ".join(number(mean) for mean in found.means(goal)),
            f"{sum(found.reached(goal))} of {len(found.folders)}",
        )
        for goal in found.exercise.goals
    ]
