"""Records the games on which a reward is tried, in a process that runs no user's code.

`rewards.sandbox.parent` starts it when a trial needs a recording that is not on disk yet. The trial
itself cannot write it, because it is in a sandbox. The request is a line of JSON on standard input.
"""

from __future__ import annotations

import contextlib
import json
import sys

from rewards.sandbox.child import game_of


def main() -> None:
    """Serve one request."""
    from rewards.check.recorded_games import recorded

    request = json.loads(sys.stdin.readline())
    with contextlib.suppress(KeyboardInterrupt, ValueError):  # the trial reports wrong options
        recorded(*game_of(request), request["options"])


if __name__ == "__main__":
    main()
