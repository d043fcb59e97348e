"""Do clusters that nobody has named turn out to be kinds that have a name?

    python -m stages cluster_purity

k-means sorts riderless bicycles into 3 clusters, and screens into 4, once by their pixels and once
by the codes of an autoencoder. Purity is the share of points that belong to the commonest kind of
their cluster: will it ride on, fall left or fall right; in which quarter of the box is the ball? It
is compared with that of the same clusters, the points dealt out to them by chance.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import NamedTuple

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, difference, mean
from stages.lab.slides import COLOURS, slide
from stages.lab.texts import load
from stages.lab.trials import run_trials, trained, trial
from stages.unsupervised.autoencoders import autoencoder
from training.config import RunConfig
from training.run_folder import CONFIG, write_json

CODES = 4
CLUSTERS = {"rides": 3, "screens": 4, "codes": 4}
TURNS = 300  # at most; each is one step of as many environments as there are points
POINTS = 1_000


class Agreement(NamedTuple):
    """What one trial has found, in percent."""

    turns: int
    purity: float
    chance: float


def examine(config: RunConfig) -> Agreement:
    """Sort, if need be after training an autoencoder for it."""
    with tempfile.TemporaryDirectory() as folder:
        if config.env_options["of"] == "codes":
            encoder = autoencoder(config.seed, CODES)
            run, _ = trained(encoder)
            run.folder = Path(folder)
            run.save()
            write_json(run.folder / CONFIG, encoder.to_json("cluster_purity"))
            options = config.env_options | {"encoder": folder}
            config = dataclasses.replace(config, env_options=options)
        run, points = trained(config)
    found = points[-1].metrics
    turns = run.progress.steps // config.num_envs
    return Agreement(turns, 100 * found["purity"], 100 * found["chance"])


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("cluster_purity", options.lang)
    configs = {
        of: [
            trial("cluster", seed, TURNS * POINTS, TURNS, of=of, settings={"k": k})
            for seed in options.each_seed
        ]
        for of, k in CLUSTERS.items()
    }
    found = run_trials(examine, configs, options.processes, texts["progress"])
    rows, verdicts, shown = [], [], {}
    for of, each in found.items():
        turns, purities, chances = (list(values) for values in zip(*each, strict=True))
        purity, chance, gain = mean(purities), mean(chances), difference(purities, chances)
        numbers = (f"{purity:.1f}", f"{chance:.1f}", f"{gain:+.1f}")
        rows.append((texts[of], f"{mean(turns).value:.0f}", *numbers))
        shown[of] = purity, chance
        words = {"name": texts[of], "purity": purity.value, "chance": chance.value}
        verdicts.append(claim(options, texts["verdict"], gain, gain.low > 0, **words))
    tell(texts["title"], texts["columns"], rows, "\n".join(verdicts))
    draw(path, options.lang, shown)


def draw(path: Path, lang: str, shown: dict[str, tuple[Mean, Mean]]) -> None:
    """A bar for each kind of points, and what one cluster would have."""
    texts = load("cluster_purity", lang)
    with slide(path, lang) as axes:
        for k, (purity, chance) in enumerate(shown.values()):
            axes.bar(k, purity.value, 0.6, yerr=purity.margin, capsize=10, color=COLOURS[k])
            label = texts["chance"] if k == 0 else None
            axes.hlines(chance.value, k - 0.4, k + 0.4, color="black", ls="--", label=label)
        axes.set_xticks(range(len(shown)), [texts[of] for of in shown], fontsize=24)
        axes.set(ylabel=texts["y"], title=texts["title"], ylim=(0, 100))
        axes.legend(loc="upper left")
