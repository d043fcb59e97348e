"""Export of policies: the network acts like the agent, in PyTorch and in onnxruntime."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from training.__main__ import main
from training.loop import Run, make_agent_and_runner
from training.run_folder import CONFIG, write_json
from training.train_options import parse
from training.vector_runner import make_environments

DOCS = Path(__file__).parents[1] / "docs" / "runs.md"
onnx_needed = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="the extra `export` is not installed",
)


def make_run(folder: Path, *arguments: str) -> tuple[Run, Any]:
    """Write a run folder of an agent with weights far from the initial ones; return its run."""
    config = parse([*arguments, "--num-envs", "8"])[1]
    environments = make_environments(config.env, config.num_envs, config.make_options)
    run = Run(config, folder, *make_agent_and_runner(config, environments))
    generator = torch.Generator().manual_seed(1)
    tensors = run.agent.policy_tensors()
    for name, tensor in tensors.items():
        if name.endswith("weight"):  # the last layers begin with weights of about 0
            tensor.add_(0.2 * torch.randn(tensor.shape, generator=generator))
        elif name.endswith("return_scale"):  # 0 before the first reward
            tensor.fill_(1.0)
    run.agent.restore_policy(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG, config.to_json("no command"))
    run.save()
    return run, environments


SERVED = {
    "ppo": ["--agent", "ppo"],
    "ppo, continuous": ["--env", "bicycle", "--agent", "ppo"],
    "ppo, rows": ["--agent", "ppo", "--env-options", "history=3", "controls=random"],
    "reinforce": ["--agent", "reinforce"],
    "dqn": ["--agent", "dqn", "--env", "CartPole-v1"],
    "pqn, screens": ["--agent", "pqn", "--observation", "screen"],
    "sac": ["--agent", "sac", "--env", "Pendulum-v1"],
    "sac, three controls": ["--agent", "sac", "--env", "bicycle"],
    "reward_model": ["--agent", "reward_model", "--horizon", "1"],
    "reward_model, continuous": ["--agent", "reward_model", "--horizon", "1", "--env", "bicycle"],
    "supervised": ["--env", "classify"],
    "supervised, numbers": ["--env", "reconstruct", "--codes", "4"],
}


@pytest.mark.parametrize("arguments", SERVED.values(), ids=SERVED)
def test_the_network_acts_like_the_agent(arguments: list[str], tmp_path: Path) -> None:
    run, environments = make_run(tmp_path / "run", *arguments)
    agent, runner = run.agent, run.runner
    network = agent.policy_network()
    chosen = []
    for _ in range(20):
        actions = agent.act(runner.observations, explore=False)
        with torch.inference_mode():
            found = network(torch.from_numpy(runner.observations)).numpy()
        assert (found.shape, found.dtype) == (actions.shape, actions.dtype)
        np.testing.assert_allclose(found, actions, rtol=1e-5, atol=1e-6)
        chosen.append(actions)
        runner.step(agent.act(runner.observations))
    assert np.ptp(np.concatenate(chosen).astype(float), 0).max() > 0  # else nothing was compared
    environments.close()


REFUSED = {
    "rules": (["--agent", "rules"], "Python code"),
    "search": (["--agent", "search"], "hand-made features are Python code"),
    "kmeans": (["--env", "cluster"], "nearest centres"),
    "gpt": (["--env", "commentary"], "whole sequence of tokens"),
    "a planner": (["--agent", "reward_model", "--horizon", "3"], "3 steps ahead"),
}


@onnx_needed
@pytest.mark.parametrize(("arguments", "reason"), REFUSED.values(), ids=REFUSED)
def test_other_policies_are_refused_with_the_reason(
    arguments: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, environments = make_run(tmp_path / "run", *arguments)
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "policy.onnx")]) == 2
    message = capsys.readouterr().err
    assert reason in message
    assert message.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    environments.close()


@onnx_needed
@pytest.mark.parametrize("name", ["ppo, continuous", "pqn, screens", "reward_model"])
def test_onnxruntime_acts_like_the_agent(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, environments = make_run(tmp_path / "run", *SERVED[name])
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "policy.onnx")]) == 0
    assert "2,048 observations" in capsys.readouterr().out
    environments.close()


@onnx_needed
def test_an_export_that_acts_differently_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, environments = make_run(tmp_path / "run", "--agent", "ppo")
    monkeypatch.setattr(type(run.agent), "act", lambda agent, seen, explore: np.full(len(seen), 7))
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "policy.onnx")]) == 2
    assert "differs from the agent" in capsys.readouterr().err
    assert not (tmp_path / "policy.onnx").exists()
    environments.close()


@onnx_needed
def test_the_example_in_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, environments = make_run(tmp_path / "run", "--agent", "ppo")
    monkeypatch.chdir(tmp_path)
    assert main(["export", "run", "--out", "policy.onnx"]) == 0
    (example,) = re.findall(r"```python\n(import onnxruntime.*?)```", DOCS.read_text(), re.DOTALL)
    capsys.readouterr()
    exec(example, {})
    assert float(capsys.readouterr().out) >= 0
    environments.close()


def test_a_missing_package_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, environments = make_run(tmp_path / "run", "--agent", "ppo")
    environments.close()
    monkeypatch.setitem(sys.modules, "onnx", None)
    policy = tmp_path / "policy.onnx"
    assert main(["export", str(tmp_path / "run"), "--out", str(policy)]) == 2
    assert '".[export]"' in capsys.readouterr().err
    assert main(["export", str(tmp_path / "gone"), "--out", str(policy)]) == 2
    assert "there is no run folder" in capsys.readouterr().err
    assert not policy.exists()
