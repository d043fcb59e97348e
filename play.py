"""Watch an agent play, or play yourself: python play.py [RUN]"""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from envs.options import parse_env_options
from playing.app import Request, fresh_seed, measure, record, tell, watch
from playing.selection import PlayError, Wishes
from rewards.expression import RewardError
from training.cli import INTERRUPTED, USAGE_ERROR, read_options

# None stands for a default that each help text gives in words.
Text = Annotated[str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")]
Count = Annotated[int | None, tyro.conf.arg(metavar="NUMBER", help_behavior_hint="")]
File = Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")]


@dataclass(frozen=True)
class PlayOptions:
    """Watch an agent play in a window (h shows its keys), or play yourself.

    Plays the agent of RUN, or of the newest run under ./runs, or the one shipped with the project.
    """

    run: Annotated[File, tyro.conf.Positional, tyro.conf.arg(metavar="[RUN]")] = None
    """Folder of a training run."""
    env: Text = None
    """Short name (paddle, bicycle) or any Gymnasium id; by default the run's."""
    agent: Text = None
    """Play with random, rules or another untrained agent instead of the run's."""
    reward: Text = None
    """What counts as good, as in train.py; by default the run's."""
    trust_reward: bool = False
    """Execute the reward that the run keeps in its folder, where it is code of its own."""
    env_options: tuple[str, ...] = ()
    """Options of the environment: ball_speed=0.04 paddle_size=0.3, or task=path."""
    episodes: Count = None
    """How many; by default as many as you like in a window, 1 recorded, 10 headless."""
    seed: Count = None
    """Of the first episode; the following ones count on from it. By default a new one each time."""
    speed: float = 1.0
    """How fast: 2 is twice as fast."""
    train: bool = False
    """Let a new agent (ppo, or another --agent that learns) learn while you watch: save another
    reward and see what becomes of it; s shows before and now side by side."""
    sound: bool = False
    """Hear the game, where it has sounds: paddle has."""
    headless: bool = False
    """Open no window; print the scores."""
    json: bool = False
    """Print the scores as one JSON object; without --record, opens no window."""
    record: File = None
    """Write a film, out.gif or out.mp4, instead of opening a window."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        options, request = read(sys.argv[1:] if arguments is None else arguments)
        if not options.sound:  # Gymnasium's own games open the sound device without being asked
            os.environ["SDL_AUDIODRIVER"] = "dummy"
        if options.record is not None:
            summary = record(request, options.record)
        elif options.headless or options.json:
            summary = measure(request)
        else:
            summary = watch(request)
    except (PlayError, RewardError) as error:
        tell(str(error))
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    print(summary.to_json() if options.json else summary)
    return 0


def read(arguments: Sequence[str]) -> tuple[PlayOptions, Request]:
    """The command line, and what it asks for.

    Raises:
        PlayError: for arguments that cannot be used.
    """
    try:
        options: PlayOptions = read_options(
            PlayOptions, arguments, "play.py", config=(tyro.conf.FlagCreatePairsOff,)
        )
        env_options = parse_env_options(options.env_options)
    except ValueError as error:
        raise PlayError(str(error)) from None
    wishes = Wishes(options.env, options.reward, env_options, options.trust_reward)
    seed = fresh_seed() if options.seed is None else options.seed
    train = training_arguments(options) if options.train else None
    command = shlex.join(["python", "play.py", *arguments])
    for name in ("record", "headless", "json"):
        if options.sound and getattr(options, name):
            raise PlayError(f"--sound is heard beside a window: leave out --{name}")
    run, agent, episodes, speed = options.run, options.agent, options.episodes, options.speed
    asked = (run, agent, wishes, episodes, seed, speed, train, command, options.sound)
    return options, Request(*asked)


def training_arguments(options: PlayOptions) -> list[str]:
    """What to tell train.py.

    Raises:
        PlayError: for options that make no sense while an agent learns.
    """
    for name in ("run", "record", "headless", "json", "trust_reward"):
        if getattr(options, name):
            flag = "the run" if name == "run" else f"--{name.replace('_', '-')}"
            raise PlayError(f"--train lets a new agent learn in a window: leave out {flag}")
    given = {"env": options.env, "agent": options.agent, "reward": options.reward}
    given["seed"] = None if options.seed is None else str(options.seed)
    arguments = [f"--{name}={value}" for name, value in given.items() if value is not None]
    return [*arguments, *(["--env-options", *options.env_options] if options.env_options else [])]


if __name__ == "__main__":
    warnings.showwarning = lambda message, *_, **__: tell(f"warning: {message}")
    sys.exit(main())
