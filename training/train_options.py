"""The command line of train.py: typed options, with presets for each game and agent as defaults."""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import gymnasium
import tyro

from agents import settings_type
from envs.names import suggest
from envs.options import parse_env_options
from envs.registry import DATASETS, GAMES, env_id_of, env_ids
from training.cli import read_options
from training.config import CHANGEABLE, RunConfig
from training.cores import usable_cores
from training.presets import ANY, preset
from training.reward_snapshot import has_code, kept_expression
from training.run_folder import RunError
from training.trained_agent import load_config

Settings = TypeVar("Settings")
ENV_FLAGS = ("observation", "feedback")  # options of the environment with a flag of their own
MOST_THREADS = 1024
MOST_ENVS = 1_000_000


@dataclass(frozen=True)
class TrainOptions(Generic[Settings]):
    """Train an agent, watch its curves with `tensorboard --logdir runs`, and then it: play.py."""

    settings: Settings
    env: str = "paddle"
    """Short name (paddle, bicycle; classify, regress, detect, reconstruct, translate, cluster,
    shapes, sounds, commentary, verdict, prompts) or any Gymnasium id (CartPole-v1)."""
    agent: str = "ppo"
    """random, rules, search, reinforce, ppo, sac, dqn, pqn, reward_model, supervised, kmeans or
    gpt; by default the one that suits the environment. --help with --agent NAME lists its
    settings."""
    reward: str | None = None
    """What counts as good: a term (score), a file's function (my_reward.py:follow_ball), or a
    weighted sum ("hit_or_miss - 0.01*effort"). By default the game's own."""
    seed: int = 1
    """Of everything that is drawn at random."""
    steps: int = 1_000_000
    """Environment steps after which training stops, if it is not solved before."""
    num_envs: int = 16
    """Environments that run at once."""
    device: str = "cpu"
    """Where networks are computed: cpu or cuda."""
    threads: int = 1
    """Threads of torch; more than one only pays for large networks."""
    observation: str | None = None
    """What the agent sees of the project's games: state or screen; an option of theirs."""
    env_options: tuple[str, ...] = ()
    """Options of the environment: ball_speed=0.04 paddle_size=0.3, or task=path."""
    feedback: str | None = None
    """Short for --env-options feedback=..., in environments that can choose: the right answer, or
    only a reward for the guess (answer, reward)."""
    solved_score: float | None = None
    """Mean evaluation score at which training stops early."""
    eval_every: int = 50_000
    """Environment steps between evaluations."""
    eval_episodes: int = 100
    """Episodes of each evaluation."""
    video_frames: int = 50
    """Frames of the video that each evaluation adds to TensorBoard; 0: no pictures at all."""
    pretrained: str | None = None
    """Run folder with whose body to begin: with the features that its agent has learned to see, be
    it another agent in another environment. The heads are new."""
    freeze: bool = False
    """Leave the body as it begins, and train the heads alone."""
    run_dir: Path = Path("runs")
    """Where run folders are made."""
    resume: Path | None = None
    """Run folder to go on from, exactly where it stopped; --steps may then be raised."""
    trust_reward: bool = False
    """With --resume: execute the copy of its own reward that a run keeps in its folder."""


def parse(arguments: Sequence[str]) -> tuple[TrainOptions[Any], RunConfig]:
    """Read the command line; exits with code 2 for what is no option.

    Raises:
        ValueError: for a value that cannot be used.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    first.add_argument("--env", default=TrainOptions.env)
    first.add_argument("--agent", default=None)
    first.add_argument("--feedback", default=None)
    first.add_argument("--resume", default=None)
    first.add_argument("--observation", default=None)
    first.add_argument("--env-options", nargs="*", default=())
    try:
        known, _ = first.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise ValueError(str(error)) from None
    if known.resume is not None:
        return _resumed(Path(known.resume), arguments)
    defaults, suited = _preset_options(known.env, known.agent, _env_options(known))
    options = _read(type(defaults.settings), defaults, arguments)
    if options.freeze and options.pretrained is None:
        raise ValueError("--freeze leaves a body as it is: say whose with --pretrained runs/NAME")
    config = _config(options, find_env_id(options.env))
    return options, dataclasses.replace(config, env_options=suited | config.env_options)


def default_config(
    env: str | None = None,
    agent: str | None = None,
    reward: str | None = None,
    seed: int | None = None,
    env_options: Sequence[str] = (),
) -> RunConfig:
    """Return the settings of `train.py` with these options and defaults for everything else.

    Raises:
        ValueError: for a value that cannot be used.
    """
    env = TrainOptions.env if env is None else env
    defaults, suited = _preset_options(env, agent, parse_env_options(env_options))
    given: dict[str, Any] = {"reward": reward, "seed": seed, "env_options": tuple(env_options)}
    given = {name: value for name, value in given.items() if value is not None}
    config = _config(dataclasses.replace(defaults, **given), find_env_id(env))
    return dataclasses.replace(config, env_options=suited | config.env_options)


def _preset_options(
    env: str, agent: str | None, env_options: dict[str, Any]
) -> tuple[TrainOptions[Any], dict[str, Any]]:
    """Return the default options for an environment and agent, and preset environment options."""
    env_id = find_env_id(env)
    agent = agent or preset(env_id, ANY, {}).get("agent", TrainOptions.agent)
    values = preset(env_id, agent, env_options)
    suited = values.pop("env_options", {})
    values.pop("agent", None)
    return _defaults(settings_type(agent), env, env_id, agent, values), suited


def find_env_id(name: str) -> str:
    """The Gymnasium id of a short name or an id.

    Raises:
        ValueError: if there is none.
    """
    env_id = env_id_of(name)
    try:
        gymnasium.spec(env_id)
    except (gymnasium.error.Error, ImportError) as error:
        hint = suggest(name, [*GAMES, *DATASETS])
        reason = " ".join(str(error).split())
        raise ValueError(
            f"there is no environment {name} ({reason}); {hint} Any Gymnasium id is possible too"
        ) from None
    return env_id


def _defaults(
    kind: type[Any], name: str, env_id: str, agent: str, values: dict[str, Any]
) -> TrainOptions[Any]:
    """Options as the presets' `values` have them."""
    own = {field.name for field in dataclasses.fields(kind)}
    settings = kind(**{key: value for key, value in values.items() if key in own})
    general = {key: value for key, value in values.items() if key not in own}
    solved_score = general.get("solved_score", gymnasium.spec(env_id).reward_threshold)
    general["solved_score"] = None if solved_score == math.inf else solved_score
    if "threads" in general:  # those that have no core of their own would only be waited for
        general["threads"] = min(general["threads"], usable_cores())
    return TrainOptions(settings, env=name, agent=agent, **general)


