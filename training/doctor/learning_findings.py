"""Findings about learning: observations, the network's updates, exploration, and the course."""

from __future__ import annotations

import math
import statistics
from typing import Any

from training.doctor import commands
from training.doctor.evidence import CERTAIN, Curve, Evidence, Finding

UNLEARNING = ("random", "rules")
"""Agents that never change."""
ON_POLICY = ("ppo", "reinforce", "pqn")
"""Agents that learn from the steps of their environments and then drop them."""
FAR = 100.0
"""Observations are unscaled if their size is more than this many times larger or smaller than 1."""
NOT_MOVING = 1e-5
"""KL divergence below which an update leaves the policy as it was."""
LEAPING = 0.1
"""KL divergence of an update above which the next rollout has little to do with the last one. It is
about ten times the usual target of PPO."""
CLIPPED = 0.5
"""Share of clipped steps above which most of an update has no effect."""
EXPLAINS_NOTHING = 0.1
"""Explained variance below which values say hardly more than their mean."""
NARROWER = 3.0
"""Nats by which the entropy of each continuous action falls if its noise becomes 20 times less."""
INITIAL_NATS = 0.5 * math.log(2 * math.pi * math.e) - 0.5
"""Initial entropy of each continuous action in this project's networks."""
UNCHANGED = 0.95
"""Share of the initial entropy above which a policy is as random as at the beginning."""
APART = 0.3
"""Training and evaluation differ by this share of what there is to learn."""
LARGE_BONUS = 0.1
"""Entropy bonus that is about as large as the policy loss, as advantages have a spread of 1."""
STARTS = ("learning_starts", "warmup")
"""Settings that say after how many steps learning starts."""
FEW_UPDATES = 10
"""Number of updates below which an on-policy agent has hardly begun."""


def observations_not_finite(evidence: Evidence) -> Finding | None:
    """Some observations are NaN or infinite."""
    curve = evidence.curve("rollout/obs_not_finite")
    step = curve.where(lambda share: share > 0)
    if step is None:
        return None
    numbers = {"share": 100 * curve.most}
    return Finding(
        "observations_not_finite",
        1.0,
        "rollout/obs_not_finite",
        step,
        numbers,
        commands.train(evidence, agent="random", steps=10_000),
    )


def observations_constant(evidence: Evidence) -> Finding | None:
    """All observations are the same."""
    curve = evidence.curve("rollout/obs_constant")
    if not curve or curve.least < 1 or observations_not_finite(evidence):
        return None
    return Finding(
        "observations_constant",
        0.99,
        "rollout/obs_constant",
        curve.steps[-1],
        {"steps": curve.steps[-1]},
        commands.train(evidence, agent="random", steps=10_000),
    )


def observations_unscaled(evidence: Evidence) -> Finding | None:
    """The largest component of observations is far from 1."""
    sizes, largest = evidence.curve("rollout/obs_rms"), evidence.curve("rollout/obs_max")
    if not sizes or not largest:
        return None
    size = sizes.median
    if not (size > FAR or 0 < largest.most < 1 / FAR):
        return None
    return Finding(
        "observations_unscaled",
        0.9,
        "rollout/obs_rms",
        sizes.steps[-1],
        {"size": size, "largest": largest.most},
        commands.train(evidence, agent="random", steps=10_000),
    )


def value_not_learning(evidence: Evidence) -> Finding | None:
    """The values explain none of the differences between returns."""
    for name, direction, what in (
        ("value_coef", -1, 0.01),
        ("target_rate", -1, 0.01),
        ("tau", -1, 0.01),
        ("target_every", 1, 100.0),
    ):
        ratio = evidence.ratio(name)
        if ratio is not None and (ratio <= what if direction < 0 else ratio >= what):
            return _value_finding(evidence, 0.91, name)
    curve = evidence.curve("train/explained_variance").part(0.5)
    spread = evidence.curve("rollout/rew_std")
    if not curve or curve.median >= EXPLAINS_NOTHING or not spread or not spread.most:
        return None
    return _value_finding(evidence, 0.5 if curve.median < 0 else 0.4, None)


