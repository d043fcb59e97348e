"""Damages run folders, then resumes, plays and re-scores them: python -m benchmarks damage

Every damage must end in one line or be harmless: no traceback, no hang, at most 1 GB of memory, and
no execution of code that the folder names. Each damage follows from the seed and its number.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import torch
from rich.console import Console

from agents.validation import at_least_one
from benchmarks.command import BenchmarkCommand
from training.messages import one_line, say
from training.run_folder import CONFIG, NUMBERS, read_tensors, write_tensors

SECONDS = 30.0
"""Time after which a folder counts as hanging."""
MOST_MEMORY = 1e9
"""Memory in bytes above which a folder counts as too large."""
KINDS = (
    ("paddle", "ppo", ()),
    ("paddle", "dqn", ()),
    ("paddle", "reinforce", ()),
    ("bicycle", "sac", ()),
    ("bicycle", "search", ()),
    ("paddle", "reward_model", ()),
    ("classify", "supervised", ("examples=100", "test_examples=100")),
    ("cluster", "kmeans", ()),
    ("CartPole-v1", "pqn", ()),
)
"""Environment, agent and environment options of the runs that are damaged."""
EVIL = "evil:attribute"
PLACEHOLDER = "e6c1b2d4"
VALUES = (
    *("null", "true", "false", "0", "-1", "1", "1.5", "-0.5", "1e308", "1e400", "-1e400", "NaN"),
    *("1000000", "1000000000", "9007199254740993", "9" * 30, "9" * 5000, "Infinity"),
    *('""', '"1"', f'"{EVIL}"', '"../../../etc/passwd"', '"a/b"', '"\\ud800"', '"\\u0000"'),
    *("[]", "{}", "[1]", '["a"]', f'["{EVIL}"]', f'{{"{EVIL}": 1}}', "[" * 90000 + "]" * 90000),
    *("[" * 100 + "]" * 100, '"' + "x" * 1_000_000 + '"', "[" + "0," * 100_000 + "0]"),
)
"""JSON texts that replace a value."""
OPTION_NAMES = (
    *("dataset", "game", "rewards", "reward", "stage", "entry_point", "wrappers", "kwargs"),
)
LOADED = "loaded"
REFUSALS = (ValueError, FloatingPointError, OSError, MemoryError, gymnasium.error.Error)
"""Exceptions that train.py and play.py print as one line."""


def make_folder(place: Path, kind: tuple[str, str, tuple[str, ...]]) -> Path:
    """Return the folder of a short run in `place`."""
    import train

    env, agent, options = kind
    arguments = ["--env", env, "--agent", agent, "--run-dir", str(place), "--num-envs", "4"]
    arguments += [
        "--steps",
        "40",
        "--eval-every",
        "20",
        "--eval-episodes",
        "2",
        "--video-frames",
        "0",
    ]
    arguments += ["--env-options", *options] if options else []
    with contextlib.redirect_stdout(None):
        if train.main(arguments) != 0:
            raise RuntimeError(f"{agent} cannot be trained on {env}")
    (folder,) = place.iterdir()
    return folder


def resume(folder: Path) -> None:
    """Resume a run and take a few steps."""
    from training.session import prepare
    from training.train_options import env_of_run
    from training.trained_agent import load_config
    from training.vector_runner import make_environments

    config = load_config(folder)
    env_of_run(config)
    environments = make_environments(config.env, config.num_envs, config.make_options)
    with contextlib.closing(environments):
        run, _ = prepare(config, environments, folder.parent, folder, "python train.py")
        for _ in range(3):
            step, _ = run.runner.step(run.agent.act(run.runner.observations))
            run.agent.learn(step)
        run.save()


def play(folder: Path) -> None:
    """Play a few steps of a run."""
    from playing.app import open_playback
    from playing.selection import PlayOptions

    _, playback = open_playback(PlayOptions(run=folder), rendered=False)
    with contextlib.closing(playback.env):
        for _ in range(3):
            playback.step()


def pay_again(folder: Path) -> None:
    """Pay the recorded episodes of a run by its own reward."""
    from training.recorded_episodes import episodes_of_run
    from training.rescoring import rescore
    from training.trained_agent import load_config

    config = load_config(folder)
    rescore(episodes_of_run(folder), [config.reward or "reward"])


WAYS: dict[str, Callable[[Path], None]] = {"resume": resume, "play": play, "rescore": pay_again}


def damage(folder: Path, rng: random.Random) -> str:
    """Damage a run folder in one way; return a description."""
    way = rng.choice((flip_bits, cut, replace_file, change_json, change_numbers, change_tensors))
    return way(folder, rng)


def flip_bits(folder: Path, rng: random.Random) -> str:
    """Flip 1 to 8 bits of a file."""
    file = some_file(folder, rng)
    content = bytearray(file.read_bytes())
    count = rng.choice((1, 1, 2, 8))
    for _ in range(count if content else 0):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    file.write_bytes(content)
    return f"{count} bits of {file.name} flipped"


def cut(folder: Path, rng: random.Random) -> str:
    """Cut off the end of a file, or append something."""
    file = some_file(folder, rng)
    content = file.read_bytes()
    if rng.random() < 0.3:
        file.write_bytes(content + rng.randbytes(100))
        return f"{file.name} with 100 more bytes"
    size = rng.choice((0, 1, 7, 8, 9, rng.randrange(len(content) + 1)))
    file.write_bytes(content[:size])
    return f"{file.name} cut to {size} bytes"


def replace_file(folder: Path, rng: random.Random) -> str:
    """Replace a file by something else, or by nothing."""
    file = some_file(folder, rng)
    size = file.stat().st_size
    file.unlink()
    other = rng.choice(("nothing", "folder", "FIFO", "loop", "zero", "random", "sparse", "header"))
    if other == "folder":
        file.mkdir()
    elif other == "FIFO":
        os.mkfifo(file)
    elif other == "loop":
        file.symlink_to(file.name)
    elif other in ("zero", "random"):
        file.symlink_to(f"/dev/{'zero' if other == 'zero' else 'urandom'}")
    elif other == "sparse":
        with file.open("wb") as opened:
            opened.truncate(rng.choice((size, 8 << 30)))
    elif other == "header":
        length = rng.choice((2**60, 2**63, 2**64 - 1, 2**31, 10**8))
        file.write_bytes(length.to_bytes(8, "little") + b'{"a":' * 1000)
    return f"{file.name} replaced by {other}"


def change_json(folder: Path, rng: random.Random) -> str:
    """Change a value of a JSON file."""
    file = folder / rng.choice((CONFIG, CONFIG, CONFIG, NUMBERS, "evaluation.json"))
    content = json.loads(file.read_text())
    told = change_value(content, rng)
    file.write_text(raw(content, rng))
    return f"{file.name}: {told}"


def change_numbers(folder: Path, rng: random.Random) -> str:
    """Change a value of the numbers in a tensor file, and leave out the checksums.

    Nothing but the checks of each value can then notice it.
    """
    from safetensors.torch import save_file

    file = rng.choice(sorted(folder.glob("*.safetensors")))
    tensors, numbers = read_tensors(file)
    told = change_value(numbers, rng)
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    save_file(tensors, file, metadata={"numbers": raw(numbers, rng)})
    return f"numbers in {file.name}: {told}"


def change_tensors(folder: Path, rng: random.Random) -> str:
    """Change a tensor, with checksums that are right."""
    file = rng.choice(sorted(folder.glob("*.safetensors")))
    tensors, numbers = read_tensors(file)
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    name = rng.choice(list(tensors))
    tensor = tensors.pop(name)
    how = rng.choice(("gone", "extra", "dtype", "shape", "rows", "nan", "inf", "empty", "scalar"))
    if how == "extra":
        tensors |= {name: tensor, f"{name}.{EVIL}": torch.ones(3)}
    elif how == "dtype":
        other = rng.choice((torch.float64, torch.int64, torch.uint8, torch.float16, torch.bool))
        tensors[name] = tensor.to(other)
    elif how == "shape":
        tensors[name] = tensor.reshape(-1, 1).clone()
    elif how == "rows":
        tensors[name] = torch.cat((tensor.reshape(-1), tensor.reshape(-1)))
    elif how in ("nan", "inf"):
        tensors[name] = torch.full_like(tensor.float(), float(how))
    elif how == "empty":
        tensors[name] = torch.zeros(0, dtype=tensor.dtype)
    elif how == "scalar":
        tensors[name] = torch.ones((), dtype=tensor.dtype)
    write_tensors(file, tensors, numbers)
    return f"{name} in {file.name}: {how}"


def change_value(content: Any, rng: random.Random) -> str:
    """Replace, add or remove a value somewhere in JSON content; `raw` writes the result."""
    place, path = content, ""
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(min(len(place), 5)))
        key = rng.choice(keys) if keys else None
        if key is None:
            break
        path += f".{key}"
        if not isinstance(place[key], (dict, list)) or not place[key] or rng.random() < 0.3:
            break
        place = place[key]
    how = rng.random()
    if key is not None and how < 0.1:
        del place[key]
        return f"{path} removed"
    if isinstance(place, dict) and (key is None or how < 0.2):
        key = rng.choice((*OPTION_NAMES, EVIL, "unknown"))
        path += f" and {key}"
    value = rng.choice(VALUES)
    if key is None:
        place.append(PLACEHOLDER + value)
    else:
        place[key] = PLACEHOLDER + value
    return f"{path} = {value[:30]}"


def raw(content: Any, rng: random.Random) -> str:
    """Return JSON text in which the value that `change_value` chose stands as it is."""

    def write(value: Any) -> str:
        if isinstance(value, str) and value.startswith(PLACEHOLDER):
            return value.removeprefix(PLACEHOLDER)
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(k)}: {write(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(write, value)) + "]"
        return json.dumps(value)

    text = write(content)
    if rng.random() < 0.05:  # the first key twice
        return "{" + f'"{next(iter(content), "a")}": 1, ' + text.removeprefix("{")
    return text


def some_file(folder: Path, rng: random.Random) -> Path:
    """Return one of the files of a run folder."""
    return rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))


@dataclass(frozen=True)
class Outcome:
    """What happened to a damaged folder."""

    number: int
    told: str
    """The damage, and how the folder was used."""
    problem: str
    """`traceback`, `hang`, `memory`, `code` or `crash`; empty if there was none."""
    detail: str = ""
    """The refusal in one line, or the traceback."""


def try_damage(
    source: Path, name: str, seed: int, number: int, place: Path, marker: Path
) -> Outcome:
    """Damage a copy of `source` in the way `number`, and use it in the way `name` of `WAYS`.

    `marker` is a file that exists after the module `evil` was imported.
    """
    folder = place / f"{name}{number}" / source.name
    shutil.copytree(source, folder)
    told = damage(folder, random.Random(f"{seed}.{number}"))
    problem, detail = "", LOADED
    try:
        WAYS[name](folder)
    except REFUSALS as error:
        detail = one_line(error)
    except Exception:
        problem, detail = "traceback", traceback.format_exc()
    if marker.exists():
        problem = "code"
        marker.unlink()
    shutil.rmtree(folder.parent)
    return Outcome(number, f"{name}, {source.name}: {told}", problem, detail)


@contextlib.contextmanager
def evil_module(place: Path) -> Iterator[Path]:
    """Put a module `evil` on the path; yield the file that exists once it was imported."""
    marker = place / "evil_was_imported"
    (place / "evil.py").write_text(f"open({str(marker)!r}, 'w').close()\nattribute = dict\n")
    sys.path.insert(0, str(place))
    try:
        yield marker
    finally:
        sys.path.remove(str(place))
        sys.modules.pop("evil", None)


def work(sources: list[Path], seed: int, numbers: Any, results: Any) -> None:
    """Try damages in a process of its own, until `numbers` brings None."""
    with tempfile.TemporaryDirectory() as name, evil_module(Path(name)) as marker:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the life of the process
        while (number := numbers.get()) is not None:
            source = sources[number % len(sources)]
            for way in WAYS:
                outcome = try_damage(source, way, seed, number, Path(name), marker)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
                if memory > MOST_MEMORY:
                    outcome = replace(outcome, problem="memory", detail=f"{memory / 1e9:.1f} GB")
                results.put(outcome)
            results.put(None)


@dataclass(frozen=True)
class DamageCommand(BenchmarkCommand):
    """Damage run folders, then resume, play and re-score them."""

    mutations: int = 1_000
    """Number of ways in which run folders are damaged."""
    first_mutation: int = 0
    """Number of the first of them, such as one that an earlier run printed."""
    seed: int = 1
    """Seed of the damages."""

    def __post_init__(self) -> None:
        at_least_one(self, "mutations")

    def run(self, console: Console) -> dict[str, Any]:
        outcomes = run_damages(self.mutations, self.seed, console, self.first_mutation)
        return {"damage": [asdict(outcome) for outcome in outcomes]}


def run_damages(mutations: int, seed: int, console: Console, first: int = 0) -> list[Outcome]:
    """Try the damages from number `first` on; print each problem, then a summary."""
    context = multiprocessing.get_context("spawn")
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as name:
        sources = [make_folder(Path(name) / f"{k}", kind) for k, kind in enumerate(KINDS)]
        worker: Any = None
        for number in range(first, first + mutations):
            if worker is None or not worker.is_alive():
                numbers, results = context.SimpleQueue(), context.Queue()
                worker = context.Process(target=work, args=(sources, seed, numbers, results))
                worker.start()
                limit = 4 * SECONDS  # the first damage waits for imports
            numbers.put(number)
            found = _results(results, worker, number, limit)
            limit = SECONDS
            for outcome in found:
                if outcome.problem:
                    text = f"{outcome.problem}: {number}, {outcome.told}\n{outcome.detail}"
                    say(console, text)
            if any(each.problem in ("hang", "memory") for each in found):
                worker.kill()
                worker.join()
            outcomes += found
        if worker is not None:
            numbers.put(None)
            worker.join()
    problems = Counter(outcome.problem for outcome in outcomes if outcome.problem)
    told = ", ".join(f"{count} {name}" for name, count in problems.items()) or "none"
    loaded = sum(outcome.detail == LOADED for outcome in outcomes)
    refused = len(outcomes) - loaded - problems.total()
    console.print(
        f"{mutations:,} damages from number {first:,}, seed {seed}, each resumed, played and "
        f"re-scored: {loaded:,} loaded, {refused:,} refused in one line; problems: {told}",
        highlight=False,
        soft_wrap=True,
    )
    return outcomes


def _results(results: Any, worker: Any, number: int, seconds: float) -> list[Outcome]:
    """Return the outcomes of one damage; a hang or a crash of the worker is one too."""
    found: list[Outcome] = []
    while True:
        try:
            outcome = results.get(timeout=seconds)
        except Exception:
            problem = "hang" if worker.is_alive() else "crash"
            return [*found, Outcome(number, "", problem, f"exit code {worker.exitcode}")]
        if outcome is None:
            return found
        found.append(outcome)
