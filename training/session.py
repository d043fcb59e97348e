"""One session of train.py: from settings to a trained agent in its run folder."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import torch
from rich.console import Console

from agents import ranks
from rewards.command_line import quoted
from rewards.expression import RewardError, has_code
from rewards.kernel import WeightedSum
from training.config import RunConfig, changeable_settings, other_versions
from training.cores import torch_threads
from training.curriculum import check_levels
from training.display import make_display
from training.evaluation import score_text
from training.feedback import kind_of
from training.lock import locked
from training.logger import Logger, NoLogger, TensorBoardLogger
from training.loop import FinalEvaluation, Run, evaluate_finally, make_agent_and_runner, train
from training.messages import counted, one_line, say
from training.recorded_episodes import keep_episodes
from training.reported import reported
from training.reward_snapshot import (
    function_sources,
    keep_reward,
    reward_sources,
    source_texts,
)
from training.run_folder import (
    CONFIG,
    EVALUATION,
    RunError,
    has_checkpoint,
    new_run_folder,
    read_json,
    remove_temporary_files,
    write_json,
)
from training.signals import interruptible
from training.supervisor import (
    announce_run,
    prepared_run_folder,
    protection_in_words,
    trust_flag,
    with_step,
)
from training.user_objects import NO_OBJECTS, UserObjects
from training.vector_runner import make_environments

OWN_REWARD = "the environment's own"

Callback = Callable[[int, dict[str, float]], object]
"""Takes a step and new points of the curves, by tag; training ends when it returns True."""


@dataclass(frozen=True)
class Ending:
    """How a session ended."""

    run: Run
    first_step: int
    seconds: float = 0.0
    final: FinalEvaluation | None = None
    """Evaluation of the trained agent; None if the session was interrupted, or did nothing."""
    interrupted: bool = False


def run_session(
    config: RunConfig,
    run_dir: Path,
    resume: Path | None,
    command: str,
    *,
    console: Console,
    user: UserObjects = NO_OBJECTS,
    callback: Callback | None = None,
    on_run: Callable[[Run], object] = lambda run: None,
) -> Ending:
    """Train and evaluate. Progress and notes are printed on `console`, the result is not.

    `on_run` is called with the run before it trains.

    Raises:
        ValueError: before anything is written, for settings that do not go together.
        OSError: if the run folder cannot be written; the last checkpoint stays good.
    """
    try:
        torch.empty(0, device=config.device)
    except (RuntimeError, AssertionError):
        raise ValueError(
            f"--device {config.device}: PyTorch finds no such device; use cpu"
        ) from None
    with ExitStack() as stack:
        stack.enter_context(torch_threads(config.threads))
        if resume is not None:
            if ranks.rank() == 0:
                stack.enter_context(locked(resume))
                remove_temporary_files(resume)
            for line in other_versions(read_json(resume / CONFIG)["versions"]):
                say(console, one_line(line))
        options = config.make_options | ({} if user.reward is None else {"reward": user.reward})
        count = ranks.share_of(config.num_envs)
        environments = make_environments(user.env or config.env, count, options)
        stack.callback(environments.close)
        run, sources = prepare(config, environments, run_dir, resume, command, user)
        if resume is None and config.pretrained is not None:
            say(console, f"starting with the backbone of {config.pretrained}")
        stack.enter_context(closing(run))
        if resume is None and ranks.rank() == 0:
            stack.enter_context(locked(run.folder))
        on_run(run)
        if _is_finished(run):
            say(console, _how_to_continue(run))
            return Ending(run, run.progress.steps)
        stack.enter_context(_errors_with_the_run(run))
        interrupted = stack.enter_context(interruptible(announced=ranks.count() == 1))
        if ranks.rank() > 0:
            silent = CallbackLogger(NoLogger(), None, interrupted)
            return _train_and_evaluate(console, run, silent, interrupted)
        logger = stack.enter_context(closing(TensorBoardLogger(run.folder, run.progress.steps)))
        if resume is None:
            describe_run(logger, run.config, command, sources)
        else:
            _record_resume(run, command)
        told = CallbackLogger(logger, callback, interrupted)
        return _train_and_evaluate(console, run, told, interrupted)


@contextmanager
def _errors_with_the_run(run: Run) -> Iterator[None]:
    """Let errors of a training name its step or its run folder."""
    try:
        yield
    except RewardError as error:
        text = with_step(str(error), run.progress.steps, run.shown_folder)
        raise RewardError(text) from None
    except ranks.LostRankError as error:
        how = f"{ranks.program(ranks.count())} train.py --resume {quoted(run.shown_folder)}"
        raise ranks.LostRankError(f"{error}; continue from the last checkpoint: {how}") from None
    except OSError as error:
        if not run.folder.is_dir():
            raise OSError(f"{run.shown_folder} is gone: was it renamed or removed?") from None
        if error.errno and not error.filename:  # from TensorBoard, which names no file
            raise OSError(f"{run.shown_folder} cannot be written: {error.strerror}") from None
        raise
    except KeyboardInterrupt:
        text = f"interrupted; the last checkpoint is in {run.shown_folder}"
        raise KeyboardInterrupt(text) from None


class CallbackLogger:
    """A `training.logger.Logger` that also calls a user's function with each point of a curve."""

    def __init__(self, logger: Logger, callback: Callback | None, stop: Event) -> None:
        self._logger = logger
        self._callback = callback
        self._stop = stop
        self.stopped = False
        """Whether the function has ended the training."""
        self.gif = logger.gif
        self.embedding = logger.embedding

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Log the values and call the function."""
        self._logger.scalars(values, step)
        if self._callback is not None and self._callback(step, values) is True:
            self.stopped = True
            self._stop.set()


def prepare(
    config: RunConfig,
    environments: Any,
    run_dir: Path,
    resume: Path | None,
    command: str,
    user: UserObjects = NO_OBJECTS,
) -> tuple[Run, dict[str, bytes]]:
    """Return a new or resumed run in its folder, and the source files of its reward, by name."""
    new = resume is None or not has_checkpoint(resume)
    start = config if new else replace(config, pretrained=None)  # the checkpoint holds its backbone
    agent, runner = make_agent_and_runner(start, environments, user.agent)
    sources = {}
    if user.reward is not None and not isinstance(user.reward, WeightedSum):
        sources = function_sources(user.reward)
        config = replace(config, reward=f"{user.reward.__module__}:{user.reward.__name__}")
    elif runner.reward is not None:
        sources = reward_sources(runner.reward)
        config = replace(config, reward=runner.reward.expression)
    if new:
        check_levels(config, environments, runner.reward)
    folder = resume or ranks.from_first(lambda: _new_folder(run_dir, config, command, sources))
    run = Run(config, folder, agent, runner, user)
    if not new:
        run.restore()
        planned = read_json(run.folder / CONFIG)["steps"]  # a run may make a few steps more
        if config.steps < min(planned, run.progress.steps):
            raise RunError(
                f"{run.folder} has already trained for {run.progress.steps:,} steps; --steps is "
                "the total, earlier steps included"
            )
    return run, sources


def _record_resume(run: Run, command: str) -> None:
    """Add what a resumed run changes to its config.json."""
    content = read_json(run.folder / CONFIG)
    content |= {name: getattr(run.config, name) for name in changeable_settings()}
    content["resumed"] = [*content.get("resumed", []), command]
    write_json(run.folder / CONFIG, content)


def _is_finished(run: Run) -> bool:
    """Return whether a run has nothing left to do: trained to its end, and evaluated there."""
    trained = run.progress.steps >= run.config.steps or run.solved or run.agent.converged
    if not trained:
        return False
    try:
        found = reported(run.folder)
    except RunError:  # damaged: it is evaluated again
        return False
    return found is not None and found.steps == run.progress.steps


def _how_to_continue(run: Run) -> str:
    """Return a sentence that says that a run is finished and which option continues it."""
    steps = run.progress.steps
    if run.solved:
        how = f"--solved-score with more than {run.config.solved_score:g}"
    else:
        how = f"--steps with more than {steps:,}"
    return f"{run.shown_folder} is finished after {steps:,} steps. Continue with {how}."


def _new_folder(run_dir: Path, config: RunConfig, command: str, sources: dict[str, bytes]) -> Path:
    """Create and return the folder of a new run, with its reward and config.json."""
    prepared = prepared_run_folder()
    folder = prepared or new_run_folder(run_dir, config.env, config.agent, config.seed)
    try:
        keep_reward(folder, sources)
        write_json(folder / CONFIG, config.to_json(command))
    except OSError:
        if prepared is None:
            shutil.rmtree(folder, ignore_errors=True)  # it would be half a run
        raise
    return folder


def describe_run(
    logger: TensorBoardLogger, config: RunConfig, command: str, sources: dict[str, bytes]
) -> None:
    """Write the settings and the source of the reward to TensorBoard's HParams and Text tabs."""
    content = config.to_json(command)
    logger.settings(config, content)
    rows = {**content.pop("settings"), **content}
    table = "\n".join(f"| {name} | `{value}` |" for name, value in rows.items())
    logger.text("run/settings", f"| setting | value |\n| --- | --- |\n{table}")
    texts = [
        f"**{name}**\n\n```python\n{text}\n```" for name, text in source_texts(sources).items()
    ]
    logger.text("run/reward", "\n\n".join([f"`{config.reward or OWN_REWARD}`", *texts]))


