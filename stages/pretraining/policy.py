"""Does a policy that sees only the screen learn faster with a pretrained backbone?

    python -m stages policy

PPO plays paddle-and-ball from screens with the settings of train.py: from scratch, with the
backbone of an autoencoder of such screens, and with that of a classifier of the ball's direction.
The measure is how many balls it returns after the same number of steps. The steps are few, far from
solving the game, so that three seeds of each take two minutes.
"""

from __future__ import annotations

from stages.lab.claims import Claim, Note, label_of
from stages.lab.experiment import Experiment
from stages.lab.plots import LearningCurves
from stages.lab.results import Results, Table, final_score
from stages.lab.trials import Trial

PREDICTIONS = 60_160
WIDTH = {"width": 64}  # of the policy's backbone, and so of the others too
BACKBONES = {
    "classify": Trial("classify", PREDICTIONS, settings=WIDTH),
    "reconstruct": Trial(
        "reconstruct", PREDICTIONS, options={"frames": 2}, settings={"codes": 8, **WIDTH}
    ),
}
WAYS = ("scratch", *BACKBONES)


def table(results: Results) -> Table:
    """Return a row for each backbone."""
    rows = [
        (
            results.label(way),
            f"{PREDICTIONS if way in BACKBONES else 0:,}",
            f"{results.mean(way):.1f}",
        )
        for way in WAYS
    ]
    return Table(results.texts["columns"], rows)


EXPERIMENT = Experiment(
    series=WAYS,
    backbones=BACKBONES,
    grid={
        way: Trial(
            "paddle",
            steps=122_880,
            options={"observation": "screen"},
            changes={"eval_episodes": 50},
            evaluations=12,
            pretrained=way if way in BACKBONES else None,
        )
        for way in WAYS
    },
    values=final_score,
    table=table,
    conclusions=(
        Note("claim"),
        *(Claim("verdict", way, "scratch", words={"way": label_of(way)}) for way in BACKBONES),
    ),
    plot=LearningCurves(x="steps", ylim=(0, None), legend={"loc": "upper left"}),
)
