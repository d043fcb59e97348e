"""The small changes that mutation testing makes to source code.

The operators are the usual ones (DeMillo, Lipton and Sayward, "Hints on test data selection", IEEE
Computer 11, 1978; King and Offutt, "A Fortran language system for mutation-based software testing",
1991). Not changed are texts, type annotations, decorators, assertions, the arguments of exceptions,
and default values in classes, which are choices such as a learning rate.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import NamedTuple

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.USub: ("-", ""),
    ast.Not: ("not ", ""),
    ast.Invert: ("~", ""),
}
PAIRS = (
    ("min", "max"),
    ("amin", "amax"),
    ("argmin", "argmax"),
    ("minimum", "maximum"),
    ("clamp_min", "clamp_max"),
    ("any", "all"),
    ("sin", "cos"),
    ("floor", "ceil"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
)
FUNCTIONS = dict(PAIRS) | {other: one for one, other in PAIRS}
"""Functions and methods that are exchanged."""
UNCHANGED_FIELDS = ("annotation", "returns", "decorator_list", "exc", "cause")
UNCHANGED_ARGUMENTS = ("strict",)  # of zip: only finds mistakes
UNCHANGED_NODES = (ast.Assert, ast.JoinedStr)


class Change(NamedTuple):
    """One change of a source text."""

    line: int
    before: str
    """The changed lines, without indentation."""
    after: str
    source: str
    """The whole changed text."""


def changes(source: str) -> Iterator[Change]:
    """Yield all changes of a Python source, in no particular order."""
    text = source.encode()  # the places in a syntax tree count bytes
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        first, last = starts[node.lineno - 1], starts[node.end_lineno - 1]
        return first + node.col_offset, last + node.end_col_offset

    def between(left: ast.expr, operator: ast.AST, right: ast.expr) -> tuple[int, int, bytes]:
        """Exchange the operator between two operands, perhaps next to brackets."""
        old, new = (each.encode() for each in OPERATORS[type(operator)])
        place = text.index(old, span(left)[1], span(right)[0])
        return place, place + len(old), new

    def edits(node: ast.AST) -> Iterator[tuple[int, int, bytes]]:
        match node:
            case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
                yield between(left, operator, right)
            case ast.AugAssign(target, operator, value) if type(operator) in OPERATORS:
                yield between(target, operator, value)
            case ast.BoolOp(connective, values):
                for left, right in itertools.pairwise(values):
                    yield between(left, connective, right)
            case ast.Compare(left, comparisons, rights):
                sides = itertools.pairwise([left, *rights])
                for (one, other), comparison in zip(sides, comparisons, strict=True):
                    yield between(one, comparison, other)
            case ast.UnaryOp(operator) if type(operator) in OPERATORS:
                start = span(node)[0]
                yield start, start + len(OPERATORS[type(operator)][0]), b""
            case ast.Constant(bool() as value):
                yield *span(node), str(not value).encode()
            case ast.Constant(int() | float() as value):
                yield *span(node), repr(value + 1).encode()
            case ast.Call(ast.Name() | ast.Attribute() as function):
                name = function.id if isinstance(function, ast.Name) else function.attr
                if name in FUNCTIONS:
                    end = span(function)[1]
                    yield end - len(name), end, FUNCTIONS[name].encode()
            case ast.Break():
                yield *span(node), b"continue"
            case ast.Continue():
                yield *span(node), b"break"
            case ast.Expr(ast.Call()) | ast.Raise():
                yield *span(node), b"pass"
        if isinstance(node, (ast.If, ast.While, ast.IfExp)):
            start, end = span(node.test)
            yield start, end, b"not (" + text[start:end] + b")"

    for node in changeable(ast.parse(source)):
        for start, end, new in edits(node):
            first = text.rfind(b"\n", 0, start) + 1
            last = (text.find(b"\n", end) + 1 or len(text) + 1) - 1
            before, after = text[first:last], text[first:start] + new + text[end:last]
            yield Change(
                text.count(b"\n", 0, start) + 1,
                before.decode().strip(),
                after.decode().strip(),
                (text[:start] + new + text[end:]).decode(),
            )


def changeable(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all nodes in it that may be changed."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in UNCHANGED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, UNCHANGED_NODES) or not isinstance(child, ast.AST):
                continue
            if isinstance(child, ast.keyword) and child.arg in UNCHANGED_ARGUMENTS:
                continue
            if isinstance(node, ast.ClassDef) and isinstance(child, ast.AnnAssign):
                continue
            yield from changeable(child)
