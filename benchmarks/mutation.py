"""Mutation testing: break one place of a module, and see whether a test fails.

    python -m benchmarks.mutation --sample 300 --seed 1 --jobs 8

A mutant is a module with one small change (see `mutation_operators`). It is killed if a test fails
or needs far too much processor time. `mutants.toml` says which tests concern which module, and
which survivors are accepted, with the reason. Mutants are tested in copies of the project in a
temporary folder.

mutmut switches mutants on at run time, which compiled code does not notice; cosmic-ray runs the
same tests for all modules. Neither takes a sample, and all mutants together would take days.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from agents.validation import at_least_one, positive
from benchmarks.mutation_operators import Change, changes
from envs.engine.cache import cache_root
from rewards.command_line import INTERRUPTED, USAGE_ERROR
from training.cli import read_options

ROOT = Path(__file__).parent.parent
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "runs", "build")
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-o", "addopts=")
TESTS_PASSED = 0  # pytest's exit code, also if all tests were skipped
PASSED = b" passed"  # in what pytest prints
BASELINE_SECONDS = 300.0
TIMEOUT = b"TimeoutExpired"  # of a test that waits for a child process
GOAL = 0.85


@dataclass(frozen=True)
class Options:
    """Change random places of the source, one at a time, and list the changes that no test notices.

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
    """Write the mutants that were not killed to this file, as entries for the configuration."""
    again: Path | None = None
    """Test only the mutants in this file, which an earlier run wrote with --survivors."""
    config: Path = ROOT / "benchmarks" / "mutants.toml"
    """Configuration: the tests of each module, and the accepted survivors."""
    root: Path = ROOT
    """Folder of the project."""

    def __post_init__(self) -> None:
        """Raise ValueError for an impossible number."""
        at_least_one(self, "sample", "jobs")
        positive(self, "minutes")


class Limits(NamedTuple):
    """How long the tests of a mutant may take."""

    seconds_more: float = 20.0
    """Processor time beyond `times_more` times that without a change."""
    times_more: float = 4.0
    times_waiting: float = 10.0
    """Limit by the clock, in limits of processor time."""


LIMITS = Limits()


class Mutant(NamedTuple):
    """One change of one module, and pytest's arguments for the tests that concern it."""

    module: str
    change: Change
    tests: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """The module, the lines before the change, and those after it."""
        return self.module, self.change.before, self.change.after

    def entry(self) -> str:
        """Return the entry in the configuration that accepts this mutant, without a reason."""
        lines = zip(("module", "before", "after"), self.key, strict=True)
        fields = "\n".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in lines)
        return f"[[accepted]]  # line {self.change.line}\n{fields}\n"


def find_mutants(options: Options) -> list[Mutant]:
    """Return all mutants of the chosen modules, without accepted ones.

    Raises:
        ValueError: if the configuration names no such module.
    """
    config = tomllib.loads(options.config.read_text(encoding="utf-8"))
    accepted = entries_of(options.config)
    found = []
    for module, tests in config["tests"].items():
        if any(fnmatch(module, pattern) for pattern in options.modules):
            source = (options.root / module).read_text(encoding="utf-8")
            found += [Mutant(module, change, tuple(tests)) for change in changes(source)]
    if not found:
        raise ValueError(f"{options.config} names no module {', '.join(options.modules)}")
    if options.again is not None:
        again = entries_of(options.again)
        found = [mutant for mutant in found if mutant.key in again]
    return [mutant for mutant in found if mutant.key not in accepted]


def entries_of(file: Path) -> set[tuple[str, str, str]]:
    """Return the keys of the mutants that a TOML file lists."""
    listed = tomllib.loads(file.read_text(encoding="utf-8")).get("accepted", ())
    return {(entry["module"], entry["before"], entry["after"]) for entry in listed}


class Verdict(Enum):
    """What the tests said about a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    UNDECIDED = "undecided"
    """The time ran out. The machine may have been busy, so this does not count as killed."""


class Run(NamedTuple):
    """One run of pytest."""

    verdict: Verdict
    code: int
    """Exit code."""
    seconds: float
    """Processor time, with that of child processes."""


class Workplace:
    """A copy of the project, in which one mutant after the other is tested."""

    def __init__(self, root: Path, folder: Path, cache: Path, times_waiting: float) -> None:
        self.times_waiting = times_waiting
        self.folder, self.cache = folder / "project", folder / "cache"
        self.output = folder / "output"
        shutil.copytree(root, self.folder, ignore=NOT_COPIED)
        shutil.copytree(cache, self.cache)
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, arguments: str, cache: Path, limit: float = BASELINE_SECONDS) -> Run:
        """Run pytest with some arguments, for at most `limit` seconds of processor time.

        Processor time does not depend on what else the machine does. Tests that wait for something
        use none, so they are stopped after a much longer time by the clock.
        """
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")]),
            "PYTHONDONTWRITEBYTECODE": "1",  # a mutant may have the size and the time of another
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # importing plugins takes a second
            "XDG_CACHE_HOME": str(cache),
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("NUMBA_CACHE_DIR", None)
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [*PYTEST, "-p", "no:cacheprovider", *shlex.split(arguments)],
                cwd=self.folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            resource.prlimit(self._process.pid, resource.RLIMIT_CPU, (math.ceil(limit),) * 2)
            code, seconds = wait(self._process, self.times_waiting * limit)
        finally:
            self.stop()
        if code is None or TIMEOUT in self.output.read_bytes():
            verdict = Verdict.UNDECIDED
        else:
            verdict = Verdict.SURVIVED if code == TESTS_PASSED else Verdict.KILLED
        return Run(verdict, -1 if code is None else code, seconds)

    def stop(self) -> None:
        """End the tests and all processes that they have started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def judge(self, mutant: Mutant, limits: Mapping[str, float]) -> Verdict:
        """Run the tests that concern a mutant, until one fails.

        The mutant gets a copy of the cache, as it must not change the code that others run.
        """
        file = self.folder / mutant.module
        original = file.read_bytes()
        file.write_text(mutant.change.source, encoding="utf-8")
        try:
            with tempfile.TemporaryDirectory(dir=self.cache.parent) as name:
                cache = shutil.copytree(self.cache, Path(name) / "cache")
                for arguments in mutant.tests:
                    verdict = self.run(arguments, cache, limits[arguments]).verdict
                    if verdict != Verdict.SURVIVED:
                        break
        finally:
            file.write_bytes(original)
        return verdict


