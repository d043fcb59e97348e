"""An optimizer's state as named tensors, for checkpoints that hold tensors only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

PREFIX = "optimizer."


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """All tensors of its state: `optimizer.<parameter's number>.<name>`."""
    return {
        f"{PREFIX}{index}.{name}": tensor
        for index, state in optimizer.state_dict()["state"].items()
        for name, tensor in state.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Any]) -> None:
    """Put back what `optimizer_tensors` took; others in `tensors` are left alone."""
    content = optimizer.state_dict()
    content["state"] = {}
    for key, tensor in tensors.items():
        if key.startswith(PREFIX):
            index, name = key[len(PREFIX) :].split(".", 1)
            content["state"].setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict(content)
