"""The panel beside the game: what the agent gets, thinks and does, in letters for the back row."""

from __future__ import annotations

import math

import numpy as np
import pygame
from gymnasium import spaces

from playing import theme
from playing.match import Match

MARGIN = 28
MOST_TERMS = 6
MOST_ACTIONS = 9
SMALLEST = 18  # letters, pixels


def draw_panel(surface: pygame.Surface, match: Match, pace: str) -> None:
    """Draw the panel over the whole of `surface`; `pace` says how fast the match goes."""
    surface.fill(theme.PANEL)
    height = surface.get_height()
    terms = min(len(match.terms), MOST_TERMS)
    actions = min(len(match.action_names), MOST_ACTIONS)
    row = min(46.0, (height - 376) / (terms + actions))
    _draw_player(surface, match, pace)
    _draw_numbers(surface, match)
    y = _draw_terms(surface, match, 216, row)
    y = _draw_actions(surface, match, y + 22, row)
    _draw_value(surface, match, y + 34)
    hints = "space pause   .  step   n next   tab agent   k you play   h help"
    theme.write(surface, hints, (surface.get_width() / 2, height - 24), 22, theme.DIM, 0.5)


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
    theme.write(surface, big[0], (MARGIN, 102), 24, theme.DIM)
    theme.write(surface, theme.number(big[1]), (MARGIN, 152), 108, theme.TEXT)
    rows = [("step", theme.number(episode.steps)), ("episode", str(episode.number + 1))]
    if episode.score is not None:
        rows.insert(0, ("return", theme.number(episode.total_reward)))
    right = surface.get_width() - MARGIN
    for k, (name, value) in enumerate(rows):
        y = 102 + 36 * k
        theme.write(surface, name, (right - 110, y), 28, theme.DIM, 1.0)
        theme.write(surface, value, (right, y), 38, theme.TEXT, 1.0)


def _draw_terms(surface: pygame.Surface, match: Match, y: float, row: float) -> float:
    """Each reward term: now, as a bar, and summed up over the episode; returns where it ends."""
    right = surface.get_width() - MARGIN
    _draw_heading(surface, "REWARD", y)
    theme.write(surface, "now", (right - 96, y), 22, theme.DIM, 1.0)
    theme.write(surface, "episode", (right, y), 22, theme.DIM, 1.0)
    size = round(min(36.0, row * 0.85))
    y += 16
    for name, term in list(match.terms.items())[:MOST_TERMS]:
        middle = y + row / 2
        label = name if term.weight == 1 else f"{term.weight:g} {name}"
        theme.write(surface, label, (MARGIN, middle), _fitting(label, size, 150), width=150)
        track = pygame.Rect(MARGIN + 160, round(y + row * 0.22), 118, round(row * 0.56))
        colours = (theme.GOOD, theme.BAD) if term.weight >= 0 else (theme.BAD, theme.GOOD)
        _draw_signed_bar(surface, track, term.shown / term.largest, *colours)
        theme.write(surface, theme.number(term.now), (right - 96, middle), size, align=1.0)
        theme.write(surface, theme.number(term.total), (right, middle), size, align=1.0)
        y += row
    return y


def _draw_actions(surface: pygame.Surface, match: Match, y: float, row: float) -> float:
    """Each action and how likely it is, the chosen one in another colour; returns where it ends."""
    _draw_heading(surface, "ACTION", y)
    y += 16
    if isinstance(match.env.action_space, spaces.Discrete):
        for k in _actions_shown(match):
            _draw_choice(surface, match, k, y, row)
            y += row
    elif isinstance(match.env.action_space, spaces.Box):
        for k in range(min(len(match.action_names), MOST_ACTIONS)):
            _draw_component(surface, match, k, y, row)
            y += row
    return y


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
    theme.write(surface, match.action_names[k], (MARGIN + 22, middle), size, text_colour, width=128)
    if likely is None:
        return
    right = surface.get_width() - MARGIN
    track = pygame.Rect(MARGIN + 160, round(y + row * 0.14), 212, round(row * 0.72))
    _draw_bar(surface, track, float(likely[k]), colour)
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
        _draw_signed_bar(surface, track, part, theme.CHOSEN, theme.CHOSEN)
    else:
        _draw_bar(surface, track, part, theme.CHOSEN)
    right = surface.get_width() - MARGIN
    theme.write(surface, theme.number(value), (right, middle), size, theme.CHOSEN, 1.0)


def _draw_value(surface: pygame.Surface, match: Match, y: float) -> None:
    value = match.insight.value
    if value is None:
        return
    right = surface.get_width() - MARGIN
    _draw_heading(surface, "VALUE", y)
    theme.write(surface, "discounted return it expects", (MARGIN + 80, y), 24, theme.DIM)
    theme.write(surface, theme.number(value), (right, y), 38, theme.TEXT, 1.0)


def _fitting(text: str, size: int, width: int) -> int:
    """The size of letters, at most `size`, for `text` to be no wider than `width` if possible."""
    while size > SMALLEST and theme.text_size(text, size)[0] > width:
        size -= 1
    return size


def _draw_heading(surface: pygame.Surface, text: str, y: float) -> None:
    theme.write(surface, text, (MARGIN, y), 24, theme.DIM)


def _draw_track(surface: pygame.Surface, track: pygame.Rect) -> None:
    pygame.draw.rect(surface, theme.TRACK, track, border_radius=5)


def _draw_bar(
    surface: pygame.Surface, track: pygame.Rect, part: float, colour: theme.Colour
) -> None:
    """A bar over `part` (0..1) of `track`, from the left."""
    _draw_track(surface, track)
    bar = track.copy()
    bar.width = round(min(max(part, 0.0), 1.0) * track.width)
    pygame.draw.rect(surface, colour, bar, border_radius=5)


def _draw_signed_bar(
    surface: pygame.Surface,
    track: pygame.Rect,
    part: float,
    positive: theme.Colour,
    negative: theme.Colour,
) -> None:
    """A bar from the middle of `track` to the right (`part` 0..1) or to the left (-1..0)."""
    _draw_track(surface, track)
    length = round(min(max(part, -1.0), 1.0) * track.width / 2)
    bar = pygame.Rect(track.centerx + min(length, 0), track.top, abs(length), track.height)
    pygame.draw.rect(surface, positive if length > 0 else negative, bar, border_radius=5)
    middle = track.centerx
    pygame.draw.line(surface, theme.DIM, (middle, track.top - 2), (middle, track.bottom + 1), 2)
