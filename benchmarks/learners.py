"""Trains different implementations on the same game, with their own, our or tuned settings."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, Literal

from gymnasium import spaces

from benchmarks import translation
from benchmarks.cleanrl import run_script
from benchmarks.evaluator import Evaluator, Policy
from benchmarks.protocol import EvalProtocol
from benchmarks.training import new_run, preset_config, without_evaluations
from benchmarks.translation import Settings, general_settings, linear
from envs.registry import GAMES, env_ids
from training.config import RunConfig
from training.loop import train
from training.vector_runner import make_environment

ZOO = Path(__file__).with_name("zoo.toml")
POLICY_KWARGS = ("net_arch", "log_std_init", "ortho_init")
NOT_LEARNING = ("random", "rules")
MISSING = (
    "the comparison needs stable-baselines3, which is not installed: "
    'pip install -c constraints.txt -e ".[bench]"'
)

Kind = Literal["defaults", "our settings", "tuned"]
Games = Literal["", "DummyVecEnv", "compiled games"]


@dataclass(frozen=True)
class Learner:
    """One row of the tables: an implementation with settings of some kind."""

    library: str
    algorithm: str
    """Name in the library; for this project, the name of the agent."""
    kind: Kind
    """The library's own settings, our preset translated, or the result of tuning."""
    games: Games = ""
    """How Stable-Baselines3 steps the games: one by one, or as this project's compiled batch."""
    tuned: Settings | None = None
    """Settings by this project's names, if `kind` is `tuned`."""

    @property
    def name(self) -> str:
        """Name in the tables."""
        if self.agent in NOT_LEARNING:
            return self.implementation
        preset = self.library == OURS and self.kind == "our settings"
        kind = "preset" if preset else self.kind
        return ", ".join(filter(None, (self.implementation, kind, self.games)))

    @property
    def implementation(self) -> str:
        """Name without the kind of settings."""
        return f"{self.library} {self.algorithm}"

    @property
    def agent(self) -> str:
        """This project's agent with the same algorithm."""
        return AGENTS[self.algorithm]

    def settings(self, protocol: EvalProtocol) -> Settings:
        """Return settings by this project's names; none at all mean the library's own."""
        if self.kind == "tuned":
            assert self.tuned is not None
            return self.tuned
        if self.kind == "our settings":
            config = our_config(protocol, self.agent, 0)
            return {"num_envs": config.num_envs, **vars(config.settings)}
        return general_settings(self.agent) if self.library == OURS else {}

    def load(self) -> None:
        """Import the library, before any clock starts."""
        if self.library in MODULES:
            importlib.import_module(MODULES[self.library])

    def train(self, seed: int, evaluator: Evaluator) -> None:
        """Train until the budget is used up."""
        TRAINERS[self.library](self, seed, evaluator)


OURS, STABLE_BASELINES3, SBX, CLEANRL = "our", "Stable-Baselines3", "SBX", "CleanRL"
MODULES = {STABLE_BASELINES3: "stable_baselines3", SBX: "sbx"}
AGENTS = {
    **{name: name for name in ("ppo", "dqn", "pqn", "sac", "reinforce", "search", "reward_model")},
    **{name: name for name in NOT_LEARNING},
    **{"PPO": "ppo", "A2C": "ppo", "DQN": "dqn", "SAC": "sac"},
    **{"ppo.py": "ppo", "dqn.py": "dqn", "pqn.py": "pqn", "sac_continuous_action.py": "sac"},
}
"""This project's agent for each algorithm."""


def our_config(protocol: EvalProtocol, agent: str, seed: int) -> RunConfig:
    """Return the preset for an agent, with the protocol's budget and number of threads."""
    config = preset_config(seed, options=[*protocol.arguments, "--agent", agent])
    return replace(without_evaluations(config, protocol.steps), threads=1)


