"""Train an agent: python train.py [--env paddle] [--agent ppo] [--reward hit_or_miss] ..."""

from __future__ import annotations

import sys

import rewards  # noqa: F401 - first, see there

try:
    import shlex
    import threading
    import warnings
    from collections.abc import Sequence
    from pathlib import Path

    from rewards.command_line import INTERRUPTED, USAGE_ERROR, as_typed
    from training.messages import one_line
    from training.supervisor import is_in_sandbox, start
except KeyboardInterrupt:  # these imports take half a second
    print("train.py: interrupted", file=sys.stderr)
    sys.exit(130)

NOT_BEGUN = "interrupted before the training began; nothing was written"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return run(arguments)
    except KeyboardInterrupt as error:
        tell(str(error) or NOT_BEGUN)
        return INTERRUPTED


def run(arguments: list[str]) -> int:
    """Train as the arguments say and return the exit code.

    Imports stand here, where Ctrl-C is handled, and because a sandbox is entered before threads are
    started.
    """
    import gymnasium

    from agents import ranks

    try:
        with ranks.joined():
            return _train(arguments)
    except (ValueError, FloatingPointError, OSError, gymnasium.error.Error) as error:
        tell(str(error))
        return USAGE_ERROR
    except MemoryError as error:
        tell(f"there is not enough memory ({error}); use fewer environments or smaller buffers")
        return USAGE_ERROR


def _train(arguments: list[str]) -> int:
    """Train as the arguments say and return the exit code; errors are raised."""
    from agents import ranks
    from training.train_options import parse

    options, config = parse(arguments)
    if options.sandbox and not is_in_sandbox():
        raise ValueError("--sandbox needs a process of its own: run python train.py")
    # here, so that errors in options appear at once
    from rich.console import Console

    from training.messages import say
    from training.session import next_commands, result_lines, run_session

    command = as_typed(shlex.join([*ranks.program(ranks.count()).split(), "train.py", *arguments]))
    console = Console(quiet=ranks.rank() > 0)
    ending = run_session(config, options.run_dir, options.resume, command, console=console)
    for line in (*result_lines(ending), *next_commands(ending)):
        say(console, line)
    return INTERRUPTED if ending.interrupted else 0


def folder_for_sandbox(arguments: Sequence[str]) -> Path:
    """Return the run folder of a training in a sandbox; a new run gets a new one.

    Raises:
        ValueError: if an option is wrong.
        OSError: if the folder cannot be made.
    """
    from agents import ranks
    from training.run_folder import new_run_folder
    from training.train_options import parse

    options, config = parse(list(arguments))
    if config.device != "cpu":
        raise ValueError(f"--sandbox trains on the CPU: leave out --device {config.device}")
    if ranks.started_together():
        raise ValueError("--sandbox trains in one process; start it without torchrun")
    return options.resume or new_run_folder(options.run_dir, config.env, config.agent, config.seed)


def tell(text: str) -> None:
    """Print an error in one line, in one of the processes that train."""
    from agents import ranks

    if ranks.tells():
        print(f"train.py: {one_line(as_typed(text))}", file=sys.stderr)


def warn(text: str) -> None:
    """Print a warning in one line, in the first of the processes that train."""
    from agents import ranks

    if ranks.rank() == 0:
        print(f"train.py: warning: {one_line(as_typed(text))}", file=sys.stderr)


def keep_quiet(failed: threading.ExceptHookArgs) -> None:
    """Leave out the traceback of TensorBoard's thread; the logger raises its OSError again."""
    if not isinstance(failed.exc_value, OSError):
        threading.__excepthook__(failed)


if __name__ == "__main__":
    warnings.showwarning = lambda message, *_, **__: warn(str(message))
    threading.excepthook = keep_quiet
    sys.exit(start("train.py", main, folder_for_sandbox))
