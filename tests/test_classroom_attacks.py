"""Hostile requests to a classroom: each gets a clear answer, and others are still served."""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import re
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import itsdangerous
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.classroom_server import REWARD, Client, Server, running

pytestmark = pytest.mark.server

CONTROL = "\x00\x07\x1b\n\r\t\u200b\u202e\u2066\ufeff\ud800"


class Room(NamedTuple):
    """A class with a victim who has a version and a training, and with an attacker."""

    server: Server
    victim: Client
    attacker: Client
    version: int
    """Of the victim."""
    run: int
    """Of the victim."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    data = tmp_path_factory.mktemp("attacked") / "data"
    with running(data, "--class", "7B", "--jobs", "1") as server:
        victim, attacker = server.student("Ada"), server.student("Mallory")
        version = victim.version()
        run = victim.post("/api/runs", version=version, steps=1_000, seed=1).json()["id"]
        yield Room(server, victim, attacker, version, run)


@pytest.fixture(autouse=True)
def others_are_served(room: Room) -> Iterator[None]:
    """After each attack, the server answers, and the victim's work is as before."""
    before = room.victim.get("/api/state")
    yield
    assert room.server.process.poll() is None
    after = room.victim.get("/api/state")
    for name in ("student", "versions", "league"):
        assert after[name] == before[name]
    assert [run["id"] for run in after["runs"]] == [room.run]
    # uvicorn shows one for a request that h11 cannot read, when the answer is refused
    printed = room.server.printed
    assert printed.count("Traceback") == printed.count("LocalProtocolError: can't handle")


def assert_refused(answer: httpx.Response, *statuses: int) -> None:
    """Check that an answer is one clear line."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:200])
    error = answer.json()["error"]
    assert error
    assert "\n" not in error


def raw(server: Server, content: bytes, end: bool = False) -> bytes:
    """Send bytes, and perhaps that nothing follows; return the answer."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(content)
        if end:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65_536):
                parts.append(part)
    return b"".join(parts)


# --- Paths and numbers in them


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/../../../../etc/passwd/points",
        "/api/runs/%2e%2e%2f%2e%2e%2fsecret/points",
        "/api/runs/1/films/..%2f..%2f..%2fclassroom.sqlite",
        "/api/runs/1/films/%2e%2e",
        "/api/runs/-1/points",
        "/api/runs/99999999999999999999999999/points",
        "/api/runs/1e3/points",
        "/api/runs/%EF%BC%91/points",
        "/api/runs/1%00/points",
        "/api/runs/1;drop%20table%20runs/points",
        "/api/versions/0/reward.py",
        "/api/grades/123456789012345",
        "/static/../classroom.sqlite",
        "/static/%2e%2e/app.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
        "/classroom.sqlite",
        "/" + "a" * 5_000,
    ],
)
def test_paths_lead_nowhere_else(room: Room, path: str) -> None:
    answer = raw(
        room.server,
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{room.server.port}\r\nConnection: close\r\n"
        f"Cookie: {_cookies(room.attacker)}\r\n\r\n".encode(),
    )
    assert re.match(rb"HTTP/1.1 40[0-9] ", answer), answer[:200]
    assert b"root:" not in answer
    assert b"import" not in answer


def _cookies(client: Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.http.cookies.items())


# --- Others' work


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/runs/{run}/points"),
        ("GET", "/api/runs/{run}/films/0"),
        ("GET", "/api/runs/{run}/run.zip"),
        ("GET", "/api/runs/{run}/film.gif"),
        ("POST", "/api/runs/{run}/stop"),
        ("POST", "/api/runs/{run}/continue"),
        ("POST", "/api/runs/{run}/rescore"),
        ("POST", "/api/runs/{run}/submit"),
        ("DELETE", "/api/runs/{run}"),
        ("GET", "/api/grades/{run}"),
        ("GET", "/api/versions/{version}/reward.py"),
        ("POST", "/api/versions/{version}"),
        ("DELETE", "/api/versions/{version}"),
        ("POST", "/api/exercises/no_such"),
    ],
)
def test_the_work_of_others_does_not_exist(room: Room, method: str, path: str) -> None:
    place = path.format(run=room.run, version=room.version)
    content = {"name": "mine", "note": "", "source": REWARD, "version": room.version}
    body = None if method == "GET" else content
    assert_refused(room.attacker.http.request(method, place, json=body), 404)


