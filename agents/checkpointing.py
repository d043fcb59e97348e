"""Checkpoints that hold tensors only: names with prefixes, and an optimizer's state by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # those who only sort names need not wait for torch
    import torch
    from torch import Tensor

PREFIX = "optimizer."


def under(prefix: str, named: dict[str, Any]) -> dict[str, Any]:
    """The entries of `named` whose names begin with `prefix`, without it."""
    return {key.removeprefix(prefix): v for key, v in named.items() if key.startswith(prefix)}


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
    for key, tensor in under(PREFIX, tensors).items():
        index, name = key.split(".", 1)
        content["state"].setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict(content)
