"""Tests of play.py --train: the training process, its messages, the window, and their end."""

from __future__ import annotations

import io
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

import numpy as np
import pygame
import pytest
import torch

import play
from benchmarks.workshop import BOTTOM, opened_workshop
from playing.app import make_env, training_window
from playing.live_training import LiveTraining, Message, make_learner
from playing.playback import Playback
from playing.players import LEARNING, Player, Players
from playing.selection import Selection, read
from playing.window import SPLIT_SECONDS, Window
from training.ipc import receive, send
from training.live import LiveTrainer, Reports, Requests
from training.loop import make_agent_and_runner
from training.run_folder import load_checkpoint
from training.train_options import parse
from training.trained_agent import load_agent, load_config
from training.vector_runner import make_environments

ROOT = Path(play.__file__).parent
STEP = 1 / 30 + 1e-9
LIVING = "def living(before, action, after):\n    return 1.0\n"
TRAINER = "trainer_process"
LATE = "def late(before, action, after):\n    return [1.0][after.t // 30]\n"
PATIENCE = 240.0  # seconds, where others use the machine too
linux = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


# Messages


def test_weights_arrive_bit_for_bit() -> None:
    tensors = {
        "network.a": torch.randn(7, 3).T,  # not contiguous
        "network.b": torch.tensor([float("nan"), -0.0, 1e-45]),
        "network.c": torch.arange(5, dtype=torch.int64),
    }
    pipe = io.BytesIO()
    send(pipe, {"steps": 3}, tensors)
    send(pipe, {"problem": "none\n"})
    pipe.seek(0)
    content, arrived = receive(pipe) or ({}, {})
    assert content == {"steps": 3}
    assert arrived.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert arrived[name].dtype == tensor.dtype
        assert arrived[name].numpy().tobytes() == tensor.contiguous().numpy().tobytes()
    assert receive(pipe) == ({"problem": "none\n"}, {})
    assert receive(pipe) is None


def test_an_incomplete_message_is_ignored() -> None:
    whole = io.BytesIO()
    send(whole, {"steps": 3}, {"network.a": torch.zeros(100)})
    for length in (5, 30, len(whole.getvalue()) - 1):
        assert receive(io.BytesIO(whole.getvalue()[:length])) is None


# The training process


class LocalTrainer:
    """A live trainer in this process, with its requests and messages."""

    def __init__(self, *options: str) -> None:
        small = ("--num-envs", "4", "--num-steps", "16", "--minibatches", "1")
        _, config = parse([*small, *options])
        read, write = os.pipe()
        self.asking = os.fdopen(write, "w")
        self.requests = Requests(os.fdopen(read), grace_seconds=math.inf)
        self.sent = io.BytesIO()
        reports = Reports(self.sent)
        self.trainer = LiveTrainer(config, Path("runs"), "a command", self.requests, reports)

    def ask(self, request: dict[str, Any]) -> None:
        self.asking.write(f"{json.dumps(request)}\n")
        self.asking.flush()
        assert self.requests.waiting.wait(PATIENCE)

    def messages(self) -> list[Message]:
        """Return the messages since the last call."""
        self.sent.seek(0)
        found = []
        while (message := receive(self.sent)) is not None:
            found.append(message)
        self.sent.seek(0)
        self.sent.truncate()
        return found


@pytest.fixture
def local() -> Iterator[LocalTrainer]:
    Path("mine.py").write_text(LIVING)
    yield (local := LocalTrainer("--reward", "mine.py"))
    local.asking.close()


def test_a_reward_that_fails_late_goes_back_to_the_run_before(local: LocalTrainer) -> None:
    trainer = local.trainer
    trainer.serve({"compiled": [False]})
    good = trainer.run
    assert good is not None
    Path("mine.py").write_text(LATE)
    trainer.serve({"compiled": [False]})
    bad = trainer.run
    assert bad is not None
    trainer.train()
    assert trainer.run is good
    *_, (content, _) = local.messages()
    assert "mine.py:2: IndexError" in content["problem"]
    local.ask({})
    trainer.train()
    (content, tensors), *_ = local.messages()
    assert content["run"] == str(good.folder)
    for name, tensor in good.agent.policy_tensors().items():
        assert torch.equal(tensors[name], tensor), "the good agent is shown again"
    for run, source in ((good, LIVING), (bad, LATE)):
        load_checkpoint(run.folder)
        assert (run.folder / "reward" / "mine.py").read_text() == source


