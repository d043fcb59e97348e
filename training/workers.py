"""Runs many independent jobs in worker processes, of this machine or of a Ray cluster.

Every job has its own seeds, so its result does not depend on where, when and next to which other
jobs it ran. A job whose worker dies is run again.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import multiprocessing
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from training.cores import usable_cores
from training.signals import end_with_parent

Job = TypeVar("Job")
Result = TypeVar("Result")

WORKERS_HELP = (
    "Workers that run at the same time: a number of processes of this machine (by default one for "
    "each core), `ray` for the Ray cluster of this machine, or ray://HOST:PORT."
)
RAY = re.compile(r"ray(://\S+)?")
MISSING = (
    "--workers ray needs Ray, which is not installed: "
    'pip install -c constraints.txt -e ".[cluster]"'
)
MAX_PROCESSES = 61  # of a ProcessPoolExecutor on Windows
TRIES = 3
"""How often jobs are run if workers die each time and none of them ends."""


class WorkerError(RuntimeError):
    """A worker died again and again."""


def check_workers(workers: str) -> None:
    """Check what a user gave for `--workers`.

    Raises:
        ValueError: if it is neither a positive number nor the address of a Ray cluster.
    """
    if not (workers == "" or is_ray(workers) or (workers.isdecimal() and int(workers) > 0)):
        raise ValueError(
            f"--workers must be a positive number, ray or ray://HOST:PORT, got {workers!r}"
        )


def is_ray(workers: str) -> bool:
    """Return whether `--workers` names a Ray cluster."""
    return RAY.fullmatch(workers) is not None


def run_jobs(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    workers: str = "",
    prepare: Callable[[], Any] | None = None,
) -> Generator[tuple[int, Result], None, None]:
    """Yield the index of each job and what `work` returned for it, in the order in which they end.

    `work` and `prepare` are functions of a module. `prepare` is called once in each worker process,
    before its first job. All workers end when the iterator is closed or interrupted.

    Raises:
        ValueError: if `workers` cannot be used.
        WorkerError: if workers died `TRIES` times in a row.
        Exception: what a job raised.
    """
    check_workers(workers)
    if not jobs:
        return
    if is_ray(workers):
        yield from _on_ray(work, jobs, workers, prepare)
    else:
        yield from _on_processes(work, jobs, int(workers or usable_cores()), prepare)


def _on_processes(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    count: int,
    prepare: Callable[[], Any] | None,
) -> Iterator[tuple[int, Result]]:
    left, tries = set(range(len(jobs))), 0
    while left and tries < TRIES:
        before = len(left)
        with _pool(min(count, len(left), MAX_PROCESSES), prepare) as pool:
            waiting = {pool.submit(work, jobs[k]): k for k in sorted(left)}
            for done in as_completed(waiting):
                try:
                    result = done.result()
                except BrokenProcessPool:
                    continue  # a worker died, and took the pool with it
                left.remove(waiting[done])
                yield waiting[done], result
        tries = tries + 1 if len(left) == before else 0  # whose worker died is not known
    if left:
        raise WorkerError(
            f"a worker process died {TRIES} times, perhaps because memory ran out; --workers 1 "
            "needs less memory"
        )


@contextlib.contextmanager
def _pool(count: int, prepare: Callable[[], Any] | None) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes, which end with the context, also if it is interrupted."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, spawn, _start_process, (prepare,)) as pool:
        try:
            yield pool
        except BaseException:
            for worker in multiprocessing.active_children():  # they ignore Ctrl-C
                worker.terminate()
            raise


def _start_process(prepare: Callable[[], Any] | None) -> None:
    """Leave Ctrl-C to the parent process, and end when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    _prepare_worker(prepare)


@functools.cache
def _prepare_worker(prepare: Callable[[], Any] | None) -> None:
    """Use one thread, as there are as many workers as cores."""
    os.environ["OMP_NUM_THREADS"] = "1"  # for PyTorch, if a job imports it later
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    warnings.simplefilter("ignore")
    if prepare is not None:
        prepare()


def _on_ray(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    workers: str,
    prepare: Callable[[], Any] | None,
) -> Iterator[tuple[int, Result]]:
    with _connected(workers) as ray:
        task = ray.remote(max_retries=TRIES - 1)(_run_on_ray)
        waiting = {task.remote(work, job, prepare): k for k, job in enumerate(jobs)}
        try:
            while waiting:
                (done,), _ = ray.wait(list(waiting))
                yield waiting.pop(done), _result_of(ray, done)
        finally:
            for left in waiting:
                ray.cancel(left, force=True)


def _run_on_ray(
    work: Callable[[Job], Result], job: Job, prepare: Callable[[], Any] | None
) -> Result:
    _prepare_worker(prepare)
    return work(job)


def _result_of(ray: Any, done: Any) -> Any:
    """Return the result of a finished task, or raise what its job raised."""
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[0]
        raise WorkerError(f"a Ray worker died {TRIES} times: {reason}") from None


@contextlib.contextmanager
def _connected(workers: str) -> Iterator[Any]:
    """Yield the module `ray`, connected to a cluster; `ray` starts one if none is running here."""
    try:
        ray = importlib.import_module("ray")
    except ModuleNotFoundError:
        raise ValueError(MISSING) from None
    address = workers if workers != "ray" else None
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR", include_dashboard=None)
    except Exception as error:  # Ray raises many kinds
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"--workers {workers}: no Ray cluster answers there: {reason}") from None
    try:
        yield ray
    finally:
        ray.shutdown()
