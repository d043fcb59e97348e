"""Learn a reward from your comparisons: python -m rewards prefer --env bicycle

Two clips are shown next to each other, and a key says which one you like better. With --teacher
score, the game's own score answers, so that it can be measured how well this works.
"""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from envs.names import flag
from envs.registry import GAMES, look_up
from playing import theme
from reward_lab import texts as lab_texts
from reward_lab.command import LabCommand, LabOptions
from reward_lab.preferences.prefer import Preferences, begin, folder_of, prefer
from reward_lab.preferences.store import Settings, Store
from reward_lab.preferences.window import PreferWindow, prefer_by_hand
from rewards.command_line import INTERRUPTED, quoted
from stages.lab.slides import COLOURS, slide
from training.cli import File, Text
from training.config import EnvOptions
from training.display import make_display
from training.evaluation import score_text
from training.messages import say
from training.run_folder import write_json

NAME = "prefer"


@dataclass(frozen=True, kw_only=True)
class PreferOptions(LabOptions):
    """Learn a reward from comparisons of short clips, while an agent trains on it.

    The keys are left, right, space (both the same), down (cannot tell) and Esc (save and stop).
    Everything is in the folder preferences/NAME, which --reward takes in train.py, play.py and the
    other commands.
    """

    env: str = "paddle"
    """Game: paddle or bicycle."""
    env_options: EnvOptions = field(default_factory=dict)
    """Options of the game, such as task=slow."""
    name: Text = None
    """Name of the new folder in preferences/. Default: the name of the game."""
    resume: File = None
    """Folder of a session to continue, exactly from where it stopped."""
    teacher: Literal["you", "score"] = "you"
    """Source of the answers: you, or the rise of the game's score in each clip."""
    mistakes: float = 0.0
    """With --teacher score: share of answers that are wrong, chosen at random."""
    comparisons: int = 200
    """Number of comparisons."""
    clip_seconds: float = 1.5
    """Length of a clip at the game's speed."""
    steps: int = 1_000_000
    """Total number of environment steps of the agent. With --teacher score, training ends
    earlier if the game is solved."""
    seed: int = 1
    """Seed of every random number generator."""

    def __post_init__(self) -> None:
        look_up(GAMES, "game", self.env)
        limits = (
            ("mistakes", self.mistakes, 0.0, 1.0),
            ("comparisons", self.comparisons, 1, 100_000),
            ("clip-seconds", self.clip_seconds, 0.1, 60.0),
            ("steps", self.steps, 1, 10**12),
            ("seed", self.seed, 0, 2**32 - 1),
        )
        for name, value, least, most in limits:
            if not least <= value <= most:  # NaN too
                raise ValueError(
                    f"--{name} must be between {least:,.13g} and {most:,.13g}, got {value:,.13g}"
                )
        if self.mistakes and self.teacher == "you":
            raise ValueError("--mistakes needs --teacher score")
        if self.resume is not None:
            self._check_nothing_changes()

    def _check_nothing_changes(self) -> None:
        """Raise ValueError for an option that a resumed session would ignore."""
        for each in fields(Settings):
            if getattr(self, each.name) != getattr(PreferOptions, each.name, {}):
                option = flag(each.name)
                raise ValueError(f"--resume keeps the settings of its folder; leave out {option}")
        if self.name is not None:
            raise ValueError("--resume keeps the name of its folder; leave out --name")

    def settings(self) -> Settings:
        """Return the settings of a new session."""
        return Settings(
            env=self.env,
            env_options=self.env_options,
            teacher=self.teacher,
            mistakes=self.mistakes,
            comparisons=self.comparisons,
            clip_seconds=self.clip_seconds,
            steps=self.steps,
            seed=self.seed,
        )


def run(options: PreferOptions) -> int:
    """Run a session, print the table of its rounds, draw its score; return the exit code."""
    path, texts = options.figure(NAME), lab_texts.load(NAME, options.lang)
    command = shlex.join(["python", "-m", "rewards", *sys.argv[1:]])
    if options.resume is not None:
        settings = Store(options.resume).settings()
    else:
        settings = options.settings()
    if settings.teacher == "you":
        theme.use_language(options.lang)
        window = PreferWindow(texts, settings.env)
        found = prefer_by_hand(_store(options, settings), window, command)
    else:
        display = make_display(Console(), f"{settings.env}, {NAME}", 0, settings.steps)
        found = prefer(_store(options, settings), command, display)
    show(found, texts)
    if options.json is not None:
        write_json(options.json, to_json(found))
    if len(found.rounds) > 1:
        with slide(path, options.lang) as axes:
            draw(axes, found, texts)
        print(texts["figure"].format(path=path))
    return INTERRUPTED if found.interrupted else 0


def _store(options: PreferOptions, settings: Settings) -> Store:
    """Return the folder to continue, or a new one."""
    if options.resume is not None:
        return Store(options.resume)
    return begin(settings, folder_of(options.name or settings.env))


def to_json(found: Preferences) -> dict[str, Any]:
    """Return all numbers of a session."""
    final = found.final
    return {
        "folder": str(found.folder),
        "run": str(found.run),
        "settings": asdict(found.settings),
        "rounds": [asdict(each) for each in found.rounds],
        "steps": found.steps,
        "solved": found.solved,
        "score": None if final is None else final.last.mean_score,
        "best_score": None if final is None else final.best.mean_score,
    }


def show(found: Preferences, texts: dict[str, Any]) -> None:
    """Print the table of the rounds, the result and what to do next."""
    console = Console()
    folder, settings = quoted(found.folder), found.settings
    table = Table(title=texts["table"].format(folder=found.folder))
    for heading in ("round", "after", "held_out", "mean_score"):
        table.add_column(texts[heading], justify="right")
    for each in found.rounds:
        accuracy, score = each.held_out_accuracy, each.score
        table.add_row(
            f"{each.comparisons:,}",
            f"{each.steps:,}",
            "" if accuracy is None else f"{accuracy:.0%}",
            "" if score is None else score_text(score),
        )
    console.print(table)
    if found.final is None:
        lines = [texts["interrupted"].format(folder=folder)]
    else:
        last, best = (each.mean_score for each in (found.final.last, found.final.best))
        scores = {"last": score_text(last), "best": score_text(best)}
        words = {"steps": found.steps, "comparisons": found.comparisons, **scores}
        lines = [
            texts["outcome"].format(**words),
            texts["use"].format(env=settings.env, folder=folder),
            texts["watch"].format(run=quoted(found.run)),
        ]
    for line in lines:
        say(console, line)


def draw(axes: Any, found: Preferences, texts: dict[str, Any]) -> None:
    """Draw the score at each round, which the reward never sees."""
    axes.set(title=texts["figure_title"].format(comparisons=found.comparisons))
    axes.set(xlabel=texts["x"], ylabel=texts["y"])
    points = [(each.steps, each.score) for each in found.rounds if each.score is not None]
    if found.final is not None:
        points.append((found.steps, found.final.last.mean_score))
    axes.plot(*zip(*points, strict=True) if points else ([], []), "o-", color=COLOURS[0])
    for each in found.rounds:
        axes.axvline(each.steps, color="grey", ls=":", lw=1)
    axes.set_xlim(0, None)
    axes.set_ylim(0, None)


COMMAND = LabCommand(NAME, PreferOptions, run)
