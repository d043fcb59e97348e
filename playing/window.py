"""The window of play.py: its keys, clock and display."""

from __future__ import annotations

import os
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import pygame

from envs.engine.single import GameEnv
from playing import theme
from playing.painter import SIZE, Painter, Status
from playing.playback import Playback
from playing.players import LEARNING
from playing.selection import PlayError
from playing.side_by_side import SplitPainter
from rewards.expression import RewardError

if TYPE_CHECKING:  # slow to import
    from playing.live_reward import LiveReward
    from playing.live_training import LiveTraining
    from playing.sound import Speaker

FRAMES_PER_SECOND = 60
SPEEDS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
ENDING_SECONDS = 1.0  # how long the end of an episode is shown
SPLIT_SECONDS = 4.0  # how long one side continues after the episode of the other has ended
MESSAGE_SECONDS = 3.0
SAME_KEY = {"w": "up", "a": "left", "s": "down", "d": "right"}
DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
INSTEAD = "use --record out.gif for a video, or --headless for the scores only"


class Window:
    """A window on a playback, open until the user or the last episode closes it."""

    def __init__(
        self,
        playback: Playback,
        title: str,
        speed: float = 1.0,
        episodes: int | None = None,
        live_reward: LiveReward | None = None,
        training: LiveTraining | None = None,
        speaker: Speaker | None = None,
    ) -> None:
        """Open the window. It closes after `episodes` episodes, if a number is given.

        `speed` is a factor on the speed of the environment.

        Raises:
            PlayError: if there is no display.
        """
        self.playback = playback
        self.status = Status(speed=speed)
        self.is_open = True
        self.screen = open_display(INSTEAD)
        pygame.display.set_caption(f"{title} - Training Wheels")
        self._painter: Painter | SplitPainter = Painter(playback)
        self.before: Playback | None = None
        """The left side of a split window."""
        self._live_reward = live_reward
        self._training = training
        self._speaker = speaker
        self._stale = True  # the window has to be painted again
        self._episodes = episodes
        self._steps_due = 0.0
        self._ending = 0.0
        self._message_left = 0.0
        self._keys_held: set[int] = set()
        self._keys_tapped: set[int] = set()
        self._game = (
            playback.env.unwrapped.game if isinstance(playback.env.unwrapped, GameEnv) else None
        )
        self._game_keys = self._find_game_keys()
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
            pygame.K_k: self._toggle_human,
            pygame.K_s: self._toggle_split,
            pygame.K_f: self._from_scratch,
            pygame.K_h: self._toggle_help,
            pygame.K_q: self.close,
            pygame.K_ESCAPE: self.close,
        }

    def run(self) -> None:
        """Play until the window is closed."""
        clock = pygame.time.Clock()
        seconds = 0.0
        while self.is_open:
            self.frame(seconds)
            seconds = clock.tick(FRAMES_PER_SECOND) / 1000
        pygame.display.quit()

    def close(self) -> None:
        """Make `run` return after the current frame."""
        self.is_open = False

    def frame(self, seconds: float) -> None:
        """Handle the keys, advance the playback by `seconds` and paint."""
        for event in pygame.event.get():
            self._handle(event)
            self._stale = True
        self._check_for_news()
        self._advance(seconds)
        if self._stale:
            self.screen.blit(self._painter.paint(self.status), (0, 0))
            pygame.display.flip()
            self._stale = False

    def _handle(self, event: pygame.event.Event) -> None:
        if event.type == pygame.QUIT:
            self.close()
        elif event.type == pygame.WINDOWFOCUSLOST:
            self._keys_held.clear()  # another window gets their release
        elif event.type == pygame.KEYUP:
            self._keys_held.discard(event.key)
        elif event.type == pygame.KEYDOWN:
            if self.playback.human and event.key in self._game_keys:
                self._keys_held.add(event.key)
                self._keys_tapped.add(event.key)
            elif event.key in self._commands:
                self._commands[event.key]()
            elif event.unicode in ("+", "-"):  # their keys differ between keyboards
                self._faster() if event.unicode == "+" else self._slower()

    def _check_for_news(self) -> None:
        """Ask the live reward and the training for news."""
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
            status.training = training.progress
            errors.append(training.error)
        error = " ".join(filter(None, errors))
        self._stale |= error != status.error
        status.error = error

    def _advance(self, seconds: float) -> None:
        self._message_left -= seconds
        if self.status.message and self._message_left <= 0:
            self.status.message = ""
            self._stale = True
        if self.status.paused:
            return
        if any(playback.episode.over for playback in self._playbacks):
            self._ending += seconds
            if self._ending >= (ENDING_SECONDS if self.before is None else SPLIT_SECONDS):
                self._continue()
                return
        self._steps_due += seconds * self.playback.steps_per_second * self.status.speed
        deadline = time.perf_counter() + 1 / FRAMES_PER_SECOND
        while self._steps_due >= 1 and not self._over:
            self._step()
            self._steps_due -= 1
            if time.perf_counter() > deadline:  # a slow agent must not freeze the window
                self._steps_due = 0.0

    def _step(self) -> None:
        """Advance one step. A person's action combines keys held now and keys tapped since then."""
        human_action = self._human_action() if self.playback.human else None
        steps = self.playback.episode.steps
        try:
            self.playback.step(human_action)
        except RewardError as error:
            if self._live_reward is None:
                raise
            self._live_reward.revert(str(error))
        if self._speaker is not None and self.playback.episode.steps > steps:
            self._speaker.play()
        try:
            if self.before is not None:
                self.before.step()
        except RewardError as error:
            self._unsplit()
            self._say(str(error))
        self._keys_tapped.clear()
        self._stale = True

    @property
    def _playbacks(self) -> list[Playback]:
        """The playbacks in the window."""
        return [self.playback] if self.before is None else [self.before, self.playback]

    @property
    def _over(self) -> bool:
        """Whether the episodes of all playbacks are over."""
        return all(playback.episode.over for playback in self._playbacks)

    def _human_action(self) -> Any:
        to_action = self._game.action_from_keys if self._game is not None else None
        assert to_action is not None, "only games with keys can be played by a person"
        return to_action({self._game_keys[key] for key in self._keys_held | self._keys_tapped})

    def _continue(self) -> None:
        """Start the next episode, or close after the last one."""
        if self._episodes is not None and len(self.playback.results) >= self._episodes:
            self.close()
        else:
            self._next_episode()

    def _toggle_pause(self) -> None:
        self.status.paused = not self.status.paused

    def _one_step(self) -> None:
        self.status.paused = True
        if self._over:
            self._continue()
        else:
            self._step()

    def _faster(self) -> None:
        self.status.speed = min((s for s in SPEEDS if s > self.status.speed), default=SPEEDS[-1])

    def _slower(self) -> None:
        self.status.speed = max((s for s in SPEEDS if s < self.status.speed), default=SPEEDS[0])

    def _next_episode(self) -> None:
        self._ending = self._steps_due = 0.0
        number = self.playback.episode.number + 1
        for playback in self._playbacks:
            playback.start_episode(number)
        self._stale = True

    def _switch_player(self) -> None:
        self._unsplit()
        try:
            self.playback.switch_player()
        except ValueError as error:
            self._say(str(error))

    def _toggle_human(self) -> None:
        if not self._game_keys:
            self._say(theme.text("messages", "no_keys", env=self.playback.env_id))
            return
        self._unsplit()
        self._keys_held.clear()
        self._keys_tapped.clear()
        self.playback.set_human(not self.playback.human)

    def _toggle_split(self) -> None:
        if self._training is None:
            self._say(theme.text("messages", "s_needs_training"))
        elif self.before is None:
            self._split(self._training)
        else:
            self._unsplit()

    def _split(self, training: LiveTraining) -> None:
        """Show the agents and rewards before the last change and now, on the same seeds."""
        self.before = training.playback_before()
        self.playback.set_human(False)
        self.playback.switch_to(LEARNING)
        self._painter = SplitPainter(
            self.before, self.playback, (training.before.label, training.now.label)
        )
        self._ending = self._steps_due = 0.0
        for playback in self._playbacks:
            playback.start_episode(self.playback.episode.number)

    def _unsplit(self) -> None:
        if self.before is not None:
            self.before = None  # not closed: Gymnasium's environments would close all of pygame
            self._painter = Painter(self.playback)

    def _from_scratch(self) -> None:
        if self._training is None:
            self._say(theme.text("messages", "f_needs_training"))
        else:
            self._training.from_scratch()
            self._say(theme.text("messages", "from_scratch"))

    def _toggle_help(self) -> None:
        self.status.help = not self.status.help

    def _say(self, message: str) -> None:
        self.status.message = message
        self._stale = True
        self._message_left = MESSAGE_SECONDS

    def _find_game_keys(self) -> dict[int, str]:
        """Return the name that the game gives to each key code."""
        keys = self._game.keys if self._game is not None else ()
        names = {name: name for name in keys}
        names |= {name: same for name, same in SAME_KEY.items() if same in keys}
        return {pygame.key.key_code(name): game_key for name, game_key in names.items()}


def check_display(instead: str = "") -> None:
    """Raise PlayError if there is certainly no display: SDL would use an invisible one.

    `instead` is what can be done without a display.
    """
    if sys.platform == "linux" and not any(map(os.environ.get, DISPLAY_VARIABLES)):
        raise _no_display(instead)


def _no_display(instead: str) -> PlayError:
    return PlayError("; ".join(filter(None, ("there is no display for a window", instead))))


def open_display(instead: str = "") -> pygame.Surface:
    """Open pygame's display and no other part of pygame.

    Raises:
        PlayError: if there is none. Its message ends with `instead`, what can be done without it.
    """
    check_display(instead)
    try:
        pygame.display.init()
        if pygame.display.get_driver() != "offscreen":
            with warnings.catch_warnings():
                # "no fast renderer available"; the slow one is fast enough
                warnings.simplefilter("ignore")
                return pygame.display.set_mode(SIZE, pygame.SCALED | pygame.RESIZABLE)
    except pygame.error:
        pass
    pygame.display.quit()
    raise _no_display(instead)
