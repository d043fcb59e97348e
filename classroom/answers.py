"""The answer to a check, as a page gets it; `classroom.checks.Answer` says what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from classroom.problem import ERROR, Problem
from classroom.source import Source
from classroom.texts import FOLDER
from rewards.check import texts as check_texts
from rewards.check.tables import scale_of, tables_of
from rewards.terms import USUAL_NAME
from rewards.texts import load_texts


def own_texts(lang: str) -> dict[str, str]:
    """Return the sentences about students' code."""
    texts: dict[str, str] = load_texts(FOLDER, lang)["language"]
    return texts


def answer_of(problems: Sequence[Problem], lang: str, **rest: Any) -> dict[str, Any]:
    """Return what a page gets problems, and a sentence about all of them."""
    texts = own_texts(lang)
    errors = [problem for problem in problems if problem.severity == ERROR]
    if errors:
        summary = texts["summary_problems"].format(count=len(errors), line=errors[0].line)
    else:
        summary = texts["summary_warnings" if problems else "summary_good"]
    shown = [
        {
            "line": problem.line,
            "column": problem.column,
            "end_line": problem.end_line,
            "end_column": problem.end_column,
            "message": problem.message(lang),
            "severity": problem.severity,
        }
        for problem in problems
    ]
    whole = {"ok": not errors, "problems": shown, "tables": [], "summary": summary, "fields": []}
    return whole | rest


def answer_with_findings(
    found: Mapping[str, Any],
    problems: Sequence[Problem],
    source: Source,
    lang: str,
    line: int = 1,
    fields: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what a page gets with the tables and warnings of `python -m rewards check`.

    Args:
        found: as `rewards.sandbox.reports.Found`.
        problems: of the language.
        source: the student's text.
        lang: of the sentences.
        line: where the reward begins, about which the warnings are.
        fields: that the reward reads.
    """
    texts, own = load_texts(check_texts.FOLDER, lang), own_texts(lang)
    warned = [
        source.problem_in_line(line, "warned", problem=text)
        for text in (*found["warnings"], *found["failures"])
    ]
    titles = own["table_events"], own["table_players"]
    tables = [
        {"title": title, "columns": columns, "rows": rows}
        for title, (columns, rows) in zip(titles, tables_of(found, texts), strict=True)
    ]
    answer = answer_of([*problems, *warned], lang, tables=tables, fields=list(fields))
    ranges = found["ranges"]
    name = USUAL_NAME if USUAL_NAME in ranges else next(iter(ranges))
    scale = scale_of(name, found, texts["tables"])
    return answer | {"summary": f"{answer['summary']}\n{scale}"}
