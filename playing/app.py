"""Run play.py: select what is played, then open the window, write a video or collect scores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium

from playing.playback import Playback, Result
from playing.players import LEARNING, Player, Players
from playing.selection import (
    TRAINED,
    PlayError,
    PlayOptions,
    Selection,
    random_seed,
    select,
    tell,
)
from playing.summary import Summary
from rewards.command_line import as_typed, quoted
from rewards.expression import has_code
from rewards.make import reward_of
from training.messages import counted, one_line
from training.recorded_episodes import About, EpisodeRecorder, RecordedEpisodes, write_episodes
from training.supervisor import SECONDS
from training.vector_runner import make_environment

if TYPE_CHECKING:
    from playing.labelling import Labelled
    from playing.live_reward import LiveReward
    from playing.live_training import LiveTraining
    from playing.sound import Speaker
    from playing.window import Window

HEADLESS_EPISODES = 10
MAX_VIDEO_SECONDS = 20.0  # if --episodes is not given


def play(options: PlayOptions, command: str) -> Summary:
    """Do what `options` ask for and return the scores.

    `command` is the command line as typed, for the run folders of --train.

    Raises:
        PlayError: if something cannot be played.
    """
    if not options.sound:  # Gymnasium's own games open the sound device without being asked
        os.environ["SDL_AUDIODRIVER"] = "dummy"
    if not (options.headless or options.json):
        use_language(options.lang)
    if options.record is not None:
        return record(options, options.record)
    if options.headless or options.json:
        return measure(options)
    if options.train:
        return watch_training(options, command)
    return watch(options)


def use_language(lang: str) -> None:
    """Choose the language of the window or the video.

    Raises:
        PlayError: if it cannot be drawn here.
    """
    from playing import theme

    try:
        theme.use_language(lang)
    except ValueError as error:
        raise PlayError(str(error)) from None


def label_examples(options: PlayOptions) -> Labelled:
    """Let a person label the examples of a dataset in a window.

    Raises:
        PlayError: if they cannot be labelled.
    """
    import pygame

    from playing.labelling import label
    from playing.window import open_display

    use_language(options.lang)
    window = open_display()
    pygame.display.set_caption(f"{options.label} - Training Wheels")
    try:
        return label(options, window)
    finally:
        pygame.display.quit()


def replay(options: PlayOptions) -> None:
    """Show recorded episodes in a window.

    Raises:
        PlayError: if there are none, or the reward cannot be used.
    """
    import pygame

    from playing.replay import Replay, ReplayWindow
    from playing.window import open_display
    from rewards.check.texts import FOLDER
    from rewards.texts import load_texts
    from training.rescoring import open_episodes, rescore, rewards_to_compare

    assert options.replay is not None
    use_language(options.lang)
    given = [] if options.reward is None else [options.reward]
    try:
        episodes = open_episodes(options.replay, options.last)
        trust = options.trust_reward
        found = rescore(episodes, rewards_to_compare(options.replay, episodes, given, trust))
    except ValueError as error:
        raise PlayError(one_line(error)) from None
    screen = open_display()
    pygame.display.set_caption(f"{options.replay.name} - Training Wheels")
    try:
        events = load_texts(FOLDER, options.lang)["events"]
        ReplayWindow(Replay(found), events, options.speed, screen).run()
    finally:
        pygame.display.quit()


def save_episodes(options: PlayOptions, episodes: RecordedEpisodes | None) -> None:
    """Write the episodes that --save-episodes asks for.

    Raises:
        PlayError: if the file cannot be written.
    """
    path = options.save_episodes
    if path is None:
        return
    if episodes is None:
        tell(f"{path} is not written: no game of this project was played to its end")
        return
    try:
        write_episodes(path, episodes)
    except OSError as error:
        raise PlayError(f"cannot write {path}: {error.strerror or error}") from None
    command = as_typed(f"python -m rewards rescore {quoted(path)} REWARD")
    tell(f"{path}: {counted(len(episodes), 'episode')}; pay them by another reward: {command}")


def watch(options: PlayOptions) -> Summary:
    """Play in a window."""
    from playing.window import Window

    selection, playback = open_playback(options, rendered=True)
    if options.save_episodes is not None:
        playback.recorder = make_recorder(selection, playback)
    title = selection.env_id if selection.run is None else selection.run.name
    with live_reward(selection, playback) as live, speaker(options, playback) as sound:
        Window(playback, title, options.speed, options.episodes, live, speaker=sound).run()
    if playback.recorder is not None:
        save_episodes(options, playback.recorder.episodes())
    return _summary(selection, playback, playback.results)


def watch_training(options: PlayOptions, command: str) -> Summary:
    """Train an agent and show it in a window."""
    with training_window(options, command) as (selection, window, training):
        window.run()
    if training.run is not None:
        trust = " --trust-reward" if has_code(selection.reward) else ""
        tell(f"the run is in {training.run}; watch it with python play.py {training.run}{trust}")
        tell(f"continue it with python train.py --resume {training.run}{trust}")
    if training.end:
        raise PlayError(training.end)
    return _summary(selection, window.playback, window.playback.results)


@contextmanager
def training_window(
    options: PlayOptions, command: str, run_dir: Path = Path("runs"), seconds: int = SECONDS
) -> Iterator[tuple[Selection, Window, LiveTraining]]:
    """Open a window on an agent that learns in another process; both end with the context.

    There, a call of the reward may take `seconds`.

    Raises:
        PlayError: if the agent cannot be trained.
    """
    from playing.live_training import (
        LiveTraining,
        TrainerProcess,
        check_agent_learns,
        make_learner,
    )
    from playing.window import INSTEAD, Window, check_display
    from training.train_options import default_config

    try:
        config = default_config(
            options.env, options.agent, options.reward, options.seed, options.env_options
        )
        check_agent_learns(config.agent)
        check_display(INSTEAD)
        seed = random_seed() if options.seed is None else options.seed
        selection = Selection(config.env, config.make_options, seed, config=config)
        env = make_env(selection, rendered=True)
        players = Players(env, selection)
        players.add(Player(LEARNING, config.agent, make_learner(config, env)))
    except ValueError as error:
        raise PlayError(one_line(error)) from None
    playback = Playback(env, players, players.player(LEARNING))
    shown = (playback, config.env, options.speed, options.episodes)
    with live_reward(selection, playback) as live, speaker(options, playback) as sound:
        trainer = TrainerProcess(config, run_dir, command, seconds)
        with closing(LiveTraining(playback, config, trainer, live)) as training:
            yield selection, Window(*shown, live, training, sound), training


def record(options: PlayOptions, path: Path, most_seconds: float = MAX_VIDEO_SECONDS) -> Summary:
    """Play into a video file, which lasts `most_seconds` at most if --episodes is not given."""
    from playing import video

    video.check_target(path)
    selection, playback = open_playback(options, rendered=True)
    seconds = most_seconds if options.episodes is None else None
    try:
        frames = video.record(playback, path, options.speed, options.episodes or 1, seconds)
    except OSError as error:
        raise PlayError(f"cannot write {path}: {error.strerror}") from None
    if seconds is not None and not playback.episode.over:
        tell(f"the video stops after {seconds:g} s; --episodes 1 records the whole episode")
    tell(f"wrote {path}: {counted(frames, 'frame')}, {path.stat().st_size / 1e6:.1f} MB")
    return _summary(selection, playback, playback.results)


def measure(options: PlayOptions) -> Summary:
    """Play without pictures, all episodes at the same time."""
    from training.evaluation import evaluate

    selection, playback = open_playback(options, rendered=False)
    episodes = options.episodes or HEADLESS_EPISODES
    made_with = selection.make_options | playback.env.metadata.get("report_options", {})
    if (reward := reward_of(playback.env)) is not None:
        made_with["reward"] = reward  # tried and compiled already
    agent, seed = playback.player.agent, selection.seed
    try:
        record_as = playback.player.name if options.save_episodes is not None else ""
        found = evaluate(agent, selection.env_id, made_with, episodes, seed, record_as)
    except ValueError as error:
        raise PlayError(one_line(error)) from None
    save_episodes(options, found.recorded)
    results = [
        Result(float(score), float(total), int(length))
        for score, total, length in zip(found.scores, found.returns, found.lengths, strict=True)
    ]
    return _summary(selection, playback, results)


def open_playback(options: PlayOptions, rendered: bool) -> tuple[Selection, Playback]:
    """Select what is played and start its first episode, with pictures if `rendered`.

    Raises:
        PlayError: if anything is wrong with the options.
    """
    try:
        selection = select(options)
        env = make_env(selection, rendered)
        players = Players(env, selection)
        player = players.player(options.agent or TRAINED)
    except ValueError as error:
        raise PlayError(one_line(error)) from None
    return selection, Playback(env, players, player)


def make_recorder(selection: Selection, playback: Playback) -> EpisodeRecorder:
    """Return a recorder of the episodes of a playback.

    Raises:
        PlayError: if the environment is not a game of this project.
    """
    options = {name: v for name, v in selection.make_options.items() if name != "reward"}
    try:
        return EpisodeRecorder(About(selection.env_id, options, playback.player.name))
    except ValueError as error:
        raise PlayError(f"--save-episodes: {error}") from None


def make_env(selection: Selection, rendered: bool) -> gymnasium.Env[Any, Any]:
    """Return the environment of a selection.

    Raises:
        ValueError: if its options are wrong, or it cannot render.
    """
    env_id, made_with = selection.env_id, dict(selection.make_options)
    if rendered:
        made_with["render_mode"] = "rgb_array"
    try:
        env = make_environment(env_id, made_with)
    except (gymnasium.error.Error, ImportError) as error:
        raise PlayError(f"cannot make {env_id} with these options: {one_line(error)}") from None
    if rendered and env.render_mode != "rgb_array":
        raise PlayError(f"{env_id} cannot render pictures; --headless prints the scores")
    return env


@contextmanager
def live_reward(selection: Selection, playback: Playback) -> Iterator[LiveReward | None]:
    """Exchange the reward of `playback` whenever its file is saved, if it comes from a file."""
    expression = selection.reward
    if expression is None or not has_code(expression):
        yield None
        return
    from playing.live_reward import LiveReward

    options = {name: v for name, v in selection.make_options.items() if name != "reward"}
    with closing(LiveReward(playback, expression, options)) as live:
        yield live


@contextmanager
def speaker(options: PlayOptions, playback: Playback) -> Iterator[Speaker | None]:
    """Open the sound device if --sound asks for it.

    Raises:
        PlayError: if there is none, or the game has no sounds.
    """
    if not options.sound:
        yield None
        return
    from playing.sound import Speaker

    with closing(Speaker(playback)) as sound:
        yield sound


def _summary(selection: Selection, playback: Playback, results: list[Result]) -> Summary:
    run = str(selection.run) if playback.player.name == TRAINED else None
    details = {"run": run, "reward": selection.reward}
    playback.env.close()
    return Summary(
        selection.env_id, playback.player.name, selection.seed, results, playback.episode, details
    )