def _value_finding(evidence: Evidence, strength: float, setting: str | None) -> Finding:
    curve = evidence.curve("train/explained_variance")
    explained = curve.part(0.5).median if curve.part(0.5) else math.nan
    rate = evidence.setting("learning_rate")
    change: dict[str, Any] = {setting: None} if setting else {"learning_rate": rate / 3}
    return Finding(
        "value_not_learning",
        strength,
        "train/explained_variance",
        evidence.steps,
        {
            "explained": explained,
            "setting": setting or "",
            "value": evidence.setting(setting) if setting else math.nan,
            "usual": evidence.usual.get(setting or "", math.nan),
        },
        commands.train(evidence, **change),
        "evidence_setting" if setting else "evidence",
    )


def entropy_collapsed(evidence: Evidence) -> Finding | None:
    """The policy became certain early, so it tries nothing else."""
    chance = evidence.curve("train/epsilon")
    if chance and max(chance.part(0.0, 0.2).values or chance.values) <= 0.01:
        finding = Finding(
            "entropy_collapsed",
            0.92,
            "train/epsilon",
            chance.steps[0],
            {"before": chance.first, "now": chance.last},
            commands.train(evidence, first_epsilon=None, last_epsilon=None, exploration_steps=None),
            "evidence_epsilon",
        )
        return finding if (evidence.usual.get("first_epsilon") or 0) > 0.01 else None
    curve = evidence.curve("train/entropy")
    if evidence.config.agent == "sac" or len(curve.values) < 3 or not evidence.stuck:
        return None
    if not math.isfinite(curve.first):
        return None
    if curve.least < 0:  # of continuous actions
        actions = max(1, round(curve.first / INITIAL_NATS))
        least = curve.first - NARROWER * actions
    else:
        least = CERTAIN * curve.first
    step = curve.where(lambda entropy: entropy < least)
    if step is None or step > 0.5 * evidence.config.steps or curve.median > least:
        return None
    more = {"entropy_coef": 0.01} if evidence.setting("entropy_coef") is not None else {}
    rate = {"learning_rate": _smaller_rate(evidence)}
    return Finding(
        "entropy_collapsed",
        0.85,
        "train/entropy",
        step,
        {"before": curve.first, "now": curve.last},
        commands.train(evidence, **rate, **more),
    )


def _smaller_rate(evidence: Evidence) -> float:
    """Return the usual learning rate if it is smaller than that of the run, else a third of it."""
    rate, usual = evidence.setting("learning_rate"), evidence.usual.get("learning_rate")
    return float(usual if usual is not None and usual < rate else rate / 3)


def too_random(evidence: Evidence) -> Finding | None:
    """The agent acts as randomly in the end as in the beginning."""
    chance = evidence.curve("train/epsilon")
    if chance:
        slower, later = evidence.ratio("exploration_steps"), evidence.ratio("last_epsilon")
        if chance.last < 0.5 or max(slower or 1.0, later or 1.0) <= 1:
            return None
        return Finding(
            "too_random",
            0.85,
            "train/epsilon",
            chance.steps[-1],
            {"before": chance.first, "now": chance.last},
            commands.train(evidence, last_epsilon=None, exploration_steps=None),
            "evidence_epsilon",
        )
    curve, bonus = evidence.curve("train/entropy"), evidence.setting("entropy_coef")
    if not curve or not bonus or curve.last < UNCHANGED * curve.first:
        return None
    return Finding(
        "too_random",
        0.88 if bonus >= LARGE_BONUS else 0.4,
        "train/entropy",
        curve.steps[-1],
        {"before": curve.first, "now": curve.last, "bonus": bonus},
        commands.train(evidence, entropy_coef=None),
    )


