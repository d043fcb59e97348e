"""The random generator, compared with published numbers and exact integers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from envs.engine.compilation import compiled
from envs.engine.rng import next_uint64, seeded, uniform

STATE = np.dtype((np.record, [("rng", "u8")]))
PUBLISHED_SEED = 1234567
PUBLISHED = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def states(*seeds: int) -> Any:
    return np.array([(seed,) for seed in seeds], STATE)


def draw_integers(states: Any, out: Any) -> None:
    for i in range(len(out)):
        out[i] = next_uint64(states[0])


def sample_numbers(states: Any, out: Any) -> None:
    for i in range(len(out)):
        out[i] = uniform(states[0], -1.0, 3.0)


def reference(seed: int) -> Iterator[int]:
    """Return SplitMix64 numbers, computed with Python's integers."""
    mask = 2**64 - 1
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield z ^ (z >> 31)


def test_published_numbers() -> None:
    for kernel in (np.errstate(over="ignore")(draw_integers), compiled(draw_integers)):
        sampled = np.zeros(5, np.uint64)
        kernel(states(PUBLISHED_SEED), sampled)
        assert sampled.tolist() == PUBLISHED


def test_any_seed_against_exact_integers() -> None:
    kernel = compiled(draw_integers)
    for seed in (0, 1, 2**63, 2**64 - 1, 987654321987654321):
        sampled = np.zeros(100, np.uint64)
        kernel(states(seed), sampled)
        exact = reference(seed)
        assert sampled.tolist() == [next(exact) for _ in range(100)]
        assert seeded(seed) == next(reference(seed))


def test_uniform_numbers() -> None:
    sampled = np.zeros(100_000)
    compiled(sample_numbers)(states(42), sampled)
    exact = reference(42)
    assert sampled[:50].tolist() == [-1 + 4 * ((next(exact) >> 11) / 2**53) for _ in range(50)]
    assert sampled.min() >= -1
    assert sampled.max() < 3
    counts = np.histogram(sampled, 100, (-1, 3))[0]
    chi_squared = ((counts - 1000) ** 2 / 1000).sum()
    assert 50 < chi_squared < 170  # 99 degrees of freedom: mean 99, standard deviation 14
    assert abs(np.corrcoef(sampled[:-1], sampled[1:])[0, 1]) < 0.015


def test_neighbouring_seeds_are_unrelated() -> None:
    streams = np.zeros((50, 2000))
    for seed, stream in enumerate(streams):
        compiled(sample_numbers)(states(int(seeded(seed))), stream)
    correlations = np.corrcoef(streams) - np.eye(50)
    assert abs(correlations).max() < 0.12  # five standard deviations
    assert len(np.unique(streams)) == streams.size


def test_seeds_of_any_size() -> None:
    assert seeded(2**64 + 5) == seeded(5)
    assert len({int(seeded(seed)) for seed in range(10_000)}) == 10_000
