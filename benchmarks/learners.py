"""Trains different implementations on the same game, each used as its users would."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from benchmarks import cleanrl_recipe
from benchmarks.evaluator import Evaluator, Policy
from benchmarks.training import new_run, preset_config, without_evaluations
from training.loop import train

Learner = Callable[[int, Evaluator], None]
"""Trains with a seed until `Evaluator.keep_training` returns False."""

ZOO = Path(__file__).with_name("zoo.toml")
POLICY_KWARGS = ("net_arch", "log_std_init", "ortho_init")
MISSING = (
    "the comparison needs stable-baselines3, which is not installed: "
    'pip install -c constraints.txt -e ".[bench]"'
)


def training_wheels(agent: str, seed: int, evaluator: Evaluator) -> None:
    """Train with this project's loop and preset, including curves and checkpoints."""
    protocol = evaluator.protocol
    config = preset_config(seed, options=[*protocol.options, "--agent", agent])
    with new_run(without_evaluations(config, protocol.steps)) as (run, logger, display):
        training = True
        while training:
            target = min(run.progress.steps + protocol.every, protocol.steps)
            run.config = replace(run.config, steps=target)
            train(run, logger, display, Event())
            training = evaluator.keep_training(run.progress.steps, run.agent)


def stable_baselines3(algorithm: str, seed: int, evaluator: Evaluator) -> None:
    """Train with the hyperparameters of RL Baselines3 Zoo, or the defaults where it has none."""
    stable = importlib.import_module("stable_baselines3")
    protocol = evaluator.protocol
    settings = zoo(protocol.env_id, algorithm)
    steps = settings.pop("n_timesteps", protocol.steps)
    environments = stable.common.env_util.make_vec_env(
        protocol.env_id, settings.pop("n_envs", 1), seed, env_kwargs=protocol.make_options
    )
    if settings.pop("normalize", False):
        gamma = settings.get("gamma", 0.99)
        environments = stable.common.vec_env.VecNormalize(environments, gamma=gamma)
    policy_kwargs = {name: settings.pop(name) for name in POLICY_KWARGS if name in settings}
    model = getattr(stable, algorithm)(
        "MlpPolicy", environments, seed=seed, device="cpu", policy_kwargs=policy_kwargs, **settings
    )
    normaliser = model.get_vec_normalize_env()

    def choose(observations: Any) -> Any:
        seen = normaliser.normalize_obs(observations) if normaliser else observations
        return model.predict(seen, deterministic=True)[0]

    def after_step(*_: Any) -> bool:
        return evaluator.keep_training(model.num_timesteps, Policy(choose))

    model.learn(steps, callback=after_step)
    evaluator.finish(model.num_timesteps, Policy(choose))


def zoo(env_id: str, algorithm: str) -> dict[str, Any]:
    """Return the published hyperparameters of an algorithm, with schedules as functions."""
    settings = tomllib.loads(ZOO.read_text(encoding="utf-8")).get(env_id, {}).get(algorithm, {})
    return {
        name: linear(value) if isinstance(value, str) else value for name, value in settings.items()
    }


def linear(text: str) -> Callable[[float], float]:
    """Return the schedule `lin_X`: X times the remaining fraction of training."""
    start = float(text.removeprefix("lin_"))
    return lambda left: start * left


def cleanrl(seed: int, evaluator: Evaluator) -> None:
    """Train with CleanRL's recipe; its learning rate reaches 0 at the end of the step budget."""
    recipe = cleanrl_recipe.Recipe(total_steps=evaluator.protocol.steps)

    def after_step(steps: int, network: cleanrl_recipe.Network) -> bool:
        return evaluator.keep_training(steps, Policy(network.best))

    cleanrl_recipe.learn(evaluator.protocol.env_id, seed, after_step, recipe)


CLEANRL = "CleanRL's recipe"
LEARNERS: dict[str, Learner] = {
    **{f"our {name}": partial(training_wheels, name) for name in ("ppo", "dqn", "pqn", "sac")},
    **{
        f"Stable-Baselines3 {name}": partial(stable_baselines3, name)
        for name in ("PPO", "DQN", "A2C", "SAC")
    },
    CLEANRL: cleanrl,
}


def load_libraries() -> None:
    """Import the libraries before any clock starts.

    Raises:
        ModuleNotFoundError: if one is not installed; the message says how to install it.
    """
    try:
        importlib.import_module("stable_baselines3")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING if error.name == "stable_baselines3" else error) from None
