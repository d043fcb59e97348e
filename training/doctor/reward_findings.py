"""Findings about the reward: whether it pays at all, how much, when, and for what."""

from __future__ import annotations

import math
import statistics

from rewards.expression import parse
from training.curves import LEAST_EPISODES
from training.doctor import commands
from training.doctor.evidence import Curve, Evidence, Finding, exceeds

FAR = 100.0
"""A reward is far from 1 if its size is at least this many times larger or smaller."""
NEARLY_CONSTANT = 0.01
"""A reward is nearly constant if its standard deviation is below this share of its mean."""
DOMINATES = 0.9
"""A term dominates a reward if it pays at least this share of all that is paid."""
ENDS_SOON = 0.25
"""Episodes end soon if they last less than this share of the time limit."""
CORRELATED = 0.5
"""Long episodes earn less if the correlation of length and return is below minus this."""
PAIRS = (("rollout/ep_rew_mean", "task/score"), ("eval/mean_reward", "eval/mean_score"))
"""Curves of returns, and of the scores of the same episodes."""
CLEARLY_MORE = 0.5
"""A step pays clearly more than at first if it is this share of the standard deviation more."""
FORGOTTEN = 0.01
"""A reward is too late for a discount if the discount leaves less than this share of it."""


def _of_reward(evidence: Evidence) -> str:
    """Return what to try if the reward is at fault."""
    if evidence.own_reward:
        return commands.play(evidence)
    return commands.check_reward(evidence.config)


def no_reward(evidence: Evidence) -> Finding | None:
    """Every reward was 0."""
    if not evidence.pays_never:
        return None
    broken = evidence.scores_points and not evidence.own_reward
    return Finding(
        "no_reward",
        0.97 if broken else 0.8,
        "rollout/rew_nonzero",
        evidence.steps,
        {"steps": evidence.steps},
        _of_reward(evidence),
        "evidence_score" if broken else "evidence",
    )


def reward_constant(evidence: Evidence) -> Finding | None:
    """Every step is paid the same, or nearly."""
    pay = evidence.constant_pay
    means, spreads = evidence.curve("rollout/rew_mean"), evidence.curve("rollout/rew_std")
    if not means or (evidence.own_reward and evidence.ever_terminated is not False):
        return None  # as in CartPole and Acrobot, where the length is what counts
    if pay:
        strength = 0.6 if evidence.own_reward and pay < 0 else 0.92  # until a goal is reached
    elif pay is None and _largest_ratio(spreads, means) < NEARLY_CONSTANT:
        strength = 0.8
    else:
        return None
    numbers = {"pay": means.median, "spread": spreads.median}
    return Finding(
        "reward_constant",
        strength,
        "rollout/rew_std",
        means.steps[-1],
        numbers,
        _of_reward(evidence),
    )


def _largest_ratio(values: Curve, sizes: Curve) -> float:
    pairs = zip(values.values, sizes.values, strict=False)
    return max((v / abs(s) if s else math.inf for v, s in pairs), default=math.inf)


def never_positive(evidence: Evidence) -> Finding | None:
    """No step was ever paid more than 0."""
    most, least = evidence.curve("rollout/rew_max"), evidence.curve("rollout/rew_min")
    if evidence.own_reward or not most or most.most > 0 or least.least == 0:
        return None
    if evidence.returns and max(evidence.returns.values) > 0:
        return None
    numbers = {"most": most.most, "least": least.least, "steps": most.steps[-1]}
    strength = 0.75 if evidence.stuck else 0.4
    return Finding(
        "never_positive",
        0.85 if evidence.costs_avoided else strength,
        "rollout/rew_max",
        most.steps[-1],
        numbers,
        _of_reward(evidence),
    )


def dying_pays(evidence: Evidence) -> Finding | None:
    """Episodes that end early earn more, and the agent may end them."""
    lengths = evidence.curve("rollout/ep_len_rew_corr") or evidence.curve("eval/len_rew_corr")
    pay = evidence.curve("rollout/rew_mean")
    if not lengths or not pay or (evidence.terminated or 0.0) < 0.5 or pay.median >= 0:
        return None
    before, now = evidence.start_length, evidence.length
    if before is None or now is None or lengths.last > -CORRELATED:
        return None
    shorter = now < 0.8 * before
    strength = 0.93 if shorter or evidence.constant_pay is not None else 0.8
    if evidence.own_reward:  # a short episode may be what is asked for, as in Acrobot
        strength = 0.6 if shorter and evidence.bar is None else 0.0
    return Finding(
        "dying_pays",
        strength,
        "rollout/ep_len_rew_corr",
        lengths.steps[-1],
        {"correlation": lengths.last, "pay": pay.median, "before": before, "now": now},
        _of_reward(evidence),
    )


