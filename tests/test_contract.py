"""The contract that every game keeps. All registered games are tested here."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pygame
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.utils.passive_env_checker import data_shares_objects
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from envs.engine.drawing import pixels_of
from envs.engine.game import load_game
from envs.registry import GAMES as REGISTERED
from envs.registry import env_id_of, env_ids
from tests.games import CASES, GAMES, TASK_VARIANTS, VARIANTS, Variant
from tests.traces import assert_same, play, play_elsewhere

every_game = pytest.mark.parametrize("variant", GAMES, ids=str)
every_case = pytest.mark.parametrize("variant", CASES, ids=str)


def make(variant: Variant, **options: Any) -> Any:
    """The single environment itself, without Gymnasium's wrappers."""
    return gymnasium.make(variant.env_id, **variant.options, **options).unwrapped


def make_vec(variant: Variant, num_envs: int, **options: Any) -> Any:
    """The vector environment itself."""
    options |= variant.options
    return gymnasium.make_vec(variant.env_id, num_envs=num_envs, **options).unwrapped


def test_all_games_are_registered() -> None:
    assert env_id_of("paddle") == "PaddleBall-v0"
    assert [game.env_id for game in GAMES] == env_ids(REGISTERED)
    assert {variant.env_id for variant in VARIANTS} == {game.env_id for game in GAMES}
    assert len(VARIANTS) == len(GAMES) + 8  # 4 tasks x 2 kinds of action, 2 kinds of controls


def test_the_cases_contain_every_pair_of_choices() -> None:
    for game in GAMES:
        cases = [case.options for case in CASES if case.env_id == game.env_id]
        for names in itertools.combinations({name for case in cases for name in case}, 2):
            pairs = {tuple(case.get(name) for name in names) for case in cases}
            first, second = (set(values) for values in zip(*pairs, strict=True))
            assert len(pairs) == len(first) * len(second)


# --- Gymnasium's own checks


@every_case
def test_single_environments_pass_gymnasiums_checker(variant: Variant) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make(variant))


@every_case
def test_vector_environments_follow_gymnasiums_api(variant: Variant) -> None:
    """Gymnasium has no checker for vector environments, so this test checks the same points."""
    env = make_vec(variant, 4, max_steps=9)
    single = make(variant)
    assert env.num_envs == 4
    assert env.single_observation_space == single.observation_space
    assert env.single_action_space == single.action_space
    assert env.observation_space.shape == (4, *single.observation_space.shape)
    assert env.observation_space.dtype == single.observation_space.dtype
    returned: list[Any] = [env.reset(seed=3)]
    for _ in range(30):
        observations, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
        assert rewards.shape == terminated.shape == truncated.shape == (4,)
        assert rewards.dtype == np.float64
        assert terminated.dtype == truncated.dtype == np.bool_
        for key in [key for key in infos if not key.startswith("_")]:
            assert infos[f"_{key}"].dtype == np.bool_
            assert infos[f"_{key}"].shape == (4,)
        returned.append((observations, rewards, terminated, truncated, infos))
    as_returned = copy.deepcopy(returned)
    env.reset(options={"reset_mask": np.array([True, False, True, False])})
    env.batch.restore(env.batch.checkpoint())
    env.step(env.action_space.sample())
    for result, as_it_was in zip(returned, as_returned, strict=True):
        assert data_equivalence(result, as_it_was, exact=True)
    for result in returned:
        hide_what_cannot_be_changed(result[-1])
        assert result[0] in env.observation_space
    for k, result in enumerate(returned):
        assert not any(data_shares_objects(result, other) for other in returned[:k])
    env.close()


@every_game
def test_metadata(variant: Variant) -> None:
    single, vector = make(variant), make_vec(variant, 2)
    assert set(single.metadata["render_modes"]) == {"human", "rgb_array"}
    assert single.metadata["render_fps"] == vector.metadata["render_fps"] > 0
    assert vector.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert single.spec.id == vector.spec.id == variant.env_id


# --- The same game in every kind of environment


