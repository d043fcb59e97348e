"""The panel next to the game: reward, value and actions, in letters readable from a distance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pygame
from gymnasium import spaces

from playing import theme
from playing.bars import draw_bar, draw_curve, draw_signed_bar, draw_stacked_bar
from playing.playback import CURVE_STEPS, Playback, RewardTerm

MARGIN = 28
MAX_TERMS = 6
MAX_ACTIONS = 9
SMALLEST_FONT = 18  # pixels
TALLEST_ROW = 44.0
TERM_ROW = 1.4  # height of a term's row, with its curve, in rows of an action
HINTS_HEIGHT = 44

Progress = Sequence[tuple[str, str]]
"""Names and values, shown in columns."""


def draw_panel(
    surface: pygame.Surface,
    playback: Playback,
    pace: str,
    reward: str = "",
    training: Progress = (),
) -> None:
    """Draw the panel over the whole of `surface`.

    `pace` is the speed in words; `reward` is the reward in use, if it can change.
    """
    surface.fill(theme.PANEL)
    width, height = surface.get_size()
    _draw_player(surface, playback, pace)
    _draw_numbers(surface, playback)
    y = 212.0
    if training:
        _draw_progress(surface, training, y)
        y += 62
    terms = min(len(playback.terms), MAX_TERMS)
    actions = min(len(playback.action_names), MAX_ACTIONS)
    row = min(TALLEST_ROW, (height - HINTS_HEIGHT - y - 116) / (TERM_ROW * terms + actions))
    y = _draw_reward(surface, playback, reward, y, TERM_ROW * row)
    if playback.action_names:  # actions that are pictures have none
        _draw_actions(surface, playback, y + 24, row)
    hints = theme.text("panel", "training_hints" if training else "hints")
    theme.write(surface, hints, (width / 2, height - 24), 22, theme.DIM, 0.5, width - 16)


def _draw_player(surface: pygame.Surface, playback: Playback, pace: str) -> None:
    """Draw the player's name on a coloured badge, and the speed."""
    name = "you" if playback.human else playback.player.name
    shown = theme.name("players", name).upper()
    badge = pygame.Rect(MARGIN, 24, theme.text_size(shown, 34)[0] + 32, 44)
    colour = theme.PLAYERS.get(name, theme.OTHER)
    pygame.draw.rect(surface, colour, badge, border_radius=22)
    theme.write(surface, shown, badge.center, 34, theme.DARK, 0.5)
    right = surface.get_width() - MARGIN
    written = theme.write(surface, pace, (right, 46), 34, theme.TEXT, 1.0)
    agent = playback.player
    description = theme.name("descriptions", agent.description)
    if playback.human:
        description = theme.text("panel", "instead", agent=theme.name("players", agent.name))
    space = written.left - badge.right - 32
    theme.write(surface, description, (badge.right + 16, 46), 24, theme.DIM, width=space)


def _draw_numbers(surface: pygame.Surface, playback: Playback) -> None:
    """Draw the score in large letters, and return, step and episode next to it."""
    episode = playback.episode
    scored = episode.score is not None
    heading = theme.text("panel", "score_heading" if scored else "return_heading")
    theme.write(surface, heading, (MARGIN, 98), 24, theme.DIM)
    large = episode.total_reward if episode.score is None else episode.score
    theme.write(surface, theme.number(large), (MARGIN, 146), 100, theme.TEXT)
    rows = [("step", theme.number(episode.steps)), ("episode", str(episode.number + 1))]
    if scored:
        rows.insert(0, ("return", theme.number(episode.total_reward)))
    right = surface.get_width() - MARGIN
    for k, (name, value) in enumerate(rows):
        y = 98 + 36 * k
        theme.write(surface, theme.text("panel", name), (right - 110, y), 28, theme.DIM, 1.0)
        theme.write(surface, value, (right, y), 38, theme.TEXT, 1.0)


def _draw_progress(surface: pygame.Surface, facts: Progress, y: float) -> None:
    """Draw columns, each a value below its name."""
    width = (surface.get_width() - 2 * MARGIN) / len(facts)
    for k, (name, value) in enumerate(facts):
        x = MARGIN + k * width
        theme.write(surface, name, (x, y), 22, theme.DIM, width=width - 8)
        theme.write(surface, value, (x, y + 26), 34, theme.PLAYERS["learning"], width=width - 8)


def _draw_reward(
    surface: pygame.Surface, playback: Playback, reward: str, y: float, row: float
) -> float:
    """Draw all reward terms in one bar and each in a row below it; return the y of its end."""
    right = surface.get_width() - MARGIN
    _draw_heading(surface, theme.text("panel", "reward_heading"), y)
    theme.write(surface, reward, (MARGIN + 80, y), 22, theme.TEXT, width=right - 290)
    theme.write(surface, theme.text("panel", "now"), (right - 96, y), 22, theme.DIM, 1.0)
    theme.write(surface, theme.text("panel", "episode"), (right, y), 22, theme.DIM, 1.0)
    track = pygame.Rect(MARGIN, round(y + 18), right - MARGIN, 26)
    terms = list(playback.terms.items())
    colours = list(itertools.islice(itertools.cycle(theme.TERMS), len(terms)))
    parts = [term.part / playback.longest_bar for _, term in terms]
    draw_stacked_bar(surface, track, list(zip(parts, colours, strict=True)))
    y += 52
    for (name, term), colour in list(zip(terms, colours, strict=True))[:MAX_TERMS]:
        _draw_term(surface, name, term, colour, y, row)
        y += row
    return y


