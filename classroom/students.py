"""What a student's page asks for: versions, checks, trainings, exercises, the league."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from classroom import exports, league
from classroom.access import RefusedError, body_of, line_in, number_in, same, text_in, texts
from classroom.context import Classroom
from classroom.games import as_text, catalogue, checked_options, starter
from classroom.language import completions
from classroom.problem import ERROR
from classroom.runs import run_folder
from rewards.exercises import EXERCISES, Exercise, find_exercise
from rewards.sandbox.protection import described
from rewards.texts import LANGUAGES

MOST_SOURCE = 20_000
MOST_NAME = 40
MOST_NOTE = 1_000
MOST_VERSIONS = 200
MOST_RUNS = 100
"""Versions and runs that a student may keep."""
LEAST_STEPS = 1_000
MOST_SEED = 2**32 - 1
GIF_SECONDS = 10.0
WRONG_CODES = 10
CODE_SECONDS = 60.0
"""Wrong join codes from one address, and ten times as many from all, within some seconds."""
CHECKS = 20
CHECK_SECONDS = 10.0
WRITES = 60
WRITE_SECONDS = 10.0
"""Checks of one student and other requests with an effect, within some seconds."""


class IdConvertor(Convertor[int]):
    """A number in a path that a database can hold."""

    regex = "[0-9]{1,15}"

    def convert(self, value: str) -> int:
        """Return the number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return it as text."""
        return str(value)


register_url_convertor("id", IdConvertor())


def room(connection: HTTPConnection) -> Classroom:
    """Return the classroom that a request is for."""
    found: Classroom = connection.app.state.classroom
    return found


def words(connection: HTTPConnection) -> dict[str, Any]:
    """Return all texts in the language of a session."""
    return texts(room(connection).lang(connection))


def writing(request: Request) -> sqlite3.Row:
    """Return the student whose request has an effect, if it does not come too often."""
    student = room(request).student(request)
    room(request).rates.limit("write", student["id"], WRITES, WRITE_SECONDS)
    return student


def game_in(content: dict[str, Any]) -> tuple[str, str]:
    """Return the game and its options, as JSON, of a request's body.

    Raises:
        RefusedError: if there is no such task.
    """
    game, options = content.get("game"), content.get("options", {})
    if not isinstance(game, str) or not isinstance(options, dict):
        raise RefusedError(400, "no_game")
    try:
        return game, checked_options(game, options)
    except ValueError:
        raise RefusedError(400, "no_game") from None


def game_of_query(connection: HTTPConnection) -> tuple[str, str]:
    """Return the game and its options of a query string. Raises as `game_in` does."""
    try:
        options = json.loads(connection.query_params.get("options", "{}"))
    except (ValueError, RecursionError):
        raise RefusedError(400, "no_game") from None
    return game_in({"game": connection.query_params.get("game"), "options": options})


async def join(request: Request) -> Response:
    """Let someone with the code join under a new name."""
    classroom, content = room(request), await body_of(request)
    address = request.client.host if request.client else ""
    limits = (("code", address, WRONG_CODES), ("codes", "", 10 * WRONG_CODES))
    if any(classroom.rates.is_full(*limit, CODE_SECONDS) for limit in limits):
        raise RefusedError(429, "too_often")
    code = text_in(content, "code", 20, 1).strip().upper()
    if not same(code, classroom.code):
        for what, key, _ in limits:
            classroom.rates.count(what, key)
        raise RefusedError(403, "wrong_code")
    student = classroom.add_student(line_in(content, "name", MOST_NAME, 1))
    request.session.update(student=student["id"], key=student["key"])
    classroom.hub.class_changed()
    return JSONResponse({"id": student["id"], "name": student["name"]})


async def leave(request: Request) -> Response:
    """Forget which student a browser belongs to."""
    for name in ("student", "key"):
        request.session.pop(name, None)
    return JSONResponse({})


async def choose_language(request: Request) -> Response:
    """Remember the language of a session."""
    lang = (await body_of(request)).get("lang")
    if lang not in LANGUAGES:
        raise RefusedError(400, "language")
    request.session["lang"] = lang
    return JSONResponse({})


async def state(request: Request) -> Response:
    """Return everything that the page begins with."""
    classroom = room(request)
    teacher, student = classroom.is_teacher(request), classroom.find_student(request)
    if not teacher or student is not None:
        student = classroom.student(request)
    number = None if student is None else student["id"]
    runs = classroom.database.all("SELECT * FROM runs WHERE student = ? ORDER BY id", number)
    return JSONResponse(
        {
            "student": None if student is None else {"id": number, "name": student["name"]},
            "class": classroom.about(),
            "games": catalogue(),
            "versions": [] if number is None else classroom.versions(number),
            "runs": [classroom.runs.to_json(r, classroom.queue.position(r["id"])) for r in runs],
            "league": league.table(classroom, number, teacher),
            "protection": described(),
        }
    )


async def complete(request: Request) -> Response:
    """Return what the editor can complete."""
    room(request).student(request)
    game, options = game_of_query(request)
    return JSONResponse(completions(game, json.loads(options)))


async def first_reward(request: Request) -> Response:
    """Return the reward that a student begins with."""
    room(request).student(request)
    return JSONResponse({"source": starter(*game_of_query(request), words(request)["starter"])})


async def check(request: Request) -> Response:
    """Check a reward; what it says is data, and nothing of it is executed in this process."""
    classroom, student = room(request), room(request).student(request)
    classroom.rates.limit("check", student["id"], CHECKS, CHECK_SECONDS)
    content = await body_of(request)
    game, options = game_in(content)
    source, lang = text_in(content, "source", MOST_SOURCE), classroom.lang(request)
    found = await classroom.checks.check(
        source, game, json.loads(options), lang, student=student["id"]
    )
    _note_problem(classroom, student["id"], found)
    return JSONResponse(found)


def _note_problem(classroom: Classroom, student: int, found: dict[str, Any]) -> None:
    """Let the teacher see the first mistake of a student, and since when there has been one."""
    mistakes = [each["message"] for each in found["problems"] if each["severity"] == ERROR]
    if not found["ok"] and not mistakes:
        return  # a newer text is being checked
    classroom.database.update("students", student, edited=time.time())
    classroom.note_problem(student, mistakes[0] if mistakes else None)


async def add_version(request: Request) -> Response:
    """Keep a version of a reward."""
    student, content = writing(request), await body_of(request)
    game, options = game_in(content)
    database = room(request).database
    kept = database.one("SELECT count(*) FROM versions WHERE student = ?", student["id"])
    if kept is not None and kept[0] >= MOST_VERSIONS:
        raise RefusedError(409, "many_versions", most=MOST_VERSIONS)
    number = database.insert(
        "versions",
        student=student["id"],
        game=game,
        options=options,
        name=line_in(content, "name", MOST_NAME),
        note=text_in(content, "note", MOST_NOTE),
        source=text_in(content, "source", MOST_SOURCE),
        created=time.time(),
    )
    return JSONResponse({"id": number})


async def change_version(request: Request) -> Response:
    """Change the name and the note of a version."""
    student, content = writing(request), await body_of(request)
    version = room(request).version_of(request.path_params["version"], student["id"])
    name, note = line_in(content, "name", MOST_NAME), text_in(content, "note", MOST_NOTE)
    room(request).database.update("versions", version["id"], name=name, note=note)
    return JSONResponse({"id": version["id"]})


async def delete_version(request: Request) -> Response:
    """Delete a version; its trainings stay."""
    version = room(request).version_of(request.path_params["version"], writing(request)["id"])
    room(request).database.run("DELETE FROM versions WHERE id = ?", version["id"])
    return JSONResponse({})


async def download_reward(request: Request) -> Response:
    """Return a reward file: of one's own, or of a student whom the teacher shows."""
    classroom = room(request)
    row = classroom.database.one(
        "SELECT versions.*, shown FROM versions JOIN students ON student = students.id"
        " WHERE versions.id = ?",
        request.path_params["version"],
    )
    if row is None or not _may_see(request, row["student"], row["shown"]):
        raise RefusedError(404, "no_version")
    return Response(row["source"], media_type="text/x-python", headers=_attachment("reward.py"))


