"""The window: keys, clock and display around a match."""

from __future__ import annotations

import os
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import pygame

from envs.engine.single import GameEnv
from playing.painter import SIZE, Painter, Status
from playing.playback import Match
from playing.players import LEARNING
from playing.selection import PlayError
from playing.side_by_side import SplitPainter
from rewards.expression import RewardError

if TYPE_CHECKING:  # what they need takes its time to import
    from playing.live_reward import LiveReward
    from playing.live_training import LiveTraining
    from playing.sound import Speaker

FRAMES_PER_SECOND = 60
SPEEDS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
ENDING_SECONDS = 1.0  # how long the last picture of an episode stays
SPLIT_SECONDS = 4.0  # how long, in a split window, the other one may go on by itself
MESSAGE_SECONDS = 3.0
SAME_KEY = {"w": "up", "a": "left", "s": "down", "d": "right"}  # for the left hand
NAMES_OF_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
NO_DISPLAY = (
    "there is no display to open a window on; --record out.gif makes a recording, "
    "--headless prints the scores"
)


class Window:
    """A window on a match, open until the user or the last episode closes it."""

    def __init__(
        self,
        match: Match,
        title: str,
        steps_per_second: float,
        speed: float = 1.0,
        episodes: int | None = None,
        live_reward: LiveReward | None = None,
        training: LiveTraining | None = None,
        speaker: Speaker | None = None,
    ) -> None:
        """Open it.

        Args:
            match: what is shown.
            title: of the window.
            steps_per_second: of the match at speed 1.
            speed: factor on it.
            episodes: close after so many; None for never.
            live_reward: exchanges the match's reward when its file is saved.
            training: lets the match's player learn.
            speaker: lets the match be heard.

        Raises:
            PlayError: where there is no display.
        """
        self.match = match
        self.status = Status(speed=speed)
        self.is_open = True
        self.screen = _open_display()
        pygame.display.set_caption(f"{title} - Training Wheels")
        self._painter: Painter | SplitPainter = Painter(match)
        self.before: Match | None = None
        """What is shown beside the match in a split window."""
        self._live_reward = live_reward
        self._training = training
        self._speaker = speaker
        self._stale = True  # what is in the window
        self._steps_per_second = steps_per_second
        self._episodes = episodes
        self._steps_due = 0.0
        self._ending = 0.0
        self._message_left = 0.0
        self._keys_held: set[int] = set()
        self._keys_tapped: set[int] = set()
        self._game = match.env.unwrapped.game if isinstance(match.env.unwrapped, GameEnv) else None
        self._own_keys = self._keys_of_game()
        self._commands = {
            pygame.K_SPACE: self._toggle_pause,
            pygame.K_PERIOD: self._one_step,
            pygame.K_RIGHT: self._one_step,
            pygame.K_PLUS: self._faster,
            pygame.K_EQUALS: self._faster,
            pygame.K_KP_PLUS: self._faster,
            pygame.K_MINUS: self._slower,
            pygame.K_KP_MINUS: self._slower,
            pygame.K_n: self._next_episode,
            pygame.K_a: self._switch_player,
            pygame.K_TAB: self._switch_player,
            pygame.K_k: self._toggle_by_hand,
            pygame.K_s: self._toggle_split,
            pygame.K_f: self._from_scratch,
            pygame.K_h: self._toggle_help,
            pygame.K_q: self.close,
            pygame.K_ESCAPE: self.close,
        }

    def run(self) -> None:
        """Show the match until the window is closed."""
        clock = pygame.time.Clock()
        seconds = 0.0
        while self.is_open:
            self.frame(seconds)
            seconds = clock.tick(FRAMES_PER_SECOND) / 1000
        pygame.display.quit()

    def close(self) -> None:
        """Let `run` come to its end."""
        self.is_open = False

    def frame(self, seconds: float) -> None:
        """One turn: take in what was typed, let `seconds` of the match pass, show it."""
        for event in pygame.event.get():
            self._take_in(event)
            self._stale = True
        self._hear_news()
        self._pass(seconds)
        if self._stale:
            self.screen.blit(self._painter.paint(self.status), (0, 0))
            pygame.display.flip()
            self._stale = False

    def _take_in(self, event: pygame.event.Event) -> None:
        if event.type == pygame.QUIT:
            self.close()
        elif event.type == pygame.WINDOWFOCUSLOST:
            self._keys_held.clear()  # their release would go to another window
        elif event.type == pygame.KEYUP:
            self._keys_held.discard(event.key)
        elif event.type == pygame.KEYDOWN:
            if self.match.by_hand and event.key in self._own_keys:
                self._keys_held.add(event.key)
                self._keys_tapped.add(event.key)
            elif event.key in self._commands:
                self._commands[event.key]()
            elif event.unicode in ("+", "-"):  # other keyboards have them elsewhere
                self._faster() if event.unicode == "+" else self._slower()

    def _hear_news(self) -> None:
        """Of the reward's file and of the training."""
        status, live_reward, training = self.status, self._live_reward, self._training
        errors = []
        if live_reward is not None:
            if news := live_reward.update():
                self._say(news)
                if training is not None:
                    training.reward_changed(live_reward.compiled)
            status.reward = live_reward.label
            errors.append(live_reward.error)
        if training is not None:
            known = training.before
            self._stale |= training.update()
            if self.before is not None and training.before is not known:
                self._split(training)
            status.training = training.facts
            errors.append(training.error)
        error = " ".join(filter(None, errors))
        self._stale |= error != status.error
        status.error = error

    def _pass(self, seconds: float) -> None:
        self._message_left -= seconds
        if self.status.message and self._message_left <= 0:
            self.status.message = ""
            self._stale = True
        if self.status.paused:
            return
        if any(match.episode.over for match in self._matches):
            self._ending += seconds
            if self._ending >= (ENDING_SECONDS if self.before is None else SPLIT_SECONDS):
                self._go_on()
                return
        self._steps_due += seconds * self._steps_per_second * self.status.speed
        deadline = time.perf_counter() + 1 / FRAMES_PER_SECOND
        while self._steps_due >= 1 and not self._over:
            self._step()
            self._steps_due -= 1
            if time.perf_counter() > deadline:  # a slow agent must not freeze the window
                self._steps_due = 0.0

    def _step(self) -> None:
        """One step; a person's is made with the keys held down and those tapped since the last."""
        own_action = self._own_action() if self.match.by_hand else None
        steps = self.match.episode.steps
        try:
            self.match.step(own_action)
        except RewardError as error:
            if self._live_reward is None:
                raise
            self._live_reward.take_back(str(error))
        if self._speaker is not None and self.match.episode.steps > steps:
            self._speaker.hear()
        try:
            if self.before is not None:
                self.before.step()
        except RewardError as error:
            self._unsplit()
            self._say(str(error))
        self._keys_tapped.clear()
        self._stale = True

    @property
    def _matches(self) -> list[Match]:
        """What is shown."""
        return [self.match] if self.before is None else [self.before, self.match]

    @property
    def _over(self) -> bool:
        """Are the episodes of all that is shown?"""
        return all(match.episode.over for match in self._matches)

    def _own_action(self) -> Any:
        action_from_keys = self._game.action_from_keys if self._game is not None else None
        assert action_from_keys is not None, "only games with keys can be taken over"
        return action_from_keys(
            {self._own_keys[key] for key in self._keys_held | self._keys_tapped}
        )

    def _go_on(self) -> None:
        """To the next episode, or the end."""
        if self._episodes is not None and len(self.match.results) >= self._episodes:
            self.close()
        else:
            self._next_episode()

    def _toggle_pause(self) -> None:
        self.status.paused = not self.status.paused

    def _one_step(self) -> None:
        self.status.paused = True
        if self._over:
            self._go_on()
        else:
            self._step()

    def _faster(self) -> None:
        self.status.speed = min((s for s in SPEEDS if s > self.status.speed), default=SPEEDS[-1])

    def _slower(self) -> None:
        self.status.speed = max((s for s in SPEEDS if s < self.status.speed), default=SPEEDS[0])

    def _next_episode(self) -> None:
        self._ending = self._steps_due = 0.0
        number = self.match.episode.number + 1
        for match in self._matches:
            match.start_episode(number)
        self._stale = True

    def _switch_player(self) -> None:
        self._unsplit()
        try:
            self.match.switch_player()
        except ValueError as error:
            self._say(str(error))

    def _toggle_by_hand(self) -> None:
        if not self._own_keys:
            self._say(f"{self.match.env_id} has no keys to play it by")
            return
        self._unsplit()
        self._keys_held.clear()
        self._keys_tapped.clear()
        self.match.take_over(not self.match.by_hand)

    def _toggle_split(self) -> None:
        if self._training is None:
            self._say("s shows two rewards side by side while an agent learns: play.py --train")
        elif self.before is None:
            self._split(self._training)
        else:
            self._unsplit()

    def _split(self, training: LiveTraining) -> None:
        """Show the agent and reward before the last change beside those of now, on equal seeds."""
        self.before = training.match_before()
        self.match.take_over(False)
        self.match.switch_to(LEARNING)
        self._painter = SplitPainter(
            self.before, self.match, (training.before.label, training.now.label)
        )
        self._ending = self._steps_due = 0.0
        for match in self._matches:
            match.start_episode(self.match.episode.number)

    def _unsplit(self) -> None:
        if self.before is not None:
            self.before = None  # not closed: others' environments would close all of pygame
            self._painter = Painter(self.match)

    def _from_scratch(self) -> None:
        if self._training is None:
            self._say("f forgets what an agent has learned: play.py --train")
        else:
            self._training.from_scratch()
            self._say("forgets all that it has learned; the run so far is kept")

    def _toggle_help(self) -> None:
        self.status.help = not self.status.help

    def _say(self, message: str) -> None:
        self.status.message = message
        self._stale = True
        self._message_left = MESSAGE_SECONDS

    def _keys_of_game(self) -> dict[int, str]:
        """Key code to the name that the game knows it by."""
        keys = self._game.keys if self._game is not None else ()
        names = {name: name for name in keys}
        names |= {name: same for name, same in SAME_KEY.items() if same in keys}
        return {pygame.key.key_code(name): meant for name, meant in names.items()}


def check_display() -> None:
    """Raise PlayError where there surely is none; SDL would fall back on drawing into nothing."""
    if sys.platform == "linux" and not any(map(os.environ.get, NAMES_OF_DISPLAYS)):
        raise PlayError(NO_DISPLAY)


def _open_display() -> pygame.Surface:
    """Open pygame's display, and nothing else of pygame.

    Raises:
        PlayError: where there is none.
    """
    check_display()
    try:
        pygame.display.init()
        if pygame.display.get_driver() != "offscreen":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "no fast renderer available": fast enough
                return pygame.display.set_mode(SIZE, pygame.SCALED | pygame.RESIZABLE)
    except pygame.error:
        pass
    pygame.display.quit()
    raise PlayError(NO_DISPLAY)