def policy_frozen(evidence: Evidence) -> Finding | None:
    """Updates do not change the policy, or there are none."""
    if evidence.config.agent in UNLEARNING:
        other = commands.train(evidence, agent="ppo")
        return _frozen(evidence, 1.0, "evidence_agent", "agent", other)
    if not _updates(evidence):
        late = {name: None for name in STARTS if (evidence.ratio(name) or 1.0) > 1}
        remedy = commands.train(evidence, **late)
        return _frozen(evidence, 0.96, "evidence_never", "steps", remedy) if late else None
    divergence, clipped = (evidence.curve(f"train/{n}") for n in ("approx_kl", "clip_fraction"))
    ratio, clip = evidence.ratio("learning_rate"), evidence.ratio("clip_coef")
    if clip is not None and clip <= 0.1 and clipped and clipped.median > CLIPPED:
        remedy = commands.train(evidence, clip_coef=None)
        return _frozen(evidence, 0.93, "evidence_clip", "clip_coef", remedy)
    ratios = {name: evidence.ratio(name) or 1.0 for name in ("learning_rate", "max_grad_norm")}
    smallest = min(ratios, key=lambda name: ratios[name])
    remedy = commands.train(evidence, **{smallest: None})
    if divergence and divergence.median < NOT_MOVING:
        random = (evidence.setting("entropy_coef") or 0.0) >= LARGE_BONUS
        strength = 0.94 if ratios[smallest] < 0.5 else 0.5 if random else 0.7
        return _frozen(evidence, strength, "evidence", "learning_rate", remedy)
    if ratio is None or ratio > 0.1:
        return None
    if divergence:
        small = ratio <= 0.05 and divergence.median < 100 * NOT_MOVING
        return _frozen(evidence, 0.88, "evidence", "learning_rate", remedy) if small else None
    strength = 0.9 if ratio <= 0.01 else 0.7
    return _frozen(evidence, strength, "evidence_rate", "learning_rate", remedy)


def _updates(evidence: Evidence) -> int:
    """Return how many updates were logged."""
    return len(evidence.curve("train/value_loss").values)


def _frozen(evidence: Evidence, strength: float, kind: str, setting: str, remedy: str) -> Finding:
    divergence = evidence.curve("train/approx_kl")
    return Finding(
        "policy_frozen",
        strength,
        "train/approx_kl" if divergence else setting,
        evidence.steps,
        {
            "divergence": divergence.median if divergence else math.nan,
            "value": evidence.setting(setting),
            "usual": evidence.usual.get(setting, math.nan),
            "steps": evidence.steps,
        },
        remedy,
        kind,
    )


def policy_thrashing(evidence: Evidence) -> Finding | None:
    """Updates change the policy so much that it cannot improve, or learning diverged."""
    for tag, curve in evidence.curves.items():
        if tag.startswith("train/") and curve and not math.isfinite(curve.last):
            return _thrashing(evidence, 0.97, "evidence_diverged", tag, curve)
    rate, epochs = (evidence.ratio(n) or 1.0 for n in ("learning_rate", "epochs"))
    unusual = max(rate, epochs) >= 3
    divergence, clipped = (evidence.curve(f"train/{n}") for n in ("approx_kl", "clip_fraction"))
    if divergence:
        early = divergence.part(0.0, 0.25) or divergence
        size = max(statistics.fmean(early.values), divergence.median)
        if size > LEAPING:
            strength = 0.92 if unusual else 0.75
            return _thrashing(evidence, strength, "evidence", "train/approx_kl", divergence)
        if clipped.median > CLIPPED and (evidence.ratio("clip_coef") or 1.0) > 0.1:
            strength = 0.85 if unusual else 0.6
            return _thrashing(evidence, strength, "evidence_clip", "train/clip_fraction", clipped)
        return None
    loss = evidence.curve("train/value_loss")
    exploded = bool(loss) and loss.first > 0 and loss.part(0.5).median > 100 * loss.first
    if exploded and rate >= 3:
        return _thrashing(evidence, 0.92, "evidence_loss", "train/value_loss", loss)
    if rate >= 10:
        strength = 0.8 if rate >= 30 else 0.7
        return _thrashing(evidence, strength, "evidence_rate", "learning_rate", Curve())
    return None


