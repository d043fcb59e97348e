"""Watch an agent play, or play yourself: python play.py [RUN]"""

from __future__ import annotations

import sys

import rewards  # noqa: F401 - first, see there

try:
    import shlex
    import warnings
    from collections.abc import Sequence

    from rewards.command_line import INTERRUPTED, USAGE_ERROR, as_typed
    from training.messages import one_line
    from training.supervisor import start
except KeyboardInterrupt:  # these imports take half a second
    print("play.py: interrupted", file=sys.stderr)
    sys.exit(130)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return run(arguments)
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED


def run(arguments: list[str]) -> int:
    """Play as the arguments say and return the exit code.

    Imports stand here, where Ctrl-C is handled.
    """
    from playing.app import label_examples, play, replay
    from playing.selection import PlayError, read
    from rewards.expression import RewardError

    try:
        options = read(arguments)
        if options.label is not None:
            print(label_examples(options))
            return 0
        if options.replay is not None:
            replay(options)
            return 0
        summary = play(options, as_typed(shlex.join(["python", "play.py", *arguments])))
    except (PlayError, RewardError) as error:
        tell(str(error))
        return USAGE_ERROR
    except MemoryError as error:
        tell(f"there is not enough memory ({error})")
        return USAGE_ERROR
    print(summary.to_json() if options.json else summary)
    return 0


def tell(text: str) -> None:
    """Print an error or a warning in one line."""
    print(f"play.py: {one_line(as_typed(text))}", file=sys.stderr)


if __name__ == "__main__":
    warnings.showwarning = lambda message, *_, **__: tell(f"warning: {message}")
    sys.exit(start("play.py", main))
