"""Run a command and print as JSON its duration, time to first line, CPU use and peak memory.

This is a separate process because Linux counts the memory of the parent process towards the peak
of its child, so the parent of a measured command must be small.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main(command: list[str]) -> int:
    """Run `command`, discard its output, and return its exit code."""
    began = time.perf_counter()
    first_line = None
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in process.stdout:
            first_line = first_line or time.perf_counter() - began
    seconds = time.perf_counter() - began
    spent = os.times()
    processor = (spent.children_user + spent.children_system) / seconds
    found = {"seconds": seconds, "first_line": first_line}
    print(json.dumps(found | {"processor": processor, "peak_bytes": peak_bytes()}))
    return process.returncode


def peak_bytes() -> int | None:
    """Return the largest resident set size of any finished child; None if it is not available."""
    try:
        import resource
    except ImportError:
        return None  # Windows
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
