"""train.py as users run it: solved, interrupted, killed, resumed, and with wrong input."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import train
from agents.agent import Step
from agents.ppo import PPOAgent
from envs.registry import DATASETS, env_ids
from tests.scripted_paddle import ENV, EVALUATED, SEEDS, script
from training import train_options as command_line
from training.config import RunConfig
from training.display import PlainDisplay
from training.export import export_run
from training.logger import TensorBoardLogger
from training.loop import train as train_loop
from training.run_folder import BEST, RunError, atomic_path, load_checkpoint, write_json
from training.session import prepare
from training.trained_agent import load_model
from training.vector_runner import make_environments

REPOSITORY = Path(train.__file__).parent
QUICK = ["--num-envs", "16", "--eval-every", "4000", "--eval-episodes", "3"]
SMALL = ["--threads", "1", "--video-frames", "0"]  # saves time


def run_train(*arguments: object) -> Path:
    """Train in this process and return the run folder."""
    given = [str(argument) for argument in arguments]
    if "--resume" not in given:
        options = zip(SMALL[::2], SMALL[1::2], strict=True)
        given += [word for pair in options if pair[0] not in given for word in pair]
    assert train.main(given) == 0
    place = given[given.index("--resume" if "--resume" in given else "--run-dir") + 1]
    return Path(place) if "--resume" in given else only_run(Path(place))


def only_run(run_dir: Path) -> Path:
    (folder,) = run_dir.iterdir()
    return folder


def assert_same_checkpoint(one: Path, other: Path) -> None:
    tensors, others = (load_file(folder / "checkpoint.safetensors") for folder in (one, other))
    assert tensors.keys() == others.keys()
    assert [name for name in tensors if not torch.equal(tensors[name], others[name])] == []
    numbers, other_numbers = (
        json.loads((folder / "checkpoint.json").read_text()) for folder in (one, other)
    )
    assert numbers == other_numbers


def curves(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    return events


@pytest.mark.parametrize(
    ("steps", "options"),  # without --anneal, the first run stops in the middle of a rollout
    [
        (4800, ["--num-steps", "37"]),
        (4800, ["--reward", "hit_or_miss - 0.01*effort", "--anneal"]),
        (1200, ["--env-options", "observation=screen", "screen_size=24", "--num-steps", "20"]),
    ],
    ids=["within a rollout", "weighted reward", "screen"],
)
def test_n_steps_and_n_resumed_equal_2n_bit_for_bit(
    steps: int, options: list[str], tmp_path: Path
) -> None:
    options = [*QUICK, *options, "--eval-every", str(steps * 5 // 6), "--video-frames", "4"]
    through = run_train("--run-dir", tmp_path / "a", "--steps", 2 * steps, *options)
    if "--anneal" in options:  # its schedule belongs to the planned total, so that stays the same
        again = run_train("--run-dir", tmp_path / "b", "--steps", 2 * steps, *options)
        assert_same_checkpoint(through, again)
        return
    half = run_train("--run-dir", tmp_path / "b", "--steps", steps, *options)
    run_train("--resume", half, "--steps", 2 * steps)
    assert_same_checkpoint(through, half)


@pytest.mark.usefixtures("default_signals")
def test_an_interrupted_annealed_run_continues_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run stopped by Ctrl-C and resumed ends with the same bits as one that was not stopped."""
    arguments = [*SMALL, *QUICK, "--anneal", "--steps", "9600", "--run-dir"]
    through = run_train(*arguments, tmp_path / "a")
    learn, calls = PPOAgent.learn, itertools.count(1)

    def press_ctrl_c(agent: PPOAgent, step: Step) -> dict[str, float] | None:
        if next(calls) == 333:
            signal.raise_signal(signal.SIGINT)
        return learn(agent, step)

    monkeypatch.setattr(PPOAgent, "learn", press_ctrl_c)
    assert train.main([*arguments, str(tmp_path / "b")]) == 130
    folder = only_run(tmp_path / "b")
    assert f"pythontrain.py--resume{folder}" in "".join(capsys.readouterr().out.split())
    assert load_checkpoint(folder)[1]["progress"]["steps"] == 333 * 16
    run_train("--resume", folder)
    assert_same_checkpoint(through, folder)


