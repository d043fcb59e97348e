"""The overview: table, slide and claims of made-up trials; costs; the two cheapest stages."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from stages import overview
from stages.lab.options import ExperimentOptions
from stages.lab.results import Results, collect, text_of_key
from stages.lab.texts import load
from stages.lab.trials import Point, Pretrained, Trial, learning_curve
from training.config import RunConfig

FOLDER = Path("nowhere")
BACKBONES = {"landing": FOLDER}


def made_up(config: RunConfig, right: bool) -> Any:
    """Return what a trial might find so that every claim holds, or none does."""
    jitter = 0.001 * config.seed
    if config.env == "RegressLanding-v0":
        return Pretrained(FOLDER, [Point(config.steps, config.steps, -0.05 - jitter, {})])
    if config.env == "AnswerPrompts-v0":
        first, last = (0.2, 0.8) if right else (0.8, 0.2)
        metrics = {"shots_0": first, "shots_64": last + jitter}
        return [Point(config.steps, 65 * config.steps, 0.5, metrics)]
    by = config.agent if config.pretrained is None else "pretrained"
    if by == "search" and config.settings.guided:
        by = "guided"
    few = config.env_options.get("examples") == overview.FEW
    score = {
        **{"rules": 0.4, "search": 0.95, "guided": 0.5},
        **{"supervised": 0.3 if few else 0.9, "pretrained": 0.7},
    }[by]
    return [Point(config.steps, config.steps, (score if right else 1 - score) + jitter, {})]


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")  # a letter that the font does not have
def test_a_table_a_slide_and_conclusions(right: bool, lang: str, verdicts_of: Any) -> None:
    found = verdicts_of("overview", lang, lambda config: made_up(config, right))
    assert found == ((4, 0) if right else (0, 4))


def test_the_cost_of_each_age_is_counted_once() -> None:
    """Either for the question or for the pretraining; the prompt of a test costs no feedback."""
    found = {
        stage: [made_up(overview.GRID[stage].config(seed, BACKBONES), True) for seed in (1, 2)]
        for stage in overview.ROWS
    }
    found["rules"] = [[Point(1, 0, 0.9, {})]] * 2
    backbones = {"landing": [Pretrained(FOLDER, [Point(7, 7, 0.0, {})])] * 2}
    values = collect(overview.values, found)
    texts = load("overview", "en")
    options = ExperimentOptions(seeds=2)
    results = Results(options, texts, text_of_key, overview.STAGES, (), found, backbones, values)
    costs = overview.costs(results)
    assert [feedback for _, feedback in costs.values()] == [
        (0, 0),
        (overview.STEPS, 0),
        (overview.STEPS, 0),
        (overview.STEPS, 0),
        (25_600, 7),
        (0, 65 * 16_000),
    ]
    assert costs["fine_tuned"][0] == (overview.FEW, 100_000)
    assert costs["in_context"][0] == (overview.SHOTS, 65 * 16_000)
    assert results.mean("in_context").value == pytest.approx(80.15)
    assert list(overview.CHANCE.values()) == [25, 25, 25, 25, 20]


def test_only_the_fine_tuned_age_starts_with_a_backbone() -> None:
    configs = {stage: trial.config(1, BACKBONES) for stage, trial in overview.GRID.items()}
    assert [stage for stage, config in configs.items() if config.pretrained] == ["fine_tuned"]
    fine_tuned, scratch = configs["fine_tuned"], configs["scratch"]
    assert dataclasses.replace(fine_tuned, pretrained=None) == scratch


def test_a_hand_written_rule_needs_no_feedback_and_random_search_does() -> None:
    (rule,) = learning_curve(overview.GRID["rules"].config(1))
    assert rule.numbers == 0
    assert rule.score > 0.95
    options = {"observation": "features", "feedback": "reward"}
    search = Trial("classify", 12_800, options, settings={"episodes": 64}, agent="search")
    (found,) = learning_curve(search.config(1))
    assert found.numbers == 12_800
    assert 0.3 < found.score < rule.score
