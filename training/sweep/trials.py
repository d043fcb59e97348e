"""The trials of a sweep, in an Optuna study that several processes work on."""

from __future__ import annotations

import functools
import importlib
import json
import statistics
import tempfile
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

from training.config import RunConfig
from training.display import no_display
from training.logger import TensorBoardLogger
from training.loop import Run, make_agent_and_runner, train
from training.messages import one_line
from training.ranges import Range
from training.session import describe_run
from training.sweep.options import Sweep
from training.vector_runner import make_environments

MISSING = (
    "searching settings needs Optuna, which is not installed: "
    'pip install -c constraints.txt -e ".[sweep]"'
)
IDENTITY = "identity"
REASON = "reason"  # why a trial failed
FAILURES = (ValueError, FloatingPointError)  # of settings that do not work
HEARTBEAT = 10  # seconds; after three times as many, the trial of a killed process is given up


def check_environment(sweep: Sweep) -> None:
    """Make one environment, so that a wrong reward is found before all trials fail.

    Raises:
        ValueError: if it cannot be made.
    """
    make_environments(sweep.config.env, 1, sweep.config.make_options).close()


def start_study(sweep: Sweep) -> Any:
    """Return the Optuna study of a sweep; a new one begins with the settings of the preset.

    Raises:
        ValueError: if Optuna or the storage cannot be used, or holds another sweep of this name.
        OSError: if the folder cannot be written.
    """
    load_optuna()
    try:
        sweep.folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ValueError(f"--folder must be a folder, but {sweep.folder} is a file") from None
    try:
        study = open_study(sweep)
    except Exception as error:  # of Optuna and of any database
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"the storage {sweep.storage} cannot be used: {reason}") from None
    identity = json.dumps(sweep.identity, default=str, sort_keys=True)
    if study.user_attrs.setdefault(IDENTITY, identity) != identity:
        raise ValueError(
            f"{sweep.folder} was started with other options, settings or ranges; choose another "
            "--folder"
        )
    if not study.trials:
        study.set_user_attr(IDENTITY, identity)
        study.enqueue_trial(sweep.preset)
    return study


def open_study(sweep: Sweep) -> Any:
    """Return the Optuna study of a sweep; a new one if there is none."""
    optuna = load_optuna()
    storage = optuna.storages.RDBStorage(
        sweep.storage, heartbeat_interval=HEARTBEAT, grace_period=3 * HEARTBEAT
    )
    return optuna.create_study(
        storage=storage,
        study_name=sweep.name,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(),
        load_if_exists=True,
    )


def finished(study: Any) -> list[Any]:
    """Return the trials that are over: complete, stopped early or failed."""
    over = [trial for trial in study.trials if trial.state.is_finished()]
    return sorted(over, key=lambda trial: trial.datetime_complete)


def run_trial(job: tuple[Sweep, int]) -> None:
    """Run the trial with this number, in a worker process."""
    sweep, number = job
    optuna = load_optuna()
    study = open_study(sweep)
    # a seed for each trial, so that a break does not change how a sweep continues
    study.sampler = optuna.samplers.TPESampler(seed=number)
    study.optimize(functools.partial(_try, sweep), n_trials=1, catch=FAILURES)


def _try(sweep: Sweep, trial: Any) -> float:
    """Return the value of a trial; if it fails, keep the reason."""
    try:
        return measure(sweep, trial)
    except FAILURES as error:
        trial.set_user_attr(REASON, one_line(error))
        raise


def measure(sweep: Sweep, trial: Any) -> float:
    """Train with each seed and return the value of the trial, the mean of all scores."""
    changes = {name: _suggest(trial, name, each) for name, each in sweep.ranges.items()}
    scores: list[float] = []
    pruned = Event()

    def follow(score: float) -> None:
        scores.append(score)
        trial.report(score, len(scores))
        if trial.should_prune():
            pruned.set()

    for seed in sweep.seeds:
        folder = sweep.folder / f"trial_{trial.number:03}_seed_{seed}"
        train_once(sweep.with_settings(changes, seed), folder, sweep.command, follow, pruned)
        if pruned.is_set():
            raise load_optuna().TrialPruned
    return statistics.mean(scores)


def load_optuna() -> Any:
    """Import and return Optuna, which prints only errors then.

    Raises:
        ValueError: if it is not installed.
    """
    try:
        optuna = importlib.import_module("optuna")
    except ModuleNotFoundError as error:
        raise ValueError(MISSING if error.name == "optuna" else str(error)) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of heartbeats
    return optuna


def _suggest(trial: Any, name: str, each: Range) -> Any:
    if isinstance(each, slice):
        return trial.suggest_float(name, each.start, each.stop, log=True)
    return trial.suggest_categorical(name, each)


class _Followed(TensorBoardLogger):
    """A logger that also tells each evaluation's score to a function."""

    follow: Callable[[float], None]

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Add one point to the curve of each tag."""
        super().scalars(values, step)
        if "eval/mean_score" in values:
            self.follow(values["eval/mean_score"])


def train_once(
    config: RunConfig,
    curves: Path,
    command: str,
    follow: Callable[[float], None],
    interrupted: Event,
) -> None:
    """Train until the end or until interrupted; only the curves are kept, in a folder.

    `follow` is called with the score of each evaluation.
    """
    environments = make_environments(config.env, config.num_envs, config.make_options)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(config, Path(folder), *make_agent_and_runner(config, environments))
        with closing(run), closing(_Followed(curves, 0)) as logger:
            logger.follow = follow
            describe_run(logger, config, command, {})
            train(run, logger, no_display(), interrupted)