def _may_see(request: Request, owner: int, shown: int) -> bool:
    """Return whether a session may see the work of a student."""
    classroom = room(request)
    if classroom.is_teacher(request):
        return True
    student = classroom.find_student(request)
    return student is not None and (student["id"] == owner or bool(shown))


async def begin_run(request: Request) -> Response:
    """Train on a version, if its reward has no mistakes."""
    student, content, classroom = writing(request), await body_of(request), room(request)
    version = classroom.version_of(number_in(content, "version", 1, 2**53, 0), student["id"])
    steps = number_in(content, "steps", LEAST_STEPS, classroom.limits["steps"], 0)
    seed = number_in(content, "seed", 0, MOST_SEED, 1)
    return await _begin(request, student, version, steps, seed)


async def _begin(
    request: Request,
    student: sqlite3.Row,
    version: sqlite3.Row,
    steps: int,
    seed: int,
    exercise: str | None = None,
) -> Response:
    classroom = room(request)
    _require_place(classroom, student["id"])
    options, lang = json.loads(version["options"]), classroom.lang(request)
    found = await classroom.checks.check(version["source"], version["game"], options, lang)
    _note_problem(classroom, student["id"], found)
    if not found["ok"]:
        text = words(request)["errors"]["mistakes"]
        return JSONResponse({"error": text, "problems": found["problems"]}, 422)
    _require_place(classroom, student["id"])  # another request may have taken it
    run = classroom.runs.create(student["id"], version, steps, seed, exercise)
    classroom.queue.wake()
    classroom.queue.tell(run)
    return JSONResponse({"id": run})


