"""Export a run as a small folder for play.py: python -m training export RUN --out FOLDER

The folder has config.json, evaluation.json and the weights of the network. It cannot be resumed:
the optimizer and the environments are left out, and so are the curves.
"""

from __future__ import annotations

import os
from pathlib import Path

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
