"""The panel beside the game: what the agent gets, thinks and does, in letters for the back row."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pygame
from gymnasium import spaces

from playing import theme
from playing.bars import draw_bar, draw_curve, draw_signed_bar, draw_stacked_bar
from playing.playback import REMEMBERED, Match, RewardTerm

MARGIN = 28
MOST_TERMS = 6
MOST_ACTIONS = 9
SMALLEST = 18  # letters, pixels
TALLEST_ROW = 44.0
TERM_ROW = 1.4  # times the height of an action's: it holds a curve
BELOW = 44  # the hints
HINTS = "space pause   .  step   n next   tab agent   k you play   h help"
TRAINING_HINTS = "space pause   s before and now   f from scratch   tab agent   h help"

Facts = Sequence[tuple[str, str]]
"""Names and values, written in a line of columns."""


def draw_panel(
    surface: pygame.Surface, match: Match, pace: str, reward: str = "", training: Facts = ()
) -> None:
    """Draw the panel over the whole of `surface`.

    Args:
        surface: to draw on.
        match: what is shown.
        pace: how fast it goes.
        reward: what pays, where that can change.
        training: how the training goes, if there is one.
    """
    surface.fill(theme.PANEL)
    width, height = surface.get_size()
    _draw_player(surface, match, pace)
    _draw_numbers(surface, match)
    y = 212.0
    if training:
        _draw_facts(surface, training, y)
        y += 62
    terms = min(len(match.terms), MOST_TERMS)
    actions = min(len(match.action_names), MOST_ACTIONS)
    row = min(TALLEST_ROW, (height - BELOW - y - 116) / (TERM_ROW * terms + actions))
    y = _draw_reward(surface, match, reward, y, TERM_ROW * row)
    if match.action_names:  # whole pictures and rows have none
        _draw_actions(surface, match, y + 24, row)
    hints = TRAINING_HINTS if training else HINTS
    theme.write(surface, hints, (width / 2, height - 24), 22, theme.DIM, 0.5)


def _draw_player(surface: pygame.Surface, match: Match, pace: str) -> None:
    """Who is in control, as a coloured badge, and the pace."""
    name = "you" if match.by_hand else match.player.name
    by_hand = f"{match.player.name} looks on"
    badge = pygame.Rect(MARGIN, 24, theme.text_size(name.upper(), 34)[0] + 32, 44)
    colour = theme.PLAYERS.get(name, theme.OTHER)
    pygame.draw.rect(surface, colour, badge, border_radius=22)
    theme.write(surface, name.upper(), badge.center, 34, theme.DARK, 0.5)
    right = surface.get_width() - MARGIN
    written = theme.write(surface, pace, (right, 46), 34, theme.TEXT, 1.0)
    description = by_hand if match.by_hand else match.player.description
    space = written.left - badge.right - 32
    theme.write(surface, description, (badge.right + 16, 46), 24, theme.DIM, width=space)


def _draw_numbers(surface: pygame.Surface, match: Match) -> None:
    """The score, large, and the return, step and episode beside it."""
    episode = match.episode
    big = ("RETURN", episode.total_reward) if episode.score is None else ("SCORE", episode.score)
    theme.write(surface, big[0], (MARGIN, 98), 24, theme.DIM)
    theme.write(surface, theme.number(big[1]), (MARGIN, 146), 100, theme.TEXT)
    rows = [("step", theme.number(episode.steps)), ("episode", str(episode.number + 1))]
    if episode.score is not None:
        rows.insert(0, ("return", theme.number(episode.total_reward)))
    right = surface.get_width() - MARGIN
    for k, (name, value) in enumerate(rows):
        y = 98 + 36 * k
        theme.write(surface, name, (right - 110, y), 28, theme.DIM, 1.0)
        theme.write(surface, value, (right, y), 38, theme.TEXT, 1.0)


def _draw_facts(surface: pygame.Surface, facts: Facts, y: float) -> None:
    """Columns, each a value below its name."""
    width = (surface.get_width() - 2 * MARGIN) / len(facts)
    for k, (name, value) in enumerate(facts):
        x = MARGIN + k * width
        theme.write(surface, name, (x, y), 22, theme.DIM, width=width - 8)
        theme.write(surface, value, (x, y + 26), 34, theme.PLAYERS["learning"], width=width - 8)


def _draw_reward(surface: pygame.Surface, match: Match, reward: str, y: float, row: float) -> float:
    """What is paid: all terms in one bar, and below it each by itself; returns where it ends."""
    right = surface.get_width() - MARGIN
    _draw_heading(surface, "REWARD", y)
    theme.write(surface, reward, (MARGIN + 80, y), 22, theme.TEXT, width=right - 290)
    theme.write(surface, "now", (right - 96, y), 22, theme.DIM, 1.0)
    theme.write(surface, "episode", (right, y), 22, theme.DIM, 1.0)
    track = pygame.Rect(MARGIN, round(y + 18), right - MARGIN, 26)
    terms = list(match.terms.items())
    colours = list(itertools.islice(itertools.cycle(theme.TERMS), len(terms)))
    parts = [term.part / match.longest_bar for _, term in terms]
    draw_stacked_bar(surface, track, list(zip(parts, colours, strict=True)))
    y += 52
    for (name, term), colour in list(zip(terms, colours, strict=True))[:MOST_TERMS]:
        _draw_term(surface, name, term, colour, y, row)
        y += row
    return y


def _draw_term(
    surface: pygame.Surface,
    name: str,
    term: RewardTerm,
    colour: theme.Colour,
    y: float,
    row: float,
) -> None:
    """One term: its name in its colour, what it contributed lately, now, and in the episode."""
    right, middle, size = surface.get_width() - MARGIN, y + row / 2, round(min(36.0, row * 0.7))
    chip = pygame.Rect(MARGIN, round(y + row * 0.12), 8, round(row * 0.76))
    pygame.draw.rect(surface, colour, chip, border_radius=4)
    label = name if term.weight == 1 else f"{term.weight:g} {name}"
    letters = _fitting(label, size, 138)
    theme.write(surface, label, (MARGIN + 16, middle), letters, colour, width=138)
    track = pygame.Rect(MARGIN + 160, round(y + row * 0.08), 136, round(row * 0.84))
    span = (term.lowest, term.highest)
    draw_curve(surface, track, list(term.recent), REMEMBERED, span, colour)
    theme.write(surface, theme.number(term.now), (right - 88, middle), size, align=1.0)
    theme.write(surface, theme.number(term.total), (right, middle), size, align=1.0)


def _draw_actions(surface: pygame.Surface, match: Match, y: float, row: float) -> None:
    """Each action and how likely it is, the chosen one in another colour; above them the value."""
    _draw_heading(surface, "ACTION", y)
    _draw_value(surface, match, y)
    y += 16
    if isinstance(match.env.action_space, spaces.Discrete):
        for k in _actions_shown(match):
            _draw_choice(surface, match, k, y, row)
            y += row
    elif isinstance(match.env.action_space, spaces.Box):
        for k in range(min(len(match.action_names), MOST_ACTIONS)):
            _draw_component(surface, match, k, y, row)
            y += row


def _actions_shown(match: Match) -> list[int]:
    """All actions, or the most likely ones where they are too many for the panel."""
    count = len(match.action_names)
    likely = match.insight.probabilities
    if count <= MOST_ACTIONS or likely is None:
        return list(range(min(count, MOST_ACTIONS)))
    return sorted(int(k) for k in np.argsort(-likely, kind="stable")[:MOST_ACTIONS])


def _draw_choice(surface: pygame.Surface, match: Match, k: int, y: float, row: float) -> None:
    assert isinstance(match.env.action_space, spaces.Discrete)
    chosen = match.choice == match.env.action_space.start + k
    likely = match.insight.probabilities
    colour = theme.CHOSEN if chosen else theme.OTHER
    middle, size = y + row / 2, round(min(36.0, row * 0.85))
    if chosen:
        tip = (MARGIN + 12, middle)
        corners = [(MARGIN, middle - 8), (MARGIN, middle + 8), tip]
        pygame.draw.polygon(surface, colour, corners)
    text_colour = colour if chosen else theme.TEXT
    name, left = match.action_names[k], MARGIN + 22
    letters = _fitting(name, size, 128)
    theme.write(surface, name, (left, middle), letters, text_colour, width=128)
    if likely is None:
        return
    right = surface.get_width() - MARGIN
    track = pygame.Rect(MARGIN + 160, round(y + row * 0.14), 212, round(row * 0.72))
    draw_bar(surface, track, float(likely[k]), colour)
    theme.write(surface, f"{likely[k]:.0%}", (right, middle), size, text_colour, 1.0)


def _draw_component(surface: pygame.Surface, match: Match, k: int, y: float, row: float) -> None:
    """One number of a continuous action, from 0: in the middle, or at the left if none is below."""
    space = match.env.action_space
    assert isinstance(space, spaces.Box)
    value, low, high = (float(np.ravel(each)[k]) for each in (match.choice, space.low, space.high))
    largest = max(abs(low), abs(high))
    part = value / largest if math.isfinite(largest) else math.tanh(value)
    middle, size = y + row / 2, round(min(36.0, row * 0.85))
    theme.write(surface, match.action_names[k], (MARGIN, middle), size, width=150)
    track = pygame.Rect(MARGIN + 160, round(y + row * 0.14), 212, round(row * 0.72))
    if low < 0:
        draw_signed_bar(surface, track, part, theme.CHOSEN)
    else:
        draw_bar(surface, track, part, theme.CHOSEN)
    right = surface.get_width() - MARGIN
    theme.write(surface, theme.number(value), (right, middle), size, theme.CHOSEN, 1.0)


def _draw_value(surface: pygame.Surface, match: Match, y: float) -> None:
    """The discounted return that the agent expects."""
    value = match.insight.value
    if value is None:
        return
    right = surface.get_width() - MARGIN
    written = theme.write(surface, theme.number(value), (right, y), 34, theme.TEXT, 1.0)
    text = "value: discounted return it expects"
    theme.write(surface, text, (written.left - 12, y), 22, theme.DIM, 1.0)


def _fitting(text: str, size: int, width: int) -> int:
    """The size of letters, at most `size`, for `text` to be no wider than `width` if possible."""
    while size > SMALLEST and theme.text_size(text, size)[0] > width:
        size -= 1
    return size


def _draw_heading(surface: pygame.Surface, text: str, y: float) -> None:
    theme.write(surface, text, (MARGIN, y), 24, theme.DIM)
