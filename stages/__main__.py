"""Run an experiment: python -m stages [NAME] [--lang ko] ...; without a name, the overview."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from envs.names import suggest
from envs.registry import EXPERIMENTS
from stages.lab.experiment import run_experiment
from training.cli import USAGE_ERROR

DEFAULT = "overview"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given.pop(0) if given and not given[0].startswith("-") else DEFAULT
    if name not in EXPERIMENTS:
        hint = suggest(name, EXPERIMENTS)
        print(f"stages: there is no experiment `{name}`; {hint}", file=sys.stderr)
        return USAGE_ERROR
    module = importlib.import_module(EXPERIMENTS[name].target.partition(":")[0])
    return run_experiment(name, module.experiment, given, getattr(module, "SEEDS", 3))


if __name__ == "__main__":
    sys.exit(main())
