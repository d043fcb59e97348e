"""The page that goes through the lecture row by row, made by docs/coverage.py."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    """Return docs/coverage.py as a module."""
    spec = importlib.util.spec_from_file_location("coverage_page", DOCS / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_argument_that_it_does_not_know_is_refused(coverage: ModuleType) -> None:
    with pytest.raises(SystemExit, match="2"):
        coverage.main(["--chek"])


def test_the_page_has_every_row_and_its_commands_exist(
    coverage: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert coverage.main(["--check"]) == 0, capsys.readouterr().err
    rows = tomllib.loads((DOCS / "coverage.toml").read_text("utf-8"))["sections"]
    page = (DOCS / "coverage.md").read_text("utf-8")
    assert len(re.findall(r"^\| \d+ \| ", page, re.MULTILINE)) == 125
    missing = [row[0] for section in rows for row in section["rows"] if not row[1]]
    assert page.count("| not covered") == len(missing) > 0


@pytest.mark.parametrize(
    "command",
    [
        "python train.py --env nowhere",
        "python train.py --env classify --env-options question=none",
        "python train.py --env paddle --env-options ball_sped=1",
        "python train.py --no-such-option 1",
        "python play.py --no-such-option",
        "python -m stages no_such_experiment",
        "python -m stages tokens --no-such-option",
        "python -m rewards chek hit_or_miss",
        "python -m classroom --no-such-option",
        "python -m envs no_such_table",
        "python no_such_program.py",
    ],
)
def test_a_command_that_does_not_exist_is_named(coverage: ModuleType, command: str) -> None:
    with pytest.raises(ValueError, match="does not") as error:
        coverage.check(command)
    assert command in str(error.value)


PROGRAM = r"python (?:play\.py|-m (?:rewards|stages|training|benchmarks|classroom|envs)\b(?!\.))"
TYPED = re.compile(
    rf"^ +({PROGRAM}[^#\n]*)|`({PROGRAM} [^`]+)`",
    re.MULTILINE,
)
"""Commands on lines of their own, or in the text."""


def test_commands_in_all_documents_exist(coverage: ModuleType) -> None:
    """Those of train.py are typed in test_training.py."""
    documents = [
        *DOCS.rglob("*.md"),
        *DOCS.parent.glob("*.md"),
        DOCS.parent / "benchmarks/README.md",
    ]
    wrong, count = [], 0
    for document in documents:
        text = document.read_text("utf-8").replace("\\\n", " ")
        for found in TYPED.findall(text):
            command = " ".join("".join(found).split())
            if {"width", "COMMAND", "NAME", "SUITE", "--help"} & set(command.split()):
                continue  # an example that a test adds first, placeholders, and what ends a program
            count += 1
            try:
                coverage.check(command)
            except (ValueError, SystemExit) as error:
                wrong.append(f"{document.name}: {command}: {error}")
    assert not wrong, "\n".join(wrong)
    assert count > 100
