"""What the routes of the classroom share."""

from __future__ import annotations

import json
import secrets
import socket
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection

from classroom.access import Rates, RefusedError, language, new_code, same
from classroom.checks import Checks
from classroom.database import Database
from classroom.jobs import Queue
from classroom.live import Hub
from classroom.players import Players
from classroom.runs import Runs

PRIVATE = "private"
ME = "me"
"""Name of the only student in local mode."""
MOST_STUDENTS = 200
RUNS = 3
"""Default of the trainings of a student that may wait or run at a time."""


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    data: Path
    """Folder of the database and all runs."""
    group: str | None
    """Name of the class; None in local mode."""
    host: str
    port: int
    jobs: int
    """Number of trainings at a time."""
    steps: int
    """Maximum number of steps of a training, unless the teacher sets another one."""
    lang: str
    trusted: bool
    """Whether students may use all of Python."""

    @property
    def local(self) -> bool:
        """Whether there is one student, who is also the teacher, and no log-in."""
        return self.group is None

    @property
    def private(self) -> Path:
        """The folder of the database and the key of sessions, which no worker needs."""
        return self.data / PRIVATE

    @property
    def address(self) -> str:
        """The address that students open."""
        host = self.host
        if host in ("0.0.0.0", "::"):
            host = own_address()
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def own_address() -> str:
    """Return this machine's address in its network; nothing is sent to find it out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation: nobody has it
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


@dataclass(frozen=True)
class Classroom:
    """The parts of a running classroom."""

    settings: Settings
    database: Database
    runs: Runs
    hub: Hub
    queue: Queue
    checks: Checks
    players: Players
    rates: Rates

    @property
    def code(self) -> str:
        """The join code."""
        return str(self.database.setting("code", new_code()))

    @property
    def teacher_key(self) -> str:
        """The secret in the teacher's link."""
        return str(self.database.setting("teacher_key", secrets.token_urlsafe(24)))

    @property
    def paused(self) -> bool:
        """Whether the teacher has paused all trainings."""
        return bool(self.database.setting("paused", False))

    @property
    def limits(self) -> dict[str, int]:
        """The limits of trainings: `steps` of one, and `runs` of a student at a time."""
        usual = {"steps": self.settings.steps, "runs": RUNS}
        found: dict[str, int] = self.database.setting("limits", usual)
        return found

    def lang(self, connection: HTTPConnection) -> str:
        """Return the language of a session."""
        return language(connection, self.settings.lang)

    def is_teacher(self, connection: HTTPConnection) -> bool:
        """Return whether a session is a teacher's."""
        given = str(connection.session.get("teacher", ""))
        return self.settings.local or same(given, self.teacher_key)

    def find_student(self, connection: HTTPConnection) -> sqlite3.Row | None:
        """Return the student of a session, or None."""
        if self.settings.local:
            return self.database.one("SELECT * FROM students WHERE name = ?", ME)
        number, key = (connection.session.get(name) for name in ("student", "key"))
        if type(number) is not int or not isinstance(key, str):
            return None
        row = self.database.one("SELECT * FROM students WHERE id = ?", number)
        return row if row is not None and same(key, row["key"]) else None

    def student(self, connection: HTTPConnection) -> sqlite3.Row:
        """Return the student of a session, who is now seen.

        Raises:
            RefusedError: if it has none.
        """
        row = self.find_student(connection)
        if row is None:
            raise RefusedError(401, "join_first")
        self.database.update("students", row["id"], seen=time.time())
        return row

    def require_teacher(self, connection: HTTPConnection) -> None:
        """Raise RefusedError if a session is not a teacher's."""
        if not self.is_teacher(connection):
            raise RefusedError(403, "teacher_only")

    def add_student(self, name: str) -> sqlite3.Row:
        """Add a student, and return the row.

        Raises:
            RefusedError: if the name is taken, or the class is full.
        """
        now, key = time.time(), secrets.token_urlsafe(24)
        known = self.database.one("SELECT * FROM students WHERE name = ?", name)
        count = self.database.one("SELECT count(*) FROM students")
        if known is None and count is not None and count[0] >= MOST_STUDENTS:
            raise RefusedError(409, "class_full", most=MOST_STUDENTS)
        if known is None:
            number = self.database.insert("students", name=name, key=key, created=now, seen=now)
        elif known["open"]:
            number = known["id"]
            self.database.update("students", number, key=key, open=0, seen=now)
        else:
            raise RefusedError(409, "name_taken")
        row = self.database.one("SELECT * FROM students WHERE id = ?", number)
        assert row is not None
        return row

    def note_problem(self, student: int, problem: str | None) -> None:
        """Note a student's problem, and since when there has been one; None ends it."""
        since = "NULL" if problem is None else "coalesce(problem_since, ?2)"
        self.database.run(
            f"UPDATE students SET problem = ?1, problem_since = {since} WHERE id = ?3",
            problem,
            time.time(),
            student,
        )
        self.hub.class_changed()

    def about(self) -> dict[str, Any]:
        """Return what everyone may know about the class."""
        return {
            "name": self.settings.group or "",
            "paused": self.paused,
            "limits": self.limits,
        }

    def version_of(self, number: int, student: int) -> sqlite3.Row:
        """Return a version of a student.

        Raises:
            RefusedError: if there is none.
        """
        row = self.database.one(
            "SELECT * FROM versions WHERE id = ? AND student = ?", number, student
        )
        if row is None:
            raise RefusedError(404, "no_version")
        return row

    def run_of(self, number: int, student: int) -> sqlite3.Row:
        """Return a run of a student.

        Raises:
            RefusedError: if there is none.
        """
        row = self.runs.find(number)
        if row is None or row["student"] != student:
            raise RefusedError(404, "no_run")
        return row

    def versions(self, student: int) -> list[dict[str, Any]]:
        """Return the versions of a student, as the page gets them."""
        rows = self.database.all("SELECT * FROM versions WHERE student = ? ORDER BY id", student)
        names = ("id", "game", "name", "note", "source", "created")
        return [
            {name: row[name] for name in names} | {"options": json.loads(row["options"])}
            for row in rows
        ]
