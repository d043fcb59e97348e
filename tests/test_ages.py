"""The five ages: the table, the slide and the verdicts on made-up trials; the two cheapest ages."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from stages import overview as ages
from stages.in_context.in_context import PROMPTS
from stages.lab.trials import Kept, Point, measure, trial
from training.config import RunConfig

NOWHERE = Path("nowhere")


def made_up(config: RunConfig, right: bool) -> Any:
    """What a trial might have found: each claim of the verdict is right, or none is."""
    jitter = 0.001 * config.seed
    if config.env == "RegressLanding-v0":
        return Kept(NOWHERE, [Point(config.steps, config.steps, -0.05 - jitter, {})])
    if config.env == "AnswerPrompts-v0":
        first, last = (0.2, 0.8) if right else (0.8, 0.2)
        metrics = {"shots_0": first, "shots_64": last + jitter}
        return [Point(config.steps, 65 * config.steps, 0.5, metrics)]
    by = config.agent if config.pretrained is None else "pretrained"
    few = config.env_options.get("examples") == ages.FEW
    score = {"rules": 0.4, "search": 0.5, "supervised": 0.3 if few else 0.9, "pretrained": 0.7}[by]
    return [Point(config.steps, config.steps, (score if right else 1 - score) + jitter, {})]


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")  # a letter that the font does not have
def test_a_table_a_slide_and_a_verdict(right: bool, lang: str, verdicts_of: Any) -> None:
    found = verdicts_of("overview", lang, lambda config: made_up(config, right))
    assert found == ((4, 0) if right else (0, 4))


def test_what_each_age_has_cost_is_counted_once() -> None:
    """Before the question, or for it: of a test's prompt nothing is learned."""
    ends = {
        age: [made_up(ages.answering(age, seed, NOWHERE), True)[-1] for seed in (1, 2)]
        for age in ages.AGES
    }
    ends["rules"] = [Point(1, 0, 0.9, {})] * 2
    scores = {age: [100 * ages.right(age, end) for end in each] for age, each in ends.items()}
    rows = ages.summary(scores, ends, 7)
    assert [row.numbers for row in rows.values()] == [
        (0, 0),
        (ages.STEPS, 0),
        (ages.STEPS, 0),
        (ages.TUNING, 7),
        (0, 65 * PROMPTS),
    ]
    assert rows["tuned"].examples == (ages.FEW, ages.ELSEWHERE)
    assert rows["prompt"].examples == (ages.SHOTS, 65 * PROMPTS)
    assert rows["prompt"].score.value == pytest.approx(80.15)
    assert ages.CHANCE == {"rules": 25, "search": 25, "deep": 25, "tuned": 25, "prompt": 20}


def test_only_the_pretrained_one_begins_with_a_body() -> None:
    configs = {age: ages.answering(age, 1, NOWHERE) for age in (*ages.AGES, ages.SCRATCH)}
    assert [age for age, config in configs.items() if config.pretrained] == ["tuned"]
    (tuned, scratch) = configs["tuned"], configs[ages.SCRATCH]
    assert dataclasses.replace(tuned, pretrained=None) == scratch


def test_a_persons_rule_needs_no_feedback_and_random_search_does() -> None:
    (rule,) = measure(ages.answering("rules", 1, NOWHERE))
    assert rule.numbers == 0
    assert rule.score > 0.95
    by_hand: dict[str, Any] = {"observation": "features", "feedback": "reward"}
    tries = {"episodes": 64}
    (found,) = measure(trial("classify", 1, 12_800, agent="search", settings=tries, **by_hand))
    assert found.numbers == 12_800
    assert 0.3 < found.score < rule.score
