"""The definition of a game, from which the engine makes environments."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from envs.names import UnknownOptionError, load, suggest

SAMPLE_RATE = 8_000
"""Samples per second of all sounds."""
OBSERVATION_OPTIONS = ("observation", "history", "screen_size", "frames")
"""Options of every game's environments, in addition to the game's own."""


class Field(NamedTuple):
    """One field of a game's state."""

    name: str
    kind: str
    """NumPy type, such as `f8`."""
    meaning: str
    """Description with the unit, for people who write rewards."""


def state_dtype(fields: Iterable[Field]) -> np.dtype[Any]:
    """Return the structured dtype of a state with these fields."""
    return np.dtype([(field.name, field.kind) for field in fields])


ENGINE_FIELDS = {"t": np.dtype("i8"), "rng": np.dtype("u8")}


def no_derived_fields(state: Any, options: Any) -> None:
    """Do nothing: the default of `Game.derive`."""


def no_constants(options: Any) -> dict[str, Any]:
    """Return no constants: the default of `Game.constants`."""
    return {}


@dataclass(frozen=True, eq=False)
class Game:
    """One game: a state record and scalar functions on it.

    `state` is one record, changed in place. `options` is the record of the game's options. The
    functions may use only numbers, `math` and each other, because they also run compiled. The
    engine owns two fields of every state: `t` (steps since the start) and `rng` (see `engine.rng`).
    A new episode starts from a record of zeros with the old `rng`.
    """

    name: str
    """Short name, such as `paddle`."""
    state: np.dtype[Any]
    """Structured dtype of the state, with `t` ("i8") and `rng` ("u8")."""
    options: type[Any]
    """Frozen dataclass of float, int and bool options with defaults, which raises ValueError for
    impossible values. It has `max_steps`, the length at which an episode is truncated."""
    action_space: spaces.Space[Any]
    """`Discrete` (functions get an int) or `Box` (functions get a float array)."""
    observation_space: spaces.Box
    """Float32 space of what `observe` writes."""
    reset: Callable[[Any, Any], None]
    """reset(state, options): sample a starting state."""
    step: Callable[[Any, Any, Any], None]
    """step(state, action, options): advance the dynamics by one step, without a reward."""
    terminated: Callable[[Any, Any], bool]
    """terminated(state, options): return whether the game is over."""
    observe: Callable[[Any, Any, Any], None]
    """observe(state, out, options): write the observation into `out`, float32."""
    draw: Callable[[Any, Any, Any], None]
    """draw(state, screen, options): draw on a black square uint8 screen, for agents."""
    score: Callable[[Any], float]
    """score(state): return the game's own measure of success, whatever the reward is."""
    check: Callable[[Any, Any], None]
    """check(state, options): raise ValueError for an impossible state."""
    view: str
    """Target ("module:attribute") of a function(canvas, state, options) that draws a state for
    people on a `Canvas`, or of a class of such functions, of which each running game gets its own
    instance."""
    steps_per_second: int
    """Speed at which people watch and play."""
    action_names: tuple[str, ...]
    """Name of each action (`Discrete`) or of each component (`Box`)."""
    keys: tuple[str, ...] = ()
    """pygame's names of the keys that `action_from_keys` reads."""
    action_from_keys: Callable[[Any], Any] | None = None
    """action_from_keys(keys): return the action for a set of pressed keys."""
    derive: Callable[[Any, Any], None] = no_derived_fields
    """derive(state, options): recompute the fields that follow from others, after one was set."""
    sound: str = ""
    """Target ("module:attribute") of a function(state) that returns the sound of the step that led
    to `state`: a wave (n,) in -1..1 at `SAMPLE_RATE`, or None. Empty: the game is silent."""
    rules_module: str = ""
    """Module of hand-written rules and features. It has `rules(action_space)`, which returns
    functions from observations (n, ...) to actions (n, ...) by name, best first, and may have
    `features`, a function from observations to hand-made features (n, k). Empty: there is none."""
    fields: tuple[Field, ...] = ()
    """Fields of `state` with their descriptions."""
    constants: Callable[[Any], dict[str, Any]] = no_constants
    """constants(options): return numbers and arrays computed once from the options dataclass.
    Functions read them from `options` like its own fields."""

    def __post_init__(self) -> None:
        for field, dtype in ENGINE_FIELDS.items():
            if self.state.fields is None or field not in self.state.fields:
                raise ValueError(f"{self.name}: the state needs the engine's field `{field}`")
            if self.state[field] != dtype:
                raise ValueError(f"{self.name}: the state's field `{field}` must be {dtype.str}")

    def options_record(self, options: Any) -> Any:
        """Return the options and their constants as an array of one record, for compiled code."""
        values = vars(options) | self.constants(options)
        arrays = {name: np.asarray(value) for name, value in values.items()}
        dtype = [(name, array.dtype, array.shape) for name, array in arrays.items()]
        record = np.zeros(1, np.dtype((np.record, dtype)))
        for name, array in arrays.items():
            record[name] = array
        return record

    @property
    def option_names(self) -> tuple[str, ...]:
        """Names of the options that `make_options` takes."""
        return tuple(field.name for field in dataclasses.fields(self.options))

    def make_options(self, given: dict[str, Any]) -> Any:
        """Return the options dataclass from keyword arguments.

        Raises:
            UnknownOptionError: if there is no such option.
            ValueError: if an option has an impossible value.
        """
        fields = {field.name: field for field in dataclasses.fields(self.options)}
        for name, value in given.items():
            if name not in fields:
                raise UnknownOptionError.of(self.name, name, (*fields, *OBSERVATION_OPTIONS))
            if isinstance(fields[name].default, bool):
                if not isinstance(value, (bool, np.bool_)):
                    raise ValueError(
                        f"option `{name}` of {self.name} must be True or False, got {value!r}"
                    )
            elif (
                isinstance(value, bool)
                or not isinstance(value, (int, float, np.number))
                or not _is_finite(value)
            ):
                raise ValueError(
                    f"option `{name}` of {self.name} must be a finite number, got {value!r}"
                )
            elif isinstance(fields[name].default, int) and int(value) != value:
                raise ValueError(
                    f"option `{name}` of {self.name} must be a whole number, got {value!r}"
                )
        kinds: dict[str, Any] = {name: type(field.default) for name, field in fields.items()}
        return self.options(**{name: kinds[name](value) for name, value in given.items()})

    def describe_actions(self) -> str:
        """Describe the action in words, for people who write rewards."""
        space: Any = self.action_space
        if not space.shape:
            names = (f"{k} {name}" for k, name in enumerate(self.action_names))
            return f"the action is a number: {', '.join(names)}"
        limits = zip(self.action_names, space.low.flat, space.high.flat, strict=True)
        parts = (f"action[{k}] {name}, {a:g}..{b:g}" for k, (name, a, b) in enumerate(limits))
        return f"the action is an array: {'; '.join(parts)}"

    def states(self, count: int) -> np.ndarray[Any, Any]:
        """Return `count` states of zeros, with fields as attributes of the records."""
        return np.zeros(count, np.dtype((np.record, self.state)))

    def actions(self, count: int) -> np.ndarray[Any, Any]:
        """Return `count` actions of zeros, of the type that the compiled loops take."""
        return np.zeros((count, *(self.action_space.shape or ())), self.action_space.dtype)

    def set_fields(self, state: Any, values: dict[str, Any], options: Any) -> None:
        """Overwrite fields of one record, for `reset(options={"state": {...}})`.

        Raises:
            ValueError: if a field is unknown or the state is impossible; `state` is then unchanged.
        """
        changed = state.copy()
        for field, value in values.items():
            if field not in (self.state.names or ()):
                hint = suggest(field, self.state.names or ())
                raise ValueError(f"{self.name}'s state has no field `{field}`; {hint}")
            kind = self.state[field].kind
            number = np.asarray(value)
            if number.ndim or number.dtype.kind not in "biuf" or not np.isfinite(number):
                raise ValueError(f"state field `{field}` must be a finite number, got {value!r}")
            try:
                converted = self.state[field].type(value)
            except OverflowError:
                converted = None
            if kind != "f" and (converted is None or converted != number):
                raise ValueError(f"state field `{field}` cannot hold {value!r}")
            changed[field] = converted
        if not 0 <= changed.t < options.max_steps:
            raise ValueError(
                f"state field `t` must be in 0..{options.max_steps - 1}, got {changed.t}"
            )
        self.derive(changed, options)
        self.check(changed, options)
        for field in self.state.names or ():
            state[field] = changed[field]


def _is_finite(number: Any) -> bool:
    """Return whether a float can hold a number; `math.isfinite` fails at greater integers."""
    return bool(abs(number) <= sys.float_info.max)


def load_game(target: str, options: dict[str, Any]) -> tuple[Game, dict[str, Any]]:
    """Return the game at `target`, a "module:attribute", and the options for the environment.

    If the attribute is a function, it returns the game and takes some of the options.

    Raises:
        ValueError: if there is no such variant of the game.
    """
    found = load(target)
    if isinstance(found, Game):
        return found, options
    choices = inspect.signature(found).parameters
    chosen = {name: value for name, value in options.items() if name in choices}
    for name, value in chosen.items():
        if not isinstance(value, str):
            raise ValueError(f"option `{name}` must be text, got {value!r}")
    return found(**chosen), {name: v for name, v in options.items() if name not in choices}
