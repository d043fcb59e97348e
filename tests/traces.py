"""What happens when random actions play a game, written down to be compared.

As a program (`python -m tests.traces`) it plays in a process of its own, with other settings of
Numba: interpreted, or with another number of threads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

import tests.games  # noqa: F401 - registers the tiny game

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).parent.parent


def play(env_id: str, observation: str, steps: int = 300, num_envs: int = 5) -> dict[str, Array]:
    """Everything that a vector environment hands out, by name, stacked over the steps."""
    env = gymnasium.make_vec(env_id, num_envs=num_envs, observation=observation, max_steps=60)
    env.action_space.seed(1)
    observations, infos = env.reset(seed=7)
    records = [flat({"observations": observations, "infos": infos, "states": states_of(env)})]
    for _ in range(steps):
        observations, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
        infos.setdefault("final_obs", np.zeros_like(observations))
        infos.setdefault("_final_obs", np.zeros(num_envs, np.bool_))
        infos["final_obs"][~infos["_final_obs"]] = 0  # the other rows mean nothing
        final_score = infos.pop("final_info", {}).get("score", np.zeros(num_envs))
        infos.pop("_final_info", None)
        infos["final_score"] = np.where(infos["_final_obs"], final_score, 0.0)
        values = {"observations": observations, "rewards": rewards, "infos": infos}
        values |= {"terminated": terminated, "truncated": truncated, "states": states_of(env)}
        records.append(flat(values))
    names = {name for record in records for name in record}
    return {
        name: np.stack([record[name] for record in records if name in record]) for name in names
    }


def states_of(env: Any) -> Array:
    """The state records of a vector environment as bytes, so that NaN equals NaN."""
    states: Array = env.unwrapped.states
    return np.frombuffer(states.tobytes(), np.uint8)


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Array]:
    """Nested dictionaries of arrays as one, with fresh copies of the arrays."""
    result: dict[str, Array] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            result |= flat(value, f"{prefix}{name}.")
        else:
            result[prefix + name.replace("/", ".")] = np.array(value)
    return result


def play_elsewhere(env_id: str, observation: str, folder: Path, **variables: str) -> Any:
    """As `play`, in a new process that has these environment variables."""
    file = folder / "trace.npz"
    command = [sys.executable, "-m", "tests.traces", env_id, observation, str(file)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **variables})
    return dict(np.load(file))


def assert_same(first: dict[str, Array], second: dict[str, Array]) -> None:
    """Equal names, types and bits."""
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].dtype == second[name].dtype, name
        assert first[name].shape == second[name].shape, name
        assert first[name].tobytes() == second[name].tobytes(), name


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env_id")
    parser.add_argument("observation")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    trace: dict[str, Any] = play(arguments.env_id, arguments.observation)
    np.savez(arguments.file, **trace)
