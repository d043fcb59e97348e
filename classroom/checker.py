"""The process that checks students' rewards: python -P -m classroom.checker

It is in the sandbox and can write no file. It reads requests in lines of JSON from standard input
and answers each in one line; `classroom.checks` starts it. Only here a student's text is parsed,
and only what `classroom.subset` allows is executed, with nothing in reach but numbers.
"""

from __future__ import annotations

import builtins
import functools
import json
import math
import os
import queue
import traceback
from collections import namedtuple
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from classroom.answers import answer_of, answer_with_findings, own_texts
from classroom.language import load
from classroom.problem import Problem
from classroom.source import FILE, Source
from classroom.subset import Program, examine
from classroom.vocabulary import BUILTINS
from envs.engine.game import Game
from envs.registry import GAMES
from rewards.check import texts as check_texts
from rewards.check.diagnostics import Paid, diagnosed
from rewards.check.recorded_games import GAMES as EPISODES
from rewards.check.recorded_games import SPECIAL_START, Recording, is_recorded, recorded
from rewards.check.tables import readable
from rewards.child_process import end_with, separate_streams
from rewards.errors import describe
from rewards.expression import RewardError
from rewards.kernel import LARGEST, WeightedSum, checked_kernel, exact_actions
from rewards.sandbox.confinement import Confinement
from rewards.sandbox.protection import enter
from rewards.terms import from_function
from rewards.texts import load_texts

if TYPE_CHECKING:
    from training.rescoring import Rescored

SECONDS = 0.45
"""Processor time of one check; by the clock, four times as much: 1.8 s."""
RESCORING = 5.0
"""Processor time for paying recorded episodes."""
MEMORY = 256 * 2**20
"""Bytes that a student's code may allocate."""
MOST_OPERATIONS = 4_000_000
"""Operations of a student's code in one check; a reward that needs more is tried on fewer steps."""
LEAST_STEPS = 200
GAMES_KEPT = 8

Array = np.ndarray[Any, Any]
Step = tuple[Any, Any, Any]


class FoundError(Exception):
    """A check ends early, because of these problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = list(problems)


class Bench(NamedTuple):
    """Recorded steps of a game, in the form in which plain Python is fastest."""

    game: Game
    recording: Recording
    rows: Array
    """(m,) indices of the steps of the recording."""
    steps: list[Step]
    """(m) tuples (before, action, after): states with fields as attributes, plain numbers."""


def main() -> None:
    """Answer requests until the server closes the pipe."""
    enter()
    requests, report, stderr = separate_streams()
    confinement = Confinement(stderr)
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    print(json.dumps({"ready": True}), file=report, flush=True)
    end_with(requests, waiting.put)
    while True:
        request = json.loads(waiting.get())
        try:
            reply = respond(request, confinement)
        except ValueError as error:
            reply = {"error": str(error)}
        if confinement.violations:  # this process is not to be trusted any more
            os._exit(1)
        print(json.dumps(reply), file=report, flush=True)


def respond(request: dict[str, Any], confinement: Confinement) -> dict[str, Any]:
    """Return the answer to one request.

    Raises:
        ValueError: if there is no such game or run.
    """
    kind, name, options, lang = (request[key] for key in ("kind", "game", "options", "lang"))
    game, rewards = load(name, options), GAMES[name].rewards
    if kind == "check" and not is_recorded(game, rewards, options):
        return {"needs": "recording"}  # this process cannot write it
    if kind == "check":
        bench = _bench(name, json.dumps(options))
        with confinement.watched(SECONDS, MEMORY):
            return {"answer": _checked(request["source"], bench, lang)}
    from training.recorded_episodes import episodes_of_run  # late: they import Numba
    from training.rescoring import rescore

    episodes = episodes_of_run(Path(request["folder"]))
    with confinement.watched(RESCORING, MEMORY):
        own, new = request["own"], request["source"]
        return {"answer": _rescored(functools.partial(rescore, episodes), own, new, game, lang)}


# --- A check


def _checked(text: str, bench: Bench, lang: str) -> dict[str, Any]:
    """Check a reward, try it on recorded steps, and say what it pays for."""
    source, program = Source(text), examine(text, bench.game)
    used, whole = _fewer(bench, program.work)
    try:
        functions = _executed(program, source)
        paid = {
            name: _values(functions[name], used.steps, source, program.lines[name])
            for name in program.terms
        }
    except FoundError as error:
        return answer_of([*program.problems, *error.problems], lang)
    if not whole:
        summary = own_texts(lang)["summary_heavy"].format(count=len(used.steps))
        return answer_of(program.problems, lang, summary=summary, fields=program.fields)
    return _findings(program, source, used, paid, lang)


def _findings(
    program: Program, source: Source, bench: Bench, paid: dict[str, Array], lang: str
) -> dict[str, Any]:
    """Return the tables and warnings of `python -m rewards check`."""
    texts = load_texts(check_texts.FOLDER, lang)
    values = {program.reward: paid.pop(program.reward)} | paid
    found, warnings = diagnosed(Paid(bench.recording, bench.rows, values), [program.reward], texts)
    found |= {"warnings": warnings, "failures": []}
    line = program.lines[program.reward]
    return answer_with_findings(found, program.problems, source, lang, line, program.fields)


def _executed(program: Program, source: Source) -> dict[str, Callable[..., Any]]:
    """Execute the tree that was checked, and return its functions.

    Raises:
        FoundError: if there is none, or a constant cannot be computed.
    """
    if program.tree is None:
        raise FoundError
    namespace: dict[str, Any] = {"__name__": "reward", "__builtins__": _builtins()}
    try:
        exec(compile(program.tree, FILE, "exec", dont_inherit=True), namespace)
    except Exception as error:
        raise FoundError(_problem(error, source, 1)) from None
    return namespace


def _builtins() -> dict[str, Any]:
    """Return the only names of Python that a student's code can reach."""

    def import_math(name: str, *rest: Any) -> Any:
        if name != "math":
            raise ImportError(name)
        return math

    return {"__import__": import_math} | {name: getattr(builtins, name) for name in BUILTINS}


