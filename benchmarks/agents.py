"""Train every agent on every game that it supports, with the settings of its preset."""

from __future__ import annotations

from collections.abc import Sequence

from agents import make_agent
from agents.agent import Task, UnsuitableTaskError
from benchmarks.learners import OURS, Learner, our_config
from benchmarks.protocol import EvalProtocol
from training.vector_runner import make_environments

TOO_SLOW = {("bicycle, screen", "reward_model")}
"""It predicts a thousand screens for each step: one evaluation would take an hour."""


def learners_of(protocol: EvalProtocol, agents: Sequence[str]) -> list[Learner]:
    """Return those of `agents` that support a game, each with its preset."""
    return [
        Learner(OURS, agent, "our settings")
        for agent in agents
        if (protocol.game, agent) not in TOO_SLOW and supports(agent, protocol)
    ]


def supports(agent: str, protocol: EvalProtocol) -> bool:
    """Return whether the agent supports the game's observations and actions."""
    config = our_config(protocol, agent, seed=0)
    environments = make_environments(config.env, 1, config.make_options)
    spaces = environments.single_observation_space, environments.single_action_space
    environments.close()
    try:
        make_agent(agent, Task(config.env, *spaces, 1, 1), config.settings, 0)
    except UnsuitableTaskError:
        return False
    return True
