"""Tests of the built-in terms: values, compiled and interpreted, weights and names."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import gymnasium
import numpy as np
import pytest

from envs.engine.game import Game, load_game
from envs.registry import GAMES as REGISTERED
from rewards.check.recorded_games import Transitions, recorded_transitions
from rewards.kernel import compiled_kernel, plain_kernel
from rewards.make import make_reward
from rewards.terms import load_term
from tests.games import EVERY_TASK, GAMES, VARIANTS, Variant

every_task = pytest.mark.parametrize("variant", EVERY_TASK, ids=str)
UP, STAY, DOWN = 0, 1, 2


def rewarded(variant: Variant) -> tuple[Game, str]:
    """Return a game and its module of reward terms."""
    arguments: Any = gymnasium.spec(variant.env_id).kwargs
    entry = REGISTERED[arguments["game"]]
    return load_game(entry.target, variant.options)[0], entry.rewards


def all_terms(rewards: str) -> list[str]:
    """Return the names of the terms in a module."""
    module = importlib.import_module(rewards)
    return [
        name
        for name, value in vars(module).items()
        if callable(value) and value.__module__ == module.__name__
    ]


def own_terms(variant: Variant) -> tuple[Game, str, list[str]]:
    """Return a game, its module of reward terms, and the names of the usable terms."""
    game, rewards = rewarded(variant)
    state, action = game.states(1)[0], game.actions(1)[0]
    names = []
    for name in all_terms(rewards):
        with contextlib.suppress(AttributeError):
            load_term(name, rewards).function(state, action, state)
            names.append(name)
    return game, rewards, names


def values(kernel: Any, transitions: Transitions) -> Any:
    row, total = np.zeros((2, len(transitions.after)))
    kernel(*transitions, -0.5, True, row, total)
    assert np.array_equal(total, -0.5 * row)
    return row


def test_every_term_works_in_some_variant() -> None:
    for game in GAMES:
        _, rewards = rewarded(game)
        usable = {
            name
            for variant in VARIANTS
            if variant.env_id == game.env_id
            for name in own_terms(variant)[2]
        }
        assert usable == set(all_terms(rewards)) != set()


@every_task
def test_compiled_terms_equal_interpreted_ones(variant: Variant) -> None:
    game, rewards, names = own_terms(variant)
    transitions = recorded_transitions(game, {})
    assert names
    for name in names:
        term = load_term(name, rewards)
        fast = values(compiled_kernel(term, game), transitions)
        slow = values(plain_kernel(term), transitions)
        assert fast.tobytes() == slow.tobytes(), name
        assert np.isfinite(fast).all()
        assert term.function.__doc__, f"{name} has no docstring"


def test_recorded_transitions_contain_starts_hits_and_misses() -> None:
    game, _, _ = own_terms(Variant("PaddleBall-v0"))
    before, actions, after = recorded_transitions(game, {})
    assert (before["t"] == 0).any()
    assert (after["hits"] > before["hits"]).sum() >= 5
    assert after["missed"].sum() >= 5
    assert set(actions) == {UP, STAY, DOWN}
    short = recorded_transitions(game, {"max_steps": 7, "observation": "screen", "copy": False})
    assert short.after["t"].max() == 7


@every_task
def test_rewards_are_the_weighted_sums_of_the_reported_terms(variant: Variant) -> None:
    """The sum is exact, and `make` and `make_vec` agree."""
    _, _, names = own_terms(variant)
    weights = [0.5 * (-1) ** k * (k + 1) for k in range(len(names))]
    expression = " ".join(f"{w:+}*{name}" for w, name in zip(weights, names, strict=True))
    options: Any = {**variant.options, "reward": expression}
    vector: Any = gymnasium.make_vec(variant.env_id, num_envs=4, **options).unwrapped
    single: Any = gymnasium.make(variant.env_id, **options).unwrapped
    vector.action_space.seed(0)
    vector.reset(seed=3)
    single.reset(seed=3)
    for _ in range(200):
        actions = vector.action_space.sample()
        _, rewards, terminated, truncated, infos = vector.step(actions)
        _, reward, ended, cut, info = single.step(actions[0])
        expected = np.zeros(4)
        for weight, name in zip(weights, names, strict=True):
            expected += weight * infos[f"reward/{name}"]
            assert infos[f"_reward/{name}"].all()
            assert info[f"reward/{name}"] == infos[f"reward/{name}"][0]
        assert np.array_equal(rewards, expected)
        assert reward == rewards[0]
        assert (ended, cut) == (terminated[0], truncated[0])
        if ended or cut:
            single.reset()


@every_task
def test_the_default_reward(variant: Variant) -> None:
    game, rewards = rewarded(variant)
    env: Any = gymnasium.make(variant.env_id, **variant.options).unwrapped
    assert env.batch.reward.expression == importlib.import_module(rewards).DEFAULT[game.name]


def test_score_does_not_depend_on_the_reward() -> None:
    def scores(reward: str) -> Any:
        env: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=50, reward=reward)
        env.action_space.seed(0)
        env.reset(seed=0)
        return np.stack([env.step(env.action_space.sample())[-1]["score"] for _ in range(200)])

    assert scores("hit_or_miss").any()
    assert np.array_equal(scores("hit_or_miss"), scores("-3*stay_alive"))


# --- Values of paddle-and-ball's terms, computed by hand

START = {"ball_x": 0.5, "ball_y": 0.25, "ball_vx": 0.01, "ball_vy": 0.0, "paddle_y": 0.5}
HIT = START | {"ball_x": 0.01, "ball_vx": -0.02, "paddle_y": 0.25}
MISS = HIT | {"paddle_y": 0.8}


@pytest.mark.parametrize(
    ("term", "state", "action", "expected"),
    [
        ("hit_or_miss", START, STAY, 0.0),
        ("hit_or_miss", HIT, STAY, 1.0),
        ("hit_or_miss", HIT | {"hits": 41}, STAY, 1.0),
        ("hit_or_miss", MISS, STAY, -1.0),
        ("stay_alive", START, STAY, 1.0),
        ("stay_alive", HIT, STAY, 1.0),
        ("stay_alive", MISS, STAY, 0.0),
        ("follow_ball", START, STAY, -0.25),
        ("follow_ball", START | {"paddle_y": 0.25}, STAY, 0.0),
        ("follow_ball", START | {"paddle_y": 0.125, "ball_vy": 0.01}, STAY, -0.135),
        ("effort", START, UP, 1.0),
        ("effort", START, STAY, 0.0),
        ("effort", START, DOWN, 1.0),
        # horizontal, to the wall and back: lands at the same height
        ("anticipate", START, STAY, -0.25),
        # straight to the paddle: 0.5 across and half as much up, from 0.25 to 0
        ("anticipate", START | {"ball_vx": -0.02, "ball_vy": -0.01}, STAY, -0.5),
        # steeper, over the upper wall: 0.5 up from 0.25 is 0.25 below the wall
        ("anticipate", START | {"ball_vx": -0.02, "ball_vy": -0.02}, STAY, -0.25),
        # away: 0.5 to the wall and 1.0 back is 1.5 across, half as much down: 0.25 + 0.75 = 1
        ("anticipate", START | {"ball_vx": 0.02, "ball_vy": 0.01}, STAY, -0.5),
    ],
)
def test_values_of_the_paddle_terms(
    term: str, state: dict[str, float], action: int, expected: float
) -> None:
    env: Any = gymnasium.make("PaddleBall-v0", reward=term).unwrapped
    env.reset(seed=0, options={"state": state})
    _, reward, _, _, info = env.step(action)
    assert reward == pytest.approx(expected, abs=1e-12)
    assert info == {"score": info["score"], f"reward/{term}": reward}


def test_attributes_of_a_weighted_sum() -> None:
    entry = REGISTERED["paddle"]
    game, _ = load_game(entry.target, {})
    reward = make_reward(game, entry, "hit_or_miss - 0.01*effort", {})
    assert reward.expression == "hit_or_miss - 0.01*effort"
    assert reward.weights == [1.0, -0.01]
    assert reward.names == ("hit_or_miss", "effort")
    assert [term.from_user for term in reward.terms] == [False, False]
    assert [term.source_file.name for term in reward.terms] == ["paddle.py", "paddle.py"]
