"""The agent that learns while you watch it: the window's side of `training.live`."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import gymnasium
import torch

from agents import make_agent
from agents.agent import Agent, Task
from envs.engine.batch import Reward
from envs.names import load
from envs.registry import AGENTS
from playing import theme
from playing.live_reward import LiveReward
from playing.playback import Playback
from playing.players import LEARNING, Player
from playing.selection import PlayError
from rewards.child_process import environment_for_child
from rewards.expression import has_code
from rewards.make import reward_of
from training.config import RunConfig
from training.ipc import receive
from training.supervisor import SECONDS, VARIABLE
from training.trainer_process import supervision_flags
from training.vector_runner import make_environment, reward_weights

SAVE_SECONDS = 30.0  # that the training process may take to save

Message = tuple[dict[str, Any], dict[str, Any]]
"""Content and tensors of a message, see `training.ipc`."""


class TrainerProcess:
    """The process that trains. It ends by itself when this process ends, in whatever way."""

    def __init__(
        self, config: RunConfig, run_dir: Path, command: str, seconds: int = SECONDS
    ) -> None:
        """Start the process.

        Args:
            config: the settings of its runs.
            run_dir: the folder of the run folders.
            command: the command line as typed, for the run folders.
            seconds: limit of a call of the reward.
        """
        variables = environment_for_child()
        variables.pop(VARIABLE, None)  # this process may have a supervisor, too
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "training.trainer_process"),
                *supervision_flags(has_code(config.reward), seconds),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables,
            process_group=0,  # Ctrl-C goes to the window only, and its end ends the training
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # for Windows
        )
        self.request({"config": config.to_json(command), "run_dir": str(run_dir)})
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._listen, args=(self._process.stdout,))
        self._reader.daemon = True
        self._reader.start()

    def messages(self) -> list[Message]:
        """Return the messages that have arrived since the last call, without waiting."""
        return [self._messages.get() for _ in range(self._messages.qsize())]

    def request(self, content: dict[str, Any]) -> None:
        """Request the first run or another one; `training.live` documents the content."""
        pipe: Any = self._process.stdin
        with contextlib.suppress(OSError):  # the process has ended, see `ended`
            pipe.write(json.dumps(content).encode() + b"\n")
            pipe.flush()

    @property
    def ended(self) -> str:
        """How the process ended; empty while it runs."""
        if self._reader.is_alive():
            return ""
        code = self._process.wait()
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def close(self) -> None:
        """Wait until the process has saved and ended; kill it if that takes too long."""
        pipe: Any = self._process.stdin
        with contextlib.suppress(OSError):
            pipe.close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(SAVE_SECONDS)
        finally:  # it hangs, or Ctrl-C was pressed again; its last checkpoint is complete
            self._process.kill()
            self._process.wait()

    def _listen(self, pipe: IO[bytes]) -> None:
        with pipe:
            while (message := receive(pipe)) is not None:
                self._messages.put(message)


@dataclass(frozen=True)
class Learner:
    """An agent and the reward that it learns from."""

    agent: Agent
    reward: Reward | None
    """None in environments that have their own reward."""
    label: str


class LiveTraining:
    """Updates the learning player of a playback and keeps the learner before the last change."""

    def __init__(
        self,
        playback: Playback,
        config: RunConfig,
        trainer: TrainerProcess,
        live_reward: LiveReward | None,
    ) -> None:
        self.progress: tuple[tuple[str, str], ...] = _progress({})
        """Progress of the training in a few numbers."""
        self.steps = 0
        """Number of training steps of the agent on the screen."""
        self.error = ""
        self.end = ""
        """How the training ended; empty while it runs."""
        self.run: Path | None = None
        """Run folder of the current run."""
        self._playback = playback
        self._config = config
        self._trainer = trainer
        self._live_reward = live_reward
        self._reason = ""
        self.now = self._as_learner(playback.player.agent)
        self.before = Learner(
            make_learner(config, playback.env),
            self.now.reward,
            theme.name("descriptions", "untrained"),
        )

    def update(self) -> bool:
        """Process the messages of the training process; return True if there is news."""
        messages = self._trainer.messages()
        for content, tensors in messages:
            if "problem" in content:
                self._handle_problem(content["problem"])
                continue
            if "end" in content:
                self._reason = content["end"]
                continue
            if content["run"] != str(self.run):
                self._follow(Path(content["run"]))
            self.now.agent.restore_policy(tensors)
            self.steps, self.progress = content["steps"], _progress(content)
        if not messages and not self.end and (how := self._trainer.ended):
            key = "stopped_with_checkpoint" if self.run else "stopped"
            self.end = theme.text("messages", key, how=self._reason or how, run=self.run)
            self.error = f"{self.error} {self.end}".strip()
            return True
        return bool(messages)

    def reward_changed(self, compiled: list[bool]) -> None:
        """Continue the training with the reward that was just saved and tested."""
        self._trainer.request({"compiled": compiled})

    def from_scratch(self) -> None:
        """Start a run with a new, untrained agent."""
        self._trainer.request({})

    def playback_before(self) -> Playback:
        """Return a playback of the learner before the last change, on the same seeds."""
        playback, before = self._playback, self.before
        options = dict(self._config.make_options)
        if before.reward is not None:
            options["reward"] = before.reward
        env = make_environment(playback.env_id, options | {"render_mode": "rgb_array"})
        player = Player(LEARNING, self._config.agent, before.agent)
        return Playback(env, playback.players, player)

    def close(self) -> None:
        """End the training process."""
        self._trainer.close()

    def _follow(self, run: Path) -> None:
        """Show the agent of another run: a new one, or the previous one again."""
        playback = self._playback
        if self.run is not None:
            self.before = self.now
        self.run = run
        self.now = self._as_learner(make_learner(self._config, playback.env))
        player = Player(LEARNING, self._config.agent, self.now.agent)
        playback.players.add(player)
        if playback.player.name == LEARNING:
            playback.player = player

    def _as_learner(self, agent: Agent) -> Learner:
        """Return `agent` together with the reward that the playback uses now."""
        reward = reward_of(self._playback.env)
        label = self._config.reward or theme.text("messages", "default_reward")
        return Learner(agent, reward, self._live_reward.label if self._live_reward else label)

    def _handle_problem(self, problem: str) -> None:
        """Return to the previous reward, as the training process has done."""
        if self._live_reward is None:
            self.error = problem
        elif not self._live_reward.reverted:  # it may have failed on the screen first
            self._live_reward.revert(problem)


def make_learner(config: RunConfig, env: gymnasium.Env[Any, Any]) -> Agent:
    """Return a new agent.

    Raises:
        ValueError: if it does not suit the environment.
    """
    torch.set_num_threads(1)  # threads only slow down a network that gets one observation
    spaces = (env.observation_space, env.action_space)
    task = Task(config.env, *spaces, 1, config.steps, reward_weights(env))
    return make_agent(config.agent, task, config.settings, config.seed)


def check_agent_learns(name: str) -> None:
    """Check that the agent called `name` learns.

    Raises:
        PlayError: if it does not.
    """
    if load(AGENTS[name].target).learn is Agent.learn:
        raise PlayError(f"--train needs an agent that learns, such as ppo; {name} does not")


def _progress(content: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the numbers of a message as the panel shows them."""
    score, speed = content.get("score"), content.get("speed")
    return (
        (theme.text("panel", "steps_trained"), theme.large(content.get("steps", 0))),
        (theme.text("panel", "episodes"), theme.large(content.get("episodes", 0))),
        (theme.text("panel", "recent_score"), "-" if score is None else theme.number(score)),
        (theme.text("panel", "steps_per_second"), "-" if speed is None else theme.large(speed)),
    )
