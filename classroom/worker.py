"""The process that does one job: python -P -m classroom.worker

It imports everything first, so that a spare one can begin at once. Then it reads one line of JSON
from standard input, its request, restricts itself to one folder, and sends lines of JSON. The line
`{"pause": true}` lets a training save, as Ctrl-C does; a later process continues it exactly. When
standard input ends, the process ends at once.

This is the only process of the classroom that trains with rewards of students.
"""

from __future__ import annotations

import _thread
import base64
import contextlib
import json
import math
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console

from agents import make_agent
from agents.agent import Agent
from classroom.films import film_of, write_film
from classroom.games import catalogue
from classroom.runs import FILMS, POINTS, read_points, run_folder
from classroom.source import FILE as REWARD
from envs.engine.capabilities import game_batch_of
from envs.engine.game import load_game
from envs.registry import GAMES
from reward_lab.grading import measure
from rewards.child_process import end_with, separate_streams
from rewards.errors import describe, message_of
from rewards.exercises import find_exercise, mean_of
from rewards.expression import RewardError
from rewards.kernel import WeightedSum
from rewards.make import make_reward, make_with_parts
from rewards.sandbox.protection import enter
from rewards.terms import load_term
from training.api import load
from training.config import RunConfig
from training.evaluation import evaluate
from training.loop import Run, make_task
from training.recorded_episodes import episodes_of_run
from training.rescoring import rescore
from training.run_folder import EVALUATION, read_json
from training.session import run_session
from training.train_options import config_of
from training.trained_agent import load_agent
from training.user_objects import UserObjects
from training.vector_runner import VectorRunner, make_environment, make_environments

COMPILE = "--compile"
EVALUATIONS = 20
"""Evaluations in a training, and so the films of it."""
EPISODES = 20
"""Episodes of an evaluation. Exercises and leagues have more, because their result counts."""
MOST_POINTS = 400
"""Points of one curve that are kept."""
SEND_SECONDS = 0.25
FILM_SECONDS = 0.5
FILM_SHARE = 0.2
"""Least time between two films, and the greatest share of a training's time that they take."""
MEMORY = 2 * 2**30
"""Bytes that a job may allocate."""
POLITE = 2
"""How far a job lets other processes go first."""
CURVES = re.compile(
    r"(eval/(mean_score|mean_reward|reward/)|task/score|reward/|rollout/ep_(rew|len)_mean)"
)
LINE = r":(\d+): (.*?)(?: \(step [\d,]+\))?(?:; everything up to the last checkpoint .*)?"
"""What follows the file's name in an error of a training."""

Report = Callable[[dict[str, Any]], None]


