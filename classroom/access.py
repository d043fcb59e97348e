"""Who may do what: sessions, protection against other sites, limits of requests, and errors.

A session is a signed cookie. It says which student a browser belongs to and whether it is the
teacher's. It also holds a secret that every request with an effect must repeat in a header, which
other sites cannot read.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections import defaultdict, deque
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classroom.texts import FOLDER
from rewards.texts import LANGUAGES, load_texts

MOST_BYTES = 64 * 1024
"""Maximum size of the body of a request."""
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another
CODE_LENGTH = 6
SAFE = ("GET", "HEAD")
MOST_KEYS = 10_000
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""What pages may load: nothing but what this server sends."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class RefusedError(Exception):
    """A request that is not served. The key is one of the texts `errors`."""

    def __init__(self, status: int, key: str, **words: object) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.words = words


def new_code() -> str:
    """Return a new join code."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def same(one: str, other: str) -> bool:
    """Compare secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def language(connection: HTTPConnection, default: str) -> str:
    """Return the language of a session, in which errors are answered, too."""
    chosen = connection.session.get("lang", default)
    return chosen if chosen in LANGUAGES else default


def texts(lang: str) -> dict[str, Any]:
    """Return all texts of a language."""
    return load_texts(FOLDER, lang)


def csrf_of(connection: HTTPConnection) -> str:
    """Return the secret of a session that requests with an effect repeat."""
    if "csrf" not in connection.session:
        connection.session["csrf"] = secrets.token_urlsafe(24)
    return str(connection.session["csrf"])


def has_own_origin(headers: Headers) -> bool:
    """Return whether a request comes from a page of this server."""
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc == headers.get("host")


class Guard:
    """ASGI middleware: refuses what another site could have sent, and adds headers to answers."""

    def __init__(self, app: ASGIApp, default_lang: str) -> None:
        self._app = app
        self._default_lang = default_lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse a request or a WebSocket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        scope["state"]["nonce"] = nonce = secrets.token_urlsafe(16)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                static = scope["path"].startswith("/static/")
                headers.setdefault("Cache-Control", "no-cache" if static else "no-store")
                headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if scope["type"] == "websocket":
            if not has_own_origin(connection.headers):
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": "wrong origin"})
                return
        elif scope["method"] not in SAFE and (key := self._problem(connection)):
            text = texts(language(connection, self._default_lang))["errors"][key]
            await JSONResponse({"error": text}, 403)(scope, receive, answer)
            return
        await self._app(scope, receive, answer)

    @staticmethod
    def _problem(connection: HTTPConnection) -> str:
        """Return why a request with an effect is refused, or ""."""
        if not has_own_origin(connection.headers):
            return "origin"
        expected = connection.session.get("csrf", "")
        given = connection.headers.get("x-csrf", "")
        return "" if expected and same(expected, given) else "csrf"


class Rates:
    """Limits how often something happens."""

    def __init__(self) -> None:
        self._times: defaultdict[tuple[str, object], deque[float]] = defaultdict(deque)

    def is_full(self, what: str, key: object, most: int, seconds: float) -> bool:
        """Return whether something has happened `most` times within some seconds."""
        times, now = self._times[what, key], time.monotonic()
        while times and now - times[0] > seconds:
            times.popleft()
        return len(times) >= most

    def count(self, what: str, key: object) -> None:
        """Note that something happens now."""
        if len(self._times) > MOST_KEYS:  # addresses of an attacker; all begin again
            self._times.clear()
        self._times[what, key].append(time.monotonic())

    def limit(self, what: str, key: object, most: int, seconds: float) -> None:
        """Note that something happens now.

        Raises:
            RefusedError: if it has happened too often.
        """
        if self.is_full(what, key, most, seconds):
            raise RefusedError(429, "too_often")
        self.count(what, key)


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body of a request.

    Raises:
        RefusedError: if it is too large, or none.
    """
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            raise RefusedError(413, "too_large", most=MOST_BYTES // 1024)
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RefusedError(400, "json")
    return found


def text_in(content: dict[str, Any], name: str, most: int, least: int = 0) -> str:
    """Return a text of a request's body.

    Raises:
        RefusedError: if it is none, or has another length.
    """
    value = content.get(name, "" if least == 0 else None)
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise RefusedError(400, "text", name=name, least=least, most=most)
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise RefusedError(400, "text", name=name, least=least, most=most)
    return value


def line_in(content: dict[str, Any], name: str, most: int, least: int = 0) -> str:
    """Return a text of one line, without spaces around it and invisible letters in it.

    Raises:
        RefusedError: if it is none, or has another length.
    """
    value = " ".join(text_in(content, name, 10 * most).split())
    if not least <= len(value) <= most or not value.isprintable():
        raise RefusedError(400, "text", name=name, least=least, most=most)
    return value


def number_in(content: dict[str, Any], name: str, least: int, most: int, default: int) -> int:
    """Return a whole number of a request's body.

    Raises:
        RefusedError: if it is none, or outside of its limits.
    """
    value = content.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise RefusedError(400, "number", name=name, least=f"{least:,}", most=f"{most:,}")
    return value
