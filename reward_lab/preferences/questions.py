"""Which pairs of clips are asked about: those about which the networks disagree most."""

from __future__ import annotations

import numpy as np

from reward_lab.preferences.clips import Clips, joined
from reward_lab.preferences.ensemble import differences
from rewards.learned import LearnedReward

CANDIDATES = 10
"""Number of pairs from which each pair is chosen."""


def choose_pairs(
    new: Clips, old: Clips, reward: LearnedReward, count: int, generator: np.random.Generator
) -> Clips:
    """Return `count` pairs as clips (2 count,), left and right in turn.

    A candidate is a new clip with another new one, or with an old one: what is new may be worse
    than what was seen before. Those are chosen for which the networks' probabilities of "left" have
    the greatest variance, as in section 2.2.4 of the paper.
    """
    firsts = np.arange(len(new))
    others = np.where(
        firsts % 2,
        generator.permutation(len(new)),
        len(new) + generator.integers(len(old), size=len(new)),
    )
    pairs = np.stack((firsts, others), 1)
    pairs = generator.permuted(pairs, axis=1)  # which one is new must not show
    clips = joined((new, old))
    features, played = clips.features(reward), clips.played
    logits = differences(reward.networks, features[pairs], played[pairs])
    disagreement = (1.0 / (1.0 + np.exp(-logits.clip(-50, 50)))).var(0)
    chosen = np.argsort(-disagreement, kind="stable")[:count]
    return clips[pairs[chosen].ravel()]
