"""Compare rewards: python -m rewards compare hit_or_miss stay_alive my_reward.py

Agents are trained on each reward. The table has a row for each reward that agents were trained on,
and a column for each reward that judges them. Below it are the rewards that were hacked, and those
that agree.
"""

from __future__ import annotations

import math
import string
import textwrap
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from reward_lab import texts as lab_texts
from reward_lab.command import LabCommand, LabOptions
from reward_lab.comparison import SEEDS, STEPS, Comparison, Hacked, check, compare
from stages.lab.intervals import Mean
from stages.lab.plots import side_by_side
from stages.lab.slides import COLOURS, slide
from training.cli import Text, Workers
from training.config import EnvOptions
from training.messages import say
from training.run_folder import write_json
from training.workers import check_workers

NAME = "compare"
WIDTH = 16  # letters in a line of a label in the figure


@dataclass(frozen=True, kw_only=True)
class CompareOptions(LabOptions):
    """Train agents on several rewards, and judge every agent by every reward and by the score.

    Nothing is trained twice: what an earlier command trained with the same reward and settings is
    used again. Ctrl-C keeps what is trained.
    """

    rewards: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(name="REWARD", metavar="REWARD ...")
    ] = ()
    """At least two rewards, as --reward of train.py takes them."""
    env: str = "paddle"
    """Game."""
    env_options: EnvOptions = field(default_factory=dict)
    """Options of the game, such as task=goal."""
    agent: Text = None
    """Agent. The default depends on the game."""
    steps: int = STEPS
    """Environment steps of each training."""
    seeds: int = SEEDS
    """Number of agents trained on each reward, 2 to 10."""
    workers: Workers = ""

    def __post_init__(self) -> None:
        check(self.rewards, self.env, self.seeds)
        check_workers(self.workers)


def run(options: CompareOptions) -> None:
    """Compare, print the table and the sentences, and draw the figure."""
    path, texts = options.figure(NAME), lab_texts.load(NAME, options.lang)
    found = compare(
        options.rewards,
        options.env,
        env_options=options.env_options,
        agent=options.agent,
        steps=options.steps,
        seeds=options.seeds,
        workers=options.workers,
        describe=texts["progress"],
        on_warning=COMMAND.warn,
    )
    show(found, texts)
    if options.json is not None:
        write_json(options.json, found.to_json())
    with slide(path, options.lang) as axes:
        draw(axes, found, texts)
    print(texts["figure"].format(path=path))


def show(found: Comparison, texts: dict[str, Any]) -> None:
    """Print the table and the sentences below it."""
    console = Console()
    for letter, name in zip(_letters(found), found.rewards, strict=True):
        say(console, f"{letter}  {name}")
    table = Table(title=texts["table"].format(seeds=found.seeds, steps=found.steps))
    table.add_column(texts["trained_on"])
    for heading in (*_letters(found), texts["score"]):
        table.add_column(heading, justify="right")
    judges = range(len(found.rewards))
    digits = [_digits(found.returns[:, j]) for j in judges]
    for i, letter in enumerate(_letters(found)):
        cells = [_cell(found.earned(i, j), digits[j]) for j in judges]
        table.add_row(letter, *cells, _cell(found.score(i), _digits(found.scores)))
    table.add_section()
    ranks = [_correlation(value) for value in found.agreement()[-1, :-1]]
    table.add_row(texts["correlation"], *ranks, "")
    console.print(table)
    for sentence in sentences(found, texts):
        say(console, sentence)


def sentences(found: Comparison, texts: dict[str, Any]) -> list[str]:
    """Return what the comparison shows: hacked rewards, rewards that agree, and what to watch."""
    hacks = found.hacks()
    lines = [_about(found, hack, texts) for hack in hacks]
    lines = lines or [texts["none_hacked"]]
    if alike := found.alike():
        pairs = [
            texts["pair"].format(first=found.rewards[i], second=found.rewards[j], value=value)
            for i, j, value in alike
        ]
        lines.append(texts["alike"].format(pairs=", ".join(pairs), agents=found.scores.size))
    shown = next((hack.reward for hack in hacks), found.best)
    lines.append(texts["watch"].format(folder=found.folders[shown][0]))
    return lines


def _about(found: Comparison, hack: Hacked, texts: dict[str, Any]) -> str:
    own, best = hack.reward, found.best
    digits, of_score = _digits(found.returns[:, own]), _digits(found.scores)
    words = {
        "reward": found.rewards[own],
        "best": found.rewards[best],
        "own": f"{found.earned(own, own).value:.{digits}f}",
        "other": f"{found.earned(best, own).value:.{digits}f}",
        "score": f"{found.score(own).value:.{of_score}f}",
        "best_score": f"{found.score(best).value:.{of_score}f}",
        "seeds": found.seeds,
    }
    return str(texts["hacked" if hack.certain else "perhaps_hacked"].format(**words))


def draw(axes: Any, found: Comparison, texts: dict[str, Any]) -> None:
    """Draw the matrix as a heat map, and the scores as bars next to it."""
    axes.set_title(texts["title"])
    matrix, bars = side_by_side(axes, 2)
    means, count = found.returns.mean(2), len(found.rewards)
    low, high = means.min(0), means.max(0)
    matrix.imshow(
        (means - low) / np.where(high > low, high - low, 1.0), cmap="Blues", vmax=1.4, aspect="auto"
    )
    for i in range(count):
        for j in range(count):
            text = f"{means[i, j]:.{_digits(found.returns[:, j])}f}"
            matrix.text(j, i, text, ha="center", va="center", fontsize=16)
    letters = _letters(found)
    names = [f"{a}  {name}" for a, name in zip(letters, found.rewards, strict=True)]
    matrix.set_xticks(range(count), letters)
    matrix.set_yticks(range(count), [textwrap.fill(name, WIDTH) for name in names], fontsize=14)
    matrix.set_xlabel(texts["paid_by"], fontsize=16)
    matrix.set_ylabel(texts["trained_on"], fontsize=16)
    matrix.grid(visible=False)
    hacked = {hack.reward for hack in found.hacks() if hack.certain}
    for i in range(count):
        score = found.score(i)
        colour = COLOURS[1] if i in hacked else COLOURS[0]
        bars.barh(i, score.value, 0.6, xerr=score.margin, capsize=8, color=colour)
    bars.set_yticks(range(count), [""] * count)
    bars.set_ylim(count - 0.5, -0.5)
    bars.set_xlabel(texts["score_axis"].format(seeds=found.seeds), fontsize=16)


def _letters(found: Comparison) -> str:
    """Return a letter for each reward."""
    return string.ascii_uppercase[: len(found.rewards)]


def _digits(values: Any) -> int:
    """Return the decimals with which the largest of the values has two or three digits."""
    largest = float(np.abs(values).max())
    if largest == 0.0:
        return 0
    place = math.floor(math.log10(largest))
    return max(0, 2 - place) if place >= 0 else 1 - place


def _cell(value: Mean, digits: int) -> str:
    return f"{value:.{digits}f}".replace(" ", "")


def _correlation(value: float) -> str:
    return "" if math.isnan(value) else f"{value:+.2f}"


COMMAND = LabCommand(NAME, CompareOptions, run)