@every_case
def test_vector_and_single_environments_agree(variant: Variant) -> None:
    options = {"max_steps": 60, "screen_size": 24}
    count, seed = 3, 11
    vector = make_vec(variant, count, **options)
    singles = [make(variant, **options) for _ in range(count)]
    vector.action_space.seed(0)
    observations, infos = vector.reset(seed=seed)
    for i, single in enumerate(singles):
        first, info = single.reset(seed=seed + i)
        assert data_equivalence(first, observations[i], exact=True)
        assert info["score"] == infos["score"][i]
        assert info.keys() == single.step(single.action_space.sample())[-1].keys() & infos.keys()
        assert not any(info[name] for name in info if name != "score")
        single.reset(seed=seed + i)
    ends = []
    for step in range(1000):
        actions = vector.action_space.sample()
        observations, rewards, terminated, truncated, infos = vector.step(actions)
        for i, single in enumerate(singles):
            seen, reward, ended, cut, info = single.step(actions[i])
            assert (reward, ended, cut) == (rewards[i], terminated[i], truncated[i])
            for term in [name for name in info if name.startswith("reward/")]:
                assert info[term] == infos[term][i]
            if ended or cut:
                ends.append((step, i, ended))
                assert seen.tobytes() == infos["final_obs"][i].tobytes()
                assert info["score"] == infos["final_info"]["score"][i]
                seen, info = single.reset()
            assert seen.tobytes() == observations[i].tobytes()
            assert info["score"] == infos["score"][i]
            assert single.state.tobytes() == vector.states[i].tobytes()
    assert len({step for step, i, _ in ends if i == 0} ^ {step for step, i, _ in ends if i == 1})
    assert {ended for *_, ended in ends} == {True, False}


@every_case
def test_our_vector_environment_agrees_with_gymnasiums(variant: Variant) -> None:
    options = {"max_steps": 40, "screen_size": 24}
    native = make_vec(variant, 3, **options)
    theirs: Any = SyncVectorEnv(
        [lambda: make(variant, **options)] * 3, autoreset_mode=AutoresetMode.SAME_STEP
    )
    assert native.observation_space == theirs.observation_space
    assert native.action_space == theirs.action_space
    native.action_space.seed(5)
    first, second = native.reset(seed=2), theirs.reset(seed=2)
    assert data_equivalence(first[0], second[0], exact=True)
    ended = 0
    for _ in range(500):
        actions = native.action_space.sample()
        *ours, infos = native.step(actions)
        *others, their_infos = theirs.step(actions)
        assert data_equivalence(tuple(ours), tuple(others), exact=True)
        assert data_equivalence(infos["score"], their_infos["score"], exact=True)
        assert ("final_obs" in infos) == ("final_obs" in their_infos)
        for i in np.flatnonzero(infos.get("_final_obs", ())):
            ended += 1
            assert np.array_equal(infos["final_obs"][i], their_infos["final_obs"][i])
            final, their_final = infos["final_info"], their_infos["final_info"]
            assert final.keys() == their_final.keys()
            assert all(final[name][i] == their_final[name][i] for name in final)
            assert np.array_equal(final["score"], their_final["score"])  # 0 in the other rows
        for mask in ("_final_obs", "_final_info"):
            assert np.array_equal(infos.get(mask, ()), their_infos.get(mask, ()))
    assert ended > 10


@every_game
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_other_autoreset_modes_agree_with_gymnasiums(variant: Variant, mode: AutoresetMode) -> None:
    native = make_vec(variant, 3, max_steps=20, autoreset_mode=mode.name)
    theirs: Any = SyncVectorEnv([lambda: make(variant, max_steps=20)] * 3, autoreset_mode=mode)
    assert native.autoreset_mode is native.metadata["autoreset_mode"] is mode
    native.action_space.seed(5)
    assert data_equivalence(native.reset(seed=2), theirs.reset(seed=2), exact=True)
    ended = 0
    for k in range(150):
        if k == 100:
            mask = np.array([True, False, True])
            native.reset(options={"reset_mask": mask})
            theirs.reset(options={"reset_mask": mask})
        actions = native.action_space.sample()
        ours, others = native.step(actions), theirs.step(actions)
        assert data_equivalence(ours, others, exact=True)
        done = ours[2] | ours[3]
        ended += done.sum()
        if done.any() and mode == AutoresetMode.DISABLED:
            with pytest.raises(gymnasium.error.ResetNeeded, match="reset_mask"):
                native.step(actions)
            first = native.reset(options={"reset_mask": done})[0]
            assert np.array_equal(first, theirs.reset(options={"reset_mask": done})[0])
    assert ended > 10


