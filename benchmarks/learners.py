"""The same game learned by different implementations of PPO, each used as its users use it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

from benchmarks import cleanrl_recipe
from benchmarks.referee import Policy, Referee
from benchmarks.training import new_run, preset_config, without_evaluations
from training.loop import train

Learner = Callable[[int, Referee], None]
"""Learns with a seed until the referee says that it is over."""

MISSING = (
    "the comparison needs stable-baselines3, which is not installed: "
    'pip install -c constraints.txt -e ".[bench]"'
)


def training_wheels(seed: int, referee: Referee) -> None:
    """This project's training loop with its preset, curves and checkpoints included."""
    examination = referee.examination
    with new_run(without_evaluations(preset_config(seed), examination.steps)) as (
        run,
        logger,
        display,
    ):
        going_on = True
        while going_on:
            target = min(run.progress.steps + examination.every, examination.steps)
            run.config = replace(run.config, steps=target)
            train(run, logger, display, Event())
            going_on = referee.go_on(run.progress.steps, run.agent)


def stable_baselines3(seed: int, referee: Referee) -> None:
    """As its documentation begins: a policy's name and an environment's, all else by default."""
    from stable_baselines3 import PPO

    model = PPO("MlpPolicy", referee.examination.env_id, seed=seed, device="cpu")
    policy = Policy(lambda observations: model.predict(observations, deterministic=True)[0])

    def after_step(*_: Any) -> bool:
        return referee.go_on(model.num_timesteps, policy)

    model.learn(referee.examination.steps, callback=after_step)


def cleanrl(seed: int, referee: Referee) -> None:
    """CleanRL's recipe, its learning rate falling to 0 at the end of the budget of steps."""
    recipe = cleanrl_recipe.Recipe(total_steps=referee.examination.steps)

    def after_step(steps: int, network: cleanrl_recipe.Network) -> bool:
        return referee.go_on(steps, Policy(network.best))

    cleanrl_recipe.learn(referee.examination.env_id, seed, after_step, recipe)


LEARNERS: dict[str, Learner] = {
    "Training Wheels": training_wheels,
    "Stable-Baselines3": stable_baselines3,
    "CleanRL's recipe": cleanrl,
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