def test_nobody_trains_on_a_version_of_others(room: Room) -> None:
    answer = room.attacker.post("/api/runs", version=room.version, steps=1_000, seed=1)
    assert_refused(answer, 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/teacher"),
        ("GET", "/teacher?key="),
        ("GET", "/teacher?key=%00"),
        ("GET", "/teacher?key=%F0%9F%98%80"),
        ("GET", "/projector"),
        ("GET", "/handout"),
        ("GET", "/api/class"),
        ("GET", "/api/class/export.csv"),
        ("GET", "/api/class/export.zip"),
        ("GET", "/api/class/matrix?game=paddle"),
        ("POST", "/api/class/matrix"),
        ("POST", "/api/class/pause"),
        ("POST", "/api/class/limits"),
        ("POST", "/api/class/students/1/remove"),
        ("POST", "/api/class/students/1/show"),
        ("POST", "/api/leagues"),
        ("POST", "/api/leagues/end"),
    ],
)
def test_what_is_the_teachers_is_refused(room: Room, method: str, path: str) -> None:
    assert_refused(room.attacker.http.request(method, path, json=None), 403)


# --- Sessions


def test_forged_sessions_are_nobodys(room: Room) -> None:
    number = room.victim.get("/api/state")["student"]["id"]
    session = {"student": number, "key": "x", "teacher": "x", "csrf": "x"}
    content = base64.b64encode(json.dumps(session).encode())
    forged = [
        itsdangerous.TimestampSigner(key).sign(content).decode()
        for key in ("another secret", "", "classroom")
    ]
    unsigned = content.decode()
    signed = room.attacker.http.cookies["classroom"].rpartition(".")[2]
    with httpx.Client(base_url=room.server.address) as http:
        for cookie in (*forged, unsigned, f"{unsigned}.{signed}", "", "." * 100, "x" * 5_000):
            http.headers.update({"Cookie": f"classroom={cookie}", "X-CSRF": "x"})
            assert_refused(http.get("/api/state"), 401)
            assert_refused(http.get("/api/class"), 403)
            answer = http.post("/api/class/pause", headers={"Origin": room.server.address})
            assert_refused(answer, 403)
            http.cookies.clear()


def test_a_student_that_was_removed_is_out(room: Room) -> None:
    teacher, gone = room.server.teacher(), room.server.student("Gone")
    number = gone.get("/api/state")["student"]["id"]
    with gone.live() as page:
        assert teacher.post(f"/api/class/students/{number}/remove").status_code == 200
        assert_closed(page)
    assert_refused(gone.http.get("/api/state"), 401)
    assert_refused(gone.post("/api/check", game="paddle", source=REWARD), 401)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1.evil.example:8000"},
        {"X-CSRF": ""},
        {"X-CSRF": "guess"},
        {"X-CSRF": "\u00e9"},
    ],
    ids=str,
)
def test_requests_of_other_sites_are_refused(room: Room, headers: dict[str, str]) -> None:
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    for method, path in (("POST", "/api/leave"), ("DELETE", "/api/runs/1"), ("PUT", "/api/lang")):
        assert_refused(room.attacker.http.request(method, path, headers=sent), 403)
    assert room.attacker.get("/api/state")["student"]["name"] == "Mallory"


def test_the_secret_of_another_session_is_refused(room: Room) -> None:
    secret = room.victim.http.headers["X-CSRF"]
    assert_refused(room.attacker.http.post("/api/leave", headers={"X-CSRF": secret}), 403)