def _require_place(classroom: Classroom, student: int) -> None:
    """Raise RefusedError if a student has as many trainings as allowed."""
    most = classroom.limits["runs"]
    if classroom.runs.waiting(student) >= most:
        raise RefusedError(409, "many_runs", most=most)
    kept = classroom.database.one("SELECT count(*) FROM runs WHERE student = ?", student)
    if kept is not None and kept[0] >= MOST_RUNS:
        raise RefusedError(409, "many_kept", most=MOST_RUNS)


def _own_run(request: Request, student: sqlite3.Row) -> sqlite3.Row:
    return room(request).run_of(request.path_params["run"], student["id"])


async def stop_run(request: Request) -> Response:
    """Stop a training; it can be continued."""
    run = _own_run(request, writing(request))
    if run["state"] in ("queued", "running", "paused"):
        room(request).queue.stop(run)
    return JSONResponse({})


async def continue_run(request: Request) -> Response:
    """Continue a training that has stopped, failed or ended, exactly where it was."""
    student, classroom = writing(request), room(request)
    run, content = _own_run(request, student), await body_of(request)
    if run["state"] in ("queued", "running", "paused"):
        raise RefusedError(409, "trains_already")
    if run["exercise"] is not None and run["state"] == "done":
        raise RefusedError(409, "graded")
    planned = run["steps"] if run["state"] != "done" else 2 * run["steps"]
    most = max(classroom.limits["steps"], run["steps"])
    steps = number_in(content, "steps", run["steps"], most, min(planned, most))
    if run["state"] == "done" and steps <= run["step"]:
        raise RefusedError(409, "longest", most=f"{most:,}")
    _require_place(classroom, student["id"])
    classroom.database.update(
        "runs", run["id"], state="paused", steps=steps, error=None, ended=None
    )
    classroom.queue.wake()
    classroom.queue.tell(run["id"])
    return JSONResponse({"id": run["id"]})


async def delete_run(request: Request) -> Response:
    """Delete a training with everything that belongs to it."""
    student = writing(request)
    run = _own_run(request, student)
    room(request).queue.delete(run["id"])
    room(request).hub.send(student["id"], {"type": "gone", "run": run["id"]})
    return JSONResponse({})


async def points(request: Request) -> Response:
    """Return the curves of a training."""
    run = _visible_run(request)
    return JSONResponse(room(request).runs.points(run["id"]))


async def film(request: Request) -> Response:
    """Return a film, which is compressed already."""
    run = _visible_run(request)
    file = room(request).runs.film(run["id"], request.path_params["step"])
    if not file.is_file():
        raise RefusedError(404, "no_film")
    headers = {"Content-Encoding": "gzip", "Cache-Control": "private, max-age=86400"}
    return FileResponse(file, media_type="application/json", headers=headers)


