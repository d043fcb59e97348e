"""Names given as text: load the object of a name, and phrase the errors about wrong names."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Sequence
from typing import Any

USER = "user/"
"""Beginning of the names of environments and agents that a user wrote and that Python was given."""


class UnknownOptionError(TypeError, ValueError):
    """An environment has no such option.

    Gymnasium's clients expect the TypeError of a function without that argument, and leave out the
    argument. Command lines show it like every other wrong value.
    """

    @classmethod
    def of(cls, owner: str, name: str, known: Iterable[str]) -> UnknownOptionError:
        """Return the error for the option `name` of `owner`, which has the options `known`."""
        plain = f"{owner} has no option `{name}`; {suggest(name, known)}"
        return cls(f"unexpected keyword argument '{name}': {plain}")

    @property
    def plain(self) -> str:
        """The message without the words of Python and Gymnasium around it."""
        own = str(self).partition(" was raised from the environment creator")[0]
        return own.partition(": ")[2]


def load(target: str) -> Any:
    """Import and return the object that `target`, a "module:attribute", names."""
    module, attribute = target.split(":")
    return getattr(importlib.import_module(module), attribute)


def closest(name: str, known: Iterable[str]) -> str:
    """Return which of the `known` names is probably meant by an unknown one, or ""."""
    return next(iter(difflib.get_close_matches(name, list(known), 1)), "")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message about an unknown `name`: which names are known."""
    known = list(known)
    close = closest(name, known)
    return f"did you mean `{close}`?" if close else f"choose from {', '.join(known) or 'none'}"


def one_of(names: Iterable[Any]) -> str:
    """Return "a, b or c"."""
    *others, last = map(str, names)
    return f"{', '.join(others)} or {last}" if others else last


def flag(setting: str) -> str:
    """Return the command line's name of a setting: `--num-envs` for `num_envs`."""
    return f"--{setting.replace('_', '-')}"


def unused_argument(unused: Sequence[str], flags: Iterable[str], command: str) -> str:
    """Return the error message about command-line arguments that the command does not have.

    Args:
        unused: the arguments; at least one.
        flags: the flags that the command has.
        command: as typed, such as `python train.py`.
    """
    option = next((text.partition("=")[0] for text in unused if text.startswith("-")), None)
    if option is None:
        return f"unexpected argument {unused[0]!r}; {command} --help lists what it takes"
    names = [each.removeprefix("--") for each in flags]
    close = difflib.get_close_matches(option.removeprefix("--"), names, 1)
    hint = f"did you mean --{close[0]}?" if close else f"{command} --help lists all options"
    return f"there is no option {option}; {hint}"
