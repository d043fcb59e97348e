"""Runs on which the doctor is tried: ill runs with one known fault each, and healthy runs."""

# ruff: noqa: E501 - one run a line, however long

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

REWARDS = '''\
"""Rewards that are wrong, each in one way."""


def nothing(before, action, after):
    return 0.0


def record(before, action, after):
    return 1.0 if after.hits >= 1000 else 0.0


def very_fast(before, action, after):
    return 1.0 if after.speed > 50.0 else 0.0


def salary(before, action, after):
    return 1.0


def rent(before, action, after):
    return -1.0


def hurry(before, action, after):
    return -0.1 + 20.0 * (after.goals - before.goals)


def laziness(before, action, after):
    return -abs(action - 1.0)


def high_up(before, action, after):
    return after.paddle_y
'''
"""Content of a file that some of the runs use."""


class IllObservations(gymnasium.ObservationWrapper[Any, Any, Any]):
    """An environment whose observations are multiplied by a number, which may be NaN."""

    def __init__(self, env: gymnasium.Env[Any, Any], factor: float) -> None:
        super().__init__(env)
        self._factor = factor
        shape = env.observation_space.shape
        self.observation_space = spaces.Box(-np.inf, np.inf, shape, np.float32)

    def observation(self, observation: Any) -> Any:
        """Return the observation times the factor."""
        return (observation * self._factor).astype(np.float32)


def make_ill(base: str, factor: float, **options: Any) -> gymnasium.Env[Any, Any]:
    """Make the environment `base` with observations that are multiplied by `factor`."""
    return IllObservations(gymnasium.make(base, **options), factor)


class Case(NamedTuple):
    """A run."""

    name: str
    expected: str
    """The finding that should be first; empty if the run is healthy."""
    arguments: str
    """Arguments of train.py; REWARDS stands for the file of wrong rewards."""
    held_back: bool = False
    """Whether the thresholds were chosen without a look at this run."""


def _ill_observations() -> dict[str, tuple[str, float]]:
    return {
        "CartPoleBlind-v0": ("CartPole-v1", 0.0),
        "CartPoleNaN-v0": ("CartPole-v1", float("nan")),
        "CartPoleHuge-v0": ("CartPole-v1", 1e4),
        "PendulumTiny-v0": ("Pendulum-v1", 1e-5),
    }


def register_ill_observations() -> None:
    """Register the environments with ill observations with Gymnasium."""
    for name, (base, factor) in _ill_observations().items():
        if name not in gymnasium.registry:
            known = gymnasium.spec(base)
            gymnasium.register(
                name,
                entry_point="benchmarks.doctor_cases:make_ill",
                max_episode_steps=known.max_episode_steps,
                reward_threshold=known.reward_threshold,
                kwargs={"base": base, "factor": factor},
            )


GOAL = "--env bicycle --env-options task=goal"

