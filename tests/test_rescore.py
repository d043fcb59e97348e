"""python -m rewards rescore: tables, figure, JSON and errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewards.__main__ import main
from rewards.command_line import USAGE_ERROR
from tests.test_recorded_episodes import GAMES, played
from training.recorded_episodes import BEST_EPISODES, write_episodes
from training.rescoring import rescore
from training.run_folder import CONFIG, write_json
from training.train_options import default_config


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the settings and the recorded episodes of a run on paddle."""
    folder = tmp_path_factory.mktemp("run")
    recorded = played(*GAMES[0][:2]).recorded
    assert recorded is not None
    write_episodes(folder / BEST_EPISODES, recorded)
    config = default_config("paddle", reward="hit_or_miss - 0.5*effort")
    write_json(folder / CONFIG, config.to_json("python train.py"))
    return folder


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_reward_of_the_run_is_compared_with_the_one_that_is_named(
    lang: str, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figure, numbers = tmp_path / "figure.png", tmp_path / "numbers.json"
    given: list[Any] = ["rescore", run_folder, "anticipate", "--lang", lang]
    given += ["--out", figure, "--json", numbers]
    assert main([*map(str, given)]) == 0
    output = capsys.readouterr().out
    assert "hit_or_miss - 0.5*effort" in output
    assert "python play.py --replay" in output
    assert figure.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    content = json.loads(numbers.read_text())
    assert [each["reward"] for each in content["rewards"]] == [
        "hit_or_miss - 0.5*effort",
        "anticipate",
    ]
    recorded = played(*GAMES[0][:2]).recorded
    assert recorded is not None
    paid = rescore(recorded, ["anticipate"]).paid[0]
    assert content["rewards"][1]["returns"] == paid.returns.tolist()
    assert content["scores"] == recorded.scores.tolist()
    assert all(1 <= moment["episode"] + 1 <= 9 for moment in content["moments"])


def test_a_file_needs_no_run_folder(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["rescore", str(run_folder / BEST_EPISODES)]
    assert main(given) == 0
    assert "hit_or_miss" in capsys.readouterr().out  # the default reward of the game
    figure = tmp_path / "figure.png"
    assert main([*given, "--out", str(figure)]) == USAGE_ERROR
    assert "--out needs two rewards" in capsys.readouterr().err
    assert not figure.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["effort", "--episode", "10"], "--episode must be between 1 and 9"),
        (["no_such_term"], "paddle has no reward term `no_such_term`"),
        (["effort", "--out", "figure.jpg"], "figure.jpg"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], message: str, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rescore", str(run_folder), *arguments]) == USAGE_ERROR
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_code_of_a_run_is_executed_only_if_it_is_trusted(
    tmp_path: Path, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / BEST_EPISODES).write_bytes((run_folder / BEST_EPISODES).read_bytes())
    config = default_config("paddle").to_json("python train.py")
    write_json(tmp_path / CONFIG, config | {"reward": "mine.py:mine"})
    assert main(["rescore", str(tmp_path), "effort"]) == USAGE_ERROR
    assert "--trust-reward" in capsys.readouterr().err
