"""Checks statements in a student's code: what has a value where, and whether every path returns."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from classroom.expressions import Expressions
from classroom.vocabulary import MOST_TURNS, NUMBER, REFUSED


class Statements(Expressions):
    """The statements of one function."""

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
        before = len(self.names.problems)
        self.number(value)
        if len(self.names.problems) == before:
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
        self.operation(statement, operator, target, value)
        self.number(value)
        return frozenset(names)

    def _target(self, target: ast.expr) -> list[str]:
        """Return the variable that a statement sets, in a list; none if it may not."""
        names = self.names
        match target:
            case ast.Name(id=name):
                if self.parameters.get(name, NUMBER) != NUMBER:
                    self.report(target, "assign_state", name=name)
                elif names.is_taken(name):
                    self.report(target, "shadows", name=name)
                elif names.check_name(target, name, target):
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
        turns = self.names.turns(node)
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


def assigned(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the names of the variables that statements set."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
