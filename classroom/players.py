"""People who play by keyboard or touch: their games run in one process, `classroom.player`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
import sys
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from classroom.jobs import LONGEST_LINE
from classroom.processes import start

MOST = 12
"""Games played at a time, at most; each takes some percent of a core."""
IDLE = 60.0
"""Seconds after which the process ends if nobody plays."""
PAUSE = 1 / 60
"""Seconds between two messages of a page, at least: a page that sends more has to wait."""
LONGEST = 200
KEYS = 4


class Players:
    """The process and the games in it. It is started when someone plays."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._frames: dict[int, asyncio.Queue[dict[str, Any] | None]] = {}
        self._games: dict[int, int] = {}
        """Number of the game of each student."""
        self._numbers = itertools.count(1)
        self._reader: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def serve(
        self, socket: WebSocket, student: int, game: str, options: dict[str, Any], full: str
    ) -> None:
        """Let a student play one game; an earlier one ends. If too many play, send `full`."""
        await socket.accept()
        if student in self._games:
            self._stop(self._games[student])
        if len(self._frames) >= MOST:
            await socket.send_json({"error": full})
            await socket.close()
            return
        number, frames = next(self._numbers), asyncio.Queue[dict[str, Any] | None](2)
        self._frames[number], self._games[student] = frames, number
        await self._started()
        seed = secrets.randbits(32)
        self._send({"open": number, "game": game, "options": options, "seed": seed})
        reader = asyncio.create_task(self._read(socket, number))
        try:
            while (frame := await frames.get()) is not None:
                await socket.send_json(frame)
                if frame["over"]:
                    break
            await socket.close()
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass
        finally:
            reader.cancel()
            self._send({"close": number})
            del self._frames[number]
            if self._games.get(student) == number:
                del self._games[student]
            self._end_if_idle()

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    async def _started(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._process is not None and self._process.returncode is None:
            return
        command = [sys.executable, "-P", "-m", "classroom.player"]
        self._process = await start(command, LONGEST_LINE)
        self._reader = asyncio.create_task(self._receive(self._process))

    def _end_if_idle(self) -> None:
        if not self._frames:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(IDLE, lambda: loop.create_task(self._close_if_idle()))

    async def _close_if_idle(self) -> None:
        if not self._frames:
            await self.close()

    def _send(self, content: dict[str, Any]) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.write(json.dumps(content).encode() + b"\n")

    async def _receive(self, process: asyncio.subprocess.Process) -> None:
        """Pass on frames; a page that is too slow for one gets the next one."""
        assert process.stdout is not None
        while line := await process.stdout.readline():
            frame = json.loads(line)
            frames = self._frames.get(frame.pop("of"))
            if frames is not None and (frame["over"] or not frames.full()):
                if frames.full():
                    frames.get_nowait()
                frames.put_nowait(frame)
        for number in self._frames:
            self._stop(number)

    def _stop(self, number: int) -> None:
        """End a game."""
        if (frames := self._frames.get(number)) is not None:
            while not frames.empty():
                frames.get_nowait()
            frames.put_nowait(None)

    async def _read(self, socket: WebSocket, number: int) -> None:
        """Take the keys that a page sends; end the game if it sends anything else."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, ValueError, KeyError):
            while True:
                text = await socket.receive_text()
                content = json.loads(text) if len(text) <= LONGEST else None
                keys = content.get("keys") if isinstance(content, dict) else None
                if not isinstance(keys, list) or len(keys) > KEYS:
                    break
                self._send({"of": number, "keys": [str(key) for key in keys]})
                await asyncio.sleep(PAUSE)
        self._stop(number)
