"""The web application: pages, routes, and what happens when the server starts and ends."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jinja2
import segno
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from classroom import league, students, teachers
from classroom.access import Guard, Rates, RefusedError, csrf_of, same, texts
from classroom.checks import Checks
from classroom.context import ME, Classroom, Settings
from classroom.database import Database
from classroom.jobs import Queue
from classroom.live import Hub
from classroom.players import Players
from classroom.runs import Runs
from classroom.students import room
from rewards.texts import LANGUAGES

HERE = Path(__file__).parent
FONT = "freesansbold.ttf"
"""pygame's own font, in its folder."""
DATABASE = "classroom.sqlite"
SESSION_SECONDS = 30 * 24 * 3600
LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]"]


def make_classroom(settings: Settings) -> Classroom:
    """Open the data of a classroom.

    Raises:
        OSError: if it cannot be read or written.
    """
    database = Database(settings.private / DATABASE)
    runs, hub = Runs(database, settings.data), Hub()
    each = settings.jobs if settings.local else 1
    hidden = [settings.private]
    queue = Queue(database, runs, hub, settings.jobs, each, hidden=hidden)
    checks = Checks(1 if settings.local else settings.jobs, settings.trusted, hidden)
    classroom = Classroom(settings, database, runs, hub, queue, checks, Players(), Rates())
    queue.on_task = lambda task: league.judged(classroom, task)
    queue.on_problem = classroom.note_problem
    if settings.local and classroom.database.one("SELECT 1 FROM students") is None:
        classroom.add_student(ME)
    return classroom


def create_app(classroom: Classroom, secret: str) -> Starlette:
    """Return the application of a classroom; `secret` signs sessions."""
    settings = classroom.settings

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await classroom.checks.start()
        await classroom.queue.start()
        try:
            yield
        finally:
            await classroom.queue.close()
            await classroom.players.close()
            await classroom.checks.close()
            classroom.database.close()

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    middleware = [
        Middleware(GZipMiddleware, minimum_size=1_000),
        Middleware(
            SessionMiddleware,
            secret_key=secret,
            session_cookie="classroom",
            max_age=SESSION_SECONDS,
            same_site="strict",
        ),
        Middleware(Guard, default_lang=settings.lang),
    ]
    if settings.local:  # another site's name may not stand for this machine
        middleware.insert(0, Middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS))
    app = Starlette(
        routes=[
            Route("/", front),
            Route("/teacher", teacher),
            Route("/projector", projector),
            Route("/handout", handout),
            *students.ROUTES,
            *teachers.ROUTES,
            Route("/static/font.ttf", font),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=middleware,
        exception_handlers={
            RefusedError: refused,
            HTTPException: plain_error,
            ValueError: wrong_value,
            ClientDisconnect: left,
            Exception: broken,
        },
        lifespan=lifespan,
    )
    app.state.classroom, app.state.pages = classroom, environment
    return app


def page(request: Request, name: str, **values: Any) -> Response:
    """Return a page in the language of the session, which `?lang=` changes."""
    if request.query_params.get("lang") in LANGUAGES:
        request.session["lang"] = request.query_params["lang"]
    classroom = room(request)
    lang, student = classroom.lang(request), classroom.find_student(request)
    html = request.app.state.pages.get_template(f"{name}.html").render(
        csrf=csrf_of(request),
        nonce=request.state.nonce,
        lang=lang,
        texts=texts(lang),
        local=classroom.settings.local,
        class_name=classroom.settings.group or "",
        teacher=classroom.is_teacher(request),
        name="" if student is None else student["name"],
        **values,
    )
    return HTMLResponse(html)


async def font(request: Request) -> Response:
    """Send pygame's own font, in which games write."""
    pygame = importlib.util.find_spec("pygame")  # it is not imported: only its folder matters
    assert pygame is not None, "it is a dependency of this project"
    file = Path(str(pygame.origin)).with_name(FONT)
    return FileResponse(file, media_type="font/ttf", headers={"Cache-Control": "max-age=86400"})


async def front(request: Request) -> Response:
    """Show the sandbox or, to someone who has not joined, the form to join."""
    student = room(request).find_student(request)
    return page(request, "join" if student is None else "sandbox")


async def teacher(request: Request) -> Response:
    """Show the teacher's page; the key in the link makes a session the teacher's."""
    classroom = room(request)
    if (key := request.query_params.get("key")) is not None:
        address = request.client.host if request.client else ""
        classroom.rates.limit("teacher", address, 10, 60.0)
        if not same(key, classroom.teacher_key):
            raise RefusedError(403, "teacher_only")
        request.session["teacher"] = key
        return RedirectResponse("/teacher", 303)
    return _teachers_page(request, "teacher")


async def projector(request: Request) -> Response:
    """Show the page for the projector."""
    return _teachers_page(request, "projector")


async def handout(request: Request) -> Response:
    """Show the page to print for students."""
    return _teachers_page(request, "handout")


def _teachers_page(request: Request, name: str) -> Response:
    classroom = room(request)
    classroom.require_teacher(request)
    link = f"{classroom.settings.address}/?code={classroom.code}"
    qr = segno.make(link, micro=False).svg_inline(border=2, omitsize=True)
    return page(request, name, code=classroom.code, address=classroom.settings.address, qr=qr)


async def refused(request: Request, error: Exception) -> Response:
    """Answer a request that is not served."""
    assert isinstance(error, RefusedError)
    text = students.words(request)["errors"][error.key].format(**error.words)
    # the rest of a body that is too large is not read
    headers = {"Connection": "close"} if error.status == 413 else None
    return JSONResponse({"error": text}, error.status, headers)


async def plain_error(request: Request, error: Exception) -> Response:
    """Answer a request for something that is not there."""
    assert isinstance(error, HTTPException)
    key = {404: "not_found", 405: "not_found"}.get(error.status_code, "broken")
    text = students.words(request)["errors"][key]
    return JSONResponse({"error": text}, error.status_code)


async def wrong_value(request: Request, error: Exception) -> Response:
    """Answer a request that something below has refused, with its one line."""
    return JSONResponse({"error": str(error)}, 400)


async def left(request: Request, error: Exception) -> Response:
    """Answer nobody: the browser has closed the connection before it had sent everything."""
    return Response(status_code=400)


async def broken(request: Request, error: Exception) -> Response:
    """Answer a request that has failed; the server's terminal shows why."""
    return JSONResponse({"error": texts("en")["errors"]["broken"]}, 500)
