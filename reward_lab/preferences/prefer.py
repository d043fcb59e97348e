"""Opens a session in its folder, new or resumed, and runs it with a teacher that is a program.

The function `prefer` is `python -m rewards prefer --teacher score` from Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from envs.engine.game import OBSERVATION_OPTIONS
from reward_lab.preferences.ensemble import untrained
from reward_lab.preferences.session import Session
from reward_lab.preferences.store import Round, Settings, Store
from reward_lab.preferences.teacher import ScoreTeacher
from rewards.expression import LEARNED, RewardError, WeightedTerm, is_learned, written
from rewards.learned import LearnedReward
from rewards.make import reward_of
from training.cores import torch_threads
from training.display import Display, no_display
from training.lock import locked
from training.logger import Logger, TensorBoardLogger
from training.loop import FinalEvaluation
from training.run_folder import has_checkpoint
from training.session import describe_run, evaluate_and_record, prepare
from training.signals import interruptible
from training.train_options import config_of
from training.vector_runner import make_environments

AGENT = "ppo"


@dataclass(frozen=True)
class Preferences:
    """What a session has found."""

    folder: Path
    """Folder of the learned reward, which `--reward` takes."""
    run: Path
    """Run folder of the agent."""
    settings: Settings
    rounds: tuple[Round, ...]
    """The rounds of comparisons so far."""
    steps: int
    """Environment steps of the agent."""
    solved: bool
    """Whether the agent reached the score at which the game counts as solved."""
    final: FinalEvaluation | None
    """The agent's final evaluation; None if the session stopped before its end."""
    interrupted: bool
    """Whether Ctrl-C stopped it, and not the person in the window."""

    @property
    def comparisons(self) -> int:
        """Number of comparisons that the reward was learned from."""
        return self.rounds[-1].comparisons if self.rounds else 0


def folder_of(name: str) -> Path:
    """Return preferences/NAME.

    Raises:
        RewardError: if it is no plain name.
    """
    folder = Path(LEARNED, name)
    if folder.name != name or not is_learned(str(folder)):
        raise RewardError(f"--name must be a plain name, such as wave, got {name!r}")
    return folder


def begin(settings: Settings, folder: Path) -> Store:
    """Create the folder of a new session, preferences/NAME in any folder.

    Raises:
        ValueError: if its options do not suit the game, or there is such a folder.
    """
    options = {k: v for k, v in settings.env_options.items() if k not in OBSERVATION_OPTIONS}
    reward = LearnedReward(folder.name, settings.env, options, untrained(1, settings.seed))
    states, actions = reward.game.states(1), reward.game.actions(1)
    inputs = reward.features(states, actions, states).shape[1]
    reward.networks = untrained(inputs, settings.seed)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        text = f"continue it with --resume {folder}, or choose another --name"
        raise RewardError(f"{folder} exists already: {text}") from None
    except OSError as error:
        raise RewardError(f"cannot create {folder}: {error.strerror}") from None
    store = Store(folder)
    store.write_settings(settings)
    store.write_reward(reward)
    return store


@contextmanager
def opened(store: Store, command: str, video_frames: int = 0) -> Iterator[tuple[Session, Logger]]:
    """Open the session of a folder, where it was left; `command` is written to the run folder.

    Raises:
        ValueError: if the folder is damaged, or in use by another process.
    """
    settings = store.settings()
    reward = written([WeightedTerm(1.0, str(store.folder))])
    options = {"reward": reward, "env_options": settings.env_options, "seed": settings.seed}
    options |= {"steps": settings.steps, "video_frames": video_frames}
    if settings.teacher == "you":
        options["solved_score"] = None  # what you like need not be the score
    config = config_of(settings.env, AGENT, options)
    with ExitStack() as stack:
        stack.enter_context(torch_threads(config.threads))
        stack.enter_context(locked(store.folder))
        environments = make_environments(config.env, config.num_envs, config.make_options)
        stack.callback(environments.close)
        before = store.run_folder()
        run, sources = prepare(config, environments, store.folder, before, command)
        stack.enter_context(locked(run.folder))
        made = reward_of(environments)
        assert made is not None
        logger = stack.enter_context(closing(TensorBoardLogger(run.folder, run.progress.steps)))
        if before is None:
            describe_run(logger, config, command, sources)
        yield Session(store, settings, run, made), logger


def finish(session: Session, logger: Logger, interrupted: Event) -> Preferences:
    """Evaluate the agent of a session, unless it was stopped, and return what was found."""
    run = session.run
    over = has_checkpoint(run.folder) and (run.solved or not interrupted.is_set())
    return Preferences(
        session.store.folder,
        run.shown_folder,
        session.settings,
        tuple(session.progress.rounds),
        run.progress.steps,
        run.solved,
        evaluate_and_record(run, logger) if over else None,
        not over,
    )


def prefer(store: Store, command: str = "", display: Display | None = None) -> Preferences:
    """Run a session of the teacher `score` to its end, or until Ctrl-C.

    Raises:
        ValueError: if the folder is damaged, or in use by another process.
        OSError: if it cannot be written; what was saved stays good.
    """
    with opened(store, command) as (session, logger), interruptible() as interrupted:
        settings = session.settings
        teacher = ScoreTeacher(session.reward.game, settings.mistakes, settings.seed)
        with display or no_display() as shown:
            session.learn(teacher, logger, shown, interrupted)
        return finish(session, logger, interrupted)
