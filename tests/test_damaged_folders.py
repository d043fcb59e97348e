"""Tests of damaged run folders, and of run folders that strangers made: benchmarks/damage.py."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.damage import (
    EVIL,
    KINDS,
    LOADED,
    REFUSALS,
    WAYS,
    Outcome,
    evil_module,
    make_folder,
    try_damage,
)
from envs.registry import DATASETS, GAMES
from rewards.expression import RewardError, parse
from training.messages import counted, one_line
from training.reward_snapshot import kept_expression
from training.run_folder import save_checkpoint, write_json
from training.train_options import default_config
from training.vector_runner import make_environment, make_environments

SEED = 7
EACH = 50


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a short run of each of three kinds."""
    return [make_folder(tmp_path_factory.mktemp("run"), kind) for kind in KINDS[:3]]


@pytest.fixture(scope="module")
def marker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the file that exists once the module `evil` was imported."""
    with evil_module(tmp_path_factory.mktemp("path")) as marker:
        yield marker


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", range(3), ids=[agent for _, agent, _ in KINDS[:3]])
def test_damages_are_refused_in_one_line_or_harmless(
    kind: int, way: str, sources: list[Path], marker: Path, tmp_path: Path
) -> None:
    outcomes: list[Outcome] = []
    for number in range(EACH):
        place = 3 * number + kind
        outcomes.append(try_damage(sources[kind], way, SEED, place, tmp_path, marker))
    assert [outcome for outcome in outcomes if outcome.problem] == []
    assert 5 < sum(outcome.detail == LOADED for outcome in outcomes) < EACH - 5


def test_code_that_a_folder_runs_would_be_noticed(marker: Path) -> None:
    __import__("evil")
    assert marker.exists()
    marker.unlink()


def strings(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all strings in JSON content, and of the keys of all objects."""
    if isinstance(content, str):
        yield path
    items = content.items() if isinstance(content, dict) else ()
    for key, value in itertools.chain(items, enumerate(content if type(content) is list else ())):
        yield from strings(value, (*path, key))


def replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of JSON content with another value at `path`."""
    copy = json.loads(json.dumps(content))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


@pytest.mark.parametrize("env", [*GAMES, *DATASETS, "CartPole-v1"])
def test_no_string_of_a_run_folder_is_imported(env: str, marker: Path, tmp_path: Path) -> None:
    """The checkpoint is one of an earlier version, which does not hold the settings."""
    small = ["examples=20", "test_examples=20"] if env in DATASETS else []
    config = default_config(env, env_options=small).to_json("python train.py") | {"num_envs": 2}
    numbers = {"progress": {"steps": 0}, "agent": {"generator": {"bit_generator": "PCG64"}}}
    save_checkpoint(tmp_path, {"agent.network.weights": torch.zeros(1)}, numbers)
    names = ("dataset", "game", "rewards", "stage", "entry_point", "wrappers", "sport", "task")
    changed = [replaced(config, path, EVIL) for path in strings(config)]
    changed += [replaced(config, ("env_options", name), EVIL) for name in names]
    changed += [replaced(config, ("env_options", EVIL), EVIL)]
    for content in changed:
        write_json(tmp_path / "config.json", content)
        for use in WAYS.values():
            with pytest.raises(REFUSALS):
                use(tmp_path)
    write_json(tmp_path / "config.json", config)
    for path in strings(numbers):
        save_checkpoint(tmp_path, {}, replaced(numbers, path, EVIL))
        for use in WAYS.values():
            with pytest.raises(REFUSALS):
                use(tmp_path)
    assert not marker.exists()


def test_a_count_has_its_noun() -> None:
    assert [counted(k, "step") for k in (0, 1, 2_000)] == ["0 steps", "1 step", "2,000 steps"]


def test_messages_are_one_line_that_a_terminal_can_show() -> None:
    assert one_line("a\n\x1b[2Jb \x00 \u202e가") == "a ?[2Jb ? ?가"
    assert len(one_line("x" * 10**6)) < 3_000
    assert one_line(KeyError()) == "KeyError"


def test_a_reward_is_not_longer_than_a_line() -> None:
    with pytest.raises(RewardError, match="put it into a file"):
        parse(" + ".join(["hit_or_miss"] * 20_000))
    with pytest.raises(RewardError, match="more than 100 terms"):
        parse(" + ".join(["hit_or_miss"] * 101))


@pytest.mark.parametrize(
    ("env", "option"), [("PaddleBall-v0", "paddle_size"), ("ReconstructScreen-v0", "blur")]
)
def test_integers_that_no_float_can_hold_are_refused(env: str, option: str) -> None:
    for make in (make_environment, lambda name, options: make_environments(name, 2, options)):
        with pytest.raises(ValueError, match=option):
            make(env, {option: 10**400})


@pytest.mark.parametrize("damage", ["bytes", "large"])
def test_a_damaged_expression_of_a_kept_reward_is_refused(damage: str, tmp_path: Path) -> None:
    kept = tmp_path / "reward" / "reward.txt"
    kept.parent.mkdir()
    with kept.open("wb") as file:
        if damage == "bytes":
            file.write(b"\xff\xfe")
        else:
            file.truncate(10**12)
    with pytest.raises(ValueError, match=r"is damaged|cannot be read"):
        kept_expression(tmp_path, "mine.py:mine")


def test_a_kept_expression_cannot_add_code_to_a_reward_without_code(tmp_path: Path) -> None:
    """Whether code may be executed is asked about the reward in config.json."""
    kept = tmp_path / "reward"
    (kept / "preferences" / "x").mkdir(parents=True)
    (kept / "evil.py").write_text("raise SystemExit('executed')")
    for text in ("evil.py:evil", "preferences/x + evil.py:evil"):
        (kept / "reward.txt").write_text(text)
        with pytest.raises(ValueError, match=r"reward.txt is damaged: it names code"):
            kept_expression(tmp_path, "preferences/x")
        assert kept_expression(tmp_path, "hit_or_miss") == "hit_or_miss"
    (kept / "reward.txt").write_text("2.0*preferences/x")
    assert str(kept / "preferences" / "x") in kept_expression(tmp_path, "preferences/x")
