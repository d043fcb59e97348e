"""The part of Python that students' rewards may use, checked on the syntax tree.

Everything that is not allowed here is refused, so that new syntax of Python is refused, too. What
is left can only compute with the numbers of the game: it reads no other object, and the number of
operations of a call is known before it runs.
"""

from __future__ import annotations

import ast
import math
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from classroom.problem import ERROR, Problem
from classroom.source import Source
from envs.engine.game import Game
from rewards.terms import USUAL_NAME

NUMBER, STATE, ACTION, TUPLE, UNKNOWN = "number", "state", "action", "tuple", ""
"""What an expression is; `UNKNOWN` after a problem, so that it is reported once."""
REWARD_KINDS = (STATE, ACTION, STATE)
USUAL_KINDS = {"before": STATE, "action": ACTION, "after": STATE}

MOST = 100  # arguments of a call, numbers in a tuple
MOST_TURNS = 1000  # of a loop
MOST_WORK = 10_000  # operations of one call of a reward
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
        return _is_public(self.node.name) and tuple(self.kinds) == REWARD_KINDS


@dataclass
class Program:
    """What the checker found out about a student's code."""

    problems: list[Problem]
    tree: ast.Module | None = None
    """Only if there is no error."""
    reward: str = ""
    """Name of the function that is the reward."""
    terms: list[str] = field(default_factory=list)
    """Names of all functions that can be shown as terms, in their order; one is the reward."""
    lines: dict[str, int] = field(default_factory=dict)
    """Line of each of them."""
    fields: list[str] = field(default_factory=list)
    """What it reads, such as `after.ball_y`, sorted."""
    work: int = 0
    """Upper bound of the operations of one call of every term."""


def examine(text: str, game: Game) -> Program:
    """Check a student's code for a game."""
    source = Source(text)
    tree = source.tree()
    if isinstance(tree, Problem):
        return Program([tree])
    return _Module(source, tree, game).program()