# --- Bodies

HOSTILE_BODIES = {
    "too large": b'{"source": "' + b"x" * 70_000 + b'"}',
    "deep list": b"[" * 60_000,
    "deep object": b'{"a":' * 10_000,
    "many digits": b'{"version": ' + b"1" * 50_000 + b"}",
    "not a number": b'{"version": NaN}',
    "infinity": b'{"version": Infinity}',
    "a list": b"[1]",
    "a text": b'"source"',
    "no JSON": b"<x/>",
    "two objects": b"{}{}",
    "broken UTF-8": b'{"name": "\xff\xfe"}',
    "a null byte": b'{"version": 1\x00}',
    "a form": b"version=1&steps=1000",
    "nothing": b"",
}


@pytest.mark.parametrize("path", ["/api/check", "/api/versions", "/api/runs"])
def test_bodies_that_are_no_request_are_refused(room: Room, path: str) -> None:
    client = room.server.student(f"Body {path}")
    kinds = itertools.cycle(("application/json", "text/html", "multipart/form-data; boundary=x"))
    for body, kind in zip(HOSTILE_BODIES.values(), kinds, strict=False):
        answer = client.http.post(path, content=body, headers={"Content-Type": kind})
        assert_refused(answer, 400, 413)


@pytest.mark.parametrize(
    "content",
    [
        {"game": "os:system"},
        {"game": "../paddle"},
        {"game": None},
        {"game": ["paddle"]},
        {"options": {"max_steps": 10**9}},
        {"options": {"task": "<script>"}},
        {"options": {"__class__": 1}},
        {"options": []},
        {"options": json.loads('{"a":' * 400 + "1" + "}" * 400)},
        {"source": 1},
        {"source": None},
        {"source": "x" * 20_001},
        {"source": "\ud800"},
    ],
    ids=lambda content: str(content)[:40],
)
def test_checks_of_something_else_are_refused(room: Room, content: dict[str, Any]) -> None:
    asked = {"game": "paddle", "options": {}, "source": REWARD} | content
    answer = room.attacker.http.post("/api/check", content=json.dumps(asked).encode())
    assert_refused(answer, 400, 413, 429)
    assert answer.status_code != 429, "the test itself asks too often"


@pytest.mark.parametrize(
    "content",
    [
        {"steps": -1},
        {"steps": 0},
        {"steps": 10**18},
        {"steps": 10**400},
        {"steps": 1.5},
        {"steps": True},
        {"steps": "1000"},
        {"steps": None},
        {"steps": float("nan")},
        {"seed": -1},
        {"seed": 2**64},
        {"seed": float("inf")},
        {"version": -1},
        {"version": 2**63},
        {"version": "1 OR 1=1"},
        {"version": {"id": 1}},
    ],
    ids=lambda content: str(content)[:40],
)
def test_numbers_outside_of_their_limits_are_refused(room: Room, content: dict[str, Any]) -> None:
    asked = json.dumps({"version": 1, "steps": 1_000, "seed": 1} | content).encode()
    assert_refused(room.attacker.http.post("/api/runs", content=asked), 400, 404)


# --- Names


@pytest.mark.parametrize("letter", CONTROL, ids=ascii)
def test_names_have_no_hidden_letters(room: Room, letter: str) -> None:
    client = Client(room.server.address)
    client.open()
    content = {"code": room.server.code, "name": f"A{letter}{ord(letter)}"}
    answer = client.http.post("/api/join", content=json.dumps(content).encode())
    if letter.isspace():
        assert answer.json()["name"] == f"A {ord(letter)}"
    else:
        assert_refused(answer, 400)


