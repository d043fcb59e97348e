"""Rewards that try to harm, and what the classroom says about each."""

from __future__ import annotations

from typing import NamedTuple

HEAD = "def reward(before, action, after):\n"


class Hostile(NamedTuple):
    """A hostile reward."""

    source: str
    key: str
    """Key of the first problem in the table `language` of the classroom's texts."""
    line: int = 2
    """Its line."""


def body(*lines: str) -> str:
    """Return a reward with these lines."""
    return HEAD + "".join(f"    {line}\n" for line in lines)


def value(expression: str) -> str:
    """Return a reward that returns an expression."""
    return body(f"return {expression}")


STOPPED = ("stopped", "run_memory")
"""Keys of a reward that a limit of the process stops, whichever comes first."""

CHAIN = "().__class__.__base__.__subclasses__()"
SQUARES = ("x = 3", "for k in range(900):", "    x = x * x", "return x * 0")
DOUBLING = "".join(
    f"def f{k}(x):\n    return f{k - 1}(x) + f{k - 1}(x)\n" if k else "def f0(x):\n    return x\n"
    for k in range(40)
)

HOSTILE = {
    # endless or nearly endless
    "endless loop": Hostile(body("while True: pass"), "while"),
    "long loop": Hostile(body("for k in range(10 ** 9): pass", "return 1"), "turns"),
    "nested loops": Hostile(
        body(*(" " * k + "for k in range(1000):" for k in range(5)), " " * 5 + "x = 1", "return 1"),
        "work",
        1,
    ),
    "recursion": Hostile(value("reward(before, action, after)"), "recursion"),
    "mutual recursion": Hostile(
        "def f(x):\n    return g(x)\ndef g(x):\n    return f(x)\n" + value("f(1)"), "recursion", 4
    ),
    "calls that double": Hostile(DOUBLING + value("f39(1)"), "work", 23),
    "loop over a generator": Hostile(body("for k in iter(int, 1): pass", "return 1"), "for"),
    # memory and large numbers
    "power tower": Hostile(value("10 ** 10 ** 10"), "exponent"),
    "power of a variable": Hostile(value("10 ** after.hits"), "exponent"),
    "shift": Hostile(value("1 << 10 ** 10"), "operator"),
    "many digits": Hostile(value("1" * 5000), "huge_number"),
    "many hexadecimal digits": Hostile(value("0x" + "f" * 5000), "huge_number"),
    "infinite literal": Hostile(value("1e999"), "huge_number"),
    "squares of squares": Hostile(body(*SQUARES), "stopped", 4),
    "integer for a text": Hostile(value("str(9 ** 9999)"), "no_function"),
    "long tuple": Hostile(value(f"sum(({'1, ' * 5000}))"), "tuple"),
    "repeated tuple": Hostile(value("sum((1, 2) * 10 ** 9)"), "whole_tuple"),
    "repeated text": Hostile(value("len('a' * 10 ** 10)"), "text"),
    "factorial": Hostile("import math\n" + value("math.factorial(10 ** 7)"), "no_math", 3),
    "list": Hostile(value("len([0] * 10 ** 10)"), "collection"),
    # the system
    "fork": Hostile("import os\n" + body("os.fork()", "return 1"), "import", 1),
    "network": Hostile("import socket\n" + value("1"), "import", 1),
    "from import": Hostile("from os import system\n" + value("1"), "import", 1),
    "import in a function": Hostile(body("import os", "return 1"), "import_place"),
    "relative import": Hostile("from . import secrets\n" + value("1"), "import", 1),
    "import with a new name": Hostile("import subprocess as math\n" + value("1"), "import", 1),
    "star import": Hostile("from math import *\n" + value("1"), "import_star", 1),
    "hidden import": Hostile(value("__import__('os').system('id')"), "attribute"),
    "file": Hostile(value("open('/etc/passwd').read()"), "attribute"),
    "eval": Hostile(value("eval('1')"), "no_function"),
    "exec": Hostile(body("exec('import os')", "return 1"), "no_function"),
    "input": Hostile(value("input()"), "printing"),
    "environment": Hostile("import math\n" + value("math.os.environ"), "attribute", 3),
    # objects
    "class chain": Hostile(value(f"len({CHAIN})"), "dunder"),
    "class of a number": Hostile(value("after.hits.__class__.__mro__"), "dunder"),
    "class of a state": Hostile(value("after.__class__"), "dunder"),
    "globals of a function": Hostile(value("reward.__globals__"), "dunder"),
    "method of a state": Hostile(value("after.tofile('/tmp/x')"), "no_field"),
    "field by its name": Hostile(value("getattr(after, 't')"), "no_function"),
    "format string": Hostile(value("'{0.__class__}'.format(after)"), "attribute"),
    "percent format": Hostile(value("'%s' % after"), "text"),
    "f-string": Hostile(value("f'{open}'"), "text"),
    "builtins": Hostile(value("__builtins__"), "dunder"),
    "state changed": Hostile(body("after.hits = 1000", "return 1"), "assign_state"),
    # syntax
    "decorator": Hostile("@print\n" + value("1"), "decorator", 1),
    "default argument": Hostile(
        "def reward(before, action, after, x=open('/etc/passwd')):\n    return 1\n",
        "reward_parameters",
        1,
    ),
    "annotation": Hostile("def reward(b: exec('1'), a, c):\n    return 1\n", "annotation", 1),
    "annotated assignment": Hostile(body("x: exec('1') = 1", "return x"), "outside"),
    "lambda": Hostile(value("(lambda: 1)()"), "lambda"),
    "walrus": Hostile(value("(x := 1)"), "walrus"),
    "star arguments": Hostile(value("max(*after)"), "star"),
    "named star arguments": Hostile("def f(x):\n    return x\n" + value("f(**after)"), "star", 4),
    "match": Hostile(body("match after:", "    case object(): return 1", "return 2"), "match"),
    "async": Hostile("async def reward(before, action, after):\n    return 1\n", "no_reward", 1),
    "nested function": Hostile(body("def f(): return 1", "return 1"), "nested"),
    "global": Hostile(body("global x", "return 1"), "global"),
    "delete": Hostile(body("del after", "return 1"), "delete"),
    "class": Hostile("class A(object):\n    pass\n" + value("1"), "class", 1),
    "try": Hostile(body("try: x = 1", "except: pass", "return 1"), "try"),
    "comprehension": Hostile(value("sum(x for x in range(10 ** 9))"), "comprehension"),
    "shadowed function": Hostile(body("abs = 1", "return abs"), "shadows"),
    # the text itself
    "deep brackets": Hostile(value("(" * 300 + "1" + ")" * 300), "deep"),
    "deep signs": Hostile(value("-" * 3000 + "1"), "deep"),
    "deep sums": Hostile(value("1" + "+1" * 3000), "deep"),
    "deep blocks": Hostile(
        HEAD + "".join(f"{' ' * (k + 4)}if 1:\n" for k in range(120)) + " " * 130 + "return 1\n",
        "deep",
        101,
    ),
    "too long": Hostile(value("1 #" + "x" * 30_000), "too_long", 1),
    "null byte": Hostile(value("1\0"), "character"),
    "byte order mark": Hostile("\ufeff" + value("1"), "character", 1),
    "form feed": Hostile(value("1\f"), "character"),
    "reversed text": Hostile(value("1 # \u202e"), "character"),
    "line separator": Hostile(value("1 #\u2028 + 1"), "character"),
    "carriage return": Hostile(value("1 #\r    return after.hits"), "character"),
    "half a character": Hostile(value("1 # \ud800"), "character"),
    "coding": Hostile("# coding: utf-7\n" + value("1"), "coding", 1),
    "coding in line 2": Hostile("#\n# -*- coding: rot13 -*-\n" + value("1"), "coding", 2),
    "look-alike": Hostile(value("\u0430fter.hits"), "look_alike"),
    "wide letters": Hostile(value("\uff45\uff56\uff41\uff4c(1)"), "normalised"),
    "wide underscores": Hostile(value("after.\uff3f_class_\uff3f"), "character_outside"),
    "italic field": Hostile(value("after.\u210eits"), "normalised"),
    # numbers
    "overflow": Hostile("import math\n" + value("math.exp(1000)"), "run_overflow", 3),
    "large product": Hostile(value("1e30 * 1e30"), "run_infinite", 1),
    "not a number": Hostile("import math\n" + value("math.inf - math.inf"), "run_infinite", 2),
    "complex": Hostile(value("(0 - 1) ** 0.5"), "run_complex", 1),
    "division by zero": Hostile(value("1 / 0"), "zero"),
    "hidden division by zero": Hostile(value("1 / (after.hits - after.hits)"), "run_zero"),
    "no text": Hostile("", "no_reward", 1),
}
