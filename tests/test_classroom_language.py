"""The language of the classroom, and checks in the sandbox."""

from __future__ import annotations

import ast
import asyncio
import math
import os
import re
import signal
import string
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classroom.checks import Checks
from classroom.language import completions, problems
from classroom.source import FILE, encoded
from classroom.subset import examine
from classroom.texts import FOLDER
from envs.bicycle.tasks import TASKS
from envs.engine.game import load_game
from envs.registry import GAMES
from rewards.check.recorded_games import Recording, recorded
from rewards.sandbox.protection import protection
from rewards.terms import load_term
from rewards.texts import LANGUAGES, load_texts
from tests.hostile_rewards import HOSTILE, STOPPED, Hostile, body, value
from tests.test_recorded_episodes import GAMES as PLAYED
from tests.test_recorded_episodes import played
from training.recorded_episodes import BEST_EPISODES, write_episodes
from training.rescoring import rescore

Result = TypeVar("Result")
GOOD = """import math

FAR = 0.5
WEIGHTS = (1, 0.5)


def reward(before, action, after):
    \"\"\"Follow the ball.\"\"\"
    total = 0.0
    for weight in WEIGHTS:
        total += weight * closeness(after)
    for k in range(1, 3):
        if k > 1 and action == 1:
            continue
        total -= 0.01 * k
    return total + (after.hits - before.hits) if after.missed == 0 else -1


def closeness(state) -> float:
    gap = abs(state.ball_y - state.paddle_y)
    if gap > FAR:
        return 0.0
    near, far = 1 - gap, gap
    return clip(near - far, low=0, high=1) + math.sqrt(far)


def clip(x, low, high):
    return max(low, min(x, high))
"""
EPISODE_TABLE = 1
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")


class Pool:
    """Checks in an event loop of their own, so that tests and Hypothesis can ask them."""

    def __init__(self, checks: Checks) -> None:
        self.checks = checks
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.run(checks.start())

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Wait for a coroutine."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(120)

    def check(self, source: str, lang: str = "en", game: str = "paddle") -> dict[str, Any]:
        """Check a reward."""
        return self.run(self.checks.check(source, game, {}, lang))

    def end(self) -> None:
        """End the processes."""
        self.run(self.checks.close())
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    found = Pool(Checks(processes=2))
    yield found
    found.end()


@pytest.fixture(scope="module")
def recording() -> Recording:
    game, _ = load_game(GAMES["paddle"].target, {})
    return recorded(game, GAMES["paddle"].rewards, {})


def keys(source: str, game: str = "paddle", **options: Any) -> list[tuple[str, int]]:
    """Return the keys and lines of the problems of a reward."""
    return [(each.key, each.line) for each in problems(source, game, options)]


def says(message: str, key: str, lang: str) -> bool:
    """Return whether a message is the sentence with a key."""
    sentence = load_texts(FOLDER, lang)["language"][key]
    parts = [re.escape(text) for text, *_ in string.Formatter().parse(sentence)]
    return re.fullmatch(".*".join(parts) + ".*", message) is not None


# --- Hostile rewards


def test_every_hostile_reward_gets_its_line_and_harms_nobody(pool: Pool) -> None:
    async def ask_all() -> list[list[dict[str, Any]]]:
        hostile = [pool.checks.check(each.source, "paddle", {}) for each in HOSTILE.values()]
        good = [pool.checks.check(f"{GOOD}# {k}\n", "paddle", {}) for k in range(len(hostile))]
        mixed = [each for pair in zip(hostile, good, strict=True) for each in pair]
        answers = await asyncio.gather(*mixed)
        return [answers[::2], answers[1::2]]

    hostile, good = pool.run(ask_all())
    assert all(answer["ok"] for answer in good)
    for (name, reward), answer in zip(HOSTILE.items(), hostile, strict=True):
        assert not answer["ok"], name
        assert answer["tables"] == [], name
        first = answer["problems"][0]
        assert first["severity"] == "error", name
        allowed = STOPPED if reward.key == "stopped" else (reward.key,)
        assert any(says(first["message"], key, "en") for key in allowed), (name, first)
        assert first["line"] == reward.line, (name, first)


