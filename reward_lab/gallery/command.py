"""The gallery of rewards that go wrong: python -m rewards gallery [NAME ...]"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.progress import Progress
from rich.syntax import Syntax
from rich.table import Table

from envs.names import suggest
from reward_lab import texts as lab_texts
from reward_lab.command import LabCommand
from reward_lab.gallery import HACKS, RESULTS, Hack
from reward_lab.gallery.outcomes import Verdict, load_verdicts
from rewards.check.next_commands import check, train
from rewards.command_line import quoted
from stages.lab.intervals import check_seeds
from training.cli import Count, File, Switch, Workers, check_file
from training.messages import say
from training.run_folder import write_json
from training.workers import check_workers

NAME = "gallery"


@dataclass(frozen=True, kw_only=True)
class GalleryOptions:
    """Show rewards that look right and go wrong, what their agents do, and how to repair them.

    Without NAME, list all of them.
    """

    names: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(name="NAME", metavar="[NAME ...]")
    ] = ()
    """Rewards of the gallery."""
    lang: Literal["en", "ko"] = "en"
    """Language of the texts."""
    out: File = None
    """Write a page with curves and films to this HTML file."""
    json: File = None
    """Also write all numbers to this JSON file."""
    verify: Switch = False
    """Train the agents again, and show whether the rewards still go wrong. This takes minutes."""
    seeds: Count = None
    """Number of agents that --verify trains for each reward, 2 to 10. Default: 5."""
    workers: Workers = ""
    save: File = None
    """Folder for the results of --verify, in the form of reward_lab/gallery/results."""

    def __post_init__(self) -> None:
        for name in self.names:
            known = [hack.name for hack in HACKS]
            if name not in known:
                raise ValueError(f"the gallery has no reward `{name}`; {suggest(name, known)}")
        if self.seeds is not None:
            check_seeds(self.seeds)
        check_workers(self.workers)
        if self.out is not None and self.out.suffix != ".html":
            raise ValueError(f"--out must end in .html, got {self.out}")
        for name in ("seeds", "workers", "save"):
            if getattr(self, name) not in (None, "") and not self.verify:
                raise ValueError(f"--{name} needs --verify")
        check_file("--out", self.out)
        check_file("--json", self.json)


def run(options: GalleryOptions) -> None:
    """List the rewards, show some of them, make the page, or train the agents again."""
    texts, console = lab_texts.load(NAME, options.lang), Console()
    chosen = [hack for hack in HACKS if hack.name in options.names or not options.names]
    if options.verify:
        if options.save is not None:
            options.save.mkdir(parents=True, exist_ok=True)
        from reward_lab.gallery.trials import SEEDS, verify  # slow, and the list does not need it

        verdicts = verify(
            chosen,
            options.seeds or SEEDS,
            workers=options.workers,
            describe=texts["title"],
            save=options.save,
        )
    else:
        verdicts = [verdict for verdict in load_verdicts() if verdict.hack in chosen]
    if options.json is not None:
        write_json(options.json, [to_json(verdict) for verdict in verdicts])
    if options.out is not None:
        from reward_lab.gallery.page import write_page

        with Progress(console=Console(stderr=True), transient=True) as progress:
            write_page(options.out, verdicts, texts, options.lang, progress)
        print(texts["written"].format(path=options.out))
    elif options.names and not options.verify:
        for verdict in verdicts:
            show(console, verdict, texts)
    else:
        show_all(console, verdicts, texts)


def show_all(console: Console, verdicts: list[Verdict], texts: dict[str, Any]) -> None:
    """Print a table with a row for each reward."""
    table = Table(title=texts["title"])
    for name in ("name", "game", "short"):
        table.add_column(texts[name], no_wrap=name == "name")
    for name in ("score", "repaired", "rose", "worse"):
        table.add_column(texts[name], justify="right")
    for verdict in verdicts:
        hack, seeds = verdict.hack, verdict.seeds
        game = " ".join([hack.env, *map(str, hack.env_options.values())])
        counts = (verdict.risen, verdict.worse)
        table.add_row(
            hack.name,
            game,
            texts["hacks"][hack.name]["title"],
            f"{verdict.wrong.score:.2f}",
            f"{verdict.repaired.score:.2f}",
            *(texts["of"].format(count=count, seeds=seeds) for count in counts),
        )
    console.print(table, markup=False)
    for text in (
        texts["verified"].format(seeds=verdicts[0].seeds),
        texts["one"].format(name=verdicts[0].hack.name),
        texts["page"],
    ):
        say(console, text)


def show(console: Console, verdict: Verdict, texts: dict[str, Any]) -> None:
    """Print everything about one reward."""
    hack = verdict.hack
    own = texts["hacks"][hack.name]
    say(console, f"\n{own['title']} ({hack.name})\n")
    for name, file in (("wanted", hack.file), ("happens", None), ("repair", hack.repair_file)):
        say(console, f"{texts[name]}: {own[name]}\n")
        if file is not None:
            console.print(Syntax(file.read_text("utf-8").strip(), "python", theme="ansi_dark"))
            say(console, "")
    seeds = verdict.seeds
    for name, outcome in (("score", verdict.wrong), ("repaired", verdict.repaired)):
        say(console, f"{texts[name]}: {outcome.score:.2f}")
    for name, count in (("rose", verdict.risen), ("worse", verdict.worse)):
        say(console, f"{texts[name]}: {texts['of'].format(count=count, seeds=seeds)}")
    say(console, "")
    for name, command in _commands(hack).items():
        say(console, texts[name].format(command=command))


def _commands(hack: Hack) -> dict[str, str]:
    """Return the commands to run next."""
    file = _shown(hack.file)
    film = _shown(RESULTS / f"{hack.name}.npz")
    return {
        "check": check(file),
        "train": train(hack.env, hack.env_options, file),
        "watch": f"python play.py --replay {quoted(film)} --reward {quoted(file)}",
    }


def _shown(path: Path) -> str:
    """Return a path from the current folder, if it lies in it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def to_json(verdict: Verdict) -> dict[str, Any]:
    """Return all numbers about one reward."""
    return {
        "name": verdict.hack.name,
        "repair": verdict.hack.repair,
        "env": verdict.hack.env,
        "env_options": dict(verdict.hack.env_options),
        "seeds": verdict.seeds,
        "reward_rose": verdict.risen,
        "repair_clearly_better": verdict.worse,
        "gain": verdict.gain._asdict(),
        "wrong": asdict(verdict.wrong),
        "repaired": asdict(verdict.repaired),
    }


COMMAND = LabCommand(NAME, GalleryOptions, run)
