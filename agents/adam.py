"""Adam and RAdam on one vector of parameters.

PyTorch has both. Its optimizers import the PyTorch compiler when the first one is created, which
takes over a second, and their update of one vector is not faster than these lines. The tests
compare both with PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from agents.checkpointing import OPTIMIZER

BETA1, BETA2 = 0.9, 0.999


class Adam:
    """Adam (Kingma and Ba, ICLR 2015, arXiv 1412.6980, algorithm 1) with gradient clipping."""

    def __init__(self, parameters: nn.Parameter, learning_rate: float, eps: float = 1e-5) -> None:
        assert parameters.grad is not None
        self.learning_rate = learning_rate
        self._vector, self._gradient, self._eps = parameters.data, parameters.grad, eps
        self._step = 0  # t of the paper
        self._mean = torch.zeros_like(self._vector)  # m
        self._square = torch.zeros_like(self._vector)  # v
        self._root = torch.zeros_like(self._vector)

    @torch.no_grad()
    def step(self, max_grad_norm: float = math.inf) -> None:
        """Take one step down the gradient, which is first clipped to `max_grad_norm` in place."""
        if max_grad_norm < math.inf:
            norm = torch.linalg.vector_norm(self._gradient)
            self._gradient *= (max_grad_norm / (norm + 1e-6)).clamp(max=1.0)
        self._step += 1
        self._mean.lerp_(self._gradient, 1.0 - BETA1)
        self._square.mul_(BETA2).addcmul_(self._gradient, self._gradient, value=1.0 - BETA2)
        self._move(1.0 - BETA1**self._step, 1.0 - BETA2**self._step)

    def _move(self, correction1: float, correction2: float) -> None:
        """Subtract alpha * m / correction1 / (sqrt(v / correction2) + eps)."""
        torch.sqrt(self._square, out=self._root)
        self._root.div_(math.sqrt(correction2)).add_(self._eps)
        self._vector.addcdiv_(self._mean, self._root, value=-self.learning_rate / correction1)

    def tensors(self) -> dict[str, Tensor]:
        """Return its state as `optimizer.0.<name>`, the names that PyTorch's optimizers use."""
        step = torch.tensor(float(self._step))
        state = {"step": step, "exp_avg": self._mean, "exp_avg_sq": self._square}
        return {f"{OPTIMIZER}0.{name}": tensor for name, tensor in state.items()}

    def restore(self, tensors: dict[str, Any]) -> None:
        """Restore what `tensors` returned; without it, as in an untrained agent, start at 0.

        Raises:
            ValueError: if it is the state of another optimizer or of another network.
        """
        expected = self.tensors()
        found = {name: tensor for name, tensor in tensors.items() if name.startswith(OPTIMIZER)}
        if not found:
            return
        if found.keys() != expected.keys():
            raise ValueError("it is the state of another optimizer")
        for name, tensor in found.items():
            if tensor.shape != expected[name].shape or not tensor.is_floating_point():
                raise ValueError(f"{name} does not fit the network")
        step, mean, square = (found[name] for name in expected)
        self._step = int(step)
        self._mean.copy_(mean)
        self._square.copy_(square)


class RAdam(Adam):
    """Rectified Adam (Liu et al., ICLR 2020, arXiv 1908.03265, algorithm 2).

    Its first steps are short, while the variances of the gradient are still uncertain.
    """

    def _move(self, correction1: float, correction2: float) -> None:
        """Subtract alpha r m / correction1 / sqrt(v / correction2), at first without r and v."""
        limit = 2.0 / (1.0 - BETA2) - 1.0  # rho_inf
        rho = limit - 2.0 * self._step * (1.0 - correction2) / correction2
        rate = self.learning_rate / correction1
        if rho <= 5.0:
            self._vector.add_(self._mean, alpha=-rate)
            return
        r = math.sqrt((rho - 4.0) * (rho - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * rho))
        torch.sqrt(self._square, out=self._root)
        self._root.add_(self._eps)
        self._vector.addcdiv_(self._mean, self._root, value=-rate * r * math.sqrt(correction2))
