"""What there is in the language of students' rewards, and how much of it."""

from __future__ import annotations

import ast

NUMBER, STATE, ACTION, TUPLE, UNKNOWN = "number", "state", "action", "tuple", ""
"""What an expression is; `UNKNOWN` after a problem, so that it is reported once."""
REWARD_KINDS = (STATE, ACTION, STATE)
USUAL_KINDS = {"before": STATE, "action": ACTION, "after": STATE}

MOST = 100  # arguments of a call, numbers in a tuple
MOST_TURNS = 1000  # of a loop
MOST_WORK = 20_000  # operations of one call of a reward
MOST_PROBLEMS = 20
LARGEST_EXPONENT = 10
LARGEST_NUMBER = 1e30
HIDDEN_FIELDS = ("rng",)
"""Fields of the engine, about which no reward should care."""

BUILTINS: dict[str, tuple[int, int]] = {
    "abs": (1, 1),
    "bool": (1, 1),
    "float": (1, 1),
    "int": (1, 1),
    "len": (1, 1),
    "max": (1, MOST),
    "min": (1, MOST),
    "range": (1, 3),
    "round": (1, 2),
    "sum": (1, 1),
}
"""Python's functions that a reward may call, with their least and most arguments."""
OF_TUPLES = ("len", "max", "min", "sum")  # with one argument
MATH_FUNCTIONS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos"), (1, 1)),
    **dict.fromkeys(("cosh", "degrees", "erf", "exp", "expm1", "fabs", "floor"), (1, 1)),
    **dict.fromkeys(("isfinite", "isinf", "isnan", "log10", "log1p", "log2"), (1, 1)),
    **dict.fromkeys(("radians", "sin", "sinh", "sqrt", "tan", "tanh", "trunc"), (1, 1)),
    **dict.fromkeys(("atan2", "copysign", "fmod", "hypot", "pow"), (2, 2)),
    "log": (1, 2),
}
MATH_CONSTANTS = ("e", "inf", "pi", "tau")
PRINTING = ("print", "input", "open", "display")
ANNOTATIONS = ("float", "int", "bool")

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
REFUSED: dict[type[ast.AST], str] = {
    ast.AsyncFor: "async",
    ast.AsyncFunctionDef: "async",
    ast.AsyncWith: "async",
    ast.Await: "async",
    ast.Assert: "assert",
    ast.ClassDef: "class",
    ast.Delete: "delete",
    ast.Dict: "collection",
    ast.DictComp: "comprehension",
    ast.FormattedValue: "text",
    ast.FunctionDef: "nested",
    ast.GeneratorExp: "comprehension",
    ast.Global: "global",
    ast.Import: "import_place",
    ast.ImportFrom: "import_place",
    ast.JoinedStr: "text",
    ast.Lambda: "lambda",
    ast.List: "collection",
    ast.ListComp: "comprehension",
    ast.Match: "match",
    ast.NamedExpr: "walrus",
    ast.Nonlocal: "global",
    ast.Raise: "raise",
    ast.Set: "collection",
    ast.SetComp: "comprehension",
    ast.Slice: "slice",
    ast.Starred: "star",
    ast.Try: "try",
    ast.TryStar: "try",
    ast.While: "while",
    ast.With: "with",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
}
"""Syntax outside of the subset that has a sentence of its own; the rest is `outside`."""