def test_a_reward_that_does_not_load_changes_nothing(local: LocalTrainer) -> None:
    trainer = local.trainer
    trainer.serve({"compiled": [False]})
    run = trainer.run
    Path("mine.py").write_text("nonsense(")
    trainer.serve({"compiled": [False]})
    assert trainer.run is run
    [(content, _)] = local.messages()
    assert "mine.py:1: " in content["problem"]
    assert len(list(Path("runs").iterdir())) == 1


def test_from_scratch_keeps_the_reward_of_the_run(local: LocalTrainer) -> None:
    trainer = local.trainer
    trainer.serve({"compiled": [False]})
    first = trainer.run
    assert first is not None
    with torch.no_grad():
        first.agent.parameters.add_(1.0)  # type: ignore[attr-defined]
    Path("mine.py").write_text("nonsense(")
    trainer.serve({})
    second = trainer.run
    assert second is not None
    assert second.folder != first.folder
    assert (second.folder / "reward" / "mine.py").read_text() == LIVING
    assert second.make_options["reward"] is first.make_options["reward"]
    untouched, _ = make_agent_and_runner(second.config, make_environments("PaddleBall-v0", 4, {}))
    for name, tensor in second.agent.policy_tensors().items():
        assert torch.equal(tensor, untouched.tensors()[name]), name


def test_another_reward_keeps_the_backbone_and_resets_the_heads() -> None:
    _, config = parse(["--num-envs", "4"])
    environments = make_environments(config.env, 4, {})
    parent, _ = make_agent_and_runner(config, environments)
    child, runner = make_agent_and_runner(config, environments)
    with torch.no_grad():
        parent.parameters.add_(0.3)  # type: ignore[attr-defined]
    drawn = {name: tensor.clone() for name, tensor in child.tensors().items()}
    child.warm_start(parent.tensors())
    for name, tensor in policy_of_agent(child).items():
        source = parent.tensors() if name.startswith("network.backbone.") else drawn
        assert torch.equal(tensor, source[name]), name
    probabilities = child.insight(runner.observations[0]).probabilities
    assert probabilities is not None
    assert probabilities.max() < 0.5


def policy_of_agent(agent: Any) -> dict[str, Any]:
    tensors: dict[str, Any] = agent.tensors()
    return {name: tensor for name, tensor in tensors.items() if name.startswith("network.")}


# The window


class FakeProcess:
    """Stands in for the training process; the test sets its messages."""

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.requested: list[dict[str, Any]] = []
        self.ended = ""

    def messages(self) -> list[Message]:
        taken, self.waiting = self.waiting, []
        return taken

    def request(self, content: dict[str, Any]) -> None:
        self.requested.append(content)

    def close(self) -> None:
        """Do nothing, because no process runs."""

    def news(self, run: str, steps: int, tensors: dict[str, Any]) -> None:
        content = {"run": run, "steps": steps, "episodes": 7, "score": 1.5, "speed": 98765.0}
        self.waiting.append((content, tensors))


@pytest.fixture
def live_window() -> Iterator[tuple[Window, LiveTraining, FakeProcess]]:
    _, config = parse(["--reward", "hit_or_miss - 0.01*effort"])
    selection = Selection(config.env, config.make_options, 3, config=config)
    env = make_env(selection, rendered=True)
    players = Players(env, selection)
    players.add(Player(LEARNING, "ppo", make_learner(config, env)))
    playback = Playback(env, players, players.player(LEARNING))
    process = FakeProcess()
    live = LiveTraining(playback, config, process, None)  # type: ignore[arg-type]
    yield Window(playback, "test", training=live), live, process
    pygame.display.quit()


def weights(live: LiveTraining, offset: float) -> dict[str, Any]:
    """Return other weights of the same shapes as the agent's."""
    return {name: t + offset for name, t in policy_of_agent(live.now.agent).items()}


def press(window: Window, key: int) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode=""))
    window.frame(0.0)


