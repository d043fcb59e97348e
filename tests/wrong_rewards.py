"""Reward files as students write them, and the message that `check` prints about each."""

from __future__ import annotations

from typing import NamedTuple

from rewards.sandbox.parent import SECONDS


class Wrong(NamedTuple):
    """A reward file for paddle-and-ball."""

    name: str
    source: str | bytes
    message: str
    """Part of the error or warning that is printed; `FILE` stands for the path of the file."""
    code: int = 2
    """Exit code of `check`; 0 if the reward can be used."""
    seconds: float = SECONDS
    """Time limit, which is shorter than usual where nothing else ends the trial."""


DEF = "def f(before, action, after):\n"
HIGH = DEF + "    return after.paddle_y\n"

BROKEN_FILES = [
    Wrong("syntax", DEF + "    return (1\n", "FILE:2: '(' was never closed"),
    Wrong("no colon", "def f(before, action, after)\n    return 1\n", "FILE:1: expected ':'"),
    Wrong("no indent", DEF + "return 1\n", "FILE:2: expected an indented block"),
    Wrong("mixed tabs", DEF + "    x = 1\n\treturn x\n", "FILE:3: inconsistent use of tabs"),
    Wrong("latin-1", b"# caf\xe9\n" + HIGH.encode(), "FILE:1: has bytes that are not UTF-8"),
    Wrong("NUL byte", HIGH.encode() + b"\0\n", "FILE:3: has a NUL byte"),
    Wrong("UTF-16", HIGH.encode("utf-16"), "FILE:1: has a NUL byte"),
    Wrong("empty", "", "has no reward; write a function"),
    Wrong("only comments", "# to be done\n", "has no reward; write a function"),
    Wrong("only tests", "def test_it():\n    pass\n", "has no reward; write a function"),
    Wrong("class", "class Reward:\n    pass\n", "has no reward; write a function"),
    Wrong(
        "missing import", "import nunpy\n" + HIGH, "FILE:1: ModuleNotFoundError: No module named"
    ),
    Wrong(
        "relative import", "from .. import x\n" + HIGH, "FILE:1: ImportError: attempted relative"
    ),
    Wrong("error when loaded", HIGH + "LIMIT = 1 / 0\n", "FILE:3: ZeroDivisionError"),
    Wrong("exit when loaded", "import sys\nsys.exit()\n" + HIGH, "FILE:2: SystemExit"),
    Wrong(
        "loop when loaded",
        "while True:\n    pass\n",
        "loading FILE did not end within",
        seconds=0.25,
    ),
    Wrong(
        "unknown event",
        "from rewards.testing import hti\n" + HIGH,
        "FILE:1: ImportError: this game has no event `hti`; did you mean `hit`?",
    ),
]

WRONG_FUNCTIONS = [
    Wrong(
        "two arguments", "def f(before, after):\n    return 1.0\n", "FILE:1: `f` must take three"
    ),
    Wrong("four arguments", "def f(a, b, c, d):\n    return 1.0\n", "FILE:1: `f` must take three"),
    Wrong("no arguments", "x = 1\ndef f():\n    return 1.0\n", "FILE:2: `f` must take three"),
    Wrong(
        "None", DEF + "    x = 1.0\n", "FILE:1: `f` must return a number, but returned None; does"
    ),
    Wrong("NaN", DEF + "    return float('nan')\n", "FILE:1: `f` returned nan; rewards must be"),
    Wrong(
        "unknown field",
        DEF + "    return after.bal_y\n",
        "FILE:2: `after.bal_y`: paddle has no such field; did you mean `ball_y`?",
    ),
    Wrong(
        "error at a miss only",
        DEF + "    if after.missed:\n        return 1 / 0\n    return 1.0\n",
        "FILE:3: ZeroDivisionError",
    ),
    Wrong("recursion", DEF + "    return f(before, action, after)\n", "FILE:2: RecursionError"),
    Wrong(
        "os._exit",
        "import os\n" + DEF + "    os._exit(0)\n",
        "FILE:3: it ends the whole program; a reward may only",
    ),
    Wrong(
        "segmentation fault",
        "import ctypes\n" + DEF + "    return ctypes.string_at(0)\n",
        "FILE:3: `f` ended the whole program (signal 11, Segmentation fault)",
    ),
    Wrong("huge memory", DEF + "    return len([0.0] * 10**10)\n", "FILE:2: MemoryError"),
    Wrong(
        "growing memory",
        "seen = []\n" + DEF + "    seen.append(bytes(10**8))\n    return 1.0\n",
        "FILE:3: MemoryError",
    ),
    Wrong(
        "endless loop",
        DEF + "    while True:\n        x = 1\n",
        "`f` did not end within",
        seconds=0.8,
    ),
    Wrong(
        "endless loop that catches every exception",
        DEF + "    while True:\n        try:\n            x = 1\n        except BaseException:\n"
        "            pass\n",
        "`f` did not end within",
        seconds=0.8,
    ),
    Wrong(
        "endless loop in C",
        DEF + "    return 7 ** 10**9 % 2\n",
        "FILE:2: `f` did not end within",
        seconds=0.8,
    ),
    Wrong(
        "slow",
        "import time\n" + DEF + "    time.sleep(0.02)\n    return 1.0\n",
        "FILE:2: `f` is too slow: ",
        seconds=0.8,
    ),
    Wrong(
        "writes a file and hides it",
        DEF + "    try:\n        open('left behind', 'a')\n    except BaseException:\n"
        "        pass\n    return 1.0\n",
        "FILE:3: it writes the file left behind",
    ),
    Wrong(
        "creates a folder",
        "import os\nos.mkdir('left behind')\n" + HIGH,
        "FILE:2: it creates a folder",
    ),
    Wrong(
        "registers a function for the end",
        "import atexit\natexit.register(print)\n" + DEF + "    return 1.0\n",
        "FILE:2: it registers a function for the program's end",
    ),
    Wrong(
        "a test fails",
        "from rewards.testing import *\nfrom rewards.testing import hit, miss, prefers\n"
        + HIGH
        + "def test_hits():\n    prefers(miss, hit, lambda *step: step[2].hits)\n",
        "FILE:6: test_hits fails: miss pays",
    ),
    Wrong(
        "an assertion fails",
        "from rewards.testing import hit, pays\n"
        + HIGH
        + "def test_hits():\n    assert pays(hit) > 40\n",
        "FILE:5: test_hits fails: assert pays(hit) > 40, but pays(hit) is 0.",
    ),
    Wrong(
        "a test breaks",
        HIGH + "def test_it():\n    return 1 / 0\n",
        "FILE:4: test_it fails: ZeroDivisionError",
    ),
]

