"""Runs CleanRL's own files, unchanged, and evaluates what they train.

Huang et al., "CleanRL: High-quality single-file implementations of deep reinforcement learning
algorithms" (JMLR 2022). The files come from a checkout of its repository, which is not installed.

A file is a script: it reads its command line, creates a `SyncVectorEnv` and calls `step` in a
loop. While it runs, `SyncVectorEnv` is replaced by a subclass that asks the evaluator at each step
whether to go on. It also behaves as in Gymnasium 0.29, for which the files were written: episodes
restart in the same step, and the last observation is called `final_observation`. `final_info`,
which the files only print, is left out.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import gymnasium
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from agents.agent import Array
from benchmarks.evaluator import Evaluator, Policy

Names = dict[str, Any]
CHOOSE: dict[str, Callable[[Names, torch.Tensor], torch.Tensor]] = {
    "ppo.py": lambda names, seen: names["agent"].actor(seen).argmax(1),
    "pqn.py": lambda names, seen: names["q_network"](seen).argmax(1),
    "dqn.py": lambda names, seen: names["q_network"](seen).argmax(1),
    "sac_continuous_action.py": lambda names, seen: names["actor"].get_action(seen)[2],
}
"""For each file: the deterministic actions of its network, found among its global names."""


class BudgetSpentError(Exception):
    """Ends a script whose budget is used up."""


def run_script(path: Path, arguments: list[str], evaluator: Evaluator) -> None:
    """Run one of CleanRL's files until the budget is used up or it ends by itself."""
    names: Names = {"__name__": "__main__", "__file__": str(path)}

    def choose(observations: Array) -> Array:
        with torch.no_grad():
            actions = CHOOSE[path.name](names, torch.as_tensor(observations).float())
        return actions.numpy()

    class CountedEnvironments(SyncVectorEnv):
        """Counts steps, and asks whether to go on."""

        steps_taken = 0

        def __init__(self, env_fns: Any) -> None:
            super().__init__(env_fns, autoreset_mode=AutoresetMode.SAME_STEP)

        def step(self, actions: Any) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
            observations, rewards, terminated, truncated, infos = super().step(actions)
            type(self).steps_taken += self.num_envs
            with patch.object(gymnasium.vector, "SyncVectorEnv", SyncVectorEnv):  # to evaluate in
                go_on = evaluator.keep_training(self.steps_taken, Policy(choose))
            if not go_on:
                raise BudgetSpentError
            infos.pop("final_info", None)
            if "final_obs" in infos:
                infos["final_observation"] = infos.pop("final_obs")
            return observations, rewards, terminated, truncated, infos

    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    with _as_a_program(path, arguments), contextlib.suppress(BudgetSpentError):
        with patch.object(gymnasium.vector, "SyncVectorEnv", CountedEnvironments):
            exec(code, names)
        evaluator.finish(CountedEnvironments.steps_taken, Policy(choose))


@contextlib.contextmanager
def _as_a_program(path: Path, arguments: list[str]) -> Iterator[None]:
    """Give a script its command line and imports, an empty working folder, and nothing to print to.

    CleanRL's files import `cleanrl_utils` of the same checkout.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        patch.object(sys, "argv", [str(path), *arguments]),
        patch.object(sys, "path", [str(path.parent.parent), *sys.path]),
        Path(os.devnull).open("w", encoding="utf-8") as nothing,
        contextlib.redirect_stdout(nothing),
    ):
        yield
