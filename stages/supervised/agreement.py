"""Compare the labels of two people: python -m stages agreement labels1.npz labels2.npz

The files are those of `play.py --label`. Where two people label the same screens differently, one
of them is wrong: this is label noise as it really occurs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from training.cli import read_options
from training.hand_labels import HandLabels, read


@dataclass(frozen=True)
class AgreementOptions:
    """Compare the labels that two people gave to the same screens."""

    first: Annotated[Path, tyro.conf.Positional]
    """File of the first person."""
    second: Annotated[Path, tyro.conf.Positional]
    """File of the second person."""


def agreement(first: HandLabels, second: HandLabels) -> str:
    """Return a sentence about how often two people agree.

    Raises:
        ValueError: if they have labelled no screen in common.
    """
    count = min(len(first.labels), len(second.labels))
    same = first.observations[:count].shape == second.observations[:count].shape and np.array_equal(
        first.observations[:count], second.observations[:count]
    )
    if not same or list(first.names) != list(second.names):
        raise ValueError("the files have different screens; use the same --label and --seed")
    shares = {
        "agree": np.mean(first.labels[:count] == second.labels[:count]),
        "first": np.mean(first.labels[:count] == first.answers[:count]),
        "second": np.mean(second.labels[:count] == second.answers[:count]),
    }
    return (
        "{count} screens: the two people agree on {agree:.1%}. The program agrees with the first "
        "person on {first:.1%} and with the second on {second:.1%}."
    ).format(count=count, **shares)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ValueError: for options or files that cannot be used.
        OSError: if a file cannot be read or written.
    """
    options: AgreementOptions = read_options(AgreementOptions, arguments, "-m stages agreement")
    print(agreement(read(options.first), read(options.second)))
