"""The doctor: each finding at its edge, from evidence made for it, and the command on real runs."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import train
from benchmarks.doctor import Outcome, show_outcomes
from benchmarks.doctor_cases import HEALTHY, ILL, register_ill_observations
from rewards.texts import LANGUAGES, load_texts
from training.__main__ import main
from training.doctor.diagnosis import Diagnosis, diagnose, find
from training.doctor.evidence import Curve, Evidence
from training.doctor.reading import usual_settings
from training.doctor.report import to_json
from training.doctor.texts import FOLDER
from training.train_options import default_config, parse

Values = Sequence[float]
CURVES: dict[str, Values] = {
    "eval/mean_score": (1.0, 1.0, 1.0, 1.0),
    "eval/std_score": (1.0,),
    "eval/mean_reward": (1.0, 1.0, 1.0, 1.0),
    "eval/std_reward": (1.0,),
    "eval/mean_ep_length": (100.0,),
    "eval/ep_terminated": (1.0,),
    "rollout/rew_mean": (0.01, 0.01),
    "rollout/rew_std": (0.5, 0.5),
    "rollout/rew_min": (-1.0, -1.0),
    "rollout/rew_max": (1.0, 1.0),
    "rollout/rew_nonzero": (0.5, 0.5),
    "rollout/obs_rms": (1.0, 1.0),
    "rollout/obs_max": (1.0, 1.0),
    "rollout/obs_constant": (0.0, 0.0),
    "rollout/obs_not_finite": (0.0, 0.0),
    "train/entropy": (1.0,) * 20,
    "train/approx_kl": (0.01,) * 20,
    "train/clip_fraction": (0.1,) * 20,
    "train/value_loss": (1.0,) * 20,
    "train/explained_variance": (0.8,) * 20,
}
"""A run of paddle that has learned nothing, without any reason; evaluations have 100 episodes."""
EDGE = 3 * math.sqrt(2 / 100)
"""Difference of two evaluations that counts, with a standard deviation of 1."""


def evidence(
    curves: Mapping[str, Values] | None = None,
    env: str = "paddle",
    agent: str = "ppo",
    spacing: int = 100_000,
    **changes: Any,
) -> Evidence:
    """Return evidence; `changes` are of the run's settings, the agent's, or of `Evidence`."""
    config = default_config(env, agent)
    own, general = (
        {each.name for each in dataclasses.fields(kind)} for kind in (config.settings, config)
    )
    settings = {name: value for name, value in changes.items() if name in own}
    config = dataclasses.replace(
        config,
        settings=dataclasses.replace(config.settings, **settings),
        **{name: value for name, value in changes.items() if name in general},
    )
    rest = {k: v for k, v in changes.items() if k not in own | general}
    made = {
        tag: Curve(tuple(spacing * (k + 1) for k in range(len(values))), tuple(values))
        for tag, values in (CURVES | dict(curves or {})).items()
        if values
    }
    known: dict[str, Any] = {"bar": 40.0, "time_limit": 3000, "usual_time_limit": 3000}
    known |= {"asked": frozenset({"hit_or_miss"}), **rest}
    return Evidence(config, curves=made, usual=usual_settings(config), **known)


def names(of: Evidence) -> list[str]:
    return [finding.name for finding in find(of)]


def shares(effort: float) -> dict[str, Values]:
    return {"rollout/share/effort": (effort,) * 4, "rollout/share/hit_or_miss": (1 - effort,) * 4}


def constant(pay: float) -> dict[str, Values]:
    made: dict[str, Values] = {"rollout/rew_std": (0.0, 0.0)}
    return made | {f"rollout/rew_{name}": (pay, pay) for name in ("mean", "min", "max")}


ALIKE = constant(-1.0) | {"rollout/rew_nonzero": (1.0, 1.0)}
NOTHING = constant(0.0) | {"rollout/rew_nonzero": (0.0, 0.0), "eval/mean_reward": (0.0,)}
OWN: dict[str, Any] = {
    "env": "MountainCar-v0",
    "own_reward": True,
    "bar": -110.0,
    "time_limit": 200,
}
NEVER: dict[str, Values] = {"eval/mean_score": (-200.0,), "eval/ep_terminated": (0.0, 0.0)}
COSTS = {
    "rollout/rew_max": (0.0, 0.0),
    "rollout/rew_mean": (-0.5, -0.5),
    "eval/mean_reward": (-9.0,),
}
DYING = {**COSTS, "rollout/ep_len_mean": (100.0,), "eval/mean_ep_length": (100.0,)}


def sized(size: float) -> dict[str, Values]:
    """Return rewards of one size in a quarter of all steps."""
    mean, spread = size / 4, size * math.sqrt(1 / 4 - 1 / 16)
    made: dict[str, Values] = {
        "rollout/rew_mean": (mean, mean),
        "rollout/rew_std": (spread, spread),
        "rollout/rew_nonzero": (0.25, 0.25),
    }
    return made


def returns(last: float) -> dict[str, Values]:
    return {"eval/mean_reward": (1.0, 1.0, 1.0, last)}


def scores(*values: float) -> dict[str, Values]:
    return {"eval/mean_score": values}


EDGES: dict[str, tuple[str, Evidence, Evidence]] = {
    # name: the finding, evidence just beyond its edge, evidence just on this side of it
    "no reward": (
        "no_reward",
        evidence(NOTHING),
        evidence(NOTHING | {"rollout/rew_nonzero": (0.0, 0.0002)}),
    ),
    "nearly constant": (
        "reward_constant",
        evidence({"rollout/rew_mean": (1.0, 1.0), "rollout/rew_std": (0.0099, 0.0099)}),
        evidence({"rollout/rew_mean": (1.0, 1.0), "rollout/rew_std": (0.0101, 0.0099)}),
    ),
    "constant": ("reward_constant", evidence(constant(2.0)), evidence(constant(2.0) | CURVES)),
    "never positive": (
        "never_positive",
        evidence(COSTS),
        evidence(COSTS | {"rollout/rew_max": (0.0, 0.001)}),
    ),
    "short episodes earn more": (
        "dying_pays",
        evidence(DYING | {"rollout/ep_len_rew_corr": (-0.51,)}),
        evidence(DYING | {"rollout/ep_len_rew_corr": (-0.49,)}),
    ),
    "one term dominates": (
        "dominated",
        evidence(shares(0.905), reward="hit_or_miss - effort"),
        evidence(shares(0.895), reward="hit_or_miss - effort"),
    ),
    "large reward": ("reward_scale", evidence(sized(100.001)), evidence(sized(99.9))),
    "small reward": ("reward_scale", evidence(sized(0.00999)), evidence(sized(0.0101))),
    "the return rises": (
        "hacked",
        evidence(returns(1.01 + EDGE), reward="effort"),
        evidence(returns(0.99 + EDGE), reward="effort"),
    ),
    "the score falls while the return rises": (
        "hacked",
        evidence(returns(2.0) | scores(0.0, 9.0, 9.0, 8.99 - EDGE)),
        evidence(returns(2.0) | scores(0.0, 9.0, 9.0, 9.01 - EDGE)),
    ),
    "a step pays more": (  # from 0.01, with a standard deviation of 0.5
        "hacked",
        evidence({"rollout/rew_mean": (0.01, 0.1, 0.1, 0.261)}, reward="effort"),
        evidence({"rollout/rew_mean": (0.01, 0.1, 0.1, 0.259)}, reward="effort"),
    ),
    "cut off": (
        "ends_early",
        evidence({"eval/ep_terminated": (0.49,)}, time_limit=2_999),
        evidence({"eval/ep_terminated": (0.49,)}, time_limit=3_000),
    ),
    "ended before any reward": (
        "ends_early",
        evidence(NOTHING | {"eval/mean_ep_length": (749.0,)}),
        evidence(NOTHING | {"eval/mean_ep_length": (751.0,)}),
    ),
    "never met": (
        "never_met",
        evidence(ALIKE | NEVER, **OWN),
        evidence(ALIKE | NEVER | {"eval/ep_terminated": (0.01, 0.0)}, **OWN),
    ),
    "costs avoided": (
        "never_met",
        evidence(COSTS | NEVER | {"eval/mean_reward": (-4.99,)}, **OWN),
        evidence(COSTS | NEVER | {"eval/mean_reward": (-5.01,)}, **OWN),
    ),
    "discount": (  # 0.01 ** (1 / 50) is 0.912
        "discount_short",
        evidence({"rollout/rew_nonzero": (0.02, 0.02)}, gamma=0.911),
        evidence({"rollout/rew_nonzero": (0.02, 0.02)}, gamma=0.913),
    ),
    "not finite": (
        "observations_not_finite",
        evidence({"rollout/obs_not_finite": (0.0, 1e-6)}),
        evidence(),
    ),
    "sees the same": (
        "observations_constant",
        evidence({"rollout/obs_constant": (1.0, 1.0)}),
        evidence({"rollout/obs_constant": (0.99, 1.0)}),
    ),
    "huge": (
        "observations_unscaled",
        evidence({"rollout/obs_rms": (100.1, 100.1)}),
        evidence({"rollout/obs_rms": (99.9, 99.9)}),
    ),
    "tiny": (
        "observations_unscaled",
        evidence({"rollout/obs_max": (0.0099, 0.0099)}),
        evidence({"rollout/obs_max": (0.0101, 0.0099)}),
    ),
    "values": (
        "value_not_learning",
        evidence({"train/explained_variance": (0.09,) * 20}),
        evidence({"train/explained_variance": (0.11,) * 20}),
    ),
    "values have no weight": (
        "value_not_learning",
        evidence(value_coef=0.01),
        evidence(value_coef=0.011),
    ),
    "certain": (
        "entropy_collapsed",
        evidence({"train/entropy": (1.0, 0.049, 0.049)}),
        evidence({"train/entropy": (1.0, 0.051, 0.051)}),
    ),
    "greedy": (
        "entropy_collapsed",
        evidence({"train/epsilon": (0.01,) * 5}, agent="dqn"),
        evidence({"train/epsilon": (0.02,) * 5}, agent="dqn"),
    ),
    "random": (
        "too_random",
        evidence({"train/entropy": (1.0, 0.951)}, entropy_coef=1.0),
        evidence({"train/entropy": (1.0, 0.949)}, entropy_coef=1.0),
    ),
    "frozen": (
        "policy_frozen",
        evidence({"train/approx_kl": (0.99e-5,) * 20}),
        evidence({"train/approx_kl": (1.01e-5,) * 20}),
    ),
    "clipped": (
        "policy_frozen",
        evidence({"train/clip_fraction": (0.51,) * 20}, clip_coef=0.02),
        evidence({"train/clip_fraction": (0.49,) * 20}, clip_coef=0.02),
    ),
    "thrashing": (
        "policy_thrashing",
        evidence({"train/approx_kl": (0.101,) * 20}),
        evidence({"train/approx_kl": (0.099,) * 20}),
    ),
    "diverged": (
        "policy_thrashing",
        evidence({"train/policy_loss": (0.1, math.nan)}),
        evidence({"train/policy_loss": (math.nan, 0.1)}),
    ),
    "few environments": (
        "few_environments",
        evidence(num_envs=32),
        evidence(num_envs=33),
    ),
    "few updates": (
        "too_few_steps",
        evidence({"train/value_loss": (1.0,) * 9}),
        evidence({"train/value_loss": (1.0,) * 10}),
    ),
    "unlearned": (
        "unstable",
        evidence(scores(0.0, 20.0, 9.9, 9.9)),
        evidence(scores(0.0, 20.0, 10.1, 10.1)),
    ),
    "evaluations are worse": (  # 0.3 of the way from 1 to 40 is 11.7
        "evaluation_differs",
        evidence({"task/score": (1.0, 12.8, 12.8, 12.8)}),
        evidence({"task/score": (1.0, 12.6, 12.6, 12.6)}),
    ),
    "seed": ("seed_luck", evidence(learners=("other",)), evidence()),
}


@pytest.mark.parametrize("edge", EDGES)
def test_each_finding_begins_where_its_definition_says(edge: str) -> None:
    name, ill, well = EDGES[edge]
    assert name in names(ill)
    assert name not in names(well)


def test_there_is_a_test_for_each_finding_and_texts_in_both_languages() -> None:
    tested = {name for name, _, _ in EDGES.values()}
    for lang in LANGUAGES:
        assert tested == set(load_texts(FOLDER, lang)) - {"report"}


@pytest.mark.parametrize("edge", EDGES)
def test_a_curve_that_is_missing_or_short_is_no_error(edge: str) -> None:
    ill = EDGES[edge][1]
    for tag, curve in ill.curves.items():
        others = {name: each for name, each in ill.curves.items() if name != tag}
        for curves in (others, others | {tag: curve.part(0.0, 0.5)}, {tag: curve}):
            changed = dataclasses.replace(ill, curves=curves)
            to_json(Diagnosis(changed, find(changed)), "en")


def test_a_run_without_any_reason_has_no_findings() -> None:
    assert names(evidence()) == []


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_finding_can_be_told_and_its_command_is_one(edge: str, lang: str) -> None:
    ill = EDGES[edge][1]
    for finding in to_json(Diagnosis(ill, find(ill)), lang)["findings"]:
        assert "nan" not in finding["evidence"]
        json.dumps(finding, allow_nan=False)
        program, *arguments = shlex.split(finding["command"])[1:]
        if program == "train.py" and "--resume" not in arguments:
            assert parse(arguments)[1].env == ill.config.env


def test_the_likeliest_five_are_reported_in_order() -> None:
    ill = {**NOTHING, "rollout/obs_not_finite": (0.5,), "train/approx_kl": (0.5,) * 20}
    ill |= {"train/explained_variance": (0.0,) * 20, "train/value_loss": (1.0,)}
    found = find(evidence(ill, num_envs=1, learners=("other",), time_limit=20))
    assert len(found) == 5
    assert found[0].name == "observations_not_finite"
    strengths = [finding.strength for finding in found]
    assert strengths == sorted(strengths, reverse=True)


def test_a_solved_run_is_told_only_that_its_reward_is_large() -> None:
    ill = {"train/approx_kl": (0.5,) * 20, **sized(1e6)}
    assert "policy_thrashing" in names(evidence(ill))
    assert names(evidence(ill, solved=True)) == ["reward_scale"]
    assert names(evidence({**ill, **scores(1.0, 40.0, 41.0)})) == ["reward_scale"]


def test_causes_count_less_the_more_was_learned() -> None:
    leaping = {"train/approx_kl": (0.5,) * 20}
    strengths = []
    for last in (1.0, 25.0, 30.0):
        found = find(evidence({**leaping, **scores(1.0, last, last, last)}, bar=41.0))
        strengths += [each.strength for each in found if each.name == "policy_thrashing"]
    assert strengths[0] > strengths[1] > strengths[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a short run that learns nothing, because of its learning rate."""
    folder = tmp_path_factory.mktemp("runs")
    arguments = ["--steps", "49152", "--learning-rate", "1e-9", "--num-steps", "16"]
    arguments += ["--eval-every", "20000", "--eval-episodes", "5", "--video-frames", "0"]
    with contextlib.redirect_stdout(io.StringIO()) as told:
        assert train.run([*arguments, "--run-dir", str(folder)]) == 0
    (made,) = folder.iterdir()
    assert f"python -m training doctor {made} may say why" in told.getvalue()
    return made


