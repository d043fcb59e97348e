"""Train an agent: python train.py [--env paddle] [--agent ppo] [--reward hit_or_miss] ..."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Sequence

import gymnasium

from envs.output import forgiving_output
from training.cli import INTERRUPTED, USAGE_ERROR
from training.train_options import parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options, config = parse(arguments)
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


def tell(text: str) -> None:
    """Print an error or a warning in one line."""
    print(f"train.py: {text}", file=sys.stderr)


if __name__ == "__main__":
    forgiving_output()
    warnings.showwarning = lambda message, *_, **__: tell(f"warning: {message}")
    sys.exit(main())
