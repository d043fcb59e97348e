"""Runs learners in separate processes, and appends every result to a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.evaluator import Evaluator, Point
from benchmarks.learners import Learner
from benchmarks.machine import machine_facts
from benchmarks.protocol import EvalProtocol
from benchmarks.training import warm_up
from training.workers import run_jobs


class Job(NamedTuple):
    """One run to do."""

    protocol: EvalProtocol
    learner: Learner
    seed: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What distinguishes this run from all others in a table."""
        return self.protocol.game, self.learner.name, self.seed


@dataclass(frozen=True)
class Run:
    """The result of a job."""

    game: str
    learner: str
    seed: int
    points: tuple[Point, ...]
    """All evaluations."""
    solved: Point | None
    """The evaluation at which the game was solved."""
    settings: dict[str, Any]
    """By this project's names; empty: the library's own."""
    protocol: dict[str, Any]
    machine: dict[str, Any]
    """Versions, commit, processor and date."""

    @property
    def key(self) -> tuple[str, str, int]:
        """The key of its job."""
        return self.game, self.learner, self.seed

    @property
    def last(self) -> Point:
        """The evaluation at the end of the budget."""
        return self.points[-1]


class Lines:
    """A file with one JSON object per line, to which objects are appended."""

    def __init__(self, path: Path) -> None:
        """Open a file, which need not exist; a last line that was not written whole is ignored.

        Raises:
            ValueError: if it holds anything else.
        """
        self.path = path
        content = path.read_bytes() if path.exists() else b""
        size = content.rfind(b"\n") + 1  # of the whole lines
        self._cut = size if size < len(content) else None
        try:
            lines = content[:size].decode().splitlines()
            self.objects: list[dict[str, Any]] = [json.loads(line) for line in lines]
        except ValueError:
            raise self.error() from None
        are_objects = all(isinstance(each, dict) for each in self.objects)
        if not are_objects or content[size : size + 1] not in (b"", b"{"):
            raise self.error()

    def error(self) -> ValueError:
        """Return the error for a file of other content."""
        return ValueError(f"{self.path} holds something other than results: choose another file")

    def append(self, content: dict[str, Any]) -> None:
        """Write an object to the file at once, in place of a line that was not written whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            if self._cut is not None:
                file.truncate(self._cut)
                self._cut = None
            file.write(json.dumps(content).encode() + b"\n")
        self.objects.append(content)


def stored_runs(lines: Lines, jobs: Sequence[Job]) -> list[Run]:
    """Return the runs in a file that are results of `jobs`.

    Raises:
        ValueError: if a run of the same name was made with another protocol or other settings.
    """
    wanted = {job.key: job for job in jobs}
    found = []
    for content in lines.objects:
        try:
            points = tuple(Point(*point) for point in content["points"])
            solved = None if content["solved"] is None else Point(*content["solved"])
            run = Run(**content | {"points": points, "solved": solved})
        except (KeyError, TypeError):
            raise lines.error() from None
        if run.key not in wanted:
            continue
        job = wanted[run.key]
        if (run.protocol, run.settings) != (job.protocol.to_json(), _settings(job)):
            raise ValueError(
                f"{lines.path} holds {run.learner} on {run.game}, seed {run.seed}, with another "
                "protocol or other settings: choose another file with --results"
            )
        found.append(run)
    return found


def run_all(jobs: Sequence[Job], workers: str, lines: Lines) -> Iterator[Run | str]:
    """Yield the runs of `jobs` that `lines` lacks, as they end, after they were appended to it.

    `workers` is as for `run_jobs`. A run that fails yields a line about the reason, and is not
    appended.
    """
    stored = {run.key for run in stored_runs(lines, jobs)}
    left = [job for job in jobs if job.key not in stored]
    for _, run in run_jobs(try_job, left, workers, warm_up):
        if isinstance(run, Run):
            lines.append(asdict(run))
        yield run


def try_job(job: Job) -> Run | str:
    """Run a job; if any library raises an error, return a line about it: other jobs go on."""
    try:
        return run_job(job)
    except Exception as error:
        return f"{describe_job(job)}: failed, {type(error).__name__}: {error}"


def run_job(job: Job) -> Run:
    """Train one learner with one seed."""
    job.learner.load()
    evaluator = Evaluator(job.protocol, job.seed)
    job.learner.train(job.seed, evaluator)
    return Run(
        *job.key,
        points=tuple(evaluator.points),
        solved=evaluator.solved,
        settings=_settings(job),
        protocol=job.protocol.to_json(),
        machine=machine_facts(),
    )


def _settings(job: Job) -> dict[str, Any]:
    return job.learner.settings(job.protocol)


def describe_job(job: Job) -> str:
    """Return the name of a run in lines of progress."""
    game, learner, seed = job.key
    return f"{game}, {learner}, seed {seed}"


def describe(run: Run) -> str:
    """Return the line to print when a run has ended."""
    name = f"{run.game}, {run.learner}, seed {run.seed}"
    if run.last.steps == 0:
        return f"{name}: score {run.last.score:.3g}"
    end = f"score {run.last.score:.3g} at {run.last.steps:,} steps, {run.last.total:.1f} s"
    if run.solved is None:
        return f"{name}: not solved within {run.last.steps:,} steps, {end}"
    return f"{name}: solved after {run.solved.steps:,} steps, {run.solved.total:.1f} s; {end}"