class _Module:
    """All that stands at the left margin of a student's file, and the problems of the whole."""

    def __init__(self, source: Source, tree: ast.Module, game: Game) -> None:
        self.source = source
        self.tree = tree
        self.game = game
        self.state_fields = [n for n in game.state.names or () if n not in HIDDEN_FIELDS]
        self.actions = int(math.prod(game.action_space.shape or ())) if game.action_space.shape else 0
        """Number of components of an action; 0 if it is one number."""
        self.problems: list[Problem] = []
        self.constants: dict[str, float | tuple[Any, ...] | None] = {}
        """Values by name; None if a value is not known in advance."""
        self.math_names: dict[str, str] = {}
        """Names imported from `math`, by the name in this file."""
        self.modules: set[str] = set()
        """Names of the module `math`."""
        self.functions: dict[str, Function] = {}
        self.read: set[str] = set()

    def program(self) -> Program:
        """Check everything."""
        self._names()
        self._find_kinds()
        reward = self._reward()
        top = _Code(self, {}, set())
        for statement in self.tree.body:
            if isinstance(statement, ast.FunctionDef):
                self._function(statement)
            else:
                self._statement(statement, top)
        work = 0 if self._has_errors() or self._recursion() else self._work()
        if self._has_errors():
            return Program(self._sorted())
        terms = [name for name, each in self.functions.items() if each.is_term]
        lines = {name: self.functions[name].node.lineno for name in terms}
        fields = sorted(self.read)
        return Program(self._sorted(), self.tree, reward, terms, lines, fields, work)

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

    def _has_errors(self) -> bool:
        return any(problem.severity == ERROR for problem in self.problems)

    def _sorted(self) -> list[Problem]:
        places = sorted(self.problems, key=lambda problem: (problem.line, problem.column))
        return places[:MOST_PROBLEMS]

    # --- Names

    def _names(self) -> None:
        """Collect what stands at the left margin."""
        for statement in self.tree.body:
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

    def _check_taken(self, place: ast.AST, name: str) -> None:
        """Report a name that stands for something else already."""
        taken = (self.functions, self.constants, self.math_names, self.modules)
        if any(name in each for each in taken):
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
                self._no_math(node, alias.name)

    def _no_math(self, node: ast.AST, name: str) -> None:
        known = (*MATH_FUNCTIONS, *MATH_CONSTANTS)
        self.report(node, "no_math", name=name, known=known)

    def _constant(self, node: ast.Assign, target: ast.expr) -> None:
        if not isinstance(target, ast.Name):
            return  # reported with the statement
        name = target.id
        self._check_taken(target, name)
        if self.check_name(target, name, target):
            self.constants[name] = self._tuple_or_value(node.value)

    def _tuple_or_value(self, node: ast.expr) -> float | tuple[Any, ...] | None:
        if isinstance(node, ast.Tuple):
            return tuple(self.value(each) for each in node.elts)
        return self.value(node)

    def value(self, node: ast.expr) -> float | None:
        """Return the value of a constant expression; None if it is not known, or not finite."""
        try:
            found = self._value(node)
            too_large = found is None or not abs(found) <= LARGEST_NUMBER
        except (ArithmeticError, ValueError):
            return None
        return None if too_large else found

    def _value(self, node: ast.expr) -> float | None:
        match node:
            case ast.Constant(value=int() | float() as value):
                return value
            case ast.Name(id=name):
                value = self.constants.get(name)
                return None if isinstance(value, tuple) else value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.value(operand)
                return None if value is None else -value
            case ast.BinOp(left=left, op=operator, right=right):
                a, b = self.value(left), self.value(right)
                return None if a is None or b is None else _computed(operator, a, b)
        return None

    # --- Kinds of parameters

    def _find_kinds(self) -> None:
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

    def _reward(self) -> str:
        """Return the function that `rewards.terms.reward_of_file` chooses in a file `reward.py`."""
        public = list(filter(_is_public, self.functions))
        three = [name for name in public if len(self.functions[name].parameters) == 3]
        found = [USUAL_NAME] if USUAL_NAME in public else three if len(three) == 1 else public
        if not found:
            self.problems.append(self.source.problem_in_line(1, "no_reward"))
            return ""
        function = self.functions[found[-1]]
        if len(found) > 1:
            names = ", ".join(f"`{name}`" for name in found)
            self.report(function.node, "which_reward", names=names)
        elif not _in_order(function.parameters):
            self.report(function.node, "reward_parameters", name=found[0])
        else:
            function.kinds = list(REWARD_KINDS)
            self._find_kinds()
        return found[0]

    # --- Statements at the left margin

    def _statement(self, statement: ast.stmt, code: _Code) -> None:
        match statement:
            case ast.Import() | ast.ImportFrom():
                pass
            case ast.Expr(value=ast.Constant(value=str())) if statement is self.tree.body[0]:
                pass
            case ast.Assign(targets=targets, value=value):
                code.constant(value)
                for target in targets:
                    if not isinstance(target, ast.Name):
                        self.report(target, "assign")
            case ast.Expr(value=ast.Call() as value):
                before = len(self.problems)
                code.number(value)
                if len(self.problems) == before:
                    self.report(statement, "margin")
            case ast.If() | ast.For() | ast.AugAssign() | ast.Return() | ast.Expr():
                self.report(statement, "margin")
            case _:
                code.outside(statement)

    def _function(self, node: ast.FunctionDef) -> None:
        function = self.functions[node.name]
        if function.node is not node:
            return  # a second one of this name, which is reported
        kinds = dict(zip(function.parameters, function.kinds, strict=True))
        code = _Code(self, kinds, set(_assigned(node.body)), function.calls)
        body = node.body
        first = body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            body = body[1:] if isinstance(first.value.value, str) else body
        if code.block(body, frozenset(), False) is not None:
            returns = any(isinstance(each, ast.Return) for each in ast.walk(node))
            self.report(node, "missing_return" if returns else "no_return", name=node.name)

    # --- The whole

    def _recursion(self) -> bool:
        """Return whether a function calls itself, and report it."""
        done: set[str] = set()

        def visit(name: str, above: tuple[str, ...]) -> bool:
            for called, place in self.functions[name].calls.items():
                if called in (*above, name):
                    self.report(place, "recursion", name=called)
                    return True
                if called not in done and visit(called, (*above, name)):
                    return True
            done.add(name)
            return False

        return any(visit(name, ()) for name in self.functions if name not in done)

    def _work(self) -> int:
        """Return the operations of one call of all terms, and report if they are too many."""
        known: dict[str, int] = {}

        def of_function(name: str) -> int:
            if name not in known:
                known[name] = sum(map(of_node, self.functions[name].node.body))
            return known[name]

        def of_node(node: ast.AST) -> int:
            inner = sum(map(of_node, ast.iter_child_nodes(node)))
            if isinstance(node, ast.For):
                return 1 + inner * max(1, self.turns(node.iter) or 0)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                inner += of_function(node.func.id) if node.func.id in self.functions else 0
            return inner + isinstance(node, ast.expr | ast.stmt)

        for name, function in self.functions.items():
            if (work := of_function(name)) > MOST_WORK:
                shown = f"{work:,}" if work < LARGEST_NUMBER else "10^30"
                self.report(function.node, "work", name=name, work=shown, most=f"{MOST_WORK:,}")
                return work
        return sum(of_function(name) for name, each in self.functions.items() if each.is_term)

    def turns(self, node: ast.expr) -> int | None:
        """Return how often a loop over an expression runs; None if that is not known."""
        match node:
            case ast.Tuple(elts=elements):
                return len(elements)
            case ast.Name(id=name) if isinstance(self.constants.get(name), tuple):
                return len(self.constants[name])  # type: ignore[arg-type]
            case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]):
                limits = [self.value(each) for each in arguments]
                whole = [each for each in limits if isinstance(each, int)]
                if len(whole) == len(limits) and 1 <= len(whole) <= 3 and whole[2:] != [0]:
                    return len(range(*whole))
        return None


