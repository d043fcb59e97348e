"""Put the claims of several experiments into one table: python -m stages claims FILE ...

The files are those of `python -m stages NAME --json FILE`. Of many claims that are judged one by
one, some hold by luck. The last column says which still hold after their p-values are corrected for
their number (`stages.lab.intervals.holm`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import tyro
from rich.console import Console
from rich.table import Table

from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.intervals import LEVEL, holm
from stages.lab.results import Results
from stages.lab.texts import load
from training.cli import File, read_options
from training.run_folder import atomic_path, write_json


@dataclass(frozen=True)
class SummaryOptions:
    """Compare the claims of several experiments, corrected for their number."""

    files: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Files of `python -m stages NAME --json FILE`."""
    lang: Literal["en", "ko"] = "en"
    """Language of the header; the claims are in the language of their experiment's run."""
    out: File = None
    """File for the table as Markdown."""


class Judged(NamedTuple):
    """A claim of an experiment."""

    experiment: str
    """Name of the experiment."""
    seeds: int
    """Number of trials of each kind."""
    sentence: str
    """What the experiment printed."""
    p: float
    """One-sided p-value."""


def write_claims(path: Path, name: str, experiment: Experiment, results: Results) -> None:
    """Write the claims of an experiment and their p-values."""
    claims = [
        {"sentence": claim(results).removeprefix("- "), "p": claim.p_value(results)}
        for claim in experiment.conclusions
        if isinstance(claim, Claim)
    ]
    write_json(path, {"experiment": name, "seeds": results.seeds, "claims": claims})


def read_claims(path: Path) -> list[Judged]:
    """Return the claims in a file of `write_claims`.

    Raises:
        ValueError: if it is no such file.
    """
    try:
        saved = json.loads(path.read_text("utf-8"))
        return [
            Judged(saved["experiment"], saved["seeds"], claim["sentence"], float(claim["p"]))
            for claim in saved["claims"]
        ]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is no file of `python -m stages NAME --json FILE`") from None


def rows(claims: Sequence[Judged], texts: Any) -> list[tuple[str, ...]]:
    """Return a row for each claim: experiment, sentence, seeds, p-value and corrected p-value."""
    return [
        (
            *(claim.experiment, claim.sentence, str(claim.seeds), f"{claim.p:.4f}"),
            f"{corrected:.4f}" + (f" ({texts['holds']})" if corrected < LEVEL else ""),
        )
        for claim, corrected in zip(claims, holm([claim.p for claim in claims]), strict=True)
    ]


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ValueError: for options or files that cannot be used.
        OSError: if a file cannot be read or written.
    """
    options: SummaryOptions = read_options(SummaryOptions, arguments, "-m stages claims")
    claims = [claim for path in options.files for claim in read_claims(path)]
    if not claims:
        raise ValueError("there are no claims; name files of python -m stages NAME --json FILE")
    texts = load("claims", options.lang)
    header, lines = texts["columns"], rows(claims, texts)
    table = Table(*header, title=texts["title"], show_lines=True)
    for line in lines:
        table.add_row(*line)
    alone = sum(claim.p < LEVEL for claim in claims)
    together = sum(p < LEVEL for p in holm([claim.p for claim in claims]))
    verdict = texts["verdict"].format(
        count=len(claims), alone=alone, together=together, level=LEVEL
    )
    Console().print(table)
    print(verdict)
    if options.out:
        markdown = [header, ("---",) * 2 + ("---:",) * 3, *lines]
        page = [f"# {texts['title']}", "", verdict, ""]
        page += [f"| {' | '.join(line)} |" for line in markdown]
        with atomic_path(options.out) as temporary:
            temporary.write_text("\n".join([*page, ""]), "utf-8")
