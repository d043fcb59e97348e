"""Which protection against a user's code this system offers, and how to start a process in it.

The best one that works is used:

1. `BUBBLEWRAP`: the program `bwrap` starts the process with a read-only view of the files, without
   a network and without a view of other processes. `LANDLOCK` is added if the kernel has it.
2. `LANDLOCK`: the process restricts itself; see `rewards.sandbox.restrictions`.
3. "": nothing but the limits of `rewards.sandbox.confinement`.

docs/security.md says what each one promises.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rewards.sandbox import restrictions

BUBBLEWRAP, LANDLOCK = "bubblewrap", "Landlock and seccomp"
VARIABLE = "TRAINING_WHEELS_SANDBOX"
"""Environment variable of a process in a sandbox: which one, and what it can do."""
SIGNALLED = 128
"""Exit codes of shells above it stand for signals."""
PROBE_SECONDS = 10.0
LINUX: bool = platform.system() == "Linux"


@functools.cache
def protection() -> str:
    """Return the best protection that works here, or the one that this process is in."""
    if VARIABLE in os.environ:
        return str(json.loads(os.environ[VARIABLE])["protection"])
    if _bubblewrap_works():
        return BUBBLEWRAP
    return LANDLOCK if restrictions.available() else ""


def described() -> str:
    """Say in a few words which protection is active."""
    name = protection()
    return f"in a sandbox: {name}" if name else f"with limits only, as {missing()}"


def missing() -> str:
    """Say why there is no sandbox here, and what to do about it."""
    if LINUX:
        installed = shutil.which("bwrap") is not None
        bubblewrap = "let bubblewrap create namespaces" if installed else "install bubblewrap"
        return f"there is no sandbox here: {bubblewrap}, or use Linux 6.2 or later"
    return "sandboxes need Linux"


def confined(
    command: Sequence[str],
    writable: Sequence[Path],
    *,
    hidden: Sequence[Path] = (),
    programs: bool = False,
    chosen: str | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts a Python process in the sandbox, and variables for it.

    The process must call `enter` before it starts threads or runs a user's code.

    Args:
        command: what to run.
        writable: existing folders in which it can write.
        hidden: existing folders that are empty for it; only `BUBBLEWRAP` can hide them.
        programs: whether it can start other programs, in the same sandbox.
        chosen: the protection to use; by default the best one.
    """
    chosen = protection() if chosen is None else chosen
    if not chosen:
        return list(command), {}
    folders = [str(folder.resolve()) for folder in writable]
    content = {"protection": chosen, "writable": folders, "programs": programs}
    variables = {VARIABLE: json.dumps(content)}
    if chosen != BUBBLEWRAP or VARIABLE in os.environ:  # a sandbox in it adds its restrictions
        return list(command), variables
    binds = [word for folder in folders for word in ("--bind", folder, folder)]
    binds += [word for folder in hidden for word in ("--tmpfs", str(folder.resolve()))]
    return [*_bubblewrap(), *binds, "--", *command], variables


def exit_code(code: int) -> int:
    """Return the exit code of a process in the sandbox, negative if a signal ended it.

    bubblewrap passes on a signal as shells do.
    """
    return SIGNALLED - code if protection() == BUBBLEWRAP and code > SIGNALLED else code


def enter(writable: Sequence[Path] | None = None) -> None:
    """Restrict this process, if it was started in a sandbox.

    Args:
        writable: the folders in which it can write from now on, if not all those of `confined`.
    """
    if VARIABLE in os.environ and restrictions.available():
        content = json.loads(os.environ[VARIABLE])
        folders = map(Path, content["writable"]) if writable is None else writable
        restrictions.restrict(list(folders), content["programs"])


def _bubblewrap() -> list[str]:
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
    ]


def _bubblewrap_works() -> bool:
    """Return whether `bwrap` is there and can make namespaces; some systems forbid that."""
    if not LINUX or shutil.which("bwrap") is None:
        return False
    try:
        tried = subprocess.run([*_bubblewrap(), "true"], capture_output=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0