def config_of_run(request: dict[str, Any]) -> RunConfig:
    """Return the settings of a run: those of train.py, without an early end and pictures."""
    steps = request["steps"]
    values: dict[str, Any] = {
        "steps": steps,
        "seed": request["seed"],
        "env_options": request["options"],
        "threads": 1,
        "solved_score": math.inf,
        "video_frames": 0,
        "eval_every": max(1, steps // EVALUATIONS),
    }
    if request["exercise"] is None:
        values["eval_episodes"] = EPISODES
    return config_of(request["game"], None, values)


def train(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Train a run, or continue it, until its end or until it is paused.

    Raises:
        RewardError: if the reward cannot be used.
        OSError: if the folder cannot be written.
    """
    place, config = Path(request["folder"]), config_of_run(request)
    folder = run_folder(place)
    progress = Progress(place, config, report)
    if folder is None:
        for each in place.iterdir():
            if each.is_dir() and each.name != FILMS:  # of a process that was killed
                shutil.rmtree(each)
        progress.film_of_beginner()
    os.chdir(place)  # so that the run folder names its reward without the folders of this server
    entry, options = GAMES[request["game"]], request["options"]
    reward = make_with_parts(REWARD, load_game(entry.target, options)[0], entry, dict(options))
    ending = run_session(
        config,
        place,
        folder,
        "python -m classroom",
        console=Console(quiet=True),
        user=UserObjects(reward=reward),
        callback=progress.take,
        on_run=progress.begin,
    )
    progress.flush()
    if ending.interrupted:
        return {"state": "paused", "step": ending.run.progress.steps}
    result = read_json(ending.run.folder / EVALUATION)
    progress.film(result["steps"], ending.run.agent, result["last_model"]["mean_score"])
    low, high = result["interval_95"]
    end = {
        "state": "done",
        "step": result["steps"],
        "score": result["mean_score"],
        "low": low,
        "high": high,
    }
    if request["exercise"] is not None:
        end["grade"] = _grade(request["exercise"], ending.run.folder)
    return end


def _grade(name: str, folder: Path) -> list[dict[str, Any]]:
    """Return what the agent of a run does in an exercise: the mean of each goal, and a verdict."""
    exercise = find_exercise(name)
    values = measure(exercise, episodes_of_run(folder, last=True))
    means = {goal.name: mean_of(values[goal.name]) for goal in exercise.goals}
    return [
        {
            "name": goal.name,
            "mean": None if math.isnan(means[goal.name]) else means[goal.name],
            "reached": goal.reached(means[goal.name]),
        }
        for goal in exercise.goals
    ]


class Progress:
    """Sends the points of the curves and films of a training, and keeps them in its folder."""

    def __init__(self, place: Path, config: RunConfig, report: Report) -> None:
        self._place = place
        self._config = config
        self._report = report
        self._run: Run | None = None
        self._next: dict[str, float] = {}
        self._waiting: dict[int, dict[str, float]] = {}
        self._sent = self._next_film = 0.0

    def begin(self, run: Run) -> None:
        """Take the run before it trains; forget points after the step at which it continues."""
        self._run = run
        file = self._place / POINTS
        kept = [(s, values) for s, values in read_points(file) if s <= run.progress.steps]
        for step, values in kept:
            self._next |= dict.fromkeys(values, step + self._distance)
        file.write_text("".join(map(_line, kept)), encoding="utf-8")
        self._report({"begun": True})

    @property
    def _distance(self) -> float:
        return self._config.steps / MOST_POINTS

    def take(self, step: int, values: dict[str, float]) -> None:
        """Take new points; after an evaluation, also film the agent."""
        for tag, value in values.items():
            if CURVES.match(tag) and step >= self._next.get(tag, 0) and math.isfinite(value):
                self._next[tag] = step + self._distance
                self._waiting.setdefault(step, {})[tag] = value
        if "eval/mean_score" in values:
            self._report({"score": values["eval/mean_score"], "step": step})
            if self._run is not None and time.monotonic() >= self._next_film:
                self.film(step, self._run.agent, values["eval/mean_score"])
        if time.monotonic() - self._sent >= SEND_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the points that wait, and keep them."""
        self._sent = time.monotonic()
        waiting, self._waiting = self._waiting, {}
        with (self._place / POINTS).open("a", encoding="utf-8") as file:
            file.writelines(map(_line, waiting.items()))
        for step, values in waiting.items():
            self._report({"points": values, "step": step})

    def film(self, step: int, agent: Agent, score: float | None = None) -> None:
        """Film the agent, unless there is a film of this step."""
        file = self._place / FILMS / f"{step}.json.gz"
        if file.is_file():
            return
        began = time.monotonic()
        film = film_of(agent, self._config.env, self._config.env_options, self._config.seed)
        write_film(file, film | {"step": step})
        now = time.monotonic()
        self._next_film = now + max(FILM_SECONDS, (now - began) * (1.0 / FILM_SHARE - 1.0))
        self._report({"film": step, "score": film["score"] if score is None else score})

    def film_of_beginner(self) -> None:
        """Film the agent with which the training will begin: its seed decides what it is."""
        config = self._config
        environments = make_environments(config.env, 1, config.env_options)
        try:
            task = make_task(config, VectorRunner(environments, config.seed))
            agent = make_agent(config.agent, task, config.settings, config.seed, config.device)
        finally:
            environments.close()
        self.film(0, agent)


def _line(point: tuple[int, dict[str, float]]) -> str:
    return json.dumps({"step": point[0], "values": point[1]}) + "\n"


def judge(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Let the agent of a run play the games of a league. No reward of a student is executed."""
    entry, options = GAMES[request["game"]], request["options"]
    environment = make_environment(entry.env_id, options)
    try:
        agent = load_agent(Path(request["folder"]), environment)
    finally:
        environment.close()
    found = evaluate(agent, entry.env_id, options, request["episodes"], request["seed"])
    low, high = found.interval()
    return {"score": found.mean_score, "low": low, "high": high}


def pay(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return what each reward pays for the recorded episodes of each run, on average.

    A reward that fails pays nothing: null.
    """
    entry, options = GAMES[request["game"]], request["options"]
    game, _ = load_game(entry.target, options)
    folders = [run_folder(Path(place)) for place in request["places"]]
    recorded = [episodes_of_run(folder) for folder in folders if folder is not None]
    rows: list[list[float | None]] = []
    for place in request["places"]:
        try:
            term = load_term(str(Path(place) / REWARD), entry.rewards)
            reward: WeightedSum = make_reward(game, entry, term.function, dict(options))
            paid = [rescore(episodes, [reward]).paid[0].returns.mean() for episodes in recorded]
            rows.append([float(value) for value in paid])
        except RewardError:
            rows.append([None] * len(recorded))
        report({"row": len(rows)})
    return {"values": rows}


def gif(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the beginning of an episode as a GIF, in base64."""
    animation = load(request["folder"]).watch(request["seconds"])
    return {"gif": base64.b64encode(animation.gif).decode()}


JOBS: dict[str, Callable[[dict[str, Any], Report], dict[str, Any]]] = {
    "train": train,
    "judge": judge,
    "pay": pay,
    "gif": gif,
}


def warm_up(tasks: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Load or compile games, by their names and options, which a training would wait for."""
    for name, options in tasks:
        environments = make_environments(GAMES[name].env_id, 2, options)
        batch = game_batch_of(environments)
        assert batch is not None, "all games are ours"
        runner = VectorRunner(environments, 1)
        runner.step(batch.game.actions(2))
        environments.close()


def limit_memory() -> None:
    """Limit what this process can allocate, where the system can."""
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def error_of(error: BaseException) -> dict[str, Any]:
    """Return an error as the page shows it: with the line of the reward, if it names one."""
    text = message_of(error) or describe(error)
    found = re.fullmatch(rf".*{re.escape(REWARD)}{LINE}", text)
    if found is None:
        return {"message": text, "line": None}
    return {"message": found[2], "line": int(found[1])}


def main() -> int:
    """Do one job; return the exit code. With `COMPILE`, only compile all games.

    A process in the sandbox cannot keep what it compiles, so one outside of it comes first.
    """
    if COMPILE in sys.argv:
        warm_up((each["name"], task["options"]) for each in catalogue() for task in each["tasks"])
        return 0
    requests, answers, complaints = separate_streams()
    sys.stderr = complaints
    if hasattr(os, "nice"):
        os.nice(POLITE)  # pages and checks come before trainings

    def report(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content, allow_nan=False) + "\n")
        answers.flush()

    warm_up((name, {}) for name in GAMES)
    report({"ready": True})
    line = requests.readline()
    if not line:
        return 0
    request = json.loads(line)
    enter([Path(folder) for folder in request["writable"]])
    limit_memory()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    try:
        end_with(requests, lambda _: _thread.interrupt_main())
        report({"end": JOBS[request["kind"]](request, report)})
    except (ValueError, FloatingPointError, OSError, MemoryError) as error:
        report({"error": error_of(error)})
    except KeyboardInterrupt:  # asked to pause before there was anything to save
        report({"end": {"state": "paused"}})
    answers.close()
    os._exit(0)  # TensorBoard's threads need not be waited for


if __name__ == "__main__":
    sys.exit(main())
