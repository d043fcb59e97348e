"""Train, load and evaluate from Python or a notebook: from training import train, load, evaluate

The commands and these functions share all code: `train.py` reads a command line, `train` its
arguments, and both call `training.session.run_session`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from agents import make_agent, settings_type
from agents.agent import Agent, Task
from agents.user_agent import UserAgent, make_user_agent
from envs.names import USER
from envs.registry import GAMES, env_ids
from rewards.expression import has_code
from training import evaluation
from training.animation import Animation
from training.config import RunConfig
from training.evaluation import Evaluation, score_text
from training.gif import FASTEST, gif_bytes
from training.messages import say
from training.reported import reported
from training.reward_snapshot import kept_expression
from training.saved_curves import Curve, draw_curves, read_curves
from training.session import Callback, Ending, result_lines, run_session
from training.train_options import config_of, env_of_run, find_env_id, parse
from training.trained_agent import load_agent, load_config
from training.user_objects import (
    NO_OBJECTS,
    AgentLike,
    EnvLike,
    RewardFunction,
    UserObjects,
    name_of,
    named_env,
)
from training.vector_runner import EnvId, make_environment
from training.video import STEPS_PER_FRAME, make_video

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST_SIDE = 360  # pixels of an animation


def train(
    env: EnvLike = "paddle",
    agent: AgentLike | None = None,
    reward: str | RewardFunction | None = None,
    *,
    callback: Callback | None = None,
    run_dir: str | Path = "runs",
    quiet: bool = False,
    **options: Any,
) -> SavedRun:
    """Train an agent and return its run, which is saved in a new folder of `run_dir`.

    Args:
        env: a game, a dataset or a Gymnasium id; or a `gymnasium.Env`, or a class or function that
            makes one.
        agent: the name of an agent; or a class or function of (task, seed). Its agents need
            `act(observations, explore)`, and `learn(step)` if they learn; see `agents.agent`.
        reward: an expression, a file, or a function of (before, action, after).
        callback: called with (step, points of the curves by tag) whenever there are new points;
            training ends when it returns True.
        run_dir: folder of the run folders.
        quiet: print nothing.
        options: all other options of `train.py` by name, such as `steps`, `seed`, `num_envs`,
            `env_options` and the settings of the agent. `pretrained` may be a `SavedRun`.

    Raises:
        ValueError: for an option or a reward that cannot be used.
        KeyboardInterrupt: after Ctrl-C or a notebook's stop button; everything is saved first.
    """
    named = named_env(env)
    env_options = named.options | dict(options.get("env_options", {}))
    reward_of_env = env_options.pop("reward", None)
    reward = reward_of_env if reward is None else reward
    if isinstance(pretrained := options.get("pretrained"), SavedRun | Path):
        options["pretrained"] = str(getattr(pretrained, "folder", pretrained))
    options["env_options"] = env_options
    agent_name = agent if isinstance(agent, str | None) else f"{USER}{name_of(agent)}"
    config = _config(named.name, agent_name, reward, options)
    user = UserObjects(
        env=named.spec,
        agent=None if isinstance(agent, str | None) else agent,
        reward=None if isinstance(reward, str | None) else reward,
    )
    shown = {"agent": config.agent, "reward": getattr(reward, "__name__", reward), **options}
    arguments = [repr(config.env), *(f"{k}={v!r}" for k, v in shown.items() if v)]
    command, console = f"train({', '.join(arguments)})", _console(quiet)
    ending = run_session(
        config, Path(run_dir), None, command, console=console, user=user, callback=callback
    )
    return _finished(ending, console, user)


def load(
    folder: str | Path,
    *,
    env: EnvLike | None = None,
    agent: AgentLike | None = None,
    trust_reward: bool = False,
) -> SavedRun:
    """Return the run in a folder. Executes no code of the run.

    Args:
        folder: a run folder, of `train` or of `train.py`.
        env: the environment, if the run has one that `train` was given as an object.
        agent: the class or function of the agent, if the run has one that a user wrote.
        trust_reward: execute the copy of the reward in the folder where the reward is needed. Use
            it only for runs that you trust.

    Raises:
        ValueError: if there is no run, or its settings are damaged.
    """
    maker = None if isinstance(agent, str | None) else agent
    user = UserObjects(None if env is None else named_env(env).spec, maker)
    return SavedRun(Path(folder), user, trust_reward)


def evaluate(
    agent: Any,
    env: EnvLike = "paddle",
    *,
    episodes: int = 100,
    seed: int = 0,
    reward: str | RewardFunction | None = None,
    env_options: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Let an agent play whole episodes without exploration, on consecutive seeds from `seed` up.

    Args:
        agent: an agent, any object with `act(observations, explore)`, or the name of an agent that
            need not learn, such as "rules" or "random".
        env: see `train`.
        episodes: number of episodes.
        seed: seed of the first episode. With the same seed, agents play the same episodes.
        reward: what returns are made of; the score does not depend on it.
        env_options: options of the environment.

    Raises:
        ValueError: for an option that cannot be used.
    """
    named = named_env(env)
    env_id: EnvId = named.spec or find_env_id(named.name)
    options = named.options | dict(env_options or {})
    options |= {} if reward is None else {"reward": reward}
    if not isinstance(agent, Agent):
        task = _task_of(env_id, options)
        if isinstance(agent, str):
            agent = make_agent(agent, task, settings_type(agent)(), seed)
        else:
            agent = make_user_agent(lambda *_: agent, task, seed)
    return evaluation.evaluate(agent, env_id, options, episodes, seed)


