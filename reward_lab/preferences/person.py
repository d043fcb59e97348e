"""A person as the teacher: questions wait here until the window has an answer."""

from __future__ import annotations

from threading import Condition
from typing import NamedTuple

from reward_lab.preferences.clips import Clips
from reward_lab.preferences.teacher import Answer


class Question(NamedTuple):
    """A pair of clips that waits for an answer."""

    number: int
    pair: Clips


class Person:
    """A teacher whose answers come from another thread."""

    is_person = True

    def __init__(self) -> None:
        self.question: Question | None = None
        """The pair to show now, if any."""
        self._answer: Answer | None = None
        self._stopped = False
        self._changed = Condition()

    def answer(self, pair: Clips, number: int) -> Answer | None:
        """Wait for `give` and return its answer; None after `stop`."""
        with self._changed:
            self.question, self._answer = Question(number, pair), None
            self._changed.wait_for(lambda: self._answer is not None or self._stopped)
            self.question = None
            return None if self._stopped else self._answer

    def give(self, answer: Answer) -> None:
        """Answer the open question; without one, do nothing."""
        with self._changed:
            if self.question is not None and self._answer is None:
                self._answer = answer
                self._changed.notify()

    def stop(self) -> None:
        """Give no more answers."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
