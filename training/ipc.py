"""Messages between the training process and the window: JSON and tensors, never code.

A message is a line of JSON, followed by tensors in the safetensors format. The entry `size` is the
number of bytes of the tensors.
"""

from __future__ import annotations

import json
from typing import IO, Any


def send(pipe: IO[bytes], content: dict[str, Any], tensors: dict[str, Any] | None = None) -> None:
    """Write one message. Raises OSError if the other process has closed the pipe."""
    payload = b""
    if tensors:
        from safetensors.torch import save

        payload = save({n: tensor.detach().cpu().contiguous() for n, tensor in tensors.items()})
    line = json.dumps({**content, "size": len(payload)}, allow_nan=False)
    pipe.write(line.encode() + b"\n" + payload)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the content and tensors of the next message; None if the pipe ends before or in it."""
    from safetensors.torch import load

    line = pipe.readline()
    if not line.endswith(b"\n"):
        return None
    content: dict[str, Any] = json.loads(line)
    size = content.pop("size")
    payload = pipe.read(size)
    if len(payload) < size:
        return None
    return content, load(payload) if payload else {}
