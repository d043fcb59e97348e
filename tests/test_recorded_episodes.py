"""Recorded episodes: paid again as the environment pays, and refused if they are damaged."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from agents import make_agent, settings_type
from agents.agent import Task
from training.evaluation import Evaluation, evaluate
from training.recorded_episodes import (
    BEST_EPISODES,
    LAST_EPISODES,
    EpisodeRecorder,
    RecordedEpisodes,
    episodes_of_run,
    keep_episodes,
    read_episodes,
    write_episodes,
)
from training.rescoring import rescore
from training.run_folder import RunError
from training.vector_runner import make_environment

SEED = 40
GAMES: list[tuple[str, dict[str, Any], str]] = [
    ("PaddleBall-v0", {"max_steps": 90}, "hit_or_miss + 0.3*follow_ball - 0.017*effort"),
    (
        "PaddleBall-v0",
        {"observation": "screen", "paddle_size": 0.7, "max_steps": 90},
        "0.1*anticipate - 2*stay_alive + hit_or_miss",
    ),
    ("BicycleBalance-v0", {"gust": 3.0}, "0.1*stay_upright + 0.3*keep_speed + 0.7*smooth"),
    ("BicycleBalance-v0", {"task": "goal"}, "20*arrive_or_fall + towards_goal"),
    ("PaddleBall-v0", {"controls": "random", "max_steps": 90}, "hit_or_miss"),
]


def played(env_id: str, options: dict[str, Any], reward: str = "", count: int = 9) -> Evaluation:
    """Return an evaluation of the random agent, recorded."""
    env = make_environment(env_id, options)
    task = Task(env_id, env.observation_space, env.action_space, 1, 1)
    agent = make_agent("random", task, settings_type("random")(), 0)
    made_with = options | ({"reward": reward} if reward else {})
    return evaluate(agent, env_id, made_with, count, SEED, "random")


@pytest.fixture(scope="module")
def paddle() -> RecordedEpisodes:
    found = played(*GAMES[0][:2]).recorded
    assert found is not None
    return found


@pytest.mark.parametrize(("env_id", "options", "reward"), GAMES)
def test_rewards_paid_again_are_those_of_the_environment(
    env_id: str, options: dict[str, Any], reward: str
) -> None:
    """Bit for bit, compared with single environments that play the recorded actions."""
    evaluation = played(env_id, options)  # with the default reward of the game
    episodes = evaluation.recorded
    assert episodes is not None
    assert len(episodes) == 9
    assert episodes.scores.tolist() == evaluation.scores.tolist()
    (paid,) = rescore(episodes, [reward]).paid
    for k in range(len(episodes)):
        env = gymnasium.make(env_id, reward=reward, **options)
        _, info = env.reset(seed=SEED + k)
        steps, total = range(*episodes.steps_of(k).indices(len(paid.rewards))), 0.0
        for i in steps:
            _, earned, terminated, truncated, info = env.step(episodes.actions[i])
            assert earned == paid.rewards[i]
            for name, values in paid.terms.items():
                assert info[f"reward/{name}"] == values[i]
            assert (terminated or truncated) == (i == steps[-1])
            total += float(earned)
        assert total == paid.returns[k]
        assert env.unwrapped.state == episodes.states_of(k)[-1]  # type: ignore[attr-defined]


def test_returns_and_sums_of_terms_are_those_of_the_evaluation() -> None:
    env_id, options, reward = GAMES[0]
    evaluation = played(env_id, options, reward)
    assert evaluation.recorded is not None
    (paid,) = rescore(evaluation.recorded, [reward]).paid
    assert paid.returns.tolist() == evaluation.returns.tolist()
    assert evaluation.recorded.lengths.tolist() == evaluation.lengths.tolist()
    for name, values in paid.terms.items():
        assert paid.sums(values).tolist() == evaluation.terms[name].tolist()


def test_recording_changes_nothing_in_an_evaluation() -> None:
    env_id, options, reward = GAMES[0]
    recorded = played(env_id, options, reward)
    env = make_environment(env_id, options)
    task = Task(env_id, env.observation_space, env.action_space, 1, 1)
    agent = make_agent("random", task, settings_type("random")(), 0)
    plain = evaluate(agent, env_id, options | {"reward": reward}, 9, SEED)
    assert plain.recorded is None
    for one, other in ((plain.scores, recorded.scores), (plain.returns, recorded.returns)):
        assert one.tolist() == other.tolist()


def test_episodes_that_do_not_fit_are_left_out_from_the_end(paddle: RecordedEpisodes) -> None:
    """They are recorded a second time, all at the same time, with room for the first four."""
    states = int(paddle.lengths[:4].sum()) + 4
    recorder = EpisodeRecorder(paddle.about, most_bytes=states * paddle.states.itemsize)
    starts = np.cumsum(paddle.lengths) - paddle.lengths
    for t in range(max(paddle.lengths)):
        numbers = np.flatnonzero(paddle.lengths[: recorder.end] > t)
        recorder.add(numbers, starts[numbers] + t, *paddle.transitions())
    fewer = recorder.episodes()
    assert fewer is not None
    assert fewer.lengths.tolist() == paddle.lengths[:4].tolist()
    assert (fewer.states == paddle.states[:states]).all()


def test_the_moments_are_where_rewards_disagree(paddle: RecordedEpisodes) -> None:
    """Hits and misses pay only in one of two rewards; multiples of a reward agree with it."""
    assert rescore(paddle, ["follow_ball", "3*follow_ball"]).moments() == []
    assert not rescore(paddle, ["0*effort"]).curves.any()
    found = rescore(paddle, ["0*effort", "hit_or_miss"])
    paid = found.paid[1].rewards
    moments = found.moments(most=4)
    assert len(moments) == 4
    for moment in moments:
        index = paddle.starts[moment.episode] + moment.step
        assert paid[index] == moment.rewards[1] == np.sign(moment.difference)
        assert moment.event == ("hit" if paid[index] > 0 else "miss")


def test_files_hold_what_was_written_and_a_run_folder_both_models(
    paddle: RecordedEpisodes, tmp_path: Path
) -> None:
    keep_episodes(tmp_path, paddle, paddle)
    assert not (tmp_path / LAST_EPISODES).exists()
    written = (tmp_path / BEST_EPISODES).read_bytes()
    for last in (False, True):
        found = episodes_of_run(tmp_path, last)
        assert found.about == paddle.about
        for name in ("states", "actions", "lengths"):
            one, other = getattr(found, name), getattr(paddle, name)
            assert one.tobytes() == other.tobytes()
            assert one.dtype == other.dtype
    write_episodes(tmp_path / "again.npz", paddle)
    assert (tmp_path / "again.npz").read_bytes() == written
    with np.load(tmp_path / BEST_EPISODES, allow_pickle=False) as arrays:
        assert (arrays["state/ball_x"] == paddle.states["ball_x"]).all()
    keep_episodes(tmp_path, None, None)
    with pytest.raises(RunError, match="no recorded episodes"):
        episodes_of_run(tmp_path)


def array_bytes(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def about(**changes: Any) -> bytes:
    content = {"env_id": "PaddleBall-v0", "env_options": {"max_steps": 90}, "player": "random"}
    return array_bytes(json.dumps(content | changes))


HEADER = b"\x93NUMPY\x01\x00\x76\x00" + (
    b"{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117) + b"\n"
)
DAMAGES: dict[str, tuple[str, bytes | None]] = {
    "no lengths": ("lengths", None),
    "negative lengths": ("lengths", array_bytes(np.array([-5, 3]))),
    "other lengths": ("lengths", array_bytes(np.array([3]))),
    "huge lengths": ("lengths", array_bytes(np.full(90, 2**62))),
    "no numbers": ("lengths", array_bytes(np.array([None], object))),
    "a huge array": ("lengths", HEADER),
    "too many letters": ("about", array_bytes("x" * 200_000)),
    "no JSON": ("about", array_bytes("{")),
    "deep JSON": ("about", array_bytes("[" * 90_000)),
    "another game": ("about", about(env_id="CartPole-v1")),
    "another state": ("about", about(env_id="BicycleBalance-v0", env_options={})),
    "an impossible option": ("about", about(env_options={"max_steps": -1})),
    "a reserved option": ("about", about(env_options={"game": "evil:attribute"})),
    "an absurd place": ("state/ball_x", array_bytes(np.array([1e300]))),
    "half an array": ("actions", array_bytes(np.zeros(10))[:90]),
}


@pytest.mark.parametrize("damage", [*DAMAGES, "not a zip file", "cut", "NaN", "another time"])
def test_damaged_files_are_refused_in_one_line(
    damage: str, paddle: RecordedEpisodes, tmp_path: Path
) -> None:
    file = tmp_path / "episodes.npz"
    write_episodes(file, paddle)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if damage in DAMAGES:
        name, content = DAMAGES[damage]
        members[f"{name}.npy"] = content or b""
        if content is None:
            del members[f"{name}.npy"]
    values = paddle.states.copy()
    values["ball_y"][7] = np.nan
    values["t"][7] += 1
    if damage in ("NaN", "another time"):
        field = "ball_y" if damage == "NaN" else "t"
        members[f"state/{field}.npy"] = array_bytes(values[field])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-1000])
    if damage == "not a zip file":
        file.write_bytes(b"PK\x03\x04" * 1000)
    with pytest.raises(RunError, match="is damaged") as error:
        read_episodes(file)
    assert "\n" not in str(error.value)
