"""The hub that sends news to the open pages."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

WAITING = 256
"""Messages that may wait for a page. One that does not read is disconnected, and comes back."""
PAGES = 8
"""Pages that one student may have open."""
LONGEST = 1_000
MOST = 50
"""Characters of a message from a page, and messages in ten seconds; pages need not send any."""
SECONDS = 10.0
PAUSE = 1.0
"""Seconds between two notes to teachers that the class has changed."""


class Page:
    """An open page."""

    def __init__(self, student: int | None, teacher: bool) -> None:
        self.student = student
        self.teacher = teacher
        self.messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(WAITING)

    def put(self, message: dict[str, Any] | None) -> None:
        """Send a message; None closes the page's connection, and so does a full queue."""
        if self.messages.full():
            while not self.messages.empty():
                self.messages.get_nowait()
            message = None
        self.messages.put_nowait(message)


class Hub:
    """All open pages."""

    def __init__(self) -> None:
        self._pages: set[Page] = set()
        self._told = False

    def send(self, student: int, message: dict[str, Any]) -> None:
        """Send a message to a student's pages."""
        for page in self._pages:
            if page.student == student:
                page.put(message)

    def send_all(self, message: dict[str, Any]) -> None:
        """Send a message to all pages."""
        for page in self._pages:
            page.put(message)

    def class_changed(self) -> None:
        """Tell the teachers' pages, soon, that the state of the class has changed."""
        if not self._told:
            self._told = True
            asyncio.get_running_loop().call_later(PAUSE, self._tell)

    def _tell(self) -> None:
        self._told = False
        for page in self._pages:
            if page.teacher:
                page.put({"type": "class"})

    def disconnect(self, student: int) -> None:
        """Close the pages of a student."""
        for page in self._pages:
            if page.student == student:
                page.put(None)

    def here(self) -> set[int | None]:
        """Return the students that have a page open."""
        return {page.student for page in self._pages}

    async def serve(self, socket: WebSocket, student: int | None, teacher: bool) -> None:
        """Send news to a page until it is closed, or sends more than it should."""
        counts = Counter(page.student for page in self._pages)
        await socket.accept()
        if student is not None and counts[student] >= PAGES:
            await socket.close(1008, "too many pages")
            return
        page = Page(student, teacher)
        self._pages.add(page)
        self.class_changed()
        reader = asyncio.create_task(self._read(socket, page))
        try:
            while (message := await page.messages.get()) is not None:
                await socket.send_json(message)
            await socket.close(1013)
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass
        finally:
            self._pages.discard(page)
            reader.cancel()
            self.class_changed()

    async def _read(self, socket: WebSocket, page: Page) -> None:
        """Ignore what a page sends, and disconnect it if it sends too much."""
        loop = asyncio.get_running_loop()
        began, count = loop.time(), 0
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, KeyError):
            while True:
                text = await socket.receive_text()
                if loop.time() - began > SECONDS:
                    began, count = loop.time(), 0
                count += 1
                if count > MOST or len(text) > LONGEST:
                    break
        page.put(None)
