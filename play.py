"""Watch an agent play, or play yourself: python play.py [RUN]"""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Sequence

try:
    from rewards.command_line import INTERRUPTED, USAGE_ERROR, use_utf8
    from training.messages import one_line
    from training.supervisor import is_needed, leave, supervise, supervised

    if __name__ == "__main__":
        use_utf8("play.py")
        if is_needed(sys.argv[1:]) and "--sandbox" not in sys.argv:
            # another process names a reward that never returns, or that ends its process
            try:
                sys.exit(supervise(sys.argv[1:]))
            except (ValueError, OSError) as error:
                print(f"play.py: {one_line(error)}", file=sys.stderr)
                sys.exit(USAGE_ERROR)

    import tyro

    from playing.app import play
    from playing.selection import PlayError, PlayOptions, tell
    from rewards.expression import RewardError
    from rewards.output import forgiving_output
    from training.cli import read_options
except KeyboardInterrupt:  # these imports take a second or more
    print("play.py: interrupted", file=sys.stderr)
    sys.exit(130)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = read(arguments)
        summary = play(options, shlex.join(["python", "play.py", *arguments]))
    except (PlayError, RewardError) as error:
        tell(str(error))
        return USAGE_ERROR
    except MemoryError as error:
        tell(f"there is not enough memory ({error})")
        return USAGE_ERROR
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    print(summary.to_json() if options.json else summary)
    return 0


def read(arguments: Sequence[str]) -> PlayOptions:
    """Return the options of a command line.

    Raises:
        PlayError: for arguments that cannot be used.
    """
    no_pairs = (tyro.conf.FlagCreatePairsOff,)
    try:
        options: PlayOptions = read_options(PlayOptions, arguments, "play.py", config=no_pairs)
    except ValueError as error:
        raise PlayError(str(error)) from None
    return options


if __name__ == "__main__":
    forgiving_output()
    warnings.showwarning = lambda message, *_, **__: tell(f"warning: {message}")
    with supervised():
        code = main()
    sys.exit(leave(code))
