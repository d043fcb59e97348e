"""Tests of reward files: helpers, copies in the run folder, and what counts as a reward."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from envs.engine.game import load_game
from playing.live_reward import FileWatcher, imported_files
from rewards.check.recorded_games import Transitions
from rewards.expression import RewardError, parse
from rewards.kernel import WeightedSum, checked_kernel, exact_actions, plain_kernel, values
from rewards.reward_file import OUR_MODULES, ROOT, check_working_folder, load_file, loaded_files
from rewards.sandbox.trial import Outcome, choose_kernel, try_term
from rewards.terms import distinct_names, load_term, load_terms
from training.reward_snapshot import keep_reward, kept_expression, kept_sources, reward_sources
from training.run_folder import RunError

PADDLE, _ = load_game("envs.paddle.game:paddle", {})
DEF = "def reward(before, action, after):\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(file: str, text: str | bytes) -> str:
    """Write a file and its folders; return its path."""
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def paid(module: ModuleType) -> Any:
    return module.reward(None, None, None)


def refusal(file: str) -> str:
    with pytest.raises(RewardError) as raised:
        load_file(file)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# --- Helpers


def test_helpers_of_one_name_in_two_folders_do_not_mix() -> None:
    for folder, number in (("a", 1), ("b", 2)):
        write(f"{folder}/helpers.py", f"WEIGHT = {number}\n")
        write(f"{folder}/mine.py", f"import helpers\n{DEF}    return helpers.WEIGHT\n")
        write(
            f"{folder}/late.py",
            f"{DEF}    from helpers import WEIGHT\n    return WEIGHT\n",
        )
    path, names = list(sys.path), set(sys.modules)
    loaded = [load_file(f"{folder}/{name}.py") for name in ("mine", "late") for folder in "ab"]
    os.chdir("/")
    assert [paid(module) for module in loaded] == [1, 2, 1, 2]
    assert sys.path == path
    assert "helpers" not in set(sys.modules) - names


@pytest.mark.parametrize(
    "statement",
    [
        "from kit.shapes import area",
        "import kit.shapes\narea = kit.shapes.area",
        "import kit.shapes as s\narea = s.area",
        "from kit import shapes\narea = shapes.area",
        "from .kit.shapes import area",
        "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\nfrom kit.shapes import *",
        "import importing\narea = importing.area",
    ],
)
def test_packages_and_every_form_of_import(statement: str) -> None:
    write("kit/__init__.py", "")
    write("kit/base.py", "SIDE = 3.0\n")
    write("kit/shapes.py", "from .base import SIDE\ndef area():\n    return SIDE * SIDE\n")
    write("importing.py", "from kit.shapes import area\n")
    path = list(sys.path)
    module = load_file(write("mine.py", f"{statement}\n{DEF}    return area()\n"))
    assert paid(module) == 9.0
    assert sys.path == path
    kept = set(loaded_files(module.__name__))
    assert {"mine.py", "kit/__init__.py", "kit/base.py", "kit/shapes.py"} <= kept


def test_a_helper_is_read_again_with_the_file_and_leaves_no_cache() -> None:
    write("mine.py", f"import helpers\n{DEF}    return helpers.WEIGHT\n")
    for number in (1, 2):  # of one length, in the same second
        write("helpers.py", f"WEIGHT = {number}\n")
        assert paid(load_file("mine.py")) == number
    assert sorted(os.listdir()) == ["helpers.py", "mine.py"]  # noqa: PTH208 - hidden ones too


def test_a_mistake_in_a_helper_names_its_line() -> None:
    write("mine.py", f"import helpers\n{DEF}    return helpers.f()\n")
    file = Path(write("helpers.py", "x = 1\ny = 1 / 0\n")).resolve()
    assert refusal("mine.py") == f"{file}:2: ZeroDivisionError: division by zero"
    write("helpers.py", "def f(:\n")
    assert refusal("mine.py").startswith(f"{file}:1: invalid syntax")
    write("helpers.py", b"\n# \xff\n")
    assert refusal("mine.py").startswith(f"{file}:2: has bytes that are not UTF-8")
    write("helpers.py", "def f():\n    return 1 / 0\n")
    term = load_term("mine.py", "rewards.paddle")
    states = PADDLE.states(1)
    with pytest.raises(RewardError, match=r"helpers\.py:2: ZeroDivisionError"):
        values(checked_kernel(term, PADDLE, False), states, PADDLE.actions(1), states)


# --- Names and encodings


@pytest.mark.parametrize("name", ["random", "types", "numpy", "rewards", "envs", "torch", "train"])
def test_a_name_that_hides_another_module_is_refused(name: str) -> None:
    file = write(f"{name}.py", f"{DEF}    return 1.0\n")
    assert f"`{name}` is also the name of " in refusal(file)
    assert "rename the file" in refusal(file)
    importing = write("mine.py", f"import math\nimport {name}\n{DEF}    return 1.0\n")
    assert f"mine.py:2: ImportError: `{name}` is " in refusal(importing)
    assert f"{name}.py hides it; rename that file" in refusal(importing)
    unused = write("other.py", f"import math\n{DEF}    return math.pi\n")
    assert paid(load_file(unused)) == pytest.approx(np.pi)


def test_the_commands_do_not_import_a_file_that_hides_a_module_of_python() -> None:
    write("random.py", "raise RuntimeError('imported')\n")
    command = [sys.executable, "-m", "rewards", "check", "random.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("rewards: random.py: `random` is also the name of a module")
    assert "imported" not in done.stderr


@pytest.mark.parametrize("imported", ["importlib.import_module('helpers')", "import_module('p.q')"])
def test_importlib_does_not_find_helpers_and_says_so(imported: str) -> None:
    """It would find them or not depending on the folder in which the command runs."""
    write("helpers.py", "WEIGHT = 3.0\n")

    write("p/__init__.py", "")
    write("p/q.py", "WEIGHT = 3.0\n")
    head = "import importlib\nfrom importlib import import_module\n"
    write("mine.py", f"{head}h = {imported}\n{DEF}    return h.WEIGHT\n")
    assert "mine.py:3: ImportError: importlib does not look for `" in refusal("mine.py")
    write(
        "mine.py", f"{head}h = import_module('.helpers', __package__)\n{DEF}    return h.WEIGHT\n"
    )
    assert paid(load_file("mine.py")) == 3.0
    write("mine.py", f"h = __import__('helpers')\n{DEF}    return h.WEIGHT\n")
    assert paid(load_file("mine.py")) == 3.0
    write("mine.py", f"{head}h = import_module('wave')\n{DEF}    return h.WAVE_FORMAT_PCM\n")
    assert paid(load_file("mine.py")) == 1.0


def copy_of_the_project(folder: Path) -> Path:
    """Copy all that `train.py --help` reads."""
    for name in OUR_MODULES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / f"{name}.py", folder)
    return folder


def test_files_in_the_projects_folder_hide_no_module_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)  # it may name another copy of the project
    project = copy_of_the_project(tmp_path)
    for name in ("random", "re", "shlex", "test"):
        (project / f"{name}.py").write_text(f"raise RuntimeError('{name}.py was imported')\n")
    for program in ("train.py", "play.py"):
        command = [sys.executable, program, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
        assert done.returncode == 0, done.stderr
    (project / "numpy.py").write_text("")
    (project / "mine.py").write_text(f"{DEF}    return 1.0\n")
    for words in (["train.py"], ["play.py"], ["-m", "rewards", "check", "mine.py"]):
        command = [sys.executable, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
        assert done.returncode == 2, done.stderr
        assert re.fullmatch(r".*numpy\.py hides an installed package; rename it\n", done.stderr)


def test_a_file_that_hides_this_project_is_named_where_possible() -> None:
    """It does not hide the project from train.py."""
    for file in ("rewards.py", "envs/__init__.py"):
        path = write(file, "")
        name = file.split("/")[0].removesuffix(".py")
        expected = f"in this folder, `import {name}` and `python -m {name}` use "
        assert check_working_folder().startswith(expected)
        Path(path).rename(f"{path}.away")
    assert check_working_folder() == ""
    for file in ("rewards.py", "envs/__init__.py"):
        write(file, "raise RuntimeError('it was imported')")
    command = [sys.executable, str(ROOT / "train.py"), "--steps", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    warning, error = done.stderr.splitlines()
    assert warning.startswith("train.py: warning: in this folder, `import ")
    assert error == "train.py: --steps must be at least 1, got 0"


@pytest.mark.parametrize(
    ("encoding", "first"),
    [("cp949", "# -*- coding: cp949 -*-\n"), ("euc-kr", "\n# coding=euc-kr\n"), ("utf-8-sig", "")],
)
def test_the_declared_encoding_is_used_everywhere(encoding: str, first: str) -> None:
    text = f"{first}NAME = '공'\n{DEF}    return float(NAME == '\\uacf5')\n"
    file = write("mine.py", text.encode(encoding))
    assert paid(load_file(file)) == 1.0
    sources = reward_sources(summed(file))
    assert sources["mine.py"] == text.encode(encoding)
    keep_reward(Path("run"), sources)
    assert paid(load_file("run/reward/mine.py")) == 1.0


def test_an_encoding_that_is_wrong_or_unknown() -> None:
    assert "mine.py:2: has bytes that are not ASCII" in refusal(
        write("mine.py", "# coding: ascii\n# é\n")
    )
    assert "mine.py:1: unknown encoding: klingon" in refusal(
        write("mine.py", "# coding: klingon\n")
    )
    assert "mine.py:1: has the encoding rot13, which" in refusal(
        write("mine.py", "# coding: rot13\n")
    )
    assert "mine.py:1: has a byte order mark of UTF-8, but declares another" in refusal(
        write("mine.py", b"\xef\xbb\xbf# coding: latin-1\n")
    )


@pytest.mark.parametrize("raised", ["SystemExit", "KeyboardInterrupt", "GeneratorExit"])
def test_whatever_a_file_raises_is_reported_with_its_line(raised: str) -> None:
    assert f"mine.py:2: {raised}" in refusal(write("mine.py", f"x = 1\nraise {raised}\n"))
    with pytest.raises(RewardError, match=f"mine.py:3: {raised}"):
        tried(f"raise {raised}")


# --- Copies in the run folder


def summed(*names: str) -> WeightedSum:
    terms = [load_term(name, "rewards.paddle") for name in names]
    weights = [0.5 - k for k in range(len(terms))]
    return WeightedSum(" + ".join(names), weights, terms, [plain_kernel(term) for term in terms])


def test_copies_of_two_files_of_one_name_with_helpers_of_one_name() -> None:
    for folder, number in (("x/a", 1), ("x/b", 2)):
        write(f"{folder}/helpers.py", f"WEIGHT = {number}\n")
        text = "def mine(before, action, after):\n    return helpers.WEIGHT\n"
        write(f"{folder}/mine.py", f"import helpers\n{text}")
    reward = summed("x/a/mine.py", "hit_or_miss", "x/b/mine.py")
    assert reward.names == ("a.mine.mine", "hit_or_miss", "b.mine.mine")
    run = Path("run")
    keep_reward(run, reward_sources(reward))
    shutil.rmtree("x")
    again = kept_expression(run, "x/a/mine.py - hit_or_miss + x/b/mine.py")
    parts = parse(again)
    assert [part.weight for part in parts] == [0.5, -0.5, -1.5]
    copies = summed(*(part.term for part in parts))
    assert copies.names == reward.names
    assert [copies.terms[k].function(0, 0, 0) for k in (0, 2)] == [1, 2]
    keep_reward(Path("next"), kept_sources(run))
    assert kept_sources(Path("next")) == kept_sources(run)


def test_copies_of_earlier_versions_and_copies_elsewhere() -> None:
    write("run/reward/mine.py", f"{DEF}    return 1.0\n")
    assert kept_expression(Path("run"), "2*far/away/mine.py:reward") == (
        f'2.0*"{Path("run").resolve()}/reward/mine.py:reward"'
    )
    write("evil.py", "")
    write("run/reward/reward.txt", '1.0*"../../evil.py:f"')
    with pytest.raises(RunError, match="has no copy of"):
        kept_expression(Path("run"), "mine.py")


def test_names_of_equal_terms() -> None:
    write("f.py", f"{DEF}    return 1.0\n")
    assert summed("f.py", "f.py:reward", "hit_or_miss").names == (
        "f.reward",
        "f.reward.2",
        "hit_or_miss",
    )
    assert distinct_names([]) == ()


def test_a_changed_helper_is_noticed() -> None:
    write("helpers.py", "WEIGHT = 1\n")
    write("mine.py", f"import helpers\n{DEF}    return helpers.WEIGHT\n")
    (helper,) = imported_files(summed("mine.py"))
    assert helper == Path("helpers.py").resolve()
    watcher = FileWatcher([Path("mine.py")])
    watcher.add([helper])
    assert not watcher.changed()
    write("helpers.py", "WEIGHT = 2\n")
    assert [watcher.changed() for _ in range(3)] == [False, True, False]


# --- What counts as a reward


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (f"def clamp(x, low, high):\n    return x\n{DEF}    return 1.0\n", "reward"),
        ("def f(b, a, s):\n    return 1.0\ndef gauss(x, mu=0.0, sigma=1.0):\n    return x\n", "f"),
        ("def f(b, a, s, *, k=1.0):\n    return k\ndef g(x, y):\n    return x\n", "f"),
        ("def g(b, a, s):\n    return 2.0\ndef mine(b, a, s):\n    return 1.0\n", "mine"),
        ("f = lambda b, a, s: 1.0\n", "f"),
        ("import functools\n@functools.lru_cache\ndef f(b, a, s):\n    return 1.0\n", "f"),
        (
            "import functools\ndef _f(w, b, a, s):\n    return w\nf = functools.partial(_f, 1.0)",
            "f",
        ),
        ("from numba import njit\n@njit\ndef f(b, a, s):\n    return 1.0\n", "f"),
        ("class F:\n    def __call__(self, b, a, s):\n        return 1.0\nf = F()\n", "f"),
        ("import numpy as np\nclip = np.clip\ndef f(b, a, s):\n    return 1.0\n", "f"),
        ("from math import *\nfrom os.path import join\ndef f(b, a, s):\n    return 1.0\n", "f"),
    ],
)
def test_the_reward_of_a_file(text: str, chosen: str) -> None:
    file = write("mine.py", text)
    term = load_term(file, "rewards.paddle")
    assert (term.name, term.function(0, 0, 0)) == (chosen, 1.0)
    assert Path(term.place.rpartition(":")[0]) == Path(file).resolve()
    assert load_terms(file)[1] == chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(b, a, s):\n    return 1\ndef g(b, a, s):\n    return 1\n", "mine.py:g, and begin"),
        ("def f(b, a):\n    return 1\n", "mine.py:1: `f` must take three arguments"),
        ("class F:\n    def __call__(self, b):\n        pass\nf = F()\n", "2: `f` must take three"),
        ("class F:\n    pass\n", "mine.py has no reward; write a function"),
        ("raise SystemExit(2)\n", "SystemExit: 2; a reward must not end the program"),
    ],
)
def test_no_reward_in_a_file(text: str, message: str) -> None:
    with pytest.raises(RewardError, match=message.replace("(", r"\(")):
        load_term(write("mine.py", text), "rewards.paddle")


# --- Numbers


def tried(body: str) -> Any:
    """Return what the trial of a reward gives in two steps."""
    states = PADDLE.states(2)
    states["ball_y"] = 0.25, 0.5
    term = load_term(write("mine.py", f"import numpy as np\n{DEF}    {body}\n"), "rewards.paddle")
    return try_term(term, PADDLE, Transitions(states, PADDLE.actions(2), states), 10.0).values


@pytest.mark.parametrize(
    "body",
    [
        "return np.where(True, after.ball_y, 0.0)",
        "return np.array(after.ball_y)",
        "return np.float32(after.ball_y)",
        "from fractions import Fraction; return Fraction(float(after.ball_y))",
        "import torch; return torch.tensor(after.ball_y)",
    ],
)
def test_one_number_of_any_kind_is_a_reward(body: str) -> None:
    assert tried(body).tolist() == [0.25, 0.5]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return np.array([after.ball_y])", "write `.item"),
        ("return np.array(1j)", "must return a number"),
        ("return after", "a whole state; name one of its fields"),
        ("from decimal import Decimal; return Decimal(1)", "write `float"),
        ("return 1e39", "at most 1e.38"),
        ("return np.array(np.nan)", "returned nan; rewards must be finite"),
    ],
)
def test_what_is_no_number(body: str, message: str) -> None:
    with pytest.raises(RewardError, match=message):
        tried(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 1.0 if (d := abs(after.ball_y)) > 0.5 else d", r"line 3: `return 1.0 if \(d"),
        ("return after.tolist()[0]", "the method `tolist` of a state"),
        ("return after.nets if after.hits > 99 else 0", "the unknown field `nets` of a state"),
    ],
)
def test_what_cannot_be_compiled_is_named(body: str, reason: str) -> None:
    term = load_term(write("mine.py", f"import numpy as np\n{DEF}    {body}\n"), "rewards.paddle")
    states = PADDLE.states(2)
    transitions = Transitions(states, PADDLE.actions(2), states)
    outcome = Outcome(np.zeros(2), True, [])
    _, (warning,) = choose_kernel(term, PADDLE, "rewards.paddle", transitions, outcome)
    assert re.search(f"does not support {reason}", warning)


def test_plain_and_compiled_rewards_see_actions_of_one_precision() -> None:
    ride, _ = load_game("envs.bicycle.game:bicycle", {})
    text = "def f(before, action, after):\n    torque, pedal, brake = action\n"
    term = load_term(write("mine.py", text + "    return torque * 0.1 + (pedal > 0.9)\n"), "x")
    actions = ride.actions(2)
    actions[:] = ((0.1, 0.9, 0.0), (-0.3, 1.0, 0.0))  # 0.9 in float32 is below 0.9
    states = ride.states(2)
    exact = exact_actions(actions)
    expected = [float(a) * 0.1 + (float(b) > 0.9) for a, b, _ in exact]
    for compile_it in (False, True):
        got = values(checked_kernel(term, ride, compile_it), states, actions, states)
        assert got.tolist() == expected
    assert actions.dtype == np.float32


def test_a_sum_that_overflows_is_found_while_it_is_used() -> None:
    text = f"{DEF}    return 1e38 * after.ball_y\n"
    term = load_term(write("mine.py", text), "rewards.paddle")
    states = PADDLE.states(1)
    states["ball_y"] = 0.9
    kernel, row, total = checked_kernel(term, PADDLE, False), np.zeros(1), np.zeros(1)
    kernel(states, PADDLE.actions(1), states, 1.0, True, row, total)
    with pytest.raises(RewardError, match=r"returned 9e\+37, and the weighted sum is 1\.8e\+38"):
        kernel(states, PADDLE.actions(1), states, 1.0, False, row, total)
