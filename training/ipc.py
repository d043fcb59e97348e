"""How news of a training travels to another process: JSON and tensors, nothing that executes.

A message is a line of JSON and, as many bytes as its `size` says, tensors as safetensors has them.
It counts once it is there as a whole.
"""

from __future__ import annotations

import json
from typing import IO, Any


def send(pipe: IO[bytes], content: dict[str, Any], tensors: dict[str, Any] | None = None) -> None:
    """Write one message.

    Raises:
        OSError: if nobody reads any more.
    """
    from safetensors.torch import save

    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in (tensors or {}).items()}
    payload = save(ready) if ready else b""
    line = json.dumps({**content, "size": len(payload)}, allow_nan=False)
    pipe.write(line.encode() + b"\n" + payload)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The content and the tensors of the next message; None if there will be none."""
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
