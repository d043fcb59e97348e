"""What a game has to say about itself; everything else is the engine's work."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from envs.names import load, suggest

SAMPLE_RATE = 8_000
"""Of sounds, numbers each second."""
OF_OBSERVATIONS = ("observation", "history", "screen_size", "frames")
"""Options that every game's environments have: they are not the game's own."""


class Field(NamedTuple):
    """One field of a game's state."""

    name: str
    kind: str
    """NumPy's name of its type: `f8`."""
    meaning: str
    """What it is, with its unit: who writes a reward reads this."""


def state_dtype(fields: Iterable[Field]) -> np.dtype[Any]:
    """The structured dtype of a state that has these fields."""
    return np.dtype([(field.name, field.kind) for field in fields])


ENGINE_FIELDS = {"t": np.dtype("i8"), "rng": np.dtype("u8")}


def derive_nothing(state: Any, options: Any) -> None:
    """In most games every field is its own."""


def no_constants(options: Any) -> dict[str, Any]:
    """Most games compute nothing from their options beforehand."""
    return {}


@dataclass(frozen=True, eq=False)
class Game:
    """One game: a state record and plain scalar functions on it.

    `state` is one record and is changed in place; `options` is the record of the game's options.
    The functions use numbers, `math` and each other only, since they also run compiled.
    The engine owns two fields of every state: `t` (steps since the start), `rng` (`engine.rng`);
    a new episode starts from a record that is all zeros but for `rng`.
    """

    name: str
    """Short name: `paddle`."""
    state: np.dtype[Any]
    """Structured dtype of the state, `t` ("i8") and `rng` ("u8") included."""
    options: type[Any]
    """Frozen dataclass of float, int and bool options with defaults; raises ValueError for
    impossible values when constructed. Has `max_steps`, after which an episode is truncated."""
    action_space: spaces.Space[Any]
    """`Discrete` (functions get an int) or `Box` (they get a float array)."""
    observation_space: spaces.Box
    """Float32 space that `observe` fills."""
    reset: Callable[[Any, Any], None]
    """reset(state, options): draw a starting state."""
    step: Callable[[Any, Any, Any], None]
    """step(state, action, options): one step of the dynamics; no reward here."""
    terminated: Callable[[Any, Any], bool]
    """terminated(state, options): is the game over?"""
    observe: Callable[[Any, Any, Any], None]
    """observe(state, out, options): write the observation into `out`, float32."""
    draw: Callable[[Any, Any, Any], None]
    """draw(state, screen, options): draw onto a black square `uint8` screen."""
    score: Callable[[Any], float]
    """score(state): the game's own yardstick, which no reward changes."""
    check: Callable[[Any, Any], None]
    """check(state, options): raise ValueError for a state that the game cannot be in."""
    view: str
    """`module:function` that draws a state for people: function(surface, state, options). A class
    that makes such functions will do as well; each match that is shown then gets its own."""
    steps_per_second: int
    """How fast people watch it."""
    action_names: tuple[str, ...]
    """A word for each action (`Discrete`) or each component (`Box`)."""
    keys: tuple[str, ...] = ()
    """Keyboard for people: pygame's names of the keys that `by_hand` asks for."""
    by_hand: Callable[[Any], Any] | None = None
    """by_hand(keys): the action of who presses these `keys`, a set of names."""
    derive: Callable[[Any, Any], None] = derive_nothing
    """derive(state, options): recompute the fields that follow from others, once some were set."""
    sound: str = ""
    """`module:function` of what people hear: function(state) is a wave (n,) in -1..1 at
    `SAMPLE_RATE`, or None if the step that led to `state` makes no sound. Empty: none ever does."""
    rules_module: str = ""
    """Module of hand-written rules and features. It has `rules(action_space)`, which returns
    functions from observations (n, ...) to actions (n, ...) by name, best first, and may have
    `features`, a function from observations to hand-made features (n, k). Empty: there is none."""
    fields: tuple[Field, ...] = ()
    """What `state` is made of, described for who writes rewards."""
    constants: Callable[[Any], dict[str, Any]] = no_constants
    """constants(options): numbers and arrays computed once from the options dataclass, which the
    functions read from `options` beside its own fields."""

    def __post_init__(self) -> None:
        for field, dtype in ENGINE_FIELDS.items():
            if self.state.fields is None or field not in self.state.fields:
                raise ValueError(f"{self.name}: the state needs the engine's field `{field}`")
            if self.state[field] != dtype:
                raise ValueError(f"{self.name}: the state's field `{field}` must be {dtype.str}")

    def options_record(self, options: Any) -> Any:
        """The options and their constants as an array of one record, which compiled code reads."""
        values = vars(options) | self.constants(options)
        arrays = {name: np.asarray(value) for name, value in values.items()}
        dtype = [(name, array.dtype, array.shape) for name, array in arrays.items()]
        record = np.zeros(1, np.dtype((np.record, dtype)))
        for name, array in arrays.items():
            record[name] = array
        return record

    @property
    def option_names(self) -> tuple[str, ...]:
        """The options that `make_options` takes."""
        return tuple(field.name for field in dataclasses.fields(self.options))

    def make_options(self, given: dict[str, Any]) -> Any:
        """The options dataclass from keyword arguments.

        Raises:
            ValueError: for an unknown option or an impossible value.
        """
        fields = {field.name: field for field in dataclasses.fields(self.options)}
        for name, value in given.items():
            if name not in fields:
                raise ValueError(f"{self.name} has no option `{name}`; {suggest(name, fields)}")
            if isinstance(fields[name].default, bool):
                if not isinstance(value, (bool, np.bool_)):
                    raise ValueError(
                        f"option `{name}` of {self.name} must be True or False, not {value!r}"
                    )
            elif (
                isinstance(value, bool)
                or not isinstance(value, (int, float, np.number))
                or not math.isfinite(value)
            ):
                raise ValueError(
                    f"option `{name}` of {self.name} must be a finite number, not {value!r}"
                )
            elif isinstance(fields[name].default, int) and int(value) != value:
                raise ValueError(f"option `{name}` of {self.name} must be whole, not {value!r}")
        kinds: dict[str, Any] = {name: type(field.default) for name, field in fields.items()}
        return self.options(**{name: kinds[name](value) for name, value in given.items()})

    def states(self, count: int) -> np.ndarray[Any, Any]:
        """`count` states, all zeros, whose records can be read and written by field name."""
        return np.zeros(count, np.dtype((np.record, self.state)))

    def actions(self, count: int) -> np.ndarray[Any, Any]:
        """`count` actions, all zeros, as the compiled loops want them."""
        return np.zeros((count, *(self.action_space.shape or ())), self.action_space.dtype)

    def set_fields(self, state: Any, values: dict[str, Any], options: Any) -> None:
        """Overwrite fields of one record, as `reset(options={"state": {...}})` asks.

        Raises:
            ValueError: for an unknown field or an impossible state; `state` is then unchanged.
        """
        changed = state.copy()
        for field, value in values.items():
            if field not in (self.state.names or ()):
                hint = suggest(field, self.state.names or ())
                raise ValueError(f"{self.name}'s state has no field `{field}`; {hint}")
            kind = self.state[field].kind
            number = np.asarray(value)
            if number.ndim or number.dtype.kind not in "biuf" or not np.isfinite(number):
                raise ValueError(f"state field `{field}` must be a finite number, not {value!r}")
            try:
                converted = self.state[field].type(value)
            except OverflowError:
                converted = None
            if kind != "f" and (converted is None or converted != number):
                raise ValueError(f"state field `{field}` cannot hold {value!r}")
            changed[field] = converted
        if not 0 <= changed.t < options.max_steps:
            raise ValueError(f"state field `t` must be in 0..{options.max_steps - 1}")
        self.derive(changed, options)
        self.check(changed, options)
        for field in self.state.names or ():
            state[field] = changed[field]


def load_game(place: str, options: dict[str, Any]) -> tuple[Game, dict[str, Any]]:
    """The game at `module:attribute`, and the options that are left for the environment.

    Where the attribute is a function, it returns the game and takes some of the options.

    Raises:
        ValueError: if there is no such variant of the game.
    """
    found = load(place)
    if isinstance(found, Game):
        return found, options
    choices = inspect.signature(found).parameters
    chosen = {name: value for name, value in options.items() if name in choices}
    for name, value in chosen.items():
        if not isinstance(value, str):
            raise ValueError(f"option `{name}` must be a text, not {value!r}")
    return found(**chosen), {name: v for name, v in options.items() if name not in choices}
