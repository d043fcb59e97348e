"""The base class of datasets: it samples examples and scores predictions of their targets."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from gymnasium import spaces

from envs.engine.rng import mix
from stages.pictures.predictions import draw_screen

Array = np.ndarray[Any, Any]

SPLITS = ("train", "test", "validation")
"""Training sees `train` only. Settings, the best model and the end of training are chosen on
`validation`, and results are reported on `test`."""
MAX_EXAMPLES = 1_000_000
EXAMPLE_VIEWER = "stages.viewers.examples:ExampleViewer"
GAME_VIEWER = "stages.viewers.examples:GameViewer"


class Examples(NamedTuple):
    """Observations, and the targets that an agent should predict from them."""

    observations: Array
    """(n, *observation_space.shape)."""
    targets: Array
    """(n, ...) the right actions; the observations themselves where nothing is labelled."""
    attributes: Array | None = None
    """(n, ...) further facts for measurements and colours. Agents never see them."""


class Embedding(NamedTuple):
    """Codes of many observations, for TensorBoard's projector."""

    points: Array
    """(n, k)."""
    labels: dict[str, Array]
    """(n,) of each attribute by which the points can be coloured."""
    thumbnails: Array | None
    """uint8 (n, side, side), if the observations are screens."""


class Assessment(NamedTuple):
    """Measurements of many predictions together."""

    metrics: dict[str, float]
    pictures: dict[str, Array]
    """uint8 (height, width, 3)."""
    embedding: Embedding | None = None


@dataclass(frozen=True)
class Dataset:
    """A kind of data; the fields are its options, `--env-options name=value`."""

    examples: int = 30_000
    """Number of training examples."""
    test_examples: int = 10_000
    """Number of test examples, and of validation examples."""
    noise: float = 0.0
    """Share of wrong labels in the training set."""
    data_seed: int = 0
    """Seed of the examples: the same seed gives the same dataset."""

    feedbacks: ClassVar[dict[str, str]] = {
        "answer": "labels",
        "reward": "immediate rewards",
    }
    """Values of the option `feedback`, the default first, with their `training.feedback.KINDS`."""
    keeps_examples: ClassVar[bool] = False
    """Whether an environment keeps its example until it is reset with a seed."""
    encoding_options: ClassVar[tuple[str, ...]] = ()
    """Options that decide what an observation means: a backbone fits only where they are equal."""
    rules_module: ClassVar[str] = ""
    """Module of hand-written rules, see `envs.engine.game.Game`. Empty: there is none."""
    training_only: ClassVar[tuple[str, ...]] = ("noise",)
    """Options that change the training set only; the other splits have their defaults."""
    tuning_options: ClassVar[dict[str, Any]] = {}
    """Options with which training leaves out what the validation split holds."""
    viewer: ClassVar[str] = EXAMPLE_VIEWER
    """`module:class` of the environment that draws this dataset; it is constructed with it."""
    action_names: ClassVar[tuple[str, ...]] = ()
    """A word for each class, or for each number of a prediction, if there are few."""

    def __post_init__(self) -> None:
        for name in ("examples", "test_examples"):
            count = getattr(self, name)
            if not 1 <= count <= MAX_EXAMPLES:
                raise ValueError(
                    f"option `{name}` must be between 1 and {MAX_EXAMPLES:,}, got {count}"
                )
        if not 0 <= self.noise <= 1:
            raise ValueError(f"option `noise` must be between 0 and 1, got {self.noise}")
        if not 0 <= self.data_seed < 2**32:
            raise ValueError(
                f"option `data_seed` must be between 0 and {2**32 - 1}, got {self.data_seed}"
            )

    @property
    def observation_space(self) -> spaces.Box:
        """Space of one observation."""
        raise NotImplementedError

    @property
    def action_space(self) -> spaces.Space[Any]:
        """Space of one prediction."""
        raise NotImplementedError

    def sample(self, count: int, seed: int) -> Examples:
        """Return `count` examples with right labels; a larger `count` only appends examples."""
        raise NotImplementedError

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Return a copy of `targets` in which a share `noise` is wrong."""
        raise NotImplementedError

    def held_out(self, split: str) -> Self:
        """Return the dataset that `test` or `validation` is sampled from: without `training_only`.

        It is its own `held_out(split)`.
        """
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        names = ("examples", *self.training_only)
        changes: dict[str, Any] = {name: defaults[name] for name in names}
        return dataclasses.replace(self, **changes)

    def loss(self, predictions: Array, targets: Array) -> Array:
        """Return the loss of each prediction, (n,): the reward with the sign changed."""
        raise NotImplementedError

    def score(self, predictions: Array, targets: Array) -> Array:
        """Return the score of each prediction, (n,), for evaluations."""
        return -self.loss(predictions, targets)

    @property
    def game_screen_size(self) -> int:
        """Side of the screens that `example_from_game` needs, in pixels."""
        raise NotImplementedError

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        """Return the observation of a running game, and its target or None if there is none.

        Only the game viewer needs this method. `screens` (2, side, side) are the last two;
        `state`, which the newest screen shows, must not be changed.
        """
        raise NotImplementedError

    def draw_example(self, surface: Any, observation: Array) -> None:
        """Draw an observation over the whole `surface`; by default its newest screen."""
        draw_screen(surface, observation[-1])

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Draw a prediction (None: none yet) and the target over an example or a running game."""

    def side_screens(self, prediction: Any, target: Array) -> dict[str, Array]:
        """Return screens (side, side) in 0..255 to show next to the example, by their captions.

        The arguments are those of `draw_prediction`. The number of screens must not change.
        """
        return {}

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return measurements that need many predictions at once."""
        return Assessment({}, {})

    def assess_codes(
        self, observations: Array, codes: Array, attributes: Array | None
    ) -> Assessment:
        """Return measurements of the codes (n, k) that an agent computes from observations."""
        return Assessment({}, {})


def scrambled(counters: Array) -> Array:
    """Return the random numbers (n,) at counters (n,): `envs.engine.rng.mix` of each."""
    return np.asarray(mix(counters))  # type: ignore[arg-type]


@functools.lru_cache(maxsize=4)
def examples_of(dataset: Dataset, split: str) -> Examples:
    """Return the examples of one split of `dataset`: the same read-only arrays at every call.

    Test and validation examples differ from training examples and from each other, have right
    labels, and do not depend on the options that change the training set only.
    """
    seed = SPLITS.index(split) * 2**32 + dataset.data_seed
    if split != "train":
        held_out = dataset.held_out(split)
        if held_out != dataset:  # datasets that share these examples sample them once
            return examples_of(held_out, split)
        examples = dataset.sample(dataset.test_examples, seed)
    else:
        examples = dataset.sample(dataset.examples, seed)
    if dataset.noise > 0:
        generator = np.random.default_rng((seed, 1))
        examples = examples._replace(targets=dataset.add_label_noise(examples.targets, generator))
    for array in examples:
        if array is not None:
            array.setflags(write=False)
    return examples


@functools.lru_cache(maxsize=4)
def constant_loss(dataset: Dataset) -> float:
    """Return the mean loss of the mean target as the prediction for all test examples."""
    targets = examples_of(dataset, "test").targets
    middle = targets.mean(0, dtype=np.float64).astype(np.float32)
    return float(dataset.loss(np.broadcast_to(middle, targets.shape), targets).mean())