def _values(
    function: Callable[..., Any], steps: Sequence[Step], source: Source, line: int
) -> Array:
    """Return what a function pays for steps.

    Raises:
        FoundError: if it fails, or does not return finite numbers; `line` is its first one.
    """
    try:
        returned = [function(*step) for step in steps]
        values = np.array(returned, np.float64)
    except Exception as error:
        raise FoundError(_problem(error, source, line)) from None
    wrong = np.flatnonzero(~(np.abs(values) <= LARGEST))
    if wrong.size:
        words: dict[str, Any] = {"name": function.__name__, "value": f"{values[wrong[0]]:.6g}"}
        raise FoundError(source.problem_in_line(line, "run_infinite", **words))
    return values


def _problem(error: Exception, source: Source, line: int) -> Problem:
    """Return the problem of code that failed, at the innermost place in it."""
    places = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == FILE]
    key = _runtime_key(error)
    words: dict[str, Any] = {"problem": describe(error)}
    if not places or places[-1].lineno is None:
        return source.problem_in_line(line, key, **words)
    place = places[-1]
    if place.colno is None or place.end_colno is None:
        return source.problem_in_line(int(place.lineno or line), key, **words)
    start = (int(place.lineno or line), place.colno)
    return source.problem_at(start, (place.end_lineno or start[0], place.end_colno), key, **words)


def _runtime_key(error: Exception) -> str:
    match error:
        case ZeroDivisionError():
            return "run_zero"
        case OverflowError():
            return "run_overflow"
        case IndexError():
            return "run_position"
        case NameError():
            return "run_unset"
        case MemoryError():
            return "run_memory"
        case TypeError() if "complex" in str(error):
            return "run_complex"
        case ValueError() if "math domain" in str(error):
            return "run_domain"
    return "run_other"


# --- Recorded steps


@functools.lru_cache(GAMES_KEPT)
def _bench(name: str, options: str) -> Bench:
    """Return all steps on which rewards are checked."""
    chosen = json.loads(options)
    game = load(name, chosen)
    recording = recorded(game, GAMES[name].rewards, chosen)
    return _bench_of(game, recording, recording.diagnosed())


