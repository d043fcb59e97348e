"""A trial of a user's term: it is called as plain Python, then compiled and compared."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import linecache
import numbers
import os
import re
import threading
import time
import warnings
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from envs.engine.fingerprint import covers_everything, fingerprint, reached, values_used
from envs.engine.game import Game
from envs.names import suggest
from rewards.check.recorded_games import Transitions
from rewards.errors import describe, where
from rewards.expression import RewardError, parse
from rewards.guard import is_interruption
from rewards.kernel import LARGEST, Kernel, checked_kernel, exact_actions, plain_kernel, values
from rewards.reward_file import package_of
from rewards.sandbox.confinement import ASLEEP
from rewards.sandbox.digests import digests_folder
from rewards.terms import Term, load_term

ASKED_AGAIN = 100  # transitions that a term is called on a second time
SLOWER = 1.05  # times as long that are worth a number
TIMED = 300  # steps that an interpreted term is timed on
_filters = threading.Lock()  # all threads share the filters of warnings


class Outcome(NamedTuple):
    """Result of calling a usable term on every transition."""

    values: Any
    """(n,) what the term returned."""
    repeatable: bool
    """Whether the term returns the same value for the same step."""
    warnings: list[str]


def try_term(term: Term, game: Game, transitions: Transitions, seconds: float) -> Outcome:
    """Call a term on real transitions as plain Python.

    Raises:
        RewardError: with file and line, if the term does not return one finite number per step, or
            takes more than `seconds` of processor time for all of them, or `ASLEEP` times as many
            by the clock.
    """
    transitions = transitions._replace(actions=exact_actions(transitions.actions))
    locked = Transitions(*(array.copy() for array in transitions))
    for array in locked:
        array.flags.writeable = False
    returned, warnings = [], []
    processor, clock = time.process_time(), time.perf_counter()
    for k in range(len(locked.after)):
        try:
            value = _call(term, game, locked, k)
        except _ReadOnlyError as error:
            changed = ", ".join(_changed(term, transitions, k)) or "its arguments"
            warnings.append(
                f"reward `{term.name}` changes {changed} at {error}; it gets copies, so the game "
                "does not change, but a reward should only read"
            )
            locked = Transitions(*(array.copy() for array in transitions))
            value = _call(term, game, locked, k)
        returned.append(_number(term, value))
        busy, passed = time.process_time() - processor, time.perf_counter() - clock
        if busy > seconds or passed > ASLEEP * seconds:
            each = (busy if busy > seconds else passed) / len(returned)
            raise RewardError(
                f"{term.place}: `{term.name}` is too slow: {_time(each)} per step; with 1,024 "
                f"games each step of training would take {_time(1024 * each)}"
            )
    for k in range(0, len(returned), max(1, len(returned) // ASKED_AGAIN)):
        value = _number(term, _call(term, game, transitions, k))
        if value != returned[k]:
            warnings.append(
                f"reward `{term.name}` is not repeatable: for the same step it returned "
                f"{returned[k]:g}, then {value:g}; it should depend on before, action and after "
                "only. It runs as plain Python"
            )
            return Outcome(np.array(returned), False, warnings)
    return Outcome(np.array(returned), True, warnings)


def choose_kernel(
    term: Term, game: Game, rewards: str, transitions: Transitions, outcome: Outcome
) -> tuple[Kernel, list[str]]:
    """Compile a term if the result equals that of plain Python, else interpret it.

    Args:
        term: a user's term that can be used.
        game: the game to be rewarded.
        rewards: its module of reward terms.
        transitions: the steps that both are compared on.
        outcome: of `try_term` on these steps.

    Returns:
        The kernel and, if it is interpreted, a warning that says why and how much slower it is.
    """
    plain = checked_kernel(term, game, compile_it=False)
    if not outcome.repeatable:
        return plain, []
    try:
        with _filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Numba's warnings, which say nothing to a student
            fast = checked_kernel(term, game, compile_it=True)
    except Exception as error:  # Numba lets other exceptions than its own through
        problem = f"cannot be compiled: {_culprit(term, error)}"
    else:
        compiled = values(fast, *transitions)
        alike = np.isclose(outcome.values, compiled, 1e-9, 1e-12)
        if alike.all():
            return fast, []
        k = int(np.argmin(alike))
        problem = (
            f"returns other values when compiled, such as {compiled[k]:.6g} instead of "
            f"{outcome.values[k]:.6g}"
        )
    times = _training_time(plain, game, rewards, transitions)
    warning = (
        f"reward `{term.name}` {problem}; it runs as plain Python, and training with ppo takes "
        f"about {f'{times:.2g} times ' if times >= SLOWER else ''}as long"
    )
    return plain, [warning]


def was_compiled(term: Term, game: Game) -> bool:
    """Return whether an earlier trial compiled exactly this code and got the same values.

    Compiling takes most of a trial's time.
    """
    digest = digest_of(term, game)
    return digest != "" and (digests_folder() / digest).exists()


def digest_of(term: Term, game: Game) -> str:
    """Return the digest of a term that compiles; "" if more than its code decides its values."""
    functions = list(reached(plain_kernel(term)))
    if not covers_everything(functions):
        return ""
    interpreted = os.environ.get("NUMBA_DISABLE_JIT")
    purpose = f"{game.name} {game.state.descr} {game.action_space} {interpreted}"
    return fingerprint(functions, purpose)


def _culprit(term: Term, error: Exception) -> str:
    """Return what in a user's code Numba cannot compile, and what to write instead."""
    if term.kind != "function":
        return f"it is an object of type `{term.kind}`, not a function written with `def`"
    parameters = inspect.signature(term.function, follow_wrapped=False).parameters.values()
    if any(each.kind is each.KEYWORD_ONLY for each in parameters):
        return f"{term.place} has parameters after `*`; write them as constants above the function"
    used = [item for each in reached(term.function) for item in values_used(each).items()]
    for name, value in used:
        own = package_of(getattr(value, "__module__", None) or "")
        if isinstance(value, dict | list | set) or (own and not inspect.isfunction(value)):
            kind = "class" if inspect.isclass(value) else type(value).__name__
            return (
                f"the compiler, Numba, does not support `{name}`, a {kind}; separate numbers or a "
                "tuple compile"
            )
    # the last line in Numba's message is the innermost
    files = {re.split(r"[/\\]", file)[-1]: file for file in term.user_files}
    names = "|".join(map(re.escape, files))
    lines = re.findall(rf'({names})"?,? (?:line |\()(\d+)', str(error))
    if not lines:
        return f"the compiler, Numba, does not support {_unlocated(term, error)}"
    name, line = lines[-1]
    text = linecache.getline(files[name], int(line)).strip()
    place = f"line {line}" if files[name] == term.user_files[0] else f"line {line} of {name}"
    return f"the compiler, Numba, does not support {place}: `{text[:60]}`"


