"""Run jobs on a Ray cluster whose nodes all run on this machine, and compare it with processes.

A table of `python -m benchmarks agents` must be the same on the cluster, also if a node is killed.
Jobs that do nothing show what a job costs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from agents.validation import at_least_one
from benchmarks.agents import learners_of
from benchmarks.command import BenchmarkCommand
from benchmarks.measuring import Clock
from benchmarks.protocol import GAMES
from benchmarks.report import number, show_table
from benchmarks.runs import Job, Run, run_job
from benchmarks.training import warm_up
from training.messages import say
from training.workers import MISSING, run_jobs

AGENTS = ("random", "reinforce", "pqn", "ppo")
GAME, EVERY, EPISODES = "paddle", 10_000, 20
SEEDS = (1, 2)
ADDRESS = "RAY_ADDRESS"  # environment variable that Ray reads


@dataclass(frozen=True)
class ClusterCommand(BenchmarkCommand):
    """Compare a Ray cluster on this machine with processes: results, lost jobs and seconds."""

    nodes: int = 3
    """Number of nodes, each with one worker."""
    steps: int = 50_000
    """Environment steps of each run in the table."""
    nothing: int = 300
    """Number of jobs that do nothing."""

    def check(self) -> None:
        at_least_one(self, "nodes", "steps", "nothing")
        if importlib.util.find_spec("ray") is None:
            raise ValueError(MISSING.replace("--workers ray", "the cluster"))

    def run(self, console: Console) -> dict[str, Any]:
        jobs = table_jobs(self.steps)
        expected, of_processes = timed(jobs, "2")
        lines = [("2 processes", *of_processes)]

        def compare(name: str, after_first: Callable[[], object] = lambda: None) -> None:
            found, measured = timed(jobs, "ray", after_first)
            check_equal(found, expected)
            lines.append((name, *measured))
            say(console, f"{name}: all {len(jobs)} runs have the same digits as in processes")

        with cluster(self.nodes) as kill_node:
            overhead = [seconds_per_job(self.nothing, "ray", self.nodes)]
            compare(f"{self.nodes} nodes, one killed", kill_node)
        for nodes in (1, 2):
            with cluster(nodes):
                compare(f"{nodes} nodes" if nodes > 1 else "1 node")
        overhead.append(seconds_per_job(self.nothing, "2", 2))
        show_table(
            console,
            ("table of agents", "runs", "seconds to the first", "seconds"),
            [(name, str(len(jobs)), number(first), number(last)) for name, first, last in lines],
        )
        sizes = [len(pickle.dumps(each)) for each in (jobs[-1], expected[-1])]
        say(
            console,
            f"A job that does nothing takes a worker {1000 * overhead[0]:.1f} ms on the cluster, "
            f"{1000 * overhead[1]:.1f} ms in a process. Each run sends {sizes[0]:,} bytes to its "
            f"worker and {sizes[1]:,} bytes back.",
        )
        return {"table": lines, "seconds_per_job": overhead, "bytes": sizes}


def nothing(number: int) -> int:
    """Do nothing."""
    return number


def table_jobs(steps: int) -> list[Job]:
    """Return the runs of a small table of agents."""
    protocol = dataclasses.replace(GAMES[GAME], steps=steps, every=EVERY, episodes=EPISODES)
    return [Job(protocol, each, seed) for each in learners_of(protocol, AGENTS) for seed in SEEDS]


def timed(
    jobs: Sequence[Job], workers: str, after_first: Callable[[], object] = lambda: None
) -> tuple[list[Run], tuple[float, float]]:
    """Run jobs; return the runs in order, and the seconds until the first and until the last.

    `after_first` is called once, when the first run has ended.
    """
    found: dict[int, Run] = {}
    clock, first = Clock(), 0.0
    for k, run in run_jobs(run_job, jobs, workers, warm_up):
        if not found:
            first = clock.seconds()
            after_first()
        found[k] = run
    return [found[k] for k in range(len(jobs))], (first, clock.seconds())


def check_equal(found: Sequence[Run], expected: Sequence[Run]) -> None:
    """Check that two tables are the same, but for the seconds.

    Raises:
        ValueError: if they are not.
    """
    for one, other in zip(found, expected, strict=True):
        scores = [[(point.steps, point.score) for point in run.points] for run in (one, other)]
        if one.key != other.key or scores[0] != scores[1]:
            raise ValueError(f"{other.key}: the cluster found {scores[0]}, a process {scores[1]}")


def seconds_per_job(count: int, workers: str, number_of_workers: int) -> float:
    """Return the seconds that a worker needs for a job that does nothing, after its start."""
    ends: list[float] = []
    clock = Clock()
    for _ in run_jobs(nothing, range(number_of_workers + count), workers):
        ends.append(clock.seconds())
    return (ends[-1] - ends[number_of_workers - 1]) * number_of_workers / count


@contextlib.contextmanager
def cluster(nodes: int) -> Iterator[Callable[[], None]]:
    """Start a Ray cluster with one worker in each node; yield a function that kills a node.

    Raises:
        ValueError: if it does not start.
    """
    head = {"num_cpus": 1, "include_dashboard": False}
    try:
        started = importlib.import_module("ray.cluster_utils").Cluster(True, head_node_args=head)
    except Exception as error:  # Ray raises many kinds
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"no Ray cluster starts on this machine: {reason}") from None
    try:
        others = [started.add_node(num_cpus=1) for _ in range(nodes - 1)]
        started.wait_for_nodes()
        os.environ[ADDRESS] = started.address
        yield lambda: started.remove_node(others[-1], allow_graceful=False)
    finally:
        os.environ.pop(ADDRESS, None)
        started.shutdown()
