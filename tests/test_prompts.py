"""Tests of in-context learning: hidden rules, causality, and accuracy that grows with examples."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

import play
import train
from agents import make_agent
from agents.agent import Task, UnsuitableTaskError
from agents.networks.prompt_network import PromptCategorical
from agents.supervised import SupervisedAgent, SupervisedSettings
from envs.engine.palette import GREEN
from stages.datasets.dataset import Examples, examples_of
from stages.datasets.prompts import (
    LONGEST,
    REPORTED,
    SHORTEST,
    WIRINGS,
    Prompts,
    behind,
)
from stages.in_context import fine_tuning, in_context
from stages.in_context.transformers import LEARNING_RATES, Size
from stages.lab.trials import Point, Trial, run_trial
from tests.test_training import run_train
from training.config import RunConfig
from training.evaluation import fresh_seed
from training.loop import Run


def test_answers_are_the_buttons_that_bring_the_paddle_closest() -> None:
    """All five buttons are tried, with the numbers in the prompt."""
    dataset = Prompts(shots=20, described=1.0)
    prompts, targets, _ = dataset.sample(200, 0)
    wirings, steps = dataset.hidden(200, 0)
    ball, paddle = ((prompts[:, 1:, k] + 1) / 2 for k in (1, 4))
    ways = np.arange(-2, 3)[:, None, None] * steps[:, None]
    distances = np.abs(ball - (paddle + ways))
    chosen = np.take_along_axis(distances, wirings.argsort(1).T[targets.T, range(200)].T[None], 0)
    np.testing.assert_allclose(chosen[0], distances.min(0), atol=1e-6)
    assert np.array_equal(prompts[:, 0, :5], wirings)
    assert SHORTEST <= steps.min() < 0.15 < 0.35 < steps.max() <= LONGEST
    assert set(np.unique(targets)) == set(range(5))


def test_prompts_hold_the_answer_one_row_later_and_sometimes_a_description() -> None:
    prompts, targets, _ = Prompts(shots=7).sample(400, 1)
    assert prompts.shape == (400, 9, 6)
    assert np.array_equal(prompts[:, 2:, 5], targets[:, :-1])
    assert (prompts[:, :2, 5] == -1).all()
    told = prompts[:, 0, 0] >= 0
    assert 0.4 < told.mean() < 0.6
    assert (prompts[~told, 0] == -1).all()


def test_training_has_no_rules_of_the_test() -> None:
    training, test = ({tuple(w) for w in WIRINGS[split]} for split in ("training", "test"))
    assert (len(training), len(test), len(training | test)) == (90, 30, 120)
    tuning, new = ({tuple(w) for w in WIRINGS[split]} for split in ("tuning", "validation"))
    assert (len(tuning), len(new), tuning | new) == (75, 15, training)
    held_out = examples_of(
        Prompts(examples=50, shots=0, described=1.0, rules="tuning"), "validation"
    )
    assert {tuple(row) for row in held_out.observations[:, 0, :5].astype(int)} == new
    dataset = Prompts(examples=500, shots=3, described=1.0)
    for split, known in (("train", training), ("test", test)):
        rules = {
            tuple(row) for row in examples_of(dataset, split).observations[:, 0, :5].astype(int)
        }
        assert rules <= known
        assert len(rules) > 25


def test_a_single_rule_serves_training_and_test() -> None:
    dataset = Prompts(examples=50, shots=0, described=1.0, rules="test", rule=7)
    splits = [examples_of(dataset, split).observations for split in ("train", "test")]
    for prompts in splits:
        assert (prompts[:, 0, :5] == WIRINGS["test"][7]).all()
    seen = {row.tobytes() for row in splits[0][:, 1]}
    assert not any(row.tobytes() in seen for row in splits[1][:, 1])
    steps = dataset.hidden(3, 0)[1]
    assert np.array_equal(steps, dataset.hidden(3, 99)[1])
    assert np.ptp(steps) == 0
    another = Prompts(examples=50, shots=0, described=1.0, rules="test", rule=7, data_seed=1)
    assert another.hidden(1, 0)[1] != steps[0]


def test_a_question_after_examples_equals_a_sampled_prompt() -> None:
    prompts, targets, _ = Prompts(shots=5, described=0.0).sample(2, 0)
    prompt, told = prompts[0], targets[0]
    alone = np.full((6, 2, 6), -1, np.float32)
    alone[:, 1, :5] = prompt[1:, :5]
    found = behind(Examples(alone[:5], told[:5, None]), alone[[5, 5, 0]])
    assert np.array_equal(found[:2], [prompt, prompt])
    assert np.array_equal(found[2, :-1], prompt[:-1])
    assert np.array_equal(found[2, -1], [*prompt[1, :5], told[4]])


def agent_for(dataset: Prompts, seed: int = 0, **settings: Any) -> SupervisedAgent:
    task = Task("AnswerPrompts-v0", dataset.observation_space, dataset.action_space, 4, 100)
    settings = {"width": 16, "layers": 2} | settings
    agent = make_agent("supervised", task, SupervisedSettings(**settings), seed)
    assert isinstance(agent, SupervisedAgent)
    return agent


def logits(agent: SupervisedAgent, prompts: Any) -> Any:
    with torch.inference_mode():
        return agent.network(torch.from_numpy(prompts)).numpy()


def test_an_answer_depends_on_no_later_row() -> None:
    dataset = Prompts(shots=6)
    agent, prompts = agent_for(dataset), dataset.sample(5, 0).observations
    before = logits(agent, prompts)
    assert before.shape == (5, 5, 7)
    for row in range(8):
        changed = prompts.copy()
        changed[:, row] = 2.0
        after = logits(agent, changed)
        same = np.isclose(after, before, rtol=0, atol=1e-6).all((0, 1))
        assert same[: max(row - 1, 0)].all()  # row 0 is the description
        assert not same[max(row - 1, 0) :].any()


def test_prompts_can_be_longer_than_in_training() -> None:
    short, long = agent_for(Prompts(shots=3)), agent_for(Prompts(shots=9), seed=1)
    long.restore_policy(short.tensors())
    prompts = Prompts(shots=9).sample(5, 0).observations
    np.testing.assert_allclose(
        logits(long, prompts)[..., :4], logits(short, prompts[:, :5]), atol=1e-6
    )
    assert long.act(prompts, explore=False).shape == (5, 10)


def test_the_probability_of_a_prompts_answers_is_the_mean_of_each() -> None:
    generator = np.random.default_rng(0)
    outputs = generator.normal(size=(5, 3, 4))
    actions = generator.integers(5, size=(3, 4))
    distribution = PromptCategorical(Prompts(shots=3).action_space)
    found = distribution.log_prob(torch.from_numpy(outputs), torch.from_numpy(actions), None)  # type: ignore[arg-type]
    for i in range(3):
        each = [
            outputs[actions[i, t], i, t] - math.log(np.exp(outputs[:, i, t]).sum())
            for t in range(4)
        ]
        assert found[i].item() == pytest.approx(np.mean(each))


def test_a_network_learns_in_context(tmp_path: Path) -> None:
    """It solves rules that training did not have, and predicting does not change it."""
    folder = run_train(
        *("--env", "prompts", "--run-dir", tmp_path, "--steps", 7_680, "--eval-every", 7_680),
        *("--env-options", "shots=16", "examples=8000", "--width", 16, "--layers", 1),
        *("--learning-rate", 0.01, "--eval-episodes", 600),
    )
    found = json.loads((folder / "evaluation.json").read_text())
    metrics = found["metrics"]
    assert found["feedback_numbers"] == found["steps"] * 17
    assert metrics["shots_0"] < 0.3  # chance: 0.2
    assert metrics["shots_16"] > metrics["shots_0"] + 0.2
    assert set(metrics) == {f"{kind}_{k}" for kind in ("shots", "told") for k in REPORTED[:6]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["noise=0.1"], "option `noise` must be 0"),
        (["shots=-1"], "option `shots` must be between 0 and 1,000, got -1"),
        (["described=2"], "option `described` must be between 0 and 1, got 2"),
        (["rules=all"], "option `rules` must be training, tuning, validation or test, got 'all'"),
        (["rules=test", "rule=30"], "option `rule` must be between -1 and 29 with rules=test"),
        (["feedback=reward"], "option `feedback` must be prompt"),
    ],
)
def test_wrong_input_gets_one_line_and_leaves_nothing(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--env", "prompts", "--run-dir", str(tmp_path / "r"), "--env-options", *options]
    assert train.main(arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "r").exists()


def test_heads_that_cannot_share_the_width_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--env", "prompts", "--run-dir", str(tmp_path), "--width", "9"]
    assert train.main([*arguments, "--env-options", "examples=50"]) == 2
    assert "--width must be a multiple of --heads" in capsys.readouterr().err


# --- The experiment


def made_up(config: RunConfig, right: bool) -> dict[Any, float]:
    """Return accuracies that grow with the examples, the network and a description, or fall."""
    settings, sign = config.settings, 1 if right else -1
    size = Size(settings.width, settings.layers, settings.heads)
    gains = {"few_shot": 0.0, "described": 5.0, "prompt": 0.0, "fine_tuned": -9.0, "scratch": -15.0}
    jitter = 0.1 * config.seed
    own = {("lead", size): sign * size.width + jitter, ("parameters", size): 100 * size.width}
    return own | {
        ((way, size), k): 45
        + sign * (gain + 8 * math.log2(1 + k) / 2 + size.width / 8)
        + jitter * k
        for way, gain in gains.items()
        for k in REPORTED
        if way in ("few_shot", "described") or k in in_context.COMPARED
    }


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")
def test_a_table_a_slide_and_conclusions(right: bool, lang: str, verdicts_of: Any) -> None:
    found = verdicts_of("in_context", lang, lambda config: made_up(config, right))
    assert found == ((5, 0) if right else (0, 5))


def test_the_compared_numbers_of_examples_are_measured() -> None:
    assert [size.width for size in LEARNING_RATES] == [8, 16, 32, 64]
    assert all(a < b for a, b in pairwise(in_context.COMPARED))
    assert set(in_context.COMPARED) <= set(REPORTED)
    assert len(WIRINGS["test"]) >= fine_tuning.RULES


def test_each_seed_is_compared_on_other_rules() -> None:
    rules = fine_tuning.rules_of_seed(1)
    assert len(set(rules)) == len(rules) == fine_tuning.RULES
    assert set(rules) <= set(range(len(WIRINGS["test"])))
    assert set(fine_tuning.rules_of_seed(2)) != set(rules)
    assert set(fine_tuning.rules_of_seed(100)) <= set(range(len(WIRINGS["validation"])))


@pytest.fixture(scope="module")
def tiny() -> tuple[Run, list[Point]]:
    """A tiny network, hardly trained."""
    settings = {"width": 8, "layers": 1, "heads": 2, "learning_rate": 0.01}
    trial = Trial("prompts", 512, {"examples": 100}, settings, changes={"eval_episodes": 100})
    return run_trial(trial.config(1))


def test_fine_tuning_without_updates_predicts_as_the_trained_network(
    tiny: tuple[Run, list[Point]],
) -> None:
    run, _ = tiny
    for rule in fine_tuning.rules_of_seed(1, 3):
        data_seed = fresh_seed(1, rule)
        dataset = Prompts(shots=0, described=0.0, rules="test", rule=rule, data_seed=data_seed)
        test_seed = 2**32 + data_seed
        questions, labels, _ = dataset.sample(fine_tuning.QUESTIONS, test_seed)
        expected = (run.agent.act(questions, explore=False) == labels).mean()
        for k in (4, 16):
            found = fine_tuning.compare(run, rule, k, updates=0)
            assert found["fine_tuned"] == pytest.approx(expected)
            assert found["scratch"] != found["fine_tuned"]
            assert found["prompt"] != found["fine_tuned"]


def test_small_networks_are_compared_with_the_most_examples_only(
    tiny: tuple[Run, list[Point]],
) -> None:
    run, points = tiny
    compared = {"prompt": 0.75, "fine_tuned": 0.5}
    size, found = Size(8, 1, 2), in_context.measure(run.config, lambda *_: compared)
    assert found[("few_shot", size), 64] == 100 * points[-1].metrics["shots_64"]
    assert [k for k in in_context.COMPARED if (("prompt", size), k) in found] == [64]
    assert found["lead", size] == 25
    weights = run.agent.network.parameters()  # type: ignore[attr-defined]
    assert found["parameters", size] == sum(each.numel() for each in weights)


def test_prompt_and_fine_tuning_have_the_same_examples_and_questions(
    tiny: tuple[Run, list[Point]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded where the networks predict and where they learn."""
    prompts: list[Any] = []
    learned: dict[SupervisedAgent, set[bytes]] = {}
    act, learn = SupervisedAgent.act, SupervisedAgent.learn

    def noting_act(agent: SupervisedAgent, seen: Any, explore: bool = True) -> Any:
        if not explore:
            prompts.append(seen)
        return act(agent, seen, explore)

    def noting_learn(agent: SupervisedAgent, step: Any) -> Any:
        pairs = np.column_stack((step.observations[:, 1, :5], step.labels))
        learned.setdefault(agent, set()).update(row.tobytes() for row in pairs)
        return learn(agent, step)

    monkeypatch.setattr(SupervisedAgent, "act", noting_act)
    monkeypatch.setattr(SupervisedAgent, "learn", noting_learn)
    fine_tuning.compare(tiny[0], 3, 6, updates=20)
    shown, *alone = prompts
    assert shown.shape == (fine_tuning.QUESTIONS, 8, 6)
    assert len(alone) == len(learned) == 2
    assert all(np.array_equal(questions[:, 1, :5], shown[:, -1, :5]) for questions in alone)
    assert (shown[:, 1:-1, :5] == shown[0, 1:-1, :5]).all()
    pairs = np.column_stack((shown[0, 1:-1, :5], shown[0, 2:, 5].astype(np.int64)))
    in_prompt = {row.tobytes() for row in pairs}
    assert len(in_prompt) == 6
    assert all(pairs_of == in_prompt for pairs_of in learned.values())


