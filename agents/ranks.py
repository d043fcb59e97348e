"""Ranks: processes that train one agent together, as `torchrun` starts them.

Each rank has an equal share of the environments, and its own copy of the agent. All copies stay
equal, because all ranks sample the same random numbers and follow the same mean of the gradients.
Together, they compute what one process with all environments would compute.

    rank 0   environments 0 to n - 1       first part of each minibatch   writes, logs and evaluates
    rank 1   environments n to 2 n - 1     second part                    (waits for results)

In a training with one process, which is the usual case, every function here returns its argument.
Processes send tensors of the CPU to each other with Gloo, and those of GPUs with NCCL.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:  # not every agent uses PyTorch
    from torch import Tensor

Array = np.ndarray[Any, Any]
Result = TypeVar("Result")

STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"
"""Environment variable of its processes."""
TOLD = "told"  # counts in the store that all ranks share

_rank, _count, _store = 0, 1, None


class LostRankError(ConnectionError):
    """Another process of this training has ended."""


def rank() -> int:
    """Return the number of this process, from 0 up."""
    return _rank


def count() -> int:
    """Return the number of processes that train the agent."""
    return _count


def started_together() -> bool:
    """Return whether `torchrun` has started this process and others."""
    return STARTED_BY_TORCHRUN in os.environ and os.environ["WORLD_SIZE"] != "1"


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Join the other processes if `torchrun` has started several.

    Raises:
        ValueError: if they cannot be reached.
    """
    global _rank, _count, _store
    if _count > 1 or not started_together():
        yield
        return
    import torch
    from torch import distributed
    from torch.distributed.rendezvous import rendezvous

    with_gpu = torch.cuda.is_available()
    if with_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        _store, _rank, _count = next(rendezvous("env://"))
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if with_gpu else "gloo",
            store=_store,
            rank=_rank,
            world_size=_count,
        )
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"the processes of torchrun do not reach each other: {reason}") from None
    yield
    distributed.destroy_process_group()  # not after an error: others would notice it before a user
    _rank, _count, _store = 0, 1, None


def tells() -> bool:
    """Return whether this process is the first of all ranks that has an error to tell."""
    if _store is None:
        return True
    try:
        return bool(_store.add(TOLD, 1) == 1)
    except RuntimeError:  # torchrun has ended
        return True


def share_of(number: int) -> int:
    """Return how many of `number` environments each rank has.

    Raises:
        ValueError: if the shares would not be equal.
    """
    if number % _count:
        raise ValueError(f"--num-envs must be a multiple of the {_count} processes, got {number}")
    return number // _count


def check_minibatches(steps: int, minibatches: int) -> None:
    """Check that all ranks get equal parts of a rollout with `steps` steps in each rank.

    Raises:
        ValueError: if they do not.
    """
    if _count > 1 and steps % minibatches:
        raise ValueError(
            f"{_count} processes need equal minibatches: --minibatches must divide the {steps} "
            f"steps of a rollout in each process, got {minibatches}"
        )


def sampled(
    sample: Callable[[tuple[int, ...]], Array], shape: tuple[int, ...], axis: int = 0
) -> Array:
    """Return what `sample` returns for this rank's environments; `shape` is that of its share.

    The numbers are sampled for the environments of all ranks, which are along `axis`. Therefore,
    the random generators of all ranks stay equal.
    """
    if _count == 1:
        return sample(shape)
    size = shape[axis]
    everything = sample((*shape[:axis], size * _count, *shape[axis + 1 :]))
    return everything.take(range(_rank * size, (_rank + 1) * size), axis)


def of_all(tensor: Tensor, axis: int = 1) -> Tensor:
    """Return the tensors of all ranks, joined along `axis`, that of the environments.

    The default is the axis of a rollout (steps, n, ...).
    """
    if _count == 1:
        return tensor
    import torch

    parts = [torch.empty_like(tensor) for _ in range(_count)]
    with _others():
        torch.distributed.all_gather(parts, tensor.contiguous())
    return torch.cat(parts, axis)


def part_of(rows: Tensor) -> Tensor:
    """Return this rank's part of the rows of a minibatch."""
    return rows if _count == 1 else rows.chunk(_count)[_rank]


def average(tensor: Tensor) -> None:
    """Replace a tensor by its mean over all ranks."""
    if _count == 1:
        return
    from torch import distributed

    with _others():
        distributed.all_reduce(tensor)
    tensor /= _count


def totals(numbers: Sequence[float]) -> Sequence[float]:
    """Return the sum of each of the numbers over all ranks."""
    if _count == 1:
        return numbers
    import torch

    tensor = torch.tensor(numbers, dtype=torch.float64)
    with _others():
        torch.distributed.all_reduce(tensor)
    return tensor.tolist()


def means(numbers: dict[str, float]) -> dict[str, float]:
    """Return the mean of each of the numbers over all ranks."""
    if _count == 1:
        return numbers
    sums = totals([*numbers.values()])
    return {name: each / _count for name, each in zip(numbers, sums, strict=True)}


def any_of(flag: bool) -> bool:
    """Return whether the flag of any rank is set."""
    return flag if _count == 1 else any(totals([flag]))


def program(processes: int) -> str:
    """Return what starts a Python program with this number of processes."""
    return "python" if processes == 1 else f"torchrun --nproc-per-node {processes}"


def from_first(work: Callable[[], Result]) -> Result:
    """Let rank 0 do some work, and return what it returned in all ranks."""
    if _count == 1:
        return work()
    from torch import distributed

    box: list[Any] = [work() if _rank == 0 else None]
    with _others():
        distributed.broadcast_object_list(box)
    return box[0]  # type: ignore[no-any-return]


def to_first(content: Result) -> list[Result] | None:
    """Return what each rank gave, in rank 0, and None in all others."""
    if _count == 1:
        return [content]
    from torch import distributed

    parts: list[Any] | None = [None] * _count if _rank == 0 else None
    with _others():
        distributed.gather_object(content, parts)
    return parts


@contextlib.contextmanager
def _others() -> Iterator[None]:
    """Wait for other ranks, and say it if one of them has ended."""
    try:
        yield
    except RuntimeError as error:  # of PyTorch, which has no other kind for it
        raise LostRankError("another process of this training has ended") from error
