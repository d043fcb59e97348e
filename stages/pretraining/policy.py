"""Does a policy that sees only the screen learn faster with a pretrained backbone?

    python -m stages policy

PPO plays paddle-and-ball from screens with the settings of train.py: from scratch, and with the
backbone of a network that learned from labels whether a paddle that stays in place will miss the
ball. This backbone is trained further or kept fixed. A third one is that of an autoencoder, which
saw the same screens without labels. The measure is how many balls are returned after the same
number of steps.
"""

from __future__ import annotations

from stages.lab.claims import Claim, Note
from stages.lab.experiment import Experiment
from stages.lab.plots import LearningCurves
from stages.lab.results import Results, Table, final_score
from stages.lab.trials import Trial

PREDICTIONS, EXAMPLES = 400_128, 100_000
STEPS = 98_304
WIDTH = {"width": 64}  # of the policy's backbone, and so of the others too
BACKBONES = {
    "missed": Trial(
        "classify",
        PREDICTIONS,
        options={"question": "missed", "examples": EXAMPLES},
        settings=WIDTH,
    ),
    "reconstruct": Trial(
        "reconstruct",
        PREDICTIONS // 4,  # takes as long: each has 1,152 numbers
        options={"frames": 2, "examples": EXAMPLES},
        settings={"codes": 8, **WIDTH},
    ),
}
BACKBONE_OF = {"scratch": None, "all": "missed", "frozen": "missed", "reconstruct": "reconstruct"}


def table(results: Results) -> Table:
    """Return a row for each way to start."""
    rows = [
        (
            results.label(way),
            f"{BACKBONES[backbone].steps if backbone else 0:,}",
            f"{results.mean(way):.1f}",
        )
        for way, backbone in BACKBONE_OF.items()
    ]
    return Table(results.texts["columns"], rows)


EXPERIMENT = Experiment(
    series=tuple(BACKBONE_OF),
    seeds=5,
    quick=0.1,
    backbones=BACKBONES,
    grid={
        way: Trial(
            "paddle",
            steps=STEPS,
            options={"observation": "screen"},
            changes={"eval_episodes": 50},
            evaluations=12,
            pretrained=backbone,
            freeze=way == "frozen",
        )
        for way, backbone in BACKBONE_OF.items()
    },
    values=final_score,
    table=table,
    conclusions=(
        Note("claim"),
        Claim("faster", "all", "scratch", words={"steps": STEPS}),
        Claim("further", "all", "frozen"),
        Claim("labels", "all", "reconstruct"),
    ),
    plot=LearningCurves(x="steps", ylim=(0, None), legend={"loc": "upper left"}),
)
