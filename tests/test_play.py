"""Tests of play.py without its window: scores, videos, runs, and the command line."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pygame
import pytest
import torch
from PIL import Image, ImageSequence

import play
from agents import make_agent
from agents.agent import Task
from agents.ppo import PPOSettings
from envs.engine import drawing
from envs.options import parse_env_options
from playing import theme
from playing.app import record
from playing.painter import VIDEO_SIZE, Painter, Status, paint_messages
from playing.playback import Playback
from playing.players import Players
from playing.selection import PlayError, Selection, newest_run, read, select
from playing.video import ENDING_SECONDS
from tests.playbacks import ENV, make_playback
from training.config import RunConfig
from training.run_folder import BEST, load_checkpoint, save_checkpoint, write_json, write_tensors

ROOT = Path(play.__file__).parent
NOWHERE = Path("no shipped agents")
PATIENCE = 240.0  # seconds, where others use the machine too


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide all runs except those that a test makes."""
    monkeypatch.chdir(tmp_path)


# Without a window


def words(text: str) -> list[str]:
    return text.split()


def run(*arguments: str) -> int:
    return play.main(arguments)


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(*arguments, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert isinstance(content, dict)
    return content


def read_gif(path: str) -> tuple[list[np.ndarray[Any, Any]], float]:
    """Return the frames of a GIF and its duration in seconds."""
    pictures, milliseconds = [], 0
    for frame in ImageSequence.Iterator(Image.open(path)):
        pictures.append(np.array(frame.convert("RGB")))
        milliseconds += int(frame.info["duration"])
    return pictures, milliseconds / 1000


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_a_missing_display_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    assert run("--agent", "rules") == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "--record" in message
    assert "--headless" in message


def test_headless_json_is_complete_and_deterministic(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = words("--headless --agent rules --episodes 3 --seed 5 --env-options max_steps=300")
    found = json_of(capsys, *arguments)
    assert found["episodes"] == len(found["scores"]) == 3
    assert found["mean_score"] == pytest.approx(np.mean(found["scores"]))
    assert found["mean_return"] == pytest.approx(np.mean(found["returns"]))
    assert found["mean_score"] > 3
    assert found["lengths"] == [300, 300, 300]
    assert json_of(capsys, *arguments) == found


def test_headless_plays_the_episodes_that_the_window_shows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = json_of(
        capsys, *words("--agent rules --episodes 3 --seed 5 --env-options max_steps=90")
    )
    playback = make_playback(seed=5, max_steps=90)
    for k in range(3):
        playback.start_episode(k)
        while not playback.episode.over:
            playback.step()
    assert [result.score for result in playback.results] == found["scores"]
    assert [result.total_reward for result in playback.results] == found["returns"]


def test_a_video_shows_the_same_as_the_window(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = words("--agent rules --episodes 2 --seed 5 --env-options max_steps=20")
    found = json_of(capsys, *arguments, "--record", "out.gif")
    assert found["episodes"] == 2
    pictures, seconds = read_gif("out.gif")
    assert len(pictures) == 2 * (1 + 20 + round(30 * ENDING_SECONDS))
    assert seconds == pytest.approx(len(pictures) / 30, abs=0.02)
    playback = make_playback(seed=5, max_steps=20)
    for _ in range(7):
        playback.step()
    painter = Painter(playback, VIDEO_SIZE)
    painter.paint(Status())
    assert pictures[7].shape == (VIDEO_SIZE[1], VIDEO_SIZE[0], 3)
    assert np.abs(pictures[7].astype(int) - painter.pixels()).max() < 16
    assert [path.name for path in Path().iterdir()] == ["out.gif"]


def test_videos_are_deterministic_and_limited_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one.gif", "two.gif"):
        options = read(["--agent", "random", "--seed", "5"])
        summary = record(options, Path(name), most_seconds=0.5)
        assert "--episodes 1" in capsys.readouterr().err
        assert "stopped in episode 1 after 14 steps, before the episode ended" in str(summary)
        printed = json.loads(summary.to_json())
        assert (printed["episodes"], printed["scores"]) == (0, [])
        assert printed["unfinished_episode"]["length"] == 14
    assert Path("one.gif").read_bytes() == Path("two.gif").read_bytes()
    assert len(read_gif("one.gif")[0]) == 15


def test_gymnasium_environments_are_recorded_without_a_display() -> None:
    names = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    environment = {key: value for key, value in os.environ.items() if key not in names}
    arguments = "--env CartPole-v1 --agent random --episodes 1 --seed 1 --record out.gif --json"
    done = subprocess.run(
        [sys.executable, ROOT / "play.py", *arguments.split()],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    pictures, _ = read_gif("out.gif")
    steps = found["lengths"][0]
    assert len(pictures) == 1 + math.ceil(steps / 2) + 25, "50 steps per second, 25 frames"
    assert np.ptp(pictures[3][:, :480]) > 240, "nothing was rendered"


def test_mp4_without_its_package_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)  # as if it were not installed
    assert run("--agent", "rules", "--record", "out.mp4") == 2
    assert "pip install" in capsys.readouterr().err


# Runs


def make_run(folder: Path, **changes: Any) -> Path:
    """Write a run folder with an untrained agent."""
    env = gymnasium.make(changes.get("env", ENV))
    settings = PPOSettings(width=8)
    task = Task(ENV, env.observation_space, env.action_space, 1, 1)
    agent = make_agent("ppo", task, settings, 0)
    config = RunConfig(
        **{
            "env": ENV,
            "agent": "ppo",
            "reward": "hit_or_miss",
            "seed": 0,
            "steps": 1,
            "num_envs": 1,
            "device": "cpu",
            "settings": settings,
            "env_options": {"max_steps": 60},
            **changes,
        }
    )
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config.to_json("no command"))
    tensors = {f"agent.{name}": tensor for name, tensor in agent.tensors().items()}
    save_checkpoint(folder, tensors, {})
    return folder


def test_the_newest_run_is_played_with_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    make_run(Path("runs/old"), reward="effort")
    new = make_run(Path("runs/new"), reward="hit_or_miss - 0.5*effort")
    os.utime("runs/old/checkpoint.safetensors", (1, 1))
    found = json_of(capsys, "--episodes", "2", "--seed", "0")
    assert (found["agent"], found["run"]) == ("trained", str(new))
    assert found["reward"] == "hit_or_miss - 0.5*effort"
    assert max(found["lengths"]) <= 60
    found = json_of(capsys, "runs/old", "--episodes", "2", "--reward", "hit_or_miss")
    assert (found["run"], found["reward"]) == (str(Path("runs/old")), "hit_or_miss")


def test_env_selects_the_newest_run_of_that_environment(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = make_run(Path("runs/cartpole"), env="CartPole-v1", reward=None, env_options={})
    os.utime("runs/cartpole/checkpoint.safetensors", (1, 1))
    make_run(Path("runs/paddle"))
    found = json_of(capsys, "--env", "CartPole-v1", "--episodes", "2")
    assert (found["run"], found["env"]) == (str(wanted), "CartPole-v1")


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, "slow"),
        ({"task": "path"}, "path"),
        ({"task": "path", "gust": 40}, "path"),
        ({"task": "balance"}, "plain"),
        ({"gust": 40}, "slow"),
        ({"task": "goal", "gust": 5}, "goal"),
    ],
)
def test_runs_that_agree_with_the_environment_options_come_first(
    options: dict[str, Any], chosen: str
) -> None:
    """Otherwise, the newest run that does not contradict them is chosen."""
    runs: dict[str, dict[str, str]] = {
        "plain": {},
        "path": {"task": "path"},
        "goal": {"task": "goal"},
        "slow": {"task": "slow"},
    }
    for age, (name, of_run) in enumerate(runs.items()):
        folder = Path("runs") / name
        folder.mkdir(parents=True)
        content = {"env": "BicycleBalance-v0", "env_options": of_run}
        (folder / "config.json").write_text(json.dumps(content))
        (folder / "checkpoint.safetensors").touch()
        os.utime(folder / "checkpoint.safetensors", (age, age))
    assert newest_run("BicycleBalance-v0", options, NOWHERE) == Path("runs") / chosen


