"""Mutation testing: break one place of a module, and see whether a test fails.

    python -m benchmarks.mutation --sample 300 --seed 1 --jobs 8

A mutant is a module with one small change (see `mutation_operators`). It is killed if a test fails
or takes far too long. `mutants.toml` says which tests concern which module, and which survivors are
accepted, with the reason. Mutants are tested in copies of the project in a temporary folder.

mutmut switches mutants on at run time, which compiled code does not notice; cosmic-ray runs the
same tests for all modules. Neither takes a sample, and all mutants together would take days.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.mutation_operators import Change, changes
from rewards.command_line import USAGE_ERROR
from training.cli import read_options

ROOT = Path(__file__).parent.parent
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "runs", "build")
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider")
TESTS_PASSED = 0  # pytest's exit code
BASELINE_SECONDS = 300.0
SECONDS_MORE, TIMES_MORE = 20.0, 4.0  # than without a change, before tests are stopped
GOAL = 0.85


@dataclass(frozen=True)
class Options:
    """Change random places of the source, one at a time, and list the changes no test notices.

    Exit code 1 if fewer than 85 % of the mutants were killed.
    """

    modules: tuple[str, ...] = ("*",)
    """Modules or patterns, such as agents/ppo.py or "envs/engine/*". Default: all that the
    configuration names."""
    sample: int = 300
    """Number of mutants, chosen at random."""
    seed: int = 1
    """Seed of the choice."""
    jobs: int = 1
    """Number of mutants tested at the same time."""
    minutes: float = 600.0
    """Stop after this time and report what was found until then."""
    survivors: Path | None = None
    """Write the survivors to this file, as entries for the configuration."""
    config: Path = ROOT / "benchmarks" / "mutants.toml"
    """Configuration: the tests of each module, and the accepted survivors."""
    root: Path = ROOT
    """Folder of the project."""


class Mutant(NamedTuple):
    """One change of one module, and pytest's arguments for the tests that concern it."""

    module: str
    change: Change
    tests: tuple[str, ...]

    def entry(self) -> str:
        """Return the entry in the configuration that accepts this mutant, without a reason."""
        _, before, after, _ = self.change
        lines = (("module", self.module), ("before", before), ("after", after))
        fields = "\n".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in lines)
        return f"[[accepted]]  # line {self.change.line}\n{fields}\n"


def find_mutants(options: Options) -> list[Mutant]:
    """Return all mutants of the chosen modules, without accepted ones.

    Raises:
        ValueError: if the configuration names no such module.
    """
    config = tomllib.loads(options.config.read_text(encoding="utf-8"))
    accepted = {(e["module"], e["before"], e["after"]) for e in config.get("accepted", ())}
    found = []
    for module, tests in config["tests"].items():
        if any(fnmatch(module, pattern) for pattern in options.modules):
            source = (options.root / module).read_text(encoding="utf-8")
            found += [Mutant(module, change, tuple(tests)) for change in changes(source)]
    if not found:
        raise ValueError(f"{options.config} names no module {', '.join(options.modules)}")
    return [m for m in found if (m.module, m.change.before, m.change.after) not in accepted]