def _unlocated(term: Term, error: Exception) -> str:
    """Return what Numba does not support where its message has no line."""
    if isinstance(error, KeyError):  # how it reports that a record has no such field
        name = str(error.args[0])
        kind = "method" if hasattr(np.record, name) else "unknown field"
        return f"the {kind} `{name}` of a state"
    # a temporary variable is named after the instruction that makes it
    made = re.search(r"variable '\$(\d+)\S* cannot be determined", str(error))
    function = inspect.unwrap(term.function)
    instruction = int(made[1]) if made else -1
    for start, end, line in function.__code__.co_lines():
        if line is not None and start <= instruction < end:
            file = function.__code__.co_filename
            return f"line {line}: `{linecache.getline(file, line).strip()[:60]}`"
    return f"something in `{term.name}`"


def _training_time(plain: Kernel, game: Game, rewards: str, transitions: Transitions) -> float:
    """Return how many times longer training takes if a term is interpreted.

    A step of training with ppo takes about as long as a certain number of interpreted calls of the
    first term of the default reward, on a fast and a slow machine alike. `CALLS_IN_A_STEP` in the
    game's module of rewards is this number, measured.
    """
    module: Any = importlib.import_module(rewards)
    usual = plain_kernel(load_term(parse(module.DEFAULT[game.name])[0].term, rewards))
    calls = getattr(module, "CALLS_IN_A_STEP", 1.0)
    return 1.0 + _seconds(plain, transitions) / _seconds(usual, transitions) / calls


def _seconds(kernel: Kernel, transitions: Transitions) -> float:
    """Return the shortest time of three for the first `TIMED` steps."""
    arrays = [array[:TIMED].copy() for array in transitions]
    row, total = np.zeros((2, len(arrays[0])))
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        kernel(*arrays, 1.0, True, row, total)
        seconds.append(time.perf_counter() - began)
    return max(min(seconds), 1e-9)


