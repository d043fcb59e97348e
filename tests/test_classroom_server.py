"""The classroom's server: a real process on the loopback, with real clients."""

from __future__ import annotations

import asyncio
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import itsdangerous
import pytest
from safetensors.numpy import load_file
from websockets.exceptions import ConnectionClosed, InvalidStatus

from classroom.database import Database
from classroom.jobs import Queue
from classroom.league import ranks
from classroom.live import Hub
from classroom.runs import Runs, run_folder
from tests.classroom_server import (
    REWARD,
    SECONDS,
    Client,
    Server,
    messages,
    running,
    wait_until,
)

pytestmark = pytest.mark.server

SHORT = 20_000
"""Steps of a training of half a second."""
LONG = 2_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a class, shared by tests with students of their own."""
    with running(
        tmp_path_factory.mktemp("class") / "data", "--class", "7B", "--jobs", "2"
    ) as found:
        yield found


@pytest.fixture(scope="module")
def ada(server: Server) -> tuple[Client, int, int]:
    """Return a student with a version and a training of it that is done."""
    student = server.student("Ada")
    version = student.version()
    run = student.train(SHORT, version=version)
    student.wait_for(run, "done")
    return student, version, run


def tensors(server: Server, run: int) -> dict[str, bytes]:
    """Return everything that a run has learned and will continue from."""
    folder = run_folder(server.data / "runs" / str(run))
    assert folder is not None
    return {
        name: array.tobytes()
        for name, array in load_file(folder / "checkpoint.safetensors").items()
    }


def test_a_training_sends_films_curves_and_its_result(server: Server) -> None:
    student = server.student("Abe")
    with student.live() as socket:
        run = student.train(SHORT)
        kinds = set()
        for message in messages(socket):
            kinds.add(message["type"])
            if message["type"] == "run" and message["run"]["state"] == "done":
                break
    assert kinds >= {"run", "points", "film"}
    found = message["run"]
    assert found["id"] == run
    assert found["low"] <= found["score"] <= found["high"]
    steps = [film["step"] for film in found["films"]]
    assert steps[0] == 0  # of the policy that has not learned anything
    assert steps[-1] == found["step"] >= SHORT
    film = student.get(f"/api/runs/{run}/films/{steps[-1]}")
    assert 0 < len(film["frames"]) <= 300
    points = student.get(f"/api/runs/{run}/points")
    assert points["eval/mean_score"]["steps"][-1] == found["step"]
    archive = zipfile.ZipFile(io.BytesIO(student.http.get(f"/api/runs/{run}/run.zip").content))
    names = [Path(name).name for name in archive.namelist()]
    assert {"reward.py", "config.json", "best.safetensors", "evaluation.json"} <= set(names)
    assert student.http.get(f"/api/runs/{run}/film.gif").content[:6] == b"GIF89a"


def test_a_paused_training_gives_the_same_agent_bit_for_bit(server: Server) -> None:
    student = server.student("Bo")
    version = student.version()
    with student.live() as socket:
        paused = student.train(3 * SHORT, seed=7, version=version)
        next(m for m in messages(socket) if m["type"] == "points")
        assert student.post(f"/api/runs/{paused}/stop").status_code == 200
    assert 0 < student.wait_for(paused, "stopped")["step"] < 3 * SHORT
    assert student.post(f"/api/runs/{paused}/continue").status_code == 200
    student.wait_for(paused, "done")
    whole = student.train(3 * SHORT, seed=7, version=version)
    student.wait_for(whole, "done")
    assert tensors(server, paused) == tensors(server, whole)
    curves = [student.get(f"/api/runs/{run}/points") for run in (paused, whole)]
    assert curves[0]["eval/mean_score"] == curves[1]["eval/mean_score"]


def test_a_killed_server_loses_no_training_and_no_submission(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--class", "Restart", "--jobs", "2") as server:
        teacher = server.teacher()
        league = {"title": "Friday", "game": "paddle", "options": {}}
        assert teacher.post("/api/leagues", **league).status_code == 200
        students = [server.student(name) for name in ("Kim", "Lee", "Park")]
        first = students[0].train(SHORT)
        students[0].wait_for(first, "done")
        runs = [student.train(3 * SHORT) for student in students]
        wait_until(lambda: len(students[0].run(runs[0])["films"]) > 1)
        assert students[0].post(f"/api/runs/{first}/submit").status_code == 200
        server.kill()
        server.start()
        for student, run in zip(students, runs, strict=True):
            assert student.wait_for(run, "done", "failed")["state"] == "done"
        rows = wait_until(lambda: students[1].get("/api/league")["rows"])
        assert [row["name"] for row in rows] == ["Kim"]
        # one was interrupted, one had not begun, and all are of one reward and seed
        assert tensors(server, runs[0]) == tensors(server, runs[2])


class Recorder(Hub):
    """A hub that notes when trainings begin and end."""

    def __init__(self) -> None:
        super().__init__()
        self.running: dict[int, int] = {}
        self.begun: list[int] = []
        """Students, in the order of their turns."""
        self.done: set[int] = set()
        self.most_of_one = 0
        """Trainings of one student that ran at a time."""

    def send(self, student: int, message: dict[str, Any]) -> None:
        """Note the state of a run."""
        if message["type"] != "run":
            return
        run, state = message["run"]["id"], message["run"]["state"]
        if state == "running" and run not in self.running:
            self.running[run] = student
            self.begun.append(student)
        elif state != "running":
            self.running.pop(run, None)
        if state == "done":
            self.done.add(run)
        students = list(self.running.values())
        self.most_of_one = max(self.most_of_one, *map(students.count, students), 0)

    def class_changed(self) -> None:
        """Tell nobody."""


def take_turns(
    folder: Path, steps: dict[str, list[int]], most: int, until: Callable[[Recorder], bool]
) -> tuple[Recorder, list[int]]:
    """Let a queue work on trainings of some students; return what happened, and the students."""
    database, hub = Database(folder / "classroom.sqlite"), Recorder()
    runs = Runs(database, folder)
    queue = Queue(database, runs, hub, most=most, each=1, slice_seconds=0.3)
    students = []
    for name, lengths in steps.items():
        student = database.insert("students", name=name, key="", created=0.0, seen=0.0)
        values = {"game": "paddle", "options": "{}", "name": "", "note": "", "source": REWARD}
        number = database.insert("versions", student=student, created=0.0, **values)
        version = database.one("SELECT * FROM versions WHERE id = ?", number)
        assert version is not None
        for length in lengths:
            runs.create(student, version, length, 1)
        students.append(student)

    async def work() -> None:
        await queue.start()
        try:
            async with asyncio.timeout(SECONDS):
                while not until(hub):
                    await asyncio.sleep(0.05)
        finally:
            await queue.close()
            database.close()

    asyncio.run(work())
    return hub, students


def test_a_student_has_one_running_training(tmp_path: Path) -> None:
    steps = {"busy": [SHORT] * 2, "late": [SHORT]}
    hub, (busy, late) = take_turns(tmp_path, steps, 2, lambda hub: len(hub.done) == 3)
    assert hub.begun == [busy, late, busy]
    assert hub.most_of_one == 1


def test_a_long_training_makes_way_for_others_and_goes_on(tmp_path: Path) -> None:
    steps = {"long": [LONG], "short": [SHORT]}
    hub, (long, short) = take_turns(tmp_path, steps, 1, lambda hub: len(hub.begun) == 3)
    assert hub.begun == [long, short, long]


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], []),
        ([(1, 2), (1.5, 3), (5, 6)], [2, 2, 1]),
        ([(0, 10), (1, 2), (3, 4)], [1, 2, 1]),  # the widest shares the first rank with the third
        ([(1, 2), (2, 3)], [1, 1]),  # they touch
        ([(1, 2), (3, 4), (5, 6), (5, 6)], [4, 3, 1, 1]),
    ],
)
def test_overlapping_intervals_share_a_rank(
    intervals: list[tuple[float, float]], expected: list[int]
) -> None:
    assert ranks(intervals) == expected


def test_the_league_judges_on_seeds_that_nobody_gets(
    server: Server, ada: tuple[Client, int, int]
) -> None:
    teacher, (student, _, run) = server.teacher(), ada
    assert student.post(f"/api/runs/{run}/submit").status_code == 409  # there is no league
    content = {"title": "One", "game": "paddle", "options": {}}
    assert student.post("/api/leagues", **content).status_code == 403
    assert teacher.post("/api/leagues", **content).status_code == 200
    assert student.post(f"/api/runs/{run}/submit").status_code == 200
    table = wait_until(lambda: (t := student.get("/api/league"))["rows"] and t)
    (row,) = table["rows"]
    assert (row["rank"], row["name"], row["me"], row["history"]) == (1, "Ada", True, [1])
    assert row["low"] <= row["score"] <= row["high"]
    database = Database(server.data / "private" / "classroom.sqlite")
    league = database.one("SELECT seed FROM leagues")
    database.close()
    assert league is not None
    texts = [student.http.get(path).text for path in ("/api/league", "/api/state")]
    assert not any(str(league["seed"]) in text for text in texts)
    assert teacher.post("/api/leagues/end").status_code == 200
    assert student.post(f"/api/runs/{run}/submit").status_code == 409


def test_nobody_gets_at_the_work_of_others(server: Server, ada: tuple[Client, int, int]) -> None:
    other, (owner, version, run) = server.student("Eve"), ada
    assert other.get("/api/state")["runs"] == []
    for path in (
        *(f"/api/runs/{run}/points", f"/api/runs/{run}/films/0", f"/api/runs/{run}/run.zip"),
        *(f"/api/runs/{run}/film.gif", f"/api/grades/{run}"),
        f"/api/versions/{version}/reward.py",
    ):
        assert other.http.get(path).status_code == 404, path
    for path in ("stop", "continue", "submit", "rescore"):
        assert other.post(f"/api/runs/{run}/{path}", source=REWARD).status_code == 404, path
    assert other.post("/api/runs", version=version, steps=SHORT, seed=1).status_code == 404
    assert other.post(f"/api/versions/{version}", name="x", note="").status_code == 404
    for path in (f"/api/runs/{run}", f"/api/versions/{version}"):
        assert other.http.delete(path).status_code == 404
    for path in ("/api/class", "/api/class/export.csv", "/api/class/export.zip", "/teacher"):
        assert other.http.get(path).status_code == 403, path
    for path in ("pause", "limits", "matrix", "students/1/remove", "students/1/show"):
        assert other.post(f"/api/class/{path}").status_code == 403, path
    teacher, shown = server.teacher(), owner.get("/api/state")["student"]["id"]
    assert teacher.post(f"/api/class/students/{shown}/show", shown=True).status_code == 200
    assert other.http.get(f"/api/versions/{version}/reward.py").text == REWARD
    assert other.http.get(f"/api/runs/{run}/films/0").status_code == 200
    assert other.post(f"/api/runs/{run}/stop").status_code == 404
    assert owner.run(run)["state"] == "done"


def test_every_reward_pays_every_agent(server: Server, ada: tuple[Client, int, int]) -> None:
    teacher, student = server.teacher(), server.student("Mo")
    alive = "def reward(before, action, after):\n    return 1.0\n"
    mine = student.train(SHORT, version=student.version(alive))
    student.wait_for(mine, "done")
    content = {"game": "paddle", "options": {}}
    assert teacher.post("/api/class/matrix", **content).status_code == 200
    path = "/api/class/matrix?game=paddle"
    found = wait_until(lambda: (m := teacher.get(path))["state"] in ("done", "failed") and m)
    assert found["rewards"] == found["agents"]
    place = {name: k for k, name in enumerate(found["agents"])}
    for name, run in (("Ada", ada[2]), ("Mo", mine)):
        folder = run_folder(server.data / "runs" / str(run))
        assert folder is not None
        played = json.loads((folder / "evaluation.json").read_text())
        paid = [row[place[name]] for row in found["values"]]
        assert paid[place["Mo"]] == pytest.approx(played["mean_length"])
        assert paid[place[name]] == pytest.approx(played["mean_return"])


def test_requests_of_other_sites_and_forged_sessions_are_refused(server: Server) -> None:
    student = server.student("Fay")
    content = {"game": "paddle", "options": {}, "name": "", "note": "", "source": REWARD}
    token = student.http.headers["X-CSRF"]
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{server.port}"},
        {"X-CSRF": ""},
        {"X-CSRF": f"{token}x"},
    ):
        answer = student.http.post("/api/versions", json=content, headers=headers)
        assert answer.status_code == 403, headers
        assert set(answer.json()) == {"error"}
    del student.http.headers["Origin"]
    assert student.post("/api/versions", **content).status_code == 403
    assert student.get("/api/state")["versions"] == []
    forged = Client(server.address)
    cookie = itsdangerous.TimestampSigner("guessed").sign(b"eyJzdHVkZW50IjogMX0=").decode()
    forged.http.cookies.set("classroom", cookie)
    assert forged.http.get("/api/state").status_code == 401
    for path, origin in (("/live", "http://evil.example"), ("/play?game=paddle", "null")):
        with pytest.raises((InvalidStatus, ConnectionClosed)), student.live(path, origin) as socket:
            socket.recv(timeout=30)
    with pytest.raises((InvalidStatus, ConnectionClosed)), forged.live() as socket:
        socket.recv(timeout=30)
    secret = server.data / "private" / "secret"
    assert secret.stat().st_mode & 0o077 == 0


def test_bad_requests_get_one_line(server: Server) -> None:
    student = server.student("Gil")
    version = student.version()
    with student.http.stream("POST", "/api/versions", content=iter([b"x" * 50_000] * 9)) as answer:
        assert answer.status_code == 413
    for path, content, status in (
        ("/api/versions", b"[1]", 400),
        ("/api/versions", b"{" * 60_000, 400),
        ("/api/runs", json.dumps({"version": version, "steps": 1e9, "seed": 1}).encode(), 400),
        ("/api/runs", json.dumps({"version": 2**80, "steps": SHORT}).encode(), 400),
        ("/api/check", b'{"game": "chess", "source": ""}', 400),
        ("/api/check", b'{"game": "paddle", "options": {"max_steps": 1e9}, "source": ""}', 400),
        ("/api/runs/999999999999999999999/stop", b"{}", 404),
        ("/api/lang", b'{"lang": "xx"}', 400),
    ):
        answer = student.http.post(path, content=content)
        assert answer.status_code == status, (path, answer.text)
        assert "\n" not in answer.json()["error"]
    assert student.http.get("/static/../app.py").status_code == 404
    assert student.http.get("/static/%2e%2e/app.py").status_code == 404


def test_wrong_codes_are_limited_and_names_are_unique(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--class", "Codes", "--jobs", "1", "--lang", "ko") as server:
        teacher = server.teacher()
        student = server.student("하나")
        taken = Client(server.address)
        taken.open()
        assert taken.post("/api/join", code=server.code, name=" 하나 ").status_code == 409
        (found,) = teacher.get("/api/class")["students"]
        assert (found["name"], found["runs"], found["shown"]) == ("하나", 0, False)
        path = f"/api/class/students/{found['id']}"
        assert teacher.post(f"{path}/rejoin").status_code == 200
        assert taken.post("/api/join", code=server.code.lower(), name="하나").status_code == 200
        assert student.http.get("/api/state").status_code == 401  # the earlier session has ended
        assert teacher.post(f"{path}/remove").status_code == 200
        assert taken.http.get("/api/state").status_code == 401
        for name in ("", " ", "x" * 41, "a\u202eb", 7, None):
            assert taken.post("/api/join", code=server.code, name=name).status_code == 400
        answers = [taken.post("/api/join", code="AAAAAA", name="x").status_code for _ in range(12)]
        assert answers == [403] * 10 + [429] * 2
        assert taken.post("/api/join", code=server.code, name="x").status_code == 429
        assert httpx.get(f"{server.address}/teacher?key=guess").status_code == 403
        assert taken.http.get("/api/state").json() == {"error": "먼저 수업에 들어오세요."}


def test_the_teacher_pauses_limits_and_resumes(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--class", "Limits", "--jobs", "1") as server:
        teacher, student = server.teacher(), server.student("Hal")
        assert teacher.post("/api/class/limits", steps=SHORT, runs=1).status_code == 200
        version = student.version()
        too_long = student.post("/api/runs", version=version, steps=SHORT + 1, seed=1)
        assert too_long.status_code == 400
        assert teacher.post("/api/class/pause").status_code == 200
        run = student.train(SHORT, version=version)
        second = student.post("/api/runs", version=version, steps=SHORT, seed=1)
        assert second.status_code == 409
        time.sleep(1.0)  # more than the queue needs to look again
        assert student.run(run)["state"] == "queued"
        assert student.get("/api/state")["class"]["paused"] is True
        assert teacher.post("/api/class/resume").status_code == 200
        student.wait_for(run, "done")
        table = teacher.http.get("/api/class/export.csv").text.splitlines()
        assert len(table) == 2
        assert table[1].startswith(f"Hal,{run},mine,paddle,")
