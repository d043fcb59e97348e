"""What the process of a trial reports, in lines of JSON.

The process runs a user's code, which could write into the pipe itself. Therefore every report is
checked before it is used.
"""

from __future__ import annotations

import re
from typing import IO, Annotated, Literal, TypedDict

import msgspec

MAX_BYTES = 2**24  # of one report
CONTROL = re.compile(rb"\\u00([01][0-9a-f]|7f|[89][0-9a-f])")
"""Control characters in JSON. A user's code could move the cursor of the terminal with them."""

Number = float | None


class Event(TypedDict):
    """How often an event happened, and what each reward pays for it on average."""

    name: str
    count: int
    values: list[Number]


class Player(TypedDict):
    """What a player's episodes were like, and what each reward pays for them."""

    name: str
    steps: float
    score: float
    terminated: Number
    values: list[Number]
    before_the_end: list[Number]


class Found(TypedDict):
    """What a reward pays for."""

    game: str
    rewards: list[str]
    events: list[Event]
    players: Annotated[list[Player], msgspec.Meta(min_length=1)]
    ranges: Annotated[dict[str, tuple[Number, Number, Number]], msgspec.Meta(min_length=1)]
    tests: int
    failures: list[str]
    warnings: list[str]


class Verdict(TypedDict):
    """The result of a trial."""

    compiled: list[bool]
    """Whether each term can be compiled."""
    warnings: list[str]
    digests: list[str]
    tests: int
    failures: list[str]


class Running(msgspec.Struct, forbid_unknown_fields=True):
    """A piece of the user's code begins to run, or has ended (`done`)."""

    running: str = ""
    file: str = ""
    place: str = ""
    """`file:line`, for errors."""
    seconds: float = 0.0
    """Limit of processor time."""
    reward: str = ""
    """Name of the reward of the file, if the code is another function in it."""
    done: bool = False


class Report(Running, forbid_unknown_fields=True):
    """One line of JSON: a `Running`, or one of the following."""

    say: str = ""
    """A message for the user."""
    digests_folder: str = ""
    needs: Literal["", "recording"] = ""
    found: Found | None = None
    verdict: Verdict | None = None
    error: str = ""


def next_report(pipe: IO[bytes]) -> Report | None:
    """Return the next report; None if the pipe has ended.

    Raises:
        ValueError: if it is not a report.
    """
    line = pipe.readline(MAX_BYTES)
    if not line:
        return None
    try:
        return msgspec.json.decode(CONTROL.sub(b"", line), type=Report)
    except RecursionError as error:
        raise ValueError("too many brackets") from error
