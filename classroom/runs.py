"""The runs of students in the database, and their files.

DATA/runs/ID/reward.py      the reward
DATA/runs/ID/points.jsonl   points of the curves, thinned out
DATA/runs/ID/films/         one compressed film per evaluation
DATA/runs/ID/...            the run folder, which is that of train.py
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

from classroom.database import Database
from classroom.source import FILE as REWARD
from classroom.source import encoded

POINTS = "points.jsonl"
FILMS = "films"
SENT = (
    *("id", "version", "game", "exercise", "steps", "seed", "state", "step"),
    *("score", "low", "high", "created", "ended"),
)
"""Columns of a run that its page gets as they are."""
OPEN = ("queued", "running", "paused")
"""States of runs that are not at their end."""


class Runs:
    """All runs."""

    def __init__(self, database: Database, data: Path) -> None:
        self._database = database
        self.folder = data / "runs"
        """Folder that holds the folders of all runs."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def place(self, run: int) -> Path:
        """Return the folder of a run."""
        return self.folder / str(run)

    def create(
        self,
        student: int,
        version: sqlite3.Row,
        steps: int,
        seed: int,
        exercise: str | None = None,
    ) -> int:
        """Add a run that waits for its turn; return its id.

        Raises:
            OSError: if its folder cannot be written; nothing is added then.
        """
        with self._database.transaction():
            run = self._database.insert(
                "runs",
                student=student,
                version=version["id"],
                game=version["game"],
                options=version["options"],
                source=version["source"],
                exercise=exercise,
                steps=steps,
                seed=seed,
                state="queued",
                created=time.time(),
            )
            (self.place(run) / FILMS).mkdir(parents=True)
            (self.place(run) / REWARD).write_bytes(encoded(version["source"]))
        return run

    def delete(self, run: int) -> None:
        """Remove a run and its files."""
        self._database.run("DELETE FROM runs WHERE id = ?", run)
        shutil.rmtree(self.place(run), ignore_errors=True)

    def find(self, run: int) -> sqlite3.Row | None:
        """Return the row of a run, or None."""
        return self._database.one("SELECT * FROM runs WHERE id = ?", run)

    def waiting(self, student: int) -> int:
        """Return how many runs of a student are not at their end."""
        row = self._database.one(
            "SELECT count(*) FROM runs WHERE student = ? AND state IN (?, ?, ?)", student, *OPEN
        )
        assert row is not None
        return int(row[0])

    def film(self, run: int, step: int) -> Path:
        """Return the file of a film, which need not exist."""
        return self.place(run) / FILMS / f"{step}.json.gz"

    def points(self, run: int) -> dict[str, dict[str, list[float]]]:
        """Return the curves of a run by tag: steps and values."""
        curves: dict[str, dict[str, list[float]]] = {}
        for step, values in read_points(self.place(run) / POINTS):
            for tag, value in values.items():
                curve = curves.setdefault(tag, {"steps": [], "values": []})
                curve["steps"].append(step)
                curve["values"].append(value)
        return curves

    def to_json(self, row: sqlite3.Row, position: int | None) -> dict[str, Any]:
        """Return what a page gets to know about a run."""
        films = self._database.all(
            "SELECT step, score FROM films WHERE run = ? ORDER BY step", row["id"]
        )
        return {
            **{name: row[name] for name in SENT},
            "options": json.loads(row["options"]),
            "position": position,
            "error": None if row["error"] is None else json.loads(row["error"]),
            "films": [dict(film) for film in films],
        }


def read_points(file: Path) -> list[tuple[int, dict[str, float]]]:
    """Return the points in a file; a last line that is not whole is left out."""
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return [(point["step"], point["values"]) for point in map(json.loads, lines)]


def run_folder(place: Path) -> Path | None:
    """Return the folder of train.py in the folder of a run, or None if there is none yet."""
    return next((file.parent for file in place.glob("*/config.json")), None)