def _read(
    kind: type[Any], defaults: TrainOptions[Any], arguments: Sequence[str]
) -> TrainOptions[Any]:
    options: TrainOptions[Any] = read_options(
        TrainOptions[kind],  # type: ignore[valid-type]
        arguments,
        "train.py",
        default=defaults,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    return options


def _config(options: TrainOptions[Any], env_id: str) -> RunConfig:
    for name in ("steps", "num_envs", "threads", "eval_every", "eval_episodes"):
        if getattr(options, name) < 1:
            flag = name.replace("_", "-")
            raise ValueError(f"--{flag} must be at least 1, not {getattr(options, name)}")
    if options.video_frames < 0:
        raise ValueError(f"--video-frames must be at least 0, not {options.video_frames}")
    if options.reward is not None and env_id not in env_ids(GAMES):
        raise ValueError(f"{env_id} has a reward of its own: leave out --reward")
    if not 0 <= options.seed < 2**32:
        raise ValueError(f"--seed must be between 0 and {2**32 - 1}, not {options.seed}")
    if options.threads > MOST_THREADS or options.num_envs > MOST_ENVS:
        raise ValueError(f"--threads may be {MOST_THREADS} at most, --num-envs {MOST_ENVS:,}")
    if options.solved_score is not None and math.isnan(options.solved_score):
        raise ValueError("--solved-score must be a number")
    shared = {field.name for field in dataclasses.fields(RunConfig)} - {"env", "env_options"}
    return RunConfig(
        env=env_id,
        env_options=_env_options(options),
        **{name: getattr(options, name) for name in shared},
    )


def _env_options(options: Any) -> dict[str, Any]:
    """Those that are written out, and those that have a flag of their own."""
    written = parse_env_options(options.env_options)
    for flag in ENV_FLAGS:
        value = getattr(options, flag)
        if value is not None and written.setdefault(flag, value) != value:
            raise ValueError(f"--{flag} {value} contradicts {flag}={written[flag]}")
    return written


def _resumed(folder: Path, arguments: Sequence[str]) -> tuple[TrainOptions[Any], RunConfig]:
    """The run's own settings, of which only some may be changed."""
    saved = load_config(folder)
    shared = {field.name for field in dataclasses.fields(RunConfig)} - {"env_options"}
    defaults = TrainOptions(**{name: getattr(saved, name) for name in shared})
    defaults = dataclasses.replace(
        defaults, env_options=tuple(f"{k}={v!r}" for k, v in saved.env_options.items())
    )
    options = _read(type(saved.settings), defaults, arguments)
    config = _config(options, find_env_id(options.env))
    for field in dataclasses.fields(RunConfig):
        before, now = getattr(saved, field.name), getattr(config, field.name)
        if before != now and field.name not in CHANGEABLE:
            raise RunError(
                f"{folder} was begun with {field.name} = {before!r}; a resumed run cannot change "
                f"that to {now!r}, start a new one"
            )
    if has_code(config.reward) and not options.trust_reward:
        raise RunError(
            f"the reward {config.reward!r} of {folder} is code; to execute the copy that the run "
            "keeps, add --trust-reward"
        )
    if has_code(config.reward):
        config = dataclasses.replace(config, reward=kept_expression(folder, str(config.reward)))
    return options, config
