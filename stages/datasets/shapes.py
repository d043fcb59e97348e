"""Classification of shapes: kinds of balls, pandas and rabbits, digits, or shapes nobody has seen.

Description
    Classify the one shape on a dark, noisy screen. Its position, size, angle, brightness and width
    are random. Digits are nearly upright. See `stages.datasets.shape_kinds` for how they are drawn.
Observation Space
    `Box(0, 255, (1, 24, 24), uint8)` for `observation="screen"`. For `pixels`, the
    same 576 numbers in a row. For `rings` and `harmonics`, 6 or 12 hand-made numbers, see
    `stages.datasets.shape_measurements`.
Action Space
    `Discrete(20)` for `of="balls"`, `Discrete(2)` for `of="animals"` (panda or rabbit),
    `Discrete(10)` for `of="digits"`, `Discrete(100)` for `of="invented"`: kinds that a program has
    put together at random, to pretrain networks on. No kind is in two of these sets. `Discrete(4)`
    for `question="turned"`: which way is the animal's head?
Rewards
    0 for the right class, -1 for a wrong one. The score is 1 for the right class, so that the mean
    score is the accuracy.
Starting State
    The classes alternate in the dataset: 2n examples of animals are n pandas and n rabbits.
Arguments
    See `Shapes`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gymnasium import spaces

from envs.names import one_of
from stages.datasets.classification import ClassificationDataset
from stages.datasets.dataset import Array, Assessment, Embedding, Examples
from stages.datasets.shape_kinds import GRAIN, KINDS, NUMBERS, SIDE, UPRIGHT, lit
from stages.datasets.shape_measurements import MEASUREMENTS, measurements
from stages.pictures.maps import in_a_plane, picture_of_clusters
from training import hand_labels

CHUNK = 1_000  # screens computed at a time, to save memory
OBSERVATIONS = ("screen", "pixels", *MEASUREMENTS)
QUESTIONS = ("kind", "turned")
QUARTERS = ("upright", "head to the right", "upside down", "head to the left")
TURN = 1  # index of the parameter that is the angle
TILT = 1 / 12  # of a full turn, by which an animal may miss a quarter turn


@dataclass(frozen=True)
class Shapes(ClassificationDataset):
    """Classify the shape on a screen."""

    of: str = "balls"
    """balls: 20 kinds; animals: panda or rabbit; digits: 0 to 9; invented: 100 random kinds."""
    observation: str = "screen"
    """screen; pixels: its 576 numbers in a row; rings: 6 hand-made numbers; harmonics: 12, by a
    person who knows more."""
    shuffled: bool = False
    """Whether all pixels have changed places, the same way on every screen."""
    question: str = "kind"
    """kind: which kind it is; turned: by how many quarter turns an animal is turned."""
    labels: str = ""
    """File of `play.py --label`, whose screens and labels are the training examples."""

    training_only = ("noise", "labels")
    rules_module = "stages.datasets.shape_measurements"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.of not in KINDS:
            raise ValueError(f"option `of` must be {one_of(KINDS)}, got {self.of!r}")
        if self.observation not in OBSERVATIONS:
            raise ValueError(
                f"option `observation` must be {one_of(OBSERVATIONS)}, got {self.observation!r}"
            )
        if self.shuffled and self.observation in MEASUREMENTS:
            raise ValueError("option `shuffled` needs the pixels: observation=screen or pixels")
        if self.question not in QUESTIONS:
            raise ValueError(
                f"option `question` must be {one_of(QUESTIONS)}, got {self.question!r}"
            )
        if self.question == "turned" and self.of != "animals":
            raise ValueError("option question=turned needs of=animals: balls have no head")
        if self.labels:
            by_hand = hand_labels.read(Path(self.labels))
            fits = by_hand.observations.shape[1:] == (1, SIDE, SIDE)
            if not fits or tuple(by_hand.names) != self.action_names:
                raise ValueError(
                    f"option `labels`: {self.labels} has other screens or classes; they must be "
                    f"of={self.of}"
                )
            object.__setattr__(self, "examples", len(by_hand.labels))

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the kinds or of the quarter turns."""
        return QUARTERS if self.question == "turned" else tuple(KINDS[self.of])

    @property
    def observation_space(self) -> spaces.Box:
        if self.observation == "pixels":
            return spaces.Box(0.0, 1.0, (SIDE * SIDE,), np.float32)
        if self.observation in MEASUREMENTS:
            return spaces.Box(-np.inf, np.inf, (MEASUREMENTS[self.observation],), np.float32)
        return spaces.Box(0, 255, (1, SIDE, SIDE), np.uint8)

    def sample(self, count: int, seed: int) -> Examples:
        if self.labels:
            by_hand = hand_labels.read(Path(self.labels))
            screens = by_hand.observations.astype(np.uint8)
            targets = by_hand.labels[:count].astype(np.int64)
            return Examples(self.observe(screens[:count]), targets, targets[:, None])
        screens, targets, parameters = self.sample_screens(count, seed)
        if self.question == "turned":
            targets = np.rint(len(QUARTERS) * parameters[:, TURN]).astype(np.int64)
        return Examples(self.observe(screens), targets, targets[:, None])

    def observe(self, screens: Array) -> Array:
        """Return observations of screens (n, 1, SIDE, SIDE)."""
        if self.observation in MEASUREMENTS:
            return measurements(screens)[:, : MEASUREMENTS[self.observation]]
        if self.shuffled:
            order = np.random.default_rng(0).permutation(SIDE * SIDE)
            screens = screens.reshape(-1, SIDE * SIDE)[:, order].reshape(screens.shape)
        if self.observation == "screen":
            return screens
        return screens.reshape(-1, SIDE * SIDE) / np.float32(255)

    def sample_screens(self, count: int, seed: int) -> tuple[Array, Array, Array]:
        """Return screens (n, 1, SIDE, SIDE), kinds (n,) and the parameters (n, NUMBERS) of each."""
        turns = 2 * UPRIGHT if self.of == "digits" else 1.0
        kinds = list(KINDS[self.of].values())
        targets = np.arange(count, dtype=np.int64) % len(kinds)
        places, noise = (np.random.default_rng((seed, k)) for k in range(2))
        screens, parameters = np.empty((count, 1, SIDE, SIDE), np.uint8), np.empty((count, NUMBERS))
        for start in range(0, count, CHUNK):
            part = screens[start : start + CHUNK, 0]
            light = noise.normal(0.0, GRAIN, part.shape)
            numbers = places.random((len(part), NUMBERS))
            if self.question == "turned":
                numbers[:, TURN] = near_quarters(numbers[:, TURN])
            parameters[start : start + CHUNK] = numbers
            for k, inside in enumerate(kinds):
                chosen = targets[start : start + CHUNK] == k
                light[chosen] += lit(inside, numbers[chosen], turns)
            part[:] = np.clip(light, 0.0, 255.0)
        return screens, targets, parameters

    def assess_codes(
        self, observations: Array, codes: Array, attributes: Array | None
    ) -> Assessment:
        """Return the codes in a plane, with colours that repeat, and all codes."""
        assert attributes is not None
        kinds, plane = attributes[:, 0], in_a_plane(codes)
        centres = np.stack([plane[kinds == kind].mean(0) for kind in np.unique(kinds)])
        thumbnails = observations[:, -1] if observations.ndim == 4 else None
        embedding = Embedding(codes, {"kind": kinds}, thumbnails)
        return Assessment({}, {"codes": picture_of_clusters(plane, kinds, centres)}, embedding)


def near_quarters(turns: Array) -> Array:
    """Return the turns (n,) in 0..1, moved to within `TILT` of a quarter turn of 0, 1, 2 or 3."""
    quarters = np.floor(len(QUARTERS) * turns)
    tilts = len(QUARTERS) * turns - quarters - 0.5
    return np.asarray(quarters / len(QUARTERS) + 2 * TILT * tilts)