def _train_and_evaluate(
    console: Console, run: Run, logger: CallbackLogger, interrupted: Event
) -> Ending:
    config, first_step, began = run.config, run.progress.steps, time.monotonic()
    kind = kind_of(run.agent, run.runner.environments)
    reward = OWN_REWARD if run.runner.reward is None else run.runner.reward.title
    title = f"{config.agent} on {config.env}, reward: {reward}"
    title += f", feedback: {kind}"
    if first_step and not run.runner.exact:
        say(console, f"The state of {config.env} cannot be saved: new episodes begin.")
    if has_code(config.reward) and run.user.reward is None:
        say(console, protection_in_words())
    announce_run(run.folder)
    with make_display(console, title, first_step, config.steps) as display:
        train(run, logger, display, interrupted)
    seconds = time.monotonic() - began
    if ranks.any_of(interrupted.is_set()) and not logger.stopped and not run.solved:
        return Ending(run, first_step, seconds, interrupted=True)
    return Ending(run, first_step, seconds, evaluate_and_record(run, logger))


def result_lines(ending: Ending) -> list[str]:
    """Return what a session has achieved, in a few lines; none if it did nothing."""
    run = ending.run
    if ending.interrupted:
        return [f"Interrupted at step {run.progress.steps:,}. Everything is saved."]
    if ending.final is None:
        return []
    return [_outcome(run, ending.seconds, ending.first_step), *_result(run, ending.final)]


