"""How many of an agent's moves go towards a ball that is out of reach."""

from __future__ import annotations

import numpy as np

from agents.agent import Agent
from envs.engine.capabilities import game_batch_of
from envs.paddle.game import PaddleOptions, reach
from stages.lab.trials import run_trial
from training.config import RunConfig
from training.evaluation import fresh_seed
from training.vector_runner import VectorRunner, make_environments

EPISODES = 2_000
STEPS = 12  # watched per episode; later, most paddles have reached the ball
NEAR = reach(PaddleOptions())  # distance in box heights up to which no move is needed


def train_and_watch(config: RunConfig) -> list[float]:
    """Train, and return the share of right moves."""
    run, _ = run_trial(config)
    return right_moves(run.agent, config)


def right_moves(agent: Agent, config: RunConfig) -> list[float]:
    """Return the percentage of moves towards the ball at each step of an episode.

    Only paddles count that the ball would miss if it came now.
    """
    environments = make_environments(config.env, EPISODES, config.make_options)
    batch = game_batch_of(environments)
    assert batch is not None
    runner, shares = VectorRunner(environments, fresh_seed(config.seed)), []
    for _ in range(STEPS):
        states = batch.states.copy()
        runner.step(agent.act(runner.observations, explore=False))
        moved = batch.states["paddle_y"] - states["paddle_y"]
        distance = states["ball_y"] - states["paddle_y"]
        right = (moved * distance > 0)[np.abs(distance) > NEAR]
        shares.append(100 * float(right.mean()))
    return shares
