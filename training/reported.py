"""What evaluation.json says about the agent of a run at its end."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

from training.checked import Count, checked
from training.run_folder import EVALUATION, read_json


@dataclass(frozen=True)
class Reported:
    """The entries that are read again; `training.session` writes more."""

    mean_score: float
    """Mean score of the best model."""
    steps: Count
    """Environment steps of the training."""
    solved: bool
    """Whether the training ended because the run was solved."""


def reported(folder: Path) -> Reported | None:
    """Return what the final evaluation of a run found, or None before there is one.

    Raises:
        RunError: if the file is damaged.
    """
    path = folder / EVALUATION
    if not os.path.lexists(path):
        return None
    content = read_json(path)
    if isinstance(content, dict):
        names = [each.name for each in fields(Reported)]
        content = {name: content[name] for name in names if name in content}
    return checked(content, Reported, str(path))
