"""One use of train.py: from settings to a trained agent in its run folder."""

from __future__ import annotations

import re
import shlex
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import torch
from rich.console import Console

from training.cli import INTERRUPTED
from training.config import CHANGEABLE, RunConfig
from training.display import make_display
from training.evaluation import Evaluation
from training.feedback import kind_of
from training.logger import Logger
from training.loop import Run, look, make_agent_and_runner, train
from training.reward_snapshot import has_code, keep_reward, reward_sources
from training.run_folder import CONFIG, EVALUATION, RunError, read_json, write_json
from training.signals import interruptible
from training.vector_runner import make_environments

DETAILED_BELOW = 2.0  # scores like accuracies, which are told apart by the third digit
FINAL = 2  # keeps the seeds of the final evaluation apart from all others


def run_session(config: RunConfig, run_dir: Path, resume: Path | None, command: str) -> int:
    """Train, evaluate and say what came of it; returns the exit code.

    Raises:
        ValueError: before anything is written, for settings that do not go together.
        OSError: if the run folder cannot be written; what was saved before is still good.
    """
    console = Console()
    try:
        torch.empty(0, device=config.device)
    except (RuntimeError, AssertionError):
        raise ValueError(f"--device {config.device}: torch finds no such device; use cpu") from None
    environments = make_environments(config.env, config.num_envs, config.make_options)
    try:
        run, sources = prepare(config, environments, run_dir, resume, command)
        with interruptible() as interrupted, closing(Logger(run.folder, run.progress.steps)) as log:
            if resume is None:
                describe_run(log, run.config, command, sources)
            return _train_and_report(console, run, log, interrupted)
    finally:
        environments.close()


def prepare(
    config: RunConfig, environments: Any, run_dir: Path, resume: Path | None, command: str
) -> tuple[Run, dict[str, str]]:
    """A run, new or resumed, and the sources of its reward."""
    new = resume is None  # else what it began with is in its checkpoint
    agent, runner = make_agent_and_runner(
        config if new else replace(config, pretrained=None), environments
    )
    sources = {}
    if runner.reward is not None:
        sources = reward_sources(runner.reward.terms)
        config = replace(config, reward=runner.reward.expression)
    folder = resume or _new_folder(run_dir, config)
    run = Run(config, folder, agent, runner)
    if new:
        keep_reward(folder, sources)
        write_json(folder / CONFIG, config.to_json(command))
    else:
        run.restore()
        if config.steps < run.progress.steps:
            raise RunError(
                f"{folder} has made {run.progress.steps:,} steps already; --steps counts from its "
                "beginning"
            )
        content = read_json(folder / CONFIG)
        content |= {name: getattr(config, name) for name in CHANGEABLE}
        content["resumed"] = [*content.get("resumed", []), command]
        write_json(folder / CONFIG, content)
    return run, sources


def _new_folder(run_dir: Path, config: RunConfig) -> Path:
    """A folder of its own: runs/PaddleBall-v0_ppo_seed1_2026-11-22_09-30-00."""
    now = f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    env = re.sub(r"[^\w.-]", "-", config.env)
    name = f"{env}_{config.agent}_seed{config.seed}_{now}"
    for suffix in ("", *(f"_{k}" for k in range(2, 1000))):
        folder = run_dir / f"{name}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise RunError(f"{run_dir} is full of runs called {name}")


def describe_run(logger: Logger, config: RunConfig, command: str, sources: dict[str, str]) -> None:
    """Settings and the reward's source, for TensorBoard's HParams and Text tabs."""
    content = config.to_json(command)
    logger.settings(config, content)
    rows = {**content.pop("settings"), **content}
    table = "\n".join(f"| {name} | `{value}` |" for name, value in rows.items())
    logger.text("run/settings", f"| setting | value |\n| --- | --- |\n{table}")
    texts = [f"**{name}**\n\n```python\n{source}\n```" for name, source in sources.items()]
    logger.text("run/reward", "\n\n".join([f"`{config.reward or 'its own'}`", *texts]))


def _train_and_report(console: Console, run: Run, logger: Logger, interrupted: Event) -> int:
    config, first_step, began = run.config, run.progress.steps, time.monotonic()
    kind = kind_of(run.agent, run.runner.environments)
    title = f"{config.agent} on {config.env}, reward: {config.reward or 'its own'}"
    title += f", feedback: {kind}"
    if first_step and not run.runner.exact:
        _say(console, f"{config.env} cannot be saved as it stands: it begins new episodes.")
    with make_display(console, title, first_step, config.steps) as display:
        train(run, logger, display, interrupted)
    if interrupted.is_set() and not run.solved:
        trust = " --trust-reward" if has_code(config.reward) else ""
        _say(console, f"Interrupted at step {run.progress.steps:,}; everything is saved.")
        _say(console, f"Go on:   python train.py --resume {_quoted(run.folder)}{trust}")
        return INTERRUPTED
    seconds = time.monotonic() - began
    evaluation = run.confirmation if run.solved else None
    if evaluation is None:
        evaluation = look(run, logger, FINAL)
    write_json(run.folder / EVALUATION, _content(run, evaluation))
    _say(console, _verdict(run, seconds, first_step, evaluation))
    _say(console, f"The run lies in {_quoted(run.folder)}")
    _say(console, f"Watch it:      python play.py {_quoted(run.folder)}")
    _say(console, f"See its curves: tensorboard --logdir {_quoted(run.folder.parent)}")
    return 0


def _verdict(run: Run, seconds: float, first_step: int, evaluation: Evaluation) -> str:
    """How good the agent is, in a sentence or two."""
    progress, bar = run.progress, run.config.solved_score
    outcome = f"Trained {progress.steps - first_step:,} steps in {seconds:.1f} s."
    if run.solved:
        outcome = f"Solved after {progress.steps:,} steps, {seconds:.1f} s."
    elif bar is not None:
        outcome += f" Not solved (that takes a mean score of {bar:g})."
    low, high = evaluation.interval()
    digits = 1 if abs(evaluation.mean_score) >= DETAILED_BELOW else 3
    mean, *ends = (f"{x:.{digits}f}" for x in (evaluation.mean_score, low, high))
    besides = "".join(f" {name} {value:.3f}." for name, value in evaluation.metrics.items())
    return (
        f"{outcome} Mean score {mean} over {len(evaluation.scores)} fresh episodes (95 % interval "
        f"{' to '.join(ends)}).{besides}"
    )


def _content(run: Run, evaluation: Evaluation) -> dict[str, Any]:
    """For evaluation.json."""
    return {
        "mean_score": evaluation.mean_score,
        "interval_95": evaluation.interval(),
        "mean_return": float(evaluation.returns.mean()),
        "mean_length": float(evaluation.lengths.mean()),
        "episodes": len(evaluation.scores),
        "scores": evaluation.scores.tolist(),
        "steps": run.progress.steps,
        "training_episodes": run.progress.episodes,
        "feedback_numbers": run.progress.feedback_numbers,
        "metrics": evaluation.metrics,
        "solved": run.solved,
    }


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