class _Code:
    """The code of one function, or the values of constants."""

    def __init__(
        self,
        module: _Module,
        parameters: dict[str, str],
        variables: set[str],
        calls: dict[str, ast.expr] | None = None,
    ) -> None:
        self.module = module
        self.report = module.report
        self.parameters = parameters
        self.variables = variables
        self.calls = {} if calls is None else calls
        self.known: frozenset[str] = frozenset()
        """Variables that have a value here on every path."""

    # --- Statements

    def block(
        self, statements: Iterable[ast.stmt], known: frozenset[str], loop: bool
    ) -> frozenset[str] | None:
        """Check statements one after the other.

        Args:
            statements: of one block.
            known: variables that have a value before it.
            loop: whether it stands in a loop.

        Returns:
            The variables that have a value after it; None if it never ends: it returns or leaves
            a loop.
        """
        ended = False
        for statement in statements:
            if ended:
                self.report(statement, "unreachable")
                return None
            after = self._statement(statement, known, loop)
            ended, known = after is None, known if after is None else after
        return None if ended else known

    def _statement(
        self, statement: ast.stmt, known: frozenset[str], loop: bool
    ) -> frozenset[str] | None:
        self.known = known
        match statement:
            case ast.Return(value=None):
                self.report(statement, "empty_return")
            case ast.Return(value=value):
                self.number(value)
            case ast.Assign(targets=targets, value=value):
                return known | self._assign(targets, value)
            case ast.AugAssign(target=target, op=operator, value=value):
                return known | self._augment(statement, target, operator, value)
            case ast.If(test=test, body=body, orelse=orelse):
                self.number(test)
                first, second = self.block(body, known, loop), self.block(orelse, known, loop)
                if first is None or second is None:
                    return second if first is None else first
                return first & second
            case ast.For():
                return self._for(statement, known)
            case ast.Break() | ast.Continue():
                if not loop:
                    self.report(statement, "no_loop")
            case ast.Pass():
                return known
            case ast.Expr(value=value):
                self._alone(statement, value)
                return known
            case _:
                self.outside(statement)
                return known
        return None

    def _alone(self, statement: ast.Expr, value: ast.expr) -> None:
        before = len(self.module.problems)
        self.number(value)
        if len(self.module.problems) == before:
            self.report(statement, "no_effect")

    def _assign(self, targets: list[ast.expr], value: ast.expr) -> frozenset[str]:
        names: list[str] = []
        for target in targets:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                if len(target.elts) != len(value.elts):
                    self.report(target, "unpack", names=len(target.elts), values=len(value.elts))
                names += [name for each in target.elts for name in self._target(each)]
            else:
                names += self._target(target)
        pairs = all(isinstance(target, ast.Tuple) for target in targets)
        for each in value.elts if isinstance(value, ast.Tuple) and pairs else (value,):
            self.number(each)
        return frozenset(names)

    def _augment(
        self, statement: ast.AugAssign, target: ast.expr, operator: ast.operator, value: ast.expr
    ) -> frozenset[str]:
        names = self._target(target)
        if names and names[0] in self.variables:
            self.number(ast.copy_location(ast.Name(names[0], ast.Load()), target))
        self._operation(statement, operator, target, value)
        self.number(value)
        return frozenset(names)

    def _target(self, target: ast.expr) -> list[str]:
        """Return the variable that a statement sets, in a list; none if it may not."""
        module = self.module
        match target:
            case ast.Name(id=name):
                if self.parameters.get(name, NUMBER) != NUMBER:
                    self.report(target, "assign_state", name=name)
                elif name in module.functions or name in module.constants:
                    self.report(target, "shadows", name=name)
                elif name in module.math_names or name in module.modules:
                    self.report(target, "shadows", name=name)
                elif module.check_name(target, name, target):
                    return [name]
                return []
            case ast.Attribute(value=ast.Name(id=name)) if name in self.parameters:
                self.report(target, "assign_state", name=f"{name}.{target.attr}")
            case ast.Subscript(value=ast.Name(id=name)) if name in self.parameters:
                self.report(target, "assign_state", name=name)
            case ast.Starred():
                self.report(target, "star")
            case _:
                self.report(target, "assign")
        return []

    def _for(self, node: ast.For, known: frozenset[str]) -> frozenset[str]:
        if node.orelse:
            self.report(node.orelse[0], "for_else")
        names = frozenset(self._target(node.target))
        turns = self._turns(node.iter)
        after = self.block(node.body, known | names, True)
        if not turns:
            return known
        leaves = any(isinstance(each, ast.Break | ast.Continue) for each in ast.walk(node))
        return known | names if leaves or after is None else known | names | after

    def _turns(self, node: ast.expr) -> int | None:
        """Check what a loop runs over."""
        turns = self.module.turns(node)
        match node:
            case ast.Tuple():
                self.kind(node)
            case ast.Name() if turns is not None:
                pass
            case ast.Call(func=ast.Name(id="range")):
                if turns is None:
                    self.report(node, "range", most=MOST_TURNS)
            case ast.expr() if type(node) in REFUSED:
                self.outside(node)
            case _:
                self.report(node, "for", most=MOST_TURNS)
        if turns is not None and turns > MOST_TURNS:
            self.report(node, "turns", turns=f"{turns:,}", most=f"{MOST_TURNS:,}")
        return turns

    # --- Expressions

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
            self.report(node, "whole_state", name=ast.unparse(node), field=self._example())
        elif kind == ACTION and self.module.actions:
            self.report(node, "whole_action", actions=self.module.game.describe_actions())
        elif kind == TUPLE:
            self.report(node, "whole_tuple")

    def _example(self) -> str:
        return self.module.state_fields[0]

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
                self._operation(node, operator, left, right)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub() | ast.Not(), operand=operand):
                self.number(operand)
            case ast.BoolOp(values=values):
                for each in values:
                    self.number(each)
            case ast.Compare(left=left, ops=operators, comparators=others):
                for operator in operators:
                    if not isinstance(operator, COMPARISONS):
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

    def _name(self, node: ast.Name) -> str:
        name, module = node.id, self.module
        if name not in module.source.segment(node):
            self.report(node, "normalised", name=name)
        elif name.startswith("__"):
            self.report(node, "dunder", name=name)
        elif name in self.parameters:
            return self.parameters[name]
        elif name in self.variables:
            if name in self.known:
                return NUMBER
            self.report(node, "no_value", name=name)
        elif name in module.constants:
            return TUPLE if isinstance(module.constants[name], tuple) else NUMBER
        elif module.math_names.get(name) in MATH_CONSTANTS:
            return NUMBER
        elif name in module.functions or name in module.math_names or name in BUILTINS:
            self.report(node, "not_called", name=name)
        elif name in module.modules:
            self.report(node, "module", name=name)
        else:
            self._unknown(node, name)
        return UNKNOWN

    def _unknown(self, node: ast.expr, name: str, called: bool = False) -> None:
        """Report a name that means nothing here."""
        module, states = self.module, [k for k, v in self.parameters.items() if v == STATE]
        functions = [*module.functions, *module.math_names, *BUILTINS]
        known = [*self.parameters, *self.variables, *module.constants, *functions]
        odd = next((letter for letter in name if not letter.isascii()), "")
        if odd and any(letter.isascii() and letter.isalpha() for letter in name):
            self.report(node, "look_alike", name=name, letter=unicodedata.name(odd, odd))
        elif name in PRINTING:
            self.report(node, "printing", name=name)
        elif name in module.state_fields and states and not called:
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
        module, name = self.module, node.attr
        if name.startswith("__"):
            self.report(node, "dunder", name=name)
            return UNKNOWN
        if name not in module.source.segment(node) and node.lineno == node.end_lineno:
            self.report(node, "normalised", name=name)
            return UNKNOWN
        if isinstance(node.value, ast.Name) and node.value.id in module.modules:
            if name in MATH_CONSTANTS:
                return NUMBER
            self._math_alone(node, name)
            return UNKNOWN
        if not isinstance(node.value, ast.Name):
            self.report(node, "attribute", name=name)
            return UNKNOWN
        owner, kind = node.value.id, self.kind(node.value)
        if kind == STATE:
            if name in module.state_fields:
                module.read.add(f"{owner}.{name}")
                return NUMBER
            self.report(
                node, "no_field", place=f"{owner}.{name}", game=module.game.name, name=name,
                known=module.state_fields,
            )
        elif kind == ACTION:
            actions = module.game.describe_actions()
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
        module = self.module
        kind = self.kind(node.value)
        index = node.slice
        if isinstance(index, ast.Constant) and isinstance(index.value, str) and kind == STATE:
            name = f"{ast.unparse(node.value)}.{index.value}"
            self.report(node, "brackets", name=name[:40])
        elif kind == ACTION:
            value = module.value(index)
            if not module.actions:
                self.report(node, "action_number", actions=module.game.describe_actions())
            elif not isinstance(value, int) or not 0 <= value < module.actions:
                self.report(node, "action_index", actions=module.game.describe_actions())
            else:
                return NUMBER
        elif kind == TUPLE:
            self.number(index)
            return NUMBER
        elif kind != UNKNOWN:
            self.report(node, "subscript")
        return UNKNOWN

    def _operation(
        self, node: ast.AST, operator: ast.operator, left: ast.expr, right: ast.expr
    ) -> None:
        """Check one of Python's operators with two numbers."""
        value = self.module.value(right)
        if not isinstance(operator, OPERATORS):
            bitwise = isinstance(operator, ast.BitAnd | ast.BitOr)
            self.report(node, "bitwise" if bitwise else "operator")
        elif isinstance(operator, ast.Div | ast.FloorDiv | ast.Mod) and value == 0:
            self.report(node, "zero")
        elif isinstance(operator, ast.Pow):
            if value is None or abs(value) > LARGEST_EXPONENT:
                self.report(right, "exponent", most=LARGEST_EXPONENT)
            elif self.module.value(left) == 0 and value < 0:
                self.report(node, "zero")

    # --- Calls

    def _call(self, node: ast.Call) -> str:
        module = self.module
        for each in node.args:
            if isinstance(each, ast.Starred):
                self.report(each, "star")
                return UNKNOWN
        match node.func:
            case ast.Name(id=name) if name in self.parameters or name in self.variables:
                self.report(node.func, "no_call", name=name)
            case ast.Name(id=name) if name in module.functions:
                return self._own(node, name)
            case ast.Name(id=name) if module.math_names.get(name) in MATH_FUNCTIONS:
                return self._counted(node, name, MATH_FUNCTIONS[module.math_names[name]])
            case ast.Name(id=name) if name in BUILTINS:
                return self._builtin(node, name)
            case ast.Name(id=name) if name in module.constants or name in module.math_names:
                self.report(node.func, "no_call", name=name)
            case ast.Name(id=name):
                self._unknown_function(node.func, name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in module.modules:
                if name in MATH_FUNCTIONS:
                    return self._counted(node, f"math.{name}", MATH_FUNCTIONS[name])
                self._math_alone(node.func, name)  # type: ignore[arg-type]
            case ast.Attribute():
                if self._attribute(node.func) == NUMBER:  # type: ignore[arg-type]
                    self.report(node.func, "no_call", name=ast.unparse(node.func))
            case _:
                self.outside(node.func)
        return UNKNOWN

    def _unknown_function(self, node: ast.Name, name: str) -> None:
        if name.startswith("__"):
            self.report(node, "dunder", name=name)
        elif name not in self.module.source.segment(node):
            self.report(node, "normalised", name=name)
        else:
            self._unknown(node, name, called=True)

    def _own(self, node: ast.Call, name: str) -> str:
        """Check a call of a function of the student."""
        function = self.module.functions[name]
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
        if kind == NUMBER or (kind == ACTION and not self.module.actions):
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
            kind = self.kind(node.args[0])
            if kind not in (TUPLE, UNKNOWN):
                self.report(node, "of_tuple", name=name)
            elif isinstance(node.args[0], ast.Tuple) and not node.args[0].elts:
                self.report(node, "of_tuple", name=name)
            return NUMBER
        if name == "round" and len(node.args) == 2:
            digits = self.module.value(node.args[1])
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


def _is_public(name: str) -> bool:
    return not name.startswith(("_", "test_"))


def _in_order(parameters: list[str]) -> bool:
    """Return whether these can be (before, action, after), if with other names."""
    usual = list(USUAL_KINDS)
    return len(parameters) == len(usual) and all(
        name not in usual or name == usual[k] for k, name in enumerate(parameters)
    )


def _assigned(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the names of the variables that statements set."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _computed(operator: ast.operator, a: float, b: float) -> float | None:
    """Return the value of one operation; None if it is unknown, or may be very large.

    Raises:
        ArithmeticError: if it has no value.
    """
    if isinstance(operator, ast.Pow):
        if abs(b) > LARGEST_EXPONENT:
            return None
        value = float(a) ** b
        return value if isinstance(value, float) else None
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
