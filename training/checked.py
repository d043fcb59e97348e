"""Content of JSON files as instances of dataclasses, checked against the types of their fields."""

from __future__ import annotations

import dataclasses
import re
import reprlib
from typing import Annotated, Any, TypeVar

import msgspec

from envs.names import suggest
from training.run_folder import RunError

T = TypeVar("T")
MAX_COUNT = 2**53
"""Greatest integer up to which a float holds every integer."""
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
"""Type of a field that counts something."""
STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def checked(content: Any, kind: type[T], place: str) -> T:
    """Return `content` as an instance of the dataclass `kind`; messages name the `place`.

    Raises:
        RunError: for an entry that is missing, unknown, or of a wrong type or size.
    """
    if not isinstance(content, dict):
        raise RunError(f"{place} must be a JSON object, got {reprlib.repr(content)}")
    names = [each.name for each in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in content:
        if name not in names:
            raise RunError(
                f"{place} has an entry `{name}` that this version does not know; "
                f"{suggest(name, names)}"
            )
    try:
        return msgspec.convert(content, kind)
    except (ValueError, TypeError, RecursionError) as error:
        message, at, path = str(error).partition(" - at `$.")
        if at:
            path = path.rstrip("`")
            wanted = message.partition(", got")[0].lower()
            message = f"`{path}`: {wanted}, got {reprlib.repr(_found(content, path))}"
        raise RunError(f"{place} cannot be used: {message}") from None


def _found(content: Any, path: str) -> Any:
    """Return the value at a path such as `curves.blocks[0].step`, or the last one that exists."""
    for name, index in STEP.findall(f".{path}"):
        if isinstance(content, dict) and name in content:
            content = content[name]
        elif isinstance(content, list) and index:
            content = content[int(index)]
    return content
