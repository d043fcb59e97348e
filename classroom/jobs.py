"""The queue of jobs, and the worker processes that do them.

A student has one running job at a time, and students take turns. A training that has had its slice
of time while others wait saves, and waits for its next turn. What runs and waits stands in the
database, so that everything goes on after a restart of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from classroom.database import Database
from classroom.live import Hub
from classroom.processes import send_line, start_confined
from classroom.runs import Runs
from rewards.child_process import environment_for_child, how_it_ended
from rewards.sandbox.protection import exit_code

SLICE = 5.0
"""Seconds that a training runs while others wait."""
SILENT = 120.0
"""Seconds after which a job that reports nothing is ended."""
SAVING = 30.0
"""Seconds that a training gets to save; then it goes on from its last checkpoint."""
LONGEST_LINE = 2**24
"""Bytes of a report: a GIF is the longest."""
WAITING = ("queued", "paused")
"""States of runs that wait for their turn."""
TICK = 0.5
WRITE_SECONDS = 1.0
"""Seconds between two notes of a step in the database."""
FAILED = "the process of this job ended ({how})"
STUCK = "the job did not answer for {seconds:.0f} s"


class Item(NamedTuple):
    """Something that waits: a run or a task."""

    kind: str
    """`run` or `task`."""
    id: int
    student: int


class WorkerProcess:
    """A worker process, which imports and then waits for its request."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, writable: Path, hidden: Sequence[Path]) -> WorkerProcess:
        """Start a process that can write only below `writable`, and cannot see `hidden` folders."""
        process = await start_confined("classroom.worker", [writable], hidden, LONGEST_LINE)
        return cls(process)

    def send(self, content: dict[str, Any]) -> None:
        """Send a line."""
        send_line(self._process, content)

    async def receive(self) -> dict[str, Any] | None:
        """Return the next report; None at the end, or if it is none."""
        assert self._process.stdout is not None
        try:
            content = json.loads(await self._process.stdout.readline())
        except (ValueError, OSError):
            return None
        return content if isinstance(content, dict) else None

    def kill(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def ended(self) -> str:
        """End the process; return how it has ended."""
        self.kill()
        return how_it_ended(exit_code(await self._process.wait()))


@dataclass
class Job:
    """A job that runs."""

    item: Item
    worker: WorkerProcess
    reported: float
    """When it has reported last."""
    began: float | None = None
    """When the training itself began: what loading and compiling take is not part of its slice."""
    asked: float | None = None
    """When it was asked to pause."""
    then: str = "paused"
    """State of the run once it has paused."""
    step: int = 0
    written: float = 0.0
    end: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    gone: bool = False
    """Whether its run was deleted."""


@dataclass
class Queue:
    """What the jobs need, and how many run at a time."""

    database: Database
    runs: Runs
    hub: Hub
    most: int
    """Maximum number of jobs at a time."""
    each: int = 1
    """Maximum number of jobs of one student at a time."""
    slice_seconds: float = SLICE
    hidden: Sequence[Path] = ()
    """Folders that jobs cannot see, where the system can hide them."""
    on_task: Callable[[int], None] = lambda task: None
    """Called with the id of a task that has ended."""
    on_problem: Callable[[int, str | None], None] = lambda student, problem: None
    """Called with a student and the error of a training that has failed, or None if it is done."""
    _running: dict[Item, Job] = field(default_factory=dict)
    _spares: list[WorkerProcess] = field(default_factory=list)
    _watching: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _positions: dict[int, int] = field(default_factory=dict)
    _closing: bool = False

    async def start(self) -> None:
        """Queue again what ran when the server ended, and begin to work."""
        self.database.run("UPDATE runs SET state = 'paused' WHERE state = 'running'")
        self.database.run("UPDATE tasks SET state = 'queued' WHERE state = 'running'")
        self._begin(self._compile())
        self._begin(self._work())

    async def _compile(self) -> None:
        """Compile all games, unless that was done before: workers cannot keep what they compile."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "classroom.worker", "--compile"),
            stdin=subprocess.DEVNULL,
            env=environment_for_child(),
            start_new_session=True,
        )
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()

    async def close(self) -> None:
        """Let all trainings save, for a moment, and end all processes."""
        self._closing = True
        for job in self._running.values():
            self._pause(job)
        for _ in range(round(SAVING / TICK)):
            if not self._running:
                break
            await asyncio.sleep(TICK)
        for worker in [*self._spares, *(job.worker for job in self._running.values())]:
            await worker.ended()
        for task in self._watching:
            task.cancel()

    def wake(self) -> None:
        """Look at the queue again: something was added, or stopped."""
        self._changed.set()

    def position(self, run: int) -> int | None:
        """Return the place of a run in the queue, from 1; None if it does not wait."""
        return self._positions.get(run)

    def waiting(self) -> list[Item]:
        """Return everything that waits, in the order of its turns.

        Each student's first item comes before anyone's second one. Students whose last turn is
        longest ago come first, and those that never had one before all others.
        """
        rows = self.database.all(
            "SELECT 0 AS late, 'task' AS kind, id, student, 0 AS turn FROM tasks"
            " WHERE state = 'queued'"
            " UNION ALL SELECT 1, 'run', id, student, served FROM runs"
            " WHERE state IN ('queued', 'paused') ORDER BY late, turn, id"
        )
        served = {
            row["id"]: row["served"] for row in self.database.all("SELECT id, served FROM students")
        }
        taken = self._taken()
        keyed = []
        for row in rows:
            student = row["student"] or 0
            keyed.append(((taken[student], served.get(student, 0.0), row["late"], row["id"]), row))
            taken[student] += 1
        keyed.sort(key=lambda pair: pair[0])
        return [Item(row["kind"], row["id"], row["student"] or 0) for _, row in keyed]

    def _taken(self) -> Counter[int]:
        return Counter(item.student for item in self._running)

    def _startable(self) -> list[Item]:
        """Return what could run now if there were a free process."""
        if self._closing or self.database.setting("paused", False):
            return []
        taken, found = self._taken(), []
        for item in self.waiting():
            if taken[item.student] < self.each:
                taken[item.student] += 1
                found.append(item)
        return found

    async def _work(self) -> None:
        """Start and pause jobs, whenever something changes or time has passed."""
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), TICK)
            self._changed.clear()
            with contextlib.suppress(OSError):  # no process can be started just now
                await self._fill()
            self._take_turns()
            self._end_silent_jobs()
            self._tell_positions()

    async def _fill(self) -> None:
        """Start what may start, and keep a spare process ready for each that could start next."""
        startable = self._startable()
        while startable and len(self._running) < self.most:
            await self._start(startable.pop(0))
        while len(self._spares) < 1 + (bool(startable) and self.most > 1) and not self._closing:
            self._spares.append(await WorkerProcess.start(self.runs.folder, self.hidden))

    async def _start(self, item: Item) -> None:
        worker = await self._process()
        request = self._request(item)
        if request is None:
            self._spares.append(worker)
            return
        job = Job(item, worker, time.monotonic())
        self._running[item] = job
        if item.student:
            self.database.update("students", item.student, served=time.time())
        if item.kind == "run":
            self._note(item.id, state="running", served=time.time())
            self.database.run(
                "UPDATE runs SET began = ? WHERE id = ? AND began IS NULL", time.time(), item.id
            )
        else:
            self.database.update("tasks", item.id, state="running")
        worker.send(request)
        self._begin(self._watch(job))

    async def _process(self) -> WorkerProcess:
        """Return a spare process, or a new one."""
        if self._spares:
            return self._spares.pop(0)
        return await WorkerProcess.start(self.runs.folder, self.hidden)

    def _request(self, item: Item) -> dict[str, Any] | None:
        """Return the request to a worker; None if the item was stopped or deleted by now."""
        if item.kind == "task":
            row = self.database.one("SELECT kind, request FROM tasks WHERE id = ?", item.id)
            if row is None:
                return None
            return {"kind": row["kind"], "writable": [], **json.loads(row["request"])}
        run = self.runs.find(item.id)
        if run is None or run["state"] not in WAITING:
            return None
        place = str(self.runs.place(item.id).resolve())
        return {
            "kind": "train",
            "writable": [place],
            "folder": place,
            "options": json.loads(run["options"]),
            **{name: run[name] for name in ("game", "steps", "seed", "exercise")},
        }

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let a process of its own answer a request at once; return what it found.

        Raises:
            ValueError: with one line, if it cannot.
        """
        worker = await self._process()
        worker.send({"writable": [], **request})
        try:
            async with asyncio.timeout(SILENT):
                while (report := await worker.receive()) is not None:
                    if "error" in report:
                        raise ValueError(report["error"]["message"])
                    if "end" in report:
                        return dict(report["end"])
        except TimeoutError:
            raise ValueError(STUCK.format(seconds=SILENT)) from None
        finally:
            how = await worker.ended()
        raise ValueError(FAILED.format(how=how))

    async def _watch(self, job: Job) -> None:
        """Take the reports of a job until it ends."""
        while (report := await job.worker.receive()) is not None:
            job.reported = time.monotonic()
            if job.item.kind == "run" and not job.gone:
                self._take(job, report)
            if "end" in report or "error" in report:
                job.end, job.error = report.get("end"), report.get("error")
                break
        how = await job.worker.ended()
        del self._running[job.item]
        if job.end is None and job.error is None and job.asked is None:
            job.error = {"message": FAILED.format(how=how), "line": None}
        if job.gone:
            self.runs.delete(job.item.id)
        elif job.item.kind == "run":
            self._end_run(job)
        else:
            self._end_task(job)
        self.wake()

    def _take(self, job: Job, report: dict[str, Any]) -> None:
        """Take a report of a training."""
        run, student, step = job.item.id, job.item.student, report.get("step", 0)
        if "begun" in report:
            job.began = time.monotonic()
        if "points" in report:
            job.step = max(job.step, step)  # a mean belongs to the step at which it begins
            self.hub.send(
                student, {"type": "points", "run": run, "step": step, "values": report["points"]}
            )
            if time.monotonic() - job.written > WRITE_SECONDS:
                job.written = time.monotonic()
                self._note(run, step=job.step)
        elif "score" in report and "film" not in report:
            self.database.update("runs", run, score=report["score"])
        elif "film" in report:
            film = report["film"]
            self.database.run(
                "INSERT OR REPLACE INTO films VALUES (?, ?, ?)", run, film, report["score"]
            )
            message = {"type": "film", "run": run, "step": film, "score": report["score"]}
            self.hub.send(student, message)

    def _end_run(self, job: Job) -> None:
        """Note how a training has ended."""
        if job.error is not None:
            self._note(job.item.id, state="failed", error=json.dumps(job.error), ended=time.time())
            self.on_problem(job.item.student, job.error["message"])
            return
        end = job.end or {"state": "paused"}  # killed while it saved
        end.setdefault("step", job.step)
        if end["state"] == "paused":
            ended = {"ended": time.time()} if job.then == "stopped" else {}
            self._note(job.item.id, state=job.then, step=end["step"], **ended)
            return
        grade = end.pop("grade", None)
        values = end | ({} if grade is None else {"grade": json.dumps(grade)})
        self._note(job.item.id, **values, ended=time.time())
        self.on_problem(job.item.student, None)

    def _end_task(self, job: Job) -> None:
        """Note what a task has found; one that was interrupted waits again."""
        if (job.end is None and job.error is None) or (job.end or {}).get("state") == "paused":
            self.database.update("tasks", job.item.id, state="queued")
            return
        if job.error is not None:
            values = {"state": "failed", "error": job.error["message"]}
        else:
            values = {"state": "done", "result": json.dumps(job.end)}
        self.database.update("tasks", job.item.id, **values, ended=time.time())
        self.on_task(job.item.id)

    def _note(self, run: int, **values: Any) -> None:
        """Change a run, and tell its student."""
        self.database.update("runs", run, **values)
        self.tell(run)

    def tell(self, run: int) -> None:
        """Send a run to its student's pages."""
        row = self.runs.find(run)
        if row is not None:
            content = self.runs.to_json(row, self.position(run))
            self.hub.send(row["student"], {"type": "run", "run": content})
            self.hub.class_changed()

    def stop(self, run: sqlite3.Row) -> None:
        """Stop a run: it saves, and does not go on by itself."""
        job = self._job_of(run["id"])
        if job is None:
            self._note(run["id"], state="stopped", ended=time.time())
        else:
            job.then = "stopped"
            self._pause(job)
        self.wake()

    def delete(self, run: int) -> None:
        """Remove a run and all its files, whatever it does."""
        job = self._job_of(run)
        if job is None:
            self.runs.delete(run)
        else:
            job.gone = True
            job.worker.kill()
            self.database.run("DELETE FROM runs WHERE id = ?", run)

    def pause_all(self) -> None:
        """Let all trainings save and wait."""
        for job in self._running.values():
            if job.item.kind == "run":
                self._pause(job)
        self.wake()

    def _job_of(self, run: int) -> Job | None:
        return next((j for j in self._running.values() if j.item[:2] == ("run", run)), None)

    def _pause(self, job: Job) -> None:
        if job.asked is None:
            job.asked = time.monotonic()
            job.worker.send({"pause": True})

    def _take_turns(self) -> None:
        """Pause as many trainings as others could start, those that have run longest first."""
        now = time.monotonic()
        asked = sum(job.asked is not None for job in self._running.values())
        needed = len(self._startable()) - asked if len(self._running) >= self.most else 0
        runs = sorted(
            (job.began, job.item)
            for job in self._running.values()
            if job.item.kind == "run" and job.asked is None and job.began is not None
        )
        for began, item in runs[: max(0, needed)]:
            if now - began >= self.slice_seconds:
                self._pause(self._running[item])

    def _end_silent_jobs(self) -> None:
        now = time.monotonic()
        for job in self._running.values():
            late = job.asked is not None and now - job.asked > SAVING
            if late or now - job.reported > SILENT:
                if job.asked is None:
                    job.error = {"message": STUCK.format(seconds=SILENT), "line": None}
                job.worker.kill()

    def _tell_positions(self) -> None:
        """Send the runs whose place in the queue has changed."""
        runs = [item.id for item in self.waiting() if item.kind == "run"]
        positions = {run: place for place, run in enumerate(runs, 1)}
        before, self._positions = self._positions, positions
        for run in positions:
            if positions[run] != before.get(run):
                self.tell(run)

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._watching.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Forget a task; a mistake of ours is shown in the terminal."""
        self._watching.discard(task)
        if not task.cancelled():
            task.result()