class SavedRun:
    """A training that is saved in a run folder."""

    def __init__(
        self, folder: Path, user: UserObjects = NO_OBJECTS, trust_reward: bool = False
    ) -> None:
        """Read the settings; see `load`."""
        self.folder = folder
        """The run folder."""
        self.config: RunConfig = load_config(folder)
        """All settings."""
        self._user = user
        self._trusts_reward = trust_reward
        if user.env is None:
            env_of_run(self.config)  # refuses what cannot be made

    def __repr__(self) -> str:
        score = "none yet" if self.score is None else score_text(self.score)
        return f"<run {self.folder}: {self.config.agent} on {self.config.env}, score {score}>"

    @property
    def score(self) -> float | None:
        """Mean score of the final evaluation; None if there is none, as after an interruption."""
        found = reported(self.folder)
        return None if found is None else found.mean_score

    @property
    def agent(self) -> Any:
        """The agent with the best evaluation: `agent.act(observations, explore=False)`.

        It is an `agents.agent.Agent`, or an object of the user's own class.
        """
        return self._agent.user if isinstance(self._agent, UserAgent) else self._agent

    def curves(self) -> dict[str, Curve]:
        """Return the curves by TensorBoard's tag, each with `steps` and `values`."""
        return read_curves(self.folder)

    def plot(self, *tags: str) -> Figure:
        """Return a figure of the curves with these tags; by default, of the scores and rewards.

        Raises:
            ValueError: if there is no such curve.
            ImportError: if matplotlib is not installed.
        """
        reward = "" if self.config.reward is None else f", reward: {self.config.reward}"
        title = f"{self.config.agent} on {self.config.env}{reward}"
        return draw_curves(self.curves(), tags, title.replace("__main__:", ""))

    def evaluate(self, episodes: int = 100, *, seed: int = 0) -> Evaluation:
        """Let the agent play whole episodes; see `evaluate`."""
        options = self._make_options
        environment = make_environment(self._env, options)
        options |= environment.metadata.get("report_options", {})
        environment.close()
        return evaluation.evaluate(self._agent, self._env, options, episodes, seed)

    def watch(self, seconds: float = 10.0, *, seed: int = 0) -> Animation:
        """Let the agent play one episode; return the first `seconds` of it as an animation.

        Raises:
            ValueError: if the environment does not draw pictures.
        """
        environment = make_environment(self._env, self.config.env_options)
        steps_per_second = float(environment.metadata.get("render_fps", 30))
        environment.close()
        frames = round(seconds * min(FASTEST, steps_per_second / STEPS_PER_FRAME))
        options = self.config.env_options
        video = make_video(
            self._agent, self._env, options, seed, max(1, frames), largest_side=LARGEST_SIDE
        )
        if not video.frames:
            raise ValueError(f"{self.config.env} does not draw pictures: it has no rgb_array mode")
        return Animation(gif_bytes(video.frames, video.frames_per_second), repr(self))

    def resume(
        self,
        steps: int | None = None,
        *,
        callback: Callback | None = None,
        quiet: bool = False,
    ) -> SavedRun:
        """Continue the training exactly where it stopped; `steps` is the total.

        Raises:
            ValueError: if the folder cannot be resumed.
            KeyboardInterrupt: as `train` does.
        """
        if self._needs_trust:
            raise ValueError(
                f"the reward {self.config.reward!r} of {self.folder} is code; to execute the copy "
                "in the run folder: load(folder, trust_reward=True)"
            )
        arguments = ["--resume", str(self.folder)]
        arguments += [] if steps is None else ["--steps", str(steps)]
        arguments += ["--trust-reward"] if self._trusts_reward else []
        arguments += [] if self._user.env is None else ["--env", self.config.env]
        options, config = parse(arguments)
        console, command = _console(quiet), f"load({str(self.folder)!r}).resume({steps or ''})"
        ending = run_session(
            config,
            options.run_dir,
            self.folder,
            command,
            console=console,
            user=self._user,
            callback=callback,
        )
        return _finished(ending, console, self._user)

    @property
    def _env(self) -> EnvId:
        return self._user.env or self.config.env

    @cached_property
    def _agent(self) -> Agent:
        environment = make_environment(self._env, self.config.env_options)
        try:
            return load_agent(self.folder, environment, self.config, maker=self._user.agent)
        finally:
            environment.close()

    @property
    def _needs_trust(self) -> bool:
        """Whether the reward is code that the caller has neither given nor trusted."""
        known = self._user.reward is not None or self._trusts_reward
        return has_code(self.config.reward) and not known

    @property
    def _make_options(self) -> dict[str, Any]:
        """Options of the environment; a reward that is code only if it is trusted."""
        reward: Any = self.config.reward
        if self._user.reward is not None:
            reward = self._user.reward
        elif self._needs_trust:
            reward = None
        elif reward is not None:
            reward = kept_expression(self.folder, reward)
        return self.config.env_options | ({} if reward is None else {"reward": reward})


