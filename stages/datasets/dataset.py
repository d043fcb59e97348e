"""The base class of data sets: it samples examples and scores predictions of their targets."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import gymnasium
import numpy as np
from gymnasium import spaces

from envs.engine.rng import mix

Array = np.ndarray[Any, Any]

SPLITS = ("train", "test")
TEST_EXAMPLES = 10_000
MOST_EXAMPLES = 1_000_000


class Examples(NamedTuple):
    """A data set: `n` things to be seen, and what should be said to them."""

    observations: Array
    """(n, *observation_space.shape)."""
    targets: Array
    """(n, ...) the right actions; may be the observations themselves."""
    attributes: Array | None = None
    """(n, ...) what the engine knows beside, to measure and to colour by; no agent is told."""


class Embedding(NamedTuple):
    """What an agent has made of many observations, for TensorBoard's projector."""

    points: Array
    """(n, k)."""
    labels: dict[str, Array]
    """(n,) of each thing that the points can be coloured by."""
    thumbnails: Array | None
    """uint8 (n, side, side), where there is something to be seen."""


class Assessment(NamedTuple):
    """What is to be said of many predictions together."""

    metrics: dict[str, float]
    pictures: dict[str, Array]
    """uint8 (height, width, 3)."""
    embedding: Embedding | None = None


@dataclass(frozen=True)
class Dataset:
    """One kind of question; the fields are its options, `--env-options name=value`."""

    examples: int = 30_000
    """Size of the training set."""
    noise: float = 0.0
    """Share of wrong targets in the training set."""
    data_seed: int = 0
    """Of the examples: the same seed, the same data set."""

    feedbacks: ClassVar[dict[str, str]] = {
        "answer": "the right answer",
        "reward": "a number at once",
    }
    """What can be handed back; the first is the default. Values: of `training.feedback.KINDS`."""
    keeps_examples: ClassVar[bool] = False
    """Does each environment show one example until it is seeded anew, or another at each step?"""
    rules_module: ClassVar[str] = ""
    """Module of hand-written rules, see `envs.engine.game.Game`. Empty: there is none."""
    training_only: ClassVar[tuple[str, ...]] = ("noise",)
    """Options that make the training set unlike the test set, which has their defaults."""

    def __post_init__(self) -> None:
        if not 1 <= self.examples <= MOST_EXAMPLES:
            raise ValueError(
                f"option `examples` must be between 1 and {MOST_EXAMPLES:,}, not {self.examples}"
            )
        if not 0 <= self.noise <= 1:
            raise ValueError(f"option `noise` must be between 0 and 1, not {self.noise}")
        if not 0 <= self.data_seed < 2**32:
            raise ValueError(
                f"option `data_seed` must be between 0 and {2**32 - 1}, not {self.data_seed}"
            )

    @property
    def observation_space(self) -> spaces.Box:
        """Of one example."""
        raise NotImplementedError

    @property
    def action_space(self) -> spaces.Space[Any]:
        """Of one prediction."""
        raise NotImplementedError

    def sample(self, count: int, seed: int) -> Examples:
        """`count` examples with clean targets; the first of them do not depend on `count`."""
        raise NotImplementedError

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """The targets of somebody who is wrong in a share `noise` of the examples."""
        raise NotImplementedError

    def for_testing(self) -> Self:
        """The dataset as test examples are drawn: without the options of the training set alone."""
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        names = ("examples", *self.training_only)
        changes: dict[str, Any] = {name: defaults[name] for name in names}
        return dataclasses.replace(self, **changes)

    def loss(self, predictions: Array, targets: Array) -> Array:
        """How wrong each prediction is, (n,); minus the reward."""
        raise NotImplementedError

    def score(self, predictions: Array, targets: Array) -> Array:
        """How good each prediction is, (n,): the yardstick."""
        return -self.loss(predictions, targets)

    action_names: ClassVar[tuple[str, ...]] = ()
    """A word for each class or number of a prediction, where there are few."""

    @property
    def game_screen_size(self) -> int:
        """Pixels to a side of the screens that `example_from_game` is given."""
        raise NotImplementedError

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        """What is seen of one moment of a running game, and the right target, if there is one.

        A dataset without it is watched example by example.

        Args:
            screens: (2, side, side) the last two.
            state: what the newest shows; not to be changed.
        """
        raise NotImplementedError

    def draw_example(self, surface: Any, observation: Array) -> None:
        """Draw what is seen all over `surface`; by default the newest of its screens."""
        from stages.viewers.pictures import draw_screen

        draw_screen(surface, observation[-1])

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Draw a prediction (None: nobody has guessed yet) and the truth over the picture.

        `surface` is an example's or, of a game, the square that the agent's screen shows.
        """

    def side_screens(self, prediction: Any, target: Array) -> dict[str, Array]:
        """Screens (side, side) in 0..255 to be shown beside the game, by name; as many each time.

        Arguments are those of `draw_prediction`.
        """
        return {}

    def watched(self) -> gymnasium.Env[Array, Any]:
        """An environment of the same spaces that can draw itself for people."""
        from stages.viewers.examples import ExamplesViewer, GameViewer

        asks_of_games = type(self).example_from_game is not Dataset.example_from_game
        return GameViewer(self) if asks_of_games else ExamplesViewer(self)

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """What the single scores do not tell."""
        return Assessment({}, {})

    def assess_codes(
        self, observations: Array, codes: Array, attributes: Array | None
    ) -> Assessment:
        """What is to be said of the few numbers (n, k) that an agent makes of each observation."""
        return Assessment({}, {})


def scrambled(counters: Array) -> Array:
    """A random generator's numbers (n,) at its counters (n,): `envs.engine.rng.mix` of each."""
    return np.asarray(mix(counters))  # type: ignore[arg-type]


@functools.lru_cache(maxsize=4)
def examples_of(dataset: Dataset, split: str) -> Examples:
    """Return the examples of one split of `dataset`: the same read-only arrays at every call.

    Test examples are others than those of training, have clean targets and are as `dataset` would
    have them without the options that add_label_noise the training set.
    """
    seed = SPLITS.index(split) * 2**32 + dataset.data_seed
    if split == "test":
        tested = dataset.for_testing()
        if tested != dataset:  # many stages are tested on the same examples, which are drawn once
            return examples_of(tested, split)
        examples = dataset.sample(TEST_EXAMPLES, seed)
    else:
        examples = dataset.sample(dataset.examples, seed)
    if dataset.noise > 0:
        targets = dataset.add_label_noise(examples.targets, np.random.default_rng((seed, 1)))
        examples = examples._replace(targets=targets)
    for array in examples:
        if array is not None:
            array.setflags(write=False)
    return examples