def test_the_command_explains_a_real_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(run)]) == 0
    told = capsys.readouterr().out
    assert "1. The policy does not change" in told
    assert "Try: python train.py --env PaddleBall-v0" in told
    assert "Evidence: train/approx_kl at step 49,152" in told
    assert main(["doctor", str(run), "--json", "--lang", "ko"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["learned"] is False
    assert content["findings"][0]["name"] == "policy_frozen"
    assert content["findings"][0]["numbers"]["value"] == 1e-9
    assert content["findings"][0]["title"] == load_texts(FOLDER, "ko")["policy_frozen"]["title"]


def test_the_evidence_is_drawn(run: Path, tmp_path: Path) -> None:
    assert main(["doctor", str(run), "--out", str(tmp_path / "evidence.png")]) == 0
    assert (tmp_path / "evidence.png").read_bytes().startswith(b"\x89PNG")


def test_a_solved_run_with_another_seed_is_found(run: Path, tmp_path: Path) -> None:
    for name, seed, solved, rate in (
        ("this", 1, False, 1e-9),
        ("solved", 2, True, 1e-9),
        ("unsolved", 3, False, 1e-9),
        ("other", 4, True, 1e-3),
    ):
        shutil.copytree(run, tmp_path / name)
        config = json.loads((run / "config.json").read_text())
        config["seed"], config["settings"]["learning_rate"] = seed, rate
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        evaluation = json.loads((run / "evaluation.json").read_text())
        (tmp_path / name / "evaluation.json").write_text(
            json.dumps(evaluation | {"solved": solved})
        )
    found = diagnose(tmp_path / "this")
    assert found.evidence.learners == ("solved",)
    assert "seed_luck" in [finding.name for finding in found.findings]


def damage_events(folder: Path, content: bytes) -> None:
    (events,) = folder.glob("events.out.tfevents.*")
    events.write_bytes(content)


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


DAMAGES: dict[str, Any] = {
    "no folder": shutil.rmtree,
    "empty folder": empty,
    "no curves": lambda folder: damage_events(folder, b""),
    "curves are something else": lambda folder: damage_events(folder, b"\x80\x05" + b"x" * 5_000),
    "curves are a folder": lambda folder: (folder / "events.out.tfevents.9").mkdir(),
    "settings": lambda folder: (folder / "config.json").write_text("{"),
    "evaluation": lambda folder: (folder / "evaluation.json").write_text('{"solved": 1}'),
    "checkpoint": lambda folder: (folder / "checkpoint.safetensors").write_bytes(b"x"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_one_line(
    damage: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    DAMAGES[damage](folder)
    assert main(["doctor", str(folder)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("training doctor: ")
    assert output.err.count("\n") == 1


def test_curves_that_end_in_the_middle_of_a_point_are_read(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (events,) = folder.glob("events.out.tfevents.*")
    damage_events(folder, events.read_bytes()[:-7])
    assert diagnose(folder).findings[0].name == "policy_frozen"


def test_the_runs_of_the_benchmark_can_be_made_and_expect_findings_that_exist() -> None:
    assert len(ILL) >= 30
    assert len(HEALTHY) >= 20
    assert sum(case.held_back for case in ILL) >= len(ILL) / 3
    assert len({case.name for case in (*ILL, *HEALTHY)}) == len(ILL) + len(HEALTHY)
    register_ill_observations()
    expected = {name for name, _, _ in EDGES.values()} | {""}
    for case in (*ILL, *HEALTHY):
        assert case.expected in expected
        parse(shlex.split(case.arguments.replace("REWARDS", "my_reward.py")))


def test_the_benchmark_counts_places(capsys: pytest.CaptureFixture[str]) -> None:
    ill, held = ILL[0], next(case for case in ILL if case.held_back)
    outcomes = [
        Outcome(ill, ("seed_luck", ill.expected)),
        Outcome(held, (held.expected,)),
        Outcome(HEALTHY[0], ("unstable",)),
        Outcome(HEALTHY[1], ()),
    ]
    show_outcomes(Console(width=200), outcomes)
    told = capsys.readouterr().out
    assert "all ill runs: right finding first in 1 of 2, among the first three in 2 of 2" in told
    assert "those held back: right finding first in 1 of 1" in told
    assert "healthy runs: false alarms in 1 of 2" in told
