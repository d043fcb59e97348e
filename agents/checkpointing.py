"""Names of tensors in checkpoints, and the state of an optimizer as named tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `under` is also used where PyTorch is not imported
    import torch
    from torch import Tensor

PREFIX = "optimizer."


def under(prefix: str, named: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of `named` whose names start with `prefix`, without the prefix."""
    return {key.removeprefix(prefix): v for key, v in named.items() if key.startswith(prefix)}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return all tensors of an optimizer's state: `optimizer.<parameter's index>.<name>`."""
    return {
        f"{PREFIX}{index}.{name}": tensor
        for index, state in optimizer.state_dict()["state"].items()
        for name, tensor in state.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Any]) -> None:
    """Restore the state that `optimizer_tensors` returned; other `tensors` are ignored."""
    content = optimizer.state_dict()
    content["state"] = {}
    for key, tensor in under(PREFIX, tensors).items():
        index, name = key.split(".", 1)
        content["state"].setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict(content)