WRONG_CALLS = [
    Wrong("async", "async " + HIGH, "FILE:1: `f` must return a number, but returned a coroutine"),
    Wrong(
        "generator", DEF + "    yield 1.0\n", "FILE:1: `f` must return a number, but returned a gen"
    ),
    Wrong(
        "text", DEF + "    return '1.0'\n", "FILE:1: `f` must return a number, but returned '1.0'"
    ),
    Wrong(
        "list", DEF + "    return [1.0]\n", "FILE:1: `f` must return a number, but returned [1.0]"
    ),
    Wrong("complex", DEF + "    return 1j\n", "FILE:1: `f` must return a number, but returned 1j"),
    Wrong(
        "array",
        "import numpy as np\n" + DEF + "    return np.zeros(3)\n",
        "FILE:2: `f` must return a number, but returned array([0., 0., 0.])",
    ),
    Wrong("infinity", DEF + "    return 1e308 * 10\n", "FILE:1: `f` returned inf; rewards must be"),
    Wrong(
        "huge integer",
        DEF + "    return 10**400\n",
        "FILE:1: `f` returned an integer that is too",
    ),
    Wrong(
        "unknown field before",
        DEF + "    x = 1\n    return before.hit\n",
        "FILE:3: `before.hit`: paddle has no such field; did you mean `hits`?",
    ),
    Wrong(
        "unknown field of another game",
        DEF + "    return after.roll\n",
        "FILE:2: `after.roll`: paddle has no such field; choose from ball_x, ball_y",
    ),
    Wrong(
        "unknown field in brackets",
        DEF + "    return after['bal_y']\n",
        "FILE:2: `bal_y`: paddle has no such field; did you mean `ball_y`?",
    ),
    Wrong(
        "unknown field of the action",
        DEF + "    return action.up\n",
        "FILE:2: `action.up`: an action has no fields; the action is a number: 0 up, 1 stay",
    ),
    Wrong("unknown name", DEF + "    return ball_y\n", "FILE:2: NameError: name 'ball_y' is not"),
    Wrong(
        "missing math", DEF + "    return math.sqrt(2)\n", "FILE:2: NameError: name 'math' is not"
    ),
    Wrong(
        "division by zero", DEF + "    return 1 / int(after.ball_y)\n", "FILE:2: ZeroDivisionError"
    ),
    Wrong(
        "error at a time out only",
        DEF + "    return 1.0 / (3000 - int(after.t))\n",
        "FILE:2: ZeroDivisionError",
    ),
    Wrong(
        "None at a hit only",
        DEF + "    if after.hits == before.hits:\n        return 0.0\n",
        "FILE:1: `f` must return a number, but returned None",
    ),
    Wrong("exit", DEF + "    exit()\n", "FILE:2: SystemExit"),
    Wrong(
        "asks for input",
        DEF + "    return float(input())\n",
        "FILE:2: it asks for input; a reward may only",
    ),
    Wrong(
        "writes a file",
        DEF + "    open('left behind', 'w').write('x')\n    return 1.0\n",
        "FILE:2: it writes the file left behind; a reward may only read and compute",
    ),
    Wrong(
        "removes a file",
        "import os\n" + DEF + "    os.remove(__file__)\n    return 1.0\n",
        "FILE:3: it removes a file",
    ),
    Wrong(
        "starts a program",
        "import subprocess\n" + DEF + "    subprocess.run(['true'])\n    return 1.0\n",
        "FILE:3: it starts a program",
    ),
    Wrong(
        "starts a process",
        "import os\n" + DEF + "    os.fork()\n    return 1.0\n",
        "FILE:3: it starts a process",
    ),
    Wrong(
        "starts a thread",
        "import threading\n" + DEF + "    threading.Thread(target=print).start()\n    return 1.0\n",
        "FILE:3: it starts a thread",
    ),
    Wrong(
        "starts a thread by its low-level name",
        "import _thread\n" + DEF + "    _thread.start_new_thread(print, ())\n    return 1.0\n",
        "FILE:3: it starts a thread",
    ),
    Wrong(
        "changes the folder",
        "import os\n" + DEF + "    os.chdir('/')\n    return 1.0\n",
        "FILE:3: it changes the working folder",
    ),
    Wrong(
        "opens a connection",
        "import socket\n" + DEF + "    socket.socket()\n    return 1.0\n",
        "FILE:3: it opens a network connection",
    ),
]
"""Functions that are wrong when they are called; each needs no process of its own."""

