"""The benchmarks run from end to end. Tests do not judge the measured speed."""

from __future__ import annotations

import io
import json
import math
import re
import shlex
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import COMMANDS, main, read
from benchmarks.cluster import check_equal, table_jobs
from benchmarks.engine import measure_engine
from benchmarks.evaluator import Point
from benchmarks.machine import machine_facts
from benchmarks.measuring import Measure, Row, interleaved
from benchmarks.past_solved import Curve, Result, show_past_solved, train_past_solved
from benchmarks.report import show_rows
from benchmarks.runs import Run
from benchmarks.startup import HERE, PLAY, stopwatch
from benchmarks.tables import SUITES
from benchmarks.training import measure_training


def test_median_and_all_repeats_decide_whether_a_target_is_met() -> None:
    fast = Measure("fast", "s", "", 4.0, "less")
    assert Row(fast, (1.0, 3.0, 9.0), (1.0,)).met is True
    assert Row(fast, (5.0, 3.0, 9.0), (1.0,)).met is False
    assert Row(fast, (1.0, 3.0, math.inf), (1.0,)).met is False
    assert Row(Measure("many", "1/s", "", 4.0), (5.0, 3.0, 9.0), (1.0,)).met is True
    assert Row(Measure("no target", "1/s", ""), (5.0,), (1.0,)).met is None


def test_measures_are_sampled_in_turn() -> None:
    order: list[str] = []

    def sample(name: str) -> float:
        order.append(name)
        return float(len(order))

    rows = interleaved([(Measure(name, "", ""), partial(sample, name)) for name in "ab"], 2)
    assert order == ["a", "b", "a", "b"]
    assert [row.values for row in rows] == [(1.0, 3.0), (2.0, 4.0)]


def test_engine_rows_are_positive_and_become_json() -> None:
    rows = measure_engine(repeats=1, seconds=0.01)
    assert all(value > 0 for row in rows for value in row.values)
    assert json.loads(json.dumps([row.to_json() for row in rows]))[0]["target"] == 50e6


@pytest.mark.parametrize("terminal", [True, False])
def test_the_table_has_a_line_for_each_row(terminal: bool) -> None:
    written = io.StringIO()
    console = Console(file=written, width=200, force_terminal=terminal)
    show_rows(console, [Row(Measure("balls", "1/s", "each counts", 2.0), (1.0, math.inf), (1.0,))])
    text = written.getvalue()
    assert all(word in text for word in ("balls", ">= 2", "1 of 2", "each counts"))


def test_training_that_is_not_solved_counts_as_infinite() -> None:
    speed, solved, learning = measure_training(seeds=(1,), steps=10_000)
    assert solved.values == (math.inf,)
    assert solved.to_json()["values"] == [None]
    assert speed.median > 0
    assert learning.median > 0


@pytest.mark.parametrize(
    ("solved_at", "later", "below", "in_a_row", "stays"),
    [
        (100, [40.0, 41.0, 60.0], 0, 0, True),
        (100, [39.9, 41.0, 12.0, 40.0, 1.0], 3, 1, True),
        (100, [50.0, 39.0, 39.0, 50.0, 0.0, 0.0, 0.0], 5, 3, False),
        (100, [0.0, 0.0], 2, 2, False),
        (100, [], 0, 0, True),
        (None, [50.0, 50.0], 0, 0, False),
    ],
)
def test_a_game_stays_solved_if_no_two_evaluations_in_a_row_are_below_the_bar(
    solved_at: int | None, later: list[float], below: int, in_a_row: int, stays: bool
) -> None:
    curve = Curve()
    for k, score in enumerate([0.0, 5.0, 45.0, *later]):
        curve.scalars({"eval/mean_score": score, "eval/mean_reward": 100.0 - score}, 50 * k)
        curve.scalars({"train/value_loss": 1.0}, 50 * k)
    result = Result("paddle", 7, 40.0, solved_at, curve)
    assert result.later == (later if solved_at else [])
    assert (result.below, result.most_in_a_row, result.stays_solved) == (below, in_a_row, stays)
    for solved in (True, False):
        earned = [100.0 - score for score in result.later if (score >= 40.0) == solved]
        expected = pytest.approx(sum(earned) / len(earned)) if earned else None
        assert result.mean_return(solved) == expected
    written = io.StringIO()
    show_past_solved(Console(file=written, width=200), [result])
    assert f" | {'yes' if stays else 'NO'} | " in written.getvalue()


