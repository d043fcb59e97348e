"""A running scale of returns, which makes learning independent of the size of the rewards.

Rewards of 9,000 and of 0.000001 can mean the same, but a network learns both only if its targets
are about 1. Agents therefore learn values in units of a scale sigma, which they measure while they
play. This is PopArt (van Hasselt et al., "Learning values across many orders of magnitude", NeurIPS
2016, arXiv 1602.07714) without a shift, because the value of a terminal state is 0:

* ART, adaptively rescaling targets (section 2.2): sigma^2 is a running mean of squared targets. The
  targets here are the returns of the episodes, so no prediction of the network influences sigma.
* POP, preserving outputs precisely (section 2.1, proposition 1): when sigma changes, weights and
  bias of the outputs are multiplied by sigma_old / sigma_new, so that no prediction changes.

If all rewards are multiplied by a number, so is sigma, and everything that is learned stays the
same. No constant is added to sigma, because it would be too large for some rewards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from agents import ranks
from agents.agent import Array, Step, Task
from agents.checkpointing import under
from agents.torch_agent import TorchAgent

MEMORY = 100_000.0  # environment steps after which a finished episode counts 1/e
MIN_VARIANCE = 1e-4  # of returns, in squared units of their scale; they may all be equal
LIMIT = 10.0  # rewards count at most as this many times sigma
PREFIX = "return_scale."
SCALE = "network.return_scale"  # with the network, because it gives the network's values a unit


def explained_variance(predicted: Tensor, targets: Tensor) -> Tensor:
    """Return which share of the variance of `targets` is predicted: 1 all of it, 0 none."""
    unexplained, variance = (each.var(correction=0) for each in (targets - predicted, targets))
    return 1.0 - unexplained / variance.clamp_min(MIN_VARIANCE)


class ReturnScale:
    """The scale sigma of the discounted returns of `count` environments.

        sigma^2 = sum of G_t^2 / sum of gamma^(2 k_t)

    G_t is the return from step t on, and k_t the number of steps from t to the next reward that is
    not 0. G_t is gamma^k_t times the return G' that starts with this reward, so sigma^2 is a
    weighted mean of G'^2. Rare rewards of 1 have a sigma of 1, however long nothing was paid, and a
    plain mean of G_t^2 would approach 0.

    The sums are over the latest episodes: an episode that ended `MEMORY` steps ago counts 1/e. A
    reward above `LIMIT` sigma counts as `LIMIT` sigma, so a single outlier hardly changes sigma.
    Only the measurement limits rewards; agents learn from them as they are.
    """

    def __init__(self, count: int, gamma: float, size: float = 1.0) -> None:
        """Measure values in sigma / `size`, so that they are typically about `size`."""
        self.value = 0.0
        """What a value of 1 stands for, sigma / size; 0 before the first reward that is not 0."""
        self._gamma, self._size = gamma, size
        self._running = np.zeros((5, count))  # of the present episodes; see `add`
        self._finished = np.zeros(2)  # sums of G_t^2 and gamma^(2 k_t) over earlier episodes

    @property
    def unit(self) -> float:
        """What to divide rewards by: `value`, or 1 if it is 0."""
        return self.value or 1.0

    def add(self, rewards: Array, over: Array, valid: Array) -> None:
        """Add one step with rewards (n,), and flags (n,): episodes that ended, steps that count.

        Let T be this step, and G_t the return of step t up to T. When r_T arrives, G_t grows by
        gamma^(T-t) r_T, and its square by gamma^(T-t) r_T (2 G_t + gamma^(T-t) r_T). Hence the sum
        of squares needs no stored rewards, but only two other sums over t:

            traces   = sum of gamma^(2(T-t))
            products = sum of gamma^(T-t) G_t
        """
        gamma, (products, traces, waiting, squares, weights) = self._gamma, self._running
        rewards = np.where(valid, rewards, 0.0)
        if self.value:
            limit = LIMIT * self._size * self.value
            rewards = rewards.clip(-limit, limit)
        for trace in (traces, waiting):
            trace *= gamma * gamma
            trace += 1.0
        products *= gamma
        squares += rewards * (2.0 * products + rewards * traces)
        products += rewards * traces
        paid = rewards != 0.0
        weights[paid] += waiting[paid]
        waiting[paid] = 0.0
        self._finished *= math.exp(-int(valid.sum()) * ranks.count() / MEMORY)
        ended = over | ~valid
        if ended.any():
            self._finished += self._running[3:, ended].sum(1)
            self._running[:, ended] = 0.0

    def update(self) -> float:
        """Set `value` to what was measured; return by what to multiply values in the former unit.

        The factor is 1 at the first time: values that nothing was learned for have no unit yet.
        """
        squares, weight = ranks.totals((self._finished + self._running[3:].sum(1)).tolist())
        if not (squares > 0.0 and weight > 0.0):
            return 1.0
        before, self.value = self.value, math.sqrt(squares / weight) / self._size
        return before / self.value if before else 1.0

    def discard_episodes(self) -> None:
        """Forget the present episodes, which will not be continued."""
        self._running[:] = 0.0

    def arrays(self) -> dict[str, Array]:
        """Return copies of all sums, by name."""
        return {"running": self._running.copy(), "finished": self._finished.copy()}

    def restore(self, arrays: dict[str, Array]) -> None:
        """Continue with sums from `arrays`; earlier versions saved none, and new ones begin."""
        if arrays:
            self._running[:], self._finished[:] = arrays["running"], arrays["finished"]


class ScaledAgent(TorchAgent):
    """An agent whose network outputs are in units of scales, which it measures."""

    scales: dict[str, ReturnScale]
    """The scales, by what stands in front of their names in checkpoints."""

    def rescale_outputs(self, scale: ReturnScale, outputs: Iterable[Tensor]) -> float:
        """Update a scale without a change of what is predicted.

        `outputs` are weights and biases of the outputs in its unit. Returns the factor for values
        in this unit that were computed before.
        """
        factor = scale.update()
        if factor != 1.0:
            with torch.no_grad():
                for parameters in outputs:
                    parameters *= factor
        return factor

    def policy_tensors(self) -> dict[str, Any]:
        """Return the network and the units of its values."""
        units = [scale.value for scale in self.scales.values()]
        return super().policy_tensors() | {SCALE: torch.tensor(units, dtype=torch.float64)}

    def tensors(self) -> dict[str, Any]:
        """Return network, optimizer and scales."""
        sums = {
            f"{PREFIX}{key}{name}": torch.from_numpy(array)
            for key, scale in self.scales.items()
            for name, array in scale.arrays().items()
        }
        return super().tensors() | sums

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Load network and scales; values of earlier versions are in units of 1."""
        units = tensors.get(SCALE, torch.ones(len(self.scales))).reshape(len(self.scales))
        for scale, unit in zip(self.scales.values(), units.tolist(), strict=True):
            scale.value = unit
        super().restore_policy({name: t for name, t in tensors.items() if name != SCALE})

    def warm_start(self, tensors: dict[str, Any]) -> None:
        """Load the policy; the new reward is measured from the beginning."""
        super().warm_start(tensors)
        for scale in self.scales.values():
            scale.value = 0.0

    def discard_rollout(self) -> None:
        """Drop the unfinished episodes."""
        for scale in self.scales.values():
            scale.discard_episodes()

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        for key, scale in self.scales.items():
            sums = under(f"{PREFIX}{key}", tensors)
            scale.restore({name: tensor.numpy() for name, tensor in sums.items()})