@pytest.mark.parametrize("name", [k for k, each in HOSTILE.items() if each.source])
def test_problems_lie_within_the_text(name: str) -> None:
    source = HOSTILE[name].source
    lines = [line.encode("utf-16-le", "replace") for line in source.split("\n")]
    for each in problems(source, "paddle", {}):
        assert (each.line, each.column) <= (each.end_line, each.end_column)
        assert 2 * each.end_column <= len(lines[each.end_line - 1])
        for lang in LANGUAGES:
            assert "{" not in each.message(lang).replace("`{0", "")


def checkers() -> list[tuple[int, bytes]]:
    """Return the number and the status of each checker process that this process has started."""
    found, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_bytes()
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        number = int(folder.name)
        parents[number] = int(status.partition(b"PPid:")[2].split()[0])
        if b"classroom.checker" in command and b"Name:\tbwrap" not in status:
            found[number] = status

    def is_ours(number: int) -> bool:
        return number == os.getpid() or (number in parents and is_ours(parents[number]))

    return [(number, status) for number, status in found.items() if is_ours(number)]


@linux
def test_the_processes_are_confined(pool: Pool) -> None:
    assert pool.check(GOOD)["ok"]
    found = [status for _, status in checkers()]
    assert found
    if protection():
        assert all(b"NoNewPrivs:\t1" in status for status in found)
        assert all(b"Seccomp:\t2" in status for status in found)


@linux
def test_a_question_is_asked_again_if_its_process_has_died(pool: Pool) -> None:
    assert pool.check(f"{GOOD}# before\n")["ok"]
    for number, _ in checkers():
        os.kill(number, signal.SIGKILL)
    assert [pool.check(f"{GOOD}# after {k}\n")["ok"] for k in range(3)] == [True] * 3


# --- What beginners write

TYPICAL = {
    "return after.bal_y": "no_field",
    "return ball_y": "field_alone",
    "return after": "whole_state",
    "return after['ball_y']": "brackets",
    "return action[0]": "action_number",
    "return action.up": "action_field",
    "return math.sqrt(2)": "import_math",
    "return sqrt(2)": "math_alone",
    "return aftr.ball_y": "no_name",
    "return mac(1, 2)": "no_function",
    "return abs": "not_called",
    "return abs(1, 2)": "count",
    "return abs(x=1)": "keyword",
    "return round(after.ball_y, after.hits)": "digits",
    "return max(3)": "of_tuple",
    "return len(())": "of_tuple",
    "return range(3)": "range_place",
    "return after.hits(2)": "no_call",
    "return action(2)": "no_call",
    "return (1, 2)": "whole_tuple",
    "return 1,": "whole_tuple",
    "return 'far'": "text",
    "return None": "none",
    "return 2j": "complex",
    "return": "empty_return",
    "return 1 < 2 in (1, 2)": "comparison",
    "return after.hits > 1 & after.missed": "bitwise",
    "return 3 @ 4": "operator",
    "return ~3": "outside",
    "return 2 ** after.hits": "exponent",
    "return 0 ** -1": "zero",
    "return 5 % 0": "zero",
    "return after.hits[0]": "subscript",
    "return (1, 2)[0:1]": "slice",
    "return (after.hits + 1).real": "attribute",
    "print(after.hits)\n    return 1": "printing",
    "after.hits = 1\n    return 1": "assign_state",
    "after = 1\n    return 1": "assign_state",
    "x, y = 1, 2, 3\n    return x": "unpack",
    "x, y = after\n    return x": "assign",
    "x[0] = 1\n    return 1": "assign",
    "if action == 1:\n        x = 1\n    return x": "no_value",
    "for k in range(0):\n        x = 1\n    return x": "no_value",
    "total += 1\n    return total": "no_value",
    "break\n    return 1": "no_loop",
    "for k in range(3):\n        pass\n    else:\n        pass\n    return 1": "for_else",
    "for k in after:\n        pass\n    return 1": "for",
    "for k in range(after.hits):\n        pass\n    return 1": "range",
    "if action == 1:\n        return 1": "missing_return",
    "x = after.hits": "no_return",
    "return 1\n    x = 2": "unreachable",
    "after.hits == 1\n    return 1": "no_effect",
    "assert after.hits\n    return 1": "assert",
    "raise after\n    return 1": "raise",
    "with after: pass\n    return 1": "with",
    "yield 1": "yield",
    "return 1 +": "syntax",
    "return (1": "never_closed",
    "return 1)": "unmatched",
    "return (1]": "unmatched",
    "if action == 1\n        return 1": "colon",
    "if action = 1:\n        return 1": "equals",
    "if action == 1:\n    return 1": "indent_missing",
    "  x = 1\n    return x": "indent",
    "return \u201ca\u201d": "character_outside",
    "return 'a": "text_open",
}


