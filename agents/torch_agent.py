"""Base class of agents that train one network with one optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents import ranks
from agents.adam import Adam
from agents.agent import NO_BACKBONE, Agent, Array, DivergedError, Task, UnsuitableTaskError
from agents.checkpointing import under
from agents.networks.backbones import flatten


class TorchAgent(Agent):
    """An agent with a PyTorch network that is trained with Adam."""

    uses_torch = True
    name: str
    """Name of the agent in `envs.registry.AGENTS`."""

    def __init__(
        self, task: Task, network: nn.Module, learning_rate: float, seed: int, device: str
    ) -> None:
        super().__init__(task, seed)
        self.steps_seen = 0  # of all environments together; `learn` counts them
        self.device = torch.device(device)
        self.network = network.to(self.device)
        self.parameters = flatten(self.network)
        self.optimizer = Adam(self.parameters, learning_rate)
        self._learning_rate = learning_rate

    @property
    def learning_rate(self) -> float:
        """The current learning rate."""
        return self.optimizer.learning_rate

    def anneal(self, warmup: float = 0.0) -> None:
        """Set the learning rate: it rises in the share `warmup` of all steps, then falls to 0."""
        progress = self.steps_seen / self.task.total_steps
        share = (1.0 - progress) / (1.0 - warmup)
        if warmup > 0.0:
            share = min(progress / warmup, share)
        self.optimizer.learning_rate = self._learning_rate * max(share, 0.0)

    def descend(self, loss: Tensor, max_grad_norm: float) -> None:
        """Take one optimizer step down the gradient of `loss`, clipped to `max_grad_norm`."""
        assert self.parameters.grad is not None
        self.parameters.grad.zero_()
        loss.backward()
        ranks.average(self.parameters.grad)
        self.optimizer.step(max_grad_norm)

    def check(self, metrics: dict[str, float]) -> dict[str, float]:
        """Return the metrics, as means over all ranks, if all of them are finite.

        Raises:
            DivergedError: if training has diverged.
        """
        metrics = ranks.means(metrics)
        if not np.isfinite(list(metrics.values())).all():
            raise DivergedError(
                f"{self.name} diverged after {self.steps_seen:,} steps: {metrics}; use a smaller "
                "learning rate",
                metrics,
            )
        return metrics

    def tensor(self, observations: Array) -> Tensor:
        """Return observations as network input: uint8 stays, everything else becomes float32."""
        dtype = None if observations.dtype == np.uint8 else torch.float32
        return torch.as_tensor(observations, dtype=dtype, device=self.device)

    def policy_tensors(self) -> dict[str, Any]:
        """Return the network only."""
        return {f"network.{name}": value for name, value in self.network.state_dict().items()}

    def tensors(self) -> dict[str, Any]:
        """Return network and optimizer."""
        return self.policy_tensors() | self.optimizer.tensors()

    def numbers(self) -> dict[str, Any]:
        """Return the random generator and the number of steps."""
        return {**super().numbers(), "steps_seen": self.steps_seen}

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Load the network only."""
        weights, own = under("network.", tensors), self.network.state_dict()
        for name in weights.keys() & own.keys():
            if weights[name].dtype != own[name].dtype:
                raise RuntimeError(f"network.{name} is {weights[name].dtype}")
        self.network.load_state_dict(weights)

    @property
    def backbone(self) -> nn.Module:
        """The part of the network that computes features of observations.

        Raises:
            UnsuitableTaskError: if the network has no such part.
        """
        backbone = getattr(self.network, "backbone", None)
        if not isinstance(backbone, nn.Module):
            raise UnsuitableTaskError(NO_BACKBONE)
        return backbone

    def load_backbone(self, tensors: dict[str, Any]) -> None:
        """Load the backbone of another agent; the heads keep their initial weights."""
        found, backbone = under("network.backbone.", tensors), self.backbone
        if not found:
            raise ValueError("its agent has no backbone with heads on it")
        there, here = (
            {name: tuple(tensor.shape) for name, tensor in tensors.items()}
            for tensors in (found, backbone.state_dict())
        )
        if there.keys() != here.keys():
            inputs, ours = _inputs(there), _inputs(here)
            if inputs == ours:
                raise ValueError("its backbone is another kind of network; compare the agents")
            raise ValueError(
                f"its network reads {inputs}, and this environment gives {ours}; use a run "
                f"that was trained on {ours}, or change --observation"
            )
        for name, shape in there.items():
            if shape != here[name] and not name.endswith("bias"):  # a weight's shape says more
                one, other = ("x".join(map(str, each)) for each in (shape, here[name]))
                raise ValueError(
                    f"its backbone has a layer of {one}, where this one has {other}; compare "
                    "--width and the environment options"
                )
        backbone.load_state_dict(found)

    def freeze_backbone(self) -> None:
        """Keep the backbone's gradients at 0; Adam does not move a parameter that never had one."""
        self.backbone.requires_grad_(False)

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        self.restore_policy(tensors)
        self.optimizer.restore(tensors)
        self.steps_seen = numbers["steps_seen"]


def _inputs(shapes: dict[str, tuple[int, ...]]) -> str:
    """Return what a network reads, by the shapes of its weights: convolutions read screens."""
    return "screens" if any(len(shape) == 4 for shape in shapes.values()) else "vectors"
