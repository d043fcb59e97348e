"""Experiments: intervals, claims, tables and slides of made-up trials; real trials; wrong input."""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.ensemble import HistGradientBoostingRegressor

from envs.names import load
from envs.registry import EXPERIMENTS, ExperimentEntry
from stages.__main__ import main
from stages.datasets.curve import heights_at
from stages.datasets.dataset import examples_of
from stages.datasets.environments import dataset_of
from stages.lab import slides
from stages.lab.command import run_experiment
from stages.lab.experiment import Experiment
from stages.lab.intervals import T_95, Mean, difference, holm, mean, p_value, ratio
from stages.lab.options import ExperimentOptions
from stages.lab.results import collect, numbers_needed
from stages.lab.trials import Learned, Point, Trial, learning_curve
from stages.supervised import boosted_trees, drawing, fans, feedback, listening, predictions
from stages.unsupervised import filming, linear_probe, neighbours, png
from tests.test_datasets import one_example_per_split
from training.vector_runner import make_environments

NAMES = (
    *("feedback", "label_noise", "features", "latent_map", "compression", "linear_probe"),
    *("cluster_purity", "tables", "generation", "sounds", "structure", "curve"),
    *("diffusion", "synthesize", "video_summary"),
)


def test_intervals_are_those_of_students_t() -> None:
    """The values 1, 2, 3 have the standard error 1 / sqrt(3)."""
    margin = 4.303 / math.sqrt(3)
    assert mean([1.0, 2.0, 3.0]) == pytest.approx((2.0, 2.0 - margin, 2.0 + margin))
    assert mean([1.0, 2.0, 3.0]).margin == pytest.approx(margin)
    assert f"{Mean(1.25, 0.75, 1.75):+.1f}" == "+1.2 ± 0.5"
    assert list(T_95) == sorted(T_95, reverse=True)
    assert difference([5.0, 7.0, 9.0], [4.0, 5.0, 6.0]) == mean([1.0, 2.0, 3.0])
    times = ratio([2.0, 8.0, 32.0], [1.0, 1.0, 1.0])  # the logarithms are 1, 3, 5 times log 2
    assert times == pytest.approx((8.0, 8.0 / 4**margin, 8.0 * 4**margin))


def test_p_values_are_those_of_scipy_and_holm_corrects_them_for_their_number() -> None:
    values = np.random.default_rng(0).normal(0.5, 1.0, 10)
    for count in range(2, 11):
        expected = stats.ttest_1samp(values[:count], 0, alternative="greater").pvalue
        assert p_value(values[:count]) == pytest.approx(expected)
    p_values = [0.04, 0.001, 0.02, 0.03]
    assert holm(p_values) == pytest.approx([0.06, 0.004, 0.06, 0.06])  # by hand


