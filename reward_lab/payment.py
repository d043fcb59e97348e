"""Calculates what rewards pay in recorded episodes, in a process of the lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from training.recorded_episodes import episodes_of_run
from training.rescoring import rescore


def pay_runs(
    request: dict[str, Any], report: Callable[[dict[str, Any]], None], stop: Event
) -> dict[str, list[Any]]:
    """Pay the episodes that several runs have recorded by several rewards.

    Args:
        request: `{"folders": [...], "rewards": [...]}`, runs in one game.
        report: not used.
        stop: not used, as this takes no time.

    Returns:
        `{"scores": [...], "returns": [[...], ...]}`: the mean score of each run, and for each run
        the mean return by each reward.

    Raises:
        ValueError: if a reward cannot be used, or a folder is damaged.
    """
    rewards, scores, returns = request["rewards"], [], []
    for folder in request["folders"]:
        episodes = episodes_of_run(Path(folder), last=True)
        paid = rescore(episodes, rewards).paid
        rewards = [each.reward for each in paid]  # loaded, tried and compiled only once
        scores.append(float(episodes.scores.mean()))
        returns.append([float(each.returns.mean()) for each in paid])
    return {"scores": scores, "returns": returns}
