"""Rewards that were learned from comparisons: what they pay, and folders that are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from reward_lab.preferences.store import Store
from rewards.__main__ import main
from rewards.expression import RewardError
from rewards.learned import FILE, LearnedReward, Networks, load_learned
from rewards.make import reward_of
from training.reward_snapshot import keep_reward, kept_expression, reward_sources

INPUTS = 5 + 5 + 3  # observation, its change, one of three actions
MEMBERS, WIDTH = 3, 4


def random_networks(seed: int) -> Networks:
    """Return networks for paddle whose outputs differ from step to step."""
    normal = np.random.default_rng(seed).normal
    return Networks(
        shift=normal(size=INPUTS),
        scale=np.exp(normal(size=INPUTS)),
        weight1=normal(size=(MEMBERS, INPUTS, WIDTH)),
        bias1=normal(size=(MEMBERS, WIDTH)),
        weight2=normal(size=(MEMBERS, WIDTH, WIDTH)),
        bias2=normal(size=(MEMBERS, WIDTH)),
        weight3=normal(size=(MEMBERS, WIDTH)),
        bias3=normal(size=MEMBERS),
        unit=np.exp(normal(size=MEMBERS)),
    )


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Networks:
    """Save a learned reward as preferences/mine in the current folder; return its networks."""
    monkeypatch.chdir(tmp_path)
    found = random_networks(1)
    folder = Path("preferences/mine")
    folder.mkdir(parents=True)
    Store(folder).write_reward(LearnedReward("mine", "paddle", {}, found))
    return found


def by_formula(networks: Networks, before: Any, action: Any, after: Any) -> float:
    """Return the reward of a step from the observations, with a matrix product for each layer."""
    seen = np.concatenate((after, np.subtract(after, before, dtype=float), np.eye(3)[action]))
    x = np.clip((seen - networks.shift) / networks.scale, -10, 10)
    total = 0.0
    for m in range(MEMBERS):
        hidden = np.maximum(x @ networks.weight1[m] + networks.bias1[m], 0)
        hidden = np.maximum(hidden @ networks.weight2[m] + networks.bias2[m], 0)
        total += (hidden @ networks.weight3[m] + networks.bias3[m]) / networks.unit[m]
    return total / MEMBERS


def test_a_learned_reward_pays_what_its_networks_say(networks: Networks) -> None:
    env = gymnasium.make("PaddleBall-v0", reward="preferences/mine")
    env.action_space.seed(1)
    before, _ = env.reset(seed=1)
    paid = []
    for _ in range(100):
        action = env.action_space.sample()
        after, reward, over, _, info = env.step(action)
        assert reward == info["reward/mine"]
        assert reward == pytest.approx(by_formula(networks, before, action, after), rel=1e-9)
        paid.append(float(reward))
        before = env.reset()[0] if over else after
    assert np.std(paid) > 0.1


def test_a_step_is_paid_the_same_alone_and_among_others(networks: Networks) -> None:
    many: Any = gymnasium.make_vec(
        "PaddleBall-v0", num_envs=7, reward="0.5*preferences/mine - effort"
    )
    one: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=1, reward="preferences/mine")
    many.reset(seed=3)
    one.reset(seed=5)  # the third of the seven
    for k in range(60):
        actions = (np.arange(7) + k // 5) % 3
        _, together, _, _, infos = many.step(actions)
        _, alone, _, _, _ = one.step(actions[2:3])
        assert alone[0] == infos["reward/mine"][2]
        assert together[2] == 0.5 * alone[0] - (actions[2] != 1)


def test_a_run_keeps_a_copy(networks: Networks, tmp_path: Path) -> None:
    expression = "preferences/mine + 2.0*hit_or_miss"
    env = gymnasium.make("PaddleBall-v0", reward=expression)
    run = tmp_path / "a run"
    reward = reward_of(env)
    assert reward is not None
    keep_reward(run, reward_sources(reward))
    Store(Path("preferences/mine")).write_reward(
        LearnedReward("mine", "paddle", {}, random_networks(2))
    )
    kept, changed = (
        gymnasium.make("PaddleBall-v0", reward=text)
        for text in (kept_expression(run, expression), expression)
    )
    for each in (env, kept, changed):
        each.reset(seed=1)
    first, second, third = (each.step(0)[1] for each in (env, kept, changed))
    assert first == second != third


def test_the_game_must_be_the_one_it_was_learned_in(
    networks: Networks, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RewardError, match=r"`mine` was learned in paddle .* this is bicycle-balan"):
        gymnasium.make("BicycleBalance-v0", reward="preferences/mine")
    assert main(["check", "preferences/mine", "--env", "bicycle"]) == 2
    assert "`mine` was learned in paddle" in capfd.readouterr().err


def test_a_wrong_name_is_answered_with_a_likely_one(networks: Networks) -> None:
    with pytest.raises(RewardError, match=r"no learned reward preferences/mime.* `mine`"):
        gymnasium.make("PaddleBall-v0", reward="preferences/mime")


def test_damaged_files_are_refused_in_one_line(networks: Networks) -> None:
    file = Path("preferences/mine") / FILE
    good = file.read_bytes()
    generator = np.random.default_rng(0)
    damaged = [b"", good[:50], good[:-1], good + b"x"]
    for place in generator.integers(8, len(good), 30):
        damaged.append(good[:place] + bytes([good[place] ^ 16]) + good[place + 1 :])
    for content in damaged:
        file.write_bytes(content)
        with pytest.raises(RewardError, match="is damaged") as error:
            load_learned(file.parent)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scale", np.zeros(INPUTS)),
        ("unit", -np.ones(MEMBERS)),
        ("bias3", np.full(MEMBERS, np.nan)),
        ("shift", np.zeros(INPUTS + 1)),
        ("weight1", np.zeros((MEMBERS, INPUTS))),
        ("weight3", np.zeros((MEMBERS, WIDTH), np.float32)),
    ],
)
def test_networks_that_do_not_fit_are_refused(networks: Networks, field: str, value: Any) -> None:
    wrong = networks._replace(**{field: value})
    Store(Path("preferences/mine")).write_reward(LearnedReward("mine", "paddle", {}, wrong))
    with pytest.raises(RewardError, match="is damaged"):
        load_learned(Path("preferences/mine"))
