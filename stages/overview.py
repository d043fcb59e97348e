"""How do the five stages of machine learning compare on one page?

    python -m stages

All answer the same question: which of 20 kinds of shapes is on the screen? Chance is 5 %. A rule
takes the nearest row of a table that a person has drawn up; a decision on hand-made numbers is
found by random search and by gradient descent; a network sees pixels; another one was pretrained
on 100 other kinds and has few labels of these; and one reads labelled examples in its prompt, and
no weight of it changes (`stages.in_context.shape_prompts`). The table and the slide show what a
person supplies, what the machine finds, and what it costs.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from stages.datasets.shapes import Shapes
from stages.in_context.shape_prompts import Prompt, learn_or_answer
from stages.lab.claims import Claim, Note
from stages.lab.experiment import Experiment
from stages.lab.results import learned_percent
from stages.lab.trials import Trial
from stages.overview_slide import Stages

SHOTS, FEW, MANY, MOST = 100, 1_000, 30_000, 100_000  # labelled examples
STEPS, FEW_STEPS = 400_128, 25_600
STAGES = ("rules", "gradient", "deep", "fine_tuned", "in_context")
PAGE = Stages(
    {"rules": 0, "random_search": MOST, "gradient": MOST, "expert": MOST, "fewer": MANY}
    | {"deep": MOST, "fine_tuned": FEW, "in_context": SHOTS},
    pretrained={"fine_tuned": MOST, "in_context": MOST},
    backbone="invented",
    chance=100 / len(Shapes().action_names),
)


def trial(examples: int, observation: str = "screen", **changes: Any) -> Trial:
    """Return a trial that learns the 20 kinds from labelled examples."""
    options = {"examples": examples, "observation": observation}
    return dataclasses.replace(Trial("shapes", STEPS, options), **changes)


FEW_LABELS: dict[str, Any] = {
    "steps": FEW_STEPS,
    "changes": {"num_envs": 64},
    "settings": {"learning_rate": 1e-3},
}

EXPERIMENT = Experiment(
    series=STAGES,
    seeds=5,
    quick=0.05,
    backbones={"invented": Trial("shapes", STEPS, {"of": "invented", "examples": MOST})},
    grid={  # the slowest first
        "deep": trial(MOST),
        "fewer": trial(MANY),
        "gradient": trial(MOST, "rings"),
        "expert": trial(MOST, "harmonics"),
        "random_search": trial(MOST, "rings", agent="search", settings={"episodes": 256}),
        "scratch": trial(FEW, **FEW_LABELS),
        "fine_tuned": trial(FEW, **FEW_LABELS, pretrained="invented"),
        "scratch_shots": trial(SHOTS, **FEW_LABELS),
        "in_context": Prompt(SHOTS, "invented"),
        "rules": trial(1, "rings", agent="rules", steps=1),
    },
    measure=learn_or_answer,
    values=learned_percent,
    table=PAGE.table,
    conclusions=(
        Note("claim"),
        Claim("found", "deep", "rules"),
        Claim("features", "deep", "gradient", words={"labels": MOST}),
        Claim("by_expert", "deep", "expert"),
        Claim("more", "deep", "fewer", words={"many": MANY, "most": MOST}),
        Claim("labels", "fine_tuned", "scratch", words={"labels": FEW}),
        Claim("shots", "in_context", "scratch_shots", words={"shots": SHOTS}),
    ),
    plot=PAGE.draw,
)