def test_claims_of_several_files_are_put_into_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("first", "second")
    for name, p in zip(names, (0.001, 0.02), strict=True):
        claims = [{"sentence": f"The claim of {name}.", "p": p}]
        saved = {"experiment": name, "seeds": 3, "claims": claims}
        (tmp_path / name).write_text(json.dumps(saved))
    files = [str(tmp_path / name) for name in names]
    page = tmp_path / "page.md"
    assert main(["claims", *files, files[1], "--out", str(page)]) == 0
    assert "3 of 3 claims hold" in capsys.readouterr().out
    last = [line.split(" | ")[-1].rstrip(" |") for line in page.read_text().splitlines()[-3:]]
    assert last == ["0.0030 (holds)", "0.0400", "0.0400"]
    (tmp_path / "first").write_text("{}")
    assert main(["claims", files[0]]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "first is no file of `python -m stages NAME --json FILE`" in line


def test_the_claims_of_an_experiment_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(_: Any, configs: Any, *rest: Any) -> Any:
        return {
            cell: [made_up("sounds", each, True) for each in of] for cell, of in configs.items()
        }

    monkeypatch.chdir(tmp_path)
    sounds: Experiment = load(EXPERIMENTS["sounds"].target)
    assert run_experiment("sounds", sounds, ["--json", "sounds.json"], run_trials=made) == 0
    saved = json.loads((tmp_path / "sounds.json").read_text())
    (claim,) = saved["claims"]
    assert (saved["experiment"], saved["seeds"]) == ("sounds", 3)
    assert claim["p"] < 0.025
    assert claim["sentence"] in capsys.readouterr().out


def test_numbers_of_one_seed_for_one_cell_are_averaged() -> None:
    found = {"a": [1.0, 2.0], "b": [3.0, 6.0]}
    assert collect(lambda cell, x: {"both": x, cell: x}, found) == {
        "both": [2.0, 4.0],
        "a": [1.0, 2.0],
        "b": [3.0, 6.0],
    }


def test_a_trial_is_a_run_of_the_training_loop() -> None:
    trial = Trial(
        *("classify", 1024), options={"examples": 50}, settings={"width": 8}, evaluations=2
    )
    config = trial.config(2)
    assert (config.agent, config.seed, config.settings.width) == ("supervised", 2, 8)
    assert config.env_options == {"data_seed": 2, "examples": 50}
    points = learning_curve(config)
    assert [point.steps for point in points] == [512, 1024]
    assert [point.numbers for point in points] == [512, 1024]
    assert 0 <= points[-1].score <= 1
    assert "balanced_accuracy" in points[-1].metrics


def test_trials_with_tuning_seeds_are_evaluated_on_the_validation_split() -> None:
    trial = Trial("classify", 2_560, one_example_per_split(), {"learning_rate": 0.01})
    scores = [learning_curve(trial.config(seed))[-1].score for seed in (1, 100)]
    assert scores == [0, 1]
    assert Trial("prompts", 512).config(100).env_options["rules"] == "tuning"
    assert "rules" not in Trial("prompts", 512).config(99).env_options
    assert ExperimentOptions(seeds=2, tuning=True).each_seed == range(100, 102)
    assert ExperimentOptions(seeds=2).each_seed == range(1, 3)


@pytest.mark.parametrize(("quick", "seeds", "used"), [(False, 5, 5), (True, 5, 3), (True, 2, 2)])
def test_a_quick_run_trains_less_with_fewer_seeds(quick: bool, seeds: int, used: int) -> None:
    trained = {}

    def made_up_trials(_: Any, configs: dict[Any, list[Any]], *__: Any) -> dict[Any, list[Any]]:
        trained.update(configs)
        return {cell: [[Point(1, 1, 0.5, {})]] * len(each) for cell, each in configs.items()}

    experiment: Experiment = load(EXPERIMENTS["feedback"].target)
    options = ExperimentOptions(seeds=seeds, quick=quick)
    results = experiment.run({"progress": ""}, options, made_up_trials)
    assert results.seeds == used
    for feedback_kind, configs in trained.items():
        assert [config.seed for config in configs] == list(range(1, used + 1))
        whole = feedback.STEPS[feedback_kind]
        share = experiment.quick if quick else 1
        assert {config.steps for config in configs} == {round(share * whole)}


def test_numbers_of_feedback_are_interpolated() -> None:
    points = [Point(100, 100, 0.5, {}), Point(200, 200, 0.7, {}), Point(300, 300, 0.6, {})]
    assert numbers_needed(points, 0.6, 0.25) == pytest.approx(150)
    assert numbers_needed(points, 0.375, 0.25) == pytest.approx(50)
    assert numbers_needed(points, 0.9, 0.25) == 300  # at least


def test_trees_and_network_are_chosen_by_validation_and_reported_on_test_rows() -> None:
    config = Trial("regress", 10_240, options={"examples": 300, "observation": "state"}).config(1)
    found = boosted_trees.train_both(config)
    dataset = dataset_of(make_environments(config.env, 1, config.make_options))
    rows, validation, new = (examples_of(dataset, k) for k in ("train", "validation", "test"))
    errors = []
    for rounds in (2, 6, 20):
        trees = HistGradientBoostingRegressor(max_iter=rounds, early_stopping=False, random_state=0)
        trees.fit(rows.observations, rows.targets[:, 0])
        pair = (
            np.abs(trees.predict(each.observations) - each.targets[:, 0]).mean()
            for each in (validation, new)
        )
        errors.append(tuple(pair))
    assert found["trees"] == pytest.approx(100 * min(errors)[1], rel=1e-5)
    constant = np.abs(new.targets - rows.targets.mean()).mean()
    assert found["network"] < 100 * constant


def test_predictions_are_shown_next_to_the_targets_of_test_examples() -> None:
    options = {"examples": 300, "source": "screen", "target": "state"}
    config = Trial("translate", 2_560, options=options).config(1)
    found = predictions.train_and_predict(config)
    dataset = dataset_of(make_environments(config.env, 1, config.make_options))
    test = examples_of(dataset, "test")
    assert found.targets[0].size == 3
    assert np.array_equal(found.targets, test.targets[: predictions.SHOWN])
    assert np.abs(found.predictions - found.targets).mean() < np.abs(found.targets).mean()
    assert 20 < found.score < 100


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")  # a letter that the font does not have
def test_a_table_a_slide_and_conclusions(name: str, lang: str, verdicts_of: Any) -> None:
    """Made-up trials in which every claim holds, and then some in which none does."""
    for right in (True, False) if lang == "en" else (True,):
        held, refused = verdicts_of(name, lang, lambda config: made_up(name, config, right))  # noqa: B023
        assert (held > 0) == right
        assert (refused > 0) != right


def made_up(name: str, config: Any, right: bool) -> Any:
    """Return what a trial might find: it depends on the options and a little on the seed."""
    options, jitter = config.env_options, 0.001 * config.seed
    if name == "curve":
        near = (options["examples"] == 2_000) == right
        offsets = np.random.default_rng(config.seed).normal(0.0, 0.02 if near else 0.2, (8, 201))
        angles = np.linspace(-1, 1, options["examples"])
        return fans.Fan(heights_at(fans.ANGLES)[:, 0] + offsets, angles, heights_at(angles))
    if name == "latent_map":
        far = 50.0 if right else 3.0
        plane = np.random.default_rng(0).random((20, 2))
        ways = {"codes": 4.0, "pixels": 3.0, "plane": 9.0, "chance": far}
        return neighbours.Map({way: each + jitter for way, each in ways.items()}, plane, plane)
    if name == "compression":
        n = config.settings.codes
        front = [(20.0, 50.0), (60.0, 3.0)]
        error = 30.0 / n + jitter
        times = 9.0 if right else 0.5
        return png.Compressed(error, n * times, 4000, front, error * times)
    if name == "linear_probe":
        n = config.settings.codes
        errors = {(str(n), labels): 10.0 + jitter for labels in linear_probe.LABELS}
        if n == linear_probe.CODES[0]:
            better = (30.0, 1.0) if right else (1.0, 30.0)
            pixels = np.geomspace(*better, len(linear_probe.LABELS)).tolist()
            errors |= {
                ("pixels", labels): error
                for labels, error in zip(linear_probe.LABELS, pixels, strict=True)
            }
        return errors
    if name == "structure":
        fits = not options.get("shuffled") and "observation" not in options
        points = [Point(1, 1, (0.8 if fits == right else 0.5) + jitter, {})]
        return Learned(points, 50_000)
    if name == "tables":
        by_trees = options.get("noise_columns") == 20 and options["examples"] == 1_000
        order = ("trees", "network") if by_trees == right else ("network", "trees")
        return dict(zip(order, (10.0 + jitter, 20.0 + 2 * jitter), strict=True))
    if name == "generation":
        best = "state" if right else "screen"  # the target of generation, if its claim is to hold
        score = 80.0 if options["target"] == best else 60.0
        score += (20.0 if right else -20.0) * (options["source"] == "coarse")
        screens = np.zeros((predictions.SHOWN, 1, 24, 24), np.float32)
        return predictions.Predicted(score - jitter * config.seed, screens, screens)
    if name == "diffusion":
        numbers: dict[Any, float] = {("recognised", "chance"): 50.0}
        for key, good in ((1, 60.0), (20, 90.0 if right else 40.0), ("real", 100.0)):
            numbers |= {(number, key): good + jitter for number in ("recognised", "spread")}
        pictures = np.zeros((len(drawing.SHOWN), drawing.KEPT, 576))
        return drawing.Drawn(numbers, pictures)
    if name == "synthesize":
        heard = {"made": 0.1 if right else 0.9, "real": 0.1, "deaf": 0.5 + jitter}
        asked = ("kind", "pitch", "loudness")
        found = {(question, key): error for question in asked for key, error in heard.items()}
        return listening.Heard(found, np.zeros((9, 2_240)))
    if name == "video_summary":
        unseen = {
            (way, count): distance
            for way, distance in (("codes", 10.0 if right else 40.0), ("evenly", 20.0 + jitter))
            for count in filming.SCREENS
        }
        shown = np.zeros((filming.COMPARED, 24, 24), np.uint8)
        return filming.Summaries(unseen, dict.fromkeys(filming.WAYS, shown))
    if name == "cluster_purity":
        kind, purity = options["of"], 70.0 + jitter if right else 30.0 - jitter
        return {(kind, "purity"): purity, (kind, "chance"): 30.0, (kind, "iterations"): 12}
    score = {
        "feedback": 0.95,
        "label_noise": 0.9 - 0.1 * options.get("noise", 0.0) - 0.4 * (options["examples"] < MOST),
        "features": -0.1
        - 0.1 * ((options["examples"] < MOST) == (options.get("observation") == "screen"))
        + 0.15 * (options.get("observation") == "motion"),
        "sounds": 0.9 if options.get("observation") == "spectrogram" else 0.6,
    }[name]
    if name == "label_noise" and options.keys() & {"region", "rarity", "biased"}:
        score = 0.5
    if not right:  # the other way round
        turned = {"label_noise": 1 - score, "features": -0.4 - score, "sounds": 1.5 - score}
        score = {"feedback": 0.95, **turned}[name]
    slow = 3 if (options.get("feedback") == "reward") == right else 1
    steps = [1000 * slow * (10 + config.seed), 1000 * slow * 20]
    return [Point(s, s, score + jitter, {}) for s in steps]


MOST = 30_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "1"], "--seeds must be between 2 and 10, got 1"),
        (
            ["--workers", "-1"],
            "--workers must be a positive number, ray or ray://HOST:PORT, got '-1'",
        ),
        (["--out", "slide.pdf"], "--out must end in .png"),
        (["--out", "nowhere/slide.png"], "there is no folder nowhere"),
        (["--json", "nowhere/a.json"], "--json: there is no folder nowhere"),
        (["--out", "/proc/slide.png"], "cannot write into /proc"),
        (["--json", "/proc/claims.json"], "--json: cannot write into /proc"),
        (["--seeds", "three"], "--seeds"),
        (["--lang", "fr"], "--lang"),
        (["--sedes", "3"], "--seeds"),
    ],
)
def test_wrong_input_gets_one_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def never(*arguments: Any) -> Any:
        raise AssertionError

    assert run_experiment("feedback", feedback.EXPERIMENT, arguments, run_trials=never) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("stages feedback: ")
    assert message in line


