"""A class of simulated students: real HTTP and WebSocket clients of a real server on the loopback.

Each student writes (a check every few seconds), trains again and again, and watches every film.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from agents.validation import at_least_one
from benchmarks.command import BenchmarkCommand
from benchmarks.report import number, show_table
from training.messages import say

PACKAGES = ("httpx", "websockets", "uvicorn", "starlette")
SOURCE = '''
def reward(before, action, after):
    """Return balls, and something for being close to the ball."""
    return hits(before, action, after) + {weight} * follow(before, action, after)


def hits(before, action, after):
    """Return 1 for a ball returned, -1 for a ball missed."""
    return after.hits - before.hits - after.missed


def follow(before, action, after):
    """Return minus the distance to the ball."""
    return -abs(after.ball_y - after.paddle_y)
'''
WRITING = 4.0
"""Mean seconds between two checks of a student."""
PLAYING = 4
"""Students who play by keyboard for some seconds at the end."""
PLAY_SECONDS = 5.0
START_SECONDS = 120.0
KEPT_SECONDS = 3.0
"""Seconds for which a connection is used again; the server closes it after 5 s."""
SAMPLE_SECONDS = 1.0
MEGABYTE = 2**20
GAME: dict[str, Any] = {"game": "paddle", "options": {}}


@dataclass(frozen=True)
class ClassroomCommand(BenchmarkCommand):
    """Let simulated students work in a classroom, and measure how long they wait."""

    students: int = 40
    """Number of students."""
    minutes: float = 2.0
    """Minutes for which they work."""
    steps: int = 100_000
    """Steps of each training."""
    jobs: int = 2
    """Trainings at a time."""

    def __post_init__(self) -> None:
        at_least_one(self, "students", "jobs")
        if not 0 < self.minutes <= 24 * 60:
            raise ValueError(f"--minutes must be more than 0 and at most 1440, got {self.minutes}")

    def check(self) -> None:
        """Raise ValueError if a package is missing."""
        for name in PACKAGES:
            if importlib.util.find_spec(name) is None:
                raise ValueError(f'{name} is missing; pip install -e ".[test]"')

    def run(self, console: Console) -> dict[str, Any]:
        """Let the class work, and print tables."""
        with tempfile.TemporaryDirectory(prefix="classroom-") as folder:
            found = asyncio.run(measured(self, Path(folder)))
        content = found.to_json()
        show_table(console, ("measure", "value"), [*content.items()])
        rows = [
            (str(turns), str(count), number(statistics.mean(waits)))
            for turns, count, waits in found.by_trainings()
        ]
        say(console, "Trainings that were done, and how long their students waited for the first:")
        show_table(console, ("trainings", "students", "mean wait (s)"), rows)
        return {"classroom": content | {"students": [vars(each) for each in found.students]}}


@dataclass
class Student:
    """What one student has seen."""

    checks: list[float] = field(default_factory=list)
    """Seconds of each check."""
    first_turn: float | None = None
    """Seconds from the first request to train until the training began."""
    first_film: float | None = None
    """Seconds from the first request to train until the first film was there."""
    films: list[float] = field(default_factory=list)
    """Seconds until each film was loaded."""
    frames: int = 0
    done: int = 0
    failed: int = 0
    refused: int = 0
    """Requests that were not answered with success."""


@dataclass
class Found:
    """What was measured."""

    students: list[Student]
    seconds: float
    played: list[float]
    """Frames per second of each game that was played by keyboard."""
    memory: list[tuple[float, float]]
    """Bytes of all processes, and of the server alone, each second."""

    def by_trainings(self) -> list[tuple[int, int, list[float]]]:
        """Return students with the same number of trainings: the number, how many, their waits."""
        groups: dict[int, list[float]] = {}
        for each in self.students:
            wait = self.seconds if each.first_turn is None else each.first_turn
            groups.setdefault(each.done, []).append(wait)
        return [(done, len(waits), waits) for done, waits in sorted(groups.items())]

    def to_json(self) -> dict[str, str]:
        """Return all measures, as the table shows them."""
        checks = sorted(seconds for each in self.students for seconds in each.checks)
        films = sorted(seconds for each in self.students for seconds in each.films)
        turns = [each.first_turn for each in self.students if each.first_turn is not None]
        seen = [each.first_film for each in self.students if each.first_film is not None]
        everything, alone = zip(*self.memory, strict=True)
        quarter = max(1, len(alone) // 4)
        growth = statistics.mean(alone[-quarter:]) - statistics.mean(alone[quarter : 2 * quarter])
        return {
            "checks": str(len(checks)),
            "check, median (s)": number(statistics.median(checks)),
            "check, 95th percentile (s)": number(checks[int(0.95 * len(checks))]),
            "check, longest (s)": number(checks[-1]),
            "students whose training began": str(len(turns)),
            "longest wait for a first training (s)": number(max(turns)),
            "longest wait for a first film (s)": number(max(seen)),
            "trainings done": str(sum(each.done for each in self.students)),
            "trainings failed": str(sum(each.failed for each in self.students)),
            "requests refused": str(sum(each.refused for each in self.students)),
            "films loaded": str(len(films)),
            "film, 95th percentile of loading (s)": number(films[int(0.95 * len(films))]),
            "frames of films": str(sum(each.frames for each in self.students)),
            "game played by keyboard, lowest frames/s": number(min(self.played)),
            "memory of all processes, maximum (MB)": number(max(everything) / MEGABYTE),
            "memory of the server, maximum (MB)": number(max(alone) / MEGABYTE),
            "growth of the server, second to last quarter (MB)": number(growth / MEGABYTE),
        }


async def measured(command: ClassroomCommand, folder: Path) -> Found:
    """Start a server, let students work, and return what was measured."""
    with running(folder, command.jobs) as (process, address, code):
        students = [Student() for _ in range(command.students)]
        memory: list[tuple[float, float]] = []
        sampling = asyncio.create_task(_sample(process.pid, memory))
        end = time.monotonic() + 60.0 * command.minutes
        async with asyncio.TaskGroup() as group:
            for number_, student in enumerate(students):
                group.create_task(_work(address, code, number_, student, command.steps, end))
        names = [f"player {k}" for k in range(PLAYING)]
        played = await asyncio.gather(*(_play(address, code, name) for name in names))
        sampling.cancel()
    return Found(students, 60.0 * command.minutes, played, memory)


@contextlib.contextmanager
def running(folder: Path, jobs: int) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run a server; yield its process, its address and the join code."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--class", "Benchmark", "--no-browser", "--jobs", str(jobs), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "classroom", "--data", str(folder / "data"), *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        code = None
        while code is None and (line := process.stdout.readline()):
            code = re.search(r"Join code: +(\w+)", line)
        if code is None:
            raise ValueError("the classroom did not start")
        yield process, f"http://127.0.0.1:{port}", code[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


@contextlib.asynccontextmanager
async def browser(address: str, code: str, name: str) -> AsyncIterator[Any]:
    """Yield the HTTP client of a student who has joined."""
    import httpx

    limits = httpx.Limits(keepalive_expiry=KEPT_SECONDS)
    async with httpx.AsyncClient(base_url=address, timeout=START_SECONDS, limits=limits) as client:
        page = (await client.get("/")).text
        found = re.search(r'name="csrf" content="([^"]+)"', page)
        assert found is not None, "every page has the secret"
        client.headers.update({"Origin": address, "X-CSRF": found[1]})
        await client.post("/api/join", json={"code": code, "name": name})
        yield client


def socket_of(client: Any, path: str) -> Any:
    """Return a WebSocket of a student."""
    from websockets.asyncio.client import connect

    address = str(client.base_url).rstrip("/")
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    url, headers = address.replace("http", "ws", 1) + path, {"Cookie": cookies}
    return connect(
        url, origin=client.headers["Origin"], additional_headers=headers, ping_interval=None
    )


async def _work(
    address: str, code: str, number_: int, student: Student, steps: int, end: float
) -> None:
    """Write, train and watch until the end."""
    chance = random.Random(number_)
    async with browser(address, code, f"student {number_}") as client:
        await asyncio.sleep(chance.uniform(0.0, WRITING))
        async with socket_of(client, "/live") as live:
            watching = asyncio.create_task(_watch(client, live, student, steps, chance))
            while time.monotonic() < end:
                began = time.monotonic()
                content = GAME | {"source": _source(chance)}
                answer = await client.post("/api/check", json=content)
                student.checks.append(time.monotonic() - began)
                student.refused += answer.status_code != 200 or not answer.json()["ok"]
                await asyncio.sleep(chance.expovariate(1 / WRITING))
            watching.cancel()


def _source(chance: random.Random) -> str:
    """Return a reward that nobody has checked before."""
    return SOURCE.format(weight=f"{chance.random():.6f}")


async def _watch(
    client: Any, live: Any, student: Student, steps: int, chance: random.Random
) -> None:
    """Train; watch all films; train again when the training is done."""
    asked = time.monotonic()
    await _train(client, student, steps, chance)
    async for text in live:
        message = json.loads(text)
        if message["type"] == "film":
            began = time.monotonic()
            path = f"/api/runs/{message['run']}/films/{message['step']}"
            answer = await client.get(path)
            student.films.append(time.monotonic() - began)
            student.frames += len(answer.json()["frames"])
            if student.first_film is None:
                student.first_film = time.monotonic() - asked
        elif message["type"] == "run":
            state = message["run"]["state"]
            if state == "running" and student.first_turn is None:
                student.first_turn = time.monotonic() - asked
            if state in ("done", "failed"):
                student.done += state == "done"
                student.failed += state == "failed"
                await _train(client, student, steps, chance)


async def _train(client: Any, student: Student, steps: int, chance: random.Random) -> None:
    content = GAME | {"name": "one of many", "note": "", "source": _source(chance)}
    version = (await client.post("/api/versions", json=content)).json()["id"]
    asked = {"version": version, "steps": steps, "seed": 1}
    answer = await client.post("/api/runs", json=asked)
    student.refused += answer.status_code != 200


async def _play(address: str, code: str, name: str) -> float:
    """Play by keyboard; return the frames per second that arrive."""
    async with browser(address, code, name) as client:
        frames, began = 0, 0.0
        while not frames or time.monotonic() - began < PLAY_SECONDS:
            async with socket_of(client, "/play?game=paddle") as game:
                await game.send(json.dumps({"keys": ["up"]}))
                async for _ in game:
                    began = began or time.monotonic()
                    frames += 1
                    if time.monotonic() - began >= PLAY_SECONDS:
                        break
        return frames / (time.monotonic() - began)


async def _sample(process: int, memory: list[tuple[float, float]]) -> None:
    """Note the memory of a process with all its children, and of it alone, each second."""
    while True:
        found = [_memory(each) for each in _family(process)]
        memory.append((sum(found), found[0]))
        await asyncio.sleep(SAMPLE_SECONDS)


def _family(process: int) -> list[int]:
    """Return a process and all that it has started, directly or not."""
    found = [process]
    for each in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _memory(process: int) -> float:
    """Return the bytes of a process; what it shares with n processes counts 1/n."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
        if found := re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE):
            return 1024.0 * int(found[1])
    return 0.0