def _bench_of(game: Game, recording: Recording, rows: Array) -> Bench:
    state = namedtuple("state", game.state.names or ())  # type: ignore[misc]
    before, actions, after = recording.transitions(rows)
    plain = exact_actions(actions).tolist()
    steps = zip(
        map(state._make, before.tolist()),
        map(tuple, plain) if game.action_space.shape else plain,
        map(state._make, after.tolist()),
        strict=True,
    )
    return Bench(game, recording, rows, list(steps))


def _fewer(bench: Bench, work: int) -> tuple[Bench, bool]:
    """Return as many steps as a reward of so much work can be tried on in time.

    The second is whether they are enough for the tables: at least one whole episode of each player.
    """
    if work * len(bench.steps) <= MOST_OPERATIONS:
        return bench, True
    recording = bench.recording
    first = (recording.player == SPECIAL_START) | (recording.episode % EPISODES == 0)
    kept = np.flatnonzero(first[bench.rows])
    whole = work * len(kept) <= MOST_OPERATIONS
    if not whole:
        most = max(LEAST_STEPS, MOST_OPERATIONS // work)
        kept = np.arange(0, len(bench.rows), -(-len(bench.rows) // most))
    return bench._replace(rows=bench.rows[kept], steps=[bench.steps[k] for k in kept]), whole


# --- Recorded episodes


def _rescored(
    rescore: Callable[[list[WeightedSum]], Rescored], own: str, new: str, game: Game, lang: str
) -> dict[str, Any]:
    """Say what a new reward pays in the recorded episodes of a run, next to the run's own one."""
    source, program, old = Source(new), examine(new, game), examine(own, game)
    try:
        rewards = {"paid_new": _reward(program, source, game)}
        if old.tree is not None:  # it was checked, but perhaps by another version of the classroom
            rewards = {"paid_own": _reward(old, Source(own), game)} | rewards
        found = rescore(list(rewards.values()))
    except FoundError as error:
        return answer_of([*program.problems, *error.problems], lang)
    except RewardError as error:
        return answer_of([_failed(error, program, source)], lang)
    return _paid_tables(found, list(rewards), program, lang)


def _reward(program: Program, source: Source, game: Game) -> WeightedSum:
    """Return a student's reward as training uses it, but interpreted; raises as `_executed`."""
    term = from_function(_executed(program, source)[program.reward])
    kernel = checked_kernel(term, game, compile_it=False)
    return WeightedSum(term.name, [1.0], [term], [kernel])


def _failed(error: RewardError, program: Program, source: Source) -> Problem:
    """Return the problem of a reward that failed in recorded episodes."""
    line = program.lines[program.reward]
    if isinstance(error.__context__, Exception):
        return _problem(error.__context__, source, line)
    return source.problem_in_line(line, "run_other", problem=str(error).partition(": ")[2])


def _paid_tables(found: Rescored, names: list[str], program: Program, lang: str) -> dict[str, Any]:
    """Return what rewards pay in each episode, and where two of them disagree."""
    from reward_lab import texts as lab_texts

    own, words = own_texts(lang), lab_texts.load("rescore", lang)
    events = load_texts(check_texts.FOLDER, lang)["events"]
    titles, episodes = [own[name] for name in names], found.episodes
    rows = [
        [str(k + 1), int(episodes.lengths[k]), float(episodes.scores[k])]
        + [float(paid.returns[k]) for paid in found.paid]
        for k in range(len(episodes))
    ]
    steps = load_texts(check_texts.FOLDER, lang)["tables"]["steps"]
    counted = {"episodes": len(episodes), "steps": f"{len(episodes.actions):,}"}
    title = words["title"].format(**counted)
    tables = [
        {
            "title": title,
            "columns": [words["episode"], steps, words["score"], *titles],
            "rows": rows,
        }
    ]
    if len(found.paid) > 1:
        moments = [
            [
                str(moment.episode + 1),
                moment.step / episodes.game.steps_per_second,
                readable(moment.event, events),
                *moment.rewards,
                moment.difference,
            ]
            for moment in found.moments()
        ]
        columns = (words["episode"], words["second"], words["event"], *titles, words["difference"])
        tables.append({"title": words["moments"], "columns": list(columns), "rows": moments})
    summary = words["agree"] if len(tables) > 1 and not tables[1]["rows"] else ""
    return answer_of(program.problems, lang, tables=tables, summary=summary, fields=program.fields)


if __name__ == "__main__":
    main()
