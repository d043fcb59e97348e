"""Does a network learn from fewer examples if its structure fits the data?

    python -m stages structure

A convolution looks at neighbouring pixels together, and in the same way everywhere. It is compared
with a dense network of about as many weights, which sees the same pixels in a row, and with itself
on screens whose pixels have changed places. They classify 20 kinds of shapes.
"""

from __future__ import annotations

from typing import Any

from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Cell, final_percent
from stages.lab.trials import Learned, Trial, learn

SIZES = (1_000, 10_000, 100_000)
NETWORKS: dict[str, tuple[dict[str, Any], int]] = {
    "convolution": ({}, 128),
    "dense": ({"observation": "pixels"}, 81),
    "shuffled": ({"shuffled": True}, 128),
}
"""Options of the data, and the width with which all networks have about as many weights."""
MOST = SIZES[-1]


def values(cell: Cell, learned: Learned) -> dict[Cell, float]:
    """Return the accuracy in percent, and the number of parameters."""
    return {**final_percent(cell, learned.points), ("parameters", cell[0]): learned.parameters}


def parameters_of(network: str) -> Any:
    """Return a value for a text: the number of parameters of a network."""
    return lambda results: results.mean(("parameters", network)).value


def claim(text: str, second: str) -> Claim:
    """Return the claim that a convolution on the screens as they are is better."""
    sizes = {f"{name}_size": parameters_of(name) for name in ("convolution", "dense")}
    return Claim(text, ("convolution", MOST), (second, MOST), words={"size": MOST, **sizes})


EXPERIMENT = Experiment(
    series=tuple(NETWORKS),
    sizes=SIZES,
    grid={
        (network, size): Trial("shapes", 153_600, {"examples": size, **options}, {"width": width})
        for size in reversed(SIZES)  # the slowest first
        for network, (options, width) in NETWORKS.items()
    },
    seeds=5,
    measure=learn,
    values=values,
    conclusions=(claim("dense_claim", "dense"), claim("shuffled_claim", "shuffled")),
    plot=Curves(ylim=(0, 100), baseline=5, legend={"loc": "upper left"}),
)
