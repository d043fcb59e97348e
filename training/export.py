"""Export a run: python -m training export RUN --out PATH

A path that ends in .onnx is a file (see `training.onnx_export`), any other a small folder for
play.py. The folder has config.json, evaluation.json and the weights of the network. It cannot be
resumed: the optimizer and the environments are left out, and so are the curves.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from rewards.command_line import as_typed
from training.cli import read_options
from training.run_folder import (
    CONFIG,
    EVALUATION,
    RunError,
    has_checkpoint,
    read_json,
    save_checkpoint,
    write_json,
)
from training.trained_agent import load_config, load_model

KEPT = "agent.network."


@dataclass(frozen=True)
class Export:
    """Export the best model of a run, to ONNX or to a small folder for play.py."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder of the run, such as runs/NAME."""
    out: Annotated[Path, tyro.conf.arg(metavar="PATH")]
    """File to write, such as policy.onnx; without .onnx at its end, a folder for play.py."""


def main(arguments: Sequence[str]) -> None:
    """Run the command and print what was exported.

    Raises:
        ValueError: if the options or the run cannot be used.
        OSError: if nothing can be written.
    """
    options: Export = read_options(Export, arguments, "-m training export")
    if options.out.suffix == ".onnx":
        load_config(options.run)  # what is wrong with RUN comes before missing packages
        from training.onnx_export import export_policy  # it imports ONNX

        print(f"{options.out}: {export_policy(options.run, options.out)}")
    else:
        export_run(options.run, options.out)
        text = f"weights of {options.run}; watch it with python play.py {options.out}"
        print(as_typed(f"{options.out}: {text}"))


def export_run(run: Path, folder: Path) -> None:
    """Export `run` to `folder`, which play.py reads like a run folder.

    Raises:
        RunError: if `run` is damaged or has no checkpoint, or `folder` already holds a run.
    """
    if has_checkpoint(folder):
        raise RunError(f"{folder} already holds a run; choose another --out")
    load_config(run)
    model = load_model(run)
    kept = {name: tensor for name, tensor in model.tensors.items() if name.startswith(KEPT)}
    progress = {"progress": {"steps": model.step, "evaluated_score": model.score}}
    texts = [name for name in (CONFIG, EVALUATION) if os.path.lexists(run / name)]
    contents = {name: read_json(run / name) for name in texts}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_json(folder / name, content)
    save_checkpoint(folder, kept, progress)
