"""The picture of how training data are prepared."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.__main__ import main
from stages.datasets.shapes import Shapes


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")  # a letter that the font does not have
def test_the_table_has_the_numbers_and_labels_of_six_screens(
    lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = tmp_path / "slide.png"
    arguments = ["preparing", "--lang", lang, "--out", str(slide), "--seed", "3"]
    assert main(arguments) == 0
    dataset = Shapes(of="animals", examples=6, data_seed=3, observation="rings")
    numbers, labels, _ = dataset.sample(6, 3)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    rows = [[word for word in line if word != "│"] for line in printed if line[:1] == ["│"]]
    for k, row in enumerate(rows):
        assert row == [str(k + 1), *(f"{number:.2f}" for number in numbers[k]), str(labels[k])]
    assert len(rows) == 6
    assert slide.stat().st_size > 10_000
    assert main(["preparing", "--out", "nowhere/slide.png"]) == 2
    assert "there is no folder nowhere" in capsys.readouterr().err
