"""Tests of datasets as environments of one step: contract, targets, splits, seeds, feedback."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs import registration
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import play
import train
from agents import make_agent, settings_type
from agents.agent import Step, Task
from envs.paddle.game import GAME, PaddleOptions
from envs.registry import DATASETS, DatasetEntry, env_ids, register_dataset
from stages import datasets
from stages.datasets.commentary import TextDataset
from stages.datasets.curve import heights_at
from stages.datasets.dataset import SPLITS, examples_of
from stages.viewers.examples import GameViewer
from tests.test_training import assert_same_checkpoint, curves, run_train
from training.feedback import KINDS, kind_of, numbers_of
from training.presets import preset
from training.vector_runner import VectorRunner, make_environments

SMALL = {"examples": 300, "test_examples": 2_000}
every_dataset = pytest.mark.parametrize("env_id", env_ids(DATASETS))


def make_vec(env_id: str, num_envs: int, **options: Any) -> Any:
    return gymnasium.make_vec(env_id, num_envs=num_envs, **(SMALL | options)).unwrapped


def make(env_id: str, **options: Any) -> Any:
    return gymnasium.make(env_id, **(SMALL | options)).unwrapped


@every_dataset
def test_gymnasium_checks_the_single_environment(env_id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make(env_id))


@every_dataset
def test_a_minibatch_is_one_step_of_as_many_environments(env_id: str) -> None:
    env = make_vec(env_id, 5)
    assert env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    seen, _ = env.reset(seed=3)
    env.action_space.seed(0)
    for _ in range(3):
        assert seen in env.observation_space
        predictions = env.action_space.sample()
        following, rewards, terminated, truncated, infos = env.step(predictions)
        assert terminated.all()
        assert not truncated.any()
        assert rewards.shape == (5,)
        assert rewards.dtype == np.float64
        assert np.array_equal(infos["final_obs"], seen)  # the example of the prediction
        assert infos["_final_obs"].all()
        np.testing.assert_array_equal(
            rewards, -np.asarray(env.batch.dataset.loss(predictions, infos["answer"]), float)
        )
        seen = following


@every_dataset
def test_environment_i_equals_the_single_environment_with_its_seed(env_id: str) -> None:
    many = make_vec(env_id, 3)
    seen, _ = many.reset(seed=7)
    many.action_space.seed(0)
    singles = [make(env_id) for _ in range(3)]
    for i, env in enumerate(singles):
        assert np.array_equal(env.reset(seed=7 + i)[0], seen[i])
    for _ in range(4):
        predictions = many.action_space.sample()
        seen, rewards, _, _, infos = many.step(predictions)
        for i, env in enumerate(singles):
            _, reward, terminated, _, info = env.step(predictions[i])
            assert terminated
            assert reward == rewards[i]
            np.testing.assert_array_equal(info["answer"], infos["answer"][i])
            assert np.array_equal(env.reset()[0], seen[i])


@every_dataset
def test_a_seed_determines_the_dataset_and_the_splits_differ(env_id: str) -> None:
    dataset = make_vec(env_id, 1, test_examples=500).batch.dataset
    first = examples_of(dataset, "train")
    examples_of.cache_clear()
    again, other = examples_of(dataset, "train"), make_vec(env_id, 1, data_seed=1).batch.dataset
    larger = make_vec(env_id, 1, examples=400).batch.dataset
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[0], examples_of(other, "train")[0])
    assert np.array_equal(first[0], examples_of(larger, "train")[0][:300])
    known: set[bytes] = set()
    for split in SPLITS:
        examples = [observation.tobytes() for observation in examples_of(dataset, split)[0]]
        repeated = sum(example in known for example in examples)
        # a few sentences are in examples of two splits
        assert repeated <= (0.05 * len(examples) if isinstance(dataset, TextDataset) else 0)
        known |= set(examples)


@every_dataset
def test_feedback_reward_returns_no_answers(env_id: str) -> None:
    if "reward" not in make_vec(env_id, 1).batch.dataset.feedbacks:
        pytest.skip("only targets are told here")
    for env in (make_vec(env_id, 2, feedback="reward"), make(env_id, feedback="reward")):
        env.reset(seed=0)
        assert "answer" not in env.step(env.action_space.sample())[-1]


def test_labels_agree_with_how_the_game_continues() -> None:
    """The engine continues each state, with a paddle that stays in place."""
    way, missed = (
        make_vec("ClassifyBall-v0", 1, question=question).batch.dataset
        for question in ("direction", "missed")
    )
    _, states = way.sample_states(300, 0)
    directions, misses = way.targets_of(states), missed.targets_of(states)
    options, seen = PaddleOptions(), set()
    for i in range(300):
        state = states[i].copy()
        x, y, hits = state.ball_x, state.ball_y, state.hits
        GAME.step(state, 1, options)
        if 0.1 < x < 0.9 and 0.1 < y < 0.9:  # no wall is near
            assert directions[i] == 2 * (state.ball_x < x) + (state.ball_y > y)
            seen.add(int(directions[i]))
        while not state.missed and state.hits == hits:
            GAME.step(state, 1, options)
        assert misses[i] == state.missed
    assert seen == {0, 1, 2, 3}
    assert 0.3 < misses.mean() < 0.9


def test_noise_is_in_the_training_set_only() -> None:
    clean, noisy = (
        make_vec("ClassifyBall-v0", 1, examples=20_000, noise=noise).batch.dataset
        for noise in (0.0, 0.3)
    )
    right, wrong = examples_of(clean, "train").targets, examples_of(noisy, "train").targets
    spoilt = right != wrong
    assert spoilt.mean() == pytest.approx(0.3, abs=0.01)
    steps = np.bincount((wrong - right)[spoilt] % 4, minlength=4) / spoilt.sum()
    assert steps[1:] == pytest.approx(np.full(3, 1 / 3), abs=0.02)  # all equally likely
    for one, two in zip(
        examples_of(clean, "test")[:2], examples_of(noisy, "test")[:2], strict=True
    ):
        assert np.array_equal(one, two)


def test_biased_labels_are_always_the_next_class() -> None:
    options: dict[str, Any] = {"examples": 20_000, "observation": "features"}
    right, wrong = (
        examples_of(make_vec("ClassifyBall-v0", 1, **options, **more).batch.dataset, "train")
        for more in ({}, {"noise": 0.6, "biased": True})
    )
    steps = np.bincount((wrong.targets - right.targets) % 4, minlength=4) / 20_000
    assert steps == pytest.approx([0.4, 0.6, 0, 0], abs=0.02)


def test_the_curve_is_where_the_game_lets_balls_land() -> None:
    """The engine flies each ball, past a paddle that is as far away as possible."""
    angles, heights, _ = make_vec("FitCurve-v0", 1).batch.dataset.sample(60, 1)
    for angle, (height,) in zip(angles[:, 0].astype(float), heights, strict=True):
        state = GAME.states(1)[0]
        state.ball_x, state.ball_y, state.paddle_y = 1.0, 0.5, 0.1 if height > 0.5 else 0.9
        state.ball_vx = -0.03 * np.cos(np.radians(55) * angle)
        state.ball_vy = 0.03 * np.sin(np.radians(55) * angle)
        while not state.missed and not state.hits:
            GAME.step(state, 1, PaddleOptions())
        assert state.missed
        assert state.ball_y == pytest.approx(height, abs=1e-6)
    dataset = make_vec("FitCurve-v0", 1, examples=2_000, spread=0.15, region="upper").batch.dataset
    noisy = examples_of(dataset, "train")
    assert -1 <= noisy.observations.min() < noisy.observations.max() <= 0
    assert (noisy.targets - heights_at(noisy.observations)).std() == pytest.approx(0.15, abs=0.01)
    held_out = examples_of(dataset, "test")
    assert held_out.observations.max() > 0.9
    assert np.array_equal(held_out.targets, heights_at(held_out.observations).astype(np.float32))


def test_decoys_do_not_move_and_what_moves_is_the_ball() -> None:
    def observed(observation: str, decoys: int) -> Any:
        options: dict[str, Any] = {"observation": observation, "decoys": decoys}
        return make_vec("ClassifyBall-v0", 1, examples=500, **options).batch.dataset.sample(500, 1)

    (plain, targets, _), (covered, same, _) = (observed("screen", count) for count in (0, 3))
    assert np.array_equal(targets, same)
    assert (covered >= plain).all()  # decoys only add light
    added = (covered > plain).any((2, 3))
    assert np.array_equal(added[:, 0], added[:, 1])
    assert 0.6 < added.mean() < 0.85  # 0, 1, 2 or 3 decoys
    features, spoilt = (observed("features", count).observations for count in (0, 3))
    assert np.array_equal((features != spoilt).any(1), added[:, 0])
    alone, among = (observed("motion", count).observations for count in (0, 3))
    assert (np.abs(alone - among) < 1e-4).all(1).mean() > 0.9  # a few balls fly over a decoy
    assert np.corrcoef(alone[:, 0], features[:, 0])[0, 1] > 0.99
    way = 2 * (alone[:, 2] < 0) + (alone[:, 3] > 0)
    assert (way == targets).mean() > 0.9


def test_options_can_bias_the_training_set_only() -> None:
    def dataset(**options: Any) -> Any:
        return make_vec("ClassifyBall-v0", 1, examples=4000, **options).batch.dataset

    def heights(split: str) -> Any:
        screens = examples_of(dataset(region="upper"), split).observations[:, -1, :, 2:]
        rows = np.arange(24)
        return (screens.sum(2) * rows).sum(1) / screens.sum((1, 2))

    assert heights("train").max() < 13.5 < 19 < heights("test").max()
    shares = np.bincount(examples_of(dataset(rarity=10), "train").targets) / 4000
    assert shares == pytest.approx([0.9, 0.09, 0.009, 0.001], abs=0.07)  # walls reverse a few balls
    even = np.bincount(examples_of(dataset(rarity=10), "test").targets) / 2_000
    assert even == pytest.approx(np.full(4, 0.25), abs=0.02)


# --- Learning


@every_dataset
def test_n_steps_and_n_resumed_equal_2n_bit_for_bit(env_id: str, tmp_path: Path) -> None:
    name = next(name for name, entry in DATASETS.items() if entry.env_id == env_id)
    given = ["--env", name, "--num-envs", 32, "--eval-every", 320, "--eval-episodes", 5]
    given += ["--env-options", "examples=200", "test_examples=100"]
    agent = preset(env_id, "any", {})["agent"]
    hyperparameters = asdict(settings_type(agent)()) | preset(env_id, agent, {})
    if hyperparameters.get("anneal"):  # the schedule would depend on the planned steps
        given.append("--no-anneal")
    through = run_train("--run-dir", tmp_path / "a", "--steps", 640, *given)
    half = run_train("--run-dir", tmp_path / "b", "--steps", 320, *given)
    run_train("--resume", half, "--steps", 640)
    assert_same_checkpoint(through, half)


@pytest.mark.parametrize("feedback", ["answer", "reward"])
def test_the_same_agent_learns_from_answers_and_from_rewards(feedback: str, tmp_path: Path) -> None:
    folder = run_train(
        *("--env", "classify", "--feedback", feedback, "--run-dir", tmp_path, "--steps", 60_000),
        *("--eval-every", 30_000, "--eval-episodes", 400, "--learning-rate", 0.003),
        *("--video-frames", 1),
    )
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["mean_score"] > 0.45  # chance: 0.25
    assert found["feedback_numbers"] == found["steps"]  # a label or a reward is one number
    events = curves(folder)
    assert events.Scalars("feedback/numbers")[-1].value == found["steps"]
    assert events.Images("evaluation/confusion")[0].encoded_image_string[:6] == b"GIF89a"


# --- Numbers of feedback


@pytest.mark.parametrize("agent", ["rules", "search", "dqn"])
def test_runs_of_games_log_feedback_too_even_short_ones(agent: str, tmp_path: Path) -> None:
    folder = run_train(
        *("--agent", agent, "--run-dir", tmp_path, "--num-envs", 4, "--steps", 64),
        *("--eval-episodes", 2, "--env-options", "max_steps=50"),
    )
    found = json.loads((folder / "evaluation.json").read_text())
    told = 0 if agent == "rules" else found["steps"]  # a person wrote the rules
    assert found["feedback_numbers"] == told
    assert curves(folder).Scalars("feedback/numbers")[-1].value == told


def step_of(count: int, **changes: Any) -> Step:
    zeros, no = np.zeros(count), np.zeros(count, np.bool_)
    fields: dict[str, Any] = {
        "observations": zeros,
        "actions": zeros,
        "rewards": zeros,
        "terms": {},
    }
    fields |= {"terminated": no, "truncated": no, "next_observations": zeros, "valid": ~no}
    return Step(**(fields | changes))


def test_numbers_of_feedback_are_counted() -> None:
    assert numbers_of(step_of(4), True) == 4  # one reward each, even if zero
    assert numbers_of(step_of(4, valid=np.array([True, False, True, True])), True) == 3
    assert numbers_of(step_of(4, labels=np.zeros(4, np.int64)), True) == 4
    assert numbers_of(step_of(4, labels=np.zeros((4, 2, 3), np.uint8)), True) == 24
    one_less = np.array([True, True, False, True])
    assert numbers_of(step_of(4, labels=np.zeros((4, 2, 3)), valid=one_less), True) == 18
    assert (
        numbers_of(step_of(4, labels=np.zeros((4, 2, 3))), False) == 4
    )  # learns from rewards only


def test_every_agent_and_environment_has_a_kind_of_feedback() -> None:
    environments = make_environments("PaddleBall-v0", 2, {})
    kinds = {}
    for name in ("random", "rules", "ppo", "reinforce"):
        space, actions = environments.single_observation_space, environments.single_action_space
        task = Task("PaddleBall-v0", space, actions, 2, 10)
        kinds[name] = kind_of(make_agent(name, task, settings_type(name)(), 0), environments)
    assert kinds.pop("random") == kinds.pop("rules") == "nothing"
    assert set(kinds.values()) == {"delayed rewards"}
    for env_id in env_ids(DATASETS):
        env = make_vec(env_id, 1)
        task = Task(env_id, env.single_observation_space, env.single_action_space, 1, 10)
        name = preset(env_id, "any", {})["agent"]
        agent = make_agent(name, task, settings_type(name)(), 0)
        for kind, told in env.batch.dataset.feedbacks.items():
            assert told in KINDS
            assert kind_of(agent, make_vec(env_id, 1, feedback=kind)) == told
    env = make_vec("ClassifyBall-v0", 1)  # returns labels, from which ppo does not learn
    task = Task("ClassifyBall-v0", env.single_observation_space, env.single_action_space, 1, 10)
    agent = make_agent("ppo", task, settings_type("ppo")(), 0)
    assert kind_of(agent, env) == "immediate rewards"


def test_the_vector_runner_passes_answers_on() -> None:
    env = make_vec("ClassifyBall-v0", 6)
    runner = VectorRunner(env, 3)
    seen = runner.observations
    step, episodes = runner.step(np.zeros(6, np.int64))
    assert step.observations is seen
    assert np.array_equal(step.next_observations, seen)
    assert episodes is not None
    assert step.labels is not None
    assert np.array_equal(episodes.scores, step.labels == 0)
    plain = VectorRunner(make_environments("PaddleBall-v0", 2, {}), 0)
    assert plain.step(np.zeros(2, np.int64))[0].labels is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--feedback", "prize"], "option `feedback` must be answer or reward, got 'prize'"),
        (["--env-options", "split=all"], "option `split` must be"),
        (["--env-options", "noise=2"], "option `noise` must be between 0 and 1"),
        (["--env-options", "noise=much"], "option `noise` must be a number"),
        (["--env-options", "examples=0"], "option `examples` must be between 1 and"),
        (["--env-options", "examples=2.5"], "option `examples` must be a whole number"),
        (["--env-options", "exmples=5"], "did you mean `examples`"),
        (
            ["--agent", "rules", "--env-options", "question=missed", "observation=features"],
            "no hand-written rule of ClassifyBall-v0 serves the actions Discrete(2)",
        ),
        (["--env-options", "question=why"], "option `question` must be direction or missed"),
        (
            ["--feedback", "reward", "--env-options", "feedback=answer"],
            "--feedback reward contradicts",
        ),
        (["--reward", "hit_or_miss"], "leave out --reward"),
    ],
)
def test_wrong_input_gets_one_line_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--env", "classify", "--run-dir", str(tmp_path / "r"), *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "r").exists()


# --- The example of the documentation


def test_the_dataset_of_the_documentation_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code and the line of the registry are those of docs/contributing.md."""
    section = Path("docs/contributing.md").read_text().split("## Add a dataset\n")[1]
    (code,) = re.findall(r"```python\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    (tmp_path / "lines.py").write_text(code)
    monkeypatch.setattr(datasets, "__path__", [*datasets.__path__, str(tmp_path)])
    (line,) = re.findall(r'^    "lines": (DatasetEntry\(.*\)),$', section, re.MULTILINE)
    entry = eval(line, {"DatasetEntry": DatasetEntry})
    monkeypatch.setattr(registration, "registry", dict(registration.registry))
    monkeypatch.setitem(DATASETS, "lines", entry)
    register_dataset("lines", entry)
    dataset = make(entry.env_id).batch.dataset
    few, many = dataset.sample(50, 0), dataset.sample(100, 0)
    assert np.array_equal(few.observations, many.observations[:50])
    assert np.array_equal(few.targets, many.targets[:50])
    check_env(make(entry.env_id))
    viewer = make(entry.env_id, render_mode="rgb_array")
    viewer.reset(seed=0)
    assert viewer.render().any()
    folder = run_train(
        *("--env", "lines", "--agent", "supervised", "--run-dir", tmp_path / "runs"),
        *("--steps", 20_000, "--num-envs", 64, "--eval-every", 20_000, "--eval-episodes", 200),
        *("--env-options", "examples=2000", "test_examples=500"),
    )
    assert json.loads((folder / "evaluation.json").read_text())["mean_score"] > 0.9


# --- Viewers


@every_dataset
def test_the_game_viewer_asks_and_draws_predictions(env_id: str) -> None:
    env, dataset = make(env_id, render_mode="rgb_array"), make(env_id).batch.dataset
    if not isinstance(env, GameViewer):
        pytest.skip("another viewer")
    observation, _ = env.reset(seed=1)
    env.action_space.seed(0)
    scores, done, asked = [], False, 0
    while not done and asked < 60:
        assert observation in env.observation_space
        env.prediction = None
        plain = env.render()
        env.prediction = prediction = env.action_space.sample()
        if env.target is not None:
            assert not np.array_equal(env.render(), plain)
        observation, reward, terminated, truncated, info = env.step(prediction)
        done = terminated or truncated
        if "answer" in info:
            asked += 1
            assert reward == -float(dataset.loss(prediction[None], info["answer"][None])[0])
            scores.append(float(dataset.score(prediction[None], info["answer"][None])[0]))
            assert info["score"] == pytest.approx(np.mean(scores))
        else:
            assert reward == 0
    assert asked >= 20


def test_targets_from_a_running_game_are_the_engines() -> None:
    """They are the same as for examples: where the ball really lands."""
    env = make("RegressLanding-v0", render_mode="rgb_array")
    env.reset(seed=1)
    told: list[float] = []
    game = env.played
    for _ in range(120):
        before = game.state
        target = env.target
        env.step(np.array([0.5], np.float32))
        if target is not None:
            told.append(float(target[0]))
        if game.state.hits > before.hits or game.state.missed:
            at_paddle = before.ball_y + before.ball_vy * before.ball_x / -before.ball_vx
            assert np.ptp(told) < 1e-6  # the same in every step
            assert told[-1] == pytest.approx(1 - abs(at_paddle % 2 - 1), abs=1e-6)
            return
    raise AssertionError("the ball never came")


def one_example_per_split() -> dict[str, Any]:
    """Return options of `classify` with which the test example alone has another class.

    An agent that was trained on the one training example predicts its class for all.
    """
    for seed in range(99):
        options = {"examples": 1, "test_examples": 1, "data_seed": seed}
        dataset = make_vec("ClassifyBall-v0", 1, **options).batch.dataset
        train, test, validation = (int(examples_of(dataset, s).targets[0]) for s in SPLITS)
        if train == validation != test:
            return options
    raise AssertionError("no such seed")


def test_training_is_evaluated_on_the_validation_split_and_reported_on_the_test_split(
    tmp_path: Path,
) -> None:
    options = [f"{name}={value}" for name, value in one_example_per_split().items()]
    folder = run_train(
        *("--env", "classify", "--run-dir", tmp_path, "--steps", 2_560, "--learning-rate", 0.01),
        *("--eval-every", 2_560, "--eval-episodes", 10, "--solved-score", 2),
        *("--env-options", *options),
    )
    assert curves(folder).Scalars("eval/mean_score")[-1].value == 1
    assert json.loads((folder / "evaluation.json").read_text())["mean_score"] == 0


def test_scores_without_a_picture_are_those_of_test_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_train(
        *("--env", "classify", "--run-dir", tmp_path, "--steps", 512, "--eval-episodes", 10),
        *("--env-options", "examples=1"),
    )
    capsys.readouterr()
    assert play.main([str(folder), "--json", "--episodes", "200", "--seed", "0"]) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    assert 0 < np.mean(scores) < 1  # the one training example would always score the same