def training_wheels(learner: Learner, seed: int, evaluator: Evaluator) -> None:
    """Train with this project's loop, including curves and checkpoints."""
    protocol = evaluator.protocol
    settings = dict(learner.settings(protocol))
    config = our_config(protocol, learner.agent, seed)
    config = replace(
        config,
        num_envs=settings.pop("num_envs"),
        settings=replace(config.settings, **settings),
    )
    with new_run(config) as (run, logger, display):
        training = learner.agent not in NOT_LEARNING
        while training and not run.agent.converged:
            steps = (run.progress.steps // protocol.every + 1) * protocol.every
            run.config = replace(run.config, steps=min(steps, protocol.steps))
            train(run, logger, display, Event())
            training = evaluator.keep_training(run.progress.steps, run.agent)
        evaluator.finish(run.progress.steps, run.agent)


def stable_baselines3(learner: Learner, seed: int, evaluator: Evaluator) -> None:
    """Train with Stable-Baselines3, or with SBX, which has the same interface.

    Its own settings are those of RL Baselines3 Zoo, or the library's defaults where the zoo has
    none.
    """
    protocol, algorithm = evaluator.protocol, learner.algorithm
    given = learner.settings(protocol)
    if given:
        actions = make_environment(protocol.env_id, protocol.make_options).action_space
        size = math.prod(actions.shape) if isinstance(actions, spaces.Box) else 1
        settings = translation.stable_baselines3(algorithm, given, protocol.steps, size)
    else:
        settings = zoo(protocol.env_id, algorithm) if learner.library == STABLE_BASELINES3 else {}
    steps = min(settings.pop("n_timesteps", protocol.steps), protocol.steps)
    environments = _environments(learner, protocol, settings.pop("n_envs", 1), seed)
    if settings.pop("normalize", False):
        wrap = importlib.import_module("stable_baselines3.common.vec_env").VecNormalize
        gamma = settings.get("gamma", 0.99)
        environments = wrap(environments, norm_obs=not given, gamma=gamma)
    library = importlib.import_module(MODULES[learner.library])
    kind = getattr(library, algorithm)
    policy_kwargs = {name: settings.pop(name) for name in POLICY_KWARGS if name in settings}
    known = inspect.signature(kind).parameters
    model = kind(
        "MlpPolicy",
        environments,
        seed=seed,
        device="cpu",
        policy_kwargs=policy_kwargs | _for_screens(protocol),
        **{name: value for name, value in settings.items() if name in known},
    )
    normaliser = model.get_vec_normalize_env()

    def choose(observations: Any) -> Any:
        seen = normaliser.normalize_obs(observations) if normaliser else observations
        return model.predict(seen, deterministic=True)[0]

    def after_step(*_: Any) -> bool:
        return evaluator.keep_training(model.num_timesteps, Policy(choose))

    model.learn(steps, callback=after_step)
    evaluator.finish(model.num_timesteps, Policy(choose))


def _environments(learner: Learner, protocol: EvalProtocol, count: int, seed: int) -> Any:
    """Return the games as Stable-Baselines3 steps them."""
    options = protocol.make_options
    if learner.games != "compiled games":
        make = importlib.import_module("stable_baselines3.common.env_util").make_vec_env
        return make(protocol.env_id, count, seed, env_kwargs=options)
    adapter = importlib.import_module("envs.stable_baselines3").StableBaselines3VecEnv
    monitor = importlib.import_module("stable_baselines3.common.vec_env").VecMonitor
    games = importlib.import_module("gymnasium").make_vec(protocol.env_id, count, **options)
    return monitor(adapter(games))


def _for_screens(protocol: EvalProtocol) -> dict[str, Any]:
    """Return policy arguments that read screens: the libraries' own network needs larger ones."""
    if "screen" not in protocol.make_options.values():
        return {}
    features = importlib.import_module("benchmarks.screen_features").ScreenFeatures
    return {"features_extractor_class": features, "normalize_images": False}


def zoo(env_id: str, algorithm: str) -> dict[str, Any]:
    """Return the published hyperparameters of an algorithm, with schedules as functions.

    A text such as `lin_0.001` is the schedule that falls linearly from 0.001 to 0.
    """
    settings = tomllib.loads(ZOO.read_text(encoding="utf-8")).get(env_id, {}).get(algorithm, {})
    return {
        name: linear(float(value.removeprefix("lin_"))) if isinstance(value, str) else value
        for name, value in settings.items()
    }


def cleanrl(learner: Learner, seed: int, evaluator: Evaluator) -> None:
    """Train with one of CleanRL's own files."""
    protocol, folder = evaluator.protocol, cleanrl_folder()
    assert folder is not None
    settings = learner.settings(protocol)
    arguments = translation.cleanrl(learner.algorithm, settings, protocol.steps)
    script = (folder / learner.algorithm).resolve()
    run_script(script, [*arguments, f"--env-id={protocol.env_id}", f"--seed={seed}"], evaluator)


TRAINERS = {
    OURS: training_wheels,
    STABLE_BASELINES3: stable_baselines3,
    SBX: stable_baselines3,
    CLEANRL: cleanrl,
}


def cleanrl_folder() -> Path | None:
    """Return the folder of CleanRL's files that the variable CLEANRL names, if it has them."""
    folder = Path(os.environ.get("CLEANRL", ""))
    return folder if (folder / "ppo.py").is_file() else None


def left_out() -> list[str]:
    """Return a line for each optional library that cannot be compared, with what to do."""
    missing = []
    if importlib.util.find_spec("sbx") is None:
        missing.append("SBX is left out: pip install sbx-rl")
    if cleanrl_folder() is None:
        missing.append(
            "CleanRL is left out: set CLEANRL to the folder with its ppo.py, in a checkout of "
            "https://github.com/vwxyzjn/cleanrl"
        )
    return missing


def check_installed() -> None:
    """Check that Stable-Baselines3 can be imported.

    Raises:
        ModuleNotFoundError: if it is not installed; the message says how to install it.
    """
    try:
        importlib.import_module("stable_baselines3")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING if error.name == "stable_baselines3" else error) from None


