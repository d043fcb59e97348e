"""The diagnosis of a run: all findings, and which of them are reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from training.doctor import learning_findings as learning
from training.doctor import reward_findings as reward
from training.doctor.evidence import Evidence, Finding
from training.doctor.reading import read_evidence

MOST = 5
"""Greatest number of findings that are reported."""
LEAST_STRENGTH = 0.3
"""Weaker findings are not reported."""

FACTS: tuple[Callable[[Evidence], Finding | None], ...] = (
    learning.observations_not_finite,
    learning.observations_constant,
    learning.observations_unscaled,
    reward.no_reward,
    reward.never_met,
    reward.ends_early,
    learning.unstable,
    learning.evaluation_differs,
    learning.too_few_steps,
    learning.seed_luck,
    learning.too_random,
)
"""Findings that hold however much was learned, as long as the run is not solved."""
CAUSES: tuple[Callable[[Evidence], Finding | None], ...] = (
    reward.reward_constant,
    reward.never_positive,
    reward.dying_pays,
    reward.dominated,
    reward.hacked,
    reward.discount_short,
    learning.value_not_learning,
    learning.entropy_collapsed,
    learning.policy_frozen,
    learning.policy_thrashing,
    learning.few_environments,
)
"""Findings that explain why little was learned; the more was learned, the weaker they are."""
ALWAYS = (reward.reward_scale,)
"""Findings that are reported of solved runs, too."""


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says about a run."""

    evidence: Evidence
    findings: tuple[Finding, ...]
    """At most `MOST`, the likeliest first."""


def diagnose(folder: Path) -> Diagnosis:
    """Return what may be wrong with the run in a folder. Executes none of its code.

    Raises:
        RunError: if the folder holds no run with curves, or is damaged.
    """
    evidence = read_evidence(folder)
    return Diagnosis(evidence, find(evidence))


def find(evidence: Evidence) -> tuple[Finding, ...]:
    """Return the findings that follow from evidence, the likeliest first."""
    functions = ALWAYS if evidence.learned else (*FACTS, *CAUSES, *ALWAYS)
    found = []
    for function in functions:
        finding = function(evidence)
        if finding is not None:
            weight = _weight(evidence) if function in CAUSES else 1.0
            found.append(replace(finding, strength=finding.strength * weight))
    strong = [each for each in found if each.strength >= LEAST_STRENGTH]
    return tuple(sorted(strong, key=lambda each: -each.strength)[:MOST])


def _weight(evidence: Evidence) -> float:
    """Return how much a cause of not learning counts: 1 up to half of the way, then less."""
    share = evidence.learned_share
    if share is None:
        return 0.6 if evidence.improved else 1.0
    return min(1.0, max(0.0, 2 * (1 - share)))
