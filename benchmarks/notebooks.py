"""Execute the notebooks: python -m benchmarks.notebooks [NAME ...] [--lang en|ko] [--quick]

Each notebook runs in a kernel of its own, in a temporary folder. With `--quick`, all run in one
kernel, and trainings are as short as possible. With `--out`, notebooks with their outputs are
written there, ready for Jupyter.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rewards.command_line import INTERRUPTED, USAGE_ERROR

FOLDER = Path(__file__).parents[1] / "notebooks"
QUICK = """
from training import api

QUICK = {"steps": 512, "eval_every": 512, "eval_episodes": 4, "video_frames": 0}
_train, _evaluate = api.train, api.evaluate
api.train = lambda *given, **options: _train(*given, **options | QUICK)
api.evaluate = lambda *given, **options: _evaluate(*given, **options | {"episodes": 4})
"""
"""The first cell of a shortened notebook."""
SECONDS = 1200
"""Limit for a cell; on two cores without other work, a whole notebook takes less than 180 s."""


def notebooks(names: Sequence[str] = (), lang: str = "") -> list[Path]:
    """Return the notebooks whose file names begin with one of `names`; by default, all.

    `lang`, `en` or `ko`, leaves out the other language.

    Raises:
        ValueError: if there is none.
    """
    found = sorted(FOLDER.glob("*.py"))
    if lang:
        found = [file for file in found if file.name.endswith(".ko.py") == (lang == "ko")]
    for name in names:
        if not any(file.name.startswith(name) for file in found):
            known = ", ".join(file.stem for file in found)
            raise ValueError(f"there is no notebook {name}; choose from {known}")
    return [file for file in found if not names or file.name.startswith(tuple(names))]


def read(file: Path) -> Any:
    """Return a notebook."""
    import jupytext

    return jupytext.read(file)


def shortened(read_ones: Sequence[Any]) -> Any:
    """Return one notebook with the cells of all, whose trainings and evaluations are short."""
    import nbformat

    cells = [nbformat.v4.new_code_cell(QUICK)]
    cells += [cell for notebook in read_ones for cell in notebook.cells]
    return nbformat.v4.new_notebook(cells=cells)


def execute(notebook: Any, folder: Path) -> None:
    """Execute a notebook in place, in a kernel that starts in `folder`.

    Raises:
        nbclient.exceptions.CellControlSignal: if a cell fails, or takes longer than `SECONDS`.
    """
    from nbclient import NotebookClient

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's connection
        resources = {"metadata": {"path": str(folder)}}
        client = NotebookClient(notebook, timeout=SECONDS, resources=resources)
        asyncio.run(client.async_execute())


def _processor_seconds() -> float:
    """Return the processor time of the kernels that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notebooks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="beginning of a file's name")
    parser.add_argument("--lang", choices=("en", "ko"), default="", help="one language only")
    parser.add_argument("--quick", action="store_true", help="one kernel, short trainings")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write .ipynb files")
    options = parser.parse_args(arguments)
    from nbclient.exceptions import CellControlSignal

    try:
        files = notebooks(options.names, options.lang)
    except ValueError as error:
        print(f"notebooks: {error}", file=sys.stderr)
        return USAGE_ERROR
    read_ones = [read(file) for file in files]
    if options.quick:
        files, read_ones = [Path("quick")], [shortened(read_ones)]
    for file, notebook in zip(files, read_ones, strict=True):
        began = time.monotonic(), _processor_seconds()
        try:
            with tempfile.TemporaryDirectory() as folder:
                execute(notebook, Path(folder))
        except CellControlSignal as error:  # with the cell and its traceback
            print(f"notebooks: {file.stem}: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"notebooks: {file.stem}: interrupted", file=sys.stderr)
            return INTERRUPTED
        seconds = time.monotonic() - began[0], _processor_seconds() - began[1]
        print(f"{file.stem:36} {seconds[0]:6.1f} s, of processors {seconds[1]:6.1f} s", flush=True)
        if options.out is not None:
            import nbformat

            options.out.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, options.out / f"{file.stem}.ipynb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
