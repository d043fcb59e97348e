"""Translates the settings of this project's agents to those of other libraries.

`settings` are hyperparameters by this project's names, and `num_envs`. What a library lacks is left
out: double Q-learning and the Huber loss for DQN, random actions that last for PPO and SAC. All
other numbers keep their meaning:

* Our value loss is 1/2 of the squared error, divided by the variance of the returns;
  Stable-Baselines3's is the squared error. Its rewards are divided by a running standard deviation
  of the returns, so its returns have a variance of about 1. CleanRL's `ppo.py` divides neither.
* `target_every` counts updates; in the other libraries, it counts environment steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from agents import settings_type
from training.presets import preset

Settings = dict[str, Any]
GENERAL = "any other environment"


def general_settings(agent: str) -> Settings:
    """Return our settings for an environment that has no presets."""
    values = preset(GENERAL, agent, {})
    kind = settings_type(agent)
    own = {name: value for name, value in values.items() if name in kind.__dataclass_fields__}
    return {"num_envs": values["num_envs"], **vars(kind(**own))}


def linear(start: float) -> Callable[[float], float]:
    """Return a schedule: `start` times the remaining fraction of training."""
    return lambda left: start * left


def stable_baselines3(
    algorithm: str, settings: Settings, steps: int, action_size: int
) -> dict[str, Any]:
    """Return arguments of a Stable-Baselines3 algorithm for a run of `steps` steps.

    `settings` may lack any of the names; the library's defaults then apply. `n_envs` and
    `normalize` belong to the environments.
    """
    s = settings
    found = {theirs: s[ours] for ours, theirs in STABLE_BASELINES3[algorithm].items() if ours in s}
    if s.get("anneal"):
        found["learning_rate"] = linear(s["learning_rate"])
    if "minibatches" in s and algorithm == "PPO":
        found["batch_size"] = s["num_envs"] * s["num_steps"] // s["minibatches"]
    if "value_coef" in s:
        found |= {"vf_coef": s["value_coef"] / 2, "normalize": True}
    if "target_every" in s:
        per_update = s["train_every"] * s["num_envs"] / s["updates"]
        found["target_update_interval"] = math.ceil(s["target_every"] * per_update)
    if "exploration_steps" in s:
        found["exploration_fraction"] = min(1.0, s["exploration_steps"] / steps)
    if "target_entropy" in s:
        found["target_entropy"] = s["target_entropy"] * action_size
    if "width" in s:
        found["net_arch"] = [s["width"]] * 2
    return found


ACTOR_CRITIC = {
    "num_envs": "n_envs",
    "num_steps": "n_steps",
    "learning_rate": "learning_rate",
    "gamma": "gamma",
    "gae_lambda": "gae_lambda",
    "entropy_coef": "ent_coef",
    "max_grad_norm": "max_grad_norm",
}
OFF_POLICY = {
    "num_envs": "n_envs",
    "learning_rate": "learning_rate",
    "batch_size": "batch_size",
    "updates": "gradient_steps",
    "gamma": "gamma",
}
STABLE_BASELINES3: dict[str, dict[str, str]] = {
    "PPO": {**ACTOR_CRITIC, "epochs": "n_epochs", "clip_coef": "clip_range"},
    "A2C": ACTOR_CRITIC,
    "DQN": {
        **OFF_POLICY,
        "train_every": "train_freq",
        "replay_capacity": "buffer_size",
        "learning_starts": "learning_starts",
        "n_step": "n_steps",
        "target_rate": "tau",
        "first_epsilon": "exploration_initial_eps",
        "last_epsilon": "exploration_final_eps",
        "max_grad_norm": "max_grad_norm",
    },
    "SAC": {
        **OFF_POLICY,
        "capacity": "buffer_size",
        "warmup": "learning_starts",
        "tau": "tau",
    },
}
"""For each algorithm: this project's names, and the library's."""


def cleanrl(script: str, settings: Settings, steps: int) -> list[str]:
    """Return command-line arguments of one of CleanRL's files for a run of `steps` steps."""
    s = settings
    found = {theirs: s[ours] for ours, theirs in CLEANRL[script].items() if ours in s}
    if "target_every" in s:
        per_update = s["train_every"] * s["num_envs"] / s["updates"]
        found["target-network-frequency"] = math.ceil(s["target_every"] * per_update)
        found["train-frequency"] = max(1, round(per_update))
    if "exploration_steps" in s:
        found["exploration-fraction"] = min(1.0, s["exploration_steps"] / steps)
    if "value_coef" in s:
        found["vf-coef"] = s["value_coef"]
    if script == "sac_continuous_action.py" and s:
        found["q-lr"] = s["learning_rate"]
    arguments = [f"--{name}={value}" for name, value in found.items()]
    if s and script in ("ppo.py", "pqn.py") and not s.get("anneal"):
        arguments.append("--no-anneal-lr")
    if s and script == "ppo.py":
        arguments.append("--no-clip-vloss")
    return [*arguments, f"--total-timesteps={steps}"]


ROLLOUTS = {
    "num_envs": "num-envs",
    "num_steps": "num-steps",
    "learning_rate": "learning-rate",
    "gamma": "gamma",
    "epochs": "update-epochs",
    "minibatches": "num-minibatches",
    "max_grad_norm": "max-grad-norm",
}
CLEANRL: dict[str, dict[str, str]] = {
    "ppo.py": {
        **ROLLOUTS,
        "gae_lambda": "gae-lambda",
        "clip_coef": "clip-coef",
        "entropy_coef": "ent-coef",
    },
    "pqn.py": {**ROLLOUTS, "q_lambda": "q-lambda", "last_epsilon": "end-e"},
    "dqn.py": {  # it has one environment
        "learning_rate": "learning-rate",
        "replay_capacity": "buffer-size",
        "learning_starts": "learning-starts",
        "batch_size": "batch-size",
        "gamma": "gamma",
        "target_rate": "tau",
        "last_epsilon": "end-e",
    },
    "sac_continuous_action.py": {
        "num_envs": "num-envs",
        "learning_rate": "policy-lr",
        "capacity": "buffer-size",
        "warmup": "learning-starts",
        "batch_size": "batch-size",
        "gamma": "gamma",
        "tau": "tau",
    },
}
"""For each file: this project's names, and the file's."""
