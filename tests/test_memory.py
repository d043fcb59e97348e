"""Mirrored controls, observations with a history, and agents that use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import train
from agents.agent import Agent, Task
from envs.paddle.game import GAME, PaddleOptions, paddle
from stages.in_context import memory, moves
from tests.test_training import assert_same_checkpoint, run_train
from training.config import RunConfig
from training.vector_runner import make_environments


def make_vec(env_id: str, num_envs: int, **options: Any) -> Any:
    return gymnasium.make_vec(env_id, num_envs=num_envs, **options).unwrapped


# --- Mirrored controls


def test_random_controls_exchange_up_and_down_in_half_of_the_episodes() -> None:
    """Each state is that of the normal game after the exchanged action."""
    env, options = make_vec("PaddleBall-v0", 400, controls="random"), PaddleOptions()
    env.reset(seed=0)
    usual = make_vec("PaddleBall-v0", 400)
    usual.reset(seed=0)
    mirrored = env.batch.states["mirrored"].copy()
    assert set(mirrored) == {0, 1}
    assert 0.4 < mirrored.mean() < 0.6
    for name in ("ball_x", "ball_y", "ball_vx", "ball_vy", "paddle_y"):
        assert np.array_equal(env.batch.states[name], usual.batch.states[name])
    expected = usual.batch.states.copy()
    actions = np.random.default_rng(0).integers(3, size=400)
    env.step(actions)
    for i in range(400):
        GAME.step(expected[i], 2 - actions[i] if mirrored[i] else actions[i], options)
        assert env.batch.states[i]["paddle_y"] == expected[i]["paddle_y"]
        assert env.batch.states[i]["ball_y"] == expected[i]["ball_y"]
    assert np.array_equal(env.batch.states["mirrored"], mirrored)
    assert paddle() is GAME


def test_each_episode_samples_its_controls() -> None:
    env = make_vec("PaddleBall-v0", 200, controls="random", max_steps=1)
    env.reset(seed=0)
    before = env.batch.states["mirrored"].copy()
    env.step(np.ones(200, np.int64))
    assert 0.3 < (env.batch.states["mirrored"] != before).mean() < 0.7


def test_the_observation_does_not_show_the_controls() -> None:
    single = gymnasium.make("PaddleBall-v0", controls="random").unwrapped
    seen = [
        single.reset(seed=0, options={"state": {"mirrored": k, "ball_x": 0.5}})[0] for k in (0, 1)
    ]
    assert np.array_equal(*seen)
    with pytest.raises(ValueError, match="`mirrored` must be 0 or 1, got 2"):
        single.reset(options={"state": {"mirrored": 2}})


# --- History


@pytest.mark.parametrize(
    ("env_id", "options"),
    [("PaddleBall-v0", {"controls": "random"}), ("BicycleBalance-v0", {})],
    ids=["discrete actions", "continuous actions"],
)
def test_history_holds_observations_and_actions_since_the_episode_began(
    env_id: str, options: dict[str, Any]
) -> None:
    """Compared with the same games without history, across the ends of episodes."""
    k, plain = 3, make_vec(env_id, 4, max_steps=5, **options)
    env = make_vec(env_id, 4, max_steps=5, history=k, **options)
    seen, rows = plain.reset(seed=1)[0], env.reset(seed=1)[0]
    discrete = isinstance(env.single_action_space, gymnasium.spaces.Discrete)
    actions_seen = int(env.single_action_space.n) if discrete else 3
    blank = np.zeros(seen.shape[1] + actions_seen, np.float32)
    kept = [[np.concatenate((s, blank[:actions_seen]))] for s in seen]
    env.action_space.seed(0)
    ended = 0
    for _ in range(12):
        for i in range(4):
            expected = ([blank] * (k + 1) + kept[i])[-k - 1 :]
            assert np.array_equal(rows[i], expected)
        assert rows in env.observation_space
        actions = env.action_space.sample()
        told = np.eye(3, dtype=np.float32)[actions] if discrete else actions
        seen, *_, done, plain_infos = plain.step(actions)
        rows, *_, infos = env.step(actions)
        for i in range(4):
            if done[i]:
                last = np.concatenate((plain_infos["final_obs"][i], told[i]))
                expected = ([blank] * (k + 1) + [*kept[i], last])[-k - 1 :]
                assert np.array_equal(infos["final_obs"][i], expected)
                kept[i], ended = [np.concatenate((seen[i], blank[:actions_seen]))], ended + 1
            else:
                kept[i].append(np.concatenate((seen[i], told[i])))
    assert ended >= 8


def test_the_single_game_has_the_same_history() -> None:
    options: Any = {"history": 4, "controls": "random", "max_steps": 30}
    many, one = make_vec("PaddleBall-v0", 2, **options), gymnasium.make("PaddleBall-v0", **options)
    rows = many.reset(seed=4)[0]
    assert np.array_equal(one.reset(seed=4)[0], rows[0])
    for action in (0, 2, 2, 1, 0, 2):
        rows = many.step(np.array([action, 1]))[0]
        assert np.array_equal(one.step(action)[0], rows[0])


def test_history_continues_bit_for_bit_after_resuming(tmp_path: Path) -> None:
    given = ["--env", "paddle", "--num-envs", 8, "--num-steps", 12, "--eval-every", 480]
    given += ["--eval-episodes", 4, "--env-options", "controls=random", "history=5", "max_steps=70"]
    through = run_train("--run-dir", tmp_path / "a", "--steps", 960, *given)
    half = run_train("--run-dir", tmp_path / "b", "--steps", 480, *given)
    run_train("--resume", half, "--steps", 960)
    assert_same_checkpoint(through, half)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["history=-1"], "history must be a whole number of at least 0, got -1"),
        (["history=2.5"], "history must be a whole number of at least 0, got 2.5"),
        (["history=3", "observation=screen"], 'history needs observation="state"'),
        (["controls=odd"], "paddle has no controls `odd`; choose from usual, random"),
    ],
)
def test_wrong_input_gets_one_line_and_leaves_nothing(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--env", "paddle", "--run-dir", str(tmp_path / "r"), "--env-options", *options]
    assert train.main(arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "r").exists()


# --- The experiment


class Follower(Agent):
    """Moves towards the ball; with memory, the other way if its last move went wrong."""

    def __init__(self, task: Task, remembers: bool) -> None:
        super().__init__(task, 0)
        self.remembers = remembers

    def act(self, observations: Any, explore: bool = True) -> Any:
        rows = observations if observations.ndim == 3 else observations[:, None]
        wanted = np.sign(rows[:, -1, 1] - rows[:, -1, 4])
        if self.remembers:
            went = rows[:, -1, 4] - rows[:, -2, 4]
            told = rows[:, -1, 7] - rows[:, -1, 5]
            wanted = np.where(went * told < 0, -wanted, wanted)
        return (1 + wanted).astype(np.int64)


@pytest.mark.parametrize("kind", list(memory.GAMES))
def test_right_moves_of_an_agent_that_follows_the_ball(kind: str) -> None:
    config = memory.GRID[kind].config(1)
    environments = make_environments(config.env, 1, config.make_options)
    spaces = environments.single_observation_space, environments.single_action_space
    agent = Follower(Task(config.env, *spaces, 1, 1), remembers="history" in config.env_options)
    shares = np.array(moves.right_moves(agent, config))
    assert shares.shape == (moves.STEPS,)
    if kind == "usual":
        assert (shares == 100).all()
        return
    assert 45 < shares[0] < 55
    if kind == "none":
        assert (shares < 75).all()
    else:
        assert (shares[1:] > 95).all()


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")
def test_a_table_a_slide_and_conclusions(right: bool, lang: str, verdicts_of: Any) -> None:
    def made_up(config: RunConfig) -> Any:
        last = 95 if right and "history" in config.env_options else 49
        better = 3 if right and config.settings.recurrent else 0
        shares = np.linspace(50, last, moves.STEPS) + better + config.seed / 10
        return [float(share) for share in shares]

    assert verdicts_of("memory", lang, made_up) == ((3, 0) if right else (0, 3))
