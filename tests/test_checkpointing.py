"""Tests of checkpoints of earlier versions, in which tensors and numbers had other names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import pytest
import torch

from agents import make_agent, settings_type
from agents.agent import Task
from agents.checkpointing import agent_numbers, agent_tensors, check_numbers, check_tensors
from envs.registry import DATASETS, env_ids
from tests.test_training import QUICK, assert_same_checkpoint, run_train
from training.run_folder import load_checkpoint, save_checkpoint

FORMER = {".backbone.": ".body.", "agent.collected.": "agent.record."}
FORMER_NUMBERS = {"at_start": "beginning", "collecting": "recording"}


def layers(*names: str) -> list[str]:
    """Return the names of the weights and biases of layers."""
    return [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]


HEAD = layers("network.head")
BODY = layers("network.body.first", "network.body.second")
BLOCK = [
    "attention.inwards.weight",
    "attention.outwards.weight",
    "thought.inwards.weight",
    "thought.outwards.weight",
    *layers("attention_norm", "thought_norm"),
]
TRIES = [
    "candidates",
    "begun",
    "lacking",
    "totals",
    "player",
    "returns",
    "mean",
    "std",
    "best",
    "best_score",
]


@pytest.mark.parametrize(
    ("agent", "env", "settings", "former"),
    [
        ("ppo", "PaddleBall-v0", {}, [*BODY, *layers("network.heads"), "network.log_std"]),
        ("dqn", "PaddleBall-v0", {}, [*BODY, *HEAD]),
        (
            "supervised",
            "ReconstructScreen-v0",
            {"codes": 4},
            [
                *layers("network.body.1", "network.body.4", "network.bottleneck.inwards"),
                *layers("network.bottleneck.outwards.0", "network.bottleneck.outwards.2"),
                *layers("network.bottleneck.outwards.4"),
                "network.log_std",
                *HEAD,
            ],
        ),
        (
            "gpt",
            "Commentary-v0",
            {"layers": 1},
            [
                "network.body.pieces.weight",
                "network.body.places.weight",
                *(f"network.body.transformer.blocks.0.{name}" for name in BLOCK),
                *layers("network.body.transformer.norm"),
                "network.head.weight",
            ],
        ),
        (
            "reward_model",
            "BicycleBalance-v0",
            {},
            [
                "network.encoder.centre",
                "network.encoder.half_width",
                "network.code.scaled.centre",
                "network.code.scaled.half_width",
                *layers("network.judge.0", "network.judge.2", "network.judge.4"),
            ],
        ),
        (
            "search",
            "PaddleBall-v0",
            {},
            ["network.weights", *(f"tries.{name}" for name in TRIES)],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tensors_are_found_by_their_former_names(
    agent: str, env: str, settings: dict[str, Any], former: list[str]
) -> None:
    few: dict[str, Any] = {"examples": 20} if env in env_ids(DATASETS) else {}
    made = gymnasium.make(env, **few)
    task = Task(env, made.observation_space, made.action_space, 2, 1000)
    present = make_agent(agent, task, settings_type(agent)(**settings), seed=1).tensors()
    found = agent_tensors({f"agent.{name}": torch.zeros(1) for name in former})
    parts = ("network.", "population.")
    expected = {name for name in present if name.startswith(parts)}
    assert found.keys() == expected - {"network.return_scale"}  # earlier versions had none


@pytest.mark.parametrize("agent", ["ppo", "reinforce"])
def test_a_run_with_former_names_resumes(agent: str, tmp_path: Path) -> None:
    options = ["--agent", agent, "--env", "paddle", "--solved-score", "1000", *QUICK]
    run = run_train("--run-dir", tmp_path / "a", "--steps", 4800, *options)
    old = run_train("--run-dir", tmp_path / "b", "--steps", 4800, *options)
    tensors, numbers = load_checkpoint(old)
    for present, former in FORMER.items():
        tensors = {name.replace(present, former): value for name, value in tensors.items()}
    state = numbers["agent"]
    numbers["agent"] = {FORMER_NUMBERS.get(name, name): value for name, value in state.items()}
    assert tensors.keys() != load_checkpoint(run)[0].keys()
    assert agent_numbers(numbers) == state
    save_checkpoint(old, tensors, numbers)
    for folder in (run, old):
        run_train("--resume", folder, "--steps", 9600)
    assert_same_checkpoint(run, old)


def test_tensors_of_other_types_and_shapes_are_refused() -> None:
    expected = {"network.a": torch.zeros(2, 3), "memory.b": torch.zeros(5, 3)}
    check_tensors({"network.a": torch.ones(2, 3), "other": torch.ones(1)}, expected)
    check_tensors({"memory.b": torch.ones(4, 3)}, expected)  # a buffer may hold fewer rows
    with pytest.raises(ValueError, match=r"network.a is 2x4 of torch.float32 instead of 2x3 of"):
        check_tensors({"network.a": torch.ones(2, 4)}, expected)
    with pytest.raises(ValueError, match=r"network.a is one number of torch.float32"):
        check_tensors({"network.a": torch.ones(())}, expected)
    with pytest.raises(ValueError, match=r"is 2x3 of torch.float64 instead of 2x3 of torch.flo"):
        check_tensors({"network.a": torch.ones(2, 3, dtype=torch.float64)}, expected)
    with pytest.raises(ValueError, match=r"memory.b is 4 of torch"):
        check_tensors({"memory.b": torch.ones(5, 4)}, expected)


@pytest.mark.parametrize(
    ("saved", "name"),
    [
        ({"steps": -1}, "agent.steps"),
        ({"steps": 1.0}, "agent.steps"),
        ({"steps": True}, "agent.steps"),
        ({"rate": 1}, "agent.rate"),
        ({"flags": [True, 2]}, "each of agent.flags"),
        ({"flags": True}, "agent.flags"),
        ([], "agent"),
    ],
)
def test_numbers_of_other_types_are_refused(saved: Any, name: str) -> None:
    expected = {"steps": 0, "rate": 0.5, "flags": [False], "later": None, "empty": []}
    good = {"steps": 7, "rate": -1.5, "flags": [], "later": "any", "empty": [1, "a"], "new": {}}
    check_numbers(good, expected)
    check_numbers({"flags": [True, False]}, expected)
    with pytest.raises(ValueError, match=f"^{name} cannot be "):
        check_numbers(saved, expected)


def test_weights_of_nan_are_refused() -> None:
    weights = {"agent.network.a": torch.ones(2), "agent.replay.b": torch.tensor([torch.nan])}
    assert agent_tensors(weights).keys() == {"network.a", "replay.b"}
    with pytest.raises(ValueError, match=r"weights network.a contain nan or inf"):
        agent_tensors(weights | {"agent.network.a": torch.tensor([1.0, torch.inf])})
