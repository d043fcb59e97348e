"""Names of tensors in checkpoints, and the state of an optimizer as named tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `under` is also used where PyTorch is not imported
    import torch
    from torch import Tensor

PREFIX = "optimizer."
RENAMED = {
    ".body.": ".backbone.",
    ".pieces.": ".token_embedding.",
    ".places.": ".position_embedding.",
    ".attention.inwards.": ".attention.qkv.",
    ".attention.outwards.": ".attention.proj.",
    ".thought_norm.": ".mlp_norm.",
    ".thought.inwards.": ".mlp.fc.",
    ".thought.outwards.": ".mlp.proj.",
    ".bottleneck.inwards.": ".bottleneck.encoder.",
    ".bottleneck.outwards.": ".bottleneck.decoder.",
    ".judge.": ".head.",
    ".code.scaled.": ".encode_actions.scaled.",
    "agent.tries.begun": "agent.population.started",
    "agent.tries.lacking": "agent.population.missing",
    "agent.tries.": "agent.population.",
    "agent.record.": "agent.collected.",
}
"""Former names of tensors in checkpoints, which can still be loaded."""
RENAMED_NUMBERS = {"beginning": "at_start", "recording": "collecting"}
"""Former names of an agent's numbers in checkpoints."""


def agent_tensors(tensors: dict[str, Any]) -> dict[str, Any]:
    """Return the agent's tensors in a checkpoint, under the names that agents use today."""
    found = {}
    for name, tensor in tensors.items():
        for former, present in RENAMED.items():
            name = name.replace(former, present)
        found[name] = tensor
    return under("agent.", found)


def agent_numbers(numbers: dict[str, Any]) -> dict[str, Any]:
    """Return the agent's numbers in a checkpoint, under the names that agents use today."""
    return {RENAMED_NUMBERS.get(name, name): value for name, value in numbers["agent"].items()}


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