def _visible_run(request: Request) -> sqlite3.Row:
    """Return a run of one's own, or of a student whom the teacher shows."""
    classroom = room(request)
    run = classroom.runs.find(request.path_params["run"])
    if run is None:
        raise RefusedError(404, "no_run")
    owner = classroom.database.one("SELECT shown FROM students WHERE id = ?", run["student"])
    if not _may_see(request, run["student"], 0 if owner is None else owner["shown"]):
        raise RefusedError(404, "no_run")
    return run


async def download_run(request: Request) -> Response:
    """Return the run folder of a training as a zip file."""
    classroom, student = room(request), room(request).student(request)
    classroom.rates.limit("zip", student["id"], 5, WRITE_SECONDS)
    run = _own_run(request, student)
    name = f"training-{run['id']}"
    place = classroom.runs.place(run["id"])
    return await zip_response(f"{name}.zip", exports.files_of_run(place, name))


async def zip_response(name: str, entries: exports.Entries) -> Response:
    """Return a zip file, and remove it when it was sent."""
    with tempfile.NamedTemporaryFile(prefix="classroom-", suffix=".zip", delete=False) as file:
        place = Path(file.name)
    try:
        await asyncio.to_thread(exports.write_zip, entries, place)
    except BaseException:
        place.unlink()
        raise
    headers, remove = _attachment(name), BackgroundTask(place.unlink)
    return FileResponse(place, media_type="application/zip", headers=headers, background=remove)


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def download_gif(request: Request) -> Response:
    """Return the beginning of an episode of a run's best agent as a GIF."""
    classroom, student = room(request), room(request).student(request)
    run = _own_run(request, student)
    folder = run_folder(classroom.runs.place(run["id"]))
    if folder is None:
        raise RefusedError(409, "nothing_learned")
    classroom.rates.limit("gif", student["id"], 2, WRITE_SECONDS)
    request_of_job = {"kind": "gif", "folder": str(folder.resolve()), "seconds": GIF_SECONDS}
    found = await classroom.queue.ask(request_of_job)
    content = base64.b64decode(found["gif"])
    return Response(
        content, media_type="image/gif", headers=_attachment(f"training-{run['id']}.gif")
    )


async def rescore(request: Request) -> Response:
    """Return what a reward pays in the recorded episodes of a training."""
    classroom, student = room(request), room(request).student(request)
    classroom.rates.limit("check", student["id"], CHECKS, CHECK_SECONDS)
    run, content = _own_run(request, student), await body_of(request)
    folder = run_folder(classroom.runs.place(run["id"]))
    if folder is None or run["state"] != "done":
        raise RefusedError(409, "not_done")
    source = text_in(content, "source", MOST_SOURCE)
    lang, options = classroom.lang(request), json.loads(run["options"])
    own, number = run["source"], student["id"]
    return JSONResponse(
        await classroom.checks.rescore(
            folder.resolve(), source, own, run["game"], options, lang, number
        )
    )


async def submit(request: Request) -> Response:
    """Submit the agent of a training to the league."""
    return JSONResponse({"id": league.submit(room(request), _own_run(request, writing(request)))})


async def show_league(request: Request) -> Response:
    """Return the newest league."""
    classroom = room(request)
    teacher, student = classroom.is_teacher(request), classroom.find_student(request)
    if not teacher and student is None:
        raise RefusedError(401, "join_first")
    number = None if student is None else student["id"]
    return JSONResponse(league.table(classroom, number, teacher))


async def exercises(request: Request) -> Response:
    """Return the exercises, and which of them a student has passed."""
    classroom, student = room(request), room(request).student(request)
    passed = {
        row["exercise"]
        for row in classroom.database.all(
            "SELECT exercise, grade FROM runs WHERE student = ? AND grade IS NOT NULL",
            student["id"],
        )
        if all(goal["reached"] for goal in json.loads(row["grade"]))
    }
    lang = classroom.lang(request)
    return JSONResponse([_exercise(each, lang, each.name in passed) for each in EXERCISES])


def _exercise(exercise: Exercise, lang: str, passed: bool) -> dict[str, Any]:
    own = exercise.texts(lang)
    return {
        "name": exercise.name,
        "number": exercise.number,
        "title": own["title"],
        "task": own["task"],
        "game": exercise.env,
        "options": dict(exercise.env_options),
        "steps": exercise.steps,
        "goals": [
            {"name": own["names"][goal.name], "asked": goal.asked} for goal in exercise.goals
        ],
        "passed": passed,
    }


