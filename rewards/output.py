"""Output that never stops a program, whatever its reader and its encoding are."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any, TextIO, cast


class Output:
    """A text stream like the given one. If its reader goes away, the rest is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text and return its length."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._drop_the_rest(error)
            return len(text)

    def flush(self) -> None:
        """Hand what was written to the reader."""
        try:
            self._stream.flush()
        except OSError as error:
            self._drop_the_rest(error)

    def _drop_the_rest(self, error: OSError) -> None:
        """Drop all further output, including what Python flushes when it exits.

        Raises:
            OSError: if the reader is still there. On Windows, EINVAL says that it has gone.
        """
        if error.errno not in (errno.EPIPE, errno.EINVAL):
            raise error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def forgiving_output() -> None:
    """Keep the program running if its reader goes away, and replace characters.

    A console or a file in Windows' cp1252 or in ASCII cannot hold every path or text. What it
    cannot hold becomes a question mark. Call this only at the beginning of a program.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # pythonw.exe has no console
            continue
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
        setattr(sys, name, cast(TextIO, Output(stream)))