def test_the_shipped_agent_plays_if_there_is_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    found = json_of(capsys, "--episodes", "1", "--env-options", "max_steps=60")
    assert found["run"] == str(ROOT / "playing" / "trained" / "paddle")
    assert found["agent"] == "trained"


def test_without_a_run_and_a_shipped_agent_the_error_says_what_to_do() -> None:
    with pytest.raises(PlayError, match=r"no run yet: train one with `python train.py`, or watch"):
        select(read([]), NOWHERE)


def test_a_trained_agent_shows_probabilities_and_value() -> None:
    run_folder = make_run(Path("runs/one"))
    env = gymnasium.make(ENV, render_mode="rgb_array")
    players = Players(env, Selection(ENV, {}, 0, run_folder))
    playback = Playback(env, players, players.player("trained"))
    assert players.names == ("trained", "rules", "random")
    assert playback.insight.probabilities is not None
    assert playback.insight.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert playback.action == playback.insight.probabilities.argmax()
    assert isinstance(playback.insight.value, float)


@pytest.mark.parametrize("place", ["mine_of_run.py:mine", "mine_of_run.py", "mine_of_run:mine"])
def test_reward_code_of_a_run_is_executed_only_with_trust_reward(
    place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default, neither the code that the run names nor its copy in the run is executed."""
    monkeypatch.syspath_prepend(Path.cwd())
    executed: set[str] = set()
    monkeypatch.setattr(sys, "executed", executed, raising=False)
    code = (
        "import sys\ngetattr(sys, 'executed', set()).add({!r})\n"
        "def mine(before, action, after):\n    return 2.0\n"
    )
    Path("mine_of_run.py").write_text(code.format("original"))
    folder = make_run(Path("runs/one"), reward=f"{place} - 0.5*effort")
    (folder / "reward").mkdir()
    (folder / "reward" / "mine_of_run.py").write_text(code.format("copy"))
    assert run("--json", "--episodes", "1") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["reward"] is None
    assert "--trust-reward" in captured.err
    assert captured.err.count("\n") == 1
    assert not executed
    found = json_of(capsys, "--episodes", "1", "--trust-reward")
    assert found["mean_return"] > 1.4 * found["mean_length"]
    assert executed == {"copy"}


@pytest.mark.parametrize(
    "changes",
    [{"env": "antigravity:PaddleBall-v0"}, {"env_options": {"reward": "mine.py:mine"}}],
    ids=["module in the id", "reward among the options"],
)
def test_a_run_cannot_name_code_in_other_settings(
    capsys: pytest.CaptureFixture[str], changes: dict[str, Any]
) -> None:
    folder = make_run(Path("runs/one"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    assert run("--json") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("damage", ["truncated", "empty", "missing", "config", "other spaces"])
def test_damaged_runs_are_one_line_errors(capsys: pytest.CaptureFixture[str], damage: str) -> None:
    folder = make_run(Path("runs/one"))
    checkpoint, config = folder / "checkpoint.safetensors", folder / "config.json"
    options = []
    if damage == "truncated":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    elif damage == "empty":
        checkpoint.write_bytes(b"")
    elif damage == "missing":
        checkpoint.unlink()
    elif damage == "config":
        config.write_text(config.read_text()[:-20])
    else:
        options = ["--env", "CartPole-v1"]
    assert run("runs/one", "--json", *options) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "runs" in message


def test_the_best_model_is_played_unless_the_last_one_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The best one always moves up, the last one down."""
    folder = make_run(Path("runs/one"))
    tensors, _ = load_checkpoint(folder)
    tensors["agent.network.heads.bias"] = torch.tensor([0.0, 0.0, 99.0, 0.0])
    save_checkpoint(folder, tensors, {})
    last = json_of(capsys, "--episodes", "20", "--seed", "0")
    tensors["agent.network.heads.bias"] = torch.tensor([99.0, 0.0, 0.0, 0.0])
    progress = {"steps": 204_800, "evaluated_score": 58.2}
    write_tensors(folder / BEST, tensors, {"progress": progress})
    assert run("--json", "--episodes", "20", "--seed", "0") == 0
    captured = capsys.readouterr()
    assert captured.err == (
        "play.py: playing the best model, from step 204,800 (score 58.2); "
        "--last plays the last one\n"
    )
    best = json.loads(captured.out)
    assert best["lengths"] != last["lengths"]
    assert json_of(capsys, "--episodes", "20", "--seed", "0", "--last") == last
    (folder / BEST).write_bytes((folder / BEST).read_bytes()[:-9])
    assert run("--json") == 2
    assert "remove it to use the last model" in capsys.readouterr().err
    assert run("--json", "--last", "--episodes", "1") == 0
    assert run("--last", "--agent", "random", "--json") == 2
    assert "leave out --agent random" in capsys.readouterr().err


# The command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere", "no run folder"),
        ("--env CartPole-v1", "train.py --env CartPole-v1"),
        ("--agent rulez", "did you mean `rules`"),
        ("--agent rules --env CartPole-v1", "CartPole-v1 has no hand-written rules"),
        ("--env paddel", "there is no environment"),
        ("--env nomodule:Foo-v0", "there is no environment"),
        ("--agent rules --episodes 0", "--episodes"),
        ("--agent rules --seed -1", "--seed"),
        ("--agent rules --seed one", "--seed"),
        ("--agent rules --speed 0", "--speed"),
        ("--agent rules --speed nan", "--speed"),
        ("--agent rules --fast", "--fast"),
        ("--agent rules --reward fast", "no reward term `fast`"),
        ("--agent rules --reward hit_or_miss*", "expected a term"),
        ("--agent random --env CartPole-v1 --reward hit_or_miss", "reward of its own"),
        ("--agent rules --env-options paddle_size", "KEY=VALUE"),
        ("--agent rules --env-options paddle_sise=1", "did you mean `paddle_size`"),
        ("--agent rules --env-options paddle_size=7", "between"),
        ("--agent random --env CartPole-v1 --env-options size=7", "size"),
        ("--agent rules --record out.xyz", ".gif or .mp4"),
        ("--agent rules --record nowhere/out.gif", "no folder"),
        ("--agent rules --record folder.gif", "is a folder"),
        ("--agent rules --record /proc/out.gif", "cannot write"),
    ],
)
def test_bad_options_are_one_line_errors(
    capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    Path("folder.gif").mkdir()
    headless = [] if "--record" in arguments else ["--json"]
    assert run(*arguments.split(), *headless) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.startswith("play.py: ")
    assert captured.err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in another way there")
@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_is_quiet_and_leaves_no_partial_file() -> None:
    playing_now = subprocess.Popen(
        [sys.executable, ROOT / "play.py", *words("--agent rules --episodes 9 --record out.gif")],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + PATIENCE
    while not list(Path().iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(Path().iterdir()), "the recording never started"
    playing_now.send_signal(signal.SIGINT)
    _, errors = playing_now.communicate(timeout=PATIENCE)
    assert playing_now.returncode == 130
    assert errors == "play.py: interrupted\n"
    assert list(Path().iterdir()) == []


def test_a_closed_stdout_is_quiet() -> None:
    """As in `python play.py --headless | true`."""
    read, write = os.pipe()
    os.close(read)
    command = [
        sys.executable,
        str(ROOT / "play.py"),
        *words("--headless --agent rules --episodes 1"),
    ]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_torch_is_imported_only_for_trained_agents() -> None:
    code = (
        "import sys, play; play.main(['--agent', 'rules', '--record', 'out.gif', '--env-options',"
        "'max_steps=2', '--episodes', '1']); assert 'torch' not in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_environment_options_are_literals_or_strings() -> None:
    assert parse_env_options(["a=1", "b=0.5", "c=True", "d=fast", "e=(1, 2)", "f=a=b", "g="]) == {
        "a": 1,
        "b": 0.5,
        "c": True,
        "d": "fast",
        "e": (1, 2),
        "f": "a=b",
        "g": "",
    }


@pytest.mark.parametrize(
    "texts", [["a"], ["=1"], ["a b=1"], ["a=1", "a=2"], ["reward=hit_or_miss"]]
)
def test_invalid_environment_options(texts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"option|KEY=VALUE"):
        parse_env_options(texts)


# --- The language of the window


@pytest.fixture
def english_again() -> Iterator[None]:
    """Use English for the tests that follow."""
    yield
    theme.use_language("en")


def test_the_window_speaks_korean(
    english_again: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The font has every letter that is drawn; what stays English is a name or a key."""
    drawn: set[str] = set()

    def write(surface: Any, text: str, *arguments: Any) -> Any:
        assert None not in pygame.font.Font(arguments[-1], 20).metrics(text)
        drawn.add(text)
        return original(surface, text, *arguments)

    original = drawing.write
    monkeypatch.setattr(drawing, "write", write)
    video = tmp_path / "out.gif"
    given = ["--lang", "ko", "--agent", "random", "--record", str(video), "--seed", "1"]
    assert play.main(given) == 0
    assert {"점수", "보상", "위로", "무작위", "무작위 행동"} <= drawn
    assert any(text.startswith("게임 끝: 점수") for text in drawn)
    paint_messages(pygame.Surface((640, 640)), Status(help=True))
    assert "한 스텝 앞으로" in drawn
    latin = set(re.findall("[a-zA-Z_]+", " ".join(drawn)))
    keys = {"space", "tab", "esc", "train", *"nkswadfhqx"}
    assert latin <= keys | {"hit_or_miss"}


def test_without_korean_letters_the_window_says_what_helps(
    english_again: None, without_korean_letters: None, tmp_path: Path, capsys: Any
) -> None:
    given = ["--lang", "ko", "--agent", "random", "--record", str(tmp_path / "out.gif")]
    assert play.main(given) == 2
    assert "--lang ko: no font on this machine has Korean letters" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
