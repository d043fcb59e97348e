"""Trains the runs of one reward, one after another, in a process of the lab."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event
from typing import Any

import torch

from reward_lab.sources import reward_digest
from rewards.make import reward_of
from training.config import RunConfig
from training.lock import locked
from training.logger import TensorBoardLogger
from training.loop import make_agent_and_runner, train
from training.reward_snapshot import keep_reward
from training.run_folder import CONFIG, has_checkpoint, remove_temporary_files, write_json
from training.session import describe_run, evaluate_and_record, prepare
from training.vector_runner import make_environments

REPORT_SECONDS = 0.2

Report = Callable[[dict[str, Any]], None]


def train_runs(request: dict[str, Any], report: Report, stop: Event) -> None:
    """Train runs of one reward, or continue them.

    Args:
        request: `{"runs": [{"folder": ..., "config": ...}, ...], "source": ...}`, with the settings
            as in config.json, which differ in the seed only, and the `reward_digest`.
        report: called with `{"folder": ..., "steps": ...}` while training.
        stop: set if training shall save and end.

    Raises:
        ValueError: if the reward cannot be used or has changed, or a folder is damaged.
        OSError: if a folder cannot be written.
    """
    torch.set_num_threads(1)
    reward: Any = None
    for run in request["runs"]:
        config = RunConfig.from_json(run["config"])
        options = config.make_options | ({} if reward is None else {"reward": reward})
        with closing(make_environments(config.env, config.num_envs, options)) as environments:
            if reward is None and reward_digest(str(config.reward)) != request["source"]:
                text = f"{config.reward} changed while it was loaded; run the command again"
                raise ValueError(text)
            reward = reward_of(environments)  # it need not be loaded again
            folder, command = Path(run["folder"]).resolve(), run["config"]["command"]
            _train_run(config, environments, folder, command, report, stop)
        if stop.is_set():
            return


def _train_run(
    config: RunConfig, environments: Any, folder: Path, command: str, report: Report, stop: Event
) -> None:
    if not has_checkpoint(folder):
        make_agent_and_runner(config, environments)  # an agent that does not suit leaves no folder
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        stack.enter_context(locked(folder))
        remove_temporary_files(folder)
        begun = has_checkpoint(folder)
        run, sources = prepare(config, environments, folder.parent, folder, command)
        logger = stack.enter_context(closing(TensorBoardLogger(folder, run.progress.steps)))
        if not begun:
            keep_reward(folder, sources)
            write_json(folder / CONFIG, run.config.to_json(command))
            describe_run(logger, run.config, command, sources)
        train(run, logger, _Progress(folder, report), stop)
        report({"folder": str(folder), "steps": run.progress.steps})
        if not stop.is_set():
            evaluate_and_record(run, logger)


class _Progress:
    """A `training.display.Display` that reports the steps."""

    def __init__(self, folder: Path, report: Report) -> None:
        self._folder = str(folder)
        self._report = report
        self._last = time.monotonic()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Report the step, at most every `REPORT_SECONDS`."""
        if time.monotonic() - self._last >= REPORT_SECONDS:
            self._last = time.monotonic()
            self._report({"folder": self._folder, "steps": step})