# fmt: off
ILL = (
    Case("paddle, no reward", "no_reward", "--steps 200000 --reward REWARDS:nothing"),
    Case("bicycle, reward never seen", "no_reward", "--env bicycle --steps 150000 --reward REWARDS:very_fast"),
    Case("paddle dqn, reward never seen", "no_reward", "--agent dqn --steps 100000 --reward REWARDS:record", True),
    Case("goal, the same for each step", "reward_constant", f"{GOAL} --steps 150000 --reward REWARDS:salary"),
    Case("goal pqn, the same for each step", "reward_constant", f"{GOAL} action=discrete --agent pqn --steps 100000 --reward REWARDS:salary", True),
    Case("paddle, moving costs", "never_positive", "--steps 200000 --reward REWARDS:laziness"),
    Case("goal, smooth", "never_positive", f"{GOAL} --steps 150000 --reward smooth", True),
    Case("paddle, effort dominates", "dominated", "--steps 200000 --reward 'hit_or_miss - 3*effort'"),
    Case("goal, upright dominates", "dominated", f"{GOAL} --steps 200000 --reward 'arrive_or_fall + 10*stay_upright'"),
    Case("paddle, large reward", "reward_scale", "--steps 100000 --reward '100000*hit_or_miss'"),
    Case("bicycle, small reward", "reward_scale", "--env bicycle --steps 100000 --reward '0.00001*stay_upright'", True),
    Case("paddle, rent", "dying_pays", "--steps 200000 --reward REWARDS:rent"),
    Case("paddle, follow the ball", "dying_pays", "--steps 200000 --reward follow_ball"),
    Case("goal, hurry", "dying_pays", f"{GOAL} --steps 200000 --reward REWARDS:hurry", True),
    Case("paddle, 20 steps", "ends_early", "--steps 150000 --env-options max_steps=20"),
    Case("goal, 100 steps", "ends_early", f"{GOAL} max_steps=100 --steps 150000", True),
    Case("paddle, discount 0.5", "discount_short", "--steps 250000 --gamma 0.5"),
    Case("Acrobot, discount 0.3", "discount_short", "--env Acrobot-v1 --steps 50000 --gamma 0.3"),
    Case("paddle pqn, discount 0.3", "discount_short", "--agent pqn --steps 200000 --gamma 0.3", True),
    Case("paddle, values not trained", "value_not_learning", "--steps 250000 --value-coef 0"),
    Case("CartPole dqn, target never updated", "value_not_learning", "--env CartPole-v1 --agent dqn --steps 30000 --target-every 10000000", True),
    Case("CartPole reinforce, certain at once", "entropy_collapsed", "--env CartPole-v1 --agent reinforce --steps 30000 --learning-rate 0.5"),
    Case("paddle dqn, no exploration", "entropy_collapsed", "--agent dqn --steps 150000 --first-epsilon 0 --last-epsilon 0"),
    Case("paddle reinforce, certain at once", "entropy_collapsed", "--agent reinforce --steps 60000 --learning-rate 1", True),
    Case("CartPole, bonus for entropy", "too_random", "--env CartPole-v1 --steps 40000 --entropy-coef 10"),
    Case("paddle, learning rate 1e-7", "policy_frozen", "--steps 250000 --learning-rate 1e-7"),
    Case("paddle, clip range 0.0001", "policy_frozen", "--steps 200000 --clip-coef 0.0001", True),
    Case("CartPole dqn, never starts", "policy_frozen", "--env CartPole-v1 --agent dqn --steps 20000 --learning-starts 1000000"),
    Case("Pendulum, learning rate 1e-8", "policy_frozen", "--env Pendulum-v1 --steps 30000 --learning-rate 1e-8", True),
    Case("bicycle reinforce, learning rate 1e-7", "policy_frozen", "--env bicycle --agent reinforce --steps 80000 --learning-rate 1e-7"),
    Case("bicycle pqn, learning rate 1e-8", "policy_frozen", "--env bicycle --env-options action=discrete --agent pqn --steps 80000 --learning-rate 1e-8", True),
    Case("paddle, learning rate 0.3", "policy_thrashing", "--steps 250000 --learning-rate 0.3"),
    Case("Acrobot, learning rate 1", "policy_thrashing", "--env Acrobot-v1 --steps 40000 --learning-rate 1"),
    Case("Pendulum, learning rate 0.3", "policy_thrashing", "--env Pendulum-v1 --steps 30000 --learning-rate 0.3", True),
    Case("CartPole dqn, learning rate 1", "policy_thrashing", "--env CartPole-v1 --agent dqn --steps 20000 --learning-rate 1"),
    Case("CartPole, sees nothing", "observations_constant", "--env CartPoleBlind-v0 --steps 30000"),
    Case("CartPole, sees NaN", "observations_not_finite", "--env CartPoleNaN-v0 --steps 30000"),
    Case("CartPole, huge observations", "observations_unscaled", "--env CartPoleHuge-v0 --steps 60000"),
    Case("Pendulum, tiny observations", "observations_unscaled", "--env PendulumTiny-v0 --steps 30000", True),
    Case("paddle, 40,000 steps", "too_few_steps", "--steps 40000"),
    Case("CartPole dqn, 6,000 steps", "too_few_steps", "--env CartPole-v1 --agent dqn --steps 6000 --eval-every 1000"),
    Case("bicycle, 30,000 steps", "too_few_steps", "--env bicycle --steps 30000", True),
    Case("paddle, unlearns", "unstable", "--steps 300000 --eval-every 30000 --learning-rate 0.03 --solved-score inf"),
    Case("paddle dqn, unlearns", "unstable", "--agent dqn --steps 300000 --eval-every 30000 --learning-rate 0.02 --solved-score inf", True),
    Case("slow race, paid for progress", "hacked", "--env bicycle --env-options task=slow --steps 200000 --reward progress"),
    Case("goal, paid for any motion", "hacked", f"{GOAL} --steps 250000 --reward any_motion"),
    Case("paddle, paid for height", "hacked", "--steps 200000 --reward REWARDS:high_up", True),
    Case("paddle, easy in training", "evaluation_differs", "--steps 300000 --eval-every 50000 --curriculum paddle_size=0.9@0 paddle_size=0.1@290000"),
    Case("MountainCar", "never_met", "--env MountainCar-v0 --steps 50000"),
    Case("MountainCarContinuous, no persistence", "never_met", "--env MountainCarContinuous-v0 --steps 50000 --persistence 1"),
    Case("MountainCar dqn", "never_met", "--env MountainCar-v0 --agent dqn --steps 20000"),
    Case("paddle, 1 environment", "few_environments", "--steps 60000 --num-envs 1"),
    Case("Acrobot, 1 environment", "few_environments", "--env Acrobot-v1 --steps 30000 --num-envs 1", True),
)
"""Runs that should not learn. The thresholds were chosen without a look at those held back."""

HEALTHY = (
    *(Case(f"paddle, seed {seed}", "", f"--seed {seed}") for seed in (1, 2, 3)),
    *(Case(f"bicycle, seed {seed}", "", f"--env bicycle --seed {seed}") for seed in (1, 2)),
    *(Case(f"CartPole, seed {seed}", "", f"--env CartPole-v1 --seed {seed}") for seed in (1, 2, 3)),
    Case("CartPole dqn, seed 1", "", "--env CartPole-v1 --agent dqn"),
    Case("CartPole pqn, seed 1", "", "--env CartPole-v1 --agent pqn"),
    Case("CartPole reinforce, seed 1", "", "--env CartPole-v1 --agent reinforce"),
    *(Case(f"Acrobot, seed {seed}", "", f"--env Acrobot-v1 --seed {seed}") for seed in (1, 2)),
    Case("Acrobot pqn, seed 1", "", "--env Acrobot-v1 --agent pqn"),
    *(Case(f"Pendulum, seed {seed}", "", f"--env Pendulum-v1 --seed {seed}") for seed in (1, 2)),
    Case("Pendulum sac, seed 1", "", "--env Pendulum-v1 --agent sac"),
    Case("MountainCarContinuous, seed 1", "", "--env MountainCarContinuous-v0"),
    Case("paddle dqn, seed 1", "", "--agent dqn"),
    Case("paddle, stay alive", "", "--reward stay_alive"),
    Case("classify, seed 1", "", "--env classify"),
)
"""Runs with the settings of the presets, which learn."""
# fmt: on
