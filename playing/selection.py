"""The options of play.py, and what they select: a run, an environment, a reward and a seed.

A run folder may come from a stranger, so code that it names is executed only with --trust-reward.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from envs.names import flag
from envs.options import parse_env_options
from envs.registry import DATASETS, GAMES, encoding_of, env_ids
from rewards.command_line import as_typed
from rewards.expression import has_code
from training.cli import Count, File, Switch, Text, check_file, read_options
from training.config import RunConfig
from training.messages import one_line
from training.reward_snapshot import kept_expression
from training.run_folder import CONFIG, TENSORS, RunError, read_json
from training.train_options import env_of_run, find_env_id
from training.trained_agent import load_config

SHIPPED = Path(__file__).parent / "trained"
RUNS = Path("runs")
DEFAULT_GAME = "paddle"
TRAINED = "trained"
SLOWEST, FASTEST = 0.01, 100.0

ENV_HELP = (
    f"Game ({', '.join(GAMES)}), dataset ({', '.join(DATASETS)}) or any Gymnasium id. Default: the "
    "environment of the run."
)
TRAIN_HELP = (
    "Train a new agent (ppo, or another --agent that learns) while you watch it. When you save the "
    "reward file, training continues with the new reward; press s to compare before and now."
)


class PlayError(ValueError):
    """Something cannot be played; the message is one line that says what to do instead."""


@dataclass(frozen=True)
class PlayOptions:
    """Watch an agent play in a window, or play yourself. Press h in the window to see the keys.

    Plays the agent of RUN; without RUN, the newest run in ./runs, or else the agent that comes with
    the project.
    """

    run: Annotated[File, tyro.conf.Positional, tyro.conf.arg(metavar="[RUN]")] = None
    """Run folder of a trained agent."""
    env: Annotated[Text, tyro.conf.arg(help=ENV_HELP)] = None
    agent: Text = None
    """Agent that plays instead of the trained one: random, rules, or an untrained agent."""
    reward: Text = None
    """Reward to show, written as for train.py. Default: the reward of the run."""
    last: Switch = False
    """Play the last model of the run instead of the one with the best evaluation."""
    trust_reward: Switch = False
    """Execute the copy of the reward code in the run folder. Use it only for runs you trust."""
    env_options: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE", help_behavior_hint="")
    ] = ()
    """Options of the environment, such as ball_speed=0.04 paddle_size=0.3, or task=path."""
    episodes: Count = None
    """Number of episodes. Default: no limit in a window, 1 in a video, 10 with --headless."""
    seed: Count = None
    """Seed of the first episode; each later episode adds 1. Default: a new seed each time."""
    speed: float = 1.0
    """Speed factor; 2 plays twice as fast."""
    train: Annotated[Switch, tyro.conf.arg(help=TRAIN_HELP, help_behavior_hint="")] = False
    replay: File = None
    """Show the recorded episodes of a run folder, or of a file that --save-episodes wrote. With
    --reward, the keys m and b jump to moments at which it disagrees with the reward of the run."""
    save_episodes: File = None
    """Write all complete episodes to FILE.npz, including those that you play."""
    label: Text = None
    """Dataset to label by hand, such as shapes: 60 screens, or --episodes."""
    lang: Literal["en", "ko"] = "en"
    """Language of the window: English or Korean."""
    sound: Switch = False
    """Play the sounds of the game. Paddle has sounds."""
    headless: Switch = False
    """Open no window; print the scores."""
    json: Switch = False
    """Print the scores as one JSON object. Opens no window."""
    record: File = None
    """Write a video, out.gif or out.mp4, instead of opening a window."""

    def __post_init__(self) -> None:
        if self.episodes is not None and self.episodes < 1:
            raise PlayError(f"--episodes must be at least 1, got {self.episodes}")
        if self.seed is not None and self.seed < 0:
            raise PlayError(f"--seed must be at least 0, got {self.seed}")
        if not SLOWEST <= self.speed <= FASTEST:
            raise PlayError(f"--speed must be between 0.01 and 100, got {self.speed:g}")
        if self.last and self.agent not in (None, TRAINED):
            raise PlayError(f"--last chooses a model of a run: leave out --agent {self.agent}")
        if self.train:
            reason = "--train trains a new agent in a window"
            self._refuse(reason, "run", "last", "record", "headless", "json", "trust_reward")
        if self.label:
            reason = "--label shows screens in a window"
            self._refuse(reason, "run", "env", "agent", "reward", "train", "record", "headless")
            self._refuse(reason, "json", "sound", "last", "trust_reward")
        if self.replay is not None:
            reason = "--replay shows recorded episodes in a window"
            self._refuse(reason, "run", "env", "agent", "env_options", "train", "label", "record")
            self._refuse(reason, "headless", "json", "sound", "seed", "episodes", "save_episodes")
        if self.save_episodes is not None:
            if self.save_episodes.suffix != ".npz":
                raise PlayError(f"--save-episodes must end in .npz, got {self.save_episodes}")
            check_file("--save-episodes", self.save_episodes)
            self._refuse("--save-episodes keeps episodes", "label", "train", "record")
        if self.sound:
            self._refuse("--sound needs a window", "record", "headless", "json")

    def _refuse(self, reason: str, *names: str) -> None:
        for name in names:
            if getattr(self, name):
                what = "the run" if name == "run" else flag(name)
                raise PlayError(f"{reason}: leave out {what}")


def read(arguments: Sequence[str]) -> PlayOptions:
    """Return the options of a command line.

    Raises:
        PlayError: for arguments that cannot be used.
    """
    try:
        options: PlayOptions = read_options(PlayOptions, arguments, "play.py")
    except ValueError as error:
        raise PlayError(str(error)) from None
    return options


@dataclass(frozen=True)
class Selection:
    """What is played."""

    env_id: str
    """Gymnasium id."""
    make_options: dict[str, Any]
    """Arguments of `gymnasium.make` and `make_vec` next to the id."""
    seed: int
    """Seed of the first episode."""
    run: Path | None = None
    """Run folder of the trained agent, if there is one."""
    config: RunConfig | None = None
    """Settings of that run; None if they have not been read."""
    last: bool = False
    """Whether the trained agent is the last model of the run instead of the best one."""

    @property
    def reward(self) -> str | None:
        """The reward expression; None for the default reward of the environment."""
        return self.make_options.get("reward")


def select(options: PlayOptions, shipped: Path = SHIPPED) -> Selection:
    """Return what `options` select.

    A run contributes its environment, environment options and reward where the options name none.
    If there is none, one of the folder `shipped` is played.

    Raises:
        ValueError: if there is no such run or environment, or the run folder is damaged.
    """
    env_options = parse_env_options(options.env_options)
    seed = random_seed() if options.seed is None else options.seed
    env_id = None if options.env is None else find_env_id(options.env)
    if options.run is None and options.agent not in (None, TRAINED):
        env_id = env_id or find_env_id(DEFAULT_GAME)
        made_with = _make_options(env_id, options.reward, env_options)
        return Selection(env_id, made_with, seed, newest_run(env_id, env_options, shipped))
    run = options.run or newest_run(env_id, env_options, shipped)
    if run is None:
        of_env, flag = (f" of {options.env}", f" --env {options.env}") if options.env else ("", "")
        raise PlayError(
            f"there is no run{of_env} yet: train one with `python train.py{flag}`, or watch "
            "--agent random"
        )
    config, reward = load_config(run), options.reward
    env_id = env_id or env_of_run(config)
    if env_id == config.env:
        env_options = config.env_options | env_options
        encoding = encoding_of(env_id, config.env_options)
        if encoding_of(env_id, env_options) != encoding:
            options_of_run = " ".join(f"{name}={value}" for name, value in encoding.items())
            raise PlayError(f"{run} was trained with {options_of_run}: use that")
        if reward is None:
            reward = _reward_of_run(run, config, options.trust_reward)
    make_options = _make_options(env_id, reward, env_options)
    return Selection(env_id, make_options, seed, run, config, options.last)


def newest_run(
    env_id: str | None, env_options: dict[str, Any], shipped_runs: Path = SHIPPED
) -> Path | None:
    """Return the run that was saved last, of `env_id` if given; else a shipped run; else None.

    Runs whose environment options agree with `env_options` come before runs that contradict them.
    """
    own = sorted(RUNS.glob(f"*/{TENSORS}"), key=lambda path: path.stat().st_mtime, reverse=True)
    shipped = sorted(shipped_runs.glob(f"*/{TENSORS}"))
    shipped.sort(key=lambda path: path.parent.name != DEFAULT_GAME)  # the default game first
    named = [(path.parent, *_env_named_in(path.parent)) for path in own + shipped]
    suitable = [(run, has) for run, env, has in named if env is not None and env_id in (None, env)]

    def agreement(candidate: tuple[Path, dict[str, Any]]) -> tuple[int, int]:
        shared = candidate[1].keys() & env_options.keys()
        same = sum(candidate[1][name] == env_options[name] for name in shared)
        return 2 * same - len(shared), same

    return max(suitable, key=agreement)[0] if suitable else None  # the first of equals


def random_seed() -> int:
    """Return a seed that differs each time."""
    return int(np.random.SeedSequence().generate_state(1)[0]) // 2


def tell(text: str) -> None:
    """Print a line for the user on stderr; stdout is for the scores."""
    print(f"play.py: {one_line(as_typed(text))}", file=sys.stderr)


def _env_named_in(folder: Path) -> tuple[str | None, dict[str, Any]]:
    """Return environment and options of a run; None and {} if its config is not readable."""
    try:
        content = read_json(folder / CONFIG)
        return str(content["env"]), dict(content["env_options"])
    except (RunError, LookupError, TypeError, ValueError):
        return None, {}


def _reward_of_run(run: Path, config: RunConfig, trust: bool) -> str | None:
    """Return the reward of a run, or None with a note if it is code that is not trusted."""
    if config.reward is None:
        return None
    if trust or not has_code(config.reward):
        return kept_expression(run, config.reward)
    tell(
        f"the reward {config.reward!r} of the run is code and was not executed; the default reward "
        "is shown instead. --trust-reward executes the copy in the run folder"
    )
    return None


def _make_options(env_id: str, reward: str | None, options: dict[str, Any]) -> dict[str, Any]:
    if reward is None:
        return options
    if env_id not in env_ids(GAMES):
        raise PlayError(f"{env_id} has a reward of its own: leave out --reward")
    return options | {"reward": reward}
