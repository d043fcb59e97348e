"""A run folder: everything that belongs to one training run, written so that nothing is half there.

config.json             all settings, the seed, versions, the exact command
reward/                 the sources of the reward terms; never executed unless asked for
checkpoint.safetensors  tensors only
checkpoint.json         everything else of the same moment
best.safetensors        the policy with the best evaluation so far
evaluation.json         how good the agent was at the end
events.out.tfevents.*   TensorBoard
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFIG = "config.json"
TENSORS = "checkpoint.safetensors"
NUMBERS = "checkpoint.json"
BEST = "best.safetensors"
EVALUATION = "evaluation.json"


class RunError(ValueError):
    """A run folder that cannot be used; the message is one line."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path to write to; the result replaces `path` at once, or on an error not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` atomically and readably; numbers must be finite."""
    text = json.dumps(content, indent=2, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        RunError: if it is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is missing: {path.parent} is no run folder") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}") from None


def save_checkpoint(folder: Path, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
    """Save one moment of a run, atomically: a kill at any time leaves the old or the new one.

    `numbers` travel inside the tensor file too, so that the two can never be of different moments;
    checkpoint.json is their readable copy.
    """
    write_tensors(folder / TENSORS, tensors, numbers)
    write_json(folder / NUMBERS, numbers)


def load_checkpoint(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors and numbers that were saved last. Executes nothing.

    Raises:
        RunError: if there is none, or it is damaged.
    """
    if not (folder / TENSORS).is_file():
        raise RunError(f"{folder} has no {TENSORS}: nothing was saved in it yet")
    return read_tensors(folder / TENSORS)


def write_tensors(path: Path, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
    """Write tensors atomically, with `numbers` in the same file; numbers must be finite."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(numbers, allow_nan=False)
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"numbers": text})


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tensors and numbers that `write_tensors` wrote. Executes nothing.

    Raises:
        RunError: if the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            numbers = json.loads((file.metadata() or {})["numbers"])
            return {name: file.get_tensor(name) for name in file.keys()}, numbers  # noqa: SIM118
    except (SafetensorError, KeyError, OSError, json.JSONDecodeError) as error:
        raise RunError(f"{path} is damaged: {error}") from None
