"""What the names at the left margin of a student's file stand for."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from classroom.problem import Problem
from classroom.source import Source
from classroom.vocabulary import (
    ACTION,
    ANNOTATIONS,
    BUILTINS,
    HIDDEN_FIELDS,
    LARGEST_EXPONENT,
    LARGEST_NUMBER,
    MATH_CONSTANTS,
    MATH_FUNCTIONS,
    NUMBER,
    PRINTING,
    REWARD_KINDS,
    STATE,
    USUAL_KINDS,
)
from envs.engine.game import Game

Number = int | float | None
"""The value of a constant expression; None if it is not known in advance."""
Value = Number | tuple[Number, ...]


@dataclass
class Function:
    """A function of a student."""

    node: ast.FunctionDef
    parameters: list[str]
    kinds: list[str]
    calls: dict[str, ast.expr] = field(default_factory=dict)
    """Functions of the student that it calls, with the place."""

    @property
    def is_term(self) -> bool:
        """Whether it can be shown as a term: it takes (before, action, after)."""
        return is_public(self.node.name) and tuple(self.kinds) == REWARD_KINDS


class Names:
    """The constants, functions and imports of a file; problems are collected here."""

    def __init__(self, source: Source, tree: ast.Module, game: Game) -> None:
        self.source = source
        self.game = game
        self.state_fields = [n for n in game.state.names or () if n not in HIDDEN_FIELDS]
        self.actions = (
            int(math.prod(game.action_space.shape or ())) if game.action_space.shape else 0
        )
        """Number of components of an action; 0 if it is one number."""
        self.problems: list[Problem] = []
        self.constants: dict[str, Value] = {}
        """Values by name; None if a value is not known in advance."""
        self.math_names: dict[str, str] = {}
        """Names imported from `math`, by the name in this file."""
        self.modules: set[str] = set()
        """Names of the module `math`."""
        self.functions: dict[str, Function] = {}
        self.read: set[str] = set()
        """Fields that the code reads, as it writes them."""
        self._collect(tree)
        self.find_kinds()

    def report(self, node: ast.AST, key: str, **words: object) -> None:
        """Add a problem."""
        self.problems.append(self.source.problem(node, key, **words))

    def check_name(self, node: ast.expr | ast.arg | None, name: str, place: ast.AST) -> bool:
        """Return whether a name can be given to something; if not, report why."""
        if name.startswith("__"):
            self.report(place, "dunder", name=name)
        elif node is not None and name not in self.source.segment(node):
            self.report(place, "normalised", name=name)
        elif name in BUILTINS or name in ("math", *PRINTING):
            self.report(place, "shadows", name=name)
        else:
            return True
        return False

    # --- Definitions

    def _collect(self, tree: ast.Module) -> None:
        """Collect what stands at the left margin."""
        for statement in tree.body:
            if isinstance(statement, ast.FunctionDef):
                self._add_function(statement)
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(statement)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    self._constant(statement, target)

    def _add_function(self, node: ast.FunctionDef) -> None:
        self._check_taken(node, node.name)
        self.check_name(None, node.name, node)
        if node.decorator_list:
            self.report(node.decorator_list[0], "decorator")
        names = self._parameters(node)
        kinds = [USUAL_KINDS.get(name, NUMBER) for name in names]
        self.functions[node.name] = Function(node, names, kinds)

    def _parameters(self, node: ast.FunctionDef) -> list[str]:
        """Check the head of a function and return the names of its parameters."""
        arguments = node.args
        names = [each.arg for each in arguments.args]
        others = (*arguments.posonlyargs, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        generic = getattr(node, "type_params", [])  # from Python 3.12 on
        if any(others) or generic or len(set(names)) < len(names):
            self.report(node, "parameters")
        if arguments.defaults:
            self.report(arguments.defaults[0], "default")
        for each in arguments.args:
            self.check_name(each, each.arg, each)
        for annotation in (node.returns, *(each.annotation for each in arguments.args)):
            plain = isinstance(annotation, ast.Name) and annotation.id in ANNOTATIONS
            if annotation is not None and not plain:
                self.report(annotation, "annotation")
        return names

    def is_taken(self, name: str) -> bool:
        """Return whether a name stands for something at the left margin."""
        taken = (self.functions, self.constants, self.math_names, self.modules)
        return any(name in each for each in taken)

    def _check_taken(self, place: ast.AST, name: str) -> None:
        """Report a name that stands for something else already."""
        if self.is_taken(name):
            self.report(place, "twice", name=name)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "math":
                    self._check_taken(node, alias.asname or "math")
                    self.modules.add(alias.asname or "math")
                else:
                    self.report(node, "import", name=alias.name)
            return
        if node.module != "math" or node.level:
            self.report(node, "import", name=node.module or ".")
            return
        for alias in node.names:
            if alias.name in MATH_FUNCTIONS or alias.name in MATH_CONSTANTS:
                self._check_taken(node, alias.asname or alias.name)
                self.math_names[alias.asname or alias.name] = alias.name
            elif alias.name == "*":
                self.report(node, "import_star")
            else:
                known = (*MATH_FUNCTIONS, *MATH_CONSTANTS)
                self.report(node, "no_math", name=alias.name, known=known)

    def _constant(self, node: ast.Assign, target: ast.expr) -> None:
        if not isinstance(target, ast.Name):
            return  # reported with the statement
        name = target.id
        self._check_taken(target, name)
        if self.check_name(target, name, target):
            self.constants[name] = self._tuple_or_value(node.value)

    # --- Kinds of parameters

    def find_kinds(self) -> None:
        """Find out which parameters of helpers are states or actions, by how they are used."""
        changed = True
        while changed:
            changed = False
            for function in self.functions.values():
                for node in ast.walk(function.node):
                    for name, kind in self._uses(node):
                        if name in function.parameters:
                            k = function.parameters.index(name)
                            changed |= function.kinds[k] == NUMBER
                            if function.kinds[k] == NUMBER:
                                function.kinds[k] = kind

    def _uses(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        match node:
            case ast.Attribute(value=ast.Name(id=name)):
                yield name, STATE
            case ast.Subscript(value=ast.Name(id=name)):
                yield name, ACTION
            case ast.Call(func=ast.Name(id=called), args=arguments) if called in self.functions:
                kinds = self.functions[called].kinds
                for argument, kind in zip(arguments, kinds, strict=False):
                    if isinstance(argument, ast.Name) and kind != NUMBER:
                        yield argument.id, kind

    # --- Values of constants

    def _tuple_or_value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Tuple):
            return tuple(self.value(each) for each in node.elts)
        return self.value(node)

    def value(self, node: ast.expr) -> Number:
        """Return the value of a constant expression; None if it is not known, or not finite."""
        try:
            found = self._value(node)
            too_large = found is None or not abs(found) <= LARGEST_NUMBER
        except (ArithmeticError, ValueError):
            return None
        return None if too_large else found

    def _value(self, node: ast.expr) -> Number:
        match node:
            case ast.Constant(value=int() | float() as value):
                return value
            case ast.Name(id=name):
                found = self.constants.get(name)
                return None if isinstance(found, tuple) else found
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.value(operand)
                return None if inner is None else -inner
            case ast.BinOp(left=left, op=operator, right=right):
                a, b = self.value(left), self.value(right)
                return None if a is None or b is None else _computed(operator, a, b)
        return None

    def turns(self, node: ast.expr) -> int | None:
        """Return how often a loop over an expression runs; None if that is not known."""
        match node:
            case ast.Tuple(elts=elements):
                return len(elements)
            case ast.Name(id=name) if isinstance(self.constants.get(name), tuple):
                return len(self.constants[name])  # type: ignore[arg-type]
            case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]):
                whole = [v for each in arguments if isinstance(v := self.value(each), int)]
                if len(whole) == len(arguments) and 1 <= len(whole) <= 3 and whole[2:] != [0]:
                    return len(range(*whole))
        return None


def is_public(name: str) -> bool:
    return not name.startswith(("_", "test_"))


def _computed(operator: ast.operator, a: float, b: float) -> Number:
    """Return the value of one operation; None if it is unknown, or may be very large.

    Raises:
        ArithmeticError: if it has no value.
    """
    if isinstance(operator, ast.Pow):
        if abs(b) > LARGEST_EXPONENT:
            return None
        value = float(a) ** b
        if not isinstance(value, float) or abs(value) > LARGEST_NUMBER:
            return None
        return a**b if isinstance(a, int) and isinstance(b, int) else value
    table: dict[type[ast.operator], Callable[[float, float], float]] = {
        ast.Add: lambda a, b: a + b,
        ast.Sub: lambda a, b: a - b,
        ast.Mult: lambda a, b: a * b,
        ast.Div: lambda a, b: a / b,
        ast.FloorDiv: lambda a, b: a // b,
        ast.Mod: lambda a, b: a % b,
    }
    compute = table.get(type(operator))
    return None if compute is None else compute(a, b)
