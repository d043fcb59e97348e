"""An agent that learns while it is watched: the window's side of `training.live`."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import gymnasium
import torch

from agents import make_agent
from agents.agent import Agent, Task
from envs.engine.batch import Reward
from playing import theme
from playing.live_reward import LiveReward
from playing.playback import Match
from playing.players import LEARNING, Player
from playing.selection import PlayError
from rewards.child_process import environment_for_child
from rewards.make import reward_of
from training.config import RunConfig
from training.ipc import receive
from training.vector_runner import reward_weights

PATIENCE = 30.0  # seconds that the trainer may take to save

Message = tuple[dict[str, Any], dict[str, Any]]
"""Content and tensors, as `training.ipc` has them."""


class Trainer:
    """The process that trains; it ends by itself once this one has, however that ends."""

    def __init__(self, arguments: Sequence[str], command: str) -> None:
        """Start it.

        Args:
            arguments: for train.py.
            command: that the user typed, for the run folder.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "training.live", command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment_for_child(),
            process_group=0,  # Ctrl-C is for the window, whose end is the trainer's
        )
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._listen, args=(self._process.stdout,))
        self._reader.daemon = True
        self._reader.start()

    def messages(self) -> list[Message]:
        """All that came since the last time, without waiting."""
        return [self._messages.get() for _ in range(self._messages.qsize())]

    def ask(self, request: dict[str, Any]) -> None:
        """Ask for another run, as `training.live` understands it."""
        pipe: Any = self._process.stdin
        with contextlib.suppress(OSError):  # it has ended, which `ended` tells
            pipe.write(json.dumps(request).encode() + b"\n")
            pipe.flush()

    @property
    def ended(self) -> str:
        """How the process ended; empty while it goes on."""
        if self._reader.is_alive():
            return ""
        code = self._process.wait()
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def close(self) -> None:
        """Let it save and end."""
        pipe: Any = self._process.stdin
        with contextlib.suppress(OSError):
            pipe.close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        finally:  # it hangs, or someone is in a hurry: its last checkpoint is good
            self._process.kill()
            self._process.wait()

    def _listen(self, pipe: IO[bytes]) -> None:
        with pipe:
            while (message := receive(pipe)) is not None:
                self._messages.put(message)


@dataclass(frozen=True)
class Pupil:
    """An agent with the reward that it learned from."""

    agent: Agent
    reward: Reward | None
    """None where an environment has its own."""
    label: str


class LiveTraining:
    """Brings a match's learning player up to date, and keeps what was before the last change."""

    def __init__(
        self, match: Match, config: RunConfig, trainer: Trainer, live_reward: LiveReward | None
    ) -> None:
        self.facts: tuple[tuple[str, str], ...] = _facts({})
        """How the training goes, in a few numbers."""
        self.steps = 0
        """That the agent on screen has been trained."""
        self.error = ""
        self.run: Path | None = None
        """The run folder of what is learned now."""
        self._match = match
        self._config = config
        self._trainer = trainer
        self._live_reward = live_reward
        self._said_ended = False
        self.now = self._pupil(match.player.agent)
        self.before = Pupil(learner(config, match.env), self.now.reward, "nothing learned yet")

    def update(self) -> bool:
        """Take in what the trainer says; True if something is new."""
        messages = self._trainer.messages()
        for content, tensors in messages:
            if "problem" in content:
                self._take_in_problem(content["problem"])
                continue
            if content["run"] != str(self.run):
                self._follow(Path(content["run"]))
            self.now.agent.restore_policy(tensors)
            self.steps, self.facts = content["steps"], _facts(content)
        if not messages and not self._said_ended and (how := self._trainer.ended):
            self._said_ended = True
            last = f"; what was saved last is in {self.run}" if self.run else ""
            self.error = f"{self.error} Training has ended ({how}){last}".strip()
            return True
        return bool(messages)

    def reward_changed(self, compiled: list[bool]) -> None:
        """Let the agent learn from the reward as its file has it now, which was tried."""
        self._trainer.ask({"compiled": compiled})

    def from_scratch(self) -> None:
        """Let another agent learn that knows nothing."""
        self._trainer.ask({})

    def match_before(self) -> Match:
        """A match of the agent and the reward before the last change, on the same seeds."""
        match, pupil = self._match, self.before
        options = dict(self._config.make_options)
        if pupil.reward is not None:
            options["reward"] = pupil.reward
        env = gymnasium.make(match.env_id, render_mode="rgb_array", **options)
        player = Player(LEARNING, self._config.agent, pupil.agent)
        return Match(env, match.env_id, match.cast, player, match.seed)

    def close(self) -> None:
        """Let the trainer save and end."""
        self._trainer.close()

    def _follow(self, run: Path) -> None:
        """Another run has begun, or the one before goes on: its agent takes the stage."""
        match = self._match
        if self.run is not None:
            self.before = self.now
        self.run = run
        self.now = self._pupil(learner(self._config, match.env))
        player = Player(LEARNING, self._config.agent, self.now.agent)
        match.cast.introduce(player)
        if match.player.name == LEARNING:
            match.player = player

    def _pupil(self, agent: Agent) -> Pupil:
        """`agent`, as one that learns from what the match is paid by now."""
        reward = reward_of(self._match.env)
        label = self._config.reward or "its own reward"
        return Pupil(agent, reward, self._live_reward.label if self._live_reward else label)

    def _take_in_problem(self, problem: str) -> None:
        """The trainer has gone back to the run before, and so does the match."""
        if self._live_reward is None:
            self.error = problem
        elif not self._live_reward.taken_back:  # it may have failed on the screen before
            self._live_reward.take_back(problem)


def learner(config: RunConfig, env: gymnasium.Env[Any, Any]) -> Agent:
    """A new agent that can learn.

    Raises:
        PlayError: if this kind cannot.
        ValueError: if there is no such agent, or it cannot serve the environment.
    """
    torch.set_num_threads(1)  # more would wait for each other over one observation
    spaces = (env.observation_space, env.action_space)
    task = Task(config.env, *spaces, 1, config.steps, reward_weights(env))
    agent = make_agent(config.agent, task, config.settings, config.seed)
    if type(agent).learn is Agent.learn:
        raise PlayError(f"--train needs an agent that learns, such as ppo; {config.agent} does not")
    return agent


def _facts(content: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The numbers of a message, as the panel shows them."""
    score, speed = content.get("score"), content.get("speed")
    return (
        ("steps trained", theme.large(content.get("steps", 0))),
        ("episodes", theme.large(content.get("episodes", 0))),
        ("recent score", "-" if score is None else theme.number(score)),
        ("steps/s", "-" if speed is None else theme.large(speed)),
    )
