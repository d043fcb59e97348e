"""Presets and the order in which they override each other."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from envs.names import flag
from training.presets import FILE, preset
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
SCREEN = ["--env-options", "observation=screen"]
OF_SCREEN: dict[str, Any] = tomllib.loads(FILE.read_text())["PaddleBall-v0 observation=screen"]
"""Built-in settings for paddle-and-ball from screens."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "presets.toml"
    file.write_text(PRESETS)
    return file


def test_the_section_of_an_option_overrides_that_of_the_game(file: Path) -> None:
    assert preset("PaddleBall-v0", "ppo", {"observation": "screen"}, file) == {
        "num_envs": 8,
        "epochs": 5,
        "num_steps": 32,
        "env_options": {"screen_size": 24, "frames": 3},
    }
    assert preset("PaddleBall-v0", "ppo", {}, file) == {
        "num_envs": 4,
        "epochs": 2,
        "num_steps": 32,
    }
    assert preset("PaddleBall-v0", "dqn", {"observation": "state"}, file) == {"num_envs": 4}


def test_the_command_line_overrides_presets() -> None:
    wanted = preset("PaddleBall-v0", "ppo", {})
    _, config = parse([])
    assert (config.num_envs, config.settings.epochs) == (wanted["num_envs"], wanted["epochs"])
    for name in ("num_envs", "epochs"):
        _, config = parse([flag(name), str(wanted[name] + 1)])
        assert vars(config).get(name, getattr(config.settings, name, 0)) == wanted[name] + 1


def test_presets_set_environment_options_and_the_command_line_overrides_them() -> None:
    _, config = parse(SCREEN)
    assert config.env_options == {"observation": "screen", **OF_SCREEN["any"]["env_options"]}
    assert config.eval_every == OF_SCREEN["any"]["eval_every"] != parse([])[1].eval_every
    _, config = parse([*SCREEN, "screen_size=40"])
    assert config.env_options == {"observation": "screen", "screen_size": 40}
    _, config = parse(["--env-options", "observation=state"])
    assert config.env_options == {"observation": "state"}


def test_the_observation_has_a_flag_of_its_own() -> None:
    _, by_flag = parse(["--observation", "screen"])
    _, by_option = parse(SCREEN)
    _, by_both = parse(["--observation", "screen", *SCREEN])
    assert by_flag == by_option == by_both
    assert by_flag.env_options["observation"] == "screen"
    with pytest.raises(ValueError, match="--observation state contradicts observation=screen"):
        parse(["--observation", "state", *SCREEN])


def test_a_solved_score_of_infinity_is_never_reached() -> None:
    assert parse([])[1].solved_score == 40.0
    assert parse(["--solved-score", "inf"])[1].solved_score is None
