"""What other rewards pay in recorded episodes: python -m rewards rescore RUN my_reward.py

The first table shows what each reward and each of its terms pays in an episode. The second one
shows the moments at which two rewards disagree most, and the figure one of these episodes.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from reward_lab import texts as lab_texts
from reward_lab.command import LabCommand, LabOptions
from rewards.check.texts import FOLDER
from rewards.command_line import as_typed, quoted
from rewards.texts import load_texts
from stages.lab.slides import COLOURS, slide
from training.cli import Count, Switch
from training.evaluation import bootstrap_interval
from training.messages import say
from training.rescoring import Moment, Paid, Rescored, open_episodes, rescore, rewards_to_compare
from training.run_folder import write_json

NAME = "rescore"
WIDTH = 50  # letters in a line of the legend


@dataclass(frozen=True, kw_only=True)
class RescoreOptions(LabOptions):
    """Show what other rewards pay in the recorded episodes of a run, exactly as in training.

    Nothing is played again. If you name one REWARD, it is compared with the reward of the run.
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(name="RUN", metavar="RUN")]
    """Run folder, or a file of recorded episodes (.npz)."""
    rewards: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(name="REWARD", metavar="REWARD ...")
    ] = ()
    """Rewards, as --reward of train.py takes them."""
    last: Switch = False
    """Take the episodes of the last model of the run instead of the best one."""
    episode: Count = None
    """Number of the episode in the figure. Default: the one with the greatest disagreement."""
    trust_reward: Switch = False
    """Execute the copy of the reward code in the run folder. Use it only for runs you trust."""


def run(options: RescoreOptions) -> None:
    """Pay the episodes, print the tables, and draw the figure."""
    texts = lab_texts.load(NAME, options.lang)
    texts = texts | {"events": load_texts(FOLDER, options.lang)["events"]}
    episodes = open_episodes(options.run, options.last)
    if options.episode is not None and not 1 <= options.episode <= len(episodes):
        raise ValueError(
            f"--episode must be between 1 and {len(episodes)}, the number of recorded episodes, "
            f"got {options.episode}"
        )
    rewards = rewards_to_compare(options.run, episodes, options.rewards, options.trust_reward)
    for name in ("out", "episode"):
        if len(rewards) == 1 and getattr(options, name) is not None:
            raise ValueError(f"--{name} needs two rewards: the figure shows where they disagree")
    path = options.figure(NAME)
    found = rescore(episodes, rewards)
    moments = found.moments() if len(rewards) > 1 else []
    show(found, moments, texts)
    if options.json is not None:
        write_json(options.json, to_json(found, moments))
    if len(rewards) == 1:
        return
    first = moments[0].episode if moments else 0
    episode = first if options.episode is None else options.episode - 1
    with slide(path, options.lang) as axes:
        draw(axes, found, moments, episode, texts)
    print(texts["figure"].format(path=path))
    last = " --last" if options.last else ""
    command = f"{quoted(options.run)}{last} --reward {quoted(rewards[1])}"
    print(as_typed(texts["watch"].format(command=command)))


def show(found: Rescored, moments: list[Moment], texts: dict[str, Any]) -> None:
    """Print what each reward pays, and where the first two disagree."""
    episodes, console = found.episodes, Console()
    counted = {"episodes": len(episodes), "steps": f"{len(episodes.actions):,}"}
    table = Table(title=texts["title"].format(**counted), title_justify="left")
    for name in ("reward", "mean", "interval", "step"):
        table.add_column(texts[name], justify="left" if name == "reward" else "right")
    for paid in found.paid:
        title = paid.reward.title
        table.add_row(title, *_cells(paid.returns), _number(paid.rewards.mean()))
        for name, weight in zip(paid.reward.names, paid.reward.weights, strict=True):
            if len(paid.terms) > 1:
                values = weight * paid.terms[name]
                row = (f"  {weight:g} × {name}", *_cells(paid.sums(values)))
                table.add_row(*row, _number(values.mean()), style="dim")
    table.add_section()
    table.add_row(texts["score"], *_cells(episodes.scores), "")
    console.print(table, markup=False)
    if len(found.paid) > 1:
        _show_moments(console, found, moments, texts)


def _show_moments(
    console: Console, found: Rescored, moments: list[Moment], texts: dict[str, Any]
) -> None:
    if not moments:
        say(console, texts["agree"])
        return
    table = Table(title=texts["moments"], title_justify="left")
    for name in ("episode", "second", "event"):
        table.add_column(texts[name], justify="left" if name == "event" else "right")
    for paid in found.paid[:2]:
        table.add_column(textwrap.shorten(paid.reward.title, 28), justify="right")
    table.add_column(texts["difference"], justify="right")
    per_second = found.episodes.game.steps_per_second
    for moment in moments:
        table.add_row(
            str(moment.episode + 1),
            f"{moment.step / per_second:.1f}",
            texts["events"].get(moment.event, moment.event),
            *(_number(value) for value in moment.rewards),
            f"{moment.difference:+.1f}",
        )
    console.print(table, markup=False)


def draw(
    axes: Any, found: Rescored, moments: list[Moment], episode: int, texts: dict[str, Any]
) -> None:
    """Draw how much two rewards pay during an episode, and mark the moments of disagreement."""
    steps, per_second = found.episodes.steps_of(episode), found.episodes.game.steps_per_second
    first, second = found.curves[:2, steps]
    seconds = np.arange(len(first)) / per_second
    for k, (curve, paid) in enumerate(zip((first, second), found.paid[:2], strict=True)):
        label = textwrap.fill(paid.reward.title, WIDTH)
        axes.plot(seconds, curve, color=COLOURS[k], lw=2.5, label=label)
    axes.fill_between(seconds, first, second, color="grey", alpha=0.25, lw=0)
    for moment in moments:
        if moment.episode == episode:
            here = moment.step / per_second
            axes.axvline(here, color="black", ls=":", lw=2)
            event = texts["events"].get(moment.event, moment.event)
            place = (here, axes.get_ylim()[1])
            axes.annotate(event, place, rotation=25, va="bottom", fontsize=14)
    axes.set_title(texts["figure_title"].format(episode=episode + 1), pad=40)
    axes.set_xlabel(texts["x"])
    axes.set_ylabel(texts["y"])
    axes.figure.legend(loc="outside lower center", frameon=False)


def to_json(found: Rescored, moments: list[Moment]) -> dict[str, Any]:
    """Return all numbers."""
    about = found.episodes.about
    return {
        "env": about.env_id,
        "env_options": about.env_options,
        "player": about.player,
        "lengths": found.episodes.lengths.tolist(),
        "scores": found.episodes.scores.tolist(),
        "rewards": [_paid_json(paid) for paid in found.paid],
        "moments": [moment._asdict() for moment in moments],
    }


def _paid_json(paid: Paid) -> dict[str, Any]:
    weights = dict(zip(paid.reward.names, paid.reward.weights, strict=True))
    return {
        "reward": paid.reward.title,
        "mean_return": float(paid.returns.mean()),
        "interval_95": bootstrap_interval(paid.returns),
        "returns": paid.returns.tolist(),
        "terms": {
            name: {"weight": weights[name], "sums": paid.sums(values).tolist()}
            for name, values in paid.terms.items()
        },
    }


def _cells(values: Any) -> tuple[str, str]:
    """Return the mean of one value per episode, and its 95 % interval over episodes."""
    low, high = bootstrap_interval(values)
    return _number(values.mean()), f"{_number(low)} … {_number(high)}" if len(values) > 1 else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


COMMAND = LabCommand(NAME, RescoreOptions, run)
