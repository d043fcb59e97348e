"""Texts in TOML files: both languages say the same things, in plain words."""

from __future__ import annotations

import importlib
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import classroom.texts
import playing.texts
import reward_lab.texts
import rewards.check.texts
import rewards.exercises
import stages.lab.texts
import training.doctor.texts
from envs.engine.game import load_game
from envs.registry import EXPERIMENTS, GAMES
from rewards.check.events import events_of
from rewards.check.recorded_games import NOTHING, RANDOM
from rewards.texts import LANGUAGES, load_texts

FOLDERS = (
    *(stages.lab.texts.FOLDER, rewards.check.texts.FOLDER),
    *(playing.texts.FOLDER, reward_lab.texts.FOLDER, rewards.exercises.FOLDER),
    *(training.doctor.texts.FOLDER, classroom.texts.FOLDER),
)
TABLES = [(folder, name) for folder in FOLDERS for name in load_texts(folder, "en")]
TASKS = ("balance", "goal", "path", "slow")
STIFF = re.compile(
    r"\b(who|whose|beside|anew|in thought|at rest|lopsided|bod(y|ies)|guess(es)?|answers? right|"
    r"less that of|as well than|which are no|by hand|by chance)\b",
    re.IGNORECASE,
)
"""Words that read as if translated, or that are not this project's terms."""


def leaves(texts: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each sentence of a table, with the keys and indices that lead to it."""
    if isinstance(texts, str):
        yield place, texts
        return
    for key, value in texts.items() if isinstance(texts, dict) else enumerate(texts):
        yield from leaves(value, f"{place}/{key}")


def placeholders(sentence: str) -> set[str]:
    """Return what stands in braces, without the format."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_both_languages_have_the_same_tables_and_every_experiment_has_one(folder: Path) -> None:
    english, korean = (list(load_texts(folder, lang)) for lang in LANGUAGES)
    assert english == korean
    if folder == stages.lab.texts.FOLDER:
        assert set(english) == {
            "lab",
            "tries",
            "next_token",
            "claims",
            "preparing",
            "token_map",
            *EXPERIMENTS,
        }


@pytest.mark.parametrize(("folder", "name"), TABLES)
def test_both_languages_have_the_same_sentences_with_the_same_placeholders(
    folder: Path, name: str
) -> None:
    english, korean = (
        {place: placeholders(text) for place, text in leaves(load_texts(folder, lang)[name])}
        for lang in LANGUAGES
    )
    assert english == korean


@pytest.mark.parametrize(("folder", "name"), TABLES)
def test_no_sentence_is_empty_and_no_english_one_is_stiff(folder: Path, name: str) -> None:
    for lang in LANGUAGES:
        assert all(text.strip() for _, text in leaves(load_texts(folder, lang)[name]))
    for place, text in leaves(load_texts(folder, "en")[name]):
        assert not STIFF.search(text), place


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_event_and_player_of_check_has_a_name(lang: str) -> None:
    texts = load_texts(rewards.check.texts.FOLDER, lang)
    for name, options in (("paddle", {}), *(("bicycle", {"task": task}) for task in TASKS)):
        entry = GAMES[name]
        game, _ = load_game(entry.target, options)
        assert events_of(game, entry.rewards).by_name().keys() <= texts["events"].keys()
        rules = importlib.import_module(game.rules_module).rules(game.action_space)
        assert {NOTHING, RANDOM, *rules} <= texts["players"].keys()
