"""Korean documents have the headings, the code and the tables of the English ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envs.registry import AGENTS

ROOT = Path(__file__).parent.parent
COURSE = ("index", "lesson1", "lesson2", "lesson3", "lesson4", "single_lesson")
DOCUMENTS = (
    *("README", "docs/first_reward", "docs/rewards_gone_wrong", "docs/python", "docs/lecture"),
    "docs/classroom",
    *(f"docs/course/{name}" for name in COURSE),
)
CODE = re.compile(r"^```[^\n]*\n.*?^```$|(?:^ {4}\S[^\n]*\n)+|(?:^>[^\n]*\n)+", re.M | re.S)
COMMENT = re.compile(r"(^| +)#.*$", re.M)


def both(document: str) -> tuple[str, str]:
    """Return the English and the Korean text of a document."""
    english, korean = (ROOT / f"{document}{suffix}.md" for suffix in ("", ".ko"))
    return english.read_text("utf-8"), korean.read_text("utf-8")


def code(text: str) -> list[str]:
    """Return the blocks of code and output, without comments and the choice of a language."""
    blocks = [COMMENT.sub("", block) for block in CODE.findall(text)]
    return [block.replace(" --lang ko", "").rstrip() for block in blocks]


def headings(text: str) -> list[tuple[int, list[str]]]:
    """Return the level of each heading, with its number and code."""
    lines = re.findall(r"^(#+) (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return [(len(marks), re.findall(r"^\d+\.|`[^`]+`", title)) for marks, title in lines]


def numbers_in_tables(text: str) -> list[list[str]]:
    """Return the numbers in each row of a Markdown table."""
    return [
        re.findall(r"[-+]?\d[\d,]*(?:\.\d+)?", row) for row in re.findall(r"^\|.*\|$", text, re.M)
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_both_languages_have_the_same_code_in_the_same_order(document: str) -> None:
    english, korean = map(code, both(document))
    assert english == korean
    assert english


@pytest.mark.parametrize("document", DOCUMENTS)
def test_both_languages_have_the_same_headings(document: str) -> None:
    english, korean = map(headings, both(document))
    assert english == korean


def test_both_readmes_have_the_same_numbers_in_tables() -> None:
    english, korean = map(numbers_in_tables, both("README"))
    assert [row for row in english if len(row) > 1] == [row for row in korean if len(row) > 1]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_language_links_to_the_other(document: str) -> None:
    english, korean = both(document)
    name = Path(document).name
    assert f"[한국어]({name}.ko.md)" in english
    assert f"[English]({name}.md)" in korean


def test_the_korean_readme_names_every_agent() -> None:
    _, korean = both("README")
    named = re.findall(r"^\| `(\w+)` \| .*[가-힣].*\|$", korean, re.M)
    assert named == list(AGENTS)
