"""Search by trial and error, as a table, and the options of its command."""

from __future__ import annotations

import re

import numpy as np
import pytest

from stages.__main__ import main
from stages.datasets.dataset import examples_of
from stages.datasets.regress import Regress
from stages.supervised.tries import MIDDLE, SPREAD, TriesOptions, search


def test_the_best_try_is_the_one_with_the_smallest_mean_error() -> None:
    """The tries are made again, all at once."""
    options = TriesOptions(tries=200, examples=4, seed=5)
    found = search(options)
    weights = np.random.default_rng(5).normal(0.0, SPREAD, (200, 6))
    dataset = Regress(examples=4, test_examples=1_000, data_seed=5, observation="features")
    errors = []
    for split in ("train", "test"):
        features, targets, _ = examples_of(dataset, split)
        with_one = np.hstack((features, np.ones((len(features), 1))))
        predictions = np.clip(MIDDLE + with_one @ weights.T, 0, 1)
        errors.append(100 * np.abs(predictions - targets).T)
    np.testing.assert_allclose(found.errors, errors[0])
    assert found.best == errors[0].sum(1).argmin()
    assert found.error_on_new == pytest.approx(errors[1][found.best].mean())


@pytest.mark.parametrize(("lang", "mark"), [("en", "best"), ("ko", "최적")])
def test_the_table_marks_the_best_try_and_the_sentence_names_it(
    lang: str, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tries", "--tries", "500", "--lang", lang]) == 0
    printed = capsys.readouterr().out
    rows = re.findall(r"^│ ([\d,]+) +│(.*)│$", printed, re.MULTILINE)
    assert [row[0] for row in rows if mark in row[1]] == [str(search(TriesOptions(500)).best + 1)]
    assert [row[0] for row in rows][:10] == [str(k) for k in range(1, 11)]
    for _, cells in rows:
        *errors, mean, _ = (cell.strip() for cell in cells.split("│"))
        assert np.mean([float(error) for error in errors]) == pytest.approx(float(mean), abs=0.11)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tries", "0"], "--tries must be between 1 and 1,000,000, got 0"),
        (["--examples", "1001"], "--examples must be between 1 and 1,000, got 1001"),
        (["--seed", "-1"], "--seed must be between 0 and 4,294,967,295, got -1"),
        (["--seed", str(2**32)], f"--seed must be between 0 and 4,294,967,295, got {2**32}"),
    ],
)
def test_wrong_input_gets_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tries", *arguments]) == 2
    assert capsys.readouterr().err == f"stages tries: {message}\n"
