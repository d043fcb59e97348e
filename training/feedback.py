"""Feedback: which kind an agent learns from, and how many numbers of it there were.

The count of numbers is the one axis on which all kinds of learning can be compared.
"""

from __future__ import annotations

import numpy as np

from agents.agent import Agent, Step

KINDS = {
    "nothing": "the agent does not learn: it follows hand-written rules or acts at random",
    "delayed rewards": "a reward that may follow an action much later",
    "immediate rewards": "a reward for each prediction, without the label",
    "labels": "a label: what the prediction should have been",
    "the observation itself": "the target is the observation: the agent reconstructs it",
    "the next token": "the target is the token that comes next in the text",
    "examples in the prompt": "labels are part of the observation, and the weights stay fixed",
}
"""All kinds, with their meaning. An environment names its own in `metadata["feedback"]`."""
OF_GAMES, AT_ONCE = "delayed rewards", "immediate rewards"


def kind_of(agent: Agent, environments: object) -> str:
    """Return the kind of feedback that `agent` learns from in `environments`, one of `KINDS`."""
    if not learns(agent):
        return "nothing"
    kind: str = getattr(environments, "metadata", {}).get("feedback", OF_GAMES)
    return kind if kind == OF_GAMES or agent.learns_from_labels else AT_ONCE


def learns(agent: Agent) -> bool:
    """Return whether an agent learns from what follows its actions."""
    return type(agent).learn is not Agent.learn


def numbers_of(step: Step, learns_from_labels: bool) -> int:
    """Return how many numbers of feedback a step returned to an agent.

    A label counts as many numbers as it has, a reward counts as one even if it is 0. Environments
    that were only reset in this step do not count.
    """
    labels = step.labels if learns_from_labels else None
    each = 1 if labels is None else int(np.prod(labels.shape[1:]))
    return each * int(np.count_nonzero(step.valid))
