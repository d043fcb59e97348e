"""The classroom's database: one SQLite file with everything that must survive a restart.

It is used by the server's event loop only. Each statement takes far less than a millisecond.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VERSION = 1
SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE students (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    key TEXT NOT NULL,          -- in the student's session: a new key ends all earlier sessions
    open INTEGER NOT NULL DEFAULT 0,  -- may join again under the same name
    shown INTEGER NOT NULL DEFAULT 0, -- the class may see the behaviour and the reward
    created REAL NOT NULL,
    seen REAL NOT NULL,
    edited REAL NOT NULL DEFAULT 0,
    problem TEXT,               -- the last error, and since when there has been one
    problem_since REAL,
    served REAL NOT NULL DEFAULT 0    -- when a job of this student last began
);
CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    student INTEGER NOT NULL REFERENCES students ON DELETE CASCADE,
    game TEXT NOT NULL,
    options TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    source TEXT NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    student INTEGER NOT NULL REFERENCES students ON DELETE CASCADE,
    version INTEGER,            -- kept when the version is deleted
    game TEXT NOT NULL,
    options TEXT NOT NULL,
    source TEXT NOT NULL,
    exercise TEXT,
    steps INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    state TEXT NOT NULL,
    step INTEGER NOT NULL DEFAULT 0,
    served REAL NOT NULL DEFAULT 0,
    score REAL,
    low REAL,
    high REAL,
    error TEXT,
    grade TEXT,
    created REAL NOT NULL,
    began REAL,
    ended REAL
);
CREATE TABLE films (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    step INTEGER NOT NULL,
    score REAL,
    PRIMARY KEY (run, step)
);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    student INTEGER REFERENCES students ON DELETE CASCADE,
    kind TEXT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    result TEXT,
    error TEXT,
    created REAL NOT NULL,
    ended REAL
);
CREATE TABLE leagues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    game TEXT NOT NULL,
    options TEXT NOT NULL,
    episodes INTEGER NOT NULL,
    seed INTEGER NOT NULL,      -- of the games that judge; it is never sent
    began REAL NOT NULL,
    ended REAL
);
CREATE TABLE entries (
    task INTEGER PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
    league INTEGER NOT NULL REFERENCES leagues ON DELETE CASCADE,
    student INTEGER NOT NULL REFERENCES students ON DELETE CASCADE,
    run INTEGER NOT NULL
);
CREATE TABLE ranks (
    league INTEGER NOT NULL REFERENCES leagues ON DELETE CASCADE,
    student INTEGER NOT NULL REFERENCES students ON DELETE CASCADE,
    rank INTEGER NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX versions_of ON versions (student);
CREATE INDEX runs_of ON runs (student);
CREATE INDEX runs_in ON runs (state);
CREATE INDEX tasks_in ON tasks (state);
"""


class Database:
    """A connection to the database."""

    def __init__(self, file: Path) -> None:
        """Open the file, or make it.

        Raises:
            OSError: if it cannot be opened, or was made by another version.
        """
        try:
            self._connection = sqlite3.connect(file, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._connection.executescript(
                    f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT"
                )
        except sqlite3.Error as error:
            raise OSError(f"{file} cannot be opened: {error}") from None
        if version not in (0, VERSION):
            raise OSError(f"{file} was made by another version of the classroom; use --data NEW")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def run(self, sql: str, *values: Any) -> int:
        """Execute a statement; return the id of the row that it has inserted, if any."""
        return self._connection.execute(sql, values).lastrowid or 0

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row; return its id."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        return self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", *values.values())

    def update(self, table: str, number: int, **values: Any) -> None:
        """Change columns of the row with an id."""
        changes = ", ".join(f"{name} = ?" for name in values)
        self.run(f"UPDATE {table} SET {changes} WHERE id = ?", *values.values(), number)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make several changes together or, on an error, none of them."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def setting(self, key: str, default: Any) -> Any:
        """Return a setting; a missing one becomes `default`, which is saved."""
        row = self.one("SELECT value FROM settings WHERE key = ?", key)
        if row is None:
            self.set(key, default)
            return default
        return json.loads(row["value"])

    def set(self, key: str, value: Any) -> None:
        """Save a setting, as JSON."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", key, json.dumps(value))
