"""Tensors and numbers of checkpoints, which may be old, damaged or made by a stranger."""

from __future__ import annotations

import reprlib
from typing import Any

OPTIMIZER = "optimizer."
WEIGHTS = ("network.", "target.", OPTIMIZER)
"""Prefixes of tensors that are finite unless training diverged or the file was changed."""
BUFFERS = ("rollout.", "replay.", "memory.", "collected.", "centres")
"""Prefixes of tensors whose first axis grows while an agent learns."""
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
    """Return the agent's tensors in a checkpoint, under the names that agents use today.

    Raises:
        ValueError: if a weight is nan or infinite.
    """
    found = {}
    for name, tensor in tensors.items():
        for former, present in RENAMED.items():
            name = name.replace(former, present)
        found[name] = tensor
    found = under("agent.", found)
    for name, tensor in found.items():
        if name.startswith(WEIGHTS) and not tensor.isfinite().all():
            raise ValueError(f"the weights {name} contain nan or inf")
    return found


def agent_numbers(numbers: dict[str, Any]) -> dict[str, Any]:
    """Return the agent's numbers in a checkpoint, under the names that agents use today."""
    return {RENAMED_NUMBERS.get(name, name): value for name, value in numbers["agent"].items()}


def check_tensors(saved: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check the types and shapes of an agent's saved tensors against those of a new agent.

    Raises:
        ValueError: if one differs.
    """
    for name in saved.keys() & expected.keys():
        first = 1 if name.startswith(BUFFERS) else 0
        there, here = ((t.dtype, tuple(t.shape[first:])) for t in (saved[name], expected[name]))
        if there != here:
            raise ValueError(f"{name} is {_described(*there)} instead of {_described(*here)}")


def check_numbers(saved: Any, expected: Any, name: str = "agent") -> None:
    """Check the types of an agent's saved numbers against those of a new agent.

    Raises:
        ValueError: if one differs, or a count is negative.
    """
    if isinstance(expected, dict) and isinstance(saved, dict):
        for key in saved.keys() & expected.keys():
            check_numbers(saved[key], expected[key], f"{name}.{key}")
    elif isinstance(expected, list) and isinstance(saved, list):
        for each in saved if expected else ():
            check_numbers(each, expected[0], f"each of {name}")
    elif expected is None:  # what is not known at the start
        return
    elif type(saved) is not type(expected) or (isinstance(saved, int) and saved < 0):
        raise ValueError(f"{name} cannot be {reprlib.repr(saved)}")


def _described(dtype: Any, shape: tuple[int, ...]) -> str:
    return f"{'x'.join(map(str, shape)) or 'one number'} of {dtype}"


def under(prefix: str, named: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of `named` whose names start with `prefix`, without the prefix."""
    return {key.removeprefix(prefix): v for key, v in named.items() if key.startswith(prefix)}