class ReturnAgent(ScaledAgent):
    """An agent that predicts returns, in units of a scale that it measures."""

    typical_value: ClassVar[float] = 1.0
    """Root mean square of the values in these units."""

    def __init__(
        self,
        task: Task,
        network: nn.Module,
        learning_rate: float,
        gamma: float,
        seed: int,
        device: str,
    ) -> None:
        super().__init__(task, network, learning_rate, seed, device)
        self.return_scale = ReturnScale(task.num_envs, gamma, self.typical_value)
        self.scales = {"": self.return_scale}

    def measure(self, step: Step) -> None:
        """Add a step to the scale."""
        self.return_scale.add(step.rewards, step.terminated | step.truncated, step.valid)

    def value_outputs(self) -> list[Tensor]:
        """Return weights and biases of the layers that output values, in units of the scale."""
        raise NotImplementedError

    def rescale(self) -> float:
        """Update the scale without a change of what is predicted.

        Returns the factor for values in units of the scale that were computed before.
        """
        return self.rescale_outputs(self.return_scale, self.value_outputs())

    def in_reward_units(
        self, metrics: dict[str, float], powers: dict[str, int]
    ) -> dict[str, float]:
        """Return metrics in the reward's unit to the power in which each is measured."""
        unit = self.return_scale.unit
        return {name: value * unit ** powers[name] for name, value in metrics.items()}

    def policy_tensors(self) -> dict[str, Any]:
        """Return the network and the unit of its values, which is a single number."""
        tensors = super().policy_tensors()
        return tensors | {SCALE: tensors[SCALE][0]}
