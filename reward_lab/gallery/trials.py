"""Trains agents on the rewards of the gallery, and says whether they still go wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reward_lab.gallery import HACKS, RESULTS, Hack
from reward_lab.gallery.outcomes import FILE, Outcome, Verdict, load_outcomes, verdicts_of
from reward_lab.runs import PLACE, settings_of_train, train_all
from training.config import RunConfig
from training.recorded_episodes import (
    RecordedEpisodes,
    episodes_of_run,
    read_episodes,
    write_episodes,
)
from training.run_folder import EVALUATION, read_json, write_json
from training.saved_curves import read_curves

Array = np.ndarray[Any, Any]

EVALUATIONS = 10
"""Number of evaluations during a training."""
EPISODES = 50
"""Number of episodes of each evaluation."""
SEEDS = 5
SECONDS = 12
"""Length of the beginning of an episode that is kept for the film."""


def verify(
    hacks: Sequence[Hack] = HACKS,
    seeds: int = SEEDS,
    place: Path = PLACE,
    workers: str = "",
    describe: str = "",
    save: Path | None = None,
) -> list[Verdict]:
    """Train agents on each reward and on its repair, and compare them.

    What was trained before is not trained again; see `reward_lab.runs`.

    Args:
        hacks: entries of `HACKS`.
        seeds: number of agents for each reward, 2 to 10; their seeds are 1, 2, ...
        place: folder of the run folders.
        workers: where they train, as for `training.workers.run_jobs`.
        describe: text in front of the progress bar; empty for none.
        save: folder for the results and the beginning of an episode of each reward.

    Raises:
        ValueError: with one line, if a training fails.
        OSError: if the results cannot be written.
    """
    files = {file: hack for hack in hacks for file in (hack.file, hack.repair_file)}
    configs = [
        _config(file, hack, seed, steps)
        for file, hack in files.items()
        for steps in (1, hack.steps)
        for seed in range(1, seeds + 1)
    ]
    folders = train_all(configs, place, workers, describe)
    outcomes = {}
    for k, file in enumerate(files):
        mine = folders[2 * k * seeds : 2 * (k + 1) * seeds]
        outcomes[file.stem] = _outcome(mine[:seeds], mine[seeds:])
        if save is not None:
            film = _beginning(episodes_of_run(mine[seeds], last=True))
            write_episodes(save / f"{file.stem}.npz", film)
    if save is not None:
        known = load_outcomes(save) if (save / FILE).exists() else {}
        content = {k: dataclasses.asdict(v) for k, v in (known | outcomes).items()}
        write_json(save / FILE, content)
    return verdicts_of(hacks, outcomes)


def load_film(name: str, folder: Path = RESULTS) -> RecordedEpisodes:
    """Return the beginning of an episode of the agent of a reward, by the name of its file."""
    return read_episodes(folder / f"{name}.npz")


def _config(file: Path, hack: Hack, seed: int, steps: int) -> RunConfig:
    """Return the settings of a training on one reward; with 1 step, nothing is learned."""
    options = dict(hack.env_options)
    config = settings_of_train(str(file), seed, steps, hack.env, "ppo", options)
    every = max(hack.steps // EVALUATIONS, 1)
    return dataclasses.replace(config, eval_every=every, eval_episodes=EPISODES)


def _outcome(untrained: Sequence[Path], trained: Sequence[Path]) -> Outcome:
    """Return the curves and final scores of the runs of one reward, which begin untrained."""
    curves = [read_curves(folder) for folder in trained]
    starts = [read_json(folder / EVALUATION) for folder in untrained]
    steps = [0, *curves[0]["eval/mean_score"].steps.tolist()]
    returns, scores = (
        [
            [_short(value) for value in (start[first], *curve[tag].values)]
            for start, curve in zip(starts, curves, strict=True)
        ]
        for first, tag in (("mean_return", "eval/mean_reward"), ("mean_score", "eval/mean_score"))
    )
    final = [read_json(folder / EVALUATION)["last_model"]["mean_score"] for folder in trained]
    return Outcome(steps, returns, scores, [_short(score) for score in final])


def _short(value: float) -> float:
    """Return a number with few digits, as the results are kept with the project."""
    return float(f"{value:.4g}")


def _beginning(episodes: RecordedEpisodes) -> RecordedEpisodes:
    """Return the beginning of the first episode."""
    steps = min(int(episodes.lengths[0]), SECONDS * episodes.game.steps_per_second)
    about, states, actions = episodes.about, episodes.states, episodes.actions
    return RecordedEpisodes(about, states[: steps + 1], actions[:steps], np.array([steps]))
