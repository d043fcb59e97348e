"""Export a run: python -m training export RUN --out policy.onnx"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import gymnasium
import tyro

from rewards.command_line import USAGE_ERROR
from training.cli import read_options
from training.messages import one_line


@dataclass(frozen=True)
class Export:
    """Export the best model of a run, to ONNX or to a small folder for play.py."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder of the run, such as runs/NAME."""
    out: Annotated[Path, tyro.conf.arg(metavar="PATH")]
    """File to write, such as policy.onnx; without .onnx at its end, a folder for play.py."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if not arguments or arguments[0] not in ("export", "-h", "--help"):
            raise ValueError("the command is: python -m training export RUN --out policy.onnx")
        given = arguments[1:] if arguments[0] == "export" else ["--help"]
        options: Export = read_options(Export, given, "-m training export")
        print(f"{options.out}: {export(options)}")
    except (ValueError, OSError, gymnasium.error.Error) as error:
        print(f"training: {one_line(error)}", file=sys.stderr)
        return USAGE_ERROR
    return 0


def export(options: Export) -> str:
    """Export a run and return what was exported, in a line."""
    if options.out.suffix == ".onnx":
        from training.onnx_export import export_policy

        return str(export_policy(options.run, options.out))
    from training.export import export_run

    export_run(options.run, options.out)
    return f"weights of {options.run}; watch it with python play.py {options.out}"


if __name__ == "__main__":
    sys.exit(main())