async def begin_exercise(request: Request) -> Response:
    """Train on a version and grade its agent."""
    student, content, classroom = writing(request), await body_of(request), room(request)
    try:
        exercise = find_exercise(request.path_params["name"])
    except ValueError:
        raise RefusedError(404, "no_exercise") from None
    version = classroom.version_of(number_in(content, "version", 1, 2**53, 0), student["id"])
    asked = (exercise.env, as_text(dict(exercise.env_options)))
    if (version["game"], version["options"]) != asked:
        raise RefusedError(409, "other_game")
    return await _begin(request, student, version, exercise.steps, 1, exercise.name)


GRADE_STATES = {"paused": "queued", "stopped": "failed"}


async def grade(request: Request) -> Response:
    """Return how far the grading of an exercise is, and the verdict at its end."""
    run = _own_run(request, room(request).student(request))
    if run["exercise"] is None:
        raise RefusedError(404, "no_run")
    exercise, lang = find_exercise(run["exercise"]), room(request).lang(request)
    own, found = exercise.texts(lang), json.loads(run["grade"] or "[]")
    goals = [
        {
            "name": own["names"][goal.name],
            "asked": goal.asked,
            "value": result["mean"],
            "passed": result["reached"],
            "hint": None if result["reached"] else own["hints"][goal.name],
        }
        for goal, result in zip(exercise.goals, found, strict=False)
    ]
    error = None if run["error"] is None else json.loads(run["error"])["message"]
    if run["state"] == "stopped":
        error = words(request)["errors"]["stopped"]
    return JSONResponse(
        {
            "id": run["id"],
            "exercise": exercise.name,
            "state": GRADE_STATES.get(run["state"], run["state"]),
            "step": run["step"],
            "steps": run["steps"],
            "passed": bool(goals) and all(goal["passed"] for goal in goals),
            "goals": goals,
            "error": error,
        }
    )


async def live(socket: WebSocket) -> None:
    """Send news to a page."""
    classroom = room(socket)
    student, teacher = classroom.find_student(socket), classroom.is_teacher(socket)
    if student is None and not teacher:
        await socket.close(1008, "join first")
        return
    await classroom.hub.serve(socket, None if student is None else student["id"], teacher)


async def play(socket: WebSocket) -> None:
    """Let a student play a game."""
    classroom = room(socket)
    try:
        student = classroom.student(socket)
        game, options = game_of_query(socket)
    except RefusedError as error:
        await socket.close(1008, error.key)
        return
    full = words(socket)["errors"]["players"]
    await classroom.players.serve(socket, student["id"], game, json.loads(options), full)


def post(path: str, endpoint: Any) -> Route:
    """Return a route for POST."""
    return Route(path, endpoint, methods=["POST"])


ROUTES = [
    post("/api/join", join),
    post("/api/leave", leave),
    post("/api/lang", choose_language),
    Route("/api/state", state),
    Route("/api/completions", complete),
    Route("/api/starter", first_reward),
    post("/api/check", check),
    post("/api/versions", add_version),
    post("/api/versions/{version:id}", change_version),
    Route("/api/versions/{version:id}", delete_version, methods=["DELETE"]),
    Route("/api/versions/{version:id}/reward.py", download_reward),
    post("/api/runs", begin_run),
    Route("/api/runs/{run:id}", delete_run, methods=["DELETE"]),
    post("/api/runs/{run:id}/stop", stop_run),
    post("/api/runs/{run:id}/continue", continue_run),
    Route("/api/runs/{run:id}/points", points),
    Route("/api/runs/{run:id}/films/{step:id}", film),
    Route("/api/runs/{run:id}/run.zip", download_run),
    Route("/api/runs/{run:id}/film.gif", download_gif),
    post("/api/runs/{run:id}/rescore", rescore),
    post("/api/runs/{run:id}/submit", submit),
    Route("/api/league", show_league),
    Route("/api/exercises", exercises),
    post("/api/exercises/{name}", begin_exercise),
    Route("/api/grades/{run:id}", grade),
    WebSocketRoute("/live", live),
    WebSocketRoute("/play", play),
]