def test_a_killed_run_keeps_its_last_checkpoint(tmp_path: Path) -> None:
    process = start_train("--run-dir", tmp_path, "--steps", "100000000", *QUICK, save_seconds=0.2)
    wait_until(lambda: any(tmp_path.glob("*/checkpoint.json")))
    folder = only_run(tmp_path)
    numbers_file = folder / "checkpoint.json"
    wait_until(lambda: json.loads(numbers_file.read_text())["progress"]["steps"] > 0)
    process.kill()
    process.wait()
    _, numbers = load_checkpoint(folder)
    steps = numbers["progress"]["steps"]
    assert steps > 0
    run_train("--resume", folder, "--steps", steps + 1000)
    assert load_checkpoint(folder)[1]["progress"]["steps"] >= steps + 1000


def start_train(*arguments: object, save_seconds: float | None = None) -> Any:
    code = "import sys, train, training.loop as loop; "
    code += f"loop.SAVE_SECONDS = {save_seconds}; " if save_seconds is not None else ""
    given = [*map(str, arguments), *SMALL]
    return subprocess.Popen(
        [sys.executable, "-c", code + "sys.exit(train.main(sys.argv[1:]))", *given],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_until(condition: Any, seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_tensorboard_shows_everything_about_a_run(tmp_path: Path) -> None:
    folder = run_train(
        *("--run-dir", tmp_path, "--steps", 9600, *QUICK, "--reward", "hit_or_miss - effort"),
        *("--env-options", "max_steps=100", "--video-frames", 8),
    )
    events = curves(folder)
    expected = {
        *("rollout/ep_rew_mean", "rollout/ep_len_mean", "time/fps", "eval/mean_reward"),
        *(
            "eval/mean_score",
            "task/score",
            "reward/hit_or_miss",
            "reward/effort",
            "reward/weighted_sum",
        ),
        *("train/policy_loss", "train/value_loss", "train/entropy", "train/approx_kl"),
    }
    assert expected <= set(events.Tags()["scalars"])
    newest = {tag: events.Scalars(tag)[-1].value for tag in expected}
    weighted = newest["reward/hit_or_miss"] - newest["reward/effort"]
    assert newest["reward/weighted_sum"] == pytest.approx(weighted, rel=1e-5)
    assert newest["rollout/ep_rew_mean"] == pytest.approx(weighted, rel=1e-5)
    steps = [event.step for event in events.Scalars("task/score")]
    assert steps == sorted(set(steps))
    assert steps[0] < 9600 - 1600  # the last points wait for their longest episodes
    assert [event.step for event in events.Images("evaluation/episode")] == [4000, 8000, 9600]
    image = events.Images("evaluation/episode")[0]
    assert image.encoded_image_string[:6] == b"GIF89a"
    texts = {
        tag: events.Tensors(tag)[0].tensor_proto.string_val[0] for tag in events.Tags()["tensors"]
    }
    assert b"def effort(" in texts["run/reward/text_summary"]
    assert b"learning_rate" in texts["run/settings/text_summary"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # HParams: no sub-run
    assert len(events.PluginTagToContent("hparams")) == 3  # experiment, start and end


def test_a_run_folder_describes_itself(tmp_path: Path) -> None:
    reward = tmp_path / "my rewards.py"
    reward.write_text("def high(before, action, after):\n    return -after.paddle_y\n")
    folder = run_train(
        "--run-dir", tmp_path / "runs", "--steps", 1600, *QUICK, "--reward", f"'{reward}:high'"
    )
    config = json.loads((folder / "config.json").read_text())
    assert config["reward"] == f"'{reward}:high'"
    assert config["command"].startswith("python train.py --run-dir")
    assert {"torch", "numba", "gymnasium", "python"} <= config["versions"].keys()
    assert (folder / "reward" / reward.name).read_text() == reward.read_text()
    evaluation = json.loads((folder / "evaluation.json").read_text())
    low, high = evaluation["interval_95"]
    assert low <= evaluation["mean_score"] <= high
    assert len(evaluation["scores"]) == evaluation["episodes"] == 3
    assert RunConfig.from_json(config).to_json("")["settings"] == config["settings"]


def test_the_reward_in_a_run_folder_is_executed_only_when_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reward = tmp_path / "mine.py"
    reward.write_text(
        "def mine(before, action, after):\n    return after.hits - before.hits + 0.0\n"
    )
    spec = f"{reward}:mine"
    folder = run_train("--run-dir", tmp_path / "r", "--steps", 1600, *QUICK, "--reward", spec)
    reward.write_text("raise SystemExit('executed')\n")
    assert train.main(["--resume", str(folder), "--steps", "3200"]) == 2
    assert "--trust-reward" in capsys.readouterr().err
    run_train("--resume", folder, "--steps", 3200, "--trust-reward")
    assert load_checkpoint(folder)[1]["progress"]["steps"] == 3200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1.0 / (luck - 7)", "returned inf for after: ball_x="),
        ("return [1.0][0 if luck != 7 else 1]", "mine.py:1: IndexError"),
        ("return len(globals()) / (luck - 7)", "mine.py:3: ZeroDivision"),
    ],
    ids=["compiled, not finite", "compiled, raises", "interpreted, raises"],
)
def test_a_reward_that_fails_late_is_named_and_nothing_is_lost(
    body: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """These rewards fail at one step in 20,011, which the test before training does not reach."""
    luck = "luck = int(after.ball_y * 1e6) % 20011"
    (tmp_path / "mine.py").write_text(f"def mine(before, action, after):\n    {luck}\n    {body}\n")
    arguments = ["--run-dir", tmp_path / "r", "--steps", 1600000, *QUICK]
    arguments += ["--agent", "search", "--reward", f"{tmp_path / 'mine.py'}:mine"]
    assert train.main([str(argument) for argument in arguments]) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in told
    load_checkpoint(only_run(tmp_path / "r"))


def test_any_gymnasium_environment_trains_and_resumes(tmp_path: Path) -> None:
    """CartPole resets in the next step, Pendulum has continuous actions."""
    for env_id in ("CartPole-v1", "Pendulum-v1"):
        place = tmp_path / env_id
        folder = run_train("--env", env_id, "--run-dir", place, "--steps", 2000, *QUICK)
        run_train("--resume", folder, "--steps", 3000)
        assert load_checkpoint(folder)[1]["progress"]["steps"] >= 3000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--agent", "pro"], "did you mean `ppo`"),
        (["--env", "Padle-v0"], "there is no environment Padle-v0; did you mean `PaddleBall-v0`?"),
        (["--env", "CartPole-v9"], "no environment CartPole-v9; use CartPole-v0 or CartPole-v1"),
        (["--env", "no_package/X-v0"], "is the package no_package installed?"),
        (["--reward", "hit_or_mis"], "did you mean `hit_or_miss`"),
        (["--reward", "hit_or_miss *"], "expected a term"),
        (["--reward", "missing.py:f"], "missing.py does not exist"),
        (["--reward", "hit_or_miss", "--env", "CartPole-v1"], "reward"),
        (["--steps", "0"], "--steps must be at least 1"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--solved-score", "nan"], "--solved-score must be a number"),
        (["--solved-score", "-inf"], "--solved-score must be a number, got -inf"),
        (["--entropy-coef", "nan"], "--entropy-coef must be at least 0, got nan"),
        (["--threads", "100000"], "--threads must be at most 1,024"),
        (["--stpes", "100"], "there is no option --stpes; did you mean --steps?\n"),
        (["--lerning-rate=3"], "there is no option --lerning-rate; did you mean --learning-rate?"),
        (["--qqq"], "there is no option --qqq; python train.py --help lists all options"),
        (["paddle"], "unexpected argument 'paddle'; python train.py --help lists"),
        (["--steps", "many"], "--steps must be a whole number, got 'many'\n"),
        (["--solved-score", "many"], "--solved-score must be a number, got 'many'\n"),
        (["--steps"], "--steps needs a value\n"),
        (["--env"], "--env needs a value\n"),
        (["--resume"], "--resume needs the folder of a run: --resume runs/NAME\n"),
        (["--gamma", "2"], "--gamma must be between 0 and 1, got 2.0\n"),
        (["--agent", "sac"], "for discrete actions, use random, search, reinforce, ppo"),
        (["--env", "Pendulum-v1", "--agent", "dqn"], "for continuous actions, use random"),
        (["--feedback", "reward"], "choose from ball_speed, acceleration"),
        (["--env-options", "ball_sped=3"], "did you mean `ball_speed`"),
        (["--env-options", "ball_speed=-1"], "ball_speed"),
        (["--env-options", "ball_speed"], "KEY=VALUE"),
        (["--env", "CartPole-v1", "--env-options", "mass=3"], "cannot be made with"),
        (["--agent", "rules", "--env", "CartPole-v1"], "CartPole-v1 has no hand-written rules"),
        (["--device", "quantum"], "quantum"),
        (["--resume", "nowhere"], "no run folder nowhere"),
        (["--resume", "."], "has no config.json"),
        (["--resume", __file__], "is a file, not a run folder"),
    ],
)
def test_wrong_input_gets_one_line_and_leaves_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.main(arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_resume_refuses_changes_that_would_make_it_a_different_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_train("--run-dir", tmp_path, "--steps", 1600, *QUICK)
    for change, name in ((["--seed", "5"], "seed"), (["--gamma", "0.5"], "gamma")):
        assert train.main(["--resume", str(folder), *change]) == 2
        assert f"was started with {name}" in capsys.readouterr().err
    assert train.main(["--resume", str(folder), "--steps", "1"]) == 2
    assert "has already trained for 1,600 steps" in capsys.readouterr().err
    checkpoint = folder / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    assert train.main(["--resume", str(folder)]) == 2
    assert "damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    "damage",
    [{"env": 5}, {"env_options": []}, {"seed": "1"}, {"settings": {"gamma": 3}}, {"agent": "x"}],
)
def test_a_damaged_config_is_one_line(
    damage: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_train("--run-dir", tmp_path, "--steps", 1600, *QUICK, "--agent", "random")
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", config | damage)
    assert train.main(["--resume", str(folder)]) == 2
    assert "config.json" in capsys.readouterr().err
    write_json(folder / "config.json", [])
    assert train.main(["--resume", str(folder)]) == 2


def test_a_run_dir_that_is_a_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes").write_text("precious")
    assert train.main(["--run-dir", str(tmp_path / "notes"), "--agent", "random"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"cannot create a folder in {tmp_path / 'notes'}" in error


def test_an_exported_run_cannot_be_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_run(
        run_train("--run-dir", tmp_path / "r", "--steps", 1600, *QUICK), tmp_path / "published"
    )
    tensors, _ = load_checkpoint(tmp_path / "published")
    assert all(name.startswith("agent.network.") for name in tensors)
    assert sum(tensor.numel() for tensor in tensors.values()) == 4805  # 5-64-64-(3 + 1), scale
    assert train.main(["--resume", str(tmp_path / "published")]) == 2
    assert "cannot be resumed" in capsys.readouterr().err


def test_the_reported_score_had_no_part_in_deciding_when_to_stop(tmp_path: Path) -> None:
    """The evaluations give 50 and 10 (luck), then 50 and 60 (solved), and finally 38."""
    script(50.0, 10.0, 50.0, 60.0, 38.0)
    arguments = (*SCRIPTED, "--solved-score", 40, "--steps", 100_000, "--num-envs", 16)
    folder = run_train("--run-dir", tmp_path, *arguments)
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert (evaluation["steps"], evaluation["mean_score"]) == (640, 38.0)
    assert evaluation["solved"]
    assert len(SEEDS) == len(set(SEEDS)) == 16 + 5 * 3
    points = curves(folder).Scalars("eval/mean_score")
    assert [(point.step, point.value) for point in points] == [(320, 50.0), (640, 50.0)]


SCRIPTED = ["--env", ENV, "--num-envs", "16", "--eval-every", "320", "--eval-episodes", "3"]
SCRIPTED += ["--num-steps", "10"]


@pytest.mark.parametrize(
    ("scores", "best"),
    [((3.0, 9.0, 5.0), 2), ((3.0, 5.0, 9.0), 3), ((7.0, 7.0, 5.0), 2), ((0.0, 0.0, 0.0), 3)],
    ids=["in the middle", "last", "the later of two", "all equal"],
)
def test_the_model_with_the_best_evaluation_is_kept(
    scores: tuple[float, ...], best: int, tmp_path: Path
) -> None:
    """It is the network of a run that stops there, whose evaluations all give the same."""
    script(*scores, 4.0, 4.5)  # the last model, then the best one
    folder = run_train(*SCRIPTED, "--run-dir", tmp_path / "a", "--steps", 960)
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert (evaluation["model_step"], evaluation["steps"]) == (best * 320, 960)
    assert evaluation["mean_score"] == (4.0 if best == 3 else 4.5)
    assert evaluation["last_model"]["mean_score"] == 4.0
    script(1.0, 1.0, 1.0, 1.0)
    stopped = run_train(*SCRIPTED, "--run-dir", tmp_path / "b", "--steps", best * 320)
    kept, there = load_model(folder), load_model(stopped, last=True)
    assert (kept.name, kept.step, kept.score) == ("best", best * 320, scores[best - 1])
    assert kept.tensors
    for name, tensor in kept.tensors.items():
        assert torch.equal(tensor, there.tensors[name]), name


def test_a_lucky_evaluation_does_not_make_the_best_model(tmp_path: Path) -> None:
    """The score that counts is that of the evaluation that was to confirm the lucky one."""
    script(90.0, 10.0, 20.0, 20.0)
    arguments = [*SCRIPTED, "--solved-score", "40", "--steps", "640", "--run-dir", tmp_path]
    folder = run_train(*arguments)
    assert (load_model(folder).step, load_model(folder).score) == (640, 20.0)


def test_a_resumed_run_keeps_the_same_best_model(tmp_path: Path) -> None:
    script(2.0, 9.0, 5.0, 7.0)
    through = train_to(1280, tmp_path / "a", *SCRIPTED)
    script(2.0, 9.0)
    half = train_to(640, tmp_path / "b", *SCRIPTED)
    script(5.0, 7.0)
    train_to(1280, half, *SCRIPTED, resume=half)
    assert_same_checkpoint(through, half)
    one, other = ((folder / BEST).read_bytes() for folder in (through, half))
    assert one == other


def test_every_curve_has_one_value_a_step(tmp_path: Path) -> None:
    """Also if the last step was evaluated already, and if a finished run is resumed."""
    folder = run_train("--run-dir", tmp_path, "--steps", 8000, *QUICK)
    run_train("--resume", folder)
    run_train("--resume", folder, "--steps", 9600)
    run_train("--resume", folder)
    events = curves(folder)
    for tag in events.Tags()["scalars"]:
        steps = [event.step for event in events.Scalars(tag)]
        assert steps == sorted(set(steps)), tag
    assert [event.step for event in events.Scalars("eval/mean_score")] == [4000, 8000, 9600]


CURRICULUM = ["--curriculum", "paddle_size=0.5@0", "ball_speed=0.02@0", "paddle_size=0.3@800"]
CURRICULUM += ["paddle_size=0.1@1280", "ball_speed=0.03@1280"]
SHORT = ["--num-envs", "16", "--eval-every", "640", "--eval-episodes", "2", "--num-steps", "10"]


@pytest.mark.parametrize("half", [640, 960, 1280], ids=["before", "within", "at the change"])
def test_a_resumed_curriculum_continues_exactly(half: int, tmp_path: Path) -> None:
    through = run_train("--run-dir", tmp_path / "a", "--steps", 1920, *SHORT, *CURRICULUM)
    config = json.loads((through / "config.json").read_text())
    assert config["curriculum"] == CURRICULUM[1:]
    assert config["env_options"] == {"paddle_size": 0.1, "ball_speed": 0.03}  # the final task
    points = curves(through).Scalars("curriculum/level")
    expected = [min(2, (p.step - 16 >= 800) + (p.step - 16 >= 1280)) for p in points]
    assert [point.value for point in points] == expected
    assert {0.0, 1.0, 2.0} == set(expected)
    stopped = train_to(half, tmp_path / "b", *SHORT, *CURRICULUM)
    run_train("--resume", stopped, "--steps", 1920)
    assert_same_checkpoint(through, stopped)


def train_to(steps: int, run_dir: Path, *arguments: str, resume: Path | None = None) -> Path:
    """Start or resume a run planned for 1,920 steps, and interrupt it after `steps`."""
    config = command_line.parse(["--steps", "1920", "--video-frames", "0", *arguments])[1]
    environments = make_environments(config.env, config.num_envs, config.make_options)
    run, _ = prepare(config, environments, run_dir, resume, "no command")
    run.config = replace(config, steps=steps)
    with closing(TensorBoardLogger(run.folder, 0)) as logger, closing(run):
        train_loop(run, logger, PlainDisplay(Console(quiet=True), "", steps), threading.Event())
    return run.folder


def test_evaluations_are_made_on_the_final_task(tmp_path: Path) -> None:
    script(*[0.0] * 4)
    arguments = [*SCRIPTED, "--eval-every", 640, "--steps", 1920, *CURRICULUM]
    run_train("--run-dir", tmp_path, *arguments)
    final = {"paddle_size": 0.1, "ball_speed": 0.03}
    assert [{name: made[name] for name in final} for made in EVALUATED] == [final] * 4


RANDOM = ["--env-options", "controls=random"]  # whose history other tests compile too


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["paddle_size=0.5"], "OPTION=VALUE@STEP"),
        (["paddle_size=0.5@soon"], "OPTION=VALUE@STEP"),
        (["paddle_size=0.5@10"], "add paddle_size=VALUE@0"),
        (["paddle_size=0.5@0", "paddle_size=0.4@0"], "sets paddle_size twice at step 0"),
        (["padle_size=0.5@0"], "did you mean `paddle_size`?"),
        (["paddle_size=5@0", "paddle_size=0.1@10"], "between 0.01 and 1"),
        (["observation='screen'@0", "observation='state'@10"], "changes the observations"),
        (["history=2@0", "history=0@10", *RANDOM], "changes the observations"),
        (["reward=effort@0"], "use --reward"),
        (["paddle_size=0.5@0", "paddle_size=0.1@5000000"], "5,000,000"),
        (["max_steps=9@0", "--env-options", "max_steps=9"], "leave it out of the other options"),
    ],
)
def test_a_wrong_curriculum_is_one_line_before_anything_is_written(
    items: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--run-dir", str(tmp_path), "--curriculum", *items]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("train.py: ") == 1
    assert not list(tmp_path.iterdir())


def test_settings_changed_by_resume_are_saved(tmp_path: Path) -> None:
    folder = run_train("--run-dir", tmp_path, "--steps", 1600, *QUICK)
    run_train("--resume", folder, "--steps", 3200, "--solved-score", 63, "--eval-every", 1000)
    config = json.loads((folder / "config.json").read_text())
    assert (config["steps"], config["solved_score"], config["eval_every"]) == (3200, 63, 1000)


def typed_in_documents() -> list[str]:
    texts = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    found = (re.findall(r"python train\.py ([^`\n]+)", _joined(path)) for path in texts)
    return sorted({line for lines in found for line in lines if "NAME" not in line.split("#")[0]})


def _joined(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("runs/NAME", "runs/it").replace("\\\n", " ")


@pytest.mark.parametrize("line", typed_in_documents())
def test_commands_in_the_documentation_work(line: str) -> None:
    given = shlex.split(line, comments=True)
    if {"--help", "--resume"} & set(given):
        pytest.skip("it ends the program, or needs a run")
    if "lines" in given:
        pytest.skip("docs/contributing.md adds this dataset first, and its own test does too")
    config = command_line.parse(given)[1]
    needs_a_file = not {"runs/it", "labels1.npz"}.isdisjoint(config.make_options.values())
    if config.env in env_ids(DATASETS) and not needs_a_file:
        gymnasium.make_vec(config.env, num_envs=2, **(config.make_options | {"examples": 20}))


def test_a_preset_takes_no_more_threads_than_there_are_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = ["--env", "paddle", "--observation", "screen"]
    for cores, threads in ((1, 1), (2, 2), (64, 2)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=cores: range(n), raising=False)
        assert command_line.parse(asked)[1].threads == threads
    assert command_line.parse([*asked, "--threads", "3"])[1].threads == 3


def test_a_run_is_resumed_on_the_same_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr("torch.set_num_threads", told.append)
    monkeypatch.setattr("torch.get_num_threads", lambda: 8)
    arguments = ("--run-dir", tmp_path, "--steps", 800, *QUICK, "--agent", "random")
    folder = run_train(*arguments, "--threads", 3)
    run_train("--resume", folder, "--steps", 1600)
    run_train("--resume", folder, "--steps", 2400, "--threads", 2)
    config = json.loads((folder / "config.json").read_text())
    assert config.pop("threads") == 2
    (folder / "config.json").write_text(json.dumps(config))
    run_train("--resume", folder, "--steps", 3200)
    assert told == [3, 8, 3, 8, 2, 8, 1, 8]


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert train.main(["--run-dir", str(tmp_path / "file"), "--steps", "100"]) == 2
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_writing_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "content.json"
    write_json(path, {"good": 1})

    def fail_half_way() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        fail_half_way()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"bad": float("nan")})
    assert json.loads(path.read_text()) == {"good": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["content.json"]


def test_loading_executes_nothing(tmp_path: Path) -> None:
    """A pickle in place of a checkpoint is damaged, not loaded."""

    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    torch.save({"agent": Bomb()}, tmp_path / "checkpoint.safetensors")
    with pytest.raises(RunError, match="damaged"):
        load_checkpoint(tmp_path)
    assert not (tmp_path / "exploded").exists()
