"""The command line of train.py: the settings of a run, with presets as defaults."""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import gymnasium
import tyro

from agents import settings_type
from envs.names import USER, flag, one_of, suggest
from envs.options import check_option_name, parse_env_options
from envs.registry import AGENTS, DATASETS, GAMES, env_id_of, env_ids
from rewards.expression import has_code
from training.checked import checked
from training.cli import File, Switch, Text, read_options
from training.config import RunConfig
from training.cores import usable_cores
from training.curriculum import final_task
from training.presets import ANY, preset
from training.pretrained import find_pretrained
from training.reward_snapshot import kept_expression
from training.run_folder import RunError, as_json
from training.trained_agent import load_config

Settings = TypeVar("Settings")
DEFAULT_ENV, DEFAULT_AGENT = "paddle", "ppo"
ENV_FLAGS = ("observation", "feedback")  # environment options with a flag of their own

ENV_HELP = (
    f"Game ({', '.join(GAMES)}), dataset ({', '.join(DATASETS)}) or any Gymnasium id, such as "
    "CartPole-v1."
)
AGENT_HELP = (
    f"Agent: {', '.join(AGENTS)}. The default depends on the environment. --agent NAME --help "
    "lists the settings of an agent."
)
REWARD_HELP = (
    "What is rewarded: a term (hit_or_miss), a function in a file (my_reward.py:follow_ball) or a "
    'weighted sum ("hit_or_miss - 0.01*effort"). By default, the reward of the game. '
    "preferences/NAME is a reward that `python -m rewards prefer` has learned."
)


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunConfig, Generic[Settings]):
    """Train an agent. Watch it with play.py, and its curves with `tensorboard --logdir runs`.

    Many defaults depend on --env and --agent. Add --help to your command to see them.
    """

    settings: Annotated[Settings, tyro.conf.arg(name="agent")]
    env: Annotated[str, tyro.conf.arg(help=ENV_HELP)]
    agent: Annotated[str, tyro.conf.arg(help=AGENT_HELP)]
    reward: Annotated[Text, tyro.conf.arg(help=REWARD_HELP)] = None
    observation: Text = None
    """What the agent observes in games: state or screen. Short for --env-options observation=..."""
    feedback: Text = None
    """What datasets return: answer or reward. Short for --env-options feedback=..."""
    run_dir: Path = Path("runs")
    """Folder in which the run folder is created."""
    resume: File = None
    """Run folder to continue, exactly from where it stopped. --steps may be raised."""
    trust_reward: Switch = False
    """With --resume: execute the copy of the reward that the run folder holds."""
    sandbox: Switch = False
    """Train in a sandbox: the reward can write only the run folder. Implies --trust-reward."""

    def config(self) -> RunConfig:
        """Return the settings of the run that these options ask for.

        Raises:
            ValueError: for a value that cannot be used.
        """
        self.check_limits()
        env_id = find_env_id(self.env)
        if self.reward is not None and env_id not in env_ids(GAMES):
            raise ValueError(f"{env_id} has a reward of its own: leave out --reward")
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(RunConfig)}
        values |= {"env": env_id, "env_options": _with_flags(self)}
        if self.solved_score == math.inf:  # JSON has no infinity
            values["solved_score"] = None
        return RunConfig(**values)


