"""Two processes that train one agent, compared with one process; the processes are real."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import train
from training.run_folder import load_checkpoint, read_json

QUICK = "--eval-episodes 2 --video-frames 0 --solved-score inf --eval-every 1000000"
SMALL = f"{QUICK} --num-envs 4 --width 8"
ROLLOUTS = f"{SMALL} --num-steps 8 --epochs 2 --minibatches 2 --steps 64"
RUNS = {
    "ppo": f"--env paddle --agent ppo {ROLLOUTS}",
    "ppo, continuous": f"--env bicycle --agent ppo --persistence 3 --anneal {ROLLOUTS}",
    "pqn": f"--env paddle --agent pqn {ROLLOUTS}",
    "supervised": f"--env classify --agent supervised --steps 8 {SMALL}",
    "rewarded": f"--env classify --agent supervised --feedback reward --steps 8 {SMALL}",
}
"""Each makes two updates with the steps of all environments."""
HALF, WHOLE = 120, 204  # steps; not multiples of those of a rollout
REFUSED = {
    "another agent": f"--env paddle --agent dqn {SMALL}",
    "another environment": f"--env CartPole-v1 --agent ppo {SMALL}",
    "odd shares": f"--env paddle --agent ppo {QUICK} --num-envs 5",
    "odd minibatches": f"--env paddle --agent ppo {ROLLOUTS} --minibatches 3",
}


def only_run(folder: Path) -> Path:
    """Return the run in a folder of runs."""
    (found,) = folder.iterdir()
    return found


def tensors_of(folder: Path) -> dict[str, Any]:
    """Return the tensors of the only run in a folder of runs."""
    return load_checkpoint(only_run(folder))[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make all runs with two processes, and those of `RUNS` with one; return their folder."""
    folder = tmp_path_factory.mktemp("ranks")
    runs = {name: f"{each} --run-dir '{folder}/two/{name}'" for name, each in RUNS.items()}
    runs |= {name: f"{each} --run-dir '{folder}/no'" for name, each in REFUSED.items()}
    for name, steps in (("whole", WHOLE), ("half", HALF)):
        runs[name] = f"{RUNS['ppo']} --steps {steps} --run-dir '{folder}/two/{name}'"
    for name, arguments in RUNS.items():
        assert train.main(shlex.split(f"{arguments} --run-dir '{folder}/one/{name}'")) == 0
    runs["one"] = f"--resume '{only_run(folder / 'one' / 'ppo')}' --steps 128"
    (folder / "runs.json").write_text(json.dumps(runs))
    launch = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, "-m", *launch, "-m", "tests.ranks_program", str(folder)]
    with (folder / "printed.txt").open("w") as printed:
        code = subprocess.run(command, stdout=printed, stderr=subprocess.STDOUT, check=False)
    assert code.returncode == 1  # the last run was killed
    return folder


def outcomes(folder: Path) -> dict[str, str]:
    """Return how each run with two processes ended."""
    found: dict[str, str] = read_json(folder / "outcomes.json")
    return found


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_learn_what_one_learns(folder: Path, name: str) -> None:
    one, two = (tensors_of(folder / processes / name) for processes in ("one", "two"))
    learned = [key for key in one if key.startswith(("agent.network.", "agent.optimizer."))]
    assert learned
    for key in learned:
        assert torch.allclose(two[key], one[key], rtol=0.0, atol=1e-6), key


@pytest.mark.parametrize("name", ["ppo", "pqn", "supervised", "rewarded"])
def test_two_processes_play_the_games_that_one_plays(folder: Path, name: str) -> None:
    one, two = (tensors_of(folder / processes / name) for processes in ("one", "two"))
    played = [key for key in one if key.startswith("environments.batch.")]
    assert played
    for key in played:
        others = two.get(f"rank1.{key}", two[key])  # what is equal is not kept twice
        assert torch.cat((two[key], others)).equal(one[key])


def test_everything_is_counted_once(folder: Path) -> None:
    one, two = (
        load_checkpoint(only_run(folder / processes / "rewarded"))[1]["progress"]
        for processes in ("one", "two")
    )
    assert two == one


def test_a_resumed_run_continues_exactly(folder: Path) -> None:
    whole, resumed = (tensors_of(folder / "two" / name) for name in ("whole", "half"))
    assert outcomes(folder)["resume"] == "finished"
    assert whole.keys() == resumed.keys()
    assert "rank1.agent.rollout.observations" in whole
    for name, tensor in whole.items():
        assert resumed[name].equal(tensor), name


def test_what_processes_cannot_train_together_is_refused(folder: Path) -> None:
    found = outcomes(folder)
    assert found["another agent"] == (
        "--agent dqn trains in one process: start it without torchrun, or use ppo, pqn or "
        "supervised"
    )
    assert found["another environment"].startswith("CartPole-v1 is trained in one process")
    assert found["odd shares"] == "--num-envs must be a multiple of the 2 processes, got 5"
    assert "--minibatches must divide the 16 steps of a rollout" in found["odd minibatches"]
    assert not (folder / "no").exists()


def test_another_number_of_processes_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is trained by one process, and cannot be continued by 2" in outcomes(folder)["one"]
    run = only_run(folder / "two" / "ppo")
    assert train.main(["--resume", str(run), "--steps", "128"]) == 2
    assert capsys.readouterr().err == (
        f"train.py: {run} is trained by 2 processes, and cannot be continued by 1: "
        f"torchrun --nproc-per-node 2 train.py --resume {run}\n"
    )


def test_a_signal_to_one_process_saves_and_ends_all(folder: Path) -> None:
    assert outcomes(folder)["interrupted"] == "interrupted"
    numbers = load_checkpoint(only_run(folder / "interrupted"))[1]
    assert numbers["progress"]["steps"] > 0


def test_a_killed_process_ends_all_with_one_line_and_a_checkpoint(folder: Path) -> None:
    run = only_run(folder / "killed")
    lines = (folder / "printed.txt").read_text().splitlines()
    assert [line for line in lines if line.startswith("train.py:")] == [
        "train.py: another process of this training has ended; continue from the last checkpoint: "
        f"torchrun --nproc-per-node 2 train.py --resume {run}"
    ]
    assert load_checkpoint(run)[1]["ranks"] == 2
