"""Experiments: intervals, verdicts and slides on made-up trials; one real trial; wrong input."""

from __future__ import annotations

import importlib
import math
import struct
from pathlib import Path
from typing import Any

import pytest

from stages import feedback, slides
from stages.experiment import (
    T_95,
    ExperimentOptions,
    Mean,
    Point,
    mean,
    measure,
    run_experiment,
    trial,
)

EXPERIMENTS = ("feedback", "label_noise", "features")
every_experiment = pytest.mark.parametrize("name", EXPERIMENTS)


def test_intervals_are_those_of_students_t() -> None:
    """An example that is easy by hand: 1, 2, 3 has the standard error 1 / sqrt(3)."""
    assert mean([1.0, 2.0, 3.0]) == pytest.approx((2.0, 4.303 / math.sqrt(3)))
    assert f"{Mean(1.25, 0.5):+.1f}" == "+1.2 ± 0.5"
    assert list(T_95) == sorted(T_95, reverse=True)


def test_a_trial_is_a_run_of_the_one_loop() -> None:
    config = trial("classify", 2, 1024, 2, examples=50, settings={"width": 8})
    assert (config.agent, config.seed, config.settings.width) == ("supervised", 2, 8)
    assert config.env_options == {"data_seed": 2, "examples": 50}
    points = measure(config)
    assert [point.steps for point in points] == [512, 1024]
    assert [point.numbers for point in points] == [512, 1024]
    assert 0 <= points[-1].score <= 1
    assert "balanced_accuracy" in points[-1].metrics


def test_how_many_numbers_were_needed() -> None:
    points = [Point(100, 100, 0.5, {}), Point(200, 200, 0.7, {}), Point(300, 300, 0.6, {})]
    assert feedback.needed(points, 0.6) == pytest.approx(150)
    assert feedback.needed(points, 0.375) == pytest.approx(50)
    assert feedback.needed(points, 0.9) == 300  # at least


@pytest.fixture
def _any_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests look at what is written, and machines differ in what they can draw."""
    monkeypatch.setitem(slides.LETTERS, "ko", "A")


@every_experiment
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.usefixtures("_any_font")
@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_table_a_slide_and_a_verdict(
    name: str,
    lang: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Made-up trials in which every claim is right, and then such in which none is."""
    module = importlib.import_module(f"stages.{name}")
    for right in (True, False) if lang == "en" else (True,):
        monkeypatch.setattr(module, "measure_all", lambda trials, *_: made_up(name, trials, right))  # noqa: B023
        arguments = ["--lang", lang, "--out", str(tmp_path / "slide.png")]
        assert run_experiment(name, module.experiment, arguments) == 0
        told = capsys.readouterr().out
        held = told.count("It held" if lang == "en" else "측정에서 확인되었다")
        refused = told.count("does not show" if lang == "en" else "확인되지 않았다")
        assert (held > 0) == right
        assert (refused > 0) != right
        header = (tmp_path / "slide.png").read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", header[16:]) == (1280, 720)
    assert [path.name for path in tmp_path.iterdir()] == ["slide.png"]


def made_up(name: str, trials: list[Any], right: bool) -> list[list[Point]]:
    """Scores that depend on the options and a little on the seed."""
    found = []
    for config in trials:
        options, jitter = config.env_options, 0.001 * config.seed
        score = {
            "feedback": 0.95,
            "label_noise": 0.9
            - 0.1 * options.get("noise", 0.0)
            - 0.2 * (options["examples"] < MOST),
            "features": -0.1
            - 0.1 * ((options["examples"] < 1000) == (options.get("observation") == "screen")),
        }[name]
        if name == "label_noise" and ("region" in options or "rarity" in options):
            score = 0.5
        if not right:  # the other way round
            score = {"feedback": 0.95, "label_noise": 1 - score, "features": -0.4 - score}[name]
        slow = 3 if (options.get("feedback") == "reward") == right else 1
        steps = [1000 * slow * (10 + config.seed), 1000 * slow * 20]
        found.append([Point(s, s, score + jitter, {}) for s in steps])
    return found


MOST = 30_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "1"], "--seeds must be between 2 and 10, not 1"),
        (["--processes", "-1"], "--processes must not be negative"),
        (["--out", "slide.pdf"], "--out must end in .png"),
        (["--out", "nowhere/slide.png"], "there is no folder nowhere"),
        (["--lang", "fr"], "--lang"),
        (["--sedes", "3"], "--seeds"),
    ],
)
def test_wrong_input_gets_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(options: ExperimentOptions, path: Path) -> None:
        raise AssertionError

    assert run_experiment("feedback", never, arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("stages.feedback: ")
    assert message in line


def test_without_korean_letters_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import font_manager

    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    slides.font_for.cache_clear()
    with pytest.raises(ValueError, match="apt install fonts-nanum"):
        slides.font_for("ko")
    slides.font_for("en")
    slides.font_for.cache_clear()
