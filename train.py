"""Train an agent: python train.py [--env paddle] [--agent ppo] [--reward hit_or_miss] ..."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Sequence

from training.supervisor import is_in_sandbox, is_needed, supervise, supervised

USAGE_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    import gymnasium  # here, because a sandbox is entered before threads are started

    from training.train_options import parse

    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options, config = parse(arguments)
        if options.sandbox and not is_in_sandbox():
            raise ValueError("--sandbox needs a process of its own: run python train.py")
        import torch  # here, so that errors in options appear at once

        from training.session import run_session

        torch.set_num_threads(options.threads)
        command = shlex.join(["python", "train.py", *arguments])
        return run_session(config, options.run_dir, options.resume, command)
    except (ValueError, FloatingPointError, OSError, gymnasium.error.Error) as error:
        tell(str(error))
        return USAGE_ERROR
    except MemoryError as error:
        tell(f"there is not enough memory ({error}); use fewer environments or smaller buffers")
        return USAGE_ERROR
    except KeyboardInterrupt:
        tell("interrupted; the last checkpoint is in the run folder")
        return INTERRUPTED


def start() -> int:
    """Run the command line; a user's code runs in a process of its own."""
    try:
        if is_needed(sys.argv[1:]):
            return supervise(sys.argv[1:])
    except (ValueError, OSError) as error:
        tell(str(error))
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    with supervised():
        from envs.output import forgiving_output  # here, for the same reason as in `main`

        forgiving_output()
        return main()


def tell(text: str) -> None:
    """Print an error or a warning in one line."""
    print(f"train.py: {text}", file=sys.stderr)


if __name__ == "__main__":
    warnings.showwarning = lambda message, *_, **__: tell(f"warning: {message}")
    sys.exit(start())
