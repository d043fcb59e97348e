"""Errors in a user's code, in one line with file and line number."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable, Collection
from typing import Any


def where(error: BaseException, files: Collection[str]) -> str:
    """Return `file:line` of the innermost line of `files` in the traceback of `error`.

    It is empty if the traceback touches none of them.
    """
    places = [
        place(frame.filename, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename in files
    ]
    return places[-1] if places else ""


def line_in(dump: str, file: str) -> str:
    """Return `file:line` of the innermost line of `file` in a traceback of faulthandler.

    It is empty if the traceback does not touch the file.
    """
    written = re.escape(file.encode("ascii", "backslashreplace").decode())
    found = re.search(rf'File "{written}", line (\d+)', dump)
    return f"{file}:{found[1]}" if found else ""


def describe(error: BaseException) -> str:
    """Return an exception in one line."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    text = f"{name}: {text}" if text else name
    if isinstance(error, SystemExit):
        return f"{text}; a reward must not end the program"
    return text


def message_of(error: BaseException) -> str:
    """Return the message for people, which `envs.names.UnknownOptionError` has as `plain`."""
    return getattr(error, "plain", str(error))


def place_of(function: Callable[..., Any]) -> str:
    """Return `file:line` at which a function begins, without its decorators."""
    code = inspect.unwrap(function).__code__
    return place(code.co_filename, code.co_firstlineno)


def place(file: str, line: int | None) -> str:
    """Return `file:line`, or for a notebook `Cell In[3], line 2`."""
    cell = _cell_of(file)
    return f"{cell}, line {line}" if cell else f"{file}:{line}"


def _cell_of(file: str) -> str:
    """Return the notebook's cell that IPython calls `file`; empty if it is none."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    found = None if shell is None else shell.compile.format_code_name(file)
    return " ".join(found) if found else ""
