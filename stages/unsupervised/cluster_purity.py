"""How well do clusters that were found without labels match classes that have a name?

    python -m stages cluster_purity

k-means sorts riderless bicycles into 3 clusters, and screens into 4 clusters, by their pixels and
by an autoencoder's latent codes. Purity is the share of points that belong to the most common class
of their cluster. The classes of bicycles are: rides on, falls left, falls right; those of screens
are the quarter of the box in which the ball is. Purity is compared with that of clusters of the
same sizes whose points are assigned at random.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from stages.lab.claims import Claim, label_of, mean_of
from stages.lab.experiment import Experiment
from stages.lab.intervals import difference
from stages.lab.plots import Bars
from stages.lab.results import Cell, Results, Table, own_cells
from stages.lab.trials import Trial, pretrain, run_trial
from stages.unsupervised.autoencoders import autoencoder
from training.config import RunConfig

CODES = 4
CLUSTERS = {"rides": 3, "screens": 4, "codes": 4}
ITERATIONS = 300  # at most; each is one step of as many environments as there are points
POINTS = 1_000


def measure(config: RunConfig) -> dict[Cell, float]:
    """Cluster the points; for latent codes, train the autoencoder first."""
    kind = config.env_options["of"]
    with tempfile.TemporaryDirectory() as folder:
        if kind == "codes":
            encoder = pretrain(autoencoder(CODES).config(config.seed), Path(folder))
            options = config.env_options | {"encoder": str(encoder.folder)}
            config = dataclasses.replace(config, env_options=options)
        run, points = run_trial(config)
    percent = {(kind, name): 100 * points[-1].metrics[name] for name in ("purity", "chance")}
    return {**percent, (kind, "iterations"): run.progress.steps / config.num_envs}


def table(results: Results) -> Table:
    """Return a row for each kind of points."""
    rows = []
    for kind in CLUSTERS:
        gain = difference(results.values[kind, "purity"], results.values[kind, "chance"])
        percent = (f"{results.mean((kind, name)):.1f}" for name in ("purity", "chance"))
        iterations = f"{results.mean((kind, 'iterations')).value:.0f}"
        rows.append((results.label(kind), iterations, *percent, f"{gain:+.1f}"))
    return Table(results.texts["columns"], rows)


def claim(kind: str) -> Claim:
    """Return the claim that clusters of this kind are purer than random ones."""
    purity, chance = (kind, "purity"), (kind, "chance")
    means = {"purity": mean_of(purity), "chance": mean_of(chance)}
    return Claim("verdict", purity, chance, words={"name": label_of(kind), **means})


EXPERIMENT = Experiment(
    series=tuple(CLUSTERS),
    grid={
        kind: Trial("cluster", ITERATIONS * POINTS, {"of": kind}, {"k": k}, evaluations=ITERATIONS)
        for kind, k in CLUSTERS.items()
    },
    measure=measure,
    values=own_cells,
    table=table,
    conclusions=tuple(claim(kind) for kind in CLUSTERS),
    plot=Bars("purity", "chance", ylim=(0, 100)),
)