class Workplace:
    """A copy of the project, in which one mutant after the other is tested."""

    def __init__(self, root: Path, folder: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache
        shutil.copytree(root, folder, ignore=NOT_COPIED)
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, tests: Sequence[str], seconds: float) -> int | None:
        """Run pytest once with each of the arguments, until a test fails.

        Returns pytest's last exit code, or None after the time limit.
        """
        environment = os.environ | {
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",  # a mutant may have the size and the time of another
            "NUMBA_CACHE_DIR": str(self.cache),
            "OMP_NUM_THREADS": "1",
        }
        end, code = time.monotonic() + seconds, TESTS_PASSED
        for arguments in tests:
            self._process = subprocess.Popen(
                [*PYTEST, *shlex.split(arguments)],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                code = self._process.wait(end - time.monotonic())
            except subprocess.TimeoutExpired:
                return None
            finally:
                self.stop()
            if code != TESTS_PASSED:
                break
        return code

    def stop(self) -> None:
        """End the tests and all processes that they have started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def survives(self, mutant: Mutant, seconds: float) -> bool:
        """Return whether all tests pass on a mutant."""
        file = self.folder / mutant.module
        original = file.read_bytes()
        file.write_text(mutant.change.source, encoding="utf-8")
        try:
            return self.run(mutant.tests, seconds) == TESTS_PASSED
        finally:
            file.write_bytes(original)


def judge(options: Options, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """Yield mutants as soon as they have been tested, with whether they survived.

    The tests run without a change first, which shows how long they take and compiles the games.
    Mutants whose tests fail even then are left out.

    Raises:
        TimeoutError: after `options.minutes`.
    """
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.jobs) as pool:
        folder = Path(name)
        cache = folder / "cache"
        cache.mkdir()
        places = [Workplace(options.root, folder / f"{k}", cache) for k in range(options.jobs)]
        free = places.copy()  # there are as many threads

        def in_a_workplace(run: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
            """Return the result of a method of a free workplace, and the seconds it took."""
            place, begin = free.pop(), time.monotonic()
            try:
                return run(place, *arguments), time.monotonic() - begin
            finally:
                free.append(place)

        try:
            groups = {mutant.tests: mutant.module for mutant in mutants}
            futures = {
                pool.submit(in_a_workplace, Workplace.run, tests, BASELINE_SECONDS): tests
                for tests in groups
            }
            limits = {}
            for future in as_completed(futures, end - time.monotonic()):
                (code, seconds), tests = future.result(), futures[future]
                if code == TESTS_PASSED:
                    limits[tests] = SECONDS_MORE + TIMES_MORE * seconds
                else:
                    print(f"{groups[tests]}: its tests fail without a change (pytest: {code})")
            for place in places:  # a mutant must not change the code that others run
                place.cache = shutil.copytree(cache, folder / f"cache of {place.folder.name}")
            tested = {
                pool.submit(in_a_workplace, Workplace.survives, m, limits[m.tests]): m
                for m in mutants
                if m.tests in limits
            }
            for done in as_completed(tested, end - time.monotonic()):
                yield tested[done], done.result()[0]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for place in places:
                place.stop()


def report(results: Sequence[tuple[Mutant, bool]]) -> float:
    """Print how many mutants of each module were killed; return the share of all."""
    tested = Counter(mutant.module for mutant, _ in results)
    survived = Counter(mutant.module for mutant, survives in results if survives)
    for module, count in sorted(tested.items()):
        print(f"{module:40} {count - survived[module]:4} of {count:4} killed")
    share = 1 - survived.total() / max(1, tested.total())
    print(f"{tested.total() - survived.total()} of {tested.total()} killed: {share:.1%}")
    return share


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        options: Options = read_options(Options, given, "-m benchmarks.mutation")
        mutants = find_mutants(options)
    except (OSError, ValueError) as error:
        print(f"benchmarks.mutation: {error}", file=sys.stderr)
        return USAGE_ERROR
    chosen = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
    print(f"{len(chosen)} of {len(mutants)} mutants, chosen with seed {options.seed}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results: list[tuple[Mutant, bool]] = []
    try:
        for mutant, survives in judge(options, chosen):
            results.append((mutant, survives))
            if survives:
                print(f"survived {len(results)}/{len(chosen)}:\n{mutant.entry()}", flush=True)
            if options.survivors is not None:
                entries = [mutant.entry() for mutant, survives in results if survives]
                options.survivors.write_text("\n".join(entries), encoding="utf-8")
    except (KeyboardInterrupt, TimeoutError):
        print(f"stopped after {len(results)} of {len(chosen)} mutants")
    return 0 if report(results) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
