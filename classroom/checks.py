"""Checks of students' rewards, for the server: a few processes in the sandbox, and who is next.

The server passes a student's text on and never parses it; `classroom.checker` does. A process that
is slow or ends is replaced, and whatever comes out of it is checked before it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

import msgspec

from classroom import trusted as trusted_check
from classroom.answers import answer_of, own_texts
from classroom.processes import send_line, start_confined
from classroom.source import FILE, Source
from rewards.child_process import environment_for_child
from rewards.errors import line_in
from rewards.sandbox.reports import CONTROL

SECONDS = 5.0
"""Time for a check by the clock. `classroom.checker` stops a reward earlier, after 2 s, and says at
which line; this is for a process that does not answer at all."""
RESCORING = 20.0
"""Seconds for paying recorded episodes, with the imports for it."""
STARTING = 60.0
"""Seconds until a process has imported what it needs."""
MOST_CHECKS = 500
"""Checks by one process before it is replaced, so that nothing can pile up in it."""
LONGEST_REPLY = 2**20
"""Bytes."""
KEPT = 256
"""Answers that are kept for the same question."""
STDERR_KEPT = 65_536

Cell = str | int | float | None


class ProblemShown(TypedDict):
    """A problem; columns count UTF-16 units from 0."""

    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    severity: Literal["error", "warning"]


class Table(TypedDict):
    """A table; its cells are text or numbers."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]


class Answer(TypedDict):
    """The answer to a check."""

    ok: bool
    """Whether the reward can be used."""
    problems: list[ProblemShown]
    tables: list[Table]
    summary: str
    """Lines of text."""
    fields: list[str]
    """Fields of the states that the reward reads, such as `after.ball_y`."""


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """One line of a checker process; one of these is set."""

    ready: bool = False
    needs: Literal["", "recording"] = ""
    error: str = ""
    answer: Answer | None = None


@dataclass(eq=False)
class Job:
    """A question, and everyone who waits for its answer."""

    request: dict[str, Any]
    seconds: float
    callers: list[tuple[int | None, asyncio.Future[dict[str, Any]]]] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The same for the same question."""
        return json.dumps(self.request, sort_keys=True)

    def finish(self, answer: dict[str, Any] | ValueError) -> None:
        """Answer all callers."""
        for _, future in self.callers:
            if future.done():
                continue  # a caller that has gone away
            if isinstance(answer, ValueError):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def leave(self, student: int) -> None:
        """Answer a student whose newer question makes this one superfluous."""
        lang = self.request["lang"]
        replaced = answer_of([], lang, ok=False, summary=own_texts(lang)["replaced"])
        for number, future in self.callers:
            if number == student and not future.done():
                future.set_result(replaced)
        self.callers = [each for each in self.callers if each[0] != student]


class BrokenError(Exception):
    """A process has ended, or was ended; `line` is where it was in the student's code, or 1."""

    def __init__(self, line: int, key: str) -> None:
        super().__init__()
        self.line = line
        self.key = key