@pytest.mark.parametrize("code", TYPICAL)
def test_mistakes_of_beginners_have_a_sentence_of_their_own(code: str) -> None:
    source = body(code)
    assert TYPICAL[code] in [key for key, _ in keys(source)], keys(source)


@pytest.mark.parametrize(
    ("source", "key", "line"),
    [
        (value("1").replace("reward", "a") + value("1").replace("reward", "b"), "which_reward", 3),
        ("def reward(state):\n    return 1\n", "reward_parameters", 1),
        ("def reward(after, action, before):\n    return 1\n", "reward_parameters", 1),
        ("def f(*x):\n    return 1\n" + value("1"), "parameters", 1),
        ("def f(x, x):\n    return 1\n" + value("1"), "parameters", 1),
        ("def f(x=1):\n    return 1\n" + value("1"), "default", 1),
        ("def f(x):\n    return x\n" + value("f()"), "argument_count", 4),
        ("def f(x):\n    return x\n" + value("f(1, 2)"), "argument_count", 4),
        ("def f(x):\n    return x\n" + value("f(1, x=2)"), "argument_count", 4),
        ("def f(x):\n    return x\n" + value("f(y=2)"), "no_parameter", 4),
        ("def f(s):\n    return s.hits\n" + value("f(1)"), "argument_state", 4),
        ("def f(s):\n    return s.hits\n" + value("f(action)"), "argument_state", 4),
        ("def f(x):\n    return x\n" + value("f(after)"), "whole_state", 4),
        ("def f(x):\n    return x\ndef f(x):\n    return 2\n" + value("1"), "twice", 3),
        ("A = 1\nA = 2\n" + value("A"), "twice", 2),
        ("A = 1\nfor k in range(3):\n    A = 2\n" + value("A"), "margin", 2),
        ("reward(1, 2, 3)\n" + value("1"), "argument_state", 1),
        ("A = 1\ndef f(x):\n    A = 2\n    return A\n" + value("A"), "shadows", 3),
        ("import math\n" + value("math"), "module", 3),
        ("import math\n" + value("math.sqrt"), "not_called", 3),
        ("import math\n" + value("math.sqr(2)"), "no_math", 3),
        ("from math import squrt\n" + value("1"), "no_math", 1),
    ],
)  # fmt: skip
def test_mistakes_of_a_whole_file(source: str, key: str, line: int) -> None:
    assert (key, line) in keys(source), keys(source)


def test_the_parts_of_an_action_are_numbered() -> None:
    assert keys(value("action[2] + action[-1] + action[3]"), "bicycle") == [("action_index", 2)] * 2
    assert keys(value("action"), "bicycle") == [("whole_action", 2)]
    helper = "def f(x):\n    return x[1]\n"
    assert keys(helper + value("f(action)"), "bicycle") == []
    assert keys(helper + value("f(after)"), "bicycle") == [("argument_action", 4)]


def test_names_are_corrected_in_both_languages() -> None:
    (found,) = problems(value("after.bal_y"), "paddle", {})
    assert found.message("en").endswith("Did you mean `ball_y`?")
    assert "`ball_y`" in found.message("ko")
    (found,) = problems(value("after.velocity_of_it"), "paddle", {})
    assert "`ball_x`, `ball_y`" in found.message("en")


def test_columns_are_those_of_a_browser() -> None:
    """A browser counts UTF-16 units: Korean letters are one, emoji are two."""
    (found,) = problems(body("거리 = after.hits; return 거리 + (거리 + far)"), "paddle", {})
    line = body("거리 = after.hits; return 거리 + (거리 + far)").split("\n")[1]
    assert (found.column, found.end_column) == (line.index("far"), line.index("far") + 3)
    found = next(each for each in problems('"""😀"""; x()\n', "paddle", {}) if each.column)
    assert found.column == len('"""xx"""; ')


def test_a_student_may_name_things_in_korean() -> None:
    assert keys("def reward(이전, 행동, 다음):\n    거리 = 다음.ball_x\n    return -거리\n") == []


# --- What is allowed


def test_a_good_reward_is_accepted_and_its_fields_are_listed(pool: Pool) -> None:
    answer = pool.check(GOOD)
    assert answer["problems"] == []
    assert answer["fields"] == [
        "after.hits", "after.missed", "before.hits", "state.ball_y", "state.paddle_y",
    ]  # fmt: skip