def test_ctrl_c_ends_an_experiment_in_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    given = ["--out", str(tmp_path / "slide.png")]
    assert run_experiment("feedback", feedback.EXPERIMENT, given, run_trials=interrupted) == 130
    assert capsys.readouterr().err == "stages feedback: interrupted; nothing was written\n"
    assert not list(tmp_path.iterdir())


def test_the_example_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code and the line of the registry are those of docs/contributing.md."""
    section = Path("docs/contributing.md").read_text().split("## Add an experiment\n")[1]
    (code,) = re.findall(r"```python\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    (tmp_path / "width.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    (line,) = re.findall(r'^    "width": (ExperimentEntry\(.*\)),$', section, re.MULTILINE)
    entry = eval(line, {"ExperimentEntry": ExperimentEntry})
    assert entry.target == "stages.supervised.width:EXPERIMENT"
    monkeypatch.setitem(EXPERIMENTS, "width", entry._replace(target="width:EXPERIMENT"))
    slide = tmp_path / "width.png"
    arguments = ["width", "--seeds", "2", "--workers", "1", "--out", str(slide)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "Narrow and wide networks" in printed
    assert "confirm" in printed
    assert slide.stat().st_size > 10_000
    assert main([*arguments, "--lang", "ko"]) == 2
    assert "--lang must be en" in capsys.readouterr().err


def test_help_lists_every_experiment_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    for name, entry in EXPERIMENTS.items():
        assert re.search(rf"^{name} +{re.escape(entry.summary)}$", listed, re.MULTILINE)


def test_every_module_asks_a_question_and_says_its_command() -> None:
    for name, entry in EXPERIMENTS.items():
        module = importlib.import_module(entry.target.partition(":")[0])
        assert module.__doc__
        first, _, rest = module.__doc__.partition("\n")
        assert first.endswith("?")
        assert ("python -m stages" if name == "overview" else f"python -m stages {name}\n") in rest
        assert isinstance(load(entry.target), Experiment)


def test_an_unknown_experiment_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["featurse"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == "stages: there is no experiment `featurse`; did you mean `features`?"


def test_without_korean_letters_the_error_says_what_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from matplotlib import font_manager

    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    slides.font_for.cache_clear()
    assert slides.font_for("ko").get_name() == "NanumGothic"
    monkeypatch.setitem(sys.modules, "koreanize_matplotlib", None)  # as if it were not installed
    slides.font_for.cache_clear()
    with pytest.raises(ValueError, match=r"install one with pip install"):
        slides.font_for("ko")
    slides.font_for("en")
    slides.font_for.cache_clear()