@every_game
def test_compiled_equals_interpreted(variant: Variant, tmp_path: Path) -> None:
    """For all cases of a game, in one process."""
    cases = [case for case in CASES if case.env_id == variant.env_id]
    elsewhere = play_elsewhere(cases, tmp_path, NUMBA_DISABLE_JIT="1")
    for case, trace in zip(cases, elsewhere, strict=True):
        assert_same(play(case), trace)


def test_the_number_of_threads_changes_nothing(tmp_path: Path) -> None:
    for count in ("1", "2"):
        threads = {"NUMBA_NUM_THREADS": count, "OMP_NUM_THREADS": count}
        elsewhere = play_elsewhere(GAMES, tmp_path, **threads)
        for game, trace in zip(GAMES, elsewhere, strict=True):
            assert_same(play(game), trace)


@every_case
def test_the_seed_decides_everything(variant: Variant) -> None:
    first, again = play(variant), play(variant)
    assert_same(first, again)
    env = make(variant)
    starts = {env.reset(seed=seed)[0].tobytes() for seed in range(20)}
    assert len(starts) == 20


@every_game
def test_a_seed_for_each_game_or_none(variant: Variant) -> None:
    env = make_vec(variant, 3)
    env.reset(seed=[5, 9, 5])
    assert env.states["rng"][0] == env.states["rng"][2] != env.states["rng"][1]
    before = env.states
    env.reset(seed=[5, None, None])  # None continues the generator
    assert env.states[0] == before[0]
    other = make_vec(variant, 3)
    other.reset(seed=[5, 9, 5])
    other.reset()
    assert np.array_equal(env.states[1:], other.states[1:])
    with pytest.raises(ValueError, match="2 seeds were given for 3"):
        env.reset(seed=[1, 2])
    unseeded = make_vec(variant, 3)
    unseeded.reset()
    assert len(set(unseeded.states["rng"])) == 3


@every_game
def test_a_game_has_its_own_action_space(variant: Variant) -> None:
    spaces_of_all = [
        make(variant).action_space,
        make(variant).action_space,
        make_vec(variant, 2).single_action_space,
        make_vec(variant, 2).single_action_space,
    ]
    for space in spaces_of_all:
        space.seed(1)
    first, *others = ([space.sample() for _ in range(20)] for space in spaces_of_all)
    assert all(data_equivalence(first, other) for other in others)


# --- Episodes


@every_case
def test_termination_and_truncation_at_the_same_step(variant: Variant) -> None:
    """With `max_steps` around the length of a game, the end is of the right kind."""
    free = make(variant)
    actions = scripted_actions(free)
    free.reset(seed=4)
    length = 1 + next(k for k, action in enumerate(actions) if free.step(action)[2])
    for max_steps, expected in (
        (length - 1, (False, True)),
        (length, (True, False)),  # terminated at the last step, so not truncated
        (length + 1, (True, False)),
    ):
        env = make(variant, max_steps=max_steps)
        env.reset(seed=4)
        for action in actions[: min(length, max_steps) - 1]:
            assert env.step(action)[2:4] == (False, False)
        assert env.step(actions[min(length, max_steps) - 1])[2:4] == expected


@every_case
def test_episodes_of_one_step(variant: Variant) -> None:
    env = make_vec(variant, 2, max_steps=1)
    env.reset(seed=0)
    for _ in range(5):
        *_, terminated, truncated, infos = env.step(env.action_space.sample())
        assert (terminated | truncated).all()
        assert infos["_final_obs"].all()
        assert (env.states["t"] == 0).all()


