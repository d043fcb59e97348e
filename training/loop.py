"""The training loop: observe, act, learn; and when to evaluate, save and stop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch

from agents import make_agent, ranks
from agents.agent import Agent, DivergedError, Step, Task
from agents.checkpointing import (
    agent_numbers,
    agent_tensors,
    check_numbers,
    check_tensors,
    under,
)
from agents.user_agent import AgentMaker
from envs.engine.batch import TERM_PREFIX
from envs.names import load, one_of
from envs.registry import AGENTS
from rewards.errors import describe
from rewards.guard import MARKS, STEP
from training.checked import checked
from training.config import RunConfig
from training.curriculum import level_at, parse_curriculum
from training.curves import TrainingCurves
from training.display import Display
from training.evaluation import Evaluation, evaluate, fresh_seed
from training.feedback import learns, numbers_of
from training.logger import Logger
from training.measures import StepMeasures
from training.progress import Progress
from training.run_folder import (
    BEST,
    RunError,
    has_checkpoint,
    load_checkpoint,
    save_checkpoint,
    write_tensors,
)
from training.trained_agent import best_model, load_backbone, restored_agent
from training.user_objects import NO_OBJECTS, UserObjects
from training.vector_runner import EnvId, VectorRunner, make_environments
from training.video import make_video

SAVE_SECONDS = 20.0
CONFIRMATION, FINAL = 1, 2  # each kind of evaluation has seeds of its own
LEVEL = 3  # and so have the first episodes of each level of a curriculum


def make_agent_and_runner(
    config: RunConfig, environments: Any, maker: AgentMaker | None = None
) -> tuple[Agent, VectorRunner]:
    """Return a new agent and a runner of `environments`, which start their first episodes.

    `maker` makes an agent that a user wrote.

    Raises:
        ValueError: if the agent cannot start with the backbone of the run that `config` names, or
            if several processes cannot train it.
    """
    runner = _make_runner(environments, fresh_seed(config.seed))
    task = make_task(config, runner)
    agent = make_agent(config.agent, task, config.settings, config.seed, config.device, maker)
    if config.pretrained is not None:
        load_backbone(agent, config, Path(config.pretrained))
    if config.freeze:
        agent.freeze_backbone()
    agent.set_lookahead(runner.lookahead)
    if ranks.count() > 1:
        _check_ranks(config, agent, runner)
    return agent, runner


def _check_ranks(config: RunConfig, agent: Agent, runner: VectorRunner) -> None:
    """Check that several processes can train an agent in these environments together."""
    if not agent.trains_on_ranks:
        able = [name for name, entry in AGENTS.items() if load(entry.target).trains_on_ranks]
        raise ValueError(
            f"--agent {config.agent} trains in one process: start it without torchrun, or use "
            f"{one_of(able)}"
        )
    if not runner.exact:
        raise ValueError(
            f"{config.env} is trained in one process, because its state cannot be saved: start it "
            "without torchrun"
        )


def _make_runner(environments: Any, seed: int) -> VectorRunner:
    """Return a runner of this rank's environments; the seeds of all ranks follow one another."""
    return VectorRunner(environments, seed + ranks.rank() * environments.num_envs)


def make_task(config: RunConfig, runner: VectorRunner) -> Task:
    """Return the task of the agent that `runner` serves."""
    environments = runner.environments
    spaces = (environments.single_observation_space, environments.single_action_space)
    return Task(config.env, *spaces, runner.count, config.steps, runner.terms)


