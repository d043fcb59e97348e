"""Exercises for a class: python -m rewards exercise 3 my_reward.py

The reward is checked, agents are trained on it, and what they do is graded. Without a reward, the
task is shown; without a number, all tasks are listed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from reward_lab import texts as lab_texts
from reward_lab.command import LabCommand, LabOptions
from rewards.check.next_commands import env_flags
from rewards.exercises import EXERCISES, Exercise, find_exercise
from stages.lab.intervals import check_seeds
from stages.lab.plots import side_by_side
from stages.lab.slides import COLOURS, slide
from training.cli import Workers
from training.messages import say
from training.run_folder import write_json
from training.workers import check_workers

if TYPE_CHECKING:
    from reward_lab.grading import Grading

NAME = "exercise"


@dataclass(frozen=True, kw_only=True)
class ExerciseOptions(LabOptions):
    """Grade a reward by what the agents that are trained on it do.

    Without a REWARD, show the task; without an EXERCISE, list all of them.
    """

    exercise: Annotated[
        str, tyro.conf.Positional, tyro.conf.arg(name="EXERCISE", metavar="[EXERCISE]")
    ] = ""
    """Number or name of an exercise."""
    reward: Annotated[
        str, tyro.conf.Positional, tyro.conf.arg(name="REWARD", metavar="[REWARD]")
    ] = ""
    """Reward to grade, as --reward of train.py takes it."""
    seeds: int = 1
    """Number of agents to train, 1 to 10; all of them must pass."""
    workers: Workers = ""

    def __post_init__(self) -> None:
        check_seeds(self.seeds, least=1)
        check_workers(self.workers)
        for name in ("out", "json", "seeds", "workers"):
            if not self.reward and getattr(self, name) != getattr(ExerciseOptions, name):
                raise ValueError(f"--{name} needs a REWARD to grade")


def run(options: ExerciseOptions) -> None:
    """List the exercises, show a task, or grade a reward."""
    texts = lab_texts.load(NAME, options.lang)
    if not options.exercise:
        show_all(texts, options.lang)
        return
    exercise = find_exercise(options.exercise)
    if not options.reward:
        show_task(exercise, texts, options.lang)
        return
    _check(exercise, options.reward, options.lang)
    path = options.figure(NAME)
    from reward_lab.grading import grade  # slow, and lists and tasks do not need it

    found = grade(
        exercise,
        options.reward,
        seeds=options.seeds,
        workers=options.workers,
        describe=texts["progress"],
        on_warning=COMMAND.warn,
    )
    own = exercise.texts(options.lang)
    show(found, texts, own)
    if options.json is not None:
        write_json(options.json, found.to_json())
    with slide(path, options.lang) as axes:
        draw(axes, found, texts, own)
    print(texts["figure"].format(path=path))


def _check(exercise: Exercise, reward: str, lang: str) -> None:
    """Print what a reward pays for.

    Raises:
        ValueError: if it cannot be used, or one of its tests fails.
    """
    from rewards.__main__ import check  # late: it imports this module's command

    if check(reward, exercise.env, dict(exercise.env_options), lang):
        raise ValueError("a test in the file of the reward fails; repair the reward or the test")


def show_all(texts: dict[str, Any], lang: str) -> None:
    """Print a table of all exercises."""
    table = Table(title=texts["list"], show_lines=True)
    for heading in ("", texts["name"], texts["game"], texts["task"]):
        table.add_column(heading)
    for exercise in EXERCISES:
        own = exercise.texts(lang)
        table.add_row(str(exercise.number), own["title"], exercise.env, own["task"])
    console = Console()
    console.print(table)
    say(console, texts["how"])


def show_task(exercise: Exercise, texts: dict[str, Any], lang: str) -> None:
    """Print the task of an exercise, and the commands to begin with."""
    own, console = exercise.texts(lang), Console()
    flags = env_flags(exercise.env, exercise.env_options)
    lines = (
        f"{exercise.number}. {own['title']}",
        own["task"],
        texts["begin"],
        f"  python -m rewards new my_reward.py{flags}",
        f"  python -m rewards {NAME} {exercise.number} my_reward.py",
    )
    for line in lines:
        say(console, line)


def show(found: Grading, texts: dict[str, Any], own: dict[str, Any]) -> None:
    """Print what was measured, the verdict, and a hint if there is something to improve."""
    table = Table(title=f"{found.exercise.number}. {own['title']}")
    table.add_column(texts["measured"])
    table.add_column(texts["asked"], justify="right")
    for number in range(1, len(found.folders) + 1):
        table.add_column(texts["agent"].format(number=number), justify="right")
    for goal in found.exercise.goals:
        pairs = zip(found.means(goal), found.reached(goal), strict=True)
        cells = [f"{_number(mean)} {'✓' if reached else '✗'}" for mean, reached in pairs]
        table.add_row(own["names"][goal.name], goal.asked, *cells)
    console = Console()
    console.print(table)
    words = {"passing": found.passing, "agents": len(found.folders)}
    lines = [texts["passed" if found.passed else "not_passed"].format(**words)]
    if found.missed is not None:
        lines.append(texts["hint"].format(hint=own["hints"][found.missed.name]))
    lines.append(texts["watch"].format(folder=found.folders[0]))
    for line in lines:
        say(console, line)


def draw(axes: Any, found: Grading, texts: dict[str, Any], own: dict[str, Any]) -> None:
    """Draw what each goal measures in each episode, and the limit of the mean."""
    axes.set(title=own["title"], xlabel=texts["episodes"])
    goals = found.exercise.goals
    for panel, goal in zip(side_by_side(axes, len(goals)), goals, strict=True):
        values = np.concatenate([each[goal.name] for each in found.measured])
        known = np.sort(values[~np.isnan(values)])
        panel.plot(range(1, len(known) + 1), known, "o", color=COLOURS[0])
        panel.axhline(goal.bound, color="black", ls=":", label=goal.asked)
        if len(known):
            panel.axhline(known.mean(), color=COLOURS[1], label=texts["mean"])
        panel.set_title(own["names"][goal.name], fontsize=18, wrap=True)
        panel.legend(fontsize=14)


def _number(mean: float) -> str:
    return "–" if math.isnan(mean) else f"{mean:.3g}"


COMMAND = LabCommand(NAME, ExerciseOptions, run)