@every_game
def test_finished_games_restart_and_the_others_continue(variant: Variant) -> None:
    env = make_vec(variant, 8, max_steps=25)
    env.reset(seed=1)
    steps = np.zeros(8, int)
    for _ in range(300):
        *_, terminated, truncated, infos = env.step(env.action_space.sample())
        done = terminated | truncated
        assert not (terminated & truncated).any()
        steps = np.where(done, 0, steps + 1)
        assert np.array_equal(env.states["t"], steps)
        assert done.any() == ("final_obs" in infos)
        if done.any():
            assert np.array_equal(infos["_final_obs"], done)
            assert np.array_equal(infos["_final_info"], done)
            assert np.array_equal(infos["final_info"]["_score"], done)


@every_case
def test_observations_are_inside_their_space(variant: Variant) -> None:
    env = make_vec(variant, 16, max_steps=50, frames=3)
    env.action_space.seed(3)
    observations, infos = env.reset(seed=0)
    for _ in range(100 if variant.options["observation"] == "screen" else 1000):
        assert observations in env.observation_space
        if "final_obs" in infos:
            assert all(end in env.single_observation_space for end in infos["final_obs"])
        observations, *_, infos = env.step(env.action_space.sample())


@every_game
def test_reset_mask(variant: Variant) -> None:
    env, twin = make_vec(variant, 4), make_vec(variant, 4)
    env.action_space.seed(0)
    for batch in (env, twin):
        batch.reset(seed=0)
    actions = env.action_space.sample()
    before = env.step(actions)[0]
    twin.step(actions)
    mask = np.array([True, False, False, True])
    observations, _ = env.reset(options={"reset_mask": mask})
    assert np.array_equal(observations[~mask], before[~mask])
    assert np.array_equal(env.states["t"], np.where(mask, 0, 1))
    expected = twin.reset()[0]
    assert np.array_equal(observations[mask], expected[mask])
    seeded = env.reset(seed=77, options={"reset_mask": mask})[0]
    assert np.array_equal(seeded[3], make(variant).reset(seed=80)[0])
    for wrong in (np.ones(3, bool), np.ones(4, int), [True]):
        with pytest.raises(ValueError, match=r"reset_mask must be a bool array of shape \(4,\)"):
            env.reset(options={"reset_mask": wrong})


# --- States and checkpoints


@every_case
def test_games_start_from_any_state(variant: Variant) -> None:
    """A state from the middle of a game continues in the same way in another environment."""
    first = make(variant, frames=1)
    second = make(variant, frames=1)
    first.reset(seed=0)
    actions = scripted_actions(first)
    for action in actions[:10]:
        seen = first.step(action)[0]
    record = first.state
    fields = {name: record[name] for name in record.dtype.names}
    begun, _ = second.reset(seed=99, options={"state": fields})
    assert np.array_equal(begun, seen)
    assert second.state == first.state
    for action in actions[10:30]:
        (seen, *results, _), (other, *others, _) = first.step(action), second.step(action)
        assert np.array_equal(seen, other)
        assert results == others


@every_case
def test_the_state_is_a_copy_with_named_fields(variant: Variant) -> None:
    env, vector = make(variant), make_vec(variant, 3)
    env.reset(seed=0)
    vector.reset(seed=0)
    assert env.state.t == 0
    assert vector.states.t.shape == (3,)
    for name in env.state.dtype.names:
        assert getattr(env.state, name) == vector.states[name][0]
    env.state.t = 50
    vector.states.t[:] = 50
    assert env.state.t == 0
    assert not vector.states.t.any()


@every_game
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, [0.5, 0.5, 0.5], 1j])
def test_impossible_values_are_refused(variant: Variant, value: Any) -> None:
    env = make(variant)
    env.reset(seed=0)
    field = env.state.dtype.names[0]
    before = env.state
    with pytest.raises(ValueError, match=f"state field `{field}` must be a finite number"):
        env.reset(seed=5, options={"state": {field: value}})
    assert env.state == before  # unchanged, with the generator


