"""Trains or plays with a user's reward in a separate process, and says how that process ended.

A user's code may end its process without a message, by a crash or by `os._exit`, or may never
return. This module starts the process, passes on signals, and names the file, line and step.
With `--sandbox`, the process runs in a sandbox from start to end; see `rewards.sandbox.protection`.

It imports little, because it starts before everything else.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from rewards.child_process import end_with, how_it_ended
from rewards.command_line import INTERRUPTED, USAGE_ERROR, as_typed, quoted, use_utf8
from rewards.errors import line_in
from rewards.expression import RewardError, has_code
from rewards.guard import (
    CALL,
    FINISHED,
    LOADING,
    MARKS,
    MARKS_FILE,
    STEP,
    TERM,
    TERMS_FILE,
    WORD,
    Marks,
)
from rewards.output import forgiving_output
from rewards.reward_file import check_working_folder
from rewards.sandbox.protection import (
    BUBBLEWRAP,
    SIGNALLED,
    confined,
    described,
    enter,
    exit_code,
    missing,
    protection,
)
from rewards.sandbox.protection import VARIABLE as SANDBOX_VARIABLE
from training.messages import one_line
from training.signals import signals_to_end

VARIABLE = "TRAINING_WHEELS_SUPERVISED"
"""Environment variable of the process: the folder that it shares, and its run folder, if made."""
SECONDS = 10
"""Limit for one call of a reward, which covers one step of all environments."""
LOADING_SECONDS = 60
"""Limit for the loading of a reward file, which may import large packages."""
GRACE_SECONDS = 5.0  # to end after a signal, or to write a traceback
RUN_FILE, TRACEBACK_FILE = "run", "traceback"


def start(
    program: str,
    main: Callable[[], int],
    folder_for_sandbox: Callable[[Sequence[str]], Path] | None = None,
) -> int:
    """Run the command line of this process; if it executes a user's code, in another process.

    Args:
        program: name of the program, in front of errors.
        main: runs the command line and returns the exit code.
        folder_for_sandbox: makes the run folder of a command line with `--sandbox`, if the program
            has this flag.

    Returns:
        The exit code.
    """
    try:
        use_utf8(program)
        arguments = sys.argv[1:]
        if VARIABLE not in os.environ and (warning := check_working_folder()):
            print(f"{program}: warning: {warning}", file=sys.stderr)
        if is_needed(arguments):
            if folder_for_sandbox is None or "--sandbox" not in arguments:
                return supervise()
            if not protection():
                raise ValueError(f"--sandbox: {missing()}")
            return supervise(folder_for_sandbox(arguments))
        with supervised():
            forgiving_output()
            code = main()
        return leave(code)
    except (ValueError, OSError) as error:
        print(f"{program}: {one_line(as_typed(str(error)))}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"{program}: interrupted at the start; nothing was written", file=sys.stderr)
        return INTERRUPTED


def is_needed(arguments: Sequence[str]) -> bool:
    """Return whether the command line asks to execute a user's code."""
    if VARIABLE in os.environ:
        return False
    known = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    known.add_argument("--reward")
    for flag in ("--trust-reward", "--sandbox", "--help", "-h"):
        known.add_argument(flag, action="store_true", dest=flag.strip("-").replace("-", "_"))
    try:
        found, _ = known.parse_known_args(list(arguments))
        code = has_code(found.reward)
    except (argparse.ArgumentError, RewardError):
        return False  # train.py says what is wrong
    return (code or found.trust_reward or found.sandbox) and not (found.help or found.h)


