"""What an environment hands back: the kinds of feedback, and how many numbers of it there were.

The one axis that all kinds of learning can be drawn over.
"""

from __future__ import annotations

import numpy as np

from agents.agent import Agent, Step

KINDS = {
    "nothing": "a person wrote all of it, or chance decides",
    "a number late": "what was done is paid for some time afterwards",
    "a number at once": "each guess is paid for, but the right one is not told",
    "the right answer": "what the action should have been",
    "the observation itself": "what was seen is what the action should have been",
    "the next token": "what comes next is what the action should have been",
    "examples in the prompt": "right answers are seen, and nothing of the agent changes",
}
"""Every kind, and what it means. An environment names its own in `metadata["feedback"]`."""
OF_GAMES, AT_ONCE = "a number late", "a number at once"


def kind_of(agent: Agent, environments: object) -> str:
    """Which kind of feedback `agent` learns from in `environments`; one of `KINDS`."""
    if not learns(agent):
        return "nothing"
    kind: str = getattr(environments, "metadata", {}).get("feedback", OF_GAMES)
    return kind if kind == OF_GAMES or agent.learns_from_labels else AT_ONCE


def learns(agent: Agent) -> bool:
    """Does it take in what follows on its actions?"""
    return type(agent).learn is not Agent.learn


def numbers_of(step: Step, learns_from_labels: bool) -> int:
    """How many numbers a step of `n` environments hands back to who takes answers, or does not.

    An answer counts as many numbers as it has; without answers a reward counts one, be it zero.
    Where an environment only began anew it handed back nothing.
    """
    told = step.labels if learns_from_labels else None
    each = 1 if told is None else int(np.prod(told.shape[1:]))
    return each * int(np.count_nonzero(step.valid))