def test_the_window_plays_with_the_weights_that_arrive(
    live_window: tuple[Window, LiveTraining, FakeProcess],
) -> None:
    window, live, process = live_window
    sent = weights(live, 0.25)
    process.news("runs/a", 1_234_567, sent)
    window.frame(STEP)
    held = policy_of_agent(window.playback.player.agent)
    assert all(torch.equal(held[name], tensor) for name, tensor in sent.items())
    assert window.playback.episode.steps == 1, "the episode went on"
    assert dict(window.status.training) == {
        "steps trained": "1.23M",
        "episodes": "7",
        "recent score": "1.50",
        "steps/s": "98.8k",
    }


def test_a_split_window_shows_before_and_now_on_the_same_seeds(
    live_window: tuple[Window, LiveTraining, FakeProcess],
) -> None:
    window, live, process = live_window
    first, second = weights(live, 0.1), weights(live, -0.1)
    process.news("runs/a", 1, first)
    window.frame(0.0)
    process.news("runs/b", 1, second)
    window.frame(0.0)
    for _ in range(5):
        window.frame(STEP)
    press(window, pygame.K_s)
    before = window.before
    assert before is not None
    for playback, sent in ((before, first), (window.playback, second)):
        held = policy_of_agent(playback.player.agent)
        assert all(torch.equal(held[name], tensor) for name, tensor in sent.items())
        assert playback.episode.steps == 0
    for number in range(2):
        assert before.seed == window.playback.seed
        assert before.episode.number == window.playback.episode.number == number
        np.testing.assert_array_equal(before.observation, window.playback.observation)
        for _ in range(3):
            window.frame(STEP)
        assert before.episode.steps == window.playback.episode.steps == 3
        assert list(before.terms) == list(window.playback.terms)
        press(window, pygame.K_n)
    third = weights(live, -0.2)
    process.news("runs/b", 2, third)
    window.frame(0.0)
    held = policy_of_agent(before.player.agent)
    assert all(torch.equal(held[name], tensor) for name, tensor in first.items()), "stays as it was"
    press(window, pygame.K_s)
    assert window.before is None


def test_one_side_continues_for_a_while_after_the_other_ends(
    live_window: tuple[Window, LiveTraining, FakeProcess],
) -> None:
    window, _, _ = live_window
    press(window, pygame.K_s)
    before = window.before
    assert before is not None
    before.episode.terminated = True
    steps = round((SPLIT_SECONDS - 0.1) / STEP)
    for _ in range(steps):
        window.frame(STEP)
        window.playback.episode.terminated = False  # whatever the agent does
    assert (before.episode.steps, window.playback.episode.steps) == (0, steps)
    for _ in range(10):
        window.frame(STEP)
    assert before.episode.number == window.playback.episode.number == 1


def test_f_requests_new_weights(live_window: tuple[Window, LiveTraining, FakeProcess]) -> None:
    window, _, process = live_window
    press(window, pygame.K_f)
    assert process.requested == [{}]


def test_the_end_of_training_is_shown_and_the_agent_plays_on(
    live_window: tuple[Window, LiveTraining, FakeProcess],
) -> None:
    window, live, process = live_window
    process.news("runs/a", 1, weights(live, 0.0))
    process.waiting.append(({"problem": "no space left on device"}, {}))
    process.ended = "exit code 1"
    for _ in range(20):
        window.frame(STEP)
    assert "no space left on device" in window.status.error
    assert "Training has stopped: exit code 1" in window.status.error
    assert "runs/a" in window.status.error
    assert window.playback.episode.steps == 20


