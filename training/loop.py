"""The one loop: observation, action, feedback, learning; and when to look, save and stop."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch

from agents import make_agent
from agents.agent import Agent, Task
from agents.checkpointing import under
from envs.engine.batch import TERM_PREFIX
from rewards.terms import describe
from training.config import RunConfig
from training.display import Display
from training.evaluation import Evaluation, evaluate, fresh_seed
from training.feedback import learns, numbers_of
from training.logger import Logger
from training.run_folder import RunError, load_checkpoint, save_checkpoint
from training.trained_agent import load_backbone
from training.vector_runner import Episodes, VectorRunner
from training.video import film

RECENT_EPISODES = 100
SAVE_SECONDS = 20.0
CONFIRMING = 1  # keeps these seeds apart from all others


@dataclass
class Progress:
    """Where a run stands."""

    steps: int = 0
    episodes: int = 0
    feedback_numbers: int = 0
    evaluated_score: float | None = None


class Recent:
    """The last episodes, for the curves."""

    def __init__(self) -> None:
        self.rows: deque[dict[str, float]] = deque(maxlen=RECENT_EPISODES)

    def add(self, episodes: Episodes) -> None:
        """Take in episodes that ended."""
        for i in range(len(episodes.returns))[-RECENT_EPISODES:]:
            row = {
                "rollout/ep_rew_mean": episodes.returns[i],
                "rollout/ep_len_mean": episodes.lengths[i],
                "task/score": episodes.scores[i],
            }
            row |= {f"{TERM_PREFIX}{name}": sums[i] for name, sums in episodes.terms.items()}
            if episodes.terms:
                row[f"{TERM_PREFIX}weighted_sum"] = episodes.returns[i]
            self.rows.append({tag: float(value) for tag, value in row.items()})

    def means(self) -> dict[str, float]:
        """Mean over the last episodes, by TensorBoard tag."""
        if not self.rows:
            return {}
        return {tag: float(np.mean([row[tag] for row in self.rows])) for tag in self.rows[-1]}


def make_agent_and_runner(config: RunConfig, environments: Any) -> tuple[Agent, VectorRunner]:
    """A new agent for `environments`, which begin their first episodes.

    Raises:
        ValueError: if it cannot begin with the body of the run that `config` names.
    """
    runner = VectorRunner(environments, fresh_seed(config.seed))
    task = Task(
        config.env,
        environments.single_observation_space,
        environments.single_action_space,
        config.num_envs,
        config.steps,
        runner.terms,
    )
    agent = make_agent(config.agent, task, config.settings, config.seed, config.device)
    if config.pretrained is not None:
        load_backbone(agent, config, Path(config.pretrained))
    if config.freeze:
        agent.freeze_backbone()
    agent.set_lookahead(runner.lookahead)
    return agent, runner


class Run:
    """An agent, its environments and where they stand: what a checkpoint holds."""

    def __init__(self, config: RunConfig, folder: Path, agent: Agent, runner: VectorRunner) -> None:
        self.config = config
        self.make_options = config.make_options  # for evaluations
        self.make_options |= runner.environments.metadata.get("evaluation_options", {})
        if runner.reward is not None:
            self.make_options["reward"] = runner.reward  # loaded, tried and compiled once
        self.folder = folder
        self.agent = agent
        self.runner = runner
        self.progress = Progress()
        self.recent = Recent()
        self.confirmation: Evaluation | None = None

    @property
    def solved(self) -> bool:
        """Is what was evaluated last good enough to stop?"""
        score, bar = self.progress.evaluated_score, self.config.solved_score
        return score is not None and bar is not None and score >= bar

    def save(self) -> None:
        """Write a checkpoint."""
        tensors = {f"agent.{name}": tensor for name, tensor in self.agent.tensors().items()}
        for name, array in self.runner.checkpoint().items():
            tensors[f"environments.{name}"] = torch.from_numpy(np.ascontiguousarray(array))
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        numbers = {
            "progress": vars(self.progress),
            "recent": list(self.recent.rows),
            "agent": self.agent.numbers(),
        }
        save_checkpoint(self.folder, tensors, numbers)

    def restore(self) -> None:
        """Go on from the folder's checkpoint."""
        tensors, numbers = load_checkpoint(self.folder)
        environments = under("environments.", tensors)
        try:
            self.agent.restore(under("agent.", tensors), numbers["agent"])
            self.progress = Progress(**numbers["progress"])
            self.recent.rows.extend(numbers["recent"])
            if self.runner.exact:
                self.runner.restore({name: t.numpy() for name, t in environments.items()})
            else:
                self.agent.discard_rollout()
                self.runner.begin(fresh_seed(self.config.seed, self.progress.steps))
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            raise RunError(
                f"{self.folder} holds no run to go on from ({describe(error)})"
            ) from None


