"""Export a run as a small folder for play.py: python -m training export RUN --out FOLDER

The folder has config.json, evaluation.json and the weights of the network. It cannot be resumed:
the optimizer and the environments are left out, and so are the curves.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from training.run_folder import CONFIG, EVALUATION, save_checkpoint
from training.trained_agent import load_model

KEPT = "agent.network."


def export_run(run: Path, folder: Path) -> None:
    """Export `run` to `folder`, which play.py reads like a run folder.

    Raises:
        RunError: if `run` has no checkpoint.
    """
    model = load_model(run)
    kept = {name: tensor for name, tensor in model.tensors.items() if name.startswith(KEPT)}
    progress = {"progress": {"steps": model.step, "evaluated_score": model.score}}
    folder.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, EVALUATION):
        shutil.copyfile(run / name, folder / name)
    save_checkpoint(folder, kept, progress)