class Run:
    """An agent, its environments and their progress: everything that a checkpoint holds."""

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        agent: Agent,
        runner: VectorRunner,
        user: UserObjects = NO_OBJECTS,
    ) -> None:
        self.config = config
        self.user = user
        self.env: EnvId = user.env or config.env
        """What `gymnasium.make` is called with."""
        self.make_options = config.make_options  # for evaluations during training
        if runner.reward is not None:
            self.make_options["reward"] = runner.reward  # loaded, tested and compiled only once
        metadata = runner.environments.metadata
        self.report_options = self.make_options | metadata.get("report_options", {})
        """For the final evaluation, whose result is reported."""
        self.make_options |= metadata.get("evaluation_options", {})
        self.folder = folder.resolve()  # a reward may change the working folder
        self.shown_folder = folder
        """The folder as the user named it, for messages."""
        self.agent = agent
        self.runner = runner
        self.progress = Progress()
        self.curves = TrainingCurves(runner.count)
        self.measures = StepMeasures(runner.count, runner.terms)
        self.levels = parse_curriculum(config.curriculum)
        self.best_score: float | None = None
        """Evaluation of the model in `BEST`; None if there is none yet."""

    @property
    def solved(self) -> bool:
        """Whether the newest evaluation reached the score at which training stops."""
        score, bar = self.progress.evaluated_score, self.config.solved_score
        return score is not None and bar is not None and score >= bar

    @property
    def step_size(self) -> int:
        """Number of environment steps when all environments of all ranks make one step."""
        return int(self.runner.count) * ranks.count()

    def add_counts(self, counted: list[int]) -> list[int]:
        """Add the feedback numbers and episodes that each rank has counted; return zeros."""
        numbers, episodes = ranks.totals(counted)
        self.progress.feedback_numbers += int(numbers)
        self.progress.episodes += int(episodes)
        return [0, 0]

    def follow_curriculum(self) -> None:
        """Replace the environments if the curriculum has another level at this step.

        The agent keeps what it has learned. Unfinished episodes are dropped.
        """
        level = level_at(self.levels, self.progress.steps)
        if level is not None and level != self.progress.level:
            self._enter(level)
            self.agent.discard_rollout()
            self.agent.set_lookahead(self.runner.lookahead)
            self.curves.begin(self.progress.steps)

    def _enter(self, level: int) -> None:
        """Replace the environments by those of a level, with new episodes."""
        reward, count = self.runner.reward, self.runner.count
        options = self.config.env_options | self.levels[level].options
        options |= {} if reward is None else {"reward": reward}
        self.close()
        environments = make_environments(self.env, count, options)
        seed = fresh_seed(self.config.seed, self.progress.steps, LEVEL)
        self.runner = _make_runner(environments, seed)
        self.progress.level = level

    def close(self) -> None:
        """Close the environments."""
        self.runner.environments.close()

    def save(self) -> None:
        """Write a checkpoint, with what is different in other ranks as `rank1.<name>`."""
        tensors = {f"agent.{name}": tensor for name, tensor in self.agent.tensors().items()}
        for name, array in self.runner.checkpoint().items():
            tensors[f"environments.{name}"] = torch.from_numpy(np.ascontiguousarray(array))
        for name, array in self.measures.checkpoint().items():
            tensors[f"measures.{name}"] = torch.from_numpy(np.ascontiguousarray(array))
        parts = ranks.to_first({name: tensor.cpu() for name, tensor in tensors.items()})
        if parts is None:
            return
        for k, part in enumerate(parts[1:], 1):
            other = {n: tensor for n, tensor in part.items() if not tensor.equal(parts[0][n])}
            tensors |= {f"rank{k}.{name}": tensor for name, tensor in other.items()}
        numbers = {
            "progress": vars(self.progress),
            "curves": self.curves.checkpoint(),
            "agent": self.agent.numbers(),
            "settings": self.config.fixed(),  # `load_config` compares them
            **({"ranks": len(parts)} if len(parts) > 1 else {}),
        }
        save_checkpoint(self.folder, tensors, numbers)

    def save_if_best(self) -> None:
        """Write the policy to `BEST` if no evaluation so far was better than the newest one.

        Of equally good models, the later one is kept, because it has learned from more steps.
        """
        score, tensors = self.progress.evaluated_score, self.agent.policy_tensors()
        if score is None or not tensors:
            return
        if self.best_score is not None and score < self.best_score:
            return
        if ranks.rank() == 0:
            tensors = {f"agent.{name}": tensor for name, tensor in tensors.items()}
            write_tensors(self.folder / BEST, tensors, {"progress": vars(self.progress)})
        self.best_score = score

    def restore(self) -> None:
        """Continue from the folder's checkpoint.

        Raises:
            RunError: if the checkpoint is missing or damaged, or holds only what playing needs, or
                if another number of processes has written it.
        """
        tensors, numbers = load_checkpoint(self.folder)
        self._check_ranks(numbers.get("ranks", 1))
        tensors |= under(f"rank{ranks.rank()}.", tensors)
        best = best_model(self.folder)  # also refuses a damaged one now, and not at the end
        self.best_score = None if best is None else best.score
        environments = under("environments.", tensors)
        try:
            saved, state = agent_tensors(tensors), agent_numbers(numbers)
            check_tensors(saved, self.agent.tensors())
            check_numbers(state, self.agent.numbers())
            self.progress = checked(numbers["progress"], Progress, "progress")
            if self.progress.level is not None:
                if self.progress.level >= len(self.levels):
                    raise ValueError(f"its curriculum has no level {self.progress.level}")
                self._enter(self.progress.level)
                self.agent.set_lookahead(self.runner.lookahead)
            self.agent.restore(saved, state)
            self.curves.begin(self.progress.steps)
            if self.runner.exact:
                self.runner.restore({name: t.numpy() for name, t in environments.items()})
                measures = under("measures.", tensors)
                self.measures.restore({name: t.numpy() for name, t in measures.items()})
                if "curves" in numbers:  # older versions counted episodes by their end
                    self.curves.restore(numbers["curves"])
            else:
                self.agent.discard_rollout()
                self.runner.begin(fresh_seed(self.config.seed, self.progress.steps))
        except KeyError as error:
            raise RunError(
                f"{self.shown_folder} cannot be resumed: its checkpoint lacks {error}, which "
                "training needs"
            ) from None
        except ValueError as error:
            raise RunError(f"{self.shown_folder} cannot be resumed: {error}") from None
        except (AttributeError, IndexError, RuntimeError, TypeError) as error:
            raise RunError(
                f"{self.shown_folder} cannot be resumed: its checkpoint is damaged "
                f"({describe(error)})"
            ) from None

    def _check_ranks(self, count: Any) -> None:
        if count != ranks.count():
            processes = "one process" if count == 1 else f"{count} processes"
            raise RunError(
                f"{self.shown_folder} is trained by {processes}, and cannot be continued by "
                f"{ranks.count()}: {ranks.program(count)} train.py --resume {self.shown_folder}"
            )