def wait(process: subprocess.Popen[bytes], seconds: float) -> tuple[int | None, float]:
    """Wait for a process to end; return its exit code and processor time.

    The exit code is None if it has not ended after some seconds.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_utime + usage.ru_stime
        time.sleep(0.05)
    return None, 0.0


class Bench:
    """Workplaces for several mutants at a time, and how long the tests take without a change."""

    def __init__(self, options: Options, folder: Path, limits: Limits) -> None:
        cache = folder / "cache" / "training-wheels"
        cache.mkdir(parents=True)
        compiled = cache_root(None).parent
        if compiled.is_dir():  # games are compiled only once
            shutil.copytree(compiled, cache, dirs_exist_ok=True)
        self._places = [
            Workplace(options.root, folder / f"{k}", cache.parent, limits.times_waiting)
            for k in range(options.jobs)
        ]
        self._free = self._places.copy()  # there are as many threads
        self._allowed = limits
        self._limits: dict[str, float] = {}

    def judge(self, mutant: Mutant) -> Verdict | None:
        """Judge a mutant in a free workplace; None if its tests do not pass without it."""
        place = self._free.pop()
        try:
            if all(self._measure(place, arguments) for arguments in mutant.tests):
                return place.judge(mutant, self._limits)
        finally:
            self._free.append(place)
        return None

    def _measure(self, place: Workplace, arguments: str) -> bool:
        """Return whether tests pass without a change; set their limit of processor time.

        Tests that are all skipped, because a library is missing, say nothing about a mutant.
        """
        if arguments not in self._limits:
            verdict, code, seconds = place.run(arguments, place.cache)
            usable = verdict == Verdict.SURVIVED and PASSED in place.output.read_bytes()
            limit = self._allowed.seconds_more + self._allowed.times_more * seconds
            self._limits[arguments] = limit if usable else 0.0
            if not usable:
                print(f"left out: without a change, no test of {arguments} passes ({code})")
        return self._limits[arguments] > 0

    def stop(self) -> None:
        """End all tests."""
        for place in self._places:
            place.stop()


def judge(
    options: Options, mutants: Sequence[Mutant], limits: Limits
) -> Iterator[tuple[Mutant, Verdict]]:
    """Yield mutants with their verdicts, as soon as they have been tested.

    Mutants whose tests do not pass without a change are left out.

    Raises:
        TimeoutError: after `options.minutes`.
    """
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.jobs) as pool:
        bench = Bench(options, Path(name), limits)
        try:
            tested = {pool.submit(bench.judge, mutant): mutant for mutant in mutants}
            for done in as_completed(tested, end - time.monotonic()):
                if (verdict := done.result()) is not None:
                    yield tested[done], verdict
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            bench.stop()


def report(results: Sequence[tuple[Mutant, Verdict]]) -> float:
    """Print how many mutants of each module were killed; return the share of all."""
    tested = Counter(mutant.module for mutant, _ in results)
    killed = Counter(mutant.module for mutant, verdict in results if verdict == Verdict.KILLED)
    for module, count in sorted(tested.items()):
        print(f"{module:40} {killed[module]:4} of {count:4} killed")
    share = killed.total() / max(1, tested.total())
    undecided = sum(verdict == Verdict.UNDECIDED for _, verdict in results)
    print(f"{killed.total()} of {tested.total()} killed: {share:.1%}; {undecided} undecided")
    return share


def main(arguments: Sequence[str] | None = None, limits: Limits = LIMITS) -> int:
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
    results: list[tuple[Mutant, Verdict]] = []
    entries: list[str] = []
    interrupted = False
    try:
        for mutant, verdict in judge(options, chosen, limits):
            results.append((mutant, verdict))
            if verdict == Verdict.KILLED:
                continue
            entries.append(mutant.entry())
            print(f"{verdict.value} {len(results)}/{len(chosen)}:\n{entries[-1]}", flush=True)
            if options.survivors is not None:
                options.survivors.write_text("\n".join(entries), encoding="utf-8")
    except (KeyboardInterrupt, TimeoutError) as ending:
        print(f"stopped after {len(results)} of {len(chosen)} mutants")
        interrupted = isinstance(ending, KeyboardInterrupt)
    reached = report(results) >= GOAL
    return INTERRUPTED if interrupted else 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