def _thrashing(evidence: Evidence, strength: float, kind: str, tag: str, curve: Curve) -> Finding:
    epochs = (evidence.ratio("epochs") or 1.0) > (evidence.ratio("learning_rate") or 1.0)
    change = {"epochs": None} if epochs else {"learning_rate": _smaller_rate(evidence)}
    return Finding(
        "policy_thrashing",
        strength,
        tag,
        curve.steps[-1] if curve else evidence.steps,
        {
            "tag": tag,
            "early": statistics.fmean((curve.part(0.0, 0.25) or curve).values) if curve else 0.0,
            "median": curve.median if curve else 0.0,
            "value": evidence.setting("learning_rate"),
            "usual": evidence.usual.get("learning_rate", math.nan),
        },
        commands.train(evidence, **change),
        kind,
    )


def few_environments(evidence: Evidence) -> Finding | None:
    """Each update sees too few environments to tell luck from skill."""
    ratio = evidence.ratio("num_envs")
    if evidence.config.agent not in ON_POLICY or ratio is None or ratio > 1 / 4:
        return None
    count = evidence.config.num_envs
    steps = count * (evidence.setting("num_steps") or 1)
    usual = evidence.usual["num_envs"]
    strength = 0.9 if ratio <= 1 / 8 else 0.7
    return Finding(
        "few_environments",
        strength,
        "num_envs",
        evidence.steps,
        {"count": count, "usual": usual, "steps": steps},
        commands.train(evidence, num_envs=None),
    )


def too_few_steps(evidence: Evidence) -> Finding | None:
    """The score was still rising, or the training has hardly begun."""
    share = evidence.steps / max(1, evidence.usual.get("steps", 1))
    tag, curve = _longest(evidence)
    rising = curve is not None and _rises(evidence, curve)
    begun = _has_begun(evidence)
    if not rising and begun and (share > 0.2 or (evidence.improved is False and share > 0.05)):
        return None
    strength = 0.35 + (0.35 if rising else 0.0) + (0.0 if begun else 0.35)
    steps = round(max(4 * evidence.steps, evidence.usual.get("steps", 0)), -3)
    at = curve if curve is not None else Curve()
    return Finding(
        "too_few_steps",
        min(0.85, strength),
        "steps" if curve is None else tag,
        evidence.steps,
        {
            "steps": evidence.steps,
            "usual": evidence.usual.get("steps", 0),
            "updates": _updates(evidence),
            "before": at.first if at else math.nan,
            "now": at.last if at else math.nan,
        },
        commands.resume(evidence, steps),
        "evidence_rising" if rising else "evidence",
    )


def _has_begun(evidence: Evidence) -> bool:
    """Return whether learning, as it was planned, got beyond its beginning."""
    if evidence.config.agent in ON_POLICY and _updates(evidence) < FEW_UPDATES:
        return False
    planned = [evidence.setting(name) or 0 for name in (*STARTS, "exploration_steps")]
    usual = [evidence.usual.get(name) or 0 for name in (*STARTS, "exploration_steps")]
    return planned != usual or evidence.steps >= max(planned)


def _longest(evidence: Evidence) -> tuple[str, Curve | None]:
    """Return the evaluations if there are at least three, else the training scores, or None."""
    for tag in ("eval/mean_score", "task/score"):
        if len(evidence.curve(tag).values) >= 3:
            return tag, evidence.curve(tag)
    return "", None


