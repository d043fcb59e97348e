"""Rewards: functions of (before, action, after), and what loads, checks and compiles them."""

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    # `python -m rewards` has put the current folder first on the path; a file in it called
    # random.py would be imported in place of Python's module
    sys.path.append(sys.path.pop(0))