LEGAL_BUT_ODD = [
    Wrong(
        "prints",
        DEF + "    print('so high')\n    return after.paddle_y\n",
        "FILE:2; in training",
        0,
    ),
    Wrong(
        "changes the state",
        DEF + "    after.hits = 3\n    return after.paddle_y\n",
        "changes `after.hits` at FILE:2",
        0,
    ),
    Wrong(
        "another value each call",
        "import random\n" + DEF + "    return random.random()\n",
        "reward `f` is not repeatable",
        0,
    ),
    Wrong(
        "counts its calls",
        "calls = [0]\n" + DEF + "    calls[0] += 1\n    return float(calls[0])\n",
        "reward `f` is not repeatable",
        0,
    ),
    Wrong(
        "cannot be compiled",
        DEF + '    return float(f"{after.ball_y:.3f}")\n',
        "the compiler, Numba, does not support line 2: `return float(",
        0,
    ),
    Wrong("constant", DEF + "    return 1.0\n", "`f` is constant: it pays 1 for every step", 0),
    Wrong(
        "only at the end", DEF + "    return -after.missed\n", "`f` pays nothing before the end", 0
    ),
    Wrong(
        "upside down",
        DEF + "    return after.missed - (after.hits - before.hits)\n",
        "`f`: miss pays more than hit, 1 against -1",
        0,
    ),
    Wrong(
        "time is money",
        DEF + "    return -1.0 + after.ball_y * 0.001\n",
        "`f`: ending early earns more than playing on",
        0,
    ),
]

LEGAL = [
    Wrong("plain", HIGH, "", 0),
    Wrong(
        "non-ASCII", "def höhe(vorher, aktion, nachher):\n    return nachher.ball_y  # Ψ\n", "", 0
    ),
    Wrong("Windows line endings", HIGH.replace("\n", "\r\n").encode(), "", 0),
    Wrong("byte order mark", b"\xef\xbb\xbf" + HIGH.encode(), "", 0),
    Wrong("latin-1, declared", b"# coding: latin-1\n# caf\xe9\n" + HIGH.encode(), "", 0),
    Wrong("lambda", "f = lambda before, action, after: after.ball_y\n", "", 0),
    Wrong("name of a built-in term", HIGH.replace("f(", "hit_or_miss("), "", 0),
    Wrong(
        "two functions, one with the name of the file, a helper and a test",
        HIGH
        + HIGH.replace("f(", "mine(")
        + "def _helper(x):\n    return x\ndef test_helper():\n    assert _helper(3) == 3\n",
        "",
        0,
    ),
]

LEGAL_FUNCTIONS = [
    Wrong(
        "default arguments", "def f(before, action, after, k=2.0):\n    return k * after.t\n", "", 0
    ),
    Wrong("any arguments", "def f(*state):\n    return state[2].ball_y\n", "", 0),
    Wrong("numpy", "import numpy as np\n" + DEF + "    return np.sqrt(after.ball_y)\n", "", 0),
    Wrong("bool", DEF + "    return after.ball_y > 0.5\n", "", 0),
    Wrong(
        "decorated",
        "import functools\ndef _twice(g):\n    @functools.wraps(g)\n    def h(*state):\n"
        "        return 2.0 * g(*state)\n    return h\n@_twice\n" + HIGH,
        "",
        0,
    ),
]
"""Functions that can be used; they need no process of their own either."""

COLLECTION = [*BROKEN_FILES, *WRONG_FUNCTIONS, *LEGAL_BUT_ODD, *LEGAL]