class CheckerProcess:
    """One process of `classroom.checker`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.checks = 0
        self._process = process
        self._stderr = b""
        self._reading = asyncio.create_task(self._read_stderr())

    @classmethod
    async def start(cls, hidden: Sequence[Path]) -> CheckerProcess:
        """Start a process that can write nothing, and cannot see `hidden` folders."""
        process = await start_confined(
            "classroom.checker", [], hidden, LONGEST_REPLY, stderr=subprocess.PIPE
        )
        return cls(process)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def ready(self) -> None:
        """Wait until the process has imported what it needs.

        Raises:
            BrokenError: if it does not start.
        """
        await self._receive(STARTING)

    async def ask(self, request: dict[str, Any], seconds: float) -> Reply:
        """Return the reply to a request.

        Raises:
            BrokenError: if the process does not reply in time, or ends. It cannot be used again.
        """
        self.checks += 1
        send_line(self._process, request)
        return await self._receive(seconds)

    async def end(self) -> None:
        """End the process."""
        if self.alive:
            # not `Process.kill`: it would take the exit code of an ended process from asyncio
            with contextlib.suppress(ProcessLookupError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
        await self._process.wait()
        await self._reading

    async def _receive(self, seconds: float) -> Reply:
        assert self._process.stdout is not None
        key = "crashed"
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
            return msgspec.json.decode(CONTROL.sub(b"", line), type=Reply)
        except TimeoutError:
            key = "stopped"
        except (ValueError, RecursionError):  # nothing, or something else than a reply
            pass
        await self.end()
        dump = self._stderr.decode("utf-8", "replace")
        place = line_in(dump, FILE)
        raise BrokenError(int(place.rpartition(":")[2] or 1), "stopped" if place else key)

    async def _read_stderr(self) -> None:
        """Keep the end of the standard error, a traceback if a limit has ended the process."""
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(STDERR_KEPT):
            self._stderr = (self._stderr + piece)[-STDERR_KEPT:]


class Checks:
    """Answers questions about rewards, with a few processes.

    Students take turns: a student has one waiting question, the newest one, and it waits at the
    place of the older one. The same question of several students is answered once.
    """

    def __init__(
        self, processes: int = 2, trusted: bool = False, hidden: Sequence[Path] = ()
    ) -> None:
        """Prepare to answer; `start` starts the processes.

        Args:
            processes: their number.
            trusted: whether students may use all of Python.
            hidden: folders that the processes cannot see, where the system can hide them.
        """
        self._count = processes
        self._trusted = trusted
        self._hidden = hidden
        self._waiting: deque[Job] = deque()
        self._running: dict[str, Job] = {}
        self._number = asyncio.Semaphore(0)  # of jobs that wait
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._recording = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._processes: list[CheckerProcess] = []

    async def start(self) -> None:
        """Start the processes; this does not wait for them."""
        self._tasks = [asyncio.create_task(self._serve()) for _ in range(self._count)]

    async def close(self) -> None:
        """End the processes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(process.end() for process in self._processes))

    async def check(
        self,
        source: str,
        game: str,
        options: dict[str, Any],
        lang: str = "en",
        student: int | None = None,
    ) -> dict[str, Any]:
        """Return an `Answer` about a student's code.

        Args:
            source: the text.
            game: name of a game.
            options: of the game.
            lang: of the messages.
            student: whose question this is. An older one of his that still waits is answered at
                once, as no longer needed.

        Raises:
            ValueError: if there is no such game or variant.
        """
        if self._trusted:
            return await asyncio.to_thread(trusted_check.check, source, game, options, lang)
        request = {"kind": "check", "source": source, "game": game, "options": options}
        return await self._ask(Job(request | {"lang": lang}, SECONDS), student)

    async def rescore(
        self,
        run_folder: Path,
        source: str,
        own: str,
        game: str,
        options: dict[str, Any],
        lang: str = "en",
        student: int | None = None,
    ) -> dict[str, Any]:
        """Return an `Answer` about what a reward pays in the recorded episodes of a run.

        `own` is the code that the run was trained on; the other arguments are those of `check`.

        Raises:
            ValueError: if the run has no recorded episodes.
        """
        request = {"kind": "rescore", "source": source, "game": game, "options": options}
        rest = {"folder": str(run_folder), "own": own, "lang": lang}
        return await self._ask(Job(request | rest, RESCORING), student)

    async def _ask(self, job: Job, student: int | None) -> dict[str, Any]:
        if job.key in self._answers:
            self._answers.move_to_end(job.key)
            return self._answers[job.key]
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        older = None
        if student is not None:
            older = next((each for each in self._waiting if _has(each, student)), None)
        same = next((each for each in self._waiting if each.key == job.key), None)
        job = same or self._running.get(job.key) or job
        job.callers.append((student, future))
        if older is not None and older is not job:
            older.leave(student)  # type: ignore[arg-type]
        if job.key not in self._running and job is not same:
            if older is not None and not older.callers:
                self._waiting[self._waiting.index(older)] = job
            else:
                self._waiting.append(job)
                self._number.release()
        return await future

    async def _serve(self) -> None:
        """Answer questions with one process, and with its successors."""
        process: CheckerProcess | None = None
        while True:
            if process is None:
                with contextlib.suppress(BrokenError):
                    process = await self._process()
            process = await self._answer(process, await self._next())

    async def _process(self) -> CheckerProcess:
        """Start a process.

        Raises:
            BrokenError: if that is not possible.
        """
        try:
            process = await CheckerProcess.start(self._hidden)
        except OSError:  # the system has no more processes or memory
            raise BrokenError(1, "crashed") from None
        self._processes = [each for each in self._processes if each.alive] + [process]
        await process.ready()
        return process

    async def _next(self) -> Job:
        while True:
            await self._number.acquire()
            job = self._waiting.popleft()
            if any(not future.done() for _, future in job.callers):
                return job

    async def _answer(self, process: CheckerProcess | None, job: Job) -> CheckerProcess | None:
        """Answer one question; return the process, or None if it is not to be used again."""
        self._running[job.key] = job
        answer: dict[str, Any] | ValueError
        try:
            process, reply = await self._reply(process, job)
            answer = dict(reply.answer) if reply.answer is not None else ValueError(reply.error)
            if isinstance(answer, dict):
                self._answers[job.key] = answer
                while len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
        except BrokenError as error:
            process, source = None, Source(job.request["source"])
            problem = source.problem_in_line(error.line, error.key)
            answer = answer_of([problem], job.request["lang"])
        finally:
            del self._running[job.key]
        job.finish(answer)
        if process is not None and process.checks >= MOST_CHECKS:
            await process.end()
            return None
        return process

    async def _reply(
        self, process: CheckerProcess | None, job: Job
    ) -> tuple[CheckerProcess, Reply]:
        """Return the reply to a question, and the process that gave it.

        A question at which a process ends, without having reached a limit, is asked once more: an
        earlier question may have broken the process.

        Raises:
            BrokenError: if there is none.
        """
        try:
            process = process or await self._process()
            reply = await process.ask(job.request, job.seconds)
        except BrokenError as error:
            if error.key == "stopped":
                raise
            process = await self._process()
            reply = await process.ask(job.request, job.seconds)
        if reply.needs:
            await self._record(job.request)
            reply = await process.ask(job.request, job.seconds)
        if reply.needs:
            raise BrokenError(1, "crashed")
        return process, reply

    async def _record(self, request: dict[str, Any]) -> None:
        """Record the games on which rewards are checked; a checker process cannot save them."""
        content = {"places": None, "env": request["game"], "options": request["options"]}
        async with self._recording:
            with contextlib.suppress(OSError):
                await _prepare(json.dumps(content).encode() + b"\n")


async def _prepare(request: bytes) -> None:
    """Record games in a process that is not in the sandbox, and runs no student's code."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "rewards.sandbox.prepare"),
        stdin=subprocess.PIPE,
        env=environment_for_child(),
    )
    await process.communicate(request)


def _has(job: Job, student: int) -> bool:
    return any(number == student for number, _ in job.callers)