def learners_of(protocol: EvalProtocol) -> list[Learner]:
    """Return all learners for a game, except tuned ones: ours first, then one library at a time."""
    environment = make_environment(protocol.env_id, protocol.make_options)
    discrete = isinstance(environment.action_space, spaces.Discrete)
    environment.close()
    screens = "screen" in protocol.make_options.values()
    kinds: tuple[Kind, ...] = ("defaults", "our settings")
    ours = ("ppo", "dqn", "pqn") if discrete else ("ppo", "sac")
    theirs = ("PPO", "DQN") if discrete else ("PPO", "SAC")
    scripts = ("ppo.py", "dqn.py", "pqn.py") if discrete else ("sac_continuous_action.py",)
    chosen = [Learner(OURS, "random", "our settings")]
    for agent in ours:
        chosen += [Learner(OURS, agent, "our settings"), Learner(OURS, agent, "defaults")]
    for algorithm in theirs:
        chosen += _stable_baselines3(algorithm, protocol)
    chosen.append(Learner(STABLE_BASELINES3, "A2C", "defaults", "DummyVecEnv"))
    if importlib.util.find_spec("sbx") is not None and not screens:
        for algorithm in theirs:
            chosen += [Learner(SBX, algorithm, kind, "DummyVecEnv") for kind in kinds]
    if cleanrl_folder() is not None and not protocol.make_options:
        for script in scripts:
            chosen += [Learner(CLEANRL, script, kind) for kind in kinds]
    return chosen


def _stable_baselines3(algorithm: str, protocol: EvalProtocol) -> list[Learner]:
    """Return the learners of an algorithm; only games of ours have a compiled batch."""
    games: list[Games] = ["DummyVecEnv"]
    if protocol.env_id in env_ids(GAMES):
        games.append("compiled games")
    return [
        Learner(STABLE_BASELINES3, algorithm, "defaults", "DummyVecEnv"),
        *(Learner(STABLE_BASELINES3, algorithm, "our settings", each) for each in games),
    ]


def tunable(learners: Sequence[Learner]) -> list[Learner]:
    """Return one learner to tune for each implementation: with its fastest way to step games."""
    fastest = {each.implementation: each for each in learners if each.agent not in NOT_LEARNING}
    return [replace(each, kind="tuned") for each in fastest.values()]
