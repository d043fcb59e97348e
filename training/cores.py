"""Processor cores, and the threads of PyTorch that use them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_users: list[int] = []
_before = 0


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let PyTorch use `count` threads, and afterwards as many as before.

    PyTorch has one number for the whole process, and it decides the last digits of results.
    Several trainings at the same time must therefore agree on it.

    Raises:
        ValueError: if they do not.
    """
    global _before
    import torch

    with _lock:
        if _users and _users[0] != count:
            raise ValueError(
                f"another training in this process uses {_users[0]} threads of PyTorch, and this "
                f"one {count}: give both the same --threads, or use a process for each"
            )
        _before = _before if _users else torch.get_num_threads()
        _users.append(count)
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with _lock:
            _users.remove(count)
            if not _users:
                torch.set_num_threads(_before)
