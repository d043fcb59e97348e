"""Tests of checkpoints of earlier versions, in which tensors and numbers had other names."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.checkpointing import agent_numbers, agent_tensors
from tests.test_training import QUICK, assert_same_checkpoint, run_train
from training.run_folder import load_checkpoint, save_checkpoint

FORMER = {".backbone.": ".body.", "agent.collected.": "agent.record."}
FORMER_NUMBERS = {"at_start": "beginning", "collecting": "recording"}


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("network.body.first.weight", "network.backbone.first.weight"),
        ("target.body.6.bias", "target.backbone.6.bias"),
        ("network.body.pieces.weight", "network.backbone.token_embedding.weight"),
        ("network.body.places.weight", "network.backbone.position_embedding.weight"),
        *(
            (f"network.{body}blocks.1.{former}.weight", f"network.{backbone}blocks.1.{now}.weight")
            for body, backbone in (
                ("body.transformer.", "backbone.transformer."),
                ("transformer.", "transformer."),
            )
            for former, now in (
                ("attention.inwards", "attention.qkv"),
                ("attention.outwards", "attention.proj"),
                ("thought_norm", "mlp_norm"),
                ("thought.inwards", "mlp.fc"),
                ("thought.outwards", "mlp.proj"),
            )
        ),
        ("network.bottleneck.inwards.bias", "network.bottleneck.encoder.bias"),
        ("network.bottleneck.outwards.2.bias", "network.bottleneck.decoder.2.bias"),
        ("tries.best_score", "population.best_score"),
        ("record.rewards", "collected.rewards"),
        ("network.heads.weight", "network.heads.weight"),
        ("optimizer.0.exp_avg", "optimizer.0.exp_avg"),
    ],
)
def test_former_names_of_tensors(former: str, present: str) -> None:
    assert agent_tensors({f"agent.{former}": 1.0, "environments.t": 2.0}) == {present: 1.0}


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
