"""The sandbox of user code: attempts to reach something outside of it, with and without it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewards.expression import RewardError
from rewards.sandbox import restrictions
from rewards.sandbox.parent import TrialProcess
from rewards.sandbox.protection import BUBBLEWRAP, LANDLOCK, confined, protection
from rewards.sandbox.reports import MAX_BYTES

if not sys.platform.startswith("linux"):
    pytest.skip("sandboxes need Linux", allow_module_level=True)

from tests.outside import Outside, outside

ENTER = "import runpy, sys; from rewards.sandbox.protection import enter; enter()\n"
ENTER += "runpy.run_path(sys.argv[1])"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """Things to reach from a sandbox; the working folder is one of them."""
    with outside(tmp_path) as world:
        monkeypatch.chdir(world.work)
        yield world


def attempted(world: Outside, chosen: str) -> set[str]:
    """Run all attempts of `tests.escapes` under a protection; return those that have succeeded."""
    scratch = world.script.with_name("scratch")
    scratch.mkdir()
    command = [sys.executable, "-c", ENTER, str(world.script)]
    command, variables = confined(command, [scratch], chosen=chosen)
    with scratch.with_name("output").open("w") as output:  # programs left behind keep it open
        subprocess.run(
            command,
            env=os.environ | variables | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=output,
            stderr=output,
            check=False,
            timeout=60,
            start_new_session=True,
        )
    print(scratch.with_name("output").read_text())
    return world.reached()


def test_the_attempts_succeed_without_a_sandbox(world: Outside) -> None:
    """Otherwise the other tests would prove nothing."""
    attempts = attempted(world, "")
    assert len(attempts) >= 40


@pytest.mark.skipif(protection() != BUBBLEWRAP, reason="needs a bubblewrap that works")
def test_no_attempt_succeeds_in_bubblewrap(world: Outside) -> None:
    assert attempted(world, BUBBLEWRAP) == set()


@pytest.mark.skipif(not restrictions.available(), reason="needs a kernel with Landlock")
def test_no_attempt_succeeds_under_landlock_and_seccomp(world: Outside) -> None:
    assert attempted(world, LANDLOCK) == set()


@pytest.mark.skipif(not protection(), reason="needs a sandbox")
def test_no_attempt_succeeds_in_a_trial(world: Outside) -> None:
    """A trial starts the same process for `check`, `train.py` and `play.py`."""
    with TrialProcess(f"{world.script}:reward", "paddle") as trial:
        (warning,) = trial.wait()
    assert "prints 'plain_open: OSError" in warning  # the audit hook is disabled, so it came so far
    assert world.reached() == set()


FORGED = (
    b"\xff{{{\n",
    b"[]\n",
    b"3\n",
    b"[" * 100_000 + b"\n",
    b'{"say": {"a": 1}}\n',
    b'{"running": 3, "seconds": "x"}\n',
    b'{"found": {"rewards": []}}\n',
    b'{"verdict": {"compiled": [true]}}\n',
    b'{"nonsense": 1}\n',
    b"x" * (MAX_BYTES + 1),
)
FORGER = """
import os, stat
from pathlib import Path

text = (Path(__file__).parent / "forged").read_bytes()
for pipe in range(3, 30):
    try:
        if stat.S_ISFIFO(os.fstat(pipe).st_mode):
            while text:
                text = text[os.write(pipe, text):]
    except OSError:
        pass

def reward(before, action, after):
    return 1.0
"""


@pytest.mark.parametrize("text", FORGED, ids=lambda text: text[:20].decode("utf-8", "replace"))
def test_a_forged_report_is_one_line(
    text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code of a reward can write into the pipe to the process that tries it."""
    (tmp_path / "forger.py").write_text(FORGER)
    (tmp_path / "forged").write_bytes(text)
    file = tmp_path / "forger.py"
    with (
        TrialProcess(str(file), "paddle", diagnose="en") as trial,
        pytest.raises(RewardError, match="it writes to the program that tries it") as raised,
    ):
        trial.wait()
    assert str(raised.value).startswith(str(file))
    assert not capsys.readouterr().err
