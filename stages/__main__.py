"""Run an experiment: python -m stages [NAME] [--lang ko] ...; without a name, the overview.

`python -m stages generate RUN` and the other `COMMANDS` run no experiment.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from envs.names import load, suggest
from envs.registry import EXPERIMENTS, summaries
from rewards.command_line import INTERRUPTED, USAGE_ERROR, as_typed, use_utf8
from rewards.output import forgiving_output
from training.messages import one_line

DEFAULT = "overview"
COMMANDS = {
    "generate": (
        "stages.pretraining.generate:main",
        "Continue a commentary with the GPT of a run.",
    ),
    "next_token": ("stages.pretraining.next_token:main", "Show a sentence as training examples."),
    "token_map": ("stages.pretraining.token_map:main", "Show which tokens have similar vectors."),
    "tries": ("stages.supervised.tries:main", "Show a search by trial and error."),
    "claims": ("stages.lab.summary:main", "Show the claims of several experiments in one table."),
    "preparing": ("stages.supervised.preparing:main", "Show how screens become training data."),
    "agreement": ("stages.supervised.agreement:main", "Compare the labels of two people."),
}
"""Function and summary of each command that is no experiment. A function takes the arguments, and
raises errors that are one line."""
HELP = f"""usage: python -m stages [NAME] [options]

Run an experiment: print a table and its conclusions, and write a slide (PNG).
Without a name, run `{DEFAULT}`. `python -m stages NAME --help` lists the options.

{summaries(EXPERIMENTS)}

Other commands:

{chr(10).join(f"{name:10}  {summary}" for name, (_, summary) in COMMANDS.items())}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["--help"], ["-h"]):
        print(as_typed(HELP), end="")
        return 0
    name = given.pop(0) if given and not given[0].startswith("-") else DEFAULT
    if name in COMMANDS:
        return _run_command(name, given)
    if name not in EXPERIMENTS:
        hint = suggest(name, [*EXPERIMENTS, *COMMANDS])
        print(f"stages: there is no experiment `{name}`; {hint}", file=sys.stderr)
        return USAGE_ERROR
    from stages.lab.command import run_experiment

    target = EXPERIMENTS[name].target
    module = importlib.import_module(target.partition(":")[0])
    return run_experiment(name, load(target), given, module.__doc__)


def _run_command(name: str, arguments: Sequence[str]) -> int:
    """Run a command that is no experiment and return the exit code."""
    try:
        load(COMMANDS[name][0])(arguments)
    except (ValueError, OSError) as error:
        print(f"stages {name}: {one_line(error)}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"stages {name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    use_utf8("stages")
    forgiving_output()
    sys.exit(main())
