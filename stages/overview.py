"""How do the five stages of machine learning compare on one page?

    python -m stages

The question is which way the ball flies. It is answered by a hand-written rule; by a linear policy
on hand-made features, found by random search and by guided search (`agents.search`); by a network
that sees pixels; and by a network that was pretrained on another question with many labels and
fine-tuned on few labels of this one. Claims compare the best of each stage.
The fifth stage, a transformer with examples in its prompt, answers another question: which button
moves the paddle to the ball (`stages.datasets.prompts`). The table and the slide show what a person
supplies, what the machine finds, and what it costs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from stages.datasets.classify import Classify
from stages.datasets.prompts import BUTTONS, Prompts
from stages.in_context.transformers import LARGE, prompts
from stages.lab.claims import Claim, Note, difference_of
from stages.lab.experiment import Experiment
from stages.lab.results import Cell, Results, Table, final_percent
from stages.lab.trials import Point, Trial
from stages.overview_slide import Cost, draw_stages

STAGES = ("rules", "search", "deep", "fine_tuned", "in_context")
ROWS = ("rules", "random_search", *STAGES[1:])
"""Rows of the table: the stages, and the search without guidance."""
CHANCE = {stage: 100 / len(Classify().action_names) for stage in STAGES}
CHANCE |= {"in_context": 100 / len(BUTTONS)}
MANY, FEW, SHOTS = Classify().examples, 1_000, Prompts().shots
STEPS = 153_600
LANDING = Trial("regress", steps=307_200, options={"examples": 100_000})
RANDOM_SEARCH = Trial(
    *("classify", STEPS),
    agent="search",
    options={"observation": "features", "feedback": "reward"},
    settings={"episodes": 256},  # predictions over which a policy is scored
)
GUIDED_SEARCH = dataclasses.replace(
    RANDOM_SEARCH, settings={**RANDOM_SEARCH.settings, "guided": True}
)
FEW_LABELS = Trial("classify", 25_600, options={"examples": FEW}, changes={"num_envs": 64})
GRID = {  # the slowest first
    "scratch": FEW_LABELS,
    "in_context": prompts(LARGE),
    "fine_tuned": dataclasses.replace(FEW_LABELS, pretrained="landing"),
    "deep": Trial("classify", STEPS, options={"examples": MANY}),
    "search": GUIDED_SEARCH,
    "random_search": RANDOM_SEARCH,
    "rules": Trial("classify", 1, agent="rules", options={"observation": "features"}),
}


def values(stage: Cell, points: Sequence[Point]) -> dict[Cell, float]:
    """Return the accuracy; for prompts, that after all examples and that without any."""
    if stage != "in_context":
        return final_percent(stage, points)
    metrics = points[-1].metrics
    return {stage: 100 * metrics[f"shots_{SHOTS}"], "zero_shot": 100 * metrics["shots_0"]}


def costs(results: Results) -> dict[str, tuple[Cost, Cost]]:
    """Return the examples and the numbers of feedback that each row needs."""
    numbers = {row: results.found[row][0][-1].numbers for row in ROWS}
    pretraining = results.backbones["landing"][0].points[-1].numbers
    prompts_seen = GRID["in_context"].steps * (SHOTS + 1)  # examples, some of them twice
    return {
        "rules": (Cost(0), Cost(numbers["rules"])),
        "random_search": (Cost(MANY), Cost(numbers["random_search"])),
        "search": (Cost(MANY), Cost(numbers["search"])),
        "deep": (Cost(MANY), Cost(numbers["deep"])),
        "fine_tuned": (
            Cost(FEW, LANDING.options["examples"]),
            Cost(numbers["fine_tuned"], pretraining),
        ),
        "in_context": (Cost(SHOTS, prompts_seen), Cost(0, numbers["in_context"])),
    }


def table(results: Results) -> Table:
    """Return a row for each stage; the second stage has two."""
    paid = {row: [cost.text(results) for cost in of_row] for row, of_row in costs(results).items()}
    names = {row: [text.replace("\n", " ") for text in results.texts[row]] for row in ROWS}
    rows = [(*names[row], *paid[row], f"{results.mean(row):.1f}") for row in ROWS]
    return Table(results.texts["columns"], rows)


EXPERIMENT = Experiment(
    series=STAGES,
    backbones={"landing": LANDING},
    grid=GRID,
    values=values,
    table=table,
    conclusions=(
        *(Note("note"), Note("chance", words=CHANCE), Note("claim")),
        Claim("found", "deep", "rules"),
        Claim(
            *("features", "deep", "search"),
            words={"numbers": STEPS, "random": difference_of("deep", "random_search")},
        ),
        Claim("labels", "fine_tuned", "scratch", words={"labels": FEW}),
        Claim("shots", "in_context", "zero_shot", words={"shots": SHOTS}),
    ),
    plot=lambda axes, results: draw_stages(axes, results, CHANCE, costs(results)),
)
