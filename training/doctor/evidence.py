"""What the doctor knows about a run: its settings and its curves, and what follows from them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from training.config import RunConfig

SIGNIFICANT = 3.0
"""A difference between two means counts if it is this many times its standard error."""
AVOIDED = 0.1
"""Costs were avoided if less than this share of the first ones is left."""
CERTAIN = 0.05
"""Share of the initial entropy below which a policy of discrete actions is certain."""


@dataclass(frozen=True)
class Curve:
    """The points of a curve, in the order of their steps. A curve may be empty, hence false."""

    steps: tuple[int, ...] = ()
    values: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def first(self) -> float:
        """The first value; NaN if there is none, like all the numbers below."""
        return self.values[0] if self.values else math.nan

    @property
    def last(self) -> float:
        """The last value."""
        return self.values[-1] if self.values else math.nan

    @property
    def least(self) -> float:
        """The smallest value."""
        return min(self.values, default=math.nan)

    @property
    def most(self) -> float:
        """The largest value."""
        return max(self.values, default=math.nan)

    @property
    def median(self) -> float:
        """The median of all values."""
        return statistics.median(self.values) if self.values else math.nan

    def part(self, start: float, end: float = 1.0) -> Curve:
        """Return the points in a part of the curve; 0 is its beginning and 1 its end."""
        low, high = (round(share * len(self.values)) for share in (start, end))
        return Curve(self.steps[low:high], self.values[low:high])

    def since(self, step: int) -> Curve:
        """Return the points from a step on."""
        skipped = sum(each < step for each in self.steps)
        return Curve(self.steps[skipped:], self.values[skipped:])

    def where(self, condition: Callable[[float], bool]) -> int | None:
        """Return the step of the first value that fulfils a condition, or None."""
        return next((s for s, v in zip(self.steps, self.values, strict=True) if condition(v)), None)


NO_CURVE = Curve()


@dataclass(frozen=True)
class Evidence:
    """What is known about a run. Curves that its version or agent does not log are missing."""

    config: RunConfig
    folder: str = "runs/NAME"
    """As the user named it."""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """Curves by TensorBoard tag."""
    usual: Mapping[str, Any] = field(default_factory=dict)
    """Settings that the presets give for this environment and agent, by name."""
    bar: float | None = None
    """Mean score from which on the environment counts as solved, if there is one."""
    solved: bool = False
    """Whether the training ended because the run was solved."""
    time_limit: int | None = None
    """Steps after which an episode is cut off, if known."""
    usual_time_limit: int | None = None
    """The same without the run's own options."""
    own_reward: bool = False
    """Whether the environment has a reward of its own, which is the score, too."""
    asked: frozenset[str] = frozenset()
    """Terms of the default reward of the game."""
    learners: tuple[str, ...] = ()
    """Other runs with the same settings and another seed that were solved."""

    def curve(self, tag: str) -> Curve:
        """Return a curve; an empty one if there is none."""
        return self.curves.get(tag, NO_CURVE)

    def setting(self, name: str) -> Any:
        """Return a setting of the run or of its agent; None if there is none."""
        return getattr(self.config, name, getattr(self.config.settings, name, None))

    def ratio(self, name: str) -> float | None:
        """Return a setting as a multiple of the usual one; None if the agent has no such setting.

        Twice 0 is 0, so the ratio of two equal values is 1.
        """
        value, usual = self.setting(name), self.usual.get(name)
        if value is None or usual is None:
            return None
        if value == usual:
            return 1.0
        return float(value / usual) if usual else math.inf

    @cached_property
    def score(self) -> Curve:
        """Mean scores of evaluations."""
        return self.curve("eval/mean_score")

    @cached_property
    def returns(self) -> Curve:
        """Mean returns of evaluations."""
        return self.curve("eval/mean_reward")

    @property
    def steps(self) -> int:
        """Steps that the run was trained for, as far as its curves show."""
        return max((curve.steps[-1] for curve in self.curves.values() if curve), default=0)

    @cached_property
    def start_score(self) -> float | None:
        """Mean score at the beginning: of the first training episodes, or the first evaluation."""
        return self._start("task/score", self.score)

    def _start(self, tag: str, evaluated: Curve) -> float | None:
        trained = self.curve(tag)
        if trained and (not evaluated or trained.steps[0] <= evaluated.steps[0]):
            return trained.first
        return evaluated.first if evaluated else None

    def error(self, tag: str) -> float:
        """Return the standard error of the mean of an evaluation, for `score` or `reward`."""
        spread = self.curve(f"eval/std_{tag}")
        return spread.median / math.sqrt(self.config.eval_episodes) if spread else 0.0

    def differs(self, difference: float, tag: str) -> bool:
        """Return whether a difference of two evaluations is positive, and not by luck."""
        return exceeds(difference, self.error(tag))

    @cached_property
    def learned_share(self) -> float | None:
        """How much of the way from the first score to the bar was made: 0 none, 1 all of it.

        None if there is no bar or no evaluation.
        """
        start = self.start_score
        if self.bar is None or start is None or not self.score:
            return None
        if start >= self.bar:
            return 1.0 if self.score.last >= self.bar else 0.0
        return (self.score.last - start) / (self.bar - start)

    @cached_property
    def learned(self) -> bool:
        """Whether the run is solved, or its last two evaluations are as good within their error."""
        if self.solved:
            return True
        if self.bar is None or not self.score:
            return False
        return min(self.score.values[-2:]) >= self.bar - SIGNIFICANT * self.error("score")

    @cached_property
    def improved(self) -> bool:
        """Whether the last evaluation scores more than the beginning, and not by luck."""
        start = self.start_score
        return start is not None and self.differs(self.score.last - start, "score")

    @cached_property
    def stuck(self) -> bool:
        """Whether less than half of what there is to learn was learned."""
        share = self.learned_share
        return not self.improved if share is None else share < 0.5

    @cached_property
    def terminated(self) -> float | None:
        """Share of episodes that ended in a terminal state, in the newest measure of all."""
        curve = self.curve("eval/ep_terminated") or self.curve("rollout/ep_terminated")
        return curve.last if curve else None

    @cached_property
    def ever_terminated(self) -> bool | None:
        """Whether any episode ended in a terminal state; None if that was not logged."""
        curves = [self.curve(f"{kind}/ep_terminated") for kind in ("eval", "rollout")]
        values = [value for curve in curves for value in curve.values]
        return any(value > 0 for value in values) if values else None

    @cached_property
    def length(self) -> float | None:
        """Mean length of the latest episodes in steps."""
        curve = self.curve("eval/mean_ep_length") or self.curve("rollout/ep_len_mean")
        return curve.last if curve else None

    @cached_property
    def start_length(self) -> float | None:
        """Mean length of the first episodes in steps."""
        return self._start("rollout/ep_len_mean", self.curve("eval/mean_ep_length"))

    @cached_property
    def costs_avoided(self) -> bool:
        """Whether the agent, which met only costs, has learned to avoid nearly all of them."""
        pay, most = self.curve("rollout/rew_mean"), self.curve("rollout/rew_max")
        if not pay or pay.first >= 0 or most.most > 0 or not self.returns:
            return False
        return abs(self.returns.last) < AVOIDED * abs(pay.first) * (self.length or 1.0)

    @cached_property
    def explores(self) -> bool:
        """Whether the policy has kept some of the randomness that it had, as far as is known."""
        entropy, chance = self.curve("train/entropy"), self.curve("train/epsilon")
        if entropy and entropy.first > 0:
            return entropy.median > CERTAIN * entropy.first
        return not chance or chance.most > CERTAIN

    @cached_property
    def pays_never(self) -> bool:
        """Whether no reward other than 0 was ever paid, as far as the curves show."""
        paid = self.curve("rollout/rew_nonzero")
        found = [*paid.values, *self.returns.values]
        return bool(paid) and not any(found)

    @cached_property
    def constant_pay(self) -> float | None:
        """The reward of every step if all are equal; None if they differ."""
        low, high = self.curve("rollout/rew_min"), self.curve("rollout/rew_max")
        values = {*low.values, *high.values}
        return values.pop() if len(values) == 1 else None

    @cached_property
    def scores_points(self) -> bool:
        """Whether episodes differ in their scores, and some mean score is above 0."""
        trained = self.curve("task/score").values
        differ = any(self.curve("eval/std_score").values) or len(set(trained)) > 1
        return differ and max((*self.score.values, *trained), default=0.0) > 0


def exceeds(difference: float, error: float) -> bool:
    """Return whether a difference of two means, which have a standard error each, is not luck."""
    return difference > 0 and difference > SIGNIFICANT * math.sqrt(2.0) * error


@dataclass(frozen=True)
class Finding:
    """Something that may be wrong with a run."""

    name: str
    """Key of its texts."""
    strength: float
    """How likely it is what is wrong, 0 to 1."""
    curve: str
    """TensorBoard tag of the curve that shows it, or the name of a setting."""
    step: int | None
    """Step at which the curve shows it."""
    numbers: Mapping[str, Any]
    """Numbers and words of the evidence, by their placeholder in the text."""
    command: str
    """One thing to try."""
    evidence: str = "evidence"
    """Key of the sentence that states the evidence; a finding may have several."""
