"""Can an agent with memory notice within one episode that its controls are mirrored?

    python -m stages memory

In half of the episodes up and down are exchanged, and nothing in the observation says so. One agent
sees only the present state. Two also see the last steps and their actions in them, a prompt that
they have written themselves: one reads all of it at once, the other reads one step after another
with a recurrent network (GRU). The measure is how many of their moves go towards the ball, step by
step from the start of the episode, as long as the ball is out of the paddle's reach.
"""

from __future__ import annotations

from typing import Any

from stages.in_context.moves import STEPS, train_and_watch
from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Cell, ValueTable
from stages.lab.trials import Trial

GAMES: dict[str, dict[str, Any]] = {
    "memory": {"controls": "random", "history": 4},
    "recurrent": {"controls": "random", "history": 4},
    "none": {"controls": "random"},
    "usual": {},
}
"""Agents, and options of their games."""
SLOW = {"paddle_speed": 0.05, "max_steps": 40}  # time to follow the ball, none to miss it
LATER = 4


def by_step(kind: Cell, shares: list[float]) -> dict[Cell, float]:
    """Return the shares of a trial by step."""
    return {(kind, step): share for step, share in enumerate(shares)}


GRID = {
    kind: Trial(
        "paddle",
        steps=400_000,
        options={**SLOW, **options},
        settings={  # the effect of a move shows soon
            "gamma": 0.9,
            "recurrent": kind == "recurrent",
        },
        changes={"reward": "follow_ball", "eval_episodes": 1},
    )
    for kind, options in GAMES.items()
}

EXPERIMENT = Experiment(
    series=tuple(GAMES),
    sizes=(0, 1, 2, 3, 4, 6, 8),
    grid=GRID,
    measure=train_and_watch,
    values=by_step,
    table=ValueTable(rows="series", digits=0),
    conclusions=(
        Claim("finds", ("memory", LATER), ("memory", 0), words={"later": LATER}),
        Claim("needs", ("memory", LATER), ("none", LATER), words={"later": LATER}),
        Claim("reads_better", ("recurrent", LATER), ("memory", LATER), words={"later": LATER}),
    ),
    plot=Curves(
        *((0, 105), 50),
        scale="linear",
        sizes=range(STEPS),
        dashed=("usual",),
        legend={"loc": "center right"},
    ),
)