def train(run: Run, logger: Logger, display: Display, interrupted: Event) -> None:
    """Train until solved, at rest, out of steps or interrupted; saved before, meanwhile and after.

    Everything that decides the course of training counts environment steps, never seconds, so that
    a run that was stopped and resumed goes exactly as one that was not.
    """
    config, progress, agent, runner = run.config, run.progress, run.agent, run.runner
    run.save()
    takes_feedback = learns(agent)
    first_step, began = progress.steps, time.monotonic()
    saved = began
    while not (progress.steps >= config.steps or run.solved or agent.converged):
        if interrupted.is_set():
            break
        actions = agent.act(runner.observations)
        step, episodes = runner.step(actions)
        metrics = agent.learn(step)
        before, progress.steps = progress.steps, progress.steps + runner.count
        progress.feedback_numbers += (
            numbers_of(step, agent.learns_from_labels) if takes_feedback else 0
        )
        if episodes is not None:
            progress.episodes += len(episodes.returns)
            run.recent.add(episodes)
        if due := progress.steps // config.eval_every > before // config.eval_every:
            _look(run, logger)
        if metrics is not None or due:
            speed = (progress.steps - first_step) / (time.monotonic() - began)
            _report(run, logger, display, metrics or {}, speed)
        if time.monotonic() - saved > SAVE_SECONDS:
            run.save()
            saved = time.monotonic()
    run.save()


def _report(
    run: Run, logger: Logger, display: Display, metrics: dict[str, float], speed: float
) -> None:
    """Put an update's numbers onto the curves and the screen."""
    means = run.recent.means()
    trained = {f"train/{name}": value for name, value in metrics.items()}
    counted = {"time/fps": speed, "feedback/numbers": float(run.progress.feedback_numbers)}
    logger.scalars({**counted, **means, **trained}, run.progress.steps)
    shown = {"steps/s": speed, "episodes": run.progress.episodes}
    if means:
        shown |= {"return": means["rollout/ep_rew_mean"], "score": means["task/score"]}
    if run.progress.evaluated_score is not None:
        shown["evaluation"] = run.progress.evaluated_score
    display.update(run.progress.steps, shown)


def _look(run: Run, logger: Logger) -> None:
    """See how good the agent is by now; if good enough, once more, since that may be luck."""
    run.progress.evaluated_score = look(run, logger).mean_score
    if run.solved:
        run.confirmation = _evaluate(run, CONFIRMING)
        run.progress.evaluated_score = run.confirmation.mean_score
    run.agent.set_lookahead(run.runner.lookahead)  # the evaluation has shown it others


def _evaluate(run: Run, *purpose: int) -> Evaluation:
    """Evaluate the agent on seeds of this moment and purpose alone."""
    config, seed = run.config, fresh_seed(run.config.seed, run.progress.steps, *purpose)
    return evaluate(run.agent, config.env, run.make_options, config.eval_episodes, seed)


def look(run: Run, logger: Logger, *purpose: int) -> Evaluation:
    """Evaluate the agent; onto the curves, with a film of one episode."""
    config, step = run.config, run.progress.steps
    evaluation = _evaluate(run, *purpose)
    logger.scalars(
        {
            "eval/mean_reward": float(evaluation.returns.mean()),
            "eval/mean_ep_length": float(evaluation.lengths.mean()),
            "eval/mean_score": evaluation.mean_score,
            **{f"eval/{name}": value for name, value in evaluation.metrics.items()},
            "feedback/numbers": float(run.progress.feedback_numbers),  # also of who never learns
        },
        step,
    )
    if not logger.takes_pictures:
        return evaluation
    for name, picture in evaluation.pictures.items():
        logger.gif(f"evaluation/{name}", [picture], 1.0, step)
    if evaluation.embedding is not None:
        logger.embedding(evaluation.embedding, step)
    seed = fresh_seed(config.seed, step, *purpose)
    shot = film(run.agent, config.env, run.make_options, seed)
    if shot.frames:
        logger.gif("evaluation/episode", shot.frames, shot.frames_per_second, step)
    for name, frames in run.agent.pictures(shot.observations).items():
        logger.gif(f"agent/{name}", frames, shot.frames_per_second, step)
    return evaluation
