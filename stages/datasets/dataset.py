"""What a stage has to say: where its examples come from, and what a guess at them is worth."""

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
    answers: Array
    """(n, ...) the right actions; may be the observations themselves."""
    truths: Array | None = None
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
    """What is to be said of many guesses together."""

    metrics: dict[str, float]
    pictures: dict[str, Array]
    """uint8 (height, width, 3)."""
    embedding: Embedding | None = None


@dataclass(frozen=True)
class Stage:
    """One kind of question; the fields are its options, `--env-options name=value`."""

    examples: int = 30_000
    """Size of the training set."""
    noise: float = 0.0
    """Share of wrong answers in the training set."""
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
    of_training_only: ClassVar[tuple[str, ...]] = ("noise",)
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
        """Of one guess."""
        raise NotImplementedError

    def draw(self, count: int, seed: int) -> Examples:
        """`count` examples with clean answers; the first of them do not depend on `count`."""
        raise NotImplementedError

    def spoil(self, answers: Array, generator: np.random.Generator) -> Array:
        """The answers of somebody who is wrong in a share `noise` of the examples."""
        raise NotImplementedError

    def tested(self) -> Self:
        """The stage as test examples are drawn: without the options of the training set alone."""
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        names = ("examples", *self.of_training_only)
        changes: dict[str, Any] = {name: defaults[name] for name in names}
        return dataclasses.replace(self, **changes)

    def loss(self, guesses: Array, answers: Array) -> Array:
        """How wrong each guess is, (n,); minus the reward."""
        raise NotImplementedError

    def score(self, guesses: Array, answers: Array) -> Array:
        """How good each guess is, (n,): the yardstick."""
        return -self.loss(guesses, answers)

    action_names: ClassVar[tuple[str, ...]] = ()
    """A word for each class or number of a guess, where there are few."""

    @property
    def observation_side(self) -> int:
        """Pixels to a side of the screens that `look` is given."""
        raise NotImplementedError

    def look(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        """What is seen of one moment of a running game, and the right answer, if there is one.

        A stage without it is watched example by example.

        Args:
            screens: (2, side, side) the last two.
            state: what the newest shows; not to be changed.
        """
        raise NotImplementedError

    def draw_example(self, surface: Any, observation: Array) -> None:
        """Draw what is seen all over `surface`; by default the newest of its screens."""
        from stages.viewers.pictures import draw_screen

        draw_screen(surface, observation[-1])

    def draw_over(self, surface: Any, guess: Any, answer: Array) -> None:
        """Draw a guess (None: nobody has guessed yet) and the truth over the picture.

        `surface` is an example's or, of a game, the square that the agent's screen shows.
        """

    def beside(self, guess: Any, answer: Array) -> dict[str, Array]:
        """Screens (side, side) in 0..255 to be shown beside the game, by name; as many each time.

        Arguments are those of `draw_over`.
        """
        return {}

    def watched(self) -> gymnasium.Env[Array, Any]:
        """An environment of the same spaces that can draw itself for people."""
        from stages.viewers.examples import WatchedExamples, WatchedGame

        asks_of_games = type(self).look is not Stage.look
        return WatchedGame(self) if asks_of_games else WatchedExamples(self)

    def assess(self, observations: Array, guesses: Array, answers: Array) -> Assessment:
        """What the single scores do not tell."""
        return Assessment({}, {})

    def assess_codes(self, observations: Array, codes: Array, truths: Array | None) -> Assessment:
        """What is to be said of the few numbers (n, k) that an agent makes of each observation."""
        return Assessment({}, {})


def scrambled(counters: Array) -> Array:
    """A random generator's numbers (n,) at its counters (n,): `envs.engine.rng.mix` of each."""
    return np.asarray(mix(counters))  # type: ignore[arg-type]


@functools.lru_cache(maxsize=4)
def data_set(stage: Stage, split: str) -> Examples:
    """The examples of one split of `stage`, which are the same at each call; not to be written to.

    Test examples are others than those of training, have clean answers and are as `stage` would
    have them without the options that spoil the training set.
    """
    seed = SPLITS.index(split) * 2**32 + stage.data_seed
    if split == "test":
        tested = stage.tested()
        if tested != stage:  # many stages are tested on the same examples, which are drawn once
            return data_set(tested, split)
        examples = stage.draw(TEST_EXAMPLES, seed)
    else:
        examples = stage.draw(stage.examples, seed)
    if stage.noise > 0:
        answers = stage.spoil(examples.answers, np.random.default_rng((seed, 1)))
        examples = examples._replace(answers=answers)
    for array in examples:
        if array is not None:
            array.setflags(write=False)
    return examples
