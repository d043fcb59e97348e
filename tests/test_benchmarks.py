"""The benchmarks run from end to end. Tests do not judge the measured speed."""

from __future__ import annotations

import io
import json
import math
import sys
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.engine import measure_engine
from benchmarks.machine import machine_facts
from benchmarks.measuring import Measure, Row, interleaved
from benchmarks.report import show_rows
from benchmarks.startup import HERE, PLAY, stopwatch
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


def test_facts_name_processor_and_versions() -> None:
    facts = machine_facts()
    assert facts["processor"]
    assert facts["torch"]