def train(run: Run, logger: Logger, display: Display, interrupted: Event) -> None:
    """Train until the run is solved, converged, out of steps or interrupted.

    A checkpoint is written at the start of a new run, every `SAVE_SECONDS` and at the end.
    Everything that decides the course of training counts environment steps, never seconds, so a run
    that was stopped and resumed gives the same bits as one that was not.

    Ranks ask each other only after an update or an evaluation, as asking takes time.
    """
    config, progress, agent = run.config, run.progress, run.agent
    if not has_checkpoint(run.folder):
        run.save()
    takes_feedback = learns(agent)
    first_step, began = progress.steps, time.monotonic()
    MARKS.words[STEP] = first_step
    saved, counted, ask = began, [0, 0], True
    while not (progress.steps >= config.steps or run.solved or agent.converged):
        if ask and ranks.any_of(interrupted.is_set()):
            interrupted.set()
            break
        run.follow_curriculum()
        runner = run.runner
        actions = agent.act(runner.observations)
        step, episodes = runner.step(actions)
        if measured := run.measures.add(step):
            logger.scalars(measured, progress.steps + run.step_size)
        metrics = _learn(run, step, logger)
        before, progress.steps = progress.steps, progress.steps + run.step_size
        MARKS.words[STEP] = progress.steps
        counted[0] += numbers_of(step, agent.learns_from_labels) if takes_feedback else 0
        if episodes is not None:
            counted[1] += len(episodes.returns)
            for began_at, means in run.curves.add(episodes, progress.steps):
                logger.scalars(means, began_at)
        due = progress.steps // config.eval_every > before // config.eval_every
        ask = due or metrics is not None or ranks.count() == 1
        if ask:
            counted = run.add_counts(counted)
        if due:
            _evaluate_in_training(run, logger)
        if metrics is not None or due:
            speed = (progress.steps - first_step) / (time.monotonic() - began)
            _report(run, logger, display, metrics or {}, speed)
        if ask and ranks.any_of(time.monotonic() - saved > SAVE_SECONDS):
            run.save()
            saved = time.monotonic()
    run.add_counts(counted)
    run.save()


def _learn(run: Run, step: Step, logger: Logger) -> dict[str, float] | None:
    """Let the agent learn from a step; if it diverges, log what led to it."""
    try:
        return run.agent.learn(step)
    except DivergedError as error:
        at = run.progress.steps + run.step_size
        logger.scalars(run.measures.measure(), at)
        logger.scalars({f"train/{name}": value for name, value in error.metrics.items()}, at)
        raise


@dataclass(frozen=True)
class FinalEvaluation:
    """What a run reports: its best and its last model, in the same episodes."""

    best: Evaluation
    """That of the last model if no evaluation before was better."""
    best_step: int
    """Environment steps that the best model was trained for."""
    last: Evaluation


