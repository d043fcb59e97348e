"""The grammar of `--reward`: a weighted sum of terms, which is parsed and never evaluated."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

TOKEN = re.compile(
    r"""\s*(?:
    (?P<quoted>'[^']*'|"[^"]*")               # 'a file with spaces.py:function'
  | (?P<file>[^\s*'"]+?\.py(?::\w+)?(?=[\s*]|$))  # folder/file.py:function
  | (?P<learned>(?:[^\s*'"]*/)?preferences/[\w.-]+)  # folder of a reward that was learned
  | (?P<module>[^\W\d]\w*(?:\.\w+)*:\w+)       # package.module:function
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
  | (?P<name>[^\W\d]\w*)
  | (?P<operator>[-+*])
    )""",
    re.VERBOSE,
)

LEARNED = "preferences"
"""Name of the folder that holds the folders of learned rewards."""
LONGEST = 10_000  # characters
MOST_TERMS = 100  # more would take long to compile
LARGEST_WEIGHT = 1e30  # sums of built-in terms, which are not tried, then fit into float32


class RewardError(ValueError):
    """A reward cannot be used; the message says in one line what is wrong and where."""


class WeightedTerm(NamedTuple):
    """`weight * term`, with the term as the user wrote it."""

    weight: float
    term: str


def is_learned(term: str) -> bool:
    """Return whether a term as written names the folder of a learned reward, `preferences/NAME`."""
    path = Path(term)
    is_folder = ":" not in path.name and path.suffix != ".py"
    return is_folder and path.parent.name == LEARNED


def is_code(term: str) -> bool:
    """Return whether a term as written names a user's file or module, whose code is executed."""
    return (":" in term or term.endswith(".py")) and not is_learned(term)


def has_learned(expression: str | None) -> bool:
    """Return whether a reward names the folder of a learned reward.

    Raises:
        RewardError: if it is not a reward.
    """
    return expression is not None and any(is_learned(part.term) for part in parse(expression))


def has_code(expression: str | None) -> bool:
    """Return whether a reward names a file or module, whose code would be executed.

    Raises:
        RewardError: if it is not a reward.
    """
    return expression is not None and any(is_code(part.term) for part in parse(expression))


def file_named(term: str) -> str:
    """Return the file in a term as written; empty if it names none."""
    place = term if term.endswith(".py") else term.rpartition(":")[0]
    return place if place.endswith(".py") else ""


def written(terms: Sequence[WeightedTerm]) -> str:
    """Write terms as `parse` reads them; files are quoted, as their names may have spaces."""
    parts = []
    for weight, term in terms:
        factor = "" if abs(weight) == 1.0 else f"{abs(weight)!r}*"
        named = is_code(term) or is_learned(term)
        quote = "" if not named else "'" if '"' in term else '"'
        parts.append(f"{'-' if weight < 0 else '+'} {factor}{quote}{term}{quote}")
    return " ".join(parts).removeprefix("+ ")


def parse(expression: str) -> list[WeightedTerm]:
    """Parse `"hit_or_miss - 0.01*effort"` into [(1.0, "hit_or_miss"), (-0.01, "effort")].

    A term is a name, `file.py:function`, `module:function` or `preferences/NAME`; file names with
    spaces are quoted, and operators next to a file name need spaces around them.

    Raises:
        RewardError: if it is not a sum of terms with constant weights.
    """
    if len(expression) > LONGEST:
        raise RewardError(f"the reward is longer than {LONGEST:,} characters: put it into a file")
    path, _, function = expression.rpartition(":")
    file = Path(path if function.isidentifier() else expression)
    if file.suffix == ".py" and file.is_file():
        return [WeightedTerm(1.0, expression)]
    tokens = _tokens(expression)
    terms: list[WeightedTerm] = []
    while tokens:
        sign = 1.0
        if terms or tokens[0][1] in "+-":
            _, text, place = tokens.pop(0)
            if text not in ("+", "-"):
                raise _error(expression, place, "expected + or - between two terms")
            sign = -1.0 if text == "-" else 1.0
        weight, term = _product(expression, tokens)
        terms.append(WeightedTerm(sign * weight, term))
    if len(terms) > MOST_TERMS:
        raise RewardError(f"the reward has more than {MOST_TERMS} terms: put the sum into a file")
    if not terms:
        raise RewardError("the reward is empty; name a term, such as --reward hit_or_miss")
    return terms


def _product(expression: str, tokens: list[tuple[str, str, int]]) -> tuple[float, str]:
    """Remove `term`, `number * term` or `term * number` from the front of `tokens`."""
    factors = [_factor(expression, tokens)]
    while tokens and tokens[0][1] == "*":
        tokens.pop(0)
        factors.append(_factor(expression, tokens))
    names = [text for kind, text, _ in factors if kind != "number"]
    if len(names) != 1:
        problem = "a number alone is not a term" if not names else "terms cannot be multiplied"
        raise _error(expression, factors[0][2], f"{problem}; write number*term")
    weight = math.prod(float(text) for kind, text, _ in factors if kind == "number")
    if weight > LARGEST_WEIGHT:
        problem = f"the weight is too large, at most {LARGEST_WEIGHT:.0e} is possible"
        raise _error(expression, factors[0][2], problem)
    return weight, names[0]


def _factor(expression: str, tokens: list[tuple[str, str, int]]) -> tuple[str, str, int]:
    if not tokens:
        raise _error(expression, len(expression), "expected a term")
    kind, text, place = tokens.pop(0)
    if kind == "operator":
        raise _error(expression, place, "expected a term")
    return kind, text.strip("'\"") if kind == "quoted" else text, place


def _tokens(expression: str) -> list[tuple[str, str, int]]:
    """Return the tokens of `expression` as (kind, text, place)."""
    tokens, place, end = [], 0, len(expression.rstrip())
    while place < end:
        match = TOKEN.match(expression, place)
        if match is None:
            raise _error(expression, place, "this cannot be read")
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind], match.start(kind)))
        place = match.end()
    return tokens


def _error(expression: str, place: int, problem: str) -> RewardError:
    rest = expression[place:].strip()
    where = f"at {rest!r}" if rest else "at its end"
    return RewardError(f"reward {expression!r}: {problem}, {where}")
