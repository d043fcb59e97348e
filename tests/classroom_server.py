"""A classroom in a process of its own, and clients of it, for tests and nothing else."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

REWARD = """
def reward(before, action, after):
    \"\"\"Follow the ball.\"\"\"
    return after.hits - before.hits - abs(after.ball_y - after.paddle_y)
"""
SECONDS = 240.0
"""Limit of every wait; the machine may be busy."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], Any]) -> Any:
    """Ask again and again until something holds; return it."""
    end = time.monotonic() + SECONDS
    while not (found := holds()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return found


class Server:
    """A process of `python -m classroom`."""

    def __init__(self, data: Path, *options: str, log: Path | None = None) -> None:
        self.data, self._options = data, options
        self.log = log or data.with_suffix(".log")
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        """Start the process, and wait until it answers."""
        command = [sys.executable, "-m", "classroom", "--no-browser", "--data", str(self.data)]
        # Where SIGINT is ignored, as under `nohup`, the process would ignore it, too.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *self._options], stdout=log, stderr=log
            )
        signal.signal(signal.SIGINT, before)
        wait_until(self.answers)

    def answers(self) -> bool:
        """Return whether the process answers requests."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(self.address).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        """End the process as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(SECONDS)

    @property
    def printed(self) -> str:
        """What the process has printed."""
        return self.log.read_text(encoding="utf-8")

    @property
    def code(self) -> str:
        """The join code, as the terminal shows it."""
        return str(re.findall(r"Join code: +(\w+)", self.printed)[-1])

    def teacher(self) -> Client:
        """Return the teacher's browser, which has opened the link of the terminal."""
        client = Client(self.address)
        link = re.findall(r"Teacher: +\S+?(/teacher\S+)", self.printed)[-1]
        assert client.http.get(link).status_code == 303
        client.open("/teacher")
        return client

    def student(self, name: str) -> Client:
        """Return the browser of a student who has joined."""
        client = Client(self.address)
        client.open()
        assert client.post("/api/join", code=self.code, name=name).status_code == 200
        client.open()
        return client


@contextmanager
def running(data: Path, *options: str) -> Iterator[Server]:
    """Run a classroom, and end it."""
    server = Server(data, *options)
    try:
        yield server
    finally:
        server.end()


class Client:
    """A browser."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = httpx.Client(base_url=address, timeout=SECONDS, headers={"Origin": address})

    def open(self, path: str = "/") -> str:
        """Open a page, which gives the secret that requests with an effect repeat."""
        text = self.http.get(path).text
        found = re.search(r'name="csrf" content="([^"]+)"', text)
        assert found is not None, text[:300]
        self.http.headers["X-CSRF"] = found[1]
        return text

    def get(self, path: str) -> Any:
        """Return the JSON of an answer."""
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **content: Any) -> httpx.Response:
        """Send a request with an effect."""
        return self.http.post(path, json=content)

    def live(self, path: str = "/live", origin: str | None = None) -> ClientConnection:
        """Open a WebSocket."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        return connect(
            self.address.replace("http", "ws") + path,
            origin=Origin(origin or self.address),
            additional_headers={"Cookie": cookies},
        )

    def version(self, source: str = REWARD, game: str = "paddle") -> int:
        """Keep a version of a reward; return its id."""
        content = {"game": game, "options": {}, "name": "mine", "note": "", "source": source}
        return int(self.post("/api/versions", **content).json()["id"])

    def train(self, steps: int, seed: int = 1, version: int | None = None) -> int:
        """Begin a training; return its id."""
        number = self.version() if version is None else version
        answer = self.post("/api/runs", version=number, steps=steps, seed=seed)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def run(self, number: int) -> dict[str, Any]:
        """Return a training as the page sees it."""
        runs = {run["id"]: run for run in self.get("/api/state")["runs"]}
        found: dict[str, Any] = runs[number]
        return found

    def wait_for(self, number: int, *states: str) -> dict[str, Any]:
        """Wait until a training is in one of some states; return it."""
        found = wait_until(lambda: (r := self.run(number))["state"] in states and r)
        return dict(found)


def messages(socket: ClientConnection) -> Iterator[dict[str, Any]]:
    """Yield what a WebSocket receives."""
    while True:
        yield json.loads(socket.recv(timeout=SECONDS))
