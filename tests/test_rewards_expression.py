"""Tests of the grammar of `--reward`."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewards.expression import (
    RewardError,
    WeightedTerm,
    file_named,
    has_code,
    is_code,
    parse,
    written,
)

VALID = [
    ("hit_or_miss", [(1.0, "hit_or_miss")]),
    ("  hit_or_miss  ", [(1.0, "hit_or_miss")]),
    ("hit_or_miss - 0.01*effort", [(1.0, "hit_or_miss"), (-0.01, "effort")]),
    ("hit_or_miss-0.01*effort", [(1.0, "hit_or_miss"), (-0.01, "effort")]),
    ("2*hit_or_miss", [(2.0, "hit_or_miss")]),
    ("+2 * hit_or_miss", [(2.0, "hit_or_miss")]),
    ("-effort", [(-1.0, "effort")]),
    ("effort*0.5", [(0.5, "effort")]),
    ("2*effort*0.5", [(1.0, "effort")]),
    ("-.5*effort + 1e-3*hit_or_miss", [(-0.5, "effort"), (1e-3, "hit_or_miss")]),
    ("1E2*hit_or_miss", [(100.0, "hit_or_miss")]),
    ("hit_or_miss + hit_or_miss", [(1.0, "hit_or_miss"), (1.0, "hit_or_miss")]),
    ("a1_b - c", [(1.0, "a1_b"), (-1.0, "c")]),
    ("größe", [(1.0, "größe")]),
    ("mine.py:follow", [(1.0, "mine.py:follow")]),
    ("mine.py", [(1.0, "mine.py")]),
    ("my-dir/my-file.py:f - 0.1*effort", [(1.0, "my-dir/my-file.py:f"), (-0.1, "effort")]),
    ("0.5*../mine.py:f + hit_or_miss", [(0.5, "../mine.py:f"), (1.0, "hit_or_miss")]),
    ("a.py - 2*b.py:f", [(1.0, "a.py"), (-2.0, "b.py:f")]),
    ("hit_or_miss - 2*a.py:f", [(1.0, "hit_or_miss"), (-2.0, "a.py:f")]),
    ("'my file.py:f' - effort", [(1.0, "my file.py:f"), (-1.0, "effort")]),
    ('2 * "my file.py:f"', [(2.0, "my file.py:f")]),
    (r"C:\students\mine.py:f", [(1.0, r"C:\students\mine.py:f")]),
    (
        r"2*C:\students\mine.py:f - hit_or_miss",
        [(2.0, r"C:\students\mine.py:f"), (-1.0, "hit_or_miss")],
    ),
    ("pack.age:f", [(1.0, "pack.age:f")]),
    ("hit_or_miss + pack:f*3", [(1.0, "hit_or_miss"), (3.0, "pack:f")]),
]


@pytest.mark.parametrize(("expression", "terms"), VALID)
def test_valid_expressions(expression: str, terms: list[tuple[float, str]]) -> None:
    assert [tuple(term) for term in parse(expression)] == terms


@pytest.mark.parametrize("expression", [expression for expression, _ in VALID])
def test_what_is_written_is_read_again(expression: str) -> None:
    assert parse(written(parse(expression))) == parse(expression)


def test_terms_are_written_with_signs_and_factors() -> None:
    terms = [(-1.0, "a"), (1.0, "b"), (2.0, "c"), (-0.5, 'my "file".py:f')]
    text = "- a + b + 2.0*c - 0.5*'my \"file\".py:f'"
    assert written([WeightedTerm(*term) for term in terms]) == text
    assert written([WeightedTerm(1.0, "mine:f")]) == '"mine:f"'


@pytest.mark.parametrize(
    ("term", "code", "file"),
    [
        ("hit_or_miss", False, ""),
        ("mine.py", True, "mine.py"),
        ("a/mine.py:f", True, "a/mine.py"),
        ("package.module:f", True, ""),
    ],
)
def test_terms_that_name_code(term: str, code: bool, file: str) -> None:
    assert is_code(term) is has_code(f"effort + {term}") is code
    assert file_named(term) == file
    assert not has_code(None)


def test_long_sums_belong_into_a_file() -> None:
    assert len(parse(" + ".join(["a"] * 100))) == 100
    with pytest.raises(RewardError, match="more than 100 terms"):
        parse(" + ".join(["a"] * 101))
    assert parse("a" * 10_000)
    with pytest.raises(RewardError, match=r"longer than 10,000 characters"):
        parse("a" * 10_001)


def test_the_name_of_an_existing_file_needs_no_quotes(tmp_path: Path) -> None:
    file = tmp_path / "my own + 2*rewards.py"
    file.write_text("")
    assert [tuple(term) for term in parse(str(file))] == [(1.0, str(file))]
    assert [tuple(term) for term in parse(f"{file}:f")] == [(1.0, f"{file}:f")]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "the reward is empty"),
        ("   ", "the reward is empty"),
        ("2", "a number alone is not a term"),
        ("hit_or_miss + 2", "a number alone is not a term.* at '2'"),
        ("hit_or_miss*effort", "terms cannot be multiplied"),
        ("hit_or_miss effort", r"expected \+ or - between two terms, at 'effort'"),
        ("hit_or_miss +", "expected a term, at its end"),
        ("hit_or_miss - - effort", "expected a term, at '- effort'"),
        ("hit_or_miss + * effort", "expected a term"),
        ("*hit_or_miss", "expected a term"),
        ("hit_or_miss*", "expected a term, at its end"),
        ("hit_or_miss / 2", "this cannot be read, at '/ 2'"),
        ("2score", "this cannot be read"),
        ("0.5.5*hit_or_miss", "a number alone is not a term"),
        ("(hit_or_miss)", "this cannot be read"),
        ("hit_or_miss ** 2", "expected a term"),
        ("hit_or_miss\n; effort", "this cannot be read"),
        ("abs(hit_or_miss)", "this cannot be read"),
        ("'hit_or_miss", "this cannot be read"),
        ("1e999*hit_or_miss", "the weight is too large, at most 1e.30 is possible, at '1e999"),
        ("1e31*hit_or_miss", "the weight is too large"),
        ("nan*hit_or_miss", "terms cannot be multiplied"),
    ],
)
def test_invalid_expressions_raise_a_one_line_error(expression: str, problem: str) -> None:
    with pytest.raises(RewardError, match=problem) as raised:
        parse(expression)
    assert "\n" not in str(raised.value)
    assert not expression.strip() or repr(expression) in str(raised.value)
