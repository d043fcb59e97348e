"""What agents share that learn by gradient: one network, one optimizer, and how both are kept."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents.agent import NO_BACKBONE, Agent, Array, Task, UnsuitableTaskError
from agents.checkpointing import optimizer_tensors, restore_optimizer, under
from agents.networks.backbones import flatten


class TorchAgent(Agent):
    """An agent that knows what its `network` knows, and improves it by Adam."""

    uses_torch = True
    name: str
    """As `envs.registry.AGENTS` has it."""

    def __init__(
        self, task: Task, network: nn.Module, learning_rate: float, seed: int, device: str
    ) -> None:
        super().__init__(task, seed)
        self.steps_seen = 0  # of all environments together; `learn` counts them
        self.device = torch.device(device)
        self.network = network.to(self.device)
        self.parameters = flatten(self.network)
        self._learning_rate = learning_rate

    @functools.cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """Made when learning begins: torch's optimizers take over a second to import."""
        return torch.optim.Adam([self.parameters], self._learning_rate, eps=1e-5, fused=True)

    def descend(self, loss: Tensor, max_grad_norm: float) -> None:
        """One step of Adam down the gradient of `loss`, which is shortened if it is too long."""
        assert self.parameters.grad is not None
        self.parameters.grad.zero_()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, max_grad_norm)
        self.optimizer.step()

    def check(self, metrics: dict[str, float]) -> dict[str, float]:
        """The metrics, if they are numbers.

        Raises:
            FloatingPointError: otherwise.
        """
        if not np.isfinite(list(metrics.values())).all():
            raise FloatingPointError(
                f"{self.name} diverged after {self.steps_seen:,} steps: {metrics}; a smaller "
                "learning rate or rewards nearer to 1 may help"
            )
        return metrics

    def tensor(self, observations: Array) -> Tensor:
        """Observations as a network takes them: bytes stay bytes, all else becomes float32."""
        dtype = None if observations.dtype == np.uint8 else torch.float32
        return torch.as_tensor(observations, dtype=dtype, device=self.device)

    def tensors(self) -> dict[str, Any]:
        """Network and optimizer."""
        network = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        return network | optimizer_tensors(self.optimizer)

    def numbers(self) -> dict[str, Any]:
        """Generator and counter."""
        return {**super().numbers(), "steps_seen": self.steps_seen}

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Take over the network only."""
        self.network.load_state_dict(under("network.", tensors))

    @property
    def backbone(self) -> nn.Module:
        """The part of the network that makes features of observations.

        Raises:
            UnsuitableTaskError: if it is not built so.
        """
        backbone = getattr(self.network, "backbone", None)
        if not isinstance(backbone, nn.Module):
            raise UnsuitableTaskError(NO_BACKBONE)
        return backbone

    def load_backbone(self, tensors: dict[str, Any]) -> None:
        """Begin with the backbone of another agent; the heads stay as they were drawn."""
        found, backbone = under("network.backbone.", tensors), self.backbone
        if not found:
            raise ValueError("its agent has no backbone with heads on it")
        there, here = (
            {name: tuple(tensor.shape) for name, tensor in tensors.items()}
            for tensors in (found, backbone.state_dict())
        )
        if there.keys() != here.keys():
            raise ValueError("its backbone is another kind of network")
        for name, shape in there.items():
            if shape != here[name] and not name.endswith("bias"):  # a weight's tells more
                one, other = ("x".join(map(str, each)) for each in (shape, here[name]))
                raise ValueError(f"its backbone has a layer of {one}, where this one has {other}")
        backbone.load_state_dict(found)

    def freeze_backbone(self) -> None:
        """Keep the backbone's gradients at 0; Adam does not move a parameter that never had one."""
        self.backbone.requires_grad_(False)

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
        super().restore(tensors, numbers)
        self.restore_policy(tensors)
        restore_optimizer(self.optimizer, tensors)
        self.steps_seen = numbers["steps_seen"]