def _config(env: str, agent: str | None, reward: Any, options: dict[str, Any]) -> RunConfig:
    """Return the settings of a run, with errors in the words of Python."""
    expression = reward if isinstance(reward, str) else None
    try:
        config = config_of(env, agent, {"reward": expression, **options})
        if reward is not None and config.env not in env_ids(GAMES):
            raise ValueError(f"{config.env} has a reward of its own: leave out --reward")
    except ValueError as error:  # `num_envs`, not --num-envs
        text = re.sub(r"--([a-z][a-z-]*)", lambda found: found[1].replace("-", "_"), str(error))
        raise type(error)(text) from None
    return config


def _finished(ending: Ending, console: Console, user: UserObjects) -> SavedRun:
    """Print the result of a session and return its run.

    Raises:
        KeyboardInterrupt: if it was interrupted.
    """
    folder = ending.run.shown_folder
    lines = result_lines(ending)
    if ending.interrupted:
        raise KeyboardInterrupt(f"{' '.join(lines)} Continue: load({str(folder)!r}).resume()")
    for line in lines:
        say(console, line)
    return SavedRun(folder, user, trust_reward=True)


def _task_of(env_id: EnvId, options: dict[str, Any]) -> Task:
    environment = make_environment(env_id, options)
    try:
        name = env_id if isinstance(env_id, str) else env_id.id
        return Task(name, environment.observation_space, environment.action_space, 1, 1)
    finally:
        environment.close()


def _console(quiet: bool) -> Console:
    return Console(quiet=quiet, force_jupyter=False)
