"""The cache of compiled code: reused by later processes, never older than the source."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from envs.engine.compilation import compiled
from envs.engine.fingerprint import covers_everything

ROOT = Path(__file__).parent.parent

WIND = """
STRENGTH = 2.0

def push(x):
    return gently(x) * STRENGTH

def gently(x):
    return x + 1.0
"""

STYLES = {
    "from wind import push": "push(x)",
    "from wind import push as p": "[p(y) for y in (x,)][0]",
    "import wind": "wind.push(x)",
    "from wind import gently, STRENGTH": "gently(x) * STRENGTH",
    "from wind import gently; import wind": "gently(x) * wind.STRENGTH",
    "import wind; import numba; fast = numba.njit(wind.gently)": "fast(x) * wind.STRENGTH",
}

KERNEL = """
{imports}

def kernel(out):
    for i in range(len(out)):
        x = out[i]
        out[i] = {call}
"""

RUN_KERNELS = """
import importlib, pathlib
import numpy as np
from envs.engine.compilation import compiled
kernels = [importlib.import_module(file.stem).kernel for file in pathlib.Path().glob("physics*.py")]
{meanwhile}
out = np.ones(len(kernels))
for i, kernel in enumerate(kernels):
    compiled(kernel)(out[i : i + 1])
(value,) = set(out)
print(value)
"""

RUN_GAME = """
import gymnasium, numpy as np
from envs.registry import GameEntry, register_game
register_game("copy", GameEntry("Copy-v0", "leaf:GAME", "tests.tiny_rewards", None, ""))
env = gymnasium.make("Copy-v0", gust=0.0).unwrapped
env.reset(seed=0, options={"state": {"x": 0.0}})
env.step(np.ones(1))
print(round(float(env.state.x), 6))
"""


def run(program: str, folder: Path) -> tuple[float, str]:
    """Run `program` in a new process in `folder`; return its number and its messages."""
    variables = {
        "NUMBA_CACHE_DIR": str(folder / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",  # Python's own cache misses edits within a second
        "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))),
    }
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return float(result.stdout), result.stderr


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def files_in(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*.nb?")}


def write_physics(folder: Path, *imports: str) -> Path:
    """Write a file of helpers, and a file with a kernel for each style of import."""
    for k, style in enumerate(imports):
        kernel = KERNEL.format(imports=style, call=STYLES[style])
        (folder / f"physics{k}.py").write_text(kernel)
    wind = folder / "wind.py"
    wind.write_text(WIND)
    return wind


def test_an_edit_in_another_file_recompiles(tmp_path: Path) -> None:
    """This holds for every style of import."""
    wind = write_physics(tmp_path, *STYLES)
    program = RUN_KERNELS.format(meanwhile="")
    assert run(program, tmp_path)[0] == 4.0
    edit(wind, "x + 1.0", "x + 2.0")
    assert run(program, tmp_path)[0] == 6.0
    edit(wind, "STRENGTH = 2.0", "STRENGTH = 3.0")
    assert run(program, tmp_path)[0] == 9.0
    kept = files_in(tmp_path)
    assert run(program, tmp_path)[0] == 9.0
    assert files_in(tmp_path) == kept  # nothing was compiled again


def test_an_edit_between_import_and_compilation_is_not_cached(tmp_path: Path) -> None:
    """The imported code runs, but it is not cached as the new code."""
    wind = write_physics(tmp_path, "from wind import push")
    newer = WIND.replace("x + 1.0", "x + 2.0")
    meanwhile = f"open({str(wind)!r}, 'w').write({newer!r})"
    assert run(RUN_KERNELS.format(meanwhile=meanwhile), tmp_path)[0] == 4.0
    assert run(RUN_KERNELS.format(meanwhile=""), tmp_path)[0] == 6.0


def test_an_edit_of_a_game_recompiles(tmp_path: Path) -> None:
    """Compile with a message, load silently from disk, then edit."""
    source = (ROOT / "tests/tiny_game.py").read_text()
    (tmp_path / "leaf.py").write_text(source)
    edit(
        tmp_path / "leaf.py",
        "from envs.engine.rng",
        "from breath import strength\nfrom envs.engine.rng",
    )
    edit(tmp_path / "leaf.py", "0.1 * breath", "strength(breath)")
    (tmp_path / "breath.py").write_text("def strength(breath):\n    return 0.1 * breath\n")
    moved, said = run(RUN_GAME, tmp_path)
    assert moved == 0.1
    assert said.count("Compiling tiny for this machine; this happens once") == 1
    kept = files_in(tmp_path)
    assert len(kept) >= 5  # four loops and a reward
    assert run(RUN_GAME, tmp_path) == (0.1, "")
    assert files_in(tmp_path) == kept
    edit(tmp_path / "breath.py", "0.1", "0.3")
    assert run(RUN_GAME, tmp_path)[0] == 0.3


NUMBERS, MIXED = (1.0, (2, "3")), (1.0, (2, object()))


def test_functions_that_use_objects_are_not_covered() -> None:
    """Not even if the object is inside of a tuple, next to numbers."""

    def use_numbers() -> Any:
        return NUMBERS

    def use_an_object() -> Any:
        return MIXED

    functions: list[Any] = [use_numbers, use_an_object]
    assert covers_everything(functions[:1])
    assert not covers_everything(functions)


# --- The folder of the cache


def add_one(out: Any) -> None:
    """Smallest kernel."""
    out[0] += 1.0


def run_here() -> tuple[float, int]:
    """Run the kernel as a new process would; return its result and the number of cache hits."""
    dispatcher: Any = compiled(add_one)
    out = np.zeros(1)
    dispatcher(out)
    return out[0], sum(dispatcher.stats.cache_hits.values())


def test_an_unwritable_disk_only_costs_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("a file where the cache's folder should be")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "file"))
    assert run_here() == run_here() == (1.0, 0)


def test_only_old_caches_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = tmp_path / "of another project"
    others.mkdir()
    os.utime(others, (0, 0))
    for k in range(300):
        folder = tmp_path / "training-wheels" / f"kernel-{k}"
        folder.mkdir(parents=True)
        os.utime(folder, (k, k))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    run_here()
    left = {folder.name for folder in (tmp_path / "training-wheels").iterdir()}
    assert len(left) == 256
    assert "kernel-299" in left
    assert "kernel-5" not in left
    assert others.is_dir()


# --- Damage


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with one file, to be copied."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "CACHE_DIR", str(folder))
        assert run_here() == (1.0, 0)
    return folder


@pytest.fixture
def cached_file(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only file of a cache that the kernels of this test use."""
    shutil.copytree(cache, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    (file,) = files_in(tmp_path)
    return file


def flip(place: int) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[place] ^= 0x10
        file.write_bytes(content)

    return damage


def keep(share: float) -> Callable[[Path], None]:
    return lambda file: os.truncate(file, int(share * file.stat().st_size))


def replace_by(content: bytes, digest: bool = False) -> Callable[[Path], None]:
    start = hashlib.sha256(content).digest() if digest else b""

    def damage(file: Path) -> None:
        file.write_bytes(start + content)

    return damage


def replaced(put: Callable[[Path], Any], folder: bool = False) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        file.unlink()
        if folder:
            file.parent.rmdir()
        put(file.parent if folder else file)

    return damage


def full_folder(path: Path) -> None:
    path.mkdir()
    (path / "file").touch()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a bit of the digest": flip(3),
    "a bit of the pickle's head": flip(40),
    "a bit in the middle": flip(5_000),
    "the last bit": flip(-1),
    "empty": keep(0.0),
    "half": keep(0.5),
    "without its last bytes": keep(0.999),
    "too long": lambda file: os.truncate(file, file.stat().st_size + 1),
    "larger than memory": lambda file: os.truncate(file, 1 << 34),
    "zeros": replace_by(bytes(20_000)),
    "text": replace_by(b"not machine code"),
    "no pickle": replace_by(b"not machine code", digest=True),
    "of another version": replace_by(pickle.dumps(("0.1", {})), digest=True),
    "names a missing module": replace_by(b"cno_such_module\nthing\n.", digest=True),
    "missing": replaced(lambda file: None),
    "an empty folder": replaced(Path.mkdir),
    "a folder with a file": replaced(full_folder),
    "a dangling link": replaced(lambda file: file.symlink_to("nowhere")),
    "a link to itself": replaced(lambda file: file.symlink_to(file)),
    "an endless device": replaced(lambda file: file.symlink_to("/dev/zero")),
    "its folder missing": replaced(lambda folder: None, folder=True),
    "its folder is a file": replaced(Path.touch, folder=True),
    "its folder is a link": replaced(lambda folder: folder.symlink_to("nowhere"), folder=True),
}
if hasattr(os, "mkfifo"):
    DAMAGES["a pipe"] = replaced(os.mkfifo)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_cache_is_replaced(cached_file: Path, damage: Callable[[Path], None]) -> None:
    damage(cached_file)
    assert run_here() == (1.0, 0)
    assert run_here() == (1.0, 1)


def test_a_cache_that_cannot_be_written_is_read(cached_file: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    cached_file.parent.chmod(0o500)
    cached_file.parent.parent.chmod(0o500)
    assert run_here() == (1.0, 1)


def test_a_full_disk_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of more than 100 bytes cannot be written."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        assert run_here() == (1.0, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert run_here() == (1.0, 0)
    assert run_here() == (1.0, 1)
