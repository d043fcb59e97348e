"""The options of `python -m classroom`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from training.cli import Switch, Text

LOCAL = "127.0.0.1"
MOST_NAME = 60


@dataclass(frozen=True, kw_only=True)
class ClassroomOptions:
    """Open the sandbox in a browser, for yourself or, with --class, for a class.

    Without --class, there is no log-in, and only this computer can connect.
    """

    group: Annotated[Text, tyro.conf.arg(name="class")] = None
    """Name of the class. Students join with a code and a name."""
    host: str = LOCAL
    """Address to listen on; 0.0.0.0 lets other computers of the network connect."""
    port: int = 8000
    """Port to listen on."""
    data: Path = Path("runs", "classroom")
    """Folder of everything that is kept."""
    jobs: int = 0
    """Number of trainings at a time; 0 means one per core."""
    steps: int = 2_000_000
    """Maximum number of steps of a training; the teacher can change it."""
    lang: Literal["en", "ko"] = "en"
    """Language until someone chooses another one."""
    no_browser: Switch = False
    """Open no browser."""
    trust_students: Switch = False
    """Allow all of Python in rewards. Only for yourself, on 127.0.0.1."""

    def check(self) -> None:
        """Raise ValueError for values that cannot be used, or that do not go together."""
        for name, value, least, most in (
            ("port", self.port, 1, 65_535),
            ("jobs", self.jobs, 0, 1_000),
            ("steps", self.steps, 1_000, 100_000_000),
        ):
            if not least <= value <= most:
                raise ValueError(f"--{name} must be between {least:,} and {most:,}, got {value:,}")
        own = self.host in (LOCAL, "localhost", "::1")
        if self.group is None and not own:
            raise ValueError(f"--host {self.host} needs --class NAME: others could connect")
        if self.group is not None and not (self.group.strip() and len(self.group) <= MOST_NAME):
            raise ValueError(f"--class must have 1 to {MOST_NAME} letters, got {self.group!r}")
        if self.trust_students and not (own and self.group is None):
            raise ValueError(
                "--trust-students executes any Python of students: leave out --class and --host"
            )
