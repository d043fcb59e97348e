"""Checks expressions in a student's code."""

from __future__ import annotations

import ast
import unicodedata

from classroom.names import Names
from classroom.vocabulary import (
    ACTION,
    BUILTINS,
    COMPARISONS,
    LARGEST_EXPONENT,
    LARGEST_NUMBER,
    MATH_CONSTANTS,
    MATH_FUNCTIONS,
    MOST,
    NUMBER,
    OF_TUPLES,
    OPERATORS,
    PRINTING,
    REFUSED,
    STATE,
    TUPLE,
    UNKNOWN,
)


class Expressions:
    """The expressions of one function, or the values of constants."""

    def __init__(
        self,
        names: Names,
        parameters: dict[str, str],
        variables: set[str],
        calls: dict[str, ast.expr] | None = None,
    ) -> None:
        self.names = names
        self.report = names.report
        self.parameters = parameters
        self.variables = variables
        self.calls = {} if calls is None else calls
        self.known: frozenset[str] = frozenset()
        """Variables that have a value here on every path."""

    def constant(self, node: ast.expr) -> None:
        """Check the value of a constant: a number, or a tuple of numbers."""
        if isinstance(node, ast.Tuple):
            self.kind(node)
        else:
            self.number(node)

    def number(self, node: ast.expr | None) -> None:
        """Check an expression that has to be a number."""
        if node is None:
            return
        kind = self.kind(node)
        if kind == STATE:
            self.report(
                node, "whole_state", name=ast.unparse(node), field=self.names.state_fields[0]
            )
        elif kind == ACTION and self.names.actions:
            self.report(node, "whole_action", actions=self.names.game.describe_actions())
        elif kind == TUPLE:
            self.report(node, "whole_tuple")

    def kind(self, node: ast.expr) -> str:
        """Check an expression and return its kind."""
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
            case ast.Tuple(elts=elements):
                if len(elements) > MOST:
                    self.report(node, "tuple", most=MOST)
                    return UNKNOWN
                for each in elements:
                    self.number(each)
                return TUPLE
            case ast.BinOp(left=left, op=operator, right=right):
                self.number(left)
                self.number(right)
                self.operation(node, operator, left, right)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub() | ast.Not(), operand=operand):
                self.number(operand)
            case ast.BoolOp(values=values):
                for each in values:
                    self.number(each)
            case ast.Compare(left=left, ops=operators, comparators=others):
                for comparison in operators:
                    if not isinstance(comparison, COMPARISONS):
                        self.report(node, "comparison")
                for each in (left, *others):
                    self.number(each)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                for each in (test, body, orelse):
                    self.number(each)
            case _:
                self.outside(node)
                return UNKNOWN
        return NUMBER

    def outside(self, node: ast.stmt | ast.expr) -> None:
        """Report syntax that is not in the subset."""
        key = REFUSED.get(type(node), "outside")
        self.report(node, key, name=ast.unparse(node).partition("\n")[0][:40])

    def _literal(self, node: ast.Constant) -> str:
        value = node.value
        if isinstance(value, str | bytes):
            self.report(node, "text")
        elif value is None or value is ...:
            self.report(node, "none", name=repr(value))
        elif isinstance(value, complex):
            self.report(node, "complex")
        elif not abs(value) <= LARGEST_NUMBER:
            self.report(node, "huge_number")
        else:
            return NUMBER
        return UNKNOWN

    # --- Names

    def _name(self, node: ast.Name) -> str:
        name, names = node.id, self.names
        if name not in names.source.segment(node):
            self.report(node, "normalised", name=name)
        elif name.startswith("__"):
            self.report(node, "dunder", name=name)
        elif name in self.parameters:
            return self.parameters[name]
        elif name in self.variables:
            if name in self.known:
                return NUMBER
            self.report(node, "no_value", name=name)
        elif name in names.constants:
            return TUPLE if isinstance(names.constants[name], tuple) else NUMBER
        elif names.math_names.get(name) in MATH_CONSTANTS:
            return NUMBER
        elif name in names.functions or name in names.math_names or name in BUILTINS:
            self.report(node, "not_called", name=name)
        elif name in names.modules:
            self.report(node, "module", name=name)
        else:
            self._unknown(node, name)
        return UNKNOWN

    def _unknown(self, node: ast.expr, name: str, called: bool = False) -> None:
        """Report a name that means nothing here."""
        names, states = self.names, [k for k, v in self.parameters.items() if v == STATE]
        functions = [*names.functions, *names.math_names, *BUILTINS]
        known = [*self.parameters, *self.variables, *names.constants, *functions]
        odd = next((letter for letter in name if not letter.isascii()), "")
        if odd and any(letter.isascii() and letter.isalpha() for letter in name):
            self.report(node, "look_alike", name=name, letter=unicodedata.name(odd, odd))
        elif name in PRINTING:
            self.report(node, "printing", name=name)
        elif name in names.state_fields and states and not called:
            self.report(node, "field_alone", name=name, state=states[-1])
        elif name == "math":
            self.report(node, "import_math")
        elif name in MATH_FUNCTIONS:
            self.report(node, "math_alone", name=name)
        elif called:
            self.report(node, "no_function", name=name, known=functions)
        else:
            self.report(node, "no_name", name=name, known=known)

    def _attribute(self, node: ast.Attribute) -> str:
        names, name = self.names, node.attr
        if name.startswith("__"):
            self.report(node, "dunder", name=name)
            return UNKNOWN
        if name not in names.source.segment(node) and node.lineno == node.end_lineno:
            self.report(node, "normalised", name=name)
            return UNKNOWN
        if isinstance(node.value, ast.Name) and node.value.id in names.modules:
            if name in MATH_CONSTANTS:
                return NUMBER
            self._math_alone(node, name)
            return UNKNOWN
        if not isinstance(node.value, ast.Name):
            self.report(node, "attribute", name=name)
            return UNKNOWN
        owner, kind = node.value.id, self.kind(node.value)
        if kind == STATE:
            if name in names.state_fields:
                names.read.add(f"{owner}.{name}")
                return NUMBER
            self.report(
                node,
                "no_field",
                place=f"{owner}.{name}",
                game=names.game.name,
                name=name,
                known=names.state_fields,
            )
        elif kind == ACTION:
            actions = names.game.describe_actions()
            self.report(node, "action_field", name=f"{owner}.{name}", actions=actions)
        elif kind != UNKNOWN:
            self.report(node, "attribute", name=name)
        return UNKNOWN

    def _math_alone(self, node: ast.Attribute, name: str) -> None:
        if name in MATH_FUNCTIONS:
            self.report(node, "not_called", name=f"math.{name}")
        else:
            self.report(node, "no_math", name=name, known=(*MATH_FUNCTIONS, *MATH_CONSTANTS))

    def _subscript(self, node: ast.Subscript) -> str:
        names = self.names
        kind = self.kind(node.value)
        index = node.slice
        if isinstance(index, ast.Constant) and isinstance(index.value, str) and kind == STATE:
            name = f"{ast.unparse(node.value)}.{index.value}"
            self.report(node, "brackets", name=name[:40])
        elif kind == ACTION:
            value = names.value(index)
            if not names.actions:
                self.report(node, "action_number", actions=names.game.describe_actions())
            elif not isinstance(value, int) or not 0 <= value < names.actions:
                self.report(node, "action_index", actions=names.game.describe_actions())
            else:
                return NUMBER
        elif kind == TUPLE:
            self.number(index)
            return NUMBER
        elif kind != UNKNOWN:
            self.report(node, "subscript")
        return UNKNOWN

    # --- Operators and calls

    def operation(
        self, node: ast.AST, operator: ast.operator, left: ast.expr, right: ast.expr
    ) -> None:
        """Check one of Python's operators with two numbers."""
        value = self.names.value(right)
        if not isinstance(operator, OPERATORS):
            bitwise = isinstance(operator, ast.BitAnd | ast.BitOr)
            self.report(node, "bitwise" if bitwise else "operator")
        elif isinstance(operator, ast.Div | ast.FloorDiv | ast.Mod) and value == 0:
            self.report(node, "zero")
        elif isinstance(operator, ast.Pow):
            if value is None or abs(value) > LARGEST_EXPONENT:
                self.report(right, "exponent", most=LARGEST_EXPONENT)
            elif self.names.value(left) == 0 and value < 0:
                self.report(node, "zero")

    def _call(self, node: ast.Call) -> str:
        names = self.names
        for each in node.args:
            if isinstance(each, ast.Starred):
                self.report(each, "star")
                return UNKNOWN
        match node.func:
            case ast.Name(id=name) if name in self.parameters or name in self.variables:
                self.report(node.func, "no_call", name=name)
            case ast.Name(id=name) if name in names.functions:
                return self._own(node, name)
            case ast.Name(id=name) if names.math_names.get(name) in MATH_FUNCTIONS:
                return self._counted(node, name, MATH_FUNCTIONS[names.math_names[name]])
            case ast.Name(id=name) if name in BUILTINS:
                return self._builtin(node, name)
            case ast.Name(id=name) if name in names.constants or name in names.math_names:
                self.report(node.func, "no_call", name=name)
            case ast.Name(id=name):
                self._unknown_function(node.func, name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in names.modules:
                if name in MATH_FUNCTIONS:
                    return self._counted(node, f"math.{name}", MATH_FUNCTIONS[name])
                self._math_alone(node.func, name)
            case ast.Attribute():
                if self._attribute(node.func) == NUMBER:
                    self.report(node.func, "no_call", name=ast.unparse(node.func))
            case _:
                self.outside(node.func)
        return UNKNOWN

    def _unknown_function(self, node: ast.Name, name: str) -> None:
        if name.startswith("__"):
            self.report(node, "dunder", name=name)
        elif name not in self.names.source.segment(node):
            self.report(node, "normalised", name=name)
        else:
            self._unknown(node, name, called=True)

    def _own(self, node: ast.Call, name: str) -> str:
        """Check a call of a function of the student."""
        function = self.names.functions[name]
        self.calls.setdefault(name, node)
        words = {"name": name, "parameters": ", ".join(function.parameters)}
        given = dict(zip(function.parameters, node.args, strict=False))
        for keyword in node.keywords:
            if keyword.arg is None:
                self.report(keyword.value, "star")
                return UNKNOWN
            if keyword.arg not in function.parameters:
                words["parameter"] = keyword.arg
                self.report(keyword, "no_parameter", **words, known=function.parameters)
                return UNKNOWN
            if keyword.arg in given:
                self.report(node, "argument_count", **words)
                return UNKNOWN
            given[keyword.arg] = keyword.value
        if len(node.args) > len(function.parameters) or len(given) < len(function.parameters):
            self.report(node, "argument_count", **words)
            return UNKNOWN
        for parameter, kind in zip(function.parameters, function.kinds, strict=True):
            self._argument(given[parameter], kind, name, parameter)
        return NUMBER

    def _argument(self, node: ast.expr, kind: str, name: str, parameter: str) -> None:
        if kind == NUMBER or (kind == ACTION and not self.names.actions):
            self.number(node)
            return
        found = self.kind(node)
        if found not in (kind, UNKNOWN):
            key = "argument_state" if kind == STATE else "argument_action"
            self.report(node, key, name=name, parameter=parameter)

    def _builtin(self, node: ast.Call, name: str) -> str:
        if name == "range":
            self.report(node, "range_place")
            return UNKNOWN
        if name in OF_TUPLES and len(node.args) == 1 and not node.keywords:
            before = len(self.names.problems)
            kind = self.kind(node.args[0])
            empty = isinstance(node.args[0], ast.Tuple) and not node.args[0].elts
            if (empty or kind != TUPLE) and len(self.names.problems) == before:
                self.report(node, "of_tuple", name=name)
            return NUMBER
        if name == "round" and len(node.args) == 2:
            digits = self.names.value(node.args[1])
            if not isinstance(digits, int) or abs(digits) > LARGEST_EXPONENT:
                self.report(node.args[1], "digits", most=LARGEST_EXPONENT)
                return UNKNOWN
        return self._counted(node, name, BUILTINS[name])

    def _counted(self, node: ast.Call, name: str, limits: tuple[int, int]) -> str:
        """Check a call of a function of numbers."""
        least, most = limits
        if node.keywords:
            self.report(node, "keyword", name=name)
        elif not least <= len(node.args) <= most:
            shown = str(least) if least == most else f"{least}..{most}"
            self.report(node, "count", name=name, count=shown, given=len(node.args))
        else:
            for each in node.args:
                self.number(each)
            return NUMBER
        return UNKNOWN
