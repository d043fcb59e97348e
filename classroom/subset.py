"""The part of Python that students' rewards may use, checked on the syntax tree.

Everything that is not allowed here is refused, so that new syntax of Python is refused, too. What
is left can only compute with the numbers of the game: it reads no other object, and the number of
operations of a call is known before it runs.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from classroom.names import Names, is_public
from classroom.problem import ERROR, Problem
from classroom.source import Source
from classroom.statements import Statements, assigned
from classroom.vocabulary import LARGEST_NUMBER, MOST_PROBLEMS, MOST_WORK, REWARD_KINDS, USUAL_KINDS
from envs.engine.game import Game
from rewards.terms import USUAL_NAME


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
    return _File(source, tree, game).program()


class _File:
    """A student's file as a whole."""

    def __init__(self, source: Source, tree: ast.Module, game: Game) -> None:
        self.source = source
        self.tree = tree
        self.names = Names(source, tree, game)

    def program(self) -> Program:
        """Check everything."""
        reward = self._reward()
        top = Statements(self.names, {}, set())
        for statement in self.tree.body:
            if isinstance(statement, ast.FunctionDef):
                self._function(statement)
            else:
                self._statement(statement, top)
        work = 0 if self._has_errors() or self._recursion() else self._work()
        if self._has_errors():
            return Program(self._sorted())
        terms = [name for name, each in self.names.functions.items() if each.is_term]
        lines = {name: self.names.functions[name].node.lineno for name in terms}
        fields = sorted(self.names.read)
        return Program(self._sorted(), self.tree, reward, terms, lines, fields, work)

    def _has_errors(self) -> bool:
        return any(problem.severity == ERROR for problem in self.names.problems)

    def _sorted(self) -> list[Problem]:
        places = sorted(self.names.problems, key=lambda problem: (problem.line, problem.column))
        return places[:MOST_PROBLEMS]

    def _reward(self) -> str:
        """Return the function that `rewards.terms.reward_of_file` chooses in a file `reward.py`."""
        public = list(filter(is_public, self.names.functions))
        three = [name for name in public if len(self.names.functions[name].parameters) == 3]
        found = [USUAL_NAME] if USUAL_NAME in public else three if len(three) == 1 else public
        if not found:
            self.names.problems.append(self.source.problem_in_line(1, "no_reward"))
            return ""
        function = self.names.functions[found[-1]]
        if len(found) > 1:
            names = ", ".join(f"`{name}`" for name in found)
            self.names.report(function.node, "which_reward", names=names)
        elif not _in_order(function.parameters):
            self.names.report(function.node, "reward_parameters", name=found[0])
        else:
            function.kinds = list(REWARD_KINDS)
            self.names.find_kinds()
        return found[0]

    def _statement(self, statement: ast.stmt, code: Statements) -> None:
        match statement:
            case ast.Import() | ast.ImportFrom():
                pass
            case ast.Expr(value=ast.Constant(value=str())) if statement is self.tree.body[0]:
                pass
            case ast.Assign(targets=targets, value=value):
                code.constant(value)
                for target in targets:
                    if not isinstance(target, ast.Name):
                        self.names.report(target, "assign")
            case ast.Expr(value=ast.Call() as value):
                before = len(self.names.problems)
                code.number(value)
                if len(self.names.problems) == before:
                    self.names.report(statement, "margin")
            case ast.If() | ast.For() | ast.AugAssign() | ast.Return() | ast.Expr():
                self.names.report(statement, "margin")
            case _:
                code.outside(statement)

    def _function(self, node: ast.FunctionDef) -> None:
        function = self.names.functions[node.name]
        if function.node is not node:
            return  # a second one of this name, which is reported
        kinds = dict(zip(function.parameters, function.kinds, strict=True))
        code = Statements(self.names, kinds, set(assigned(node.body)), function.calls)
        body = node.body
        first = body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            body = body[1:] if isinstance(first.value.value, str) else body
        before = len(self.names.problems)
        ends = code.block(body, frozenset(), False) is None
        if not ends and len(self.names.problems) == before:
            returns = any(isinstance(each, ast.Return) for each in ast.walk(node))
            self.names.report(node, "missing_return" if returns else "no_return", name=node.name)

    def _recursion(self) -> bool:
        """Return whether a function calls itself, and report it."""
        done: set[str] = set()

        def visit(name: str, above: tuple[str, ...]) -> bool:
            for called, place in self.names.functions[name].calls.items():
                if called in (*above, name):
                    self.names.report(place, "recursion", name=called)
                    return True
                if called not in done and visit(called, (*above, name)):
                    return True
            done.add(name)
            return False

        return any(visit(name, ()) for name in self.names.functions if name not in done)

    def _work(self) -> int:
        """Return the operations of one call of all terms, and report if they are too many."""
        known: dict[str, int] = {}

        def of_function(name: str) -> int:
            if name not in known:
                known[name] = sum(map(of_node, self.names.functions[name].node.body))
            return known[name]

        def of_node(node: ast.AST) -> int:
            inner = sum(map(of_node, ast.iter_child_nodes(node)))
            if isinstance(node, ast.For):
                return 1 + inner * max(1, self.names.turns(node.iter) or 0)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                inner += of_function(node.func.id) if node.func.id in self.names.functions else 0
            return inner + isinstance(node, ast.expr | ast.stmt)

        for name, function in self.names.functions.items():
            if (work := of_function(name)) > MOST_WORK:
                shown = f"{work:,}" if work < LARGEST_NUMBER else "10^30"
                self.names.report(
                    function.node, "work", name=name, work=shown, most=f"{MOST_WORK:,}"
                )
                return work
        return sum(of_function(name) for name, each in self.names.functions.items() if each.is_term)


def _in_order(parameters: list[str]) -> bool:
    """Return whether these can be (before, action, after), if with other names."""
    usual = list(USUAL_KINDS)
    return len(parameters) == len(usual) and all(
        name not in usual or name == usual[k] for k, name in enumerate(parameters)
    )