@pytest.mark.parametrize(
    "name", ["", " ", "\t", "x" * 41, None, 1, ["Ada"], {"a": 1}, "Ada", " Ada "]
)
def test_names_are_names_of_ones_own(room: Room, name: object) -> None:
    client = Client(room.server.address)
    client.open()
    assert_refused(client.post("/api/join", code=room.server.code, name=name), 400, 409)


def test_scripts_and_sql_in_texts_are_texts(room: Room) -> None:
    script, sql = "<script>alert(1)</script>", "'); DROP TABLE students; --"
    teacher = room.server.teacher()
    for name in (script, sql, '"><img src=x>', "{{ 7 * 7 }}", "=1+1", "../../../evil"):
        client = room.server.student(name)
        page = client.open()
        assert script not in page
        assert "<img src=x>" not in page
        assert client.get("/api/state")["student"]["name"] == name
        answer = client.post(
            *("/api/versions",), game="paddle", options={}, name=name, note=name, source=name
        )
        version = answer.json()["id"]
        assert client.post(f"/api/versions/{version}", name=sql, note=script).status_code == 200
        kept = client.get("/api/state")["versions"][0]
        assert (kept["name"], kept["note"], kept["source"]) == (sql, script, name)
        answer = client.post("/api/runs", version=version, steps=1_000, seed=1)
        assert_refused(answer, 422)
        download = client.http.get(f"/api/versions/{version}/reward.py")
        assert download.headers["Content-Disposition"] == 'attachment; filename="reward.py"'
        assert "html" not in download.headers["Content-Type"]
    pages = [teacher.open(path) for path in ("/teacher", "/projector", "/handout")]
    assert not any(script in page for page in pages)
    table = teacher.http.get("/api/class/export.csv")
    assert "\n=1+1" not in table.text
    archive = zipfile.ZipFile(io.BytesIO(teacher.http.get("/api/class/export.zip").content))
    for name in archive.namelist():
        assert ".." not in Path(name).parts
        assert not name.startswith("/")


def test_a_training_gets_the_bytes_that_were_checked(room: Room) -> None:
    source = f"# \ud55c\uad6d\uc5b4\r\n{REWARD}".replace("\n", "\r\n").replace("\r\r", "\r")
    student = room.server.student("Bytes")
    run = student.train(1_000, version=student.version(source))
    assert (room.server.data / "runs" / str(run) / "reward.py").read_bytes() == source.encode()
    assert student.http.delete(f"/api/runs/{run}").status_code == 200


# --- The protocol


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /api/check HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /api/check HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\nSet-Cookie: x\r\n\r\n",
    ],
    ids=lambda content: str(content[:40]),
)
def test_broken_requests_end_only_their_connection(room: Room, content: bytes) -> None:
    answer = raw(room.server, content, end=True)
    assert answer == b"" or re.match(rb"HTTP/1.1 4\d\d ", answer), answer[:100]


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "CONNECT", "PROPFIND"])
def test_unknown_methods_are_refused(room: Room, method: str) -> None:
    assert room.attacker.http.request(method, "/api/state").status_code in (403, 404, 405)


def test_headers_cannot_be_injected(room: Room) -> None:
    for path in (
        "/?lang=en%0d%0aX-Evil:%201",
        "/teacher?key=a%0d%0aX-Evil:%201",
        "/%0d%0aX-Evil:1",
    ):
        assert "X-Evil" not in room.attacker.http.get(path).headers
    page = room.attacker.http.get("/")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    cookies = Client(room.server.address).http.get("/").headers["Set-Cookie"].lower()
    assert "httponly" in cookies
    assert "samesite=strict" in cookies


def test_slow_clients_do_not_hold_up_others(room: Room) -> None:
    slow = [socket.create_connection(("127.0.0.1", room.server.port)) for _ in range(100)]
    for k, connection in enumerate(slow):
        connection.sendall(
            b"POST /api/check HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n"[: 10 + k]
        )
    began = time.monotonic()
    assert room.victim.http.get("/").status_code == 200
    assert time.monotonic() - began < 30
    for connection in slow:
        connection.close()