@every_game
def test_wrong_reset_options_are_refused(variant: Variant) -> None:
    env, vector = make(variant), make_vec(variant, 2, max_steps=10)
    field = env.state.dtype.names[0]
    cases: list[tuple[Any, str]] = [
        ({"state": {field + "z": 1}}, f"no field `{field}z`; did you mean `{field}`"),
        ({"state": {"qqq": 1}}, "no field `qqq`; choose from .*rng"),
        ({"state": {"t": 1.5}}, "`t` cannot hold 1.5"),
        ({"state": {"t": -1}}, "`t` must be in 0.."),
        ({"state": {"rng": -1}}, "`rng` cannot hold -1"),
        ({"state": [1, 2]}, "must be a dict of fields"),
        ({"stat": {}}, "reset has no option `stat`; did you mean `state`"),
    ]
    for options, message in cases:
        for each in (env, vector):
            with pytest.raises(ValueError, match=message):
                each.reset(options=options)
    with pytest.raises(ValueError, match=r"`t` must be in 0..9"):
        vector.reset(options={"state": {"t": 10}})
    vector.reset(options={"state": {"t": np.array([3, 9])}})
    assert vector.states.t.tolist() == [3, 9]
    assert vector.step(vector.action_space.sample())[3].tolist() == [False, True]


@every_case
def test_a_restored_checkpoint_continues_bit_for_bit(variant: Variant) -> None:
    options = {"max_steps": 30, "screen_size": 24}
    env, other = make_vec(variant, 4, **options), make_vec(variant, 4, **options)
    env.action_space.seed(0)
    env.reset(seed=0)
    actions = [env.action_space.sample() for _ in range(120)]
    for action in actions[:50]:
        env.step(action)
    saved = {name: array.copy() for name, array in env.batch.checkpoint().items()}
    expected = [env.step(action) for action in actions[50:]]
    env.batch.restore(saved)
    other.batch.restore(saved)
    for again in (env, other):
        for action, (seen, *results, infos) in zip(actions[50:], expected, strict=True):
            if again is other:
                other_seen, *others, other_infos = other.step(action)
            else:
                other_seen, *others, other_infos = env.step(action)
            assert np.array_equal(seen, other_seen)
            assert data_equivalence(results, others, exact=True)
            assert data_equivalence(infos["score"], other_infos["score"], exact=True)
    assert np.array_equal(env.reset()[0], other.reset()[0])  # the generators continue too
    with pytest.raises(ValueError, match="belongs to other environments"):
        make_vec(variant, 5, **options).batch.restore(saved)


@every_case
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_is_independent(variant: Variant, duplicate: Callable[[Any], Any]) -> None:
    """For single and vector environments, with and without `copy`."""
    for env in (make(variant), make_vec(variant, 3), make_vec(variant, 3, copy=False)):
        env.action_space.seed(0)
        env.reset(seed=0)
        env.step(env.action_space.sample())
        twin = duplicate(env)
        assert twin.spec == env.spec
        before = copy.deepcopy(twin.batch.checkpoint())
        actions = [env.action_space.sample() for _ in range(15)]
        expected = [copy.deepcopy(env.step(action)) for action in actions]
        assert data_equivalence(twin.batch.checkpoint(), before, exact=True)
        assert data_equivalence(
            expected, [copy.deepcopy(twin.step(a)) for a in actions], exact=True
        )
        assert np.array_equal(twin.action_space.sample(), actions[0])
        assert np.array_equal(twin.reset()[0], env.reset()[0])


# --- Options and actions


