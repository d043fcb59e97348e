"""The registry: what it names exists, and texts that list names agree with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest

import train
from envs import registry
from envs.__main__ import TABLES, main, table
from envs.names import load, suggest

ROOT = Path(__file__).parent.parent
GENERATED = re.compile(r"<!-- python -m envs (\w+) -->\n(.*?)\n?<!-- end -->", re.S)


@pytest.mark.parametrize("name", TABLES)
def test_every_target_can_be_loaded(name: str) -> None:
    for entry in TABLES[name][1].values():
        assert callable(load(entry.target)) or name in ("games", "experiments")
        assert entry.summary.endswith((".", "?"))


def test_games_and_datasets_are_registered_with_their_solved_score() -> None:
    for game in registry.GAMES.values():
        assert gymnasium.spec(game.env_id).reward_threshold == game.solved_score
    for dataset in registry.DATASETS.values():
        assert gymnasium.spec(dataset.env_id).reward_threshold == dataset.solved_score


def test_names_are_unique_on_the_command_line() -> None:
    assert not registry.GAMES.keys() & registry.DATASETS.keys()


def test_tables_in_documents_are_those_of_the_registry() -> None:
    texts = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    blocks = [block for text in texts for block in GENERATED.findall(text.read_text("utf-8"))]
    assert "agents" in [name for name, _ in blocks]
    for name, block in blocks:
        assert block == table(name), f"run python -m envs {name} and paste its output"


def test_help_names_every_environment_and_agent(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        train.main(["--help"])
    words = set(re.findall(r"\w+", capsys.readouterr().out))
    entries: dict[str, registry.Entry] = {
        **registry.GAMES,
        **registry.DATASETS,
        **registry.AGENTS,
    }
    assert {name for name in entries if not entries[name].target.startswith("tests.")} <= words


def test_a_file_that_hides_the_rewards_is_named(tmp_path: Path) -> None:
    (tmp_path / "rewards.py").touch()
    command = [sys.executable, "-c", "import envs"]
    paths = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=paths, capture_output=True, text=True, check=False
    )
    assert f"{tmp_path / 'rewards.py'} hides the package `rewards`" in done.stderr


def test_an_unknown_table_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agent"]) == 2
    assert capsys.readouterr().err == ("envs: there is no table `agent`; did you mean `agents`?\n")


def test_a_close_name_is_suggested_and_all_names_otherwise() -> None:
    assert suggest("padle", registry.GAMES) == "did you mean `paddle`?"
    assert suggest("chess", ("a", "b")) == "choose from a, b"