# The command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--record out.gif", "leave out --record"),
        ("--headless", "leave out --headless"),
        ("--json", "leave out --json"),
        ("runs/one", "leave out the run"),
        ("--trust-reward", "leave out --trust-reward"),
        ("--agent rules", "an agent that learns, such as ppo; rules does not"),
        ("--agent random --env CartPole-v1", "random does not"),
        ("--agent trained", "there is no agent `trained`"),
        ("--agent sac", "sac"),
        ("--env CartPole-v1 --reward hit_or_miss", "reward of its own"),
        ("--env Nowhere-v0", "there is no environment"),
        ("--reward hit_or_mis", "did you mean `hit_or_miss`"),
        ("--reward missing.py", "missing.py does not exist"),
        ("--env-options ball_sped=3", "did you mean `ball_speed`"),
    ],
)
def test_options_that_do_not_fit_are_one_line_errors(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play.main(["--train", *arguments.split()]) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
    assert list(Path().iterdir()) == []


# Everything together


def children(pid: int) -> list[int]:
    """Return the running children of a process."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def runs_still(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until(condition: Any, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.05)


@pytest.fixture
def started(default_signals: None) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """Start play.py --train; yield it, the id of its training process and the run folder."""
    playing = subprocess.Popen(
        [sys.executable, ROOT / "play.py", "--train", "--env-options", "max_steps=300"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: list(Path().glob("runs/*/checkpoint.json")) and children(playing.pid))
        [trainer] = children(playing.pid)
        yield playing, trainer, next(Path("runs").iterdir())
    finally:
        playing.kill()
        playing.communicate()


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_training_ends_with_the_window_and_keeps_the_agent(
    started: tuple[subprocess.Popen[str], int, Path], number: signal.Signals
) -> None:
    playing, trainer, folder = started
    playing.send_signal(number)
    _, said = playing.communicate(timeout=PATIENCE)
    wait_until(lambda: not runs_still(trainer))
    _, numbers = load_checkpoint(folder)
    assert numbers["progress"]["steps"] > 0
    assert "Traceback" not in said
    assert playing.returncode == (130 if number == signal.SIGINT else -9)
    assert json.loads((folder / "config.json").read_text())["command"].startswith(
        "python play.py --train"
    )


def steps_after_a_frame(window: Window) -> int:
    window.frame(STEP)
    return window.playback.episode.steps


def error_after_a_frame(window: Window) -> str:
    window.frame(STEP)
    return window.status.error


@linux
@pytest.mark.parametrize(
    ("fails", "how"),
    [
        ("time.sleep(3600)", "did not return within 3 s"),
        ("os._exit(0)", "ended the whole program (exit code 0)"),
    ],
)
def test_a_reward_that_stops_the_training_process_is_named(fails: str, how: str) -> None:
    """It pays in the window and in its trial, and fails in training."""
    late = f"    if after.t == 20 and {TRAINER!r} in sys.argv[0]:\n        {fails}\n"
    head = "import os, sys, time\ndef late(before, action, after):\n"
    Path("late.py").write_text(head + late + "    return float(str(after.ball_y))\n")
    options = read(["--train", "--reward", "late.py", "--env-options", "max_steps=40"])
    with training_window(options, "", seconds=3) as (_, window, training):
        wait_until(lambda: error_after_a_frame(window))
        line = r"late\.py:\d: `late` " + re.escape(how) + r" \(step [\d,]+\)"
        assert re.search(line, window.status.error)
        assert training.end.count("\n") == 0
        assert str(training.run) in training.end
        steps = window.playback.episode.steps
        wait_until(lambda: steps_after_a_frame(window) != steps)  # it plays on
    assert training.run is not None
    assert load_checkpoint(training.run)[1]["progress"]["steps"] >= 0


def test_saving_the_opposite_reward_reverses_the_behaviour() -> None:
    """`python -m benchmarks rewards` measures how long it takes."""
    with opened_workshop(seed=1, run_dir="runs") as workshop:
        workshop.learn_to_stay_up(PATIENCE)
        workshop.save("down")
        workshop.play_until(lambda height: height > BOTTOM, PATIENCE)
        window = workshop.window
        assert window.status.error == ""
        assert window.status.reward.startswith("version 2 of ")
        assert list(window.playback.terms) == ["down"]
        up, down = sorted(Path("runs").iterdir())
        # other tests may have left a process of `multiprocessing`
        [supervisor] = [child for child in children(os.getpid()) if TRAINER in command(child)]
        [trainer] = children(supervisor)
        os.kill(trainer, signal.SIGKILL)
        wait_until(lambda: "ended from outside (signal 9" in error_after_a_frame(window))
        press(window, pygame.K_n)  # what time was left of the episode before is gone with it
        window.frame(STEP)
        assert window.playback.episode.steps == 1, "it plays on"
    for folder, name in ((up, "up"), (down, "down")):
        config = load_config(folder)
        assert f"def {name}" in next((folder / "reward").iterdir()).read_text()
        agent = load_agent(folder, window.playback.env)
        assert agent.act(np.zeros((1, 5), np.float32), explore=False).shape == (1,)
        assert config.agent == "ppo"
