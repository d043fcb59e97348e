"""A session: an agent trains on a reward that is learned from answers about what it does.

Christiano et al., "Deep reinforcement learning from human preferences" (NeurIPS 2017, arXiv
1706.03741). The session has rounds. A round records clips of the present agent, asks about pairs of
them, and fits the networks to all answers so far. Then the agent trains until the next round.
If a person answers, the agent trains during the questions, on what the answers before have taught.

Which round comes when depends on environment steps and answers only, never on time. A session that
was stopped and resumed therefore gives the same bits as one that was not.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any, Protocol

import numpy as np

from reward_lab.preferences.clips import Clips, joined, record
from reward_lab.preferences.ensemble import MEMBERS, fit, held_out_accuracy
from reward_lab.preferences.questions import CANDIDATES, choose_pairs
from reward_lab.preferences.store import Round, Settings, Store
from reward_lab.preferences.teacher import Answer, shares
from rewards.kernel import WeightedSum
from rewards.learned import LearnedReward
from training.display import Display
from training.logger import Logger
from training.loop import Run, train
from training.reward_snapshot import keep_reward, reward_sources

ROUNDS = 11
FIRST_SHARE = 0.25
"""Share of the comparisons that are about the untrained agent."""
STEPS_BETWEEN = 40_000
"""Environment steps between two rounds."""
CLIPS, FIT, SAMPLES = 1, 2, 3  # each kind of random numbers has seeds of its own


class Teacher(Protocol):
    """Answers questions."""

    is_person: bool
    """Whether answers take time: the agent then trains during the questions."""

    def answer(self, pair: Clips, number: int) -> Answer | None:
        """Return the answer about two clips, left and right; None to stop the session."""
        ...


def plan_rounds(comparisons: int) -> list[int]:
    """Return how many comparisons there are by the end of each round; each has at least one."""
    first = max(1, round(FIRST_SHARE * comparisons))
    later = min(ROUNDS - 1, comparisons - first)
    return [first + (comparisons - first) * k // max(later, 1) for k in range(later + 1)]


class Session:
    """An agent, the reward that it trains on, and the answers that the reward was fitted to."""

    def __init__(self, store: Store, settings: Settings, run: Run, reward: WeightedSum) -> None:
        """Continue from what the folder of `store` holds.

        `reward` is that of the environments, and consists of one learned reward.
        """
        self.store, self.settings, self.run = store, settings, run
        self._weighted = reward
        learned: Any = reward.terms[0].function
        self.reward: LearnedReward = learned
        self.plan = plan_rounds(settings.comparisons)
        self.length = max(1, round(settings.clip_seconds * learned.game.steps_per_second))
        self.progress = store.progress()
        self.clips = store.pairs(learned.game, self.length)
        self.samples = np.random.default_rng((settings.seed, SAMPLES)).poisson(
            1.0, (MEMBERS, settings.comparisons)
        )  # the bootstrap of Oza and Russell (2001), for answers that come one after the other
        self._fitted = 0

    @property
    def asked(self) -> int:
        """Number of pairs recorded so far."""
        return 0 if self.clips is None else len(self.clips) // 2

    def pair(self, number: int) -> Clips:
        """Return the two clips of a pair."""
        assert self.clips is not None
        return self.clips[2 * number : 2 * number + 2]

    def learn(self, teacher: Teacher, logger: Logger, display: Display, interrupted: Event) -> None:
        """Ask, fit and train, from where the session is until it is solved, over or interrupted."""
        for k in range(len(self.plan)):
            self._learn_round(k, teacher, logger, display, interrupted)
        if not (interrupted.is_set() or self.run.solved):
            self._fit(len(self.plan))
            self._train(self.run.config.steps, logger, display, interrupted)

    def _learn_round(
        self, k: int, teacher: Teacher, logger: Logger, display: Display, interrupted: Event
    ) -> None:
        end = min((k + 1) * STEPS_BETWEEN, self.run.config.steps)
        count = self.plan[k]
        over = self.run.progress.steps >= end and len(self.progress.answers) >= count
        if over or self.run.solved or interrupted.is_set():
            return
        if self.asked < count:
            self._fit(k)
            self._record(k)
        if not teacher.is_person or k == 0:
            self._ask(teacher, count, interrupted)
            if not interrupted.is_set():
                self._fit(k + 1)
                self._train(end, logger, display, interrupted)
            return
        self._fit(k)
        with ThreadPoolExecutor(1) as pool:
            training = pool.submit(self._train, end, logger, display, interrupted)
            self._ask(teacher, count, interrupted)
            training.result()

    def _train(self, steps: int, logger: Logger, display: Display, interrupted: Event) -> None:
        """Train until the agent has made `steps` steps."""
        config = self.run.config
        self.run.config = replace(config, steps=min(steps, config.steps))
        try:
            train(self.run, logger, display, interrupted)
        finally:
            self.run.config = config

    def _record(self, k: int) -> None:
        """Record and save the pairs of round `k`."""
        count = self.plan[k] - self.asked
        generator = np.random.default_rng((self.settings.seed, CLIPS, k))
        candidates = 2 if self.clips is None else CANDIDATES
        new = record(self.run, self.length, candidates * count, generator)
        if self.clips is None:
            self.clips = new
        else:
            pairs = choose_pairs(new, self.clips, self.reward, count, generator)
            self.clips = joined((self.clips, pairs))
        self.store.write_pairs(self.clips)

    def _ask(self, teacher: Teacher, count: int, interrupted: Event) -> None:
        """Ask until there are `count` answers, or the teacher stops. A person's are saved each."""
        answers = self.progress.answers
        while len(answers) < count and not interrupted.is_set():
            answer = teacher.answer(self.pair(len(answers)), len(answers))
            if answer is None:
                interrupted.set()
                return
            answers.append(answer)
            if teacher.is_person or len(answers) == count:
                self.store.write_progress(self.progress)

    def _fit(self, rounds: int) -> None:
        """Fit the networks to the answers of the first rounds, and save the reward."""
        if rounds == self._fitted:
            return
        count = self.plan[rounds - 1]
        assert self.clips is not None
        clips = self.clips[: 2 * count]
        features, played = clips.features(self.reward), clips.played
        data = (
            features.reshape(count, 2, *features.shape[1:]),
            played.reshape(count, 2, *played.shape[1:]),
            shares(self.progress.answers[:count]),
            self.samples[:, :count],
        )
        seed = int(np.random.SeedSequence((self.settings.seed, FIT, rounds)).generate_state(1)[0])
        self.reward.networks = fit(*data, seed)
        self._fitted = rounds
        self.store.write_reward(self.reward)
        keep_reward(self.run.folder, reward_sources(self._weighted))
        if rounds > len(self.progress.rounds):
            steps, score = self.run.progress.steps, self.run.progress.evaluated_score
            accuracy = held_out_accuracy(self.reward.networks, *data)
            self.progress.rounds.append(Round(steps, count, accuracy, score))
            self.store.write_progress(self.progress)
