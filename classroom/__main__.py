"""The command line: python -m classroom [--class NAME] [options]"""

from __future__ import annotations

import os
import secrets
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from classroom.options import ClassroomOptions
from rewards.command_line import INTERRUPTED, USAGE_ERROR, as_typed, use_utf8
from rewards.output import forgiving_output
from training.cli import read_options
from training.cores import usable_cores
from training.lock import locked
from training.messages import one_line
from training.run_folder import RunError

MISSING = 'the classroom needs {name}; install it with: pip install -e ".[classroom]"'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options: ClassroomOptions = read_options(ClassroomOptions, given, "-m classroom")
        options.check()
        serve(options)
    except ModuleNotFoundError as error:
        tell(MISSING.format(name=error.name))
        return USAGE_ERROR
    except (ValueError, OSError) as error:
        tell(str(error))
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def serve(options: ClassroomOptions) -> None:
    """Serve until the process is ended.

    Raises:
        ModuleNotFoundError: if a package is not installed.
        ValueError: if the data are in use, or not readable.
        OSError: if the port is taken, or the data cannot be written.
    """
    import uvicorn

    from classroom.app import create_app, make_classroom
    from classroom.context import Settings

    settings = Settings(
        data=options.data,
        group=options.group,
        host=options.host,
        port=options.port,
        jobs=options.jobs or usable_cores(),
        steps=options.steps,
        lang=options.lang,
        trusted=options.trust_students,
    )
    settings.private.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(options.data))
        except RunError:
            text = f"{options.data} is used by another classroom; choose another --data"
            raise ValueError(text) from None
        config = uvicorn.Config(
            create_app(classroom := make_classroom(settings), signing_key(settings.private)),
            host=options.host,
            port=options.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws_max_size=4_096,
            timeout_keep_alive=60,
            ws_ping_timeout=60.0,  # a laptop that is busy is not gone
            timeout_graceful_shutdown=2,
        )
        listener = config_socket(options)
        stack.callback(listener.close)
        for line in greeting(classroom):
            print(as_typed(line), flush=True)
        if not options.no_browser:
            webbrowser.open(classroom.settings.address)
        uvicorn.Server(config).run(sockets=[listener])


def config_socket(options: ClassroomOptions) -> Any:
    """Return a socket that listens, so that the browser can connect at once.

    Raises:
        ValueError: if that is not possible.
    """
    import socket

    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":  # there, it would let two programs share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        listener.listen(1_024)
    except OSError as error:
        listener.close()
        raise ValueError(
            f"cannot listen on {options.host}, port {options.port}: {error.strerror}; choose "
            "another --port"
        ) from None
    return listener


def signing_key(folder: Path) -> str:
    """Return the key that signs sessions; it is made once, for its owner to read.

    Raises:
        OSError: if it cannot be read or written.
    """
    file = folder / "secret"
    if not file.is_file():
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as writing:
            writing.write(secrets.token_urlsafe(32))
    return file.read_text(encoding="ascii")


def greeting(classroom: Any) -> list[str]:
    """Return what the terminal shows at the start: addresses, the code, protections."""
    from rewards.sandbox.protection import described

    settings = classroom.settings
    what = f"class {settings.group}" if not settings.local else "local mode, without log-in"
    lines = [f"Training Wheels, classroom: {what}", f"Open:        {settings.address}"]
    if not settings.local:
        lines += [
            f"Join code:   {classroom.code}",
            f"Teacher:     {settings.address}/teacher?key={classroom.teacher_key}",
        ]
    allowed = "all of Python" if settings.trusted else "a strict part of Python"
    return [
        *lines,
        f"Rewards:     {allowed}, executed {described()}",
        f"Trainings:   {settings.jobs} at a time; everything is kept in {settings.data}",
        "Press Ctrl-C to end. Trainings are saved, and go on at the next start.",
    ]


def tell(text: str) -> None:
    """Print an error in one line."""
    print(f"classroom: {one_line(as_typed(text))}", file=sys.stderr)


if __name__ == "__main__":
    use_utf8("classroom")
    forgiving_output()
    sys.exit(main())
