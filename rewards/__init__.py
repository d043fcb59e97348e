"""Rewards: functions of (before, action, after), and what loads, checks and compiles them."""

import os  # Python itself has imported it already
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

# Python puts the folder of a script, or with -m the current folder, first on the path. A file in it
# called random.py would be imported in place of Python's module.
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    sys.path.append(sys.path.pop(0))
elif sys.path[0] == ROOT:  # train.py and play.py import this package first
    _packages = [k for k, folder in enumerate(sys.path) if folder.endswith("-packages")]
    sys.path.insert(min(_packages, default=len(sys.path)) - 1, sys.path.pop(0))
