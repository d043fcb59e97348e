"""From a student's text to a syntax tree. This reads hostile text, so it runs in the sandbox only.

The text is parsed as the bytes that training loads. So the tree is that of the program that runs,
whatever the text says about its encoding.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings

from classroom.problem import Problem

FILE = "reward.py"
"""Name of a student's file. In a run folder it holds exactly `encoded(source)`."""
MOST_BYTES = 20_000
DEEPEST = 100
"""Levels of brackets and blocks within each other."""
CODING = re.compile(r"[ \t]*#.*?coding[:=]")  # what Python reads as a declaration of the encoding
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of characters that one does not see, or that change the order of others."""
SYNTAX = {
    r"expected ':'": "colon",
    r"'(.)' was never closed|unexpected EOF": "never_closed",
    r"unmatched '(.)'": "unmatched",
    r"closing parenthesis": "unmatched",
    r"expected an indented block": "indent_missing",
    r"unindent does not match|unexpected indent|inconsistent use of tabs": "indent",
    r"Maybe you meant '=='": "equals",
    r"unterminated": "text_open",
    r"invalid (non-printable )?character": "character_outside",
    r"too many (nested|levels)|too complex": "deep",
    r"Exceeds the limit": "huge_number",
}
"""Parts of Python's messages, and the keys of our own."""


def encoded(source: str) -> bytes:
    """Return the bytes of a student's file."""
    return source.encode()


class Source:
    """A student's text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.split("\n")

    def tree(self) -> ast.Module | Problem:
        """Return the syntax tree, or why there is none."""
        if (problem := self._unreadable()) is not None:
            return problem
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about odd code, which is refused anyway
                tree = ast.parse(encoded(self.text), FILE)
        except SyntaxError as error:
            return self._syntax(error)
        except (MemoryError, RecursionError):
            longest = max(self._lines, key=len)  # Python does not say where it gave up
            return self.problem_in_line(self._lines.index(longest) + 1, "deep", most=DEEPEST)
        except ValueError as error:
            return self.problem_in_line(1, "syntax", problem=str(error))
        deep = _too_deep(tree)
        return tree if deep is None else self.problem(deep, "deep", most=DEEPEST)

    def problem(self, node: ast.AST, key: str, **words: object) -> Problem:
        """Return a problem at a node of the tree; of a block, at its first line."""
        place: ast.expr | ast.stmt = node  # type: ignore[assignment]
        if isinstance(node, ast.FunctionDef | ast.If | ast.For):
            column = self._units_of_bytes(node.lineno, node.col_offset)
            return self.problem_in_line(node.lineno, key, column, **words)
        end = place.end_lineno or place.lineno, place.end_col_offset or 0
        return self.problem_at((place.lineno, place.col_offset), end, key, **words)

    def problem_at(
        self, start: tuple[int, int], end: tuple[int, int], key: str, **words: object
    ) -> Problem:
        """Return a problem between two places: lines and, as Python counts, bytes in them."""
        places = (start[0], self._units_of_bytes(*start), end[0], self._units_of_bytes(*end))
        return Problem(*places, key, words)

    def problem_in_line(
        self,
        line: int,
        key: str,
        column: int = 0,
        **words: object,
    ) -> Problem:
        """Return a problem from a column to the end of its line."""
        line = min(max(line, 1), len(self._lines))
        text = self._lines[line - 1].rstrip()
        return Problem(line, min(column, _units(text)), line, _units(text), key, words)

    def segment(self, node: ast.expr | ast.arg) -> str:
        """Return how a node of one line is written."""
        line = self._lines[node.lineno - 1].encode()
        return line[node.col_offset : node.end_col_offset].decode()

    def _unreadable(self) -> Problem | None:
        """Return the problem with a text that is too long, or has characters that none needs."""
        if len(self.text.encode(errors="replace")) > MOST_BYTES:
            return self.problem_in_line(1, "too_long", most=MOST_BYTES // 1000)
        for number, line in enumerate(self._lines, 1):
            for place, letter in enumerate(line.removesuffix("\r")):
                if unicodedata.category(letter) in HIDDEN and letter != "\t":
                    shown = f"U+{ord(letter):04X}"
                    column = _units(line[:place])
                    end = column + _units(letter)
                    return Problem(number, column, number, end, "character", {"name": shown})
            if number <= 2 and CODING.match(line):
                return self.problem_in_line(number, "coding")
        return None

    def _syntax(self, error: SyntaxError) -> Problem:
        text = str(error.msg)
        key = next((key for part, key in SYNTAX.items() if re.search(part, text)), "syntax")
        line = min(max(error.lineno or 1, 1), len(self._lines))
        written = self._lines[line - 1]
        column = min(max((error.offset or 1) - 1, 0), len(written))
        found = self.problem_in_line(
            line, key, _units(written[:column]), problem=text, most=DEEPEST
        )
        if error.end_lineno == line and (error.end_offset or 0) > column + 1:
            end = _units(written[: (error.end_offset or 0) - 1])
            return found._replace(end_column=end)
        return found

    def _units_of_bytes(self, line: int, count: int) -> int:
        return _units(self._lines[line - 1].encode()[:count].decode(errors="replace"))


def _units(text: str) -> int:
    """Return the length of a text as JavaScript counts it."""
    return len(text.encode("utf-16-le", "replace")) // 2


def _too_deep(tree: ast.Module) -> ast.AST | None:
    """Return a node that is more than `DEEPEST` levels deep; this does not recurse."""
    left: list[tuple[ast.AST, int]] = [(tree, 0)]
    while left:
        node, depth = left.pop()
        if depth > DEEPEST and isinstance(node, ast.expr | ast.stmt):
            return node
        left += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return None
