"""The same game learned by different implementations, each used as its users use it."""

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
from benchmarks.evaluator import Policy, Referee
from benchmarks.training import new_run, preset_config, without_evaluations
from training.loop import train

Learner = Callable[[int, Referee], None]
"""Learns with a seed until the referee says that it is over."""

ZOO = Path(__file__).with_name("zoo.toml")
OF_POLICY = ("net_arch", "log_std_init", "ortho_init")
MISSING = (
    "the comparison needs stable-baselines3, which is not installed: "
    'pip install -c constraints.txt -e ".[bench]"'
)


def training_wheels(agent: str, seed: int, referee: Referee) -> None:
    """This project's training loop with its preset, curves and checkpoints included."""
    examination = referee.examination
    config = preset_config(seed, options=[*examination.options, "--agent", agent])
    with new_run(without_evaluations(config, examination.steps)) as (run, logger, display):
        going_on = True
        while going_on:
            target = min(run.progress.steps + examination.every, examination.steps)
            run.config = replace(run.config, steps=target)
            train(run, logger, display, Event())
            going_on = referee.go_on(run.progress.steps, run.agent)


def stable_baselines3(algorithm: str, seed: int, referee: Referee) -> None:
    """With the hyperparameters of its authors' zoo, or all by default where that has none."""
    stable = importlib.import_module("stable_baselines3")
    examination = referee.examination
    settings = zoo(examination.env_id, algorithm)
    steps = settings.pop("n_timesteps", examination.steps)
    environments = stable.common.env_util.make_vec_env(
        examination.env_id,
        settings.pop("n_envs", 1),
        seed,
        env_kwargs=examination.make_options,
    )
    if settings.pop("normalize", False):
        gamma = settings.get("gamma", 0.99)
        environments = stable.common.vec_env.VecNormalize(environments, gamma=gamma)
    of_policy = {name: settings.pop(name) for name in OF_POLICY if name in settings}
    model = getattr(stable, algorithm)(
        "MlpPolicy", environments, seed=seed, device="cpu", policy_kwargs=of_policy, **settings
    )
    normaliser = model.get_vec_normalize_env()

    def choose(observations: Any) -> Any:
        seen = normaliser.normalize_obs(observations) if normaliser else observations
        return model.predict(seen, deterministic=True)[0]

    def after_step(*_: Any) -> bool:
        return referee.go_on(model.num_timesteps, Policy(choose))

    model.learn(steps, callback=after_step)
    referee.finish(model.num_timesteps, Policy(choose))


def zoo(env_id: str, algorithm: str) -> dict[str, Any]:
    """Hyperparameters that the library's authors publish, schedules as functions."""
    settings = tomllib.loads(ZOO.read_text(encoding="utf-8")).get(env_id, {}).get(algorithm, {})
    return {
        name: linear(value) if isinstance(value, str) else value for name, value in settings.items()
    }


def linear(text: str) -> Callable[[float], float]:
    """`lin_0.001`: that number times the part of training that is left."""
    start = float(text.removeprefix("lin_"))
    return lambda left: start * left


def cleanrl(seed: int, referee: Referee) -> None:
    """CleanRL's recipe, its learning rate falling to 0 at the end of the budget of steps."""
    recipe = cleanrl_recipe.Recipe(total_steps=referee.examination.steps)

    def after_step(steps: int, network: cleanrl_recipe.Network) -> bool:
        return referee.go_on(steps, Policy(network.best))

    cleanrl_recipe.learn(referee.examination.env_id, seed, after_step, recipe)


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
    """Import what the learners need, so that no clock runs meanwhile.

    Raises:
        ModuleNotFoundError: if it is not installed, with what to do.
    """
    try:
        importlib.import_module("stable_baselines3")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING if error.name == "stable_baselines3" else error) from None