def dominated(evidence: Evidence) -> Finding | None:
    """One of several terms pays nearly everything, and it is not what the game is about."""
    shares = {
        tag.removeprefix("rollout/share/"): statistics.fmean(
            (curve.part(0.0, 0.25) or curve).values  # before the agent avoids a term
        )
        for tag, curve in evidence.curves.items()
        if tag.startswith("rollout/share/") and curve
    }
    if len(shares) < 2:
        return None
    name = max(shares, key=lambda each: shares[each])
    if shares[name] < DOMINATES:
        return None
    certain = 0.75 + 0.15 * (shares[name] - DOMINATES) / (1 - DOMINATES)
    curve = evidence.curve(f"rollout/share/{name}")
    return Finding(
        "dominated",
        0.4 * certain if name in evidence.asked else certain,
        f"rollout/share/{name}",
        curve.steps[-1],
        {"term": name, "share": 100 * shares[name], "others": len(shares) - 1},
        _of_reward(evidence),
    )


def reward_scale(evidence: Evidence) -> Finding | None:
    """Rewards that are not 0 are typically far from 1."""
    means, spreads, paid = (
        evidence.curve(f"rollout/rew_{name}") for name in ("mean", "std", "nonzero")
    )
    sizes = [
        math.sqrt((mean * mean + spread * spread) / share)
        for mean, spread, share in zip(means.values, spreads.values, paid.values, strict=False)
        if share > 0
    ]
    if not sizes or (max(sizes) > 1 / FAR and min(sizes) < FAR):
        return None
    size = max(sizes) if max(sizes) <= 1 / FAR else min(sizes)
    return Finding(
        "reward_scale",
        0.78,
        "rollout/rew_std",
        means.steps[0],
        {"size": size},
        _of_reward(evidence),
    )


def hacked(evidence: Evidence) -> Finding | None:
    """The return rises, but the score does not.

    Training episodes are compared with training episodes, and evaluations with evaluations:
    without exploration, an agent may earn more from the beginning.
    """
    if evidence.own_reward or not evidence.score:
        return None
    found = [_part_ways(evidence, *tags) for tags in PAIRS]
    parted = max((each for each in found if each), key=lambda each: each[0], default=None)
    if parted is None:
        return _pay_parts_ways(evidence)
    strength, since, tag, score = parted
    if strength < 0.8 and not _other_reward(evidence):  # the score may still follow
        strength = 0.4
    if strength < 0.8 and evidence.improved:
        share = evidence.learned_share
        if share is None or share >= 0.1 or not _other_reward(evidence):
            return None
        strength = 0.65
    paid, scored = evidence.curve(tag), evidence.curve(score)
    return Finding(
        "hacked",
        strength,
        tag,
        paid.steps[since],
        {
            "return_before": paid.values[since],
            "return_now": paid.last,
            "score_before": scored.values[since],
            "score_now": scored.last,
        },
        _of_reward(evidence),
    )


def _pay_parts_ways(evidence: Evidence) -> Finding | None:
    """Compare what a step pays with the score, before enough episodes have ended."""
    pay, spread = evidence.curve("rollout/rew_mean"), evidence.curve("rollout/rew_std")
    before, now = pay.part(0.0, 0.25), pay.part(0.75)
    if not before or not now or evidence.improved or not _other_reward(evidence):
        return None
    if now.median - before.first <= CLEARLY_MORE * spread.most:
        return None
    return Finding(
        "hacked",
        0.75,
        "rollout/rew_mean",
        pay.steps[-1],
        {
            "pay_before": before.first,
            "pay_now": now.median,
            "score_before": evidence.start_score,
            "score_now": evidence.score.last,
        },
        _of_reward(evidence),
        "evidence_pay",
    )


def _part_ways(evidence: Evidence, tag: str, score: str) -> tuple[float, int, str, str] | None:
    """Return how likely a curve of returns parts from one of scores, and from which point on."""
    paid, scored = evidence.curve(tag).values, evidence.curve(score).values
    if len(paid) < 2 or len(paid) != len(scored):
        return None
    trained = tag.startswith("rollout/")
    spread = evidence.curve("rollout/ep_rew_std" if trained else "eval/std_reward")
    root = math.sqrt(LEAST_EPISODES if trained else evidence.config.eval_episodes)
    most = max(spread.values, default=0.0) / root
    least = min(evidence.curve("eval/std_score").values, default=0.0) / root
    peak = scored.index(max(scored))
    fell = evidence.differs(scored[peak] - scored[-1], "score")
    if fell and exceeds(paid[-1] - paid[peak], most):
        return 0.88, peak, tag, score
    risen = exceeds(scored[-1] - scored[0], least)
    return None if risen or not exceeds(paid[-1] - paid[0], most) else (0.78, 0, tag, score)


