"""Traces of games with random actions, for comparison.

As a program (`python -m tests.traces`) it plays in a process of its own, with other settings of
Numba: interpreted, or with another number of threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from tests.games import Variant

Array = np.ndarray[Any, Any]
Trace = dict[str, Array]
ROOT = Path(__file__).parent.parent


def play(variant: Variant, num_envs: int = 5) -> Trace:
    """Return everything that a vector environment returns, by name, stacked over the steps.

    Games with many variants are played for a shorter time.
    """
    options = variant.options | {"screen_size": 40, "max_steps": 60}
    env = gymnasium.make_vec(variant.env_id, num_envs=num_envs, **options)
    env.action_space.seed(1)
    observations, infos = env.reset(seed=7)
    records = [flat({"observations": observations, "infos": infos, "states": states_of(env)})]
    for _ in range(300 if len(variant.choices) < 2 else 80):
        observations, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
        infos.setdefault("final_obs", np.zeros_like(observations))
        infos.setdefault("_final_obs", np.zeros(num_envs, np.bool_))
        infos["final_obs"][~infos["_final_obs"]] = 0  # the other rows are undefined
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
    """Return the states of a vector environment as bytes, so that NaN equals NaN."""
    states: Array = env.unwrapped.states
    return np.frombuffer(states.tobytes(), np.uint8)


def flat(values: dict[str, Any], prefix: str = "") -> Trace:
    """Flatten nested dictionaries of arrays, with copies of the arrays."""
    result: Trace = {}
    for name, value in values.items():
        if isinstance(value, dict):
            result |= flat(value, f"{prefix}{name}.")
        else:
            result[prefix + name.replace("/", ".")] = np.array(value)
    return result


def play_elsewhere(variants: Iterable[Variant], folder: Path, **variables: str) -> list[Trace]:
    """Run `play` for each variant in a new process with these environment variables."""
    given = json.dumps(list(variants))
    command = [sys.executable, "-m", "tests.traces", given, str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **variables})
    return [dict(np.load(folder / f"{k}.npz")) for k in range(len(json.loads(given)))]


def assert_same(first: Trace, second: Trace) -> None:
    """Check that names, types and bits are equal."""
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].dtype == second[name].dtype, name
        assert first[name].shape == second[name].shape, name
        assert first[name].tobytes() == second[name].tobytes(), name


if __name__ == "__main__":
    for k, variant in enumerate(json.loads(sys.argv[1])):
        trace: dict[str, Any] = play(Variant(*variant))
        np.savez(Path(sys.argv[2]) / f"{k}.npz", **trace)
