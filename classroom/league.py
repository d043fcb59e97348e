"""The league: submitted agents play the same games, which no student knows.

The newest submission of a student counts. A rank is one more than the number of students that are
clearly better: those whose whole 95 % interval lies above. Agents whose intervals overlap with the
best one therefore share the first rank.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from classroom.access import RefusedError
from classroom.context import Classroom
from classroom.runs import run_folder
from training.run_folder import BEST, CONFIG, TENSORS

EPISODES = 100
ENTRIES = "entries"
"""Folder of the copies of submitted agents, so that they stay as they were."""


def ranks(intervals: Sequence[tuple[float, float]]) -> list[int]:
    """Return the rank of each interval (low, high): one more than those wholly above it."""
    return [1 + sum(low > high for low, _ in intervals) for _, high in intervals]


def current(classroom: Classroom) -> sqlite3.Row | None:
    """Return the newest league, running or ended, or None."""
    return classroom.database.one("SELECT * FROM leagues ORDER BY id DESC LIMIT 1")


def begin(classroom: Classroom, title: str, game: str, options: str) -> int:
    """Start a league, and end the one before; return its id."""
    end(classroom)
    return classroom.database.insert(
        "leagues",
        title=title,
        game=game,
        options=options,
        episodes=EPISODES,
        seed=secrets.randbits(62),
        began=time.time(),
    )


def end(classroom: Classroom) -> None:
    """End the league that is running, if any. What was submitted is still judged."""
    classroom.database.run("UPDATE leagues SET ended = ? WHERE ended IS NULL", time.time())


def submit(classroom: Classroom, run: sqlite3.Row) -> int:
    """Submit the agent of a run as it is now; return the id of the job that judges it.

    Raises:
        RefusedError: if there is no league for it, or nothing to judge.
        OSError: if the agent cannot be copied.
    """
    league, database = current(classroom), classroom.database
    if league is None or league["ended"] is not None:
        raise RefusedError(409, "no_league")
    if (run["game"], run["options"]) != (league["game"], league["options"]):
        raise RefusedError(409, "other_game")
    folder = run_folder(classroom.runs.place(run["id"]))
    if folder is None or not (folder / TENSORS).is_file():
        raise RefusedError(409, "nothing_learned")
    with database.transaction():
        task = database.insert(
            "tasks",
            student=run["student"],
            kind="judge",
            request="",
            state="queued",
            created=time.time(),
        )
        copy = classroom.settings.data.resolve() / ENTRIES / str(task)
        copy.mkdir(parents=True)
        for name in (CONFIG, TENSORS, BEST):
            if (folder / name).is_file():
                shutil.copy2(folder / name, copy / name)
        request = {
            "folder": str(copy),
            "options": json.loads(league["options"]),
            **{name: league[name] for name in ("game", "episodes", "seed")},
        }
        database.update("tasks", task, request=json.dumps(request))
        database.insert(
            "entries", task=task, league=league["id"], student=run["student"], run=run["id"]
        )
    classroom.queue.wake()
    return task


def judged(classroom: Classroom, task: int) -> None:
    """Note the ranks after an entry was judged, and tell everyone."""
    entry = classroom.database.one("SELECT * FROM entries WHERE task = ?", task)
    if entry is None:
        return
    for row in _standing(classroom, entry["league"]):
        history = _history(classroom, entry["league"], row["student"])
        if history[-1:] != [row["rank"]]:
            classroom.database.insert(
                "ranks",
                league=entry["league"],
                student=row["student"],
                rank=row["rank"],
                at=time.time(),
            )
    classroom.hub.send_all({"type": "league"})


def table(classroom: Classroom, student: int | None, teacher: bool) -> dict[str, Any] | None:
    """Return the newest league as the page gets it; None if there never was one.

    Films and rewards of others are in it only if the teacher shows this student.
    """
    league = current(classroom)
    if league is None:
        return None
    rows = []
    for row in _standing(classroom, league["id"]):
        me = row["student"] == student
        seen = bool(me or teacher or row["shown"])
        run = classroom.runs.find(row["run"])
        rows.append(
            {
                **{name: row[name] for name in ("rank", "name", "score", "low", "high")},
                "run": row["run"] if me else None,
                "film": _film(classroom, row["run"]) if row["shown"] or me else None,
                "version": run["version"] if seen and run is not None else None,
                "me": me,
                "history": _history(classroom, league["id"], row["student"]),
            }
        )
    waiting = classroom.database.one(
        "SELECT count(*) FROM entries JOIN tasks ON task = tasks.id WHERE league = ?"
        " AND state IN ('queued', 'running')",
        league["id"],
    )
    return {
        **{name: league[name] for name in ("title", "game", "episodes")},
        "options": json.loads(league["options"]),
        "running": league["ended"] is None,
        "waiting": 0 if waiting is None else waiting[0],
        "rows": rows,
    }


def _standing(classroom: Classroom, league: int) -> list[dict[str, Any]]:
    """Return the newest judged entry of each student, best first, with its rank."""
    entries = classroom.database.all(
        "SELECT entries.student, entries.run, students.name, students.shown, tasks.result"
        " FROM entries JOIN tasks ON task = tasks.id JOIN students ON entries.student = students.id"
        " WHERE league = ? AND state = 'done' ORDER BY task",
        league,
    )
    newest = {entry["student"]: dict(entry) | json.loads(entry["result"]) for entry in entries}
    found = sorted(newest.values(), key=lambda entry: (-entry["score"], entry["student"]))
    for entry, rank in zip(found, ranks([(e["low"], e["high"]) for e in found]), strict=True):
        entry["rank"] = rank
    return sorted(found, key=lambda entry: (entry["rank"], -entry["score"]))


def _history(classroom: Classroom, league: int, student: int) -> list[int]:
    rows = classroom.database.all(
        "SELECT rank FROM ranks WHERE league = ? AND student = ? ORDER BY at", league, student
    )
    return [row["rank"] for row in rows]


def _film(classroom: Classroom, run: int) -> str | None:
    """Return the path of the newest film of a run."""
    row = classroom.database.one("SELECT max(step) FROM films WHERE run = ?", run)
    return None if row is None or row[0] is None else f"/api/runs/{run}/films/{row[0]}"
