"""A run folder: everything that belongs to one training run. No file is ever half written.

config.json             all settings, the seed, versions, the exact command
reward/                 the sources of the reward terms; never executed unless asked for
checkpoint.safetensors  tensors, their checksums, and all numbers, from the same step
checkpoint.json         a readable copy of the numbers
best.safetensors        the policy with the best evaluation so far
evaluation.json         how good the agent was at the end
episodes.npz            recorded episodes of the final evaluation (`training.recorded_episodes`)
events.out.tfevents.*   TensorBoard

A folder may be damaged or made by a stranger. Files are read only if they are regular files of a
plausible size, and what they contain is checked before it is used (`training.checked`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

CONFIG = "config.json"
TENSORS = "checkpoint.safetensors"
NUMBERS = "checkpoint.json"
BEST = "best.safetensors"
EVALUATION = "evaluation.json"
EVENTS = "events.out.tfevents."  # how the names of the files of the curves begin
MAX_JSON = 16_000_000
"""Maximum size of a JSON file in bytes; a million environments need about half of it."""
MAX_HEADER = 2 * MAX_JSON
"""Maximum size of the names, shapes and numbers in front of the tensors, in bytes."""
MAX_DEPTH = 20
"""Maximum number of lists and objects inside each other in a JSON file."""
HEADER_SIZE = 8
"""Number of bytes, in front of everything, that hold the size of the header."""
WAITS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Seconds to wait before each new attempt to replace a file that another program has open."""


class RunError(ValueError):
    """A run folder that cannot be used; the message is one line."""