numbers = st.one_of(
    st.integers(0, 9).map(str),
    st.floats(0.01, 99.0).map(lambda x: f"{x:.3f}"),
    st.sampled_from(
        ["after.ball_x", "before.ball_y", "after.paddle_y", "after.ball_vx", "action", "after.hits"]
    ),
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda e: f"({' '.join(e)})"),
        pairs.map(lambda e: f"({e[0]} / (1 + abs({e[1]})))"),
        pairs.map(lambda e: f"({e[0]} // (2 + abs({e[1]})))"),
        pairs.map(lambda e: f"max({e[0]}, {e[1]})"),
        pairs.map(lambda e: f"sum(({e[0]}, {e[1]}))"),
        pairs.map(lambda e: f"({e[0]} < {e[1]} <= 3 or not {e[0]} == 1)"),
        st.tuples(inner, inner, inner).map(lambda e: f"({e[0]} if {e[1]} > 0.3 else {e[2]})"),
        inner.map(lambda e: f"-{e}"),
        inner.map(lambda e: f"({e}) ** 2"),
        inner.map(lambda e: f"math.sin({e})"),
        inner.map(lambda e: f"math.sqrt(abs({e}))"),
        inner.map(lambda e: f"round({e}, 2)"),
        inner.map(lambda e: f"_helper({e}, after, y=2)"),
    )


expressions = st.recursive(numbers, _larger, max_leaves=8)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program of the language."""
    a, b, c, d = (draw(expressions) for _ in range(4))
    turns = draw(st.integers(1, 5))
    return f"""import math

SCALE = {draw(st.integers(1, 9))} / 4


def reward(before, action, after):
    x = {a}
    for k in range({turns}):
        if x > {b}:
            x = min(x, 50) - k * SCALE
        elif k == 3:
            break
        else:
            x, y = {c}, x
            x += 0.5 * y
    return max(-1000, min(1000, x)) + ({d})


def _helper(x, state, y):
    return x - y * state.ball_y
"""


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(source=programs())
def test_programs_of_the_language_compute_what_python_computes(
    source: str, pool: Pool, recording: Recording, tmp_path: Path
) -> None:
    """The oracle loads the file as training does, and calls it on NumPy's records."""
    assert problems(source, "paddle", {}) == []
    answer = pool.check(source)
    file = tmp_path / FILE
    file.write_bytes(encoded(source))
    function = load_term(str(file), GAMES["paddle"].rewards).function
    rows = recording.diagnosed()
    rows = rows[recording.rows("miss")[rows]]
    paid = [float(function(*step)) for step in zip(*recording.transitions(rows), strict=True)]
    if not answer["ok"]:  # such as a number that is too large
        assert not np.isfinite(paid).all()
        return
    columns, lines = answer["tables"][0]["columns"], answer["tables"][0]["rows"]
    shown = next(line for line in lines if line[0] == "miss")
    assert shown[1] == len(rows)
    assert shown[columns.index("reward")] == pytest.approx(np.mean(paid), rel=1e-9, abs=1e-9)


TOKENS = (
    "__class__", "eval(1)", "import", "*after", "**1", "[x]", "f'{x}'", ":=", "while", "yield",
    "await", "print", "after", "math", "...", "None", "getattr", "after.rng", "10**99", "x.y", "(",
    ")", "#", ";", ",", "if", "return", "lambda", "import os", "global x", "del x", "\n", "\t",
    "\\", "'a'", "@",
)  # fmt: skip
"""Pieces that make programs hostile or wrong."""
KNOWN_NAMES = {
    "FAR", "WEIGHTS", "action", "after", "before", "clip", "closeness", "far", "gap", "high", "k",
    "low", "math", "near", "reward", "abs", "bool", "float", "int", "len", "max", "min", "range",
    "round", "sqrt", "state", "sum", "total", "weight", "x",
}  # fmt: skip
HARMLESS = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign),
    *(ast.For, ast.If, ast.Expr, ast.Pass, ast.Break, ast.Continue, ast.Import, ast.ImportFrom),
    *(ast.alias, ast.Call, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Compare),
    *(ast.Constant, ast.Attribute, ast.Name, ast.Subscript, ast.Tuple, ast.keyword),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.boolop),
    *(ast.UAdd, ast.USub, ast.Not, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq),
    ast.expr_context,
)


