"""The progress of a run, as its checkpoint holds it."""

from __future__ import annotations

from dataclasses import dataclass

from training.checked import Count


@dataclass
class Progress:
    """The progress of a run."""

    steps: Count = 0
    episodes: Count = 0
    feedback_numbers: Count = 0
    evaluated_score: float | None = None
    """Mean score of the newest evaluation that decides when to stop."""
    evaluated_step: Count | None = None
    """Step of the newest point on the evaluation's curves."""
    level: Count | None = None
    """Level of the curriculum that the environments belong to; None: the final task."""
