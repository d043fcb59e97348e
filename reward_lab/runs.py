"""Runs of the lab: one run folder for each reward and seed, in which nothing is trained twice.

The name of a folder has a fingerprint of everything that decides the result: the settings, the
reward's source with its helpers, the project's code and the versions of its packages. The folders
are those of train.py: play.py and TensorBoard show them.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from reward_lab.sources import code_digest, reward_digest
from reward_lab.supervised import Job, run_alone, run_supervised
from rewards.expression import has_code
from training.config import MAX_STEPS, RunConfig
from training.cores import usable_cores
from training.run_folder import EVALUATION
from training.train_options import config_of
from training.workers import is_ray, run_jobs

PLACE = Path("runs", "lab")
LONGEST = 40  # letters of the reward in the name of a folder


def settings_of_train(
    reward: str, seed: int, steps: int, env: str, agent: str | None, env_options: dict[str, Any]
) -> RunConfig:
    """Return the settings that train.py has for these options, for one run of the lab.

    It trains to the last step, on one thread, and is evaluated only at its end.

    Raises:
        ValueError: for a value that cannot be used.
    """
    options = {"reward": reward, "seed": seed, "steps": steps, "threads": 1}
    config = config_of(env, agent, options | {"env_options": env_options})
    return dataclasses.replace(config, solved_score=None, eval_every=MAX_STEPS, video_frames=0)


def _progress(shown: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not (shown and console.is_terminal))


def run_folder_of(config: RunConfig, place: Path) -> Path:
    """Return the folder of a run, which need not exist."""
    content = config.to_json("") | {
        "code": code_digest(),
        "source": reward_digest(str(config.reward)),
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    name = re.sub(r"[^\w.+-]+", "-", str(config.reward)).strip("-")[:LONGEST]
    return place / f"{config.env}_{config.agent}_{name}_seed{config.seed}_{digest[:16]}"


def is_trained(folder: Path) -> bool:
    """Return whether a run has ended, and was evaluated."""
    return (folder / EVALUATION).is_file()


def train_all(
    configs: Sequence[RunConfig],
    place: Path = PLACE,
    workers: str = "",
    describe: str = "",
    on_warning: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Train the runs that are not trained yet, several at a time, and return all run folders.

    Args:
        configs: settings of the runs.
        place: folder of the run folders.
        workers: where they train, as for `training.workers.run_jobs`.
        describe: text in front of the progress bar; empty for none.
        on_warning: called once with each warning about a reward.

    Raises:
        ValueError: with one line, if a reward cannot be used or a training fails.
        KeyboardInterrupt: on Ctrl-C, when everything is saved.
    """
    folders = [run_folder_of(config, place) for config in configs]
    left = {f: c for f, c in zip(folders, configs, strict=True) if not is_trained(f)}
    with _progress(shown=bool(describe and left)) as progress:
        bar = progress.add_task(describe, total=sum(config.steps for config in left.values()))
        steps: dict[str, int] = {}
        warned: set[str] = set()

        def on_report(content: dict[str, Any]) -> None:
            if (warning := content.get("warning")) and warning not in warned:
                warned.add(warning)
                on_warning(warning)
            elif "folder" in content:
                steps[content["folder"]] = content["steps"]
                progress.update(bar, completed=sum(steps.values()))

        try:
            if is_ray(workers):
                work = functools.partial(run_alone, str(Path.cwd()))
                for _, reports in run_jobs(work, jobs_for(left, len(left)), workers):
                    for content in reports:
                        on_report(content)
            else:
                processes = int(workers or usable_cores())
                run_supervised(jobs_for(left, processes), processes, on_report)
        except KeyboardInterrupt:
            text = f"interrupted; everything is kept in {place}, and the same command continues"
            raise KeyboardInterrupt(text) from None
    return folders


def jobs_for(configs: dict[Path, RunConfig], processes: int) -> list[Job]:
    """Return jobs that train runs, those with a user's code first, as they may have mistakes.

    A job trains several seeds of one reward, which is then tried and compiled only once. If there
    are fewer rewards than processes, the seeds are shared out.
    """
    command = shlex.join(sys.argv)
    by_reward: dict[str, list[dict[str, Any]]] = {}
    for folder, config in configs.items():
        run = {"folder": str(folder), "config": config.to_json(command)}
        by_reward.setdefault(str(config.reward), []).append(run)
    parts = -(-processes // len(by_reward)) if by_reward else 1
    return [
        Job("train", {"runs": runs[k::parts], "source": reward_digest(reward)}, has_code(reward))
        for reward, runs in sorted(by_reward.items(), key=lambda item: not has_code(item[0]))
        for k in range(min(parts, len(runs)))
    ]
