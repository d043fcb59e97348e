"""The command line: python -m training doctor RUN [--lang ko] [--json] [--out FILE]"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from training.cli import File, Switch, check_file, read_options
from training.doctor.diagnosis import diagnose
from training.doctor.report import draw_evidence, show_diagnosis, to_json


@dataclass(frozen=True)
class Options:
    """Say why the agent of a run may not have learned, with evidence and something to try."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder of the run, such as runs/NAME."""
    lang: Literal["en", "ko"] = "en"
    """Language: en or ko."""
    json: Switch = False
    """Print JSON instead of sentences."""
    out: File = None
    """Also draw the curves that show the findings into this PNG file."""


def main(arguments: Sequence[str]) -> None:
    """Run the command and print what may be wrong.

    Raises:
        ValueError: if the options or the run cannot be used.
        OSError: if the figure cannot be written.
    """
    options: Options = read_options(Options, arguments, "-m training doctor")
    check_file("--out", options.out)
    diagnosis = diagnose(options.run)
    if options.out is not None:
        draw_evidence(diagnosis, options.out)
    if options.json:
        text = json.dumps(
            to_json(diagnosis, options.lang), ensure_ascii=False, indent=2, allow_nan=False
        )
        print(text)
    else:
        show_diagnosis(Console(), diagnosis, options.lang)