def test_a_body_that_never_ends_is_cut_off(room: Room) -> None:
    client = room.attacker
    head = {
        "Host": f"127.0.0.1:{room.server.port}",
        "Origin": room.server.address,
        "Cookie": _cookies(client),
        "X-CSRF": client.http.headers["X-CSRF"],
        "Content-Length": str(10**12),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    answer = raw(room.server, f"POST /api/check HTTP/1.1\r\n{lines}\r\n{'x' * 90_000}".encode())
    assert answer.startswith(b"HTTP/1.1 413 ")  # and the connection has ended


def test_too_many_checks_of_one_student_are_refused(room: Room) -> None:
    eager = room.server.student("Eager")
    answers = [
        eager.post("/api/check", game="paddle", source=f"{REWARD}# {k}\n") for k in range(40)
    ]
    assert answers[0].status_code == 200
    assert_refused(answers[-1], 429)


# --- WebSockets


def assert_closed(page: ClientConnection, messages: int = 10_000) -> None:
    """Check that the server ends a connection, after some messages at most."""
    with pytest.raises(ConnectionClosed):
        _receive(page, messages + 1)


def _receive(page: ClientConnection, count: int) -> None:
    for _ in range(count):
        page.recv(30)


def assert_not_served(client: Client, path: str, origin: str | None = None) -> None:
    """Check that a WebSocket is refused, or closed without a message."""
    with contextlib.suppress(InvalidStatus), client.live(path, origin) as page:
        assert_closed(page, messages=0)


@pytest.mark.parametrize("path", ["/live", "/play?game=paddle"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1"])
def test_pages_of_other_sites_get_no_news(room: Room, path: str, origin: str) -> None:
    assert_not_served(room.attacker, path, origin)


@pytest.mark.parametrize("path", ["/live", "/play?game=paddle"])
def test_pages_of_nobody_get_no_news(room: Room, path: str) -> None:
    assert_not_served(Client(room.server.address), path)


@pytest.mark.parametrize("path", ["/live", "/play?game=paddle"])
@pytest.mark.parametrize("kind", ["flood", "large", "binary", "deep"])
def test_pages_that_send_too_much_are_disconnected(room: Room, path: str, kind: str) -> None:
    flood = ['{"keys": []}'] * 300
    sent: dict[str, list[Any]] = {"flood": flood, "large": ["x" * 100_000], "deep": ["[" * 4_000]}
    with room.attacker.live(path) as page:
        try:
            for message in sent.get(kind, [b"\x00"] * 100):
                page.send(message)
        except ConnectionClosed:
            return
        assert_closed(page)


def test_one_student_cannot_take_all_places(room: Room) -> None:
    greedy = room.server.student("Greedy")
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(greedy.live()) for _ in range(9)]
        assert_closed(pages[-1])
        for _ in range(12):
            stack.enter_context(greedy.live("/play?game=paddle"))
        page = stack.enter_context(room.victim.live("/play?game=paddle"))
        assert "frame" in json.loads(page.recv(60))


@pytest.mark.parametrize(
    "query", ["", "?game=tennis", "?game=paddle&options=[", "?game=paddle&options=" + 900 * "["]
)
def test_games_that_do_not_exist_are_not_played(room: Room, query: str) -> None:
    assert_not_served(room.attacker, f"/play{query}")


# --- Last, as nobody can join from here for a while


def test_codes_cannot_be_tried_out(room: Room) -> None:
    guesser = Client(room.server.address)
    guesser.open()
    answers = [guesser.post("/api/join", code=f"AAAAA{k}", name="X") for k in range(12)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429] * 2
    for answer in answers:
        assert_refused(answer, 403, 429)


def test_a_check_is_still_answered(room: Room) -> None:
    answer = room.victim.post("/api/check", game="paddle", options={}, source=REWARD)
    assert answer.json()["ok"], answer.text
