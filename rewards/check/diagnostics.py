"""What a reward pays for, and warnings about it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rewards.check.recorded_games import NOTHING, RANDOM, Recording

Array = np.ndarray[Any, Any]
Texts = Mapping[str, Any]
DOMINANT = 0.97  # share of the variation from which one term is said to dominate the others
NOTABLE = 0.25  # of a reward's standard deviation; smaller differences may be random
WORSE = 0.5  # of the range from the best score to the lowest; a player below it plays badly
NEARLY = 0.85  # of the range from the lowest return to that of the best player


@dataclass(frozen=True)
class Paid:
    """What several rewards pay in recorded steps."""

    recording: Recording
    rows: Array
    """(m,) indices of the steps of the recording."""
    values: dict[str, Array]
    """(m,) what each reward pays in these steps, by its name."""

    @functools.cached_property
    def events(self) -> list[dict[str, Any]]:
        """For each event: its name, how often it happened, and what is paid on average."""
        found = []
        for name in self.recording.events.by_name():
            met = self.recording.rows(name)[self.rows]
            means = [_mean(values[met]) for values in self.values.values()]
            found.append({"name": name, "count": int(met.sum()), "values": means})
        return found

    @functools.cached_property
    def players(self) -> list[dict[str, Any]]:
        """For each player: mean length, score and returns of the episodes."""
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

    def range_of(self, name: str) -> tuple[float, float, float | None]:
        """Return the least and most paid in a step, and the best player's mean return."""
        values, k = self.values[name], list(self.values).index(name)
        return float(values.min()), float(values.max()), self.players[-1]["values"][k]


def diagnosed(paid: Paid, judged: list[str], texts: Texts) -> tuple[dict[str, Any], list[str]]:
    """Return what rewards pay, and warnings about those that are `judged`.

    The first is a `rewards.sandbox.reports.Found` without the game, the tests and the warnings.
    """
    found = {
        "rewards": list(paid.values),
        "events": paid.events,
        "players": paid.players,
        "ranges": {name: paid.range_of(name) for name in judged},
    }
    return found, [text for name in judged for text in warnings_about(name, paid, texts)]


def warnings_about(name: str, paid: Paid, texts: Texts) -> list[str]:
    """Return what is suspicious about the reward `name`, in sentences of `texts`."""
    values = paid.values[name]
    k = list(paid.values).index(name)
    if np.ptp(values) == 0.0:
        return [texts["warnings"]["constant"].format(name=name, value=values[0])]
    found = []
    ends = paid.recording.steps.terminated[paid.rows]
    if ends.any() and not values[~ends].any():
        found.append(texts["warnings"]["only_at_the_end"].format(name=name))
    means = {row["name"]: row["values"][k] for row in paid.events}
    for worse, better in paid.recording.events.worse.items():
        low, high = means[worse], means[better]
        if low is not None and high is not None and low > high + NOTABLE * values.std():
            words = {"name": name, "worse": worse, "better": better, "low": low, "high": high}
            found.append(texts["warnings"]["worse_pays_more"].format(**words))
    return found + _cheap(name, k, paid.players, texts)


def _cheap(name: str, k: int, players: list[dict[str, Any]], texts: Texts) -> list[str]:
    """Return a warning if a player that plays badly earns as much as the best one."""
    best = players[-1]
    if best["name"] in (NOTHING, RANDOM):
        return []  # the game has no rule that plays well
    most = best["values"][k]
    gap = WORSE * (best["score"] - min(player["score"] for player in players))
    poor = [player for player in players if best["score"] - player["score"] > gap > 0.0]
    least = min(player["values"][k] for player in players)
    rich = [p for p in poor if p["values"][k] - least >= NEARLY * (most - least)]
    if not rich:
        return []
    easiest = max(rich, key=lambda player: (player["name"] == NOTHING, player["values"][k]))
    earned, sentences = easiest["values"][k], texts["warnings"]
    player = texts["players"][NOTHING] if easiest["name"] == NOTHING else easiest["name"]
    against = sentences["against"].format(earned=earned, most=most, best=best["name"])
    words = {"name": name, "player": player, "against": against}
    early = easiest["steps"] < 0.5 * best["steps"] and easiest["terminated"] > 0.5
    if early and earned > most and easiest["before_the_end"][k] < 0.0:
        return [sentences["ending_early"].format(**words, steps=easiest["steps"])]
    if easiest["name"] == NOTHING:
        return [sentences["doing_nothing"].format(**words)]
    scores = {"score": easiest["score"], "best_score": best["score"]}
    return [sentences["playing_badly"].format(**words, **scores)]


def warnings_about_terms(terms: dict[str, Array], texts: Texts) -> list[str]:
    """Return warnings about weighted `terms` of a sum that hardly matter next to another one."""
    swings = {name: float(values.std()) for name, values in terms.items()}
    largest = max(swings, key=lambda name: swings[name])
    share = swings[largest] / (sum(swings.values()) or 1.0)
    sentences = texts["warnings"]
    found = [
        sentences["term_constant"].format(name=name, value=terms[name][0])
        for name, swing in swings.items()
        if swing == 0.0
    ]
    if share >= DOMINANT:
        words = {"share": int(100 * share), "name": largest}
        found.append(sentences["term_dominates"].format(**words))
    return found


def _mean(values: Array) -> float | None:
    return float(values.mean()) if len(values) else None
