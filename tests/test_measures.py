"""Statistics of rewards and observations, compared with NumPy over all steps at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.agent import Step
from training.curves import TrainingCurves
from training.evaluation import Evaluation
from training.measures import WINDOW, StepMeasures
from training.vector_runner import Episodes

COUNT = 100
STEPS = -(-WINDOW // COUNT)
WEIGHTS = {"hit": 2.0, "effort": -0.5}


def make_steps(number: int, seed: int = 0) -> list[Step]:
    generator = np.random.default_rng(seed)
    flags = np.zeros(COUNT, np.bool_)
    steps = []
    for _ in range(number):
        terms = {name: generator.integers(-1, 2, COUNT) * 1.0 for name in WEIGHTS}
        rewards = np.sum([weight * terms[name] for name, weight in WEIGHTS.items()], 0)
        seen = generator.normal(3.0, [0.0, 1.0, 50.0], (COUNT, 3)).astype(np.float32)
        valid = generator.random(COUNT) < 0.9
        steps.append(Step(seen, flags, rewards, terms, flags, flags, seen, valid))
    return steps


def added(measures: StepMeasures, steps: list[Step]) -> list[dict[str, float]]:
    return [found for step in steps if (found := measures.add(step))]


def test_a_window_is_measured_like_all_its_steps_at_once() -> None:
    steps = make_steps(STEPS)
    (found,) = added(StepMeasures(COUNT, WEIGHTS), steps)
    rewards = np.concatenate([step.rewards[step.valid] for step in steps])
    assert found["rollout/rew_mean"] == pytest.approx(np.mean(rewards))
    assert found["rollout/rew_std"] == pytest.approx(np.std(rewards))
    assert (found["rollout/rew_min"], found["rollout/rew_max"]) == (min(rewards), max(rewards))
    assert found["rollout/rew_nonzero"] == pytest.approx(np.mean(rewards != 0))
    paid = {
        name: sum(float(np.abs(weight * step.terms[name][step.valid]).sum()) for step in steps)
        for name, weight in WEIGHTS.items()
    }
    for name, pay in paid.items():
        assert found[f"rollout/share/{name}"] == pytest.approx(pay / sum(paid.values()))
    rows = steps[0].observations
    assert found["rollout/obs_rms"] == pytest.approx(np.sqrt((rows**2.0).mean(0)).max(), rel=1e-5)
    assert found["rollout/obs_max"] == pytest.approx(np.abs(rows).max())
    assert found["rollout/obs_constant"] == pytest.approx(1 / 3)
    assert found["rollout/obs_not_finite"] == 0


@pytest.mark.parametrize("cut", [1, STEPS - 1, STEPS, STEPS + 7])
def test_a_window_continues_from_a_checkpoint_with_the_same_bits(cut: int) -> None:
    steps = make_steps(3 * STEPS)
    through, half = StepMeasures(COUNT, WEIGHTS), StepMeasures(COUNT, WEIGHTS)
    before = added(half, steps[:cut])
    saved = {name: array.copy() for name, array in half.checkpoint().items()}
    resumed = StepMeasures(COUNT, WEIGHTS)
    resumed.restore(saved)
    assert before + added(resumed, steps[cut:]) == added(through, steps)


@pytest.mark.parametrize("name", ["rewards", "valid", "term.hit", "seen"])
def test_a_checkpoint_of_other_environments_is_refused(name: str) -> None:
    measures = StepMeasures(COUNT, WEIGHTS)
    added(measures, make_steps(5))
    saved = measures.checkpoint()
    saved[name] = saved[name][..., :-1] if name != "seen" else saved[name][:, :-1]
    with pytest.raises(ValueError, match="other environments"):
        StepMeasures(COUNT, WEIGHTS).restore(saved)


def test_numbers_that_are_none_and_bytes_of_screens() -> None:
    flags = np.zeros(COUNT, np.bool_)
    seen: Any = np.full((COUNT, 2), np.nan, np.float32)
    seen[:, 0] = np.inf
    screens = np.full((COUNT, 1, 4, 4), 255, np.uint8)
    for observations, share, size in ((seen, 1.0, 0.0), (screens, 0.0, 1.0)):
        measures = StepMeasures(COUNT, {"reward": 1.0})
        measures.add(Step(observations, flags, flags, {}, flags, flags, observations, ~flags))
        found = measures.measure()
        assert found["rollout/obs_not_finite"] == share
        assert found["rollout/obs_rms"] == found["rollout/obs_max"] == size
        assert not any(tag.startswith("rollout/share/") for tag in found)


def test_curves_show_the_spread_of_returns_and_what_lengths_have_to_do_with_them() -> None:
    generator = np.random.default_rng(1)
    lengths = generator.integers(1, 90, 200)
    returns = -0.1 * lengths + generator.normal(size=200)
    terminated = generator.random(200) < 0.7
    rows = np.arange(200)
    curves = TrainingCurves(200)
    ((_, means),) = curves.add(Episodes(returns, lengths, returns, {}, terminated, rows), 7)
    assert means["rollout/ep_rew_std"] == pytest.approx(returns.std())
    assert means["rollout/ep_terminated"] == pytest.approx(terminated.mean())
    expected = np.corrcoef(lengths, returns)[0, 1]
    assert means["rollout/ep_len_rew_corr"] == pytest.approx(expected)
    evaluation = Evaluation(returns, returns, lengths, terminated)
    assert evaluation.length_correlation == pytest.approx(expected)
    same = np.full(200, 0.1)
    ((_, means),) = curves.add(Episodes(same, lengths, same, {}, terminated, rows), 8)
    assert "rollout/ep_len_rew_corr" not in means
    assert Evaluation(same, same, lengths, terminated).length_correlation is None


def test_blocks_that_began_in_an_earlier_version_have_means_only() -> None:
    values, lengths = np.ones(100), np.ones(100, np.int64)
    early, late, flags = np.arange(100), np.arange(100, 200), np.ones(100, np.bool_)
    curves = TrainingCurves(200)
    for step in (7, 8):  # the second block is complete, and waits for the first one
        assert not curves.add(Episodes(values, lengths, values, {}, flags, early), step)
    saved = curves.checkpoint()
    for block in saved["blocks"]:
        block["sums"] = block["sums"][:3]
    resumed = TrainingCurves(200)
    resumed.restore(saved)
    points = resumed.add(Episodes(values, lengths, 2 * values, {}, flags, late), 9)
    assert [(step, means["task/score"]) for step, means in points] == [(0, 1.5), (7, 1.0)]
    assert not any("rollout/ep_rew_std" in means for _, means in points)
