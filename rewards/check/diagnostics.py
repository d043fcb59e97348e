"""What a reward pays for, and what is suspicious about that."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from rewards.check.recorded_games import CHANCE, NOTHING, Recording

Array = np.ndarray[Any, Any]
DROWNED = 0.97  # share of the ups and downs from which on one term is said to drown the others
NOTABLE = 0.25  # of a reward's standard deviation; smaller differences may be chance
WORSE = 0.5  # of the way from the best score to the least: from here on one plays badly
NEARLY = 0.85  # of the way from the least return to that of playing well: nearly as good


@dataclass(frozen=True)
class Paid:
    """What some rewards pay in recorded steps."""

    recording: Recording
    rows: Array
    """(m,) the steps of the recording that were paid for."""
    values: dict[str, Array]
    """(m,) of each reward by name."""

    @functools.cached_property
    def moments(self) -> list[dict[str, Any]]:
        """For each kind of moment: its name, how often it was met, and what is paid on average."""
        found = []
        for name in self.recording.moments.by_name():
            met = self.recording.rows(name)[self.rows]
            means = [_mean(values[met]) for values in self.values.values()]
            found.append({"name": name, "count": int(met.sum()), "values": means})
        return found

    @functools.cached_property
    def players(self) -> list[dict[str, Any]]:
        """For each player: mean length, score and returns of the episodes that were paid for."""
        found, whole = [], self.recording.whole()[self.rows]
        for k, name in enumerate(self.recording.players):
            mine = np.flatnonzero(whole & (self.recording.player[self.rows] == k))
            episodes, where = np.unique(
                self.recording.episode[self.rows[mine]], return_inverse=True
            )
            lasts = np.array([self.rows[mine][where == e][-1] for e in range(len(episodes))])
            returns = [_mean(np.bincount(where, v[mine])) for v in self.values.values()]
            going_on = mine[~self.recording.steps.terminated[self.rows[mine]]]
            before = [float(v[going_on].sum()) for v in self.values.values()]
            found.append(
                {
                    "name": name,
                    "steps": _mean(np.bincount(where)),
                    "score": _mean(self.recording.score[lasts]),
                    "terminated": _mean(self.recording.steps.terminated[lasts]),
                    "values": returns,
                    "before_the_end": before,
                }
            )
        return found


def warnings_about(name: str, paid: Paid) -> list[str]:
    """What is suspicious about the reward `name`."""
    values = paid.values[name]
    k = list(paid.values).index(name)
    if np.ptp(values) == 0.0:
        return [
            f"`{name}` is constant: it pays {values[0]:g} for every step, whatever is done; all "
            "that an agent can learn from it is to last long, or not to"
        ]
    found = []
    ends = paid.recording.steps.terminated[paid.rows]
    if ends.any() and not values[~ends].any():
        found.append(
            f"`{name}` pays nothing before the end of an episode; that is hard to learn from, as "
            "nothing says which of the steps before was the good one"
        )
    means = {row["name"]: row["values"][k] for row in paid.moments}
    for worse, better in paid.recording.moments.worse.items():
        low, high = means[worse], means[better]
        if low is not None and high is not None and low > high + NOTABLE * values.std():
            found.append(f"`{name}`: {worse} pays more than {better}, {low:.3g} against {high:.3g}")
    return found + _cheap(name, k, paid.players)


def _cheap(name: str, k: int, players: list[dict[str, Any]]) -> list[str]:
    """Is there an easier way to the return of who can play?"""
    best = players[-1]
    if best["name"] in (NOTHING, CHANCE):
        return []  # nobody can
    most = best["values"][k]
    gap = WORSE * (best["score"] - min(player["score"] for player in players))
    poor = [player for player in players if best["score"] - player["score"] > gap > 0.0]
    least = min(player["values"][k] for player in players)
    rich = [p for p in poor if p["values"][k] - least >= NEARLY * (most - least)]
    if not rich:
        return []
    easiest = max(rich, key=lambda player: (player["name"] == NOTHING, player["values"][k]))
    who, earned = easiest["name"], easiest["values"][k]
    against = f"{earned:.4g} an episode, against {most:.4g} for playing well ({best['name']})"
    early = easiest["steps"] < 0.5 * best["steps"] and easiest["terminated"] > 0.5
    if early and earned > most and easiest["before_the_end"][k] < 0.0:
        return [
            f"`{name}`: ending early earns more than playing on; {who} is over after "
            f"{easiest['steps']:.0f} steps and earns {against}"
        ]
    if who == NOTHING:
        return [f"`{name}` can be earned by doing nothing: {against}"]
    return [
        f"`{name}` can be earned without playing well: {who} earns {against}, but its score is "
        f"{easiest['score']:.3g} against {best['score']:.3g}"
    ]


def warnings_about_terms(total: str, terms: dict[str, Array]) -> list[str]:
    """Is one of the weighted `terms` all there is of a reward?"""
    swings = {name: float(values.std()) for name, values in terms.items()}
    largest = max(swings, key=lambda name: swings[name])
    share = swings[largest] / (sum(swings.values()) or 1.0)
    found = [
        f"the term {name} is constant, {terms[name][0]:g} for every step"
        for name, swing in swings.items()
        if swing == 0.0
    ]
    if share >= DROWNED:
        found.append(
            f"one term drowns the others: {int(100 * share)} % of the ups and downs of {total} are "
            f"those of {largest}"
        )
    return found


def _mean(values: Array) -> float | None:
    return float(values.mean()) if len(values) else None