def _time(seconds: float) -> str:
    """Format a duration with two digits and a fitting unit."""
    if seconds >= 120.0:
        return f"{seconds / 60.0:,.0f} minutes"
    if seconds >= 0.95:
        return f"{seconds:.1f} s"
    return f"{1e3 * seconds:.0f} ms" if seconds >= 0.01 else f"{1e3 * seconds:.2g} ms"


class _ReadOnlyError(Exception):
    """A term changes its arguments; the message is the place."""


def _call(term: Term, game: Game, transitions: Transitions, k: int) -> Any:
    """Return the term's value of transition `k`.

    Raises:
        RewardError: with file and line, if the term fails.
    """
    arguments = [array[k] for array in transitions]
    try:
        return term.function(*arguments)
    except BaseException as error:
        if is_interruption(error):
            raise
        place = where(error, term.user_files) or term.place
        if isinstance(error, ValueError) and "read-only" in str(error):
            raise _ReadOnlyError(place) from None
        problem = _unknown_field(error, arguments, game) or describe(error)
        raise RewardError(f"{place}: {problem}") from None


def _unknown_field(error: BaseException, arguments: list[Any], game: Game) -> str | None:
    """Return the message about a field that does not exist; None for any other error."""
    missing = re.match(r"no field of name (\w+)", str(error))  # raised by after["..."]
    if missing is None and not isinstance(error, AttributeError):
        return None
    name = missing[1] if missing else str(getattr(error, "name", None))
    asked = getattr(error, "obj", None)
    for argument, called in zip(arguments, ("before", "action", "after"), strict=True):
        if argument is asked or missing:
            if called == "action":
                break
            known = game.state.names or ()
            called = f"{called}." if asked is not None else ""
            return f"`{called}{name}`: {game.name} has no such field; {suggest(name, known)}"
    if asked is not None and asked is arguments[1]:
        return f"`action.{name}`: an action has no fields; {game.describe_actions()}"
    return None


def _changed(term: Term, transitions: Transitions, k: int) -> list[str]:
    """Return the names of the fields that a term changes."""
    copies = Transitions(*(array.copy() for array in transitions))
    with contextlib.suppress(Exception):
        term.function(*(array[k] for array in copies))
    changed = []
    for called, given, left in zip(("before", "action", "after"), transitions, copies, strict=True):
        names = given.dtype.names or ()
        if not names and not np.array_equal(given[k], left[k]):
            changed.append(f"`{called}`")
        changed += [f"`{called}.{name}`" for name in names if given[k][name] != left[k][name]]
    return changed


def _number(term: Term, value: Any) -> float:
    """Return `value` as a float.

    Raises:
        RewardError: if it is not one finite number, which may be an array of no dimensions.
    """
    kind = getattr(getattr(value, "dtype", None), "kind", "f")  # PyTorch has no kinds
    alone = getattr(value, "ndim", None) == 0 and kind in "biuf"
    if not alone and not isinstance(value, numbers.Real):
        raise RewardError(
            f"{term.place}: `{term.name}` must return a number, but returned {_shown(value)}"
        )
    try:
        number = float(value)
    except OverflowError:
        raise RewardError(
            f"{term.place}: `{term.name}` returned an integer that is too large for a reward"
        ) from None
    if not abs(number) <= LARGEST:  # also true for NaN
        limit = f" and at most {LARGEST:.0e}" if np.isfinite(number) else ""
        raise RewardError(
            f"{term.place}: `{term.name}` returned {number:.6g}; rewards must be finite{limit}"
        )
    return number


def _shown(value: Any) -> str:
    """Describe a value that is not a number, with the likely reason."""
    if value is None:
        return "None; does every path end with a `return`?"
    if inspect.iscoroutine(value):
        value.close()
        return "a coroutine; write `def`, not `async def`"
    if isinstance(value, np.void):
        return "a whole state; name one of its fields, as in `after.t`"
    if isinstance(value, Decimal):
        return f"{value!r}; write `float(...)` around it"
    if np.size(value) == 1 and isinstance(value, np.ndarray):
        return f"{value!r}; write `.item()` after it"
    if inspect.isgenerator(value):
        return "a generator; write `return`, not `yield`"
    try:
        return f"{value!r:.80}".replace("\n", " ")
    except Exception:
        return f"an object of type {type(value).__name__}"
