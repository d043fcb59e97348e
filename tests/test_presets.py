"""Presets and the order in which they override each other."""

from __future__ import annotations

from pathlib import Path

import pytest

import training.presets
from training.train_options import parse

PRESETS = """
[any.any]
num_envs = 4

["PaddleBall-v0".ppo]
epochs = 2
num_steps = 32

["PaddleBall-v0 observation=screen".any]
num_envs = 8
env_options = { screen_size = 24, frames = 3 }

["PaddleBall-v0 observation=screen".ppo]
epochs = 5
"""


@pytest.fixture(autouse=True)
def _presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "presets.toml"
    file.write_text(PRESETS)
    monkeypatch.setattr(training.presets, "FILE", file)


def test_the_section_of_an_option_overrides_that_of_the_game() -> None:
    _, config = parse(["--env-options", "observation=screen"])
    assert (config.num_envs, config.settings.epochs, config.settings.num_steps) == (8, 5, 32)
    _, config = parse([])
    assert (config.num_envs, config.settings.epochs, config.env_options) == (4, 2, {})


def test_presets_set_environment_options_and_the_command_line_overrides_them() -> None:
    _, config = parse(["--env-options", "observation=screen", "screen_size=40"])
    assert config.env_options == {"observation": "screen", "screen_size": 40, "frames": 3}
    _, config = parse(["--env-options", "observation=state"])
    assert config.env_options == {"observation": "state"}


def test_the_observation_has_a_flag_of_its_own() -> None:
    _, by_flag = parse(["--observation", "screen"])
    _, by_option = parse(["--env-options", "observation=screen"])
    _, by_both = parse(["--observation", "screen", "--env-options", "observation=screen"])
    assert by_flag == by_option == by_both
    assert by_flag.env_options["observation"] == "screen"
    with pytest.raises(ValueError, match="--observation state contradicts observation=screen"):
        parse(["--observation", "state", "--env-options", "observation=screen"])


def test_a_solved_score_of_infinity_is_never_reached() -> None:
    assert parse([])[1].solved_score == 40.0
    assert parse(["--solved-score", "inf"])[1].solved_score is None