def parse(arguments: Sequence[str]) -> tuple[TrainOptions[Any], RunConfig]:
    """Return the options of a command line, and the settings of the run.

    Raises:
        ValueError: for an unknown option, or a value that cannot be used.
        SystemExit: after --help.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--env", "--agent", "--feedback", "--resume", "--observation"):
        first.add_argument(name, nargs="?", const="")
    first.add_argument("--env-options", nargs="*", default=())
    known, _ = first.parse_known_args(list(arguments))
    if missing := [name for name, value in vars(known).items() if value == ""]:
        hint = "the folder of a run: --resume runs/NAME" if missing[0] == "resume" else "a value"
        raise ValueError(f"{flag(missing[0])} needs {hint}")
    if known.resume is not None:
        return _resumed(Path(known.resume), known.env is not None, arguments)
    known.env_options = parse_env_options(known.env_options)
    defaults, suited = _preset_options(known.env or DEFAULT_ENV, known.agent, _with_flags(known))
    options = _read(defaults, arguments)
    return options, _final_config(options, suited)


def config_of(env: str, agent: str | None, options: dict[str, Any]) -> RunConfig:
    """Return the settings of `train.py` with `options` by name, and defaults for everything else.

    Raises:
        ValueError: for an unknown option, or a value that cannot be used.
    """
    given = dict(options.get("env_options", {}))
    for name in given:
        check_option_name(name)
    flags = argparse.Namespace(env_options=given, **{k: options.get(k) for k in ENV_FLAGS})
    defaults, suited = _preset_options(env, agent, _with_flags(flags))
    kind = type(defaults.settings)
    own = [each.name for each in dataclasses.fields(kind)]
    general = [each.name for each in dataclasses.fields(RunConfig) if each.name != "settings"]
    for name in options:
        if name not in (*own, *general, *ENV_FLAGS):
            raise ValueError(f"there is no option `{name}`; {suggest(name, [*own, *general])}")
    settings = {name: value for name, value in options.items() if name in own}
    checked(as_json(settings), kind, f"the settings of {defaults.agent}")
    changed = defaults.changed(**options | {"env_options": given})
    values = {name: getattr(changed, name) for name in general}
    checked(as_json(values) | {"settings": {}}, RunConfig, "the options")
    return _final_config(changed, suited)


def _final_config(options: TrainOptions[Any], suited: dict[str, Any]) -> RunConfig:
    """Return the settings of a run; `suited` are the environment options of the presets."""
    if options.freeze and options.pretrained is None:
        raise ValueError("--freeze needs --pretrained RUN, whose backbone is kept fixed")
    config = options.config()
    env_options = final_task(config.curriculum, config.env_options, config.steps)
    config = dataclasses.replace(config, env_options=suited | env_options)
    if config.pretrained is None:
        return config
    folder = find_pretrained(config.pretrained, config, options.run_dir)
    return dataclasses.replace(config, pretrained=str(folder))


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
    options: dict[str, Any] = {"reward": reward, "env_options": parse_env_options(env_options)}
    options |= {} if seed is None else {"seed": seed}
    return config_of(DEFAULT_ENV if env is None else env, agent, options)


def _preset_options(
    env: str, agent: str | None, env_options: dict[str, Any]
) -> tuple[TrainOptions[Any], dict[str, Any]]:
    """Return the default options for an environment and agent, and preset environment options."""
    env_id = find_env_id(env)
    agent = agent or preset(env_id, ANY, {}).get("agent", DEFAULT_AGENT)
    values = preset(env_id, agent, env_options)
    suited = values.pop("env_options", {})
    values.pop("agent", None)
    return _defaults(settings_type(agent), env, env_id, agent, values), suited


def find_env_id(name: str) -> str:
    """Return the Gymnasium id of a short name or an id.

    The name of an environment that a user wrote is returned as it is.

    Raises:
        ValueError: if there is no such environment.
    """
    env_id = env_id_of(name)
    if env_id.startswith(USER):
        return env_id
    try:
        gymnasium.spec(env_id)
    except (gymnasium.error.Error, ImportError):
        raise ValueError(f"there is no environment {name}; {_similar(env_id)}") from None
    return env_id


def _similar(env_id: str) -> str:
    """Return the end of the error message about an unknown environment: what could be meant."""
    base = env_id.rpartition("-v")[0] or env_id
    if versions := [known for known in gymnasium.registry if known.rpartition("-v")[0] == base]:
        return f"use {one_of(versions)}"
    if "/" in env_id or ":" in env_id:
        return f"is the package {re.split('[/:]', env_id)[0]} installed?"
    names = [*GAMES, *DATASETS]
    hint = suggest(env_id, [*names, *gymnasium.registry])
    return hint if "?" in hint else f"choose from {', '.join(names)} or Gymnasium's ids"


def _defaults(
    kind: type[Any], name: str, env_id: str, agent: str, values: dict[str, Any]
) -> TrainOptions[Any]:
    """Return options with the `values` of the presets."""
    own = {each.name for each in dataclasses.fields(kind)}
    settings = kind(**{key: value for key, value in values.items() if key in own})
    general = {key: value for key, value in values.items() if key not in own}
    if not env_id.startswith(USER):
        general.setdefault("solved_score", gymnasium.spec(env_id).reward_threshold)
    if "threads" in general:  # threads without a core of their own slow the others down
        general["threads"] = min(general["threads"], usable_cores())
    return TrainOptions(settings=settings, env=name, agent=agent, **general)


def _read(defaults: TrainOptions[Any], arguments: Sequence[str]) -> TrainOptions[Any]:
    kind = type(defaults.settings)
    options: TrainOptions[Any] = read_options(
        TrainOptions[kind],  # type: ignore[valid-type]
        arguments,
        "train.py",
        default=defaults,
    )
    return options


def _with_flags(options: Any) -> dict[str, Any]:
    """Return the environment options together with those that have a flag of their own."""
    env_options = dict(options.env_options)
    for name in ENV_FLAGS:
        value = getattr(options, name)
        if value is not None and env_options.setdefault(name, value) != value:
            raise ValueError(f"--{name} {value} contradicts {name}={env_options[name]}")
    return env_options


def env_of_run(config: RunConfig) -> str:
    """Return the Gymnasium id of a run, whose folder may come from anyone.

    Raises:
        ValueError: if there is no such environment, or if it or its options could import code.
    """
    env_id, values = config.env, config.env_options.values()
    if env_id.startswith(USER):
        raise RunError(
            f"the environment is {env_id.removeprefix(USER)}, which a user wrote and a run folder "
            "does not hold; load it in Python: load(folder, env=...)"
        )
    ours = env_id in (*env_ids(GAMES), *env_ids(DATASETS))
    if not ours and ":" in "".join([env_id, *(str(value) for value in values)]):
        raise RunError(
            f"the environment {env_id} of the run would import code; if you trust it, add "
            f"--env {env_id}"
        )
    return find_env_id(env_id)


def _resumed(
    folder: Path, env_is_named: bool, arguments: Sequence[str]
) -> tuple[TrainOptions[Any], RunConfig]:
    """Return the settings of a run, with the changes that a resumed run allows."""
    saved = load_config(folder)
    if not env_is_named:
        env_of_run(saved)
    options = _read(TrainOptions(**vars(saved)), arguments)
    config = options.config()
    before, now = ({"reward": each.reward, **each.fixed()} for each in (saved, config))
    for name in sorted(before):
        if before[name] != now[name]:
            raise RunError(
                f"{folder} was started with {name} = {before[name]!r}; --resume cannot change it "
                f"to {now[name]!r}, start a new run instead"
            )
    if has_code(config.reward) and not (options.trust_reward or options.sandbox):
        raise RunError(
            f"the reward {config.reward!r} of {folder} is code; to execute the copy in the run "
            "folder, add --trust-reward, or --sandbox to do it in a sandbox"
        )
    if config.reward is not None:
        config = dataclasses.replace(config, reward=kept_expression(folder, config.reward))
    return options, config