def _rises(evidence: Evidence, curve: Curve) -> bool:
    """Return whether the last third of a curve is above the third before, and not by luck."""
    before, last = curve.part(1 / 3, 2 / 3).values, curve.part(2 / 3).values
    if not before or not last:
        return False
    gain = statistics.fmean(last) - statistics.fmean(before)
    spread = evidence.error("score") * math.sqrt(1 / len(before) + 1 / len(last))
    return gain > 3 * spread and gain > 0 and evidence.improved


def unstable(evidence: Evidence) -> Finding | None:
    """The score was good, and then fell."""
    score, first = evidence.score, evidence.start_score
    if len(score.values) < 3 or first is None:
        return None
    peak = max(score.values[:-1])
    at = score.steps[score.values.index(peak)]
    now = statistics.fmean(score.values[-2:]) if score.steps[-2] > at else score.last
    whole = peak - first if evidence.bar is None else evidence.bar - first
    if whole <= 0 or peak - first < 0.3 * whole or not evidence.differs(peak - now, "score"):
        return None
    if peak - now < 0.5 * (peak - first):
        return None
    reached = evidence.bar is not None and peak >= evidence.bar
    return Finding(
        "unstable",
        0.93 if reached else 0.86,
        "eval/mean_score",
        at,
        {"peak": peak, "now": score.last, "first": first},
        commands.train(evidence, learning_rate=_smaller_rate(evidence))
        if evidence.setting("learning_rate") is not None
        else commands.train(evidence, seed=evidence.config.seed + 1),
    )


def evaluation_differs(evidence: Evidence) -> Finding | None:
    """Evaluations score much less than training episodes, or much more."""
    trained, score, first = evidence.curve("task/score"), evidence.score, evidence.start_score
    if not score or first is None:
        return None
    if not trained:
        return _pay_differs(evidence)
    recent = trained.part(0.75) or trained
    later = score.since(recent.steps[0]) or score.part(0.75) or score
    size = evidence.bar - first if evidence.bar is not None else 0.0
    size = size if size > 0 else _range(trained, score)
    worse = statistics.fmean(recent.values) - later.most
    better = later.least - recent.most
    gap = max(worse, better)
    if not size or gap < APART * size or not evidence.differs(gap, "score"):
        return None
    now = statistics.fmean(recent.values), statistics.fmean(later.values)
    return _difference(evidence, now, "evidence_worse" if worse > 0 else "evidence_better")


def _pay_differs(evidence: Evidence) -> Finding | None:
    """Compare what a step pays, as no training episode has ended that could be compared."""
    pay, length = evidence.curve("rollout/rew_mean").part(0.5), evidence.length
    if not pay or not length or not evidence.returns:
        return None
    trained, evaluated = pay.median * length, evidence.returns.last
    gap = trained - evaluated
    if gap < APART * max(abs(trained), abs(evaluated)) or not evidence.differs(gap, "reward"):
        return None
    return _difference(evidence, (pay.median, evaluated / length), "evidence_pay")


def _difference(evidence: Evidence, now: tuple[float, float], kind: str) -> Finding:
    """Return the finding with the newest values in training and in evaluations."""
    remedy = commands.play(evidence)
    if kind != "evidence_better" and evidence.config.curriculum:
        remedy = commands.resume(evidence, 2 * evidence.steps)
    return Finding(
        "evaluation_differs",
        0.6 if kind == "evidence_better" else 0.9,
        "eval/mean_score",
        evidence.score.steps[-1],
        {"training": now[0], "evaluation": now[1]},
        remedy,
        kind,
    )


def _range(*curves: Curve) -> float:
    values = [value for curve in curves for value in curve.values]
    return max(values) - min(values)


def seed_luck(evidence: Evidence) -> Finding | None:
    """Another run with the same settings and another seed was solved."""
    if not evidence.learners:
        return None
    return Finding(
        "seed_luck",
        0.95,
        "seed",
        None,
        {
            "seed": evidence.config.seed,
            "count": len(evidence.learners),
            "other": evidence.learners[0],
        },
        commands.train(evidence, seed=evidence.config.seed + 1),
    )
