"""Tests of the user's own reward terms: loading them, errors about them, and their use."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from rewards.expression import RewardError

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a reward file and returns its path."""

    def write_file(text: str, name: str = "mine.py") -> str:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write_file


def make(reward: Any, env_id: str = "PaddleBall-v0") -> Any:
    return gymnasium.make(env_id, reward=reward).unwrapped


def make_vec(reward: Any, num_envs: int = 8, **options: Any) -> Any:
    env = gymnasium.make_vec("PaddleBall-v0", num_envs=num_envs, reward=reward, **options)
    return env.unwrapped


def refusal(reward: Any) -> str:
    """Return the one-line error about a reward, the same from `make` and `make_vec`."""
    with pytest.raises(RewardError) as raised:
        make(reward)
    with pytest.raises(RewardError) as again:
        make_vec(reward)
    assert str(raised.value) == str(again.value)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def play(env: Any, steps: int = 150) -> list[Any]:
    """Return the rewards, terms and states of steps with random actions."""
    env.action_space.seed(0)
    env.reset(seed=0)
    played = []
    for _ in range(steps):
        _, rewards, _, _, infos = env.step(env.action_space.sample())
        terms = {name: infos[name] for name in infos if name.startswith("reward/")}
        played.append((rewards, terms, env.states))
    return played


FOLLOW = '''
def follow(before, action, after):
    """Closer is better."""
    return -abs(after.ball_y - after.paddle_y)
'''


# --- Loading


@pytest.mark.parametrize("name", ["my rewards-2.py", "größe.py"])
def test_a_term_in_a_file_equals_the_same_built_in_term(write: Write, name: str) -> None:
    file = write(FOLLOW, name)
    for reward in (f"{file}:follow", file, f"2*'{file}:follow' - '{file}:follow'"):
        for (ours, *_), (theirs, *_) in zip(
            play(make_vec(reward)), play(make_vec("follow_ball")), strict=True
        ):
            assert np.array_equal(ours, theirs)


