"""The display during training: a panel in a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from training.display import LiveDisplay, PlainDisplay, make_display, sparkline
from training.presets import preset


def test_a_sparkline_follows_its_values() -> None:
    assert sparkline([]) == ""
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([0.0, 3.5, 7.0]) == "▁▅█"
    assert len(sparkline([float(k) for k in range(1000)], width=10)) == 10
    assert sparkline([float(k) for k in range(80)], width=8) == "▁▂▃▄▅▆▇█"


def test_output_to_a_file_stays_plain_and_short() -> None:
    written = io.StringIO()
    display = make_display(Console(file=written), "title", 0, 1000)
    assert isinstance(display, PlainDisplay)
    with display:
        for step in range(1000):
            display.update(step, {"score": 1.0})
    assert written.getvalue() == "title\n"


def test_a_terminal_shows_progress_and_curves_the_evaluation_first() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    display = make_display(console, "ppo on paddle", 0, 1000)
    assert isinstance(display, LiveDisplay)
    with display:
        for step in range(0, 1000, 100):
            numbers = {"evaluation": step / 10, "score": float(step), "steps/s": 123456.0}
            display.update(step, numbers)
    shown = written.getvalue()
    for expected in ("ppo on paddle", "123,456", "900.00", "▁", "█", "900 of 1,000 steps"):
        assert expected in shown
    assert shown.rindex("evaluation") < shown.rindex("score")


@pytest.mark.parametrize("agent", ["ppo", "random", "rules"])
def test_the_more_specific_preset_takes_precedence(agent: str) -> None:
    assert preset("PaddleBall-v0", agent, {})["eval_every"] == 100_000
    assert preset("MountainCar-v0", agent, {})["eval_every"] == 50_000
    paddle, other = (preset(env, agent, {}) for env in ("PaddleBall-v0", "CartPole-v1"))
    assert paddle["num_envs"] != other["num_envs"]
    assert preset("BicycleBalance-v0", agent, {"task": "goal"})["solved_score"] == 0.9
    assert "solved_score" not in preset("BicycleBalance-v0", agent, {"task": "balance"})