@every_game
@pytest.mark.filterwarnings("ignore:.*render mode")  # Gymnasium warns before we refuse
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"observation": "pixels"}, 'observation must be "state" or "screen", got \'pixels\''),
        ({"screen_size": 23}, "screen_size must be a whole number of at least 24, got 23"),
        ({"screen_size": 84.5}, "screen_size must be a whole number"),
        ({"screen_size": "84"}, "screen_size must be a whole number"),
        ({"frames": 0}, "frames must be a whole number of at least 1, got 0"),
        ({"frames": 2.0}, "frames must be a whole number"),
        ({"frames": True}, "frames must be a whole number"),
        ({"max_steps": 0}, "max_steps"),
        ({"max_steps": 10.5}, "`max_steps` of .* must be a whole number"),
        ({"max_steps": float("nan")}, "`max_steps` of .* must be a finite number"),
        ({"max_steps": "100"}, "`max_steps` of .* must be a finite number"),
        ({"max_steps": None}, "`max_steps` of .* must be a finite number"),
        ({"max_step": 10}, "has no option `max_step`; did you mean `max_steps`"),
        ({"render_mode": "ascii"}, "render_mode must be"),
    ],
)
def test_impossible_options_are_refused(variant: Variant, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(variant, **options)
    with pytest.raises(ValueError, match=message):
        make_vec(variant, 1, **options)


@pytest.mark.parametrize("name", ["task", "action"])
def test_a_variant_is_chosen_by_text(name: str) -> None:
    game, others = load_game(
        "envs.bicycle.game:bicycle", {name: TASK_VARIANTS[0].options[name], "gusts": 1}
    )
    assert game.name
    assert others == {"gusts": 1}
    with pytest.raises(ValueError, match=f"option `{name}` must be text, got 3"):
        load_game("envs.bicycle.game:bicycle", {name: 3})


@every_game
def test_impossible_numbers_of_games_are_refused(variant: Variant) -> None:
    for count in (0, -1, 2.5):
        with pytest.raises(ValueError, match="num_envs must be a whole number of at least 1"):
            make_vec(variant, count)  # type: ignore[arg-type]


@every_case
def test_actions_outside_of_the_space_are_refused(variant: Variant) -> None:
    env, vector = make(variant), make_vec(variant, 3)
    env.reset(seed=0)
    vector.reset(seed=0)
    before = env.state, vector.states
    for wrong in wrong_actions(env.action_space):
        with pytest.raises(ValueError, match="action"):
            env.step(wrong)
    good = vector.action_space.sample()
    for actions in (good[:2], np.concatenate([good, good])):
        with pytest.raises(ValueError, match="actions must have shape"):
            vector.step(actions)
    if isinstance(vector.single_action_space, spaces.Discrete):
        with pytest.raises(ValueError, match=r"actions must be int64, got float64"):
            vector.step(np.zeros(3))
    else:
        with pytest.raises(ValueError, match="actions must be float32, got complex128"):
            vector.step(good.astype(complex))
    assert env.state == before[0]
    assert np.array_equal(vector.states, before[1])


@every_case
def test_a_refused_action_changes_nothing(variant: Variant) -> None:
    env, twin = make_vec(variant, 3, frames=3), make_vec(variant, 3, frames=3)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(4)]
    for each in (env, twin):
        each.reset(seed=0)
        each.step(actions[0])
    wrong = actions[1].copy()
    wrong[1] = wrong_actions(env.single_action_space)[0]
    for _ in range(3):
        with pytest.raises(ValueError, match="an action is not in"):
            env.step(wrong)
    for action in actions[1:]:
        assert data_equivalence(env.step(action), twin.step(action), exact=True)


@every_game
def test_step_before_reset_is_refused(variant: Variant) -> None:
    env, vector = make(variant), make_vec(variant, 2)
    for each in (env, vector):
        with pytest.raises(gymnasium.error.ResetNeeded, match=r"call reset\(\)"):
            each.step(each.action_space.sample())


def wrong_actions(space: spaces.Space[Any]) -> list[Any]:
    """Mistakes that beginners make in the argument of `step`."""
    if isinstance(space, spaces.Discrete):
        return [space.start - 1, space.start + space.n, 0.5, "0", None, np.zeros(2, int)]
    assert isinstance(space, spaces.Box)
    return [np.full(space.shape, np.nan), np.zeros((7, *space.shape)), 0.5, None]


# --- Screens and rendering


