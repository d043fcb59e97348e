"""The language of students' rewards: what is wrong with a text, and what an editor can complete.

`problems` parses hostile text. Only `classroom.checker` calls it, in a process of the sandbox.
"""

from __future__ import annotations

import builtins
import inspect
import math
import re
from typing import Any

from classroom.problem import Problem
from classroom.subset import examine
from classroom.vocabulary import (
    BUILTINS,
    HIDDEN_FIELDS,
    MATH_CONSTANTS,
    MATH_FUNCTIONS,
    USUAL_KINDS,
)
from envs.engine.game import Game, load_game
from envs.registry import GAMES, look_up

RANGE = re.compile(r"-?[\d.]+\.\.-?[\d.]+$")


def load(game: str, options: dict[str, Any]) -> Game:
    """Return a game by its name in `envs.registry.GAMES`.

    Raises:
        ValueError: if there is no such game or variant.
    """
    return load_game(look_up(GAMES, "game", game).target, options)[0]


def problems(source: str, game: str, options: dict[str, Any]) -> list[Problem]:
    """Return what is wrong with a student's code; a reward without errors can be executed.

    Raises:
        ValueError: if there is no such game or variant.
    """
    return examine(source, load(game, options)).problems


def completions(game: str, options: dict[str, Any]) -> list[dict[str, str]]:
    """Return what an editor can complete: `label`, a short `detail` such as a unit, and `info`.

    Raises:
        ValueError: if there is no such game or variant.
    """
    definition = load(game, options)
    fields = [each for each in definition.fields if each.name not in HIDDEN_FIELDS]
    _, action, _ = USUAL_KINDS
    parts = len(definition.action_names) if definition.action_space.shape else 0
    return [
        *(
            _completion(f"{state}.{each.name}", _unit(each.meaning), each.meaning)
            for state in ("after", "before")
            for each in fields
        ),
        *([] if parts else [_completion(action, "", definition.describe_actions())]),
        *(
            _completion(f"{action}[{k}]", definition.action_names[k], definition.describe_actions())
            for k in range(parts)
        ),
        *(_completion(f"math.{name}", "", _about(getattr(math, name))) for name in MATH_FUNCTIONS),
        *(_completion(f"math.{name}", f"{getattr(math, name):.6g}", "") for name in MATH_CONSTANTS),
        *(_completion(name, "", _about(getattr(builtins, name))) for name in BUILTINS),
    ]


def _completion(label: str, detail: str, info: str) -> dict[str, str]:
    return {"label": label, "detail": detail, "info": info}


def _unit(meaning: str) -> str:
    """Return the range in the meaning of a field, or else the unit that it begins with."""
    found = RANGE.search(meaning)
    return found[0] if found else meaning.partition(",")[0]


def _about(function: Any) -> str:
    """Return the first sentence of a function's documentation."""
    text = inspect.getdoc(function) or ""
    return text.partition("\n\n")[0].partition(". ")[0].replace("\n", " ")
