"""Recorded episodes in a window: python play.py --replay RUN --reward my_reward.py

Two rewards pay the same episodes. The timeline below the game shows both; keys jump to the moments
at which they disagree most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pygame

from envs.engine.drawing import pixels_of
from envs.engine.render import SurfaceView
from playing import theme
from playing.painter import SIZE
from playing.window import FRAMES_PER_SECOND, SPEEDS
from training.rescoring import Moment, Rescored

Array = np.ndarray[Any, Any]

GAME_SIDE = 480
LEFT = GAME_SIDE + 40
"""Left edge of the numbers next to the game, in pixels."""
TIMELINE = pygame.Rect(24, 512, SIZE[0] - 48, 104)
COLOURS = (theme.TERMS[0], theme.TERMS[4])
"""Colours of the two rewards."""
RESTART_STEPS = 10
"""Steps into an episode within which the key for the previous episode does not restart this one."""


@dataclass
class Replay:
    """A place in recorded episodes, and what two rewards pay there."""

    found: Rescored
    episode: int = 0
    step: int = 0
    """Number of steps shown so far, 0 to the length of the episode."""
    moments: list[Moment] = field(default_factory=list)
    """Moments of disagreement in the order of the episodes."""

    def __post_init__(self) -> None:
        if len(self.found.paid) > 1:
            self.moments = sorted(self.found.moments(), key=lambda moment: moment[:2])

    @property
    def length(self) -> int:
        """Number of steps of the episode."""
        return int(self.found.episodes.lengths[self.episode])

    @property
    def state(self) -> Any:
        """The state that is shown."""
        return self.found.episodes.states_of(self.episode)[self.step]

    @property
    def seconds(self) -> float:
        """Time since the start of the episode."""
        return self.step / self.found.episodes.game.steps_per_second

    @property
    def event(self) -> str:
        """Name of the event in the last step; empty at the start."""
        if self.step == 0:
            return ""
        place = self.found.episodes.steps_of(self.episode).start + self.step - 1
        return self.found.event(place)

    def rewards(self) -> list[tuple[float, float]]:
        """Return what each reward paid in the last step, and in the episode so far."""
        start = self.found.episodes.steps_of(self.episode).start
        so_far = [paid.rewards[start : start + self.step] for paid in self.found.paid]
        return [
            (float(each[-1]), float(each.sum())) if len(each) else (0.0, 0.0) for each in so_far
        ]

    def curves(self) -> Array:
        """Return the curves of the rewards in this episode, (rewards, steps)."""
        return self.found.curves[:, self.found.episodes.steps_of(self.episode)]

    def seek(self, step: int) -> None:
        """Go to a step of the episode, or to its nearest end."""
        self.step = min(max(step, 0), self.length)

    def go_to_episode(self, number: int) -> None:
        """Go to the start of an episode; after the last one follows the first one."""
        self.episode, self.step = number % len(self.found.episodes), 0

    def previous_episode(self) -> None:
        """Go to the start of the episode or, near its start, to the previous one."""
        self.go_to_episode(self.episode - (self.step < RESTART_STEPS))

    def go_to_moment(self, forward: bool) -> None:
        """Go to the next or the previous moment of disagreement, if there are any."""
        if not self.moments:
            return
        here = (self.episode, self.step - 1)
        places = [moment[:2] for moment in self.moments]
        if forward:
            place = next((each for each in places if each > here), places[0])
        else:
            place = next((each for each in reversed(places) if each < here), places[-1])
        self.episode, self.step = place[0], place[1] + 1


class ReplayPainter:
    """Paints a replay onto `surface`, which needs no display."""

    def __init__(self, replay: Replay, events: Mapping[str, str]) -> None:
        """Prepare the surface; `events` has what the window calls each event."""
        self._events = events
        self.surface = pygame.Surface(SIZE)
        self._replay = replay
        self._game = self.surface.subsurface((16, 16, GAME_SIDE, GAME_SIDE))
        self._view = SurfaceView(replay.found.episodes.game)
        self._shown = (0, 0)
        self._drawn_curves: tuple[int, pygame.Surface] | None = None

    def paint(self, pace: str) -> pygame.Surface:
        """Update `surface` and return it; `pace` is the speed in words."""
        replay, surface = self._replay, self.surface
        surface.fill(theme.PANEL)
        place = (replay.episode, replay.step)
        follows = place[0] == self._shown[0] and 0 <= place[1] - self._shown[1] <= SPEEDS[-1]
        if not follows:  # views draw trails, which must not join distant places
            self._view = SurfaceView(replay.found.episodes.game)
        self._shown = place
        self._view(self._game, replay.state, replay.found.episodes.options)
        self._paint_numbers(pace)
        self._paint_rewards()
        self._paint_timeline()
        hints = theme.text("replay", "hints" if replay.moments else "short_hints")
        theme.write(surface, hints, (SIZE[0] / 2, SIZE[1] - 12), 20, theme.DIM, 0.5, SIZE[0] - 16)
        return surface

    def pixels(self) -> Array:
        """Return the pixels of `surface`: uint8 (height, width, 3)."""
        return pixels_of(self.surface)

    def _paint_numbers(self, pace: str) -> None:
        replay, right = self._replay, SIZE[0] - 28
        episodes = replay.found.episodes
        words = {"number": replay.episode + 1, "count": len(episodes)}
        theme.write(self.surface, theme.text("replay", "episode", **words), (LEFT, 46), 40)
        theme.write(self.surface, pace, (right, 46), 34, theme.TEXT, 1.0)
        steps = {"step": f"{replay.step:,}", "steps": f"{replay.length:,}"}
        text = theme.text("replay", "step", **steps, seconds=f"{replay.seconds:.1f}")
        theme.write(self.surface, text, (LEFT, 90), 28, theme.DIM)
        score = theme.number(float(episodes.scores[replay.episode]))
        text = theme.text("replay", "score", score=score)
        theme.write(self.surface, text, (right, 90), 28, theme.DIM, 1.0)
        event = self._events.get(replay.event, replay.event)
        theme.write(self.surface, event, (LEFT, 132), 34, theme.CHOSEN)

    def _paint_rewards(self) -> None:
        """Paint what each reward paid in the last step and so far."""
        right, y = SIZE[0] - 28, 190.0
        for text, x in ((theme.text("panel", "now"), right - 130), (self._so_far, right)):
            theme.write(self.surface, text, (x, y), 24, theme.DIM, 1.0)
        for paid, (now, total), colour in zip(
            self._replay.found.paid, self._replay.rewards(), COLOURS, strict=False
        ):
            y += 54
            chip = pygame.Rect(LEFT, round(y - 20), 8, 40)
            pygame.draw.rect(self.surface, colour, chip, border_radius=4)
            width = right - 240 - LEFT
            lines = theme.wrapped(paid.reward.title, 24, width)[:2]
            for k, line in enumerate(lines):
                line_y = y + 24 * (k - (len(lines) - 1) / 2)
                theme.write(self.surface, line, (LEFT + 20, line_y), 24, colour, width=width)
            theme.write(self.surface, theme.number(now), (right - 130, y), 36, align=1.0)
            theme.write(self.surface, theme.number(total), (right, y), 36, align=1.0)
        if moment := self._moment:
            text = theme.text("replay", "difference", value=f"{moment.difference:+.1f}")
            for k, line in enumerate(theme.wrapped(text, 28, right - LEFT)):
                theme.write(self.surface, line, (LEFT, y + 76 + 34 * k), 28, theme.CHOSEN)

    @cached_property
    def _so_far(self) -> str:
        return theme.text("replay", "so_far")

    @property
    def _moment(self) -> Moment | None:
        """The moment of disagreement that is shown, if it is one."""
        here = (self._replay.episode, self._replay.step - 1)
        return next((each for each in self._replay.moments if each[:2] == here), None)

    def _paint_timeline(self) -> None:
        """Paint the curves of the episode, its moments of disagreement and the present step."""
        replay, track = self._replay, TIMELINE
        if self._drawn_curves is None or self._drawn_curves[0] != replay.episode:
            self._drawn_curves = replay.episode, self._curves()
        self.surface.blit(self._drawn_curves[1], track.topleft)
        x = track.left + round(replay.step / replay.length * (track.width - 1))
        pygame.draw.line(self.surface, theme.TEXT, (x, track.top - 6), (x, track.bottom + 4), 3)

    def _curves(self) -> pygame.Surface:
        """Return the picture of the timeline without the present step."""
        replay, size = self._replay, TIMELINE.size
        picture = pygame.Surface(size)
        picture.fill(theme.TRACK)
        curves = replay.curves()
        low, high = float(curves.min()), max(float(curves.max()), float(curves.min()) + 1e-9)
        x = np.arange(1, replay.length + 1) / replay.length * (size[0] - 1)
        for moment in replay.moments:
            if moment.episode == replay.episode:
                place = round(x[moment.step])
                pygame.draw.line(picture, theme.CHOSEN, (place, 0), (place, size[1]), 2)
        for curve, colour in zip(curves, COLOURS, strict=False):
            y = size[1] - 6 - (curve - low) / (high - low) * (size[1] - 12)
            if len(curve) > 1:
                pygame.draw.lines(picture, colour, False, np.stack((x, y), 1).tolist(), 2)
        return picture


class ReplayWindow:
    """A window on a replay, open until the user closes it."""

    def __init__(
        self, replay: Replay, events: Mapping[str, str], speed: float, screen: pygame.Surface
    ) -> None:
        """Show `replay` on `screen`; `speed` is a factor on the speed of the game."""
        self.replay = replay
        self.paused = False
        self.speed = speed
        self.is_open = True
        self._screen = screen
        self._painter = ReplayPainter(replay, events)
        self._steps_due = 0.0
        second = replay.found.episodes.game.steps_per_second
        self._commands = {
            pygame.K_SPACE: self._toggle_pause,
            pygame.K_RIGHT: lambda: self._move(1),
            pygame.K_PERIOD: lambda: self._move(1),
            pygame.K_LEFT: lambda: self._move(-1),
            pygame.K_COMMA: lambda: self._move(-1),
            pygame.K_UP: lambda: self._move(second),
            pygame.K_DOWN: lambda: self._move(-second),
            pygame.K_HOME: lambda: self._move(-replay.length),
            pygame.K_END: lambda: self._move(replay.length),
            pygame.K_m: lambda: self._jump(True),
            pygame.K_b: lambda: self._jump(False),
            pygame.K_n: lambda: replay.go_to_episode(replay.episode + 1),
            pygame.K_p: replay.previous_episode,
            pygame.K_q: self.close,
            pygame.K_ESCAPE: self.close,
        }

    def run(self) -> None:
        """Show the replay until the window is closed."""
        clock, seconds = pygame.time.Clock(), 0.0
        pygame.key.set_repeat(300, 40)  # to step by holding a key
        while self.is_open:
            self.frame(seconds)
            seconds = clock.tick(FRAMES_PER_SECOND) / 1000
        pygame.key.set_repeat()

    def close(self) -> None:
        """Make `run` return after the current frame."""
        self.is_open = False

    def frame(self, seconds: float) -> None:
        """Handle keys and clicks, advance by `seconds`, and paint."""
        for event in pygame.event.get():
            self._handle(event)
        if not self.paused:
            rate = self.replay.found.episodes.game.steps_per_second
            self._steps_due += seconds * rate * self.speed
            self.replay.seek(self.replay.step + int(self._steps_due))
            self._steps_due %= 1.0
        pace = theme.text("panel", "paused") if self.paused else f"{self.speed:g}x"
        self._screen.blit(self._painter.paint(pace), (0, 0))
        pygame.display.flip()

    def _handle(self, event: pygame.event.Event) -> None:
        if event.type == pygame.QUIT:
            self.close()
        elif event.type == pygame.KEYDOWN:
            if event.unicode in ("+", "="):
                self.speed = min((s for s in SPEEDS if s > self.speed), default=SPEEDS[-1])
            elif event.unicode == "-":
                self.speed = max((s for s in SPEEDS if s < self.speed), default=SPEEDS[0])
            elif event.key in self._commands:
                self._commands[event.key]()
        elif event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEMOTION):
            pressed = (
                event.button == 1 if event.type == pygame.MOUSEBUTTONDOWN else event.buttons[0]
            )
            if pressed and TIMELINE.inflate(0, 20).collidepoint(event.pos):
                part = (event.pos[0] - TIMELINE.left) / TIMELINE.width
                self.replay.seek(round(part * self.replay.length))

    def _toggle_pause(self) -> None:
        at_end = self.replay.step == self.replay.length
        if at_end and not self.paused:
            self.replay.go_to_episode(self.replay.episode + 1)
        else:
            self.paused = not self.paused

    def _move(self, steps: int) -> None:
        self.paused = True
        self.replay.seek(self.replay.step + steps)

    def _jump(self, forward: bool) -> None:
        self.paused = True
        self.replay.go_to_moment(forward)