def next_commands(ending: Ending) -> list[str]:
    """Return the commands that continue or show the run of a session, one a line."""
    run = ending.run
    folder = quoted(run.shown_folder)
    if ending.interrupted:
        trust = f" {trust_flag()}" if has_code(run.config.reward) else ""
        program = ranks.program(ranks.count())
        return [f"Continue:    {program} train.py --resume {folder}{trust}"]
    if ending.final is None:
        return []
    unsolved = run.config.solved_score is not None and not run.solved
    return [
        f"Run folder:  {folder}",
        f"Watch it:    python play.py {folder}",
        f"Curves:      tensorboard --logdir {quoted(run.shown_folder.parent)}",
        *([f"Not solved:  python -m training doctor {folder} may say why"] if unsolved else []),
    ]


def evaluate_and_record(run: Run, logger: Logger) -> FinalEvaluation:
    """Evaluate a run whose training has ended, and write its episodes and evaluation.json.

    Raises:
        OSError: if the run folder cannot be written.
    """
    final = evaluate_finally(run, logger)
    if ranks.rank() == 0:
        keep_episodes(run.folder, final.best.recorded, final.last.recorded)
        write_json(run.folder / EVALUATION, _content(run, final))
    return final


def _outcome(run: Run, seconds: float, first_step: int) -> str:
    """Return how training ended, in a sentence."""
    steps, bar = run.progress.steps, run.config.solved_score
    if run.solved:
        return (
            f"Solved after {steps:,} steps, {seconds:.1f} s: two evaluations in a row reached a "
            f"mean score of {bar:g}."
        )
    unsolved = "" if bar is None else f" Not solved: the solved score is {bar:g}."
    return f"Trained for {steps - first_step:,} steps in {seconds:.1f} s.{unsolved}"


def _result(run: Run, final: FinalEvaluation) -> list[str]:
    """Return what the final evaluation measured, in a line or two."""
    best, last = final.best, final.last
    low, high = (score_text(end) for end in best.interval())
    metrics = "".join(f" {name}: {value:.3f}." for name, value in best.metrics.items())
    which = "" if best is last else f" of the best model, from step {final.best_step:,}"
    episodes = counted(len(best.scores), "new episode")
    lines = [
        f"Final evaluation{which}: mean score {score_text(best.mean_score)} over {episodes} (95 % "
        f"interval for this policy, over episodes: {low} to {high}).{metrics}"
    ]
    if best is not last:
        low, high = (score_text(end) for end in last.interval())
        lines.append(
            f"The last model, from step {run.progress.steps:,}: mean score "
            f"{score_text(last.mean_score)} in the same episodes ({low} to {high})."
        )
    return lines


def _content(run: Run, final: FinalEvaluation) -> dict[str, Any]:
    """Return the content of evaluation.json: that of the best model, and the last one's score."""
    best, last = final.best, final.last
    return {
        "mean_score": best.mean_score,
        "interval_95": best.interval(),
        "interval_of": "the mean score of this policy, over episodes",
        "model_step": final.best_step,
        "last_model": {"mean_score": last.mean_score, "interval_95": last.interval()},
        "mean_return": float(best.returns.mean()),
        "mean_length": float(best.lengths.mean()),
        "episodes": len(best.scores),
        "scores": best.scores.tolist(),
        "steps": run.progress.steps,
        "training_episodes": run.progress.episodes,
        "feedback_numbers": run.progress.feedback_numbers,
        "metrics": best.metrics,
        "solved": run.solved,
    }
