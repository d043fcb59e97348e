"""The window: two clips next to each other, and a key for each answer.

The session runs in a thread of its own. The window shows its open question, or that it trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import pygame

from envs.engine.render import SurfaceView
from playing import theme
from playing.painter import SIZE
from playing.window import FRAMES_PER_SECOND, open_display
from reward_lab.preferences.person import Person, Question
from reward_lab.preferences.prefer import Preferences, finish, opened
from reward_lab.preferences.session import Session
from reward_lab.preferences.store import Store
from reward_lab.preferences.teacher import Answer
from rewards.learned import LearnedReward
from training.display import Display
from training.signals import interruptible

KEYS: dict[int, Answer] = {
    pygame.K_LEFT: "left",
    pygame.K_RIGHT: "right",
    pygame.K_SPACE: "equal",
    pygame.K_DOWN: "skip",
}
CLOSING = (pygame.K_ESCAPE, pygame.K_q)
SIDE, TOP = 440, 60  # of each clip, in pixels
PAUSE_SECONDS = 0.6  # before a clip begins again


class Board:
    """A `training.display.Display` that keeps the newest numbers for the window."""

    def __init__(self) -> None:
        self.step = 0
        self.numbers: dict[str, float] = {}

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def update(self, step: int, numbers: dict[str, float]) -> None:
        """Keep the numbers."""
        self.step, self.numbers = step, numbers


class PreferWindow:
    """Shows the open question in both halves of a window."""

    def __init__(self, texts: Mapping[str, Any], name: str) -> None:
        """Open the window.

        Raises:
            PlayError: if there is no display.
        """
        self.person, self.texts = Person(), texts
        self.session: Session | None = None
        self.board = Board()
        self.is_open = True
        self.screen = open_display("--teacher score needs none")
        pygame.display.set_caption(f"{name} - Training Wheels")
        self._shown: Question | None = None
        self._seconds = 0.0
        self._views: list[SurfaceView] = []

    def close(self) -> None:
        """Stop the session after its present step."""
        self.is_open = False
        self.person.stop()

    def frame(self, seconds: float) -> None:
        """Handle the keys, advance the clips by `seconds` and paint."""
        for event in pygame.event.get():
            self._handle(event)
        question = self.person.question
        if question is not self._shown:
            self._shown, self._seconds = question, 0.0
            self._views = []
        self._seconds += seconds
        self.screen.fill(theme.PANEL)
        self._paint_status()
        if self.session is not None and question is not None:
            self._paint_question(question, self.session.reward)
        else:
            self._paint_waiting()
        pygame.display.flip()

    def _handle(self, event: pygame.event.Event) -> None:
        if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key in CLOSING):
            self.close()
        elif event.type == pygame.KEYDOWN and event.key in KEYS:
            self.person.give(KEYS[event.key])

    def _paint_question(self, question: Question, reward: LearnedReward) -> None:
        pair, game, options = question.pair, reward.game, reward.game_options
        length = pair.actions.shape[1] / game.steps_per_second
        if self._seconds >= length + PAUSE_SECONDS or not self._views:
            self._seconds = 0.0
            self._views = [SurfaceView(game), SurfaceView(game)]  # some remember earlier states
        now = min(int(self._seconds * game.steps_per_second), pair.actions.shape[1])
        for k, view in enumerate(self._views):
            middle = SIZE[0] // 4 + k * SIZE[0] // 2
            square = self.screen.subsurface((middle - SIDE // 2, TOP, SIDE, SIDE))
            view(square, pair.state(k, now), options)
            if pair.over[k] and now >= pair.steps[k]:
                text = self.texts["game_over"]
                self._write(text, (middle, TOP + SIDE + 22), 26, theme.BAD)
        self._write(self.texts["question"], (SIZE[0] // 2, 32), 40, theme.TEXT)
        self._paint_keys()

    def _paint_keys(self) -> None:
        """Write each key and what it says."""
        width = SIZE[0] // len(self.texts["keys"])
        for k, (key, meaning) in enumerate(self.texts["keys"]):
            middle = k * width + width // 2
            self._write(key, (middle, SIZE[1] - 90), 28, theme.CHOSEN)
            self._write(meaning, (middle, SIZE[1] - 62), 24, theme.TEXT)

    def _paint_waiting(self) -> None:
        session = self.session
        over = session is not None and len(session.progress.answers) >= session.settings.comparisons
        text = self.texts["training" if over else "waiting"]
        self._write(text, (SIZE[0] // 2, SIZE[1] // 2), 34, theme.TEXT)

    def _paint_status(self) -> None:
        """Write how far the session is, below everything."""
        session = self.session
        if session is None:
            return
        texts, rounds = self.texts, session.progress.rounds
        count = session.settings.comparisons
        number = min(len(session.progress.answers) + 1, count)
        parts = [texts["asked"].format(number=number, count=count)]
        parts.append(texts["steps"].format(steps=theme.large(self.board.step)))
        if rounds and rounds[-1].held_out_accuracy is not None:
            parts.append(texts["accuracy"].format(accuracy=rounds[-1].held_out_accuracy))
        if "score" in self.board.numbers:
            parts.append(texts["score"].format(score=theme.number(self.board.numbers["score"])))
        self._write("   ·   ".join(parts), (SIZE[0] // 2, SIZE[1] - 24), 24, theme.DIM)

    def _write(self, text: str, place: tuple[int, int], size: int, colour: theme.Colour) -> None:
        theme.write(self.screen, text, place, size, colour, 0.5, SIZE[0] - 64)


def prefer_by_hand(store: Store, window: PreferWindow, command: str = "") -> Preferences:
    """Run a session whose questions a person answers in `window`, until it is over or closed.

    Raises:
        ValueError: if the folder is damaged, or in use by another process.
        OSError: if it cannot be written; what was saved stays good.
    """
    with interruptible() as interrupted, ThreadPoolExecutor(1) as pool:
        work = pool.submit(_work, store, window, command, interrupted)
        clock, seconds = pygame.time.Clock(), 0.0
        try:
            while window.is_open and not work.done() and not interrupted.is_set():
                window.frame(seconds)
                seconds = clock.tick(FRAMES_PER_SECOND) / 1000
        finally:  # the thread would wait for an answer forever
            if not work.done():
                interrupted.set()
            closed = not window.is_open
            window.close()
            pygame.display.quit()
        found = work.result()
        return replace(found, interrupted=found.interrupted and not closed)


def _work(store: Store, window: PreferWindow, command: str, interrupted: Event) -> Preferences:
    with opened(store, command) as (session, logger):
        window.session = session
        display: Display = window.board
        session.learn(window.person, logger, display, interrupted)
        return finish(session, logger, interrupted)
