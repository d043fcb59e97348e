"""List all names: python -m envs [games | datasets | agents | experiments]

The tables are Markdown, as README and docs show them.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence

from envs import registry
from envs.names import suggest

TABLES: dict[str, tuple[str, Mapping[str, registry.Entry]]] = {
    "games": ("--env", registry.GAMES),
    "datasets": ("--env", registry.DATASETS),
    "agents": ("--agent", registry.AGENTS),
    "experiments": ("python -m stages", registry.EXPERIMENTS),
}
USAGE_ERROR = 2


def table(name: str) -> str:
    """Return one of `TABLES` as Markdown."""
    heading, entries = TABLES[name]
    lines = [f"| `{heading}` | what it is |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{key}` | {entries[key].summary} |" for key in entries)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    names = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(names):
        print(__doc__)
        return 0
    for name in names:
        if name not in TABLES:
            print(f"envs: there is no table `{name}`; {suggest(name, TABLES)}", file=sys.stderr)
            return USAGE_ERROR
    print("\n\n".join(table(name) for name in names or TABLES))
    return 0


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # not on Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends the program quietly
    sys.exit(main())