def test_the_viewer_draws_prompts(tmp_path: Path) -> None:
    env: Any = gymnasium.make("AnswerPrompts-v0", render_mode="rgb_array", shots=8).unwrapped
    observation, _ = env.reset(seed=1)
    unasked = env.render()
    env.prediction = prediction = np.zeros(9, np.int64)
    green = (env.render() == GREEN).all(-1)
    assert not np.array_equal(env.render(), unasked)
    before = observation
    _, reward, *_, info = env.step(prediction)
    right = info["answer"] == prediction
    assert np.array_equal(before[2:, 5], info["answer"][:-1])
    assert reward == pytest.approx(right.mean() - 1)
    size = 480 // 10 - 2  # side of a tile; ten make a row
    assert right.any() == green.any()
    assert green.sum() == pytest.approx(right.sum() * size**2, rel=0.3)
    folder = run_train(
        *("--env", "prompts", "--run-dir", tmp_path, "--steps", 32, "--eval-episodes", 10),
        *("--env-options", "shots=2", "examples=50"),
    )
    assert play.main([str(folder), "--record", str(tmp_path / "out.gif"), "--episodes", "1"]) == 0


@pytest.mark.parametrize("shape", [(4,), (3, 5), (4, 5, 5)])
def test_other_observations_are_no_prompts(shape: tuple[int, ...]) -> None:
    """Three answers need four rows: the description of the task and three questions."""
    task = Task("t", spaces.Box(-1, 1, shape), spaces.MultiDiscrete([2, 2, 2]), 1, 1)
    with pytest.raises(UnsuitableTaskError, match="need prompts as observations"):
        make_agent("supervised", task, SupervisedSettings(), 0)
