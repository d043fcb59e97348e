"""What can be downloaded: run folders, and the work of the whole class."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from classroom.context import Classroom
from classroom.runs import FILMS, POINTS

COLUMNS = (
    *("student", "training", "reward", "game", "options", "exercise", "seed", "steps"),
    *("trained_steps", "state", "score", "low", "high", "began", "ended", "error"),
)


Entries = list[tuple[str, str | Path]]
"""Files of a zip file: their names, and texts or files to copy."""


def write_zip(entries: Entries, file: Path) -> None:
    """Write a zip file.

    Raises:
        OSError: if it cannot be written.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            if isinstance(content, str):
                archive.writestr(name, content)
            elif content.is_file():  # it may have been deleted by now
                archive.write(content, name)


def files_of_run(place: Path, name: str, without: Iterable[str] = (FILMS, POINTS)) -> Entries:
    """Return the run folder of a run and its reward, below a folder called `name`."""
    paths = {file: file.relative_to(place) for file in sorted(place.rglob("*")) if file.is_file()}
    return [
        (f"{name}/{path.as_posix()}", file)
        for file, path in paths.items()
        if path.parts[0] not in without and not file.name.startswith(".")
    ]


def files_of_class(classroom: Classroom) -> Entries:
    """Return the work of all students: a table, rewards, notes and run folders."""
    entries: Entries = [("trainings.csv", table_of_class(classroom))]
    for student in classroom.database.all("SELECT * FROM students ORDER BY id"):
        folder = f"{student['id']:03}-{_file_name(student['name'])}"
        for version in classroom.versions(student["id"]):
            name = f"{folder}/rewards/{version['id']}-{_file_name(version['name'])}"
            entries.append((f"{name}.py", version["source"]))
            if version["note"]:
                entries.append((f"{name}.txt", version["note"]))
        for run in classroom.database.all("SELECT id FROM runs WHERE student = ?", student["id"]):
            place = classroom.runs.place(run["id"])
            entries += files_of_run(place, f"{folder}/trainings/{run['id']}", (FILMS,))
    return entries


def table_of_class(classroom: Classroom) -> str:
    """Return a table of all trainings of the class, as CSV."""
    rows = classroom.database.all(
        "SELECT students.name AS student, runs.id AS training, versions.name AS reward, runs.game,"
        " runs.options, exercise, seed, steps, step AS trained_steps, state, score, low, high,"
        " began, runs.ended, error FROM runs JOIN students ON runs.student = students.id"
        " LEFT JOIN versions ON runs.version = versions.id ORDER BY runs.id"
    )
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        values = dict(row)
        for name in ("began", "ended"):
            values[name] = _time(values[name])
        if values["error"] is not None:
            values["error"] = json.loads(values["error"])["message"]
        writer.writerow(_harmless(values[name]) for name in COLUMNS)
    return file.getvalue()


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def _harmless(value: Any) -> Any:
    """Return a value of a table that a spreadsheet does not execute as a formula."""
    risky = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if risky else value


def _file_name(text: str) -> str:
    """Return a text as a part of a file's name."""
    return re.sub(r"[^\w-]+", "-", text).strip("-") or "unnamed"
