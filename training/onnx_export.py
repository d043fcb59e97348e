"""Export of a policy to ONNX, for programs that have neither Python nor PyTorch.

The file computes what `Agent.act(explore=False)` returns: input `observations` (n, ...) of the
environment's dtype, output `actions` (n, ...), for any n. Scaling of observations and actions is
part of it. The file is written only if it acts like the agent in real episodes.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.agent import Agent, Array, Task, UnsuitableTaskError
from training.config import RunConfig
from training.loop import make_task
from training.run_folder import RunError, atomic_path
from training.train_options import env_of_run
from training.trained_agent import Model, load_config, load_model, restored_agent
from training.vector_runner import VectorRunner, make_environments

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
ENVIRONMENTS, STEPS = 8, 256
"""Environments and steps of the check."""
TOLERANCE = 1e-4
"""Allowed difference of continuous actions, as a fraction of 1 + their size."""


@dataclass(frozen=True)
class Exported:
    """What was exported, and how it was checked."""

    config: RunConfig
    model: Model
    observations: int
    """Number of observations of the check."""
    difference: float
    """Largest difference of an action; 0 if all actions are equal."""

    def __str__(self) -> str:
        """Return one line."""
        found = "all actions equal those of the agent"
        if self.difference:
            found = f"actions differ from those of the agent by at most {self.difference:.1e}"
        return (
            f"{self.config.agent} on {self.config.env}, {self.model.name} model, from step "
            f"{self.model.step:,}; on {self.observations:,} observations of its episodes, {found}"
        )


def export_policy(folder: Path, path: Path) -> Exported:
    """Write the policy of the best model of a run to `path`. Executes no code of the run.

    Raises:
        RunError: if there is no such run, its policy is not a network, a package is missing, or
            the exported policy acts differently. Nothing is then written.
    """
    _check_packages()
    config = load_config(folder)
    config = replace(config, env=env_of_run(config))
    model = load_model(folder)
    environments = make_environments(config.env, ENVIRONMENTS, config.env_options)
    with contextlib.closing(environments):
        runner = VectorRunner(environments, config.seed)
        task = make_task(config, runner)
        agent = restored_agent(model, task, config, folder)
        agent.set_lookahead(runner.lookahead)
        try:
            network = agent.policy_network()
        except UnsuitableTaskError as error:
            raise RunError(f"{folder} ({config.agent}) cannot be exported: {error}") from None
        try:
            with atomic_path(path) as temporary:
                _write(network, task, temporary, {"env": config.env, "agent": config.agent})
                difference = _largest_difference(agent, runner, temporary)
        except FileNotFoundError:
            raise RunError(f"there is no folder {path.parent} for {path.name}") from None
    return Exported(config, model, ENVIRONMENTS * STEPS, difference)


def _check_packages() -> None:
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            raise RunError(
                f"export to ONNX needs {name}, which is not installed: "
                'pip install -c constraints.txt -e ".[export]"'
            ) from None


def _write(network: torch.nn.Module, task: Task, path: Path, notes: dict[str, str]) -> None:
    """Write a network as an ONNX file, with `notes` as its metadata."""
    onnx: Any = importlib.import_module("onnx")
    space = task.observation_space
    example = np.zeros((2, *(space.shape or ())), space.dtype)  # 2: size 1 would become fixed
    with _quiet():
        program: Any = torch.onnx.export(
            copy.deepcopy(network).eval(),  # parameters of agents are parts of one vector
            (torch.from_numpy(example),),
            input_names=["observations"],
            output_names=["actions"],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            dynamo=True,
            external_data=False,
        )
        proto = program.model_proto
    onnx.helper.set_model_props(proto, notes)
    path.write_bytes(proto.SerializeToString())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide the exporter's progress and its warnings about itself."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _largest_difference(agent: Agent, runner: VectorRunner, path: Path) -> float:
    """Return the largest difference of actions in the agent's own episodes.

    Raises:
        RunError: if discrete actions differ at all, or continuous ones by more than `TOLERANCE`.
    """
    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])

    def exported(observations: Array) -> Array:
        actions: Array = session.run(None, {"observations": observations})[0]
        return actions

    largest = 0.0
    for _ in range(STEPS):
        observations = runner.observations
        actions = agent.act(observations, explore=False)
        found = np.concatenate((exported(observations[:1]), exported(observations[1:])))
        differences = np.abs(found.astype(np.float64) - actions)
        allowed = TOLERANCE * (1 + np.abs(actions)) if actions.dtype.kind == "f" else 0.0
        if (differences > allowed).any() or found.shape != actions.shape:
            raise RunError(
                f"the exported policy differs from the agent: {found.tolist()} instead of "
                f"{actions.tolist()}; nothing was written"
            )
        largest = max(largest, float(differences.max()))
        runner.step(actions)
    return largest