def assert_harmless(source: str) -> None:
    """Check what an accepted program consists of, independently of the checker."""
    tree = ast.parse(encoded(source))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        assert isinstance(node, HARMLESS), ast.dump(node)
        assert not isinstance(
            node, ast.MatMult | ast.BitOr | ast.BitAnd | ast.LShift | ast.Is | ast.In
        )
        if isinstance(node, ast.Name):
            assert node.id in KNOWN_NAMES
        if isinstance(node, ast.Attribute):
            assert isinstance(node.value, ast.Name)
            assert not node.attr.startswith("_")
            assert node.attr in dir(math) or node.value.id != "math"
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            assert isinstance(node.value, int | float)
        if isinstance(node, ast.alias):
            assert node.name == "math" or node.name in dir(math)
        if isinstance(node, ast.FunctionDef):
            assert not node.decorator_list
            assert not node.args.defaults


@settings(max_examples=300, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 6)), min_size=1, max_size=3
    ),
    pieces=st.lists(
        st.one_of(st.sampled_from(TOKENS), st.text(max_size=3)), min_size=3, max_size=3
    ),
)
def test_mutated_programs_are_refused_or_harmless(
    places: list[tuple[int, int]], pieces: list[str]
) -> None:
    source = GOOD
    for (place, length), piece in zip(places, pieces, strict=False):
        source = source[:place] + piece + source[place + length :]
    game, _ = load_game(GAMES["paddle"].target, {})
    found = examine(source, game)
    for problem in found.problems:
        assert problem.message("ko")
    if found.tree is not None:
        assert_harmless(source)
    else:
        assert any(problem.severity == "error" for problem in found.problems)


@settings(max_examples=200, deadline=None)
@given(source=st.text(max_size=200))
def test_any_text_has_an_answer(source: str) -> None:
    found = problems(source, "paddle", {})
    assert found
    assert all(problem.message("en") for problem in found)


# --- Answers


def test_the_tables_are_those_of_rewards_check(pool: Pool, recording: Recording) -> None:
    """A reward that pays 1 for each step pays the length of an episode."""
    english, korean = (pool.check(value("1.0 - 0 * after.hits"), lang) for lang in LANGUAGES)
    assert english["ok"]
    (warning,) = english["problems"]
    assert warning["severity"] == "warning"
    assert warning["line"] == 1
    texts = load_texts(Path("rewards/check/texts").resolve(), "ko")
    assert warning["message"].startswith("`reward` is constant: it pays 1")
    assert korean["problems"][0]["message"] == texts["warnings"]["constant"].format(
        name="reward", value=1.0
    )
    rows = english["tables"][EPISODE_TABLE]["rows"]
    assert [row[0] for row in rows] == list(recording.players)
    assert all(row[1] == row[3] for row in rows)
    assert [row[0] for row in korean["tables"][EPISODE_TABLE]["rows"]] == [
        texts["players"][name] for name in recording.players
    ]
    assert "1 to 1 in a step" in english["summary"]


def test_a_reward_that_computes_much_is_tried_on_fewer_steps(pool: Pool) -> None:
    loop = "total = 0.0", "for k in range(60):", "    total += k * after.ball_x", "return total"
    answer = pool.check(body(*loop))
    assert answer["ok"]
    assert 0 < answer["tables"][0]["rows"][0][1] < 55  # recorded starts
    assert answer["tables"][EPISODE_TABLE]["rows"][-1][0] == "intercept"
    heavy = pool.check(body(loop[0], loop[1].replace("60", "900"), *loop[2:]))
    assert heavy["ok"]
    assert heavy["tables"] == []
    assert says(heavy["summary"], "summary_heavy", "en")


@pytest.mark.parametrize(
    ("game", "options"), [("paddle", {})] + [("bicycle", {"task": t}) for t in TASKS]
)
def test_everything_that_the_editor_completes_is_accepted(
    game: str, options: dict[str, Any]
) -> None:
    found = completions(game, options)
    labels = [each["label"] for each in found]
    assert len(set(labels)) == len(labels)
    definition, _ = load_game(GAMES[game].target, options)
    assert {
        f"{s}.{n}" for n in definition.state.names or () if n != "rng" for s in ("before", "after")
    } <= {*labels}
    for each in found:
        calls = (f"{each['label']}({', '.join('12'[:n])})" for n in (1, 2))
        called = [each["label"], *calls, f"{each['label']}((1, 2))"]
        tried = [keys("import math\n" + value(code), game, **options) for code in called]
        tried.append(keys("import math\n" + body(f"for k in {called[1]}: pass", "return 1"), game))
        assert [] in tried, each
    ball = next(each for each in found if "ball_x" in each["label"] or "roll" in each["label"])
    assert ball["detail"] in ("0..1", "rad")


