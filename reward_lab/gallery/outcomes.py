"""What agents that were trained on the rewards of the gallery learned, and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reward_lab.gallery import HACKS, RESULTS, Hack
from stages.lab.intervals import Mean, difference, mean
from training.checked import checked
from training.run_folder import RunError, read_json

CLEARLY = 0.25
"""Difference of scores, in units of the game's solved score, from which one is clearly better."""
FILE = "results.json"


@dataclass(frozen=True)
class Outcome:
    """What n agents that were trained on one reward learned, with n seeds."""

    steps: list[int]
    """Environment steps of the evaluations; the first one is before the training."""
    returns: list[list[float]]
    """Mean return in each evaluation, for each seed."""
    scores: list[list[float]]
    """Mean score in each evaluation, for each seed."""
    final_scores: list[float]
    """Mean score of the final evaluation of each seed."""

    def __post_init__(self) -> None:
        seeds = len(self.final_scores)
        lengths = {len(each) for each in (*self.returns, *self.scores)}
        if not seeds == len(self.returns) == len(self.scores) or lengths != {len(self.steps)}:
            raise ValueError("its curves have other lengths than its steps")

    @property
    def score(self) -> Mean:
        """Mean of the final scores."""
        return mean(self.final_scores)


@dataclass(frozen=True)
class Verdict:
    """Whether a reward of the gallery goes wrong and its repair helps."""

    hack: Hack
    wrong: Outcome
    repaired: Outcome

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return len(self.wrong.final_scores)

    @property
    def risen(self) -> int:
        """Number of seeds with which agents earned more at the end than at the start."""
        return sum(returns[-1] > returns[0] for returns in self.wrong.returns)

    @property
    def worse(self) -> int:
        """Number of seeds with which the score is clearly below that of the repaired reward."""
        bar = CLEARLY * self.hack.solved_score
        pairs = zip(self.wrong.final_scores, self.repaired.final_scores, strict=True)
        return sum(repaired - wrong >= bar for wrong, repaired in pairs)

    @property
    def gain(self) -> Mean:
        """How much more the agents of the repaired reward score."""
        return difference(self.repaired.final_scores, self.wrong.final_scores)


def load_verdicts(folder: Path = RESULTS) -> list[Verdict]:
    """Return the results that come with the project.

    Raises:
        RunError: if they are missing or damaged.
    """
    outcomes = load_outcomes(folder)
    for hack in HACKS:
        for name in (hack.name, hack.repair):
            if name not in outcomes:
                raise RunError(f"{folder / FILE} is damaged: it has no results of {name}")
    return verdicts_of(HACKS, outcomes)


def load_outcomes(folder: Path) -> dict[str, Outcome]:
    """Return the results in a folder, by the name of the reward's file.

    Raises:
        RunError: if they are missing or damaged.
    """
    content = read_json(folder / FILE)
    if not isinstance(content, dict):
        raise RunError(f"{folder / FILE} is damaged: it is not a JSON object")
    return {name: checked(each, Outcome, f"`{name}` in {FILE}") for name, each in content.items()}


def verdicts_of(hacks: Sequence[Hack], outcomes: Mapping[str, Outcome]) -> list[Verdict]:
    """Return the verdict on each reward; `outcomes` are by the names of the files."""
    return [Verdict(each, outcomes[each.name], outcomes[each.repair]) for each in hacks]
