"""What the teacher's page asks for: who is here, leagues, limits, the matrix, exports."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from classroom import exports, league
from classroom.access import RefusedError, body_of, line_in, number_in
from classroom.context import Classroom
from classroom.students import LEAST_STEPS, game_in, game_of_query, post, room, zip_response

MOST_STEPS = 100_000_000
MOST_RUNS = 20
"""Greatest limits that a teacher can set."""
MOST_TITLE = 80
EDITING = 60.0
"""Seconds after a check for which a student counts as writing."""
MINUTE = 60.0


def classroom_of(request: Request) -> Classroom:
    """Return the classroom, if the request is its teacher's."""
    room(request).require_teacher(request)
    return room(request)


async def show_class(request: Request) -> Response:
    """Return who is here, and what everyone does."""
    classroom, now = classroom_of(request), time.time()
    here = classroom.hub.here()
    students = classroom.database.all("SELECT * FROM students ORDER BY name COLLATE NOCASE")
    return JSONResponse(
        {
            **classroom.about(),
            "code": classroom.code,
            "address": classroom.settings.address,
            "students": [_about(classroom, each, each["id"] in here, now) for each in students],
            "league": league.table(classroom, None, True),
        }
    )


def _about(classroom: Classroom, student: sqlite3.Row, here: bool, now: float) -> dict[str, Any]:
    counts = {
        row["state"]: row["count"]
        for row in classroom.database.all(
            "SELECT state, count(*) AS count FROM runs WHERE student = ? GROUP BY state",
            student["id"],
        )
    }
    best = classroom.database.one(
        "SELECT score, low, high, game, options FROM runs WHERE student = ? AND score IS NOT NULL"
        " ORDER BY score DESC LIMIT 1",
        student["id"],
    )
    state = "editing" if now - student["edited"] < EDITING else "idle"
    if counts.get("running"):
        state = "training"
    elif counts.get("queued") or counts.get("paused"):
        state = "queued"
    since = student["problem_since"]
    return {
        **{name: student[name] for name in ("id", "name")},
        "seen": round(now - student["seen"]),
        "here": here,
        "state": state,
        "error": student["problem"],
        "stuck": None if since is None else int((now - since) // MINUTE),
        "best": None if best is None else dict(best) | {"options": json.loads(best["options"])},
        "runs": sum(counts.values()),
        "shown": bool(student["shown"]),
    }


async def pause(request: Request) -> Response:
    """Pause all trainings."""
    classroom = classroom_of(request)
    classroom.database.set("paused", True)
    classroom.queue.pause_all()
    return _changed(classroom)


async def resume(request: Request) -> Response:
    """Let all trainings go on."""
    classroom = classroom_of(request)
    classroom.database.set("paused", False)
    classroom.queue.wake()
    return _changed(classroom)


async def limit(request: Request) -> Response:
    """Set the limits of new trainings."""
    classroom, content, now = classroom_of(request), await body_of(request), room(request).limits
    limits = {
        "steps": number_in(content, "steps", LEAST_STEPS, MOST_STEPS, now["steps"]),
        "runs": number_in(content, "runs", 1, MOST_RUNS, now["runs"]),
    }
    classroom.database.set("limits", limits)
    return _changed(classroom)


def _changed(classroom: Classroom) -> Response:
    """Tell all pages what holds for the class."""
    classroom.hub.send_all({"type": "class", **classroom.about()})
    return JSONResponse(classroom.about())


def _student(request: Request) -> sqlite3.Row:
    student = classroom_of(request).database.one(
        "SELECT * FROM students WHERE id = ?", request.path_params["student"]
    )
    if student is None:
        raise RefusedError(404, "no_student")
    return student


async def remove(request: Request) -> Response:
    """Remove a student with everything that is theirs."""
    student, classroom = _student(request), room(request)
    _delete_work(classroom, student["id"])
    classroom.database.run("DELETE FROM students WHERE id = ?", student["id"])
    return _told(classroom, student["id"])


async def reset(request: Request) -> Response:
    """Delete the versions and trainings of a student, who stays in the class."""
    student, classroom = _student(request), room(request)
    _delete_work(classroom, student["id"])
    classroom.database.update("students", student["id"], problem=None, problem_since=None)
    return _told(classroom, student["id"])


async def rejoin(request: Request) -> Response:
    """Let a student join again under the same name, from another device."""
    student, classroom = _student(request), room(request)
    classroom.database.update("students", student["id"], open=1)
    return JSONResponse({})


def _delete_work(classroom: Classroom, student: int) -> None:
    for run in classroom.database.all("SELECT id FROM runs WHERE student = ?", student):
        classroom.queue.delete(run["id"])
    classroom.database.run("DELETE FROM versions WHERE student = ?", student)
    classroom.database.run("DELETE FROM tasks WHERE student = ?", student)


def _told(classroom: Classroom, student: int) -> Response:
    classroom.hub.disconnect(student)  # the page comes back, and reads what is left
    classroom.hub.class_changed()
    classroom.hub.send_all({"type": "league"})
    return JSONResponse({})


async def show(request: Request) -> Response:
    """Let the class see the behaviour and the rewards of a student, or no longer."""
    student, classroom = _student(request), room(request)
    shown = (await body_of(request)).get("shown")
    if not isinstance(shown, bool):
        raise RefusedError(400, "json")
    classroom.database.update("students", student["id"], shown=int(shown))
    classroom.hub.send_all({"type": "league"})
    classroom.hub.class_changed()
    return JSONResponse({})


async def begin_league(request: Request) -> Response:
    """Start a league."""
    classroom, content = classroom_of(request), await body_of(request)
    title = line_in(content, "title", MOST_TITLE, 1)
    number = league.begin(classroom, title, *game_in(content))
    classroom.hub.send_all({"type": "league"})
    return JSONResponse({"id": number})


async def end_league(request: Request) -> Response:
    """End the league."""
    classroom = classroom_of(request)
    league.end(classroom)
    classroom.hub.send_all({"type": "league"})
    return JSONResponse({})


async def begin_matrix(request: Request) -> Response:
    """Let every student's best reward pay for every student's best agent."""
    classroom = classroom_of(request)
    game, options = game_in(await body_of(request))
    best = classroom.database.all(
        "SELECT runs.id, students.name, max(score) FROM runs JOIN students"
        " ON runs.student = students.id WHERE game = ? AND options = ? AND state = 'done'"
        " GROUP BY student ORDER BY students.name COLLATE NOCASE",
        game,
        options,
    )
    content = {
        "game": game,
        "options": json.loads(options),
        "places": [str(classroom.runs.place(run["id"]).resolve()) for run in best],
        "names": [run["name"] for run in best],
    }
    if len(best) < 2:
        raise RefusedError(409, "no_matrix")
    task = classroom.database.insert(
        "tasks", kind="pay", request=json.dumps(content), state="queued", created=time.time()
    )
    classroom.queue.wake()
    return JSONResponse({"id": task})


STATES = {"queued": "running"}


async def show_matrix(request: Request) -> Response:
    """Return the newest matrix of a game."""
    classroom = classroom_of(request)
    game, options = game_of_query(request)
    for row in classroom.database.all("SELECT * FROM tasks WHERE kind = 'pay' ORDER BY id DESC"):
        content = json.loads(row["request"])
        if (content["game"], content["options"]) == (game, json.loads(options)):
            result = json.loads(row["result"] or '{"values": []}')
            names = content["names"]
            return JSONResponse(
                {
                    "state": STATES.get(row["state"], row["state"]),
                    "rewards": names,
                    "agents": names,
                    "values": result["values"],
                    "error": row["error"],
                }
            )
    return JSONResponse({"state": "none", "rewards": [], "agents": [], "values": []})


async def export_csv(request: Request) -> Response:
    """Return a table of all trainings."""
    content = exports.table_of_class(classroom_of(request))
    headers = {"Content-Disposition": 'attachment; filename="trainings.csv"'}
    return Response(content, media_type="text/csv", headers=headers)


async def export_zip(request: Request) -> Response:
    """Return everything that the class has made."""
    return await zip_response("class.zip", exports.files_of_class(classroom_of(request)))


ROUTES = [
    Route("/api/class", show_class),
    post("/api/class/pause", pause),
    post("/api/class/resume", resume),
    post("/api/class/limits", limit),
    post("/api/class/students/{student:id}/remove", remove),
    post("/api/class/students/{student:id}/reset", reset),
    post("/api/class/students/{student:id}/rejoin", rejoin),
    post("/api/class/students/{student:id}/show", show),
    post("/api/leagues", begin_league),
    post("/api/leagues/end", end_league),
    post("/api/class/matrix", begin_matrix),
    Route("/api/class/matrix", show_matrix),
    Route("/api/class/export.csv", export_csv),
    Route("/api/class/export.zip", export_zip),
]