# --- The queue


def test_a_newer_text_of_a_student_replaces_the_older_one_and_keeps_its_place() -> None:
    order: list[str] = []

    async def ask() -> list[dict[str, Any]]:
        checks = Checks(processes=1)

        async def check(name: str, student: int) -> dict[str, Any]:
            answer = await checks.check(f"{GOOD}# {name}\n", "paddle", {}, student=student)
            order.append(name)
            return answer

        asked = [("ada 1", 1), ("bob 1", 2), ("ada 2", 1), ("ada 3", 1), ("bob 1", 3)]
        tasks = [asyncio.create_task(check(*each)) for each in asked]
        await asyncio.sleep(0)
        await checks.start()
        answers = await asyncio.gather(*tasks)
        await checks.close()
        return answers

    answers = asyncio.run(ask())
    assert [answer["ok"] for answer in answers] == [False, True, False, True, True]
    replaced = load_texts(FOLDER, "en")["language"]["replaced"]
    assert answers[0]["summary"] == answers[2]["summary"] == replaced
    assert order == ["ada 1", "ada 2", "ada 3", "bob 1", "bob 1"]


def test_rewards_that_end_their_process_lose_no_question_of_others(pool: Pool) -> None:
    bomb = HOSTILE["squares of squares"]
    bombs = [Hostile(f"{bomb.source}# {k}\n", bomb.key, bomb.line) for k in range(3)]

    async def ask() -> list[dict[str, Any]]:
        asked = []
        for k, each in enumerate(bombs):
            asked += [each.source, f"{GOOD}# lost {k}\n"]
        return await asyncio.gather(*(pool.checks.check(each, "paddle", {}) for each in asked))

    answers = pool.run(ask())
    assert [answer["ok"] for answer in answers] == [False, True] * len(bombs)
    assert all(answer["problems"][0]["line"] == bomb.line for answer in answers[::2])


def test_an_unknown_game_is_an_error(pool: Pool) -> None:
    with pytest.raises(ValueError, match="there is no game `tennis`"):
        pool.check(GOOD, game="tennis")


# --- Recorded episodes of a run, and students that are trusted


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_reward_is_paid_in_the_recorded_episodes_of_a_run(
    pool: Pool, tmp_path: Path, lang: str
) -> None:
    episodes = played(*PLAYED[0][:2]).recorded
    assert episodes is not None
    write_episodes(tmp_path / BEST_EPISODES, episodes)
    own, new = value("after.hits - before.hits - after.missed"), value("-abs(action - 1.0)")
    answer = pool.run(pool.checks.rescore(tmp_path, new, own, "paddle", {}, lang))
    assert answer["ok"]
    expected = rescore(episodes, ["hit_or_miss", "-effort"])
    rows = answer["tables"][0]["rows"]
    assert [row[3:] for row in rows] == [
        [pytest.approx(paid.returns[k]) for paid in expected.paid] for k in range(len(episodes))
    ]
    moments = answer["tables"][1]["rows"]
    assert [row[0] for row in moments] == [str(each.episode + 1) for each in expected.moments()]
    assert (
        pool.run(pool.checks.rescore(tmp_path, own, own, "paddle", {}, lang))["tables"][1]["rows"]
        == []
    )
    failed = pool.run(pool.checks.rescore(tmp_path, value("1 / after.missed"), own, "paddle", {}))
    assert failed["problems"][0]["message"].startswith("`reward` returned inf for after: ball_x")
    with pytest.raises(ValueError, match="no recorded episodes"):
        pool.run(pool.checks.rescore(tmp_path / "none", new, own, "paddle", {}))


def test_students_that_are_trusted_may_use_all_of_python() -> None:
    checks = Checks(trusted=True)
    source = "import numpy as np\n\n" + value("float(np.hypot(after.ball_x, 1))")
    answer = asyncio.run(checks.check(source, "paddle", {}))
    assert answer["ok"], answer
    assert answer["tables"][0]["columns"][-1] == "reward"
    answer = asyncio.run(checks.check(body("x = 1", "return x / 0"), "paddle", {}))
    assert [each["line"] for each in answer["problems"]] == [3]
    assert "ZeroDivisionError" in answer["problems"][0]["message"]
