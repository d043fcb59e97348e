"""Adam and RAdam on one vector, compared with PyTorch's on separate tensors."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

from agents.adam import Adam, RAdam
from agents.networks.backbones import flatten, make_backbone


def a_network(seed: int = 0) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    return make_backbone(spaces.Box(-1, 1, (4,)), 16, generator)


def a_loss(network: nn.Module, generator: torch.Generator) -> Tensor:
    return network(torch.randn(8, 4, generator=generator)).square().sum()


@pytest.mark.parametrize(
    ("ours", "theirs", "eps"),
    [(Adam, torch.optim.Adam, 1e-5), (RAdam, torch.optim.RAdam, 1e-8)],
)
@pytest.mark.parametrize("max_grad_norm", [0.5, 1e6, math.inf])
def test_steps_equal_those_of_torch(
    ours: type[Adam], theirs: type[torch.optim.Optimizer], eps: float, max_grad_norm: float
) -> None:
    """With a learning rate that changes, over the first steps of RAdam and the later ones."""
    plain = a_network()
    flat = copy.deepcopy(plain)
    vector = flatten(flat)
    assert vector.grad is not None
    oracle = theirs(plain.parameters(), lr=0.01, eps=eps)  # type: ignore[call-arg]
    optimizer = ours(vector, 0.01, eps)
    generators = [torch.Generator().manual_seed(1) for _ in range(2)]
    for k in range(30):
        if k == 15:
            optimizer.learning_rate = oracle.param_groups[0]["lr"] = 0.002
        oracle.zero_grad()
        a_loss(plain, generators[0]).backward()
        nn.utils.clip_grad_norm_(plain.parameters(), max_grad_norm)
        oracle.step()
        vector.grad.zero_()
        a_loss(flat, generators[1]).backward()
        optimizer.step(max_grad_norm)
        for expected, found in zip(plain.parameters(), flat.parameters(), strict=True):
            torch.testing.assert_close(found, expected)


def test_the_state_is_that_of_torch() -> None:
    """The state of PyTorch's Adam on a vector, as earlier versions saved it, can be restored."""
    vectors = [flatten(a_network()) for _ in range(2)]
    oracle = torch.optim.Adam([vectors[0]], 0.01, eps=1e-5)
    generator = torch.Generator().manual_seed(2)
    optimizer = Adam(vectors[1], 0.01)
    optimizer.restore({})  # of an agent that has not learned
    for k in range(6):
        gradient = torch.randn(len(vectors[0]), generator=generator)
        for vector in vectors:
            vector.grad.copy_(gradient)  # type: ignore[union-attr]
        oracle.step()
        optimizer.step()
        state = oracle.state_dict()["state"][0]
        found = optimizer.tensors()
        assert found.keys() == {f"optimizer.0.{name}" for name in state}
        for name, tensor in state.items():
            torch.testing.assert_close(found[f"optimizer.0.{name}"], tensor)
        if k == 2:
            optimizer = Adam(vectors[1], 0.01)
            optimizer.restore({f"optimizer.0.{name}": tensor for name, tensor in state.items()})
    torch.testing.assert_close(vectors[1], vectors[0])


def test_the_state_of_another_optimizer_is_refused() -> None:
    vector = flatten(a_network())
    whole = Adam(vector, 0.01).tensors()
    for wrong, message in [
        ({"optimizer.0.step": whole["optimizer.0.step"]}, "another optimizer"),
        (whole | {"optimizer.1.step": torch.zeros(())}, "another optimizer"),
        (whole | {"optimizer.0.exp_avg": torch.zeros(3)}, "exp_avg does not fit the network"),
        (whole | {"optimizer.0.step": torch.tensor(1)}, "step does not fit the network"),
    ]:
        with pytest.raises(ValueError, match=message):
            Adam(vector, 0.01).restore(wrong)
