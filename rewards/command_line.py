"""Helpers of the command lines. It imports little, because programs import it first."""

from __future__ import annotations

import argparse
import codecs
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

USAGE_ERROR = 2
INTERRUPTED = 130
CLONE = (Path(__file__).parents[1] / "pyproject.toml").is_file()
"""Whether this is a clone, with train.py and play.py; else it was installed from a wheel."""
INSTALLED = re.compile(
    r"\bpython (?:(train|play)\.py\b|-m (rewards|stages|training|classroom|envs)\b)"
)


def use_utf8(program: str) -> None:
    """Make sure that file names with any letters can be written into a run folder.

    In the C locale with `PYTHONUTF8=0`, for example, file names are read as ASCII. The program is
    then started again in Python's UTF-8 mode. Call this only at the beginning of a program.

    Args:
        program: the name in front of its errors.

    Raises:
        SystemExit: if an argument is not UTF-8.
    """
    encoding = codecs.lookup(sys.getfilesystemencoding()).name
    unreadable = [os.fsencode(text) for text in sys.argv[1:] if not _is_text(text)]
    if encoding == "utf-8":
        if unreadable:
            print(f"{program}: {unreadable[0]!r} is not UTF-8; rename the file", file=sys.stderr)
            sys.exit(USAGE_ERROR)
    elif encoding == "ascii" or unreadable:
        os.environ["PYTHONUTF8"] = "1"  # for the processes that this one will start
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _is_text(text: str) -> bool:
    """Return whether all bytes could be decoded; surrogates stand for the others."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def quoted(text: object) -> str:
    """Return one argument of a command as the user's shell reads it."""
    if sys.platform == "win32":  # single quotes mean nothing to cmd.exe
        return subprocess.list2cmdline([str(text)])
    return shlex.quote(str(text))


def as_typed(text: str) -> str:
    """Return a text with the commands as the user types them: `training-wheels train`.

    Outside of a clone there is no train.py.
    """
    return (
        text
        if CLONE
        else INSTALLED.sub(lambda found: f"training-wheels {found[1] or found[2]}", text)
    )


class OneLineParser(argparse.ArgumentParser):
    """Raises ValueError, with one line, for mistakes on a command line."""

    def error(self, message: str) -> NoReturn:
        choice = re.match(r"argument (\S+): invalid choice: ('.*') \(choose from (.*)\)", message)
        missing = re.match(r"the following arguments are required: (.*)", message)
        without = re.match(r"argument (\S+): expected", message)
        if missing:
            message = f"{missing[1]} is missing: {self.prog} {missing[1]}"
        elif choice:
            known = choice[3].replace("'", "").split(", ")
            message = f"{choice[1]} must be {' or '.join(known)}, got {choice[2]}"
        elif without:
            message = f"{without[1]} needs a value"
        raise ValueError(message)
