"""Make of a run a small folder that only plays: python -m training.export RUN FOLDER

It keeps config.json (with the command that made it), evaluation.json and the network's weights, and
leaves out the optimizer, the environments and TensorBoard's events.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from training.run_folder import CONFIG, EVALUATION, load_checkpoint, save_checkpoint

KEPT = "agent.network."


def export_run(run: Path, folder: Path) -> None:
    """Write `folder`, which `play.py` takes as it takes a run.

    Raises:
        RunError: if `run` has no checkpoint.
    """
    tensors, numbers = load_checkpoint(run)
    kept = {name: tensor for name, tensor in tensors.items() if name.startswith(KEPT)}
    folder.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, EVALUATION):
        shutil.copyfile(run / name, folder / name)
    save_checkpoint(folder, kept, {"progress": numbers["progress"]})


if __name__ == "__main__":
    export_run(Path(sys.argv[1]), Path(sys.argv[2]))