def _draw_term(
    surface: pygame.Surface, name: str, term: RewardTerm, colour: theme.Colour, y: float, row: float
) -> None:
    """Draw a term: its name, the curve of recent values, the last value and the episode's sum."""
    right, middle, size = surface.get_width() - MARGIN, y + row / 2, round(min(36.0, row * 0.7))
    chip = pygame.Rect(MARGIN, round(y + row * 0.12), 8, round(row * 0.76))
    pygame.draw.rect(surface, colour, chip, border_radius=4)
    label = name if term.weight == 1 else f"{term.weight:g} {name}"
    letters = _fitting_size(label, size, 138)
    theme.write(surface, label, (MARGIN + 16, middle), letters, colour, width=138)
    track = pygame.Rect(MARGIN + 160, round(y + row * 0.08), 136, round(row * 0.84))
    span = (term.lowest, term.highest)
    draw_curve(surface, track, list(term.recent), CURVE_STEPS, span, colour)
    theme.write(surface, theme.number(term.now), (right - 88, middle), size, align=1.0)
    theme.write(surface, theme.number(term.total), (right, middle), size, align=1.0)


def _draw_actions(surface: pygame.Surface, playback: Playback, y: float, row: float) -> None:
    """Draw the actions with their probabilities, the chosen one highlighted, below the value."""
    _draw_heading(surface, theme.text("panel", "action_heading"), y)
    _draw_value(surface, playback, y)
    y += 16
    if isinstance(playback.env.action_space, spaces.Discrete):
        for k in _actions_shown(playback):
            _draw_choice(surface, playback, k, y, row)
            y += row
    elif isinstance(playback.env.action_space, spaces.Box):
        for k in range(min(len(playback.action_names), MAX_ACTIONS)):
            _draw_component(surface, playback, k, y, row)
            y += row


def _actions_shown(playback: Playback) -> list[int]:
    """Return all actions, or the most likely ones if there are too many for the panel."""
    count = len(playback.action_names)
    likely = playback.insight.probabilities
    if count <= MAX_ACTIONS or likely is None:
        return list(range(min(count, MAX_ACTIONS)))
    return sorted(int(k) for k in np.argsort(-likely, kind="stable")[:MAX_ACTIONS])


def _draw_choice(surface: pygame.Surface, playback: Playback, k: int, y: float, row: float) -> None:
    assert isinstance(playback.env.action_space, spaces.Discrete)
    chosen = playback.action == playback.env.action_space.start + k
    likely = playback.insight.probabilities
    colour = theme.CHOSEN if chosen else theme.OTHER
    middle, size = y + row / 2, round(min(36.0, row * 0.85))
    if chosen:
        tip = (MARGIN + 12, middle)
        corners = [(MARGIN, middle - 8), (MARGIN, middle + 8), tip]
        pygame.draw.polygon(surface, colour, corners)
    text_colour = colour if chosen else theme.TEXT
    name, left = theme.name("actions", playback.action_names[k]), MARGIN + 22
    letters = _fitting_size(name, size, 128)
    theme.write(surface, name, (left, middle), letters, text_colour, width=128)
    if likely is None:
        return
    right = surface.get_width() - MARGIN
    track = pygame.Rect(MARGIN + 160, round(y + row * 0.14), 212, round(row * 0.72))
    draw_bar(surface, track, float(likely[k]), colour)
    theme.write(surface, f"{likely[k]:.0%}", (right, middle), size, text_colour, 1.0)


def _draw_component(
    surface: pygame.Surface, playback: Playback, k: int, y: float, row: float
) -> None:
    """Draw one component as a bar from 0, which is in the middle if the range has negatives."""
    space = playback.env.action_space
    assert isinstance(space, spaces.Box)
    value, low, high = (
        float(np.ravel(each)[k]) for each in (playback.action, space.low, space.high)
    )
    largest = max(abs(low), abs(high))
    part = value / largest if math.isfinite(largest) else math.tanh(value)
    middle, size = y + row / 2, round(min(36.0, row * 0.85))
    name = theme.name("actions", playback.action_names[k])
    theme.write(surface, name, (MARGIN, middle), size, width=150)
    track = pygame.Rect(MARGIN + 160, round(y + row * 0.14), 212, round(row * 0.72))
    if low < 0:
        draw_signed_bar(surface, track, part, theme.CHOSEN)
    else:
        draw_bar(surface, track, part, theme.CHOSEN)
    right = surface.get_width() - MARGIN
    theme.write(surface, theme.number(value), (right, middle), size, theme.CHOSEN, 1.0)


def _draw_value(surface: pygame.Surface, playback: Playback, y: float) -> None:
    """Draw the discounted return that the agent expects."""
    value = playback.insight.value
    if value is None:
        return
    right = surface.get_width() - MARGIN
    written = theme.write(surface, theme.number(value), (right, y), 34, theme.TEXT, 1.0)
    text = theme.text("panel", "value")
    theme.write(surface, text, (written.left - 12, y), 22, theme.DIM, 1.0)


def _fitting_size(text: str, size: int, width: int) -> int:
    """Return the largest font size, at most `size`, at which `text` fits into `width`."""
    while size > SMALLEST_FONT and theme.text_size(text, size)[0] > width:
        size -= 1
    return size


def _draw_heading(surface: pygame.Surface, text: str, y: float) -> None:
    theme.write(surface, text, (MARGIN, y), 24, theme.DIM)