def test_training_goes_on_past_solved() -> None:
    """A score of -1 is reached at the first of four evaluations."""
    short = ("--solved-score", "-1", "--num-envs", "10", "--num-steps", "10", "--minibatches", "2")
    options = (*short, "--eval-every", "200", "--eval-episodes", "2")
    result = train_past_solved(("paddle", 1), 4.0, options)
    assert result.solved_at == 200
    assert list(result.curve.scores) == list(result.curve.returns) == [200, 400, 600, 800]
    assert len(result.later) == 3
    assert result.stays_solved
    never = train_past_solved(("paddle", 1), 4.0, (*options[2:], "--steps", "200"))
    assert never.solved_at is None
    assert list(never.curve.scores) == [200]


def test_stopwatch_measures_time_and_memory_and_reports_failure(tmp_path: Path) -> None:
    found = stopwatch([sys.executable, "-c", "kept = bytearray(10**8)"], str(tmp_path))
    assert found["seconds"] > 0
    assert found["first_line"] is None
    assert found["processor"] > 0
    if found["peak_bytes"] is not None:
        assert 10**8 < found["peak_bytes"] < 2 * 10**8
    with pytest.raises(RuntimeError, match="oh no"):
        stopwatch([sys.executable, "-c", "raise SystemExit('oh no')"], str(tmp_path))


def test_stopwatch_measures_the_time_to_the_first_line(tmp_path: Path) -> None:
    code = "import time\nprint('one', flush=True)\ntime.sleep(0.5)\nprint('two')"
    found = stopwatch([sys.executable, "-c", code], str(tmp_path))
    assert 0 < found["first_line"] <= found["seconds"] - 0.5


def test_first_frame_ends_the_program(tmp_path: Path) -> None:
    program = [str(HERE / "first_frame.py"), str(PLAY), "--agent", "random"]
    assert stopwatch([sys.executable, *program], str(tmp_path))["seconds"] > 0


def test_a_program_that_shows_no_frame_fails(tmp_path: Path) -> None:
    program = [str(HERE / "first_frame.py"), str(PLAY), "--help"]
    with pytest.raises(RuntimeError, match="no frame"):
        stopwatch([sys.executable, *program], str(tmp_path))


@pytest.mark.parametrize("name", ["", *SUITES, *COMMANDS])
def test_help_of_each_command_is_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*name.split(), "--help"]
    if name:
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
    else:
        assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: python -m benchmarks")
    assert ("--mutations" in shown) == (name == "damage")
    assert ("--quick" in shown) == (name in SUITES)


def documented() -> list[str]:
    pages = [HERE / "README.md", *sorted((HERE.parent / "docs").glob("*.md"))]
    texts = (page.read_text(encoding="utf-8").replace("\\\n", " ") for page in pages)
    return [
        line
        for text in texts
        for line in re.findall(r"^ +python -m benchmarks\b(?!\.)(.*)", text, re.M)
    ]


@pytest.mark.parametrize("line", documented())
def test_documented_commands_can_be_read(line: str) -> None:
    read(shlex.split(line, comments=True))


def test_tables_are_equal_if_all_scores_are() -> None:
    job = table_jobs(steps=1_000)[0]
    slow = Run(*job.key, (Point(0, 1.0, 1.0, 9.0, 0.5),), None, {}, {}, {})
    quick = replace(slow, points=(Point(0, 0.1, 0.1, 0.9, 0.5),))
    check_equal([quick], [slow])
    with pytest.raises(ValueError, match=r"a process \[\(0, 0\.25\)\]"):
        check_equal([quick], [replace(slow, points=(Point(0, 0.1, 0.1, 0.9, 0.25),))])


def test_facts_name_processor_and_versions() -> None:
    facts = machine_facts()
    assert facts["processor"]
    assert facts["torch"]
