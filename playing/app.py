"""From what the user asked for to a match, and from there to the window, a file or the scores."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

from playing.playback import Match, Result
from playing.players import LEARNING, TRAINED, Cast, Player
from playing.selection import PlayError, Selection, Wishes, one_line, select_game, select_run
from playing.summary import Summary
from training.reward_snapshot import has_code

if TYPE_CHECKING:
    from playing.live_reward import LiveReward
    from playing.live_training import LiveTraining
    from playing.sound import Speaker
    from playing.window import Window

HEADLESS_EPISODES = 10
LONGEST_RECORDING = 20.0  # seconds, where the user has not said how many episodes


@dataclass(frozen=True)
class Request:
    """What the user asked for; None where there is a default."""

    run: Path | None
    agent: str | None
    wishes: Wishes
    episodes: int | None
    seed: int
    speed: float
    train: Sequence[str] | None = None
    """Arguments for train.py, where the agent shall learn meanwhile."""
    command: str = ""
    """What was typed."""
    sound: bool = False
    """Of the game, beside its window."""

    def __post_init__(self) -> None:
        if self.episodes is not None and self.episodes < 1:
            raise PlayError(f"--episodes must be at least 1, not {self.episodes}")
        if self.seed < 0:
            raise PlayError(f"--seed must not be negative, but is {self.seed}")
        if not 0.01 <= self.speed <= 100:
            raise PlayError(f"--speed must be between 0.01 and 100, not {self.speed:g}")


def prepare(request: Request, drawn: bool) -> tuple[Selection, Match]:
    """Everything that can be wrong about a request shows up here.

    Args:
        request: what the user asked for.
        drawn: the environment has to draw itself.

    Raises:
        PlayError: whatever was wrong.
    """
    try:
        if request.run is not None or request.agent in (None, TRAINED):
            selection = select_run(request.run, request.wishes)
        else:
            selection = select_game(request.wishes)
        for note in selection.notes:
            tell(note)
        env = make_env(selection, drawn)
        cast = Cast(env, selection.env_id, selection.run, request.seed)
        player = cast.player(request.agent or TRAINED)
    except ValueError as error:
        raise PlayError(one_line(error)) from None
    return selection, Match(env, selection.env_id, cast, player, request.seed)


def make_env(selection: Selection, drawn: bool) -> gymnasium.Env[Any, Any]:
    """The environment of a selection.

    Raises:
        ValueError: if its options are wrong, or it cannot draw itself.
    """
    env_id, options = selection.env_id, dict(selection.make_options)
    if drawn:
        options["render_mode"] = "rgb_array"
    try:
        env = gymnasium.make(env_id, **options)
    except (gymnasium.error.Error, TypeError, ImportError, AttributeError) as error:
        raise PlayError(f"{env_id} cannot be made with these options: {one_line(error)}") from None
    if drawn and env.render_mode != "rgb_array":
        raise PlayError(f"{env_id} cannot draw itself; --headless prints the scores")
    return env


def watch(request: Request) -> Summary:
    """Play in a window."""
    from playing.window import Window

    if request.train is not None:
        return watch_training(request, request.train)
    selection, match = prepare(request, drawn=True)
    title = selection.env_id if selection.run is None else selection.run.name
    shown = (match, title, steps_per_second(match), request.speed, request.episodes)
    with live_reward(selection, match) as live, speaker(request, match) as heard:
        Window(*shown, live, speaker=heard).run()
    return _summary(selection, match, match.results)


def watch_training(request: Request, arguments: Sequence[str]) -> Summary:
    """Let an agent learn, and play in a window meanwhile."""
    with training_window(request, arguments) as (selection, window, training):
        window.run()
    if training.run is not None:
        trust = " --trust-reward" if has_code(selection.make_options.get("reward")) else ""
        tell(f"the run lies in {training.run}; python play.py {training.run}{trust} plays it")
        tell(f"to go on: python train.py --resume {training.run}{trust}")
    return _summary(selection, window.match, window.match.results)


@contextmanager
def training_window(
    request: Request, arguments: Sequence[str]
) -> Iterator[tuple[Selection, Window, LiveTraining]]:
    """A window on an agent that learns by the `arguments` for train.py; all ends with it.

    Raises:
        PlayError: whatever was wrong.
    """
    from playing.live_training import LiveTraining, Trainer, learner
    from playing.window import Window, check_display
    from training.train_options import parse

    check_display()
    try:
        _, config = parse(arguments)
        selection = Selection(config.env, config.make_options, None)
        env = make_env(selection, drawn=True)
        cast = Cast(env, config.env, None, request.seed)
        cast.introduce(Player(LEARNING, config.agent, learner(config, env)))
    except ValueError as error:
        raise PlayError(one_line(error)) from None
    match = Match(env, config.env, cast, cast.player(LEARNING), request.seed)
    shown = (match, config.env, steps_per_second(match), request.speed, request.episodes)
    with live_reward(selection, match) as live, speaker(request, match) as heard:
        trainer = Trainer(arguments, request.command)
        with closing(LiveTraining(match, config, trainer, live)) as training:
            yield selection, Window(*shown, live, training, heard), training


@contextmanager
def live_reward(selection: Selection, match: Match) -> Iterator[LiveReward | None]:
    """What exchanges the reward when its file is saved, if it is in a file."""
    expression = selection.make_options.get("reward")
    if expression is None or not has_code(expression):
        yield None
        return
    from playing.live_reward import LiveReward

    options = {name: v for name, v in selection.make_options.items() if name != "reward"}
    with closing(LiveReward(match, expression, options)) as live:
        yield live


@contextmanager
def speaker(request: Request, match: Match) -> Iterator[Speaker | None]:
    """What lets the match be heard, if it shall be.

    Raises:
        PlayError: if it cannot be.
    """
    if not request.sound:
        yield None
        return
    from playing.sound import Speaker

    with closing(Speaker(match)) as heard:
        yield heard


def record(request: Request, path: Path) -> Summary:
    """Play into a film."""
    from playing import video as recording

    recording.check_target(path)
    selection, match = prepare(request, drawn=True)
    seconds = LONGEST_RECORDING if request.episodes is None else None
    try:
        pictures = recording.record(
            match, path, steps_per_second(match), request.speed, request.episodes or 1, seconds
        )
    except OSError as error:
        raise PlayError(f"cannot write {path}: {error.strerror}") from None
    if seconds is not None and not match.episode.over:
        tell(f"the first {seconds:g} seconds of an episode; --episodes 1 records all of it")
    tell(f"wrote {path}: {pictures} pictures, {path.stat().st_size / 1e6:.1f} MB")
    return _summary(selection, match, match.results)


def measure(request: Request) -> Summary:
    """Play without any picture, all episodes side by side."""
    from training.evaluation import evaluate

    selection, match = prepare(request, drawn=False)
    episodes = request.episodes or HEADLESS_EPISODES
    options = selection.make_options | match.env.metadata.get("evaluation_options", {})
    found = evaluate(match.player.agent, selection.env_id, options, episodes, request.seed)
    results = [
        Result(float(score), float(total), int(length))
        for score, total, length in zip(found.scores, found.returns, found.lengths, strict=True)
    ]
    return _summary(selection, match, results)


def steps_per_second(match: Match) -> float:
    """How fast people watch it."""
    rate = match.env.metadata.get("render_fps") or 30
    return float(rate)


def fresh_seed() -> int:
    """Another one each time."""
    return int(np.random.SeedSequence().generate_state(1)[0]) // 2


def tell(note: str) -> None:
    """Something that the user should know; stdout is for the summary."""
    print(f"play.py: {note}", file=sys.stderr)


def _summary(selection: Selection, match: Match, results: list[Result]) -> Summary:
    run = str(selection.run) if match.player.name == TRAINED else None
    details = {"run": run, "reward": selection.make_options.get("reward")}
    match.env.close()
    return Summary(selection.env_id, match.player.name, match.seed, results, details)
