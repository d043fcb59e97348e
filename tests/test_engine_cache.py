"""The cache of compiled code: reused by later processes, never older than the source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def run(program: str, folder: Path, cache: Path | None = None) -> tuple[float, str]:
    """Run `program` in a new process in `folder`; return its number and its messages."""
    variables = {
        "NUMBA_CACHE_DIR": str(cache or folder / "cache"),
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
    assert said.count("Compiling tiny for this machine; this is done once") == 1
    kept = files_in(tmp_path)
    assert len(kept) >= 6
    assert run(RUN_GAME, tmp_path) == (0.1, "")
    assert files_in(tmp_path) == kept
    edit(tmp_path / "breath.py", "0.1", "0.3")
    assert run(RUN_GAME, tmp_path)[0] == 0.3


def test_an_unwritable_disk_only_costs_time(tmp_path: Path) -> None:
    write_physics(tmp_path, "import wind")
    (tmp_path / "file").write_text("a file where the cache's folder should be")
    assert run(RUN_KERNELS.format(meanwhile=""), tmp_path, tmp_path / "file")[0] == 4.0


def test_only_old_caches_are_deleted(tmp_path: Path) -> None:
    write_physics(tmp_path, "import wind")
    shared = tmp_path / "cache"
    others = shared / "of another project"
    others.mkdir(parents=True)
    os.utime(others, (0, 0))
    for k in range(300):
        folder = shared / "training-wheels" / f"kernel-{k}"
        folder.mkdir(parents=True)
        os.utime(folder, (k, k))
    run(RUN_KERNELS.format(meanwhile=""), tmp_path)
    left = {folder.name for folder in (shared / "training-wheels").iterdir()}
    assert len(left) == 256
    assert "kernel-299" in left
    assert "kernel-5" not in left
    assert others.is_dir()