def _other_reward(evidence: Evidence) -> bool:
    """Return whether the reward has terms that the default reward of the game lacks."""
    reward = evidence.config.reward
    return reward is not None and any(each.term not in evidence.asked for each in parse(reward))


def ends_early(evidence: Evidence) -> Finding | None:
    """Episodes end before any reward, or before the solved score can be reached."""
    length, limit, usual = evidence.length, evidence.time_limit, evidence.usual_time_limit
    ended = evidence.terminated
    if length is None or ended is None or limit is None:
        return None
    numbers = {"length": length, "limit": limit, "usual": usual}
    options = {k: v for k, v in evidence.config.env_options.items() if k != "max_steps"}
    longer = commands.train(evidence, env_options=options or None)
    cut = usual is not None and limit < usual
    if cut and ended < 0.5 and (evidence.pays_never or evidence.stuck):
        return Finding(
            "ends_early",
            0.98 if evidence.pays_never else 0.9,
            "eval/mean_ep_length",
            evidence.steps,
            numbers,
            longer,
            "evidence_limit",
        )
    if evidence.pays_never and ended >= 0.5 and length < ENDS_SOON * limit:
        strength = 0.7 if evidence.own_reward or evidence.scores_points else 0.9
        return Finding(
            "ends_early",
            strength,
            "eval/mean_ep_length",
            evidence.steps,
            numbers,
            longer if cut else _of_reward(evidence),
        )
    return None


def never_met(evidence: Evidence) -> Finding | None:
    """Whatever the agent tried, it was paid alike: it has not met what is rewarded."""
    sac = evidence.config.agent == "sac"
    more = {"persistence": 20.0} if evidence.setting("persistence") is not None else {}
    remedy = commands.train(evidence, **more, **({"warmup": 8_000} if sac else {}))
    if not more:
        remedy = commands.train(evidence, num_envs=4 * evidence.config.num_envs, seed=2)

    def finding(strength: float, kind: str, **numbers: float) -> Finding:
        at = evidence.steps
        return Finding(
            "never_met",
            strength,
            "eval/mean_reward",
            at,
            {"steps": at, **numbers},
            remedy,
            kind,
        )

    if evidence.pays_never:
        return finding(0.7 if evidence.scores_points else 0.94, "evidence_none")
    pay = evidence.constant_pay
    if evidence.ever_terminated is not False:
        return None
    if pay is not None and pay < 0:
        rate = evidence.ratio("learning_rate") or 1.0
        able = evidence.explores and 0.1 < rate < 10  # else that comes first
        likely = 0.95 if able else 0.8
        return finding(likely if evidence.own_reward else 0.7, "evidence_alike", pay=pay)
    if evidence.own_reward and evidence.costs_avoided:
        before, now = evidence.curve("rollout/rew_mean").first, evidence.returns.last
        return finding(0.93, "evidence_costs", before=before, now=now / (evidence.length or 1.0))
    return None


def discount_short(evidence: Evidence) -> Finding | None:
    """The discount factor leaves nothing of rewards that come as late as this run's."""
    gamma, paid = evidence.setting("gamma"), evidence.curve("rollout/rew_nonzero")
    usual = evidence.usual.get("gamma")
    if gamma is None or usual is None or not paid or evidence.pays_never:
        return None
    horizon, usual_horizon = (1 / max(1 - each, 1e-9) for each in (gamma, usual))
    delay = _delay(evidence)
    left = None if delay is None else gamma**delay
    much_shorter = horizon < 0.5 * usual_horizon
    if left is not None and left < FORGOTTEN:
        strength = 0.93 if much_shorter else 0.35
    elif horizon < 0.2 * usual_horizon and (evidence.length or 0) > 10 * horizon:
        strength, delay = 0.85, evidence.length
    else:
        return None
    assert delay is not None
    return Finding(
        "discount_short",
        strength,
        "gamma",
        evidence.steps,
        {"gamma": gamma, "horizon": horizon, "delay": delay},
        commands.train(
            evidence, gamma=max(usual, 1 - 1 / (2 * horizon)) if much_shorter else 0.999
        ),
    )


def _delay(evidence: Evidence) -> float | None:
    """Return about how many steps an action is ahead of its reward, if the curves show it.

    Where rewards are rare, it is the time between two of them. Where all steps are paid the same,
    only the end of the episode tells anything. Else it is not known.
    """
    share = evidence.curve("rollout/rew_nonzero").median
    if 0 < share < 0.5:
        return 1 / share
    return evidence.length if evidence.constant_pay is not None else None