def supervise(
    run_folder: Path | None = None, *, reads_input: bool = False, seconds: int = SECONDS
) -> int:
    """Run this program again in a separate process, and return its exit code.

    Args:
        run_folder: for a sandbox, the folder that the process can write; removed if it stays empty.
        reads_input: whether the process reads standard input, and ends when that ends.
        seconds: limit of a call of the reward.

    Raises:
        ValueError: if the process did not end by returning.
        OSError: if a folder cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(
            prefix="training-wheels-", ignore_cleanup_errors=True
        ) as folder:
            return _Supervised(Path(folder), run_folder, reads_input, seconds).wait()
    finally:
        if run_folder is not None:
            with contextlib.suppress(OSError):  # it is kept if there is anything in it
                run_folder.rmdir()


@contextlib.contextmanager
def supervised(*, reads_input: bool = False) -> Iterator[None]:
    """Run the training; in a process without a supervisor, do nothing else."""
    if VARIABLE not in os.environ:
        yield
        return
    enter()
    folder = Path(json.loads(os.environ[VARIABLE])["folder"])
    MARKS.share(folder)
    file = (folder / TRACEBACK_FILE).open("w")
    faulthandler.enable(file)
    if hasattr(signal, "SIGALRM"):  # chained, because Python's own handler ends the process
        faulthandler.register(signal.SIGALRM, file, chain=True)
    if not reads_input:
        pipe = os.fdopen(os.dup(0), encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        end_with(pipe)
    try:
        yield
    finally:
        MARKS.words[FINISHED] = 1


def leave(code: int) -> int:
    """End this process if it has a supervisor, else return `code`.

    Threads and functions for the exit that a user's code has left are not waited for.
    """
    if VARIABLE in os.environ:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # closed
                stream.flush()
        os._exit(code)
    return code


def prepared_run_folder() -> Path | None:
    """Return the empty folder that the supervisor has made for a run in a sandbox."""
    folder = json.loads(os.environ.get(VARIABLE, "{}")).get("run_folder")
    return None if folder is None else Path(folder)


def announce_run(folder: Path) -> None:
    """Tell the supervisor the run folder, which an error then names."""
    if VARIABLE in os.environ:
        shared = Path(json.loads(os.environ[VARIABLE])["folder"])
        (shared / RUN_FILE).write_text(str(folder), encoding="utf-8")


def with_step(problem: str, step: int, run_folder: Path | None) -> str:
    """Return the error about a reward that has failed in training, with a way to go on."""
    text = problem if run_folder is None and not step else f"{problem} (step {step:,})"
    if run_folder is None or not (run_folder / "checkpoint.safetensors").is_file():
        return text
    return (
        f"{text}; everything up to the last checkpoint is saved: repair the copy in "
        f"{quoted(run_folder / 'reward')}, then python train.py --resume {quoted(run_folder)} "
        f"{trust_flag()}"
    )


def trust_flag() -> str:
    """Return the flag with which the reward of this run is executed when it is resumed."""
    sandbox = is_in_sandbox() or "--sandbox" in sys.argv  # this process supervises one
    return "--sandbox" if sandbox else "--trust-reward"


def protection_in_words() -> str:
    """Say which protection there is against the reward of this run."""
    if is_in_sandbox():
        return f"The training runs in a sandbox: {protection()}."
    return f"The reward was tried {described()}; it now runs without one."


def is_in_sandbox() -> bool:
    """Return whether this process trains in a sandbox."""
    return SANDBOX_VARIABLE in os.environ


class Term(NamedTuple):
    """A reward term of the process."""

    name: str
    place: str
    files: list[str]


class _Supervised:
    """The process that trains."""

    def __init__(
        self, folder: Path, run_folder: Path | None, reads_input: bool, seconds: int
    ) -> None:
        """Start it; with a `run_folder`, in a sandbox in which it can write only that."""
        self._folder = folder
        self._seconds = seconds
        self._sandbox = run_folder is not None
        (folder / MARKS_FILE).write_bytes(bytes(4 * WORD))
        self._marks = Marks()
        self._marks.share(folder)
        command = [sys.executable, *sys.orig_argv[1:]]
        shared = {"folder": str(folder)}
        variables = {VARIABLE: json.dumps(shared)}
        if run_folder is not None:
            command, restrictions = confined(command, [folder, run_folder], programs=True)
            shared["run_folder"] = str(run_folder)
            variables = {VARIABLE: json.dumps(shared), "TMPDIR": str(folder)} | restrictions
        self._process = subprocess.Popen(
            command,
            stdin=None if reads_input else subprocess.PIPE,  # it ends when this process does
            env=os.environ | variables,
            start_new_session=True,  # so that a signal reaches it once, from here
        )
        self._signals: list[int] = []

    def wait(self) -> int:
        """Wait for the process and return its exit code; raises as `supervise` does."""
        before = {number: signal.signal(number, self._pass_on) for number in signals_to_end()}
        if hasattr(signal, "SIGTSTP"):
            before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._suspend)
        try:
            stuck = self._wait_for_end_or_stuck_call()
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)
        code = self._process.returncode
        code = exit_code(code) if self._sandbox else code
        if self._marks.words[FINISHED] or -code in self._signals:
            return code if code >= 0 else SIGNALLED - code
        if self._signals and not (self._marks.words[STEP] or self._marks.words[CALL]):
            return SIGNALLED + self._signals[0]  # Python itself was interrupted when it started
        raise ValueError(self._reason(code, stuck))

    def _wait_for_end_or_stuck_call(self) -> bool:
        """Return whether a call of the reward has reached its limit.

        Seconds are counted while this process runs, so a computer that sleeps stops no training.
        """
        words, last, seconds, after_signals = self._marks.words, (0, 0), 0, 0
        while seconds < (LOADING_SECONDS if words[CALL] == LOADING else self._seconds):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
                return False
            call = words[TERM], words[CALL]
            seconds = seconds + 1 if call == last and words[CALL] else 0
            last = call
            after_signals += len(self._signals) > 1
            if after_signals > GRACE_SECONDS:  # Ctrl-C was pressed twice
                return False
        if hasattr(signal, "SIGALRM"):
            self._send(signal.SIGALRM)  # writes a traceback
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS)
        return True

    def _end(self) -> None:
        """End the process, and those that it may have started in a sandbox."""
        self._process.kill()
        self._process.wait()
        if self._sandbox:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._signals.append(number)
        if os.name != "nt":  # Windows sends Ctrl-C to every process in the window
            self._send(number)

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Stop both processes, as Ctrl-Z asks, until the shell continues this one."""
        self._send(signal.SIGSTOP)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._suspend)
        self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        """Send a signal to the process; in bubblewrap, it is the child of a child."""
        process = self._process.pid
        with contextlib.suppress(OSError, IndexError):
            if self._sandbox and protection() == BUBBLEWRAP:
                for _ in range(2):
                    children = Path(f"/proc/{process}/task/{process}/children").read_text()
                    process = int(children.split()[0])
            os.kill(process, number)

    def _reason(self, code: int, stuck: bool) -> str:
        """Return in one line how the process has ended."""
        how = how_it_ended(code)
        run = self._read(RUN_FILE)
        run_folder = Path(run) if run else None
        term = self._term_in_progress()
        step = self._marks.words[STEP]
        if term is None:
            return with_step(f"the program was ended from outside ({how})", step, run_folder)
        dump = self._read(TRACEBACK_FILE)
        lines = (line_in(dump, file) for file in term.files)
        place = next(filter(None, lines), term.place)
        loading = self._marks.words[CALL] == LOADING
        limit = f"load within {LOADING_SECONDS}" if loading else f"return within {self._seconds}"
        what = f"did not {limit} s" if stuck else f"ended the whole program ({how})"
        return one_line(with_step(f"{place}: `{term.name}` {what}", step, run_folder))

    def _term_in_progress(self) -> Term | None:
        """Return the term whose call was in progress, if any."""
        words = self._marks.words
        if not words[CALL]:
            return None
        with contextlib.suppress(ValueError, IndexError, KeyError, TypeError):
            term = json.loads(self._read(TERMS_FILE).splitlines()[words[TERM] - 1])
            return Term(str(term["name"]), str(term["place"]), [*map(str, term["files"])])
        return None

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
