"""Tunes every implementation with the same budget, over the same ranges, by Optuna.

A trial trains with each of the tuning seeds on the protocol of the comparison. Its value is the
mean score over all evaluations and seeds, which rewards fast learning and good play in the end.
What a trial does not set has the library's default. Every trial is a line of the file, with its
settings, scores and the machine; `compare` uses the best one.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.learners import OURS, Learner
from benchmarks.machine import machine_facts
from benchmarks.protocol import EvalProtocol
from benchmarks.runs import Job, Lines, Run, try_job
from benchmarks.training import warm_up
from benchmarks.translation import Settings, general_settings
from training.evaluation import TUNING_SEEDS
from training.ranges import Range, ranges_of_agent
from training.sweep.trials import load_optuna
from training.workers import run_jobs

FILE = Path(__file__).with_name("tuned.jsonl")
SEEDS = tuple(TUNING_SEEDS[:3])

A2C: dict[str, Range] = ranges_of_agent("ppo") | {"num_steps": (4, 8, 16, 32, 64)}
"""Ranges of an algorithm that this project has not: those of ppo, with shorter rollouts."""
del A2C["epochs"], A2C["minibatches"]


def ranges_of(learner: Learner) -> dict[str, Range]:
    """Return the ranges for an implementation: those of our agent, whatever the library."""
    return A2C if learner.algorithm == "A2C" else ranges_of_agent(learner.agent)


def tune(
    protocol: EvalProtocol, learner: Learner, lines: Lines, trials: int, workers: str
) -> Iterator[str]:
    """Continue the sweep of a learner until it has `trials` trials; yield a line about each.

    A sweep that was stopped and continued gives the same trials as one that was not.

    Raises:
        ValueError: if Optuna is not installed; the message says how to install it.
    """
    for number in range(len(trials_of(lines, protocol, learner)), trials):
        params = suggest(trials_of(lines, protocol, learner), ranges_of(learner))
        general = general_settings(learner.agent) if learner.library == OURS else {}
        settings = general | params
        jobs = [Job(protocol, replace(learner, tuned=settings), seed) for seed in SEEDS]
        found = dict(run_jobs(try_job, jobs, workers, warm_up))
        outcome = _outcome([found[k] for k in range(len(jobs))])
        lines.append(
            {
                **{"game": protocol.game, "learner": learner.name, "number": number},
                **outcome,
                **{"params": params, "settings": settings, "seeds": list(SEEDS)},
                **{"protocol": protocol.to_json(), "machine": machine_facts()},
            }
        )
        value = outcome["value"]
        result = outcome["error"] if value is None else f"{value:.4g}"
        yield f"{protocol.game}, {learner.name}, trial {number}: {result}, {params}"


def _outcome(found: Sequence[Run | str]) -> dict[str, Any]:
    """Return the value of a trial and the scores of its runs; the value is None if one failed."""
    if failed := [run for run in found if isinstance(run, str)]:
        return {"value": None, "error": failed[0], "scores": []}
    scores = [[point.score for point in run.points] for run in found if isinstance(run, Run)]
    return {"value": statistics.mean(map(statistics.mean, scores)), "error": None, "scores": scores}


def suggest(done: Sequence[dict[str, Any]], ranges: dict[str, Range]) -> Settings:
    """Return the settings of the next trial, by Optuna's tree-structured Parzen estimator."""
    optuna = load_optuna()
    choose, between = (
        optuna.distributions.CategoricalDistribution,
        optuna.distributions.FloatDistribution,
    )
    distributions = {
        name: between(each.start, each.stop, log=True) if isinstance(each, slice) else choose(each)
        for name, each in ranges.items()
    }
    sampler = optuna.samplers.TPESampler(seed=len(done))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in done:
        if trial["value"] is not None:
            study.add_trial(
                optuna.trial.create_trial(
                    params=trial["params"], distributions=distributions, value=trial["value"]
                )
            )
    params: Settings = study.ask(distributions).params
    return params


def trials_of(lines: Lines, protocol: EvalProtocol, learner: Learner) -> list[dict[str, Any]]:
    """Return the trials of a learner with this protocol."""
    key = protocol.game, learner.name, protocol.to_json()
    return [
        trial
        for trial in lines.objects
        if (trial.get("game"), trial.get("learner"), trial.get("protocol")) == key
    ]


def tuned(lines: Lines, protocol: EvalProtocol, learner: Learner) -> Learner | None:
    """Return the learner with the settings of its best trial; None if there is none."""
    trials = [t for t in trials_of(lines, protocol, learner) if t["value"] is not None]
    if not trials:
        return None
    return replace(learner, tuned=max(trials, key=lambda trial: trial["value"])["settings"])
