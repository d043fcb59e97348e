"""The training loop with its command line, run folders, checkpoints, curves and evaluation.

From Python: `from training import train, load, evaluate`; see `training.api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.api import SavedRun, evaluate, load, train

__all__ = ["SavedRun", "evaluate", "load", "train"]


def __getattr__(name: str) -> Any:
    # imported when used: `import training` is part of the start of train.py
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from training import api

    return getattr(api, name)
