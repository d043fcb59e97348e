"""The overview: table, slide and claims of made-up trials; costs; the stages that learn nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages import overview
from stages.in_context.shape_prompts import Prompt, answer_from_prompt, attention
from stages.lab.options import ExperimentOptions
from stages.lab.results import Results, collect, learned_percent, text_of_key
from stages.lab.texts import load
from stages.lab.trials import Learned, Point, Pretrained, Trial, learn, pretrain

FOLDER = Path("nowhere")
BACKBONES = {"invented": FOLDER}
GRID: Any = overview.EXPERIMENT.grid


def made_up(config: Any, right: bool) -> Any:
    """Return what a trial might find so that every claim holds, or none does."""
    if isinstance(config, Prompt):
        kind, seed = "in_context", config.seed
    else:
        kind, seed = config.agent, config.seed
        if config.env_options.get("of") == "invented":
            return Pretrained(FOLDER, [Point(config.steps, config.steps, 0.5, {})])
        if kind == "supervised":
            kind = config.env_options["observation"]
            few = config.env_options["examples"]
            kind = {"rings": "gradient", "harmonics": "expert"}.get(kind, str(few))
            kind = "fine_tuned" if config.pretrained else kind
    scores = {"rules": 0.6, "search": 0.1, "gradient": 0.7, "expert": 0.75, "30000": 0.7}
    scores |= {"100000": 0.9, "1000": 0.3, "fine_tuned": 0.6, "100": 0.2, "in_context": 0.4}
    score = scores[kind] if right else 1 - scores[kind]
    steps = 0 if isinstance(config, Prompt) else config.steps
    return Learned([Point(steps, steps, score + 0.001 * seed, {})], 1_000)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")  # a letter that the font does not have
def test_a_table_a_slide_and_conclusions(right: bool, lang: str, verdicts_of: Any) -> None:
    found = verdicts_of("overview", lang, lambda config: made_up(config, right))
    assert found == ((6, 0) if right else (0, 6))


def test_the_cost_of_each_stage_is_counted_once() -> None:
    """Either for the question or for the pretraining."""
    found = {
        row: [made_up(GRID[row].config(seed, BACKBONES), True) for seed in (1, 2)]
        for row in overview.PAGE.examples
    }
    backbones = {"invented": [Pretrained(FOLDER, [Point(7, 7, 0.0, {})])] * 2}
    texts, values = load("overview", "en"), collect(learned_percent, found)
    options = ExperimentOptions(seeds=2)
    results = Results(options, texts, text_of_key, overview.STAGES, (), found, backbones, values)
    costs = {row: overview.PAGE.costs(results, row)[1:] for row in found}
    assert costs["rules"] == ("0", "1")
    assert costs["deep"] == costs["gradient"] == ("100,000", "400,128")
    assert costs["fewer"] == ("30,000", "400,128")
    assert costs["fine_tuned"] == ("1,000 (before: 100,000)", "25,600 (before: 7)")
    assert costs["in_context"] == ("100 (before: 100,000)", "0 (before: 7)")


def test_fine_tuning_differs_from_training_from_scratch_in_its_backbone_only() -> None:
    fine_tuned, scratch = (GRID[way].config(1, BACKBONES) for way in ("fine_tuned", "scratch"))
    assert fine_tuned.pretrained == str(FOLDER)
    assert dataclasses.replace(fine_tuned, pretrained=None) == scratch


def test_a_hand_written_rule_learns_nothing() -> None:
    learned = learn(GRID["rules"].config(1, {}))
    assert (learned.parameters, learned.points[-1].numbers) == (0, 0)
    assert 0.5 < learned.points[-1].score < 0.9


def test_attention_answers_with_the_labels_of_examples_like_the_question() -> None:
    examples = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    labels = np.eye(4)
    answers = attention(examples * 3.0, examples, labels)
    weights = np.exp(10.0 * (examples @ examples.T))
    np.testing.assert_allclose(answers, weights / weights.sum(1, keepdims=True))
    assert (answers.argmax(1) == range(4)).all()


def test_a_prompt_is_answered_by_the_backbone_of_a_run(tmp_path: Path) -> None:
    """Without a learning step, and with more examples better than with one of each kind."""
    options = {"of": "invented", "examples": 2_000, "test_examples": 500}
    trial = Trial("shapes", 12_800, options, {"width": 32}, {"num_envs": 64, "eval_episodes": 10})
    folder = pretrain(trial.config(1), tmp_path).folder
    found = {}
    for examples in (20, 200):
        learned = answer_from_prompt(Prompt(examples, "run").config(1, {"run": folder}))
        found[examples] = learned.points[-1].score
        assert learned.parameters > 16 * 64
        assert learned.points[-1].numbers == 0
    assert 0.05 < found[20] < found[200]