def new_run_folder(run_dir: Path, env_id: str, agent: str, seed: int) -> Path:
    """Create and return a folder such as runs/PaddleBall-v0_ppo_seed1_2026-11-22_09-30-00.

    Raises:
        RunError: if the folder cannot be created.
    """
    now = f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    env, agent = (re.sub(r"[^\w.-]", "-", each) for each in (env_id, agent))
    name = f"{env}_{agent}_seed{seed}_{now}"
    for suffix in ("", *(f"_{k}" for k in range(2, 1000))):
        folder = run_dir / f"{name}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise RunError(f"cannot create a folder in {run_dir}: {error.strerror}") from None
        return folder
    raise RunError(f"{run_dir} already holds 999 runs called {name}; choose another --run-dir")


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path to write to; the result replaces `path` at once, or on an error not at all.

    When the context ends, the file and its name in the folder have reached the disk.
    """
    if not path.parent.is_dir():
        raise OSError(f"{path.parent} is gone: was the run folder renamed or removed?")
    if path.is_dir() and not path.is_symlink():
        raise OSError(f"{path} cannot be written: it is a folder; remove it")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    temporary.touch(0o644, exist_ok=False)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        _replace(path, temporary)
    finally:
        with contextlib.suppress(OSError):  # the folder may be gone
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _replace(path: Path, temporary: Path) -> None:
    """Move a file to `path`. Windows refuses while another program reads the file that is there."""
    for seconds in WAITS:
        try:
            temporary.replace(path)
            return
        except PermissionError:
            time.sleep(seconds)
    temporary.replace(path)


def remove_temporary_files(folder: Path) -> None:
    """Remove what `atomic_path` left in a folder when its process was killed."""
    for name in (CONFIG, TENSORS, NUMBERS, BEST, EVALUATION, "*.npz"):
        for file in folder.glob(f".{name}.*"):
            if file.is_file():
                file.unlink()


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder have reached the disk."""
    if os.name == "nt":  # Windows does not open folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, content: Any) -> None:
    """Write `content` atomically and readably; numbers must be finite."""
    text = json.dumps(content, indent=2, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file of at most `MAX_JSON` bytes.

    Raises:
        RunError: if it is missing or damaged.
    """
    with open_file(path) as file:
        text = file.read(MAX_JSON + 1)
    if len(text) > MAX_JSON:
        raise RunError(f"{path} is damaged: it is larger than {MAX_JSON:,} bytes")
    return _parse(text, path)


@contextlib.contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file to read it. FIFOs and devices, which may block, are not waited for.

    Raises:
        RunError: if it is missing, no regular file, or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - of a descriptor
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RunError(f"{path} cannot be read: it is not a regular file")
            yield file
    except FileNotFoundError:
        raise RunError(f"{path} is missing: {path.parent} is not a run folder") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None


def as_json(content: Any) -> Any:
    """Return what would be read back after `write_json`: lists for tuples, text for keys."""
    return json.loads(json.dumps(content))


def _parse(text: str | bytes, path: Path) -> Any:
    """Return the content of a JSON text, which may come from a stranger."""
    try:
        content = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: {str(error).partition(' - at ')[0]}") from None
    if _is_deeper(content, MAX_DEPTH):
        raise RunError(f"{path} is damaged: more than {MAX_DEPTH} levels of brackets")
    return content


def _is_deeper(content: Any, levels: int) -> bool:
    if not isinstance(content, (dict, list)):
        return False
    inside = content.values() if isinstance(content, dict) else content
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inside)


def save_checkpoint(folder: Path, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
    """Save the state of a run atomically: a kill at any time leaves the old or the new checkpoint.

    `numbers` are also in the tensor file, so that both always come from the same step;
    checkpoint.json is their readable copy.

    Raises:
        OSError: if the folder cannot be written.
    """
    write_tensors(folder / TENSORS, tensors, numbers)
    write_json(folder / NUMBERS, numbers)


def load_numbers(folder: Path) -> dict[str, Any]:
    """Return the numbers that were saved last, without the tensors. See `load_checkpoint`."""
    return load_checkpoint(folder, prefixes=())[1]


def load_checkpoint(
    folder: Path, prefixes: tuple[str, ...] = ("",)
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tensors and numbers that were saved last, as `read_tensors` does.

    Raises:
        RunError: if there is no checkpoint, or it is damaged.
    """
    if not has_checkpoint(folder):
        raise RunError(f"{folder} has no {TENSORS}: nothing was saved in it yet")
    return read_tensors(folder / TENSORS, prefixes)


def write_tensors(path: Path, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
    """Write tensors atomically, with `numbers` and checksums; numbers must be finite.

    They are two lines of JSON in one entry of the metadata: safetensors writes several entries in
    random order, and equal checkpoints would be different files.

    Raises:
        OSError: if the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(numbers, allow_nan=False)
    checksums = {name: _checksum(name, tensor) for name, tensor in tensors.items()}
    checksums[NUMBERS] = hashlib.sha256(text.encode()).hexdigest()
    metadata = {"numbers": f"{text}\n{json.dumps(checksums)}"}
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=metadata)
        except SafetensorError as error:  # also for a full disk
            raise OSError(f"{path} cannot be written: {error}") from None


def read_tensors(
    path: Path, prefixes: tuple[str, ...] = ("",)
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tensors and numbers that `write_tensors` wrote. Executes nothing.

    Only tensors whose names start with one of `prefixes` are read. Their memory is that of the
    file, which is mapped, so that shapes can be checked before anything large is copied.

    Raises:
        RunError: if the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    with open_file(path) as file:
        if int.from_bytes(file.read(HEADER_SIZE), "little") > MAX_HEADER:
            raise RunError(f"{path} is damaged: its header is larger than {MAX_HEADER:,} bytes")
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            tensors = {n: file.get_tensor(n) for n in names if n.startswith(prefixes)}
            text, _, checksums_text = (file.metadata() or {})["numbers"].partition("\n")
    except KeyError:
        raise RunError(f"{path} is damaged: it has no numbers") from None
    except (SafetensorError, OSError, TypeError, ValueError, RuntimeError) as error:
        raise RunError(f"{path} is damaged: {' '.join(str(error).split())}") from None
    if checksums_text:  # earlier versions wrote none
        checksums = _parse(checksums_text, path)
        if not isinstance(checksums, dict) or checksums.keys() != {NUMBERS, *names}:
            raise RunError(f"{path} is damaged: its checksums are of other tensors")
        found = {name: _checksum(name, tensor) for name, tensor in tensors.items()}
        found[NUMBERS] = hashlib.sha256(text.encode()).hexdigest()
        for name, checksum in found.items():
            if checksums[name] != checksum:
                raise RunError(f"{path} is damaged: the checksum of {name} is wrong")
    numbers = _parse(text, path)
    if not isinstance(numbers, dict):
        raise RunError(f"{path} is damaged: its numbers are not a JSON object")
    return tensors, numbers


def has_checkpoint(folder: Path) -> bool:
    """Return whether a run folder has a checkpoint, damaged or not."""
    return os.path.lexists(folder / TENSORS)


def _checksum(name: str, tensor: Any) -> str:
    """Return the SHA-256 of a tensor's name, type, shape and bytes."""
    array = np.ascontiguousarray(tensor.numpy())
    found = hashlib.sha256(f"{name} {array.dtype.str} {tensor.numpy().shape}".encode())
    found.update(array.reshape(-1).view(np.uint8).data)
    return found.hexdigest()
