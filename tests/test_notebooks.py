"""The notebooks in both languages; one kernel runs what is special in a notebook.

`python -m benchmarks.notebooks` executes all of them, in `.ci/run` with `--quick`.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from benchmarks.notebooks import execute, main, notebooks, read, shortened

HANGUL = re.compile("[가-힣]")
NAMES = [file.stem for file in notebooks() if not file.stem.endswith(".ko")]


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_cells(name: str) -> None:
    english, korean = (read(*notebooks([f"{name}{end}"])).cells for end in (".py", ".ko.py"))
    assert [cell.cell_type for cell in english] == [cell.cell_type for cell in korean]
    for one, other in zip(english, korean, strict=True):
        if one.cell_type == "code":
            assert one.source == other.source
            compile(one.source, name, "exec")
        else:
            assert HANGUL.search(other.source)
            assert not HANGUL.search(one.source)
            assert re.findall("`.*?`|^#+", one.source) == re.findall("`.*?`|^#+", other.source)


def cell(source: str) -> Any:
    return nbformat.v4.new_code_cell(source)


def test_a_notebook_shows_and_keeps_what_it_trains(tmp_path: Path) -> None:
    """Progress is replaced in place, figures and animations are inline, errors name the cell."""
    own = [
        cell("WEIGHT = 0.5\n\n\ndef half(before, action, after):\n    return WEIGHT"),
        cell("mine = train(reward=half)"),
        cell("def bad(before, action, after):\n    return after.nothing"),
        cell("try:\n    train(reward=bad)\nexcept ValueError as error:\n    print(error)"),
        cell('print((mine.folder / "reward/given_reward.py").read_text())'),
    ]
    first = read(*notebooks(["1_first_agent.py"]))
    notebook = shortened([first, nbformat.v4.new_notebook(cells=own)])
    execute(notebook, tmp_path)
    found = {each.source: each.outputs for each in notebook.cells if each.cell_type == "code"}
    (trained,) = (outputs for source, outputs in found.items() if source.startswith("run = train"))
    panel, *lines = trained
    assert "512 of 512 steps" in panel.data["text/plain"]
    assert "\x1b" not in panel.data["text/plain"]
    assert "Final evaluation" in "".join(line.text for line in lines)
    figure, film = (found[source][0].data for source in ("run.plot()", "run.watch()"))
    assert base64.b64decode(figure["image/png"]).startswith(b"\x89PNG")
    gif = re.fullmatch(r'<img alt=".*" src="data:image/gif;base64,(.*)">', film["text/html"])
    assert gif is not None
    assert base64.b64decode(gif[1]).startswith(b"GIF89a")
    assert len(gif[1]) < 500_000
    refused, kept = (found[each.source][0].text for each in own[-2:])
    assert re.fullmatch(r"Cell In\[\d+\], line 2: `after.nothing`: paddle has no .*\n", refused)
    assert "WEIGHT = 0.5" in kept


def test_an_unknown_notebook_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["10_none"]) == 2
    assert capsys.readouterr().err.startswith("notebooks: there is no notebook 10_none; choose")