@every_game
@pytest.mark.parametrize("frames", [1, 2, 4])
def test_screens_are_stacked_newest_last(variant: Variant, frames: int) -> None:
    env = make(variant, observation="screen", frames=frames, screen_size=40)
    newest = make(variant, observation="screen", frames=1, screen_size=40)
    actions = scripted_actions(env)
    seen, first = env.reset(seed=0)[0], newest.reset(seed=0)[0]
    assert seen.shape == (frames, 40, 40)
    assert first.any()
    history = [first[0]] * frames
    assert np.array_equal(seen, history)
    for action in actions[:12]:
        seen, *_ = env.step(action)
        history.append(newest.step(action)[0][0])
        assert np.array_equal(seen, history[-frames:])
    assert not np.array_equal(history[0], history[-1])
    again = env.reset(seed=0)[0]
    assert np.array_equal(again, [first[0]] * frames)  # no frames of the previous episode


@every_game
def test_observations_are_shared_with_copy_false(variant: Variant) -> None:
    kept, shared = make_vec(variant, 3, copy=True), make_vec(variant, 3, copy=False)
    for env in (kept, shared):
        env.action_space.seed(0)
    first, second = kept.reset(seed=0)[0], shared.reset(seed=0)[0]
    copied = first.copy()
    for _ in range(5):
        assert np.array_equal(first, second)
        kept_before, first = first, kept.step(kept.action_space.sample())[0]
        second = shared.step(shared.action_space.sample())[0]
        assert kept_before is not first
    assert np.array_equal(kept.reset(seed=0)[0], copied)


@every_case
def test_rgb_array_rendering(variant: Variant) -> None:
    env = make(variant, render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert picture.dtype == np.uint8
    assert picture.shape[2:] == (3,)
    assert min(picture.shape[:2]) >= 100
    for action in scripted_actions(env)[:10]:
        env.step(action)
    assert not np.array_equal(picture, env.render())
    vector = make_vec(variant, 2, render_mode="rgb_array")
    vector.reset(seed=0)
    first, second = vector.render()
    assert np.array_equal(first, picture)
    assert not np.array_equal(first, second)
    env.close()
    env.close()


@every_game
def test_human_rendering_draws_to_a_window(variant: Variant) -> None:
    env, twin = make(variant, render_mode="human"), make(variant, render_mode="rgb_array")
    actions = scripted_actions(env)
    for each in (env, twin):
        each.reset(seed=0)
    assert env.render() is None
    window = pygame.display.get_surface()
    assert window is not None
    for action in actions[:3]:
        assert np.array_equal(pixels_of(window), twin.render())
        for each in (env, twin):
            each.step(action)
    env.reset(seed=1)
    twin.reset(seed=1)
    assert np.array_equal(pixels_of(window), twin.render())
    env.close()
    env.close()


# --- Memory and imports


@every_game
def test_thousands_of_steps_do_not_leak_memory(variant: Variant) -> None:
    """A leak of 60 bytes in each call of `step` would be noticed."""
    env = make_vec(variant, 50, max_steps=50)
    env.reset(seed=0)
    actions = env.action_space.sample()

    def memory_after(steps: int) -> int:
        for _ in range(steps):
            env.step(actions)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        start = memory_after(200)
        end = memory_after(2000)
    finally:
        tracemalloc.stop()
    assert end - start < 100_000


def test_make_imports_the_package_of_an_id(tmp_path: Path) -> None:
    program = """import gymnasium, sys
gymnasium.make("envs:PaddleBall-v0").reset(seed=0)
gymnasium.make_vec("envs:BicycleBalance-v0", num_envs=2).reset(seed=0)
assert "torch" not in sys.modules and "pygame" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, cwd=tmp_path)


def test_importing_envs_registers_without_importing_the_engine(tmp_path: Path) -> None:
    program = """import sys, gymnasium, envs
assert not {"numba", "pygame", "torch"} & sys.modules.keys()
gymnasium.register_envs(envs)
assert gymnasium.spec("PaddleBall-v0").reward_threshold == 40.0
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, cwd=tmp_path)


def hide_what_cannot_be_changed(infos: dict[str, Any]) -> None:
    """Leave out the masks, which are shared and read-only."""
    for name, value in list(infos.items()):
        if isinstance(value, np.ndarray) and not value.flags.writeable:
            del infos[name]


def scripted_actions(env: Any) -> list[Any]:
    """Return 300 random actions, always the same."""
    space = copy.deepcopy(env.action_space)
    space.seed(123)
    return [space.sample() for _ in range(300)]