def evaluate_finally(run: Run, logger: Logger) -> FinalEvaluation:
    """Evaluate the best and the last model on seeds that nothing else uses: the scores to report.

    Evaluations during training decide when to stop and which model is the best, so both are chosen
    after lucky ones. Adds a point to the evaluation's curves if the last step has none.
    """
    last = _evaluate(run, run.agent, FINAL)
    if run.progress.evaluated_step != run.progress.steps:
        _log_evaluation(run, logger, last, FINAL)
        run.save()
    best = best_model(run.folder)
    if best is None or best.step == run.progress.steps:
        return FinalEvaluation(last, run.progress.steps, last)
    task = make_task(run.config, run.runner)
    agent = restored_agent(best, task, run.config, run.folder, run.user.agent)
    return FinalEvaluation(_evaluate(run, agent, FINAL), best.step, last)


def _evaluate_in_training(run: Run, logger: Logger) -> None:
    """Evaluate the agent; a score that is good enough must be confirmed on other seeds."""
    evaluation = _evaluate(run, run.agent)
    run.progress.evaluated_score = evaluation.mean_score
    _log_evaluation(run, logger, evaluation)
    if run.solved:
        run.progress.evaluated_score = _evaluate(run, run.agent, CONFIRMATION).mean_score
    run.save_if_best()
    run.agent.set_lookahead(run.runner.lookahead)  # evaluations give it one of other environments


def _evaluate(run: Run, agent: Agent, *purpose: int) -> Evaluation:
    """Evaluate an agent of the run on seeds that belong to this step and purpose only.

    Rank 0 does it for all.
    """
    config, seed = run.config, fresh_seed(run.config.seed, run.progress.steps, *purpose)
    is_final = purpose == (FINAL,)
    options = run.report_options if is_final else run.make_options
    record_as = config.agent if is_final else ""
    return ranks.from_first(
        lambda: evaluate(agent, run.env, options, config.eval_episodes, seed, record_as)
    )


def _log_evaluation(run: Run, logger: Logger, evaluation: Evaluation, *purpose: int) -> None:
    """Log an evaluation, with a video of one episode and the agent's own pictures."""
    config, step = run.config, run.progress.steps
    run.progress.evaluated_step = step
    if ranks.rank() > 0:
        return
    correlation = evaluation.length_correlation
    logger.scalars(
        {
            "eval/mean_score": evaluation.mean_score,
            "eval/mean_reward": float(evaluation.returns.mean()),
            "eval/mean_ep_length": float(evaluation.lengths.mean()),
            "eval/std_score": float(evaluation.scores.std()),
            "eval/std_reward": float(evaluation.returns.std()),
            "eval/ep_terminated": float(evaluation.terminated.mean()),
            **({} if correlation is None else {"eval/len_rew_corr": correlation}),
            **{f"eval/{name}": value for name, value in evaluation.metrics.items()},
            **{f"eval/{TERM_PREFIX}{k}": float(v.mean()) for k, v in evaluation.terms.items()},
            "feedback/numbers": float(run.progress.feedback_numbers),
        },
        step,
    )
    if config.video_frames == 0:
        return
    for name, picture in evaluation.pictures.items():
        logger.gif(f"evaluation/{name}", [picture], 1.0, step)
    if evaluation.embedding is not None:
        logger.embedding(evaluation.embedding, step)
    seed = fresh_seed(config.seed, step, *purpose)
    video = make_video(run.agent, run.env, run.make_options, seed, config.video_frames)
    if video.frames:
        logger.gif("evaluation/episode", video.frames, video.frames_per_second, step)
    for name, frames in run.agent.pictures(video.observations).items():
        logger.gif(f"agent/{name}", frames, video.frames_per_second, step)


def _report(
    run: Run, logger: Logger, display: Display, metrics: dict[str, float], speed: float
) -> None:
    """Log the newest numbers and show them, the evaluation's score first."""
    progress, means = run.progress, run.curves.means
    trained = {f"train/{name}": value for name, value in metrics.items()}
    counted = {"time/fps": speed, "feedback/numbers": float(progress.feedback_numbers)}
    if progress.level is not None:
        counted["curriculum/level"] = float(progress.level)
    logger.scalars(counted | trained, progress.steps)
    shown: dict[str, float] = {}
    if progress.evaluated_score is not None:
        shown["evaluation"] = progress.evaluated_score
    if means:
        shown |= {"score": means["task/score"], "return": means["rollout/ep_rew_mean"]}
    display.update(progress.steps, shown | {"episodes": progress.episodes, "steps/s": speed})