def test_a_term_in_an_importable_module(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(FOLLOW, "my_module_of_rewards.py")
    write(FOLLOW)
    folder = Path(write("")).parent
    monkeypatch.syspath_prepend(str(folder))
    env = make_vec("my_module_of_rewards:follow - 0.5*hit_or_miss")
    assert env.batch.reward.names == ("follow", "hit_or_miss")


def test_a_relative_path_leaves_sys_path_unchanged(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(write(FOLLOW)).parent
    monkeypatch.chdir(folder)
    before = list(sys.path)
    make("mine.py:follow")
    assert sys.path == before
    assert "mine" not in sys.modules


def test_a_function_as_reward() -> None:
    def balls(before: Any, action: Any, after: Any) -> Any:
        return 3.0 * (after.hits - before.hits)

    env = make_vec(balls)
    assert env.batch.reward.expression == "balls"
    for rewards, terms, _ in play(env):
        assert np.array_equal(rewards, terms["reward/balls"])


def test_a_renamed_term_still_works_with_one_warning() -> None:
    """Run folders of earlier versions contain the former name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old = make_vec("score - 0.01*effort")
    (warning,) = caught
    assert str(warning.message) == (
        "reward term `score` is now called `hit_or_miss`; `score` names the game's own score"
    )
    assert old.batch.reward.names == ("score", "effort")
    assert old.batch.reward.title == "hit_or_miss - 0.01*effort"
    new = make_vec("hit_or_miss - 0.01*effort")
    for (ours, _, _), (theirs, _, _) in zip(play(old), play(new), strict=True):
        assert np.array_equal(ours, theirs)


def test_non_ascii_names_and_docstrings(write: Write) -> None:
    text = '''
def höhe(before, action, after):
    """Wie hoch? Ψ 高"""
    return after.ball_y
'''
    for rewards, _, states in play(make_vec(write(text) + ":höhe"), steps=20):
        assert np.array_equal(rewards, states.ball_y)


def test_an_edited_file_is_loaded_again(write: Write) -> None:
    first = write("def f(before, action, after):\n    return 1.0\n")
    assert play(make_vec(first), steps=1)[0][0][0] == 1.0
    second = write("def f(before, action, after):\n    return 2.0\n")
    assert play(make_vec(second), steps=1)[0][0][0] == 2.0


# --- Errors


def test_names_that_do_not_exist(write: Write) -> None:
    file = write(FOLLOW)
    assert refusal("hit_or_mis").endswith(
        "no reward term `hit_or_mis`; did you mean `hit_or_miss`?"
    )
    assert "choose from hit_or_miss, stay_alive, follow_ball, effort, anticipate" in refusal("qqq")
    assert refusal(f"{file}:folow").endswith("has no function `folow`; did you mean `follow`?")
    assert "does not exist (looked for" in refusal("nowhere.py:f")
    assert "reward module no_such_module cannot be imported" in refusal("no_such_module:f")
    assert "has no reward; write a function" in refusal(write("x = 1\n", "empty.py"))
    two = write(FOLLOW + FOLLOW.replace("follow", "other"), "two.py")
    assert "has 2 functions; name the reward, as in" in refusal(two)
    assert "a reward must be a string or a function, got 3" in refusal(3)
    assert "a reward must be a string or a function" in refusal(max)


HEAD = "def f(before, action, after):\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\ndef f(:\n", 2, "invalid syntax"),
        ("import math\nx = 1 / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("\nimport no_such_module\n", 2, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)\n", 1, "SystemExit: 3"),
        ("\ndef f(before, after):\n    return 1\n", 2, "must take three arguments"),
        ("def f(a, b, c, d):\n    return 1\n", 1, r"\(before, action, after\)"),
        (HEAD + "    pass\n", 1, "`f` must return a number, but returned None"),
        (HEAD + "    return 'good'\n", 1, "must return a number, but returned 'good'"),
        (HEAD + "    return [1.0]\n", 1, r"must return a number, but returned \[1.0\]"),
        (HEAD + "    return float('nan')\n", 1, "returned nan; rewards must be finite"),
        (HEAD + "    return -float('inf')\n", 1, "returned -inf; rewards must be finite"),
        (
            HEAD + "    x = 1\n    return after.ball_z\n",
            3,
            "`after.ball_z`: paddle has no such field; did you mean `ball_y`",
        ),
        (HEAD + "    return g(after)\ndef g(s):\n    return 1 / 0\n", 4, "ZeroDivisionError"),
        (HEAD + "    exit(1)\n", 2, "SystemExit: 1"),
    ],
)
def test_an_error_names_file_and_line(write: Write, text: str, line: int, message: str) -> None:
    file = write(text)
    with pytest.raises(RewardError, match=message) as raised:
        make(f"{file}:f")
    assert str(raised.value).startswith(f"{file}:{line}: ")
    assert "\n" not in str(raised.value)


def test_a_binary_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "noise.py"
    file.write_bytes(b"\xff\xfe\x00\x01")
    assert str(file) in refusal(f"{file}:f")


@pytest.mark.parametrize(
    "reward",
    [
        "__import__('os').mkdir('PROOF')",
        "hit_or_miss if __import__('os').mkdir('PROOF') else hit_or_miss",
        "os:mkdir",
        '\'__import__("os").mkdir("PROOF")\'',
        "[__import__('os').mkdir('PROOF')][0]*hit_or_miss",
        "1e3*__import__",
        "hit_or_miss.__class__",
    ],
)
def test_a_reward_is_never_evaluated(
    reward: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refusal(reward)
    assert not os.listdir(tmp_path)  # noqa: PTH208 - every entry, hidden ones too


# --- Use


UNCOMPILABLE = """
import json

def by_way_of_text(before, action, after):
    return json.loads(json.dumps({"height": float(after.ball_y)}))["height"]
"""


def test_a_term_that_cannot_be_compiled_runs_as_python_with_one_warning(write: Write) -> None:
    file = write(UNCOMPILABLE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        env = make_vec(f"{file} - hit_or_miss")
        played = play(env)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 1, messages
    assert "`by_way_of_text` cannot be compiled" in messages[0]
    assert "plain Python" in messages[0]
    for rewards, terms, states in played:
        # a game that has just been reset no longer shows the state that was rewarded
        going_on = states.t > 0
        assert np.array_equal(terms["reward/by_way_of_text"][going_on], states.ball_y[going_on])
        assert np.array_equal(rewards, terms["reward/by_way_of_text"] - terms["reward/hit_or_miss"])


def test_a_term_with_other_values_when_compiled_runs_as_python(write: Write) -> None:
    """Python's integers are unbounded, compiled integers overflow."""
    text = HEAD + "    return float(((int(after.t) + 3) ** 70) % 1000003)\n"
    with pytest.warns(UserWarning, match="returns other values when compiled"):
        env = make_vec(write(text))
    for rewards, _, states in play(env, steps=20):
        assert rewards.tolist() == [float((int(t) + 3) ** 70 % 1000003) for t in states.t]


@pytest.mark.parametrize("extra", ["", "    json.dumps('not compilable')\n"])
@pytest.mark.filterwarnings("ignore:reward `vandal`")
def test_a_reward_cannot_change_the_game(write: Write, extra: str) -> None:
    text = "import json\ndef vandal(before, action, after):\n" + extra
    text += "    after.ball_x = 0.5\n    before.hits = 7\n    after.missed = 0\n    return 1.0\n"
    honest = play(make_vec("hit_or_miss"))
    spoilt = play(make_vec(f"{write(text)} + hit_or_miss"))
    for (_, terms, states), (_, other_terms, other_states) in zip(honest, spoilt, strict=True):
        assert np.array_equal(states, other_states)
        assert np.array_equal(terms["reward/hit_or_miss"], other_terms["reward/hit_or_miss"])


@pytest.mark.filterwarnings("ignore:reward `vandal`")
def test_a_reward_cannot_change_the_action(write: Write) -> None:
    text = "def vandal(before, action, after):\n    action[0] = 1.0\n    return 1.0\n"
    env: Any = gymnasium.make_vec("TinyLeaf-v0", num_envs=2, reward=f"{write(text)} + breath")
    env.reset(seed=0)
    actions = np.full((2, 1), 0.25, np.float32)
    *_, infos = env.step(actions)
    assert infos["reward/breath"].tolist() == [0.25, 0.25]
    assert actions.tolist() == [[0.25], [0.25]]


def test_two_terms_with_the_same_name_get_the_names_of_their_files(write: Write) -> None:
    text = HEAD.replace("f(", "hit_or_miss(") + "    return 5.0\n"
    env = make_vec(f"hit_or_miss + 2*{write(text, 'other.py')}")
    assert env.batch.reward.names == ("paddle.hit_or_miss", "other.hit_or_miss")
    for rewards, terms, _ in play(env, steps=60):
        assert np.array_equal(rewards, terms["reward/paddle.hit_or_miss"] + 10.0)
        assert (terms["reward/other.hit_or_miss"] == 5.0).all()
