"""Files of examples that a person has labelled: `play.py --label` writes them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.run_folder import atomic_path

Array = np.ndarray[Any, Any]


class HandLabels(NamedTuple):
    """Examples, and what a person and the dataset say about them."""

    observations: Array
    """(n, ...)."""
    labels: Array
    """(n,) int64, the classes that the person chose."""
    answers: Array
    """(n,) int64, the labels of the dataset."""
    names: Array
    """(k,) names of the classes."""


def write(file: Path, labels: HandLabels) -> None:
    """Write a file, as a whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    with atomic_path(file) as temporary, temporary.open("wb") as opened:
        np.savez_compressed(opened, **labels._asdict())


def read(file: Path) -> HandLabels:
    """Read a file.

    Raises:
        ValueError: if there is none, or it is not a file of labels.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = HandLabels(*(arrays[name] for name in HandLabels._fields))
    except FileNotFoundError:
        raise ValueError(f"there is no file {file}") from None
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile):
        raise ValueError(f"{file} was not written by `play.py --label`") from None
    count, classes = len(found.observations), len(found.names)
    whole = found.labels.shape == found.answers.shape == (count,) and count > 0
    if not whole or not all(
        np.issubdtype(each.dtype, np.integer) and (each >= 0).all() and (each < classes).all()
        for each in (found.labels, found.answers)
    ):
        raise ValueError(f"{file} is damaged: its labels do not fit its examples")
    return found
