"""Jobs in worker processes: results by job, workers that die, errors, and a Ray cluster."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from training.workers import WorkerError, run_jobs

WORKERS = [
    "2",
    pytest.param(
        "ray",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("ray") is None, reason="Ray is not installed"
        ),
    ),
]


def square(number: int) -> int:
    return number**2


def die_unless_marked(mark: str) -> str:
    """End the whole process at the first call with this file, as the system does without memory."""
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return mark
    os._exit(9)


def die(_: int) -> None:
    os._exit(9)


def fail(number: int) -> int:
    raise ValueError(f"{number} is not wanted")


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@pytest.mark.parametrize("workers", WORKERS)
def test_every_job_has_its_result(workers: str) -> None:
    assert dict(run_jobs(square, range(7), workers)) == {k: k * k for k in range(7)}


@pytest.mark.parametrize("workers", WORKERS)
def test_a_job_whose_worker_died_is_run_again(tmp_path: Path, workers: str) -> None:
    marks = [str(tmp_path / name) for name in "ab"]
    assert dict(run_jobs(die_unless_marked, marks, workers)) == dict(enumerate(marks))


def test_workers_that_always_die_end_the_jobs() -> None:
    with pytest.raises(WorkerError, match="a worker process died 3 times"):
        list(run_jobs(die, [1], "1"))


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_of_a_job_is_raised(workers: str) -> None:
    with pytest.raises(ValueError, match="5 is not wanted"):
        list(run_jobs(fail, [5], workers))


def test_workers_end_when_the_results_are_no_longer_wanted() -> None:
    results = run_jobs(sleep, [0.0, 600.0], "2")
    assert next(results) == (0, 0.0)
    results.close()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("workers", ["0", "-1", "two", "ray:1", "http://host"])
def test_wrong_workers_are_refused(workers: str) -> None:
    with pytest.raises(ValueError, match="--workers must be a positive number, ray or ray://"):
        next(run_jobs(square, [1], workers))
