"""Programs whose output nobody reads, or whose output cannot hold every character."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = """import sys
from rewards.output import forgiving_output
forgiving_output()
{statements}
sys.exit(7)
"""


def start(statements: str, encoding: str = "utf-8") -> subprocess.Popen[bytes]:
    """Start a program that ends with the exit code 7 if nothing stops it."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(statements=statements)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize("flush", [True, False])
def test_a_program_goes_on_when_its_reader_has_gone(flush: bool) -> None:
    """As in `python train.py | head -1`: the run continues, and says nothing of a broken pipe."""
    program = start(f"for _ in range(20_000): print('line', flush={flush})")
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    assert program.stderr.read() == b""
    program.stderr.close()
    assert program.wait() == 7


@pytest.mark.parametrize(("encoding", "seen"), [("ascii", b"?? ?"), ("cp1252", b"?? \x85")])
def test_characters_that_the_output_cannot_hold_are_replaced(encoding: str, seen: bytes) -> None:
    write = "for stream in (sys.stdout, sys.stderr): print('\\ud55c\\uae00 \\u2026', file=stream)"
    assert start(write, encoding).communicate() == (seen + b"\n", seen + b"\n")
