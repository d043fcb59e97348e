"""Environments of a dataset: each episode is one example and lasts one step.

A minibatch of 256 examples is a step of 256 environments.

Observation Space
    The observation of one example.
Action Space
    A prediction of its target.
Rewards
    Minus the loss of the prediction.
Starting State
    A uniformly random example. Each environment samples with its own generator, so that one
    minibatch can contain an example twice.
Episode End
    Terminated after one step.
Information
    `info["score"]` is the score of the prediction. `info["answer"]` is its target, unless
    `feedback="reward"`.
Arguments
    `feedback`, `split="train"` (or "validation", "test") and the fields of the dataset's dataclass.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from envs.engine.resetting import (
    RESET_NEEDED,
    read_autoreset_mode,
    reset_mask,
    reset_options,
    seed_for_each,
)
from envs.engine.rng import GOLDEN_GAMMA, SHIFT_11, TO_UNIT, seeded
from envs.names import UnknownOptionError, load, one_of
from envs.registry import DATASETS, look_up
from stages.datasets.dataset import SPLITS, Array, Assessment, Dataset, examples_of, scrambled

Codes = Callable[[Array], Array | None]


def make_vector(
    dataset: str,
    num_envs: int = 1,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    **options: Any,
) -> ExampleVectorEnv:
    """Return a vector environment of a dataset, by its name in `envs.registry.DATASETS`.

    `options` are described above.
    """
    return ExampleVectorEnv(ExampleBatch(num_envs, *_made(dataset, options)), autoreset_mode)


def make_single(
    dataset: str, render_mode: str | None = None, **options: Any
) -> gymnasium.Env[Array, Any]:
    """Return one environment, with the arguments of `make_vector`.

    With `render_mode="rgb_array"` it is the viewer that the dataset names.
    """
    made, feedback, split = _made(dataset, options)
    if render_mode == "rgb_array":
        return load(made.viewer)(made)  # type: ignore[no-any-return]
    if render_mode is not None:
        raise ValueError(f'render_mode must be "rgb_array" or None, got {render_mode!r}')
    return ExampleEnv(ExampleBatch(1, made, feedback, split))


RENDERING = {"render_modes": ["rgb_array"], "render_fps": 30}
make_single.metadata = RENDERING  # type: ignore[attr-defined] # Gymnasium reads it here


def _made(name: str, options: dict[str, Any]) -> tuple[Dataset, str, str]:
    """Return the dataset with its options, the feedback and the split."""
    kind: type[Dataset] = load(look_up(DATASETS, "dataset", name).target)
    chosen = []
    for option, choices in (("feedback", tuple(kind.feedbacks)), ("split", SPLITS)):
        value = options.pop(option, choices[0])
        if value not in choices:
            raise ValueError(f"option `{option}` must be {one_of(choices)}, got {value!r}")
        chosen.append(value)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for option, value in options.items():
        if option not in fields:
            raise UnknownOptionError.of(name, option, (*fields, "feedback", "split"))
        wanted: Any = type(fields[option].default)
        number = (int, float) if wanted is float else wanted
        if not isinstance(value, number) or (isinstance(value, bool) and wanted is not bool):
            kinds = {int: "a whole number", float: "a number", str: "text", bool: "True or False"}
            raise ValueError(f"option `{option}` must be {kinds[wanted]}, got {value!r}")
        if wanted in (int, float) and not abs(value) <= sys.float_info.max:
            raise ValueError(f"option `{option}` must be a finite number, got {value!r}")
    return kind(**options), chosen[0], chosen[1]


class ExampleBatch:
    """`count` environments with one example each, the core of the single and vector environment.

    `observations` is replaced and never written to. `rewards`, `scores` and `targets` belong to
    the predictions that were evaluated last.
    """

    def __init__(self, count: int, dataset: Dataset, feedback: str, split: str) -> None:
        if type(count) is bool or not isinstance(count, (int, np.integer)) or count < 1:
            raise ValueError(f"num_envs must be a whole number from 1 up, got {count!r}")
        self.count = count
        self.dataset = dataset
        self.metadata = {
            "render_modes": ["rgb_array"],
            "feedback": dataset.feedbacks[feedback],
            "evaluation_options": {"split": "validation"},
            "report_options": {"split": "test"},
        }
        self.returns_targets = feedback != "reward"
        self._data = examples_of(dataset, split)
        self._generators: Array = np.zeros(count, np.uint64)
        self._rows = np.zeros(count, np.intp)
        self._has_begun = False

    def reset(self, seeds: Sequence[int | None], mask: Array) -> None:
        """Show new examples where `mask` (count,) is true; seed None continues the generator."""
        fresh = np.random.SeedSequence().generate_state(self.count, np.uint64)
        generators = self._generators.copy()
        newly_seeded = np.zeros(self.count, np.bool_)
        for i, seed in enumerate(seeds):
            if mask[i] and (seed is not None or not self._has_begun):
                generators[i] = seeded(int(fresh[i]) if seed is None else int(seed))
                newly_seeded[i] = True
        self._generators = generators
        self._has_begun = True
        self._sample(newly_seeded if self.dataset.keeps_examples else mask)

    def evaluate(self, predictions: Array) -> None:
        """Compute rewards and scores of predictions (count, ...) for the current examples."""
        if not self._has_begun:
            raise ResetNeeded("call reset() before the first step()")
        self._evaluated = self._rows, predictions
        self.targets = self._data.targets[self._rows]
        self.rewards = -self.dataset.loss(predictions, self.targets).astype(np.float64)
        self.scores = self.dataset.score(predictions, self.targets).astype(np.float64)

    def advance(self, mask: Array) -> None:
        """Show the next examples where `mask` (count,) is true, unless they are kept."""
        if not self.dataset.keeps_examples:
            self._sample(mask)

    def _sample(self, mask: Array) -> None:
        self._generators = self._generators + mask * GOLDEN_GAMMA
        uniform = (scrambled(self._generators) >> SHIFT_11) * TO_UNIT
        rows = (uniform * len(self._data.targets)).astype(np.intp)
        self._rows = np.where(mask, rows, self._rows)
        self.observations = self._data.observations[self._rows]

    def assess(self, codes_of: Codes) -> Assessment:
        """Return measurements of the predictions that were evaluated last."""
        rows, predictions = self._evaluated
        observations, targets, attributes = self._data
        seen = observations[rows]
        found = self.dataset.assess(seen, predictions, targets[rows])
        codes = codes_of(seen)
        if codes is None:
            return found
        of_codes = self.dataset.assess_codes(
            seen, codes, None if attributes is None else attributes[rows]
        )
        return Assessment(
            found.metrics | of_codes.metrics, found.pictures | of_codes.pictures, of_codes.embedding
        )

    def checkpoint(self) -> dict[str, Array]:
        """Return everything that decides how the batch continues."""
        return {"generators": self._generators.view(np.uint8).copy(), "rows": self._rows.copy()}

    def restore(self, saved: dict[str, Array]) -> None:
        """Continue from a checkpoint.

        Raises:
            ValueError: if it belongs to another number of environments or another dataset.
        """
        rows = saved["rows"]
        if rows.shape != (self.count,) or rows.max() >= len(self._data.targets):
            raise ValueError("the saved environments do not fit these: `rows` differs")
        self._generators = np.ascontiguousarray(saved["generators"]).view(np.uint64).copy()
        self._rows = rows.copy()
        self.observations = self._data.observations[rows]
        self._has_begun = True


class ExampleVectorEnv(VectorEnv[Array, Array, Array]):
    """Vector environment of examples, by default with autoreset in the same step.

    After `reset(seed=s)`, environment `i` shows what the single environment shows with seed
    `s + i`. `info["answer"]` and `final_info["score"]` belong to the step just made.
    """

    def __init__(
        self, batch: ExampleBatch, autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP
    ) -> None:
        self.batch = batch
        self.num_envs = batch.count
        self.autoreset_mode = read_autoreset_mode(autoreset_mode)
        self.metadata = batch.metadata | {"autoreset_mode": self.autoreset_mode}
        self.single_observation_space = batch.dataset.observation_space
        self.single_action_space = batch.dataset.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._every = np.ones(self.num_envs, np.bool_)
        self._none = np.zeros(self.num_envs, np.bool_)
        for mask in (self._every, self._none):
            mask.setflags(write=False)  # every step returns them
        self._waiting = self._none  # environments whose next step is only a reset

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """Show new examples; environment `i` gets the seed `seed + i`, or item `i` of a list.

        `options` has `reset_mask`, a bool array (num_envs,): which to reset. Default: all.
        """
        mask = reset_mask(reset_options(options, "reset_mask"), self.num_envs)
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
        self.batch.reset(seed_for_each(seed, self.num_envs), mask)
        self._waiting = self._waiting & ~mask
        return self.batch.observations, {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        batch, every = self.batch, self._every
        actions = np.asarray(actions)
        if actions.shape != self.action_space.shape:
            raise ValueError(f"actions have shape {actions.shape}; {self.action_space} is needed")
        kinds = "iu" if isinstance(self.single_action_space, spaces.Discrete) else "iuf"
        if actions.dtype.kind not in kinds:
            raise ValueError(
                f"actions cannot be {actions.dtype.name}; {self.action_space} is needed"
            )
        if self.autoreset_mode == AutoresetMode.DISABLED and self._waiting.any():
            raise ResetNeeded(RESET_NEEDED)
        batch.evaluate(actions)
        acted = ~self._waiting
        infos: dict[str, Any] = {"score": batch.scores, "_score": acted}
        if batch.returns_targets:
            infos |= {"answer": batch.targets, "_answer": acted}
        if self.autoreset_mode != AutoresetMode.SAME_STEP:
            batch.advance(self._waiting)
            self._waiting = acted
            rewards = np.where(acted, batch.rewards, 0.0)
            return batch.observations, rewards, acted.copy(), self._none, infos
        infos |= {"final_obs": batch.observations, "_final_obs": every, "_final_info": every}
        infos["final_info"] = {"score": batch.scores, "_score": every}
        batch.advance(every)
        return batch.observations, batch.rewards, every, self._none, infos

    def assess(self, codes: Codes = lambda _: None) -> Assessment:
        """Measure all predictions of the last step; `codes` is the `encode` method of the agent."""
        return self.batch.assess(codes)


class ExampleEnv(gymnasium.Env[Array, Any]):
    """Environment of one example."""

    def __init__(self, batch: ExampleBatch) -> None:
        self.batch = batch
        self.metadata = batch.metadata
        self.observation_space = batch.dataset.observation_space
        self.action_space = deepcopy(batch.dataset.action_space)
        self.action_names = batch.dataset.action_names

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self.batch.reset([seed], np.ones(1, np.bool_))
        return self.batch.observations[0].copy(), {}

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Score one prediction; the observation returned is the example it was made for."""
        if isinstance(self.action_space, spaces.Discrete) and isinstance(action, int):
            action = np.int64(action)
        if not self.action_space.contains(action):
            raise ValueError(f"the action must be in {self.action_space}, got {action!r}")
        batch = self.batch
        batch.evaluate(np.asarray(action)[None])
        info: dict[str, Any] = {"score": batch.scores.item()}
        if batch.returns_targets:
            info["answer"] = batch.targets[0]
        return batch.observations[0].copy(), batch.rewards.item(), True, False, info


def dataset_of(environment: Any) -> Dataset:
    """Return the dataset of one of these environments, single or vector."""
    unwrapped = environment.unwrapped
    assert isinstance(unwrapped, (ExampleEnv, ExampleVectorEnv))
    return unwrapped.batch.dataset
