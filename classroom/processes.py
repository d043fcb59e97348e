"""Processes of the classroom: one module each, spoken to with lines of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rewards.child_process import environment_for_child
from rewards.sandbox.protection import confined


async def start_confined(
    module: str,
    writable: Sequence[Path],
    hidden: Sequence[Path],
    limit: int,
    stderr: int | None = None,
) -> asyncio.subprocess.Process:
    """Start a module in the sandbox, where there is one.

    Args:
        module: its name.
        writable: folders in which it can write.
        hidden: folders that it cannot see, where the system can hide them.
        limit: largest number of bytes of a line that it sends.
        stderr: what becomes of its standard error, as for `subprocess`.

    Raises:
        OSError: if the system cannot start a process.
    """
    command, variables = confined([sys.executable, "-P", "-m", module], writable, hidden=hidden)
    return await start(command, limit, variables, stderr)


async def start(
    command: Sequence[str],
    limit: int,
    variables: dict[str, str] | None = None,
    stderr: int | None = None,
) -> asyncio.subprocess.Process:
    """Start a command; arguments as for `start_confined`, and further environment variables."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment_for_child() | (variables or {}),
        limit=limit,
        start_new_session=True,  # a Ctrl-C in the server's terminal is the server's
    )


def send_line(process: asyncio.subprocess.Process, content: dict[str, Any]) -> None:
    """Send a line of JSON to a process. If it has ended, reading from it will say so."""
    assert process.stdin is not None
    with contextlib.suppress(OSError, RuntimeError):
        process.stdin.write(json.dumps(content).encode() + b"\n")
