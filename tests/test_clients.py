"""Libraries that use the environments: Gymnasium's tools, and others where they are installed.

`pip install -e ".[clients]"` installs the others, except Ray, which has RLlib. For CleanRL, set the
variable CLEANRL to a folder with its `ppo.py` and `dqn.py`.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector as vector_wrappers

import envs  # noqa: F401 - registers the games
from training.vector_runner import VectorRunner, make_environment, make_environments

ROOT = Path(__file__).parent.parent
GAMES = ("PaddleBall-v0", "BicycleBalance-v0")
every_game = pytest.mark.parametrize("env_id", GAMES)
SCREEN: dict[str, Any] = {"observation": "screen", "screen_size": 40}
every_observation = pytest.mark.parametrize(
    ("env_id", "options"), [(GAMES[0], {}), (GAMES[0], SCREEN), (GAMES[1], {})]
)


# --- Gymnasium's wrappers

WRAPPERS: dict[str, dict[str, Any]] = {
    "AddRenderObservation": {},
    "Autoreset": {},
    "ClipReward": {"min_reward": -1, "max_reward": 1},
    "DelayObservation": {"delay": 2},
    "DiscretizeObservation": {"bins": 8},
    "DtypeObservation": {"dtype": np.float64},
    "FlattenObservation": {},
    "FrameStackObservation": {"stack_size": 4},
    "HumanRendering": {},
    "MaxAndSkipObservation": {"skip": 4},
    "NormalizeObservation": {},
    "NormalizeReward": {},
    "OrderEnforcing": {},
    "PassiveEnvChecker": {},
    "RecordEpisodeStatistics": {},
    "RenderCollection": {},
    "RepeatAction": {"num_repeats": 2},
    "RescaleObservation": {"min_obs": np.float32(0), "max_obs": np.float32(1)},
    "StickyAction": {"repeat_action_probability": 0.2},
    "TimeAwareObservation": {},
    "TimeLimit": {"max_episode_steps": 20},
    "TransformAction": {"func": lambda action: action, "action_space": None},
    "TransformObservation": {"func": lambda seen: seen, "observation_space": None},
    "TransformReward": {"func": lambda reward: 2 * reward},
}
CONTINUOUS: dict[str, dict[str, Any]] = {
    "ClipAction": {},
    "DiscretizeAction": {"bins": 3},
    "RescaleAction": {"min_action": -1, "max_action": 1},
}
IN_COLOUR: dict[str, dict[str, Any]] = {
    "AddWhiteNoise": {"probability_of_noise_per_pixel": 0.1},
    "GrayscaleObservation": {},
    "ObstructView": {"obstructed_pixels_ratio": 0.2, "obstruction_width": 3},
    "ReshapeObservation": {"shape": (480, 1440)},
    "ResizeObservation": {"shape": (48, 48)},
}
"""Wrappers for observations that are pictures in colour."""
PICTURES = {"AddRenderObservation", "HumanRendering", "RenderCollection"}
ELSEWHERE = {"AtariPreprocessing", "FilterObservation", "RecordVideo"}
"""Wrappers for Atari, for dictionaries, and one that needs MoviePy."""
VECTOR_WRAPPERS = (
    "ClipReward",
    "DictInfoToList",
    "DtypeObservation",
    "FlattenObservation",
    "NormalizeObservation",
    "NormalizeReward",
    "RecordEpisodeStatistics",
    "RescaleObservation",
    "TransformAction",
    "TransformObservation",
    "TransformReward",
)


def wrapped(module: Any, name: str, env: Any) -> Any:
    """Wrap an environment, unless this version of Gymnasium lacks the wrapper or its packages."""
    try:
        return getattr(module, name)(env, **(WRAPPERS | CONTINUOUS | IN_COLOUR).get(name, {}))
    except (AttributeError, ImportError, gymnasium.error.DependencyNotInstalled) as error:
        pytest.skip(str(error))


def run(env: Any, steps: int) -> None:
    env.reset(seed=0)
    for _ in range(steps):
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        if np.all(terminated | truncated):
            env.reset()
    env.close()


def test_no_wrapper_of_gymnasium_is_forgotten() -> None:
    single = {*WRAPPERS, *CONTINUOUS, *IN_COLOUR}
    assert {name for name in vars(wrappers) if name[0].isupper()} <= single | ELSEWHERE
    vector = {name for name in vars(vector_wrappers) if name[0].isupper()}
    general = {name for name in vector if name.startswith("Vectorize")} | {"TYPE_CHECKING"}
    with_opencv = {"HumanRendering"}
    assert vector <= {*VECTOR_WRAPPERS, *single} | with_opencv | ELSEWHERE | general


@every_observation
@pytest.mark.parametrize("name", WRAPPERS)
def test_gymnasiums_wrappers(env_id: str, options: dict[str, Any], name: str) -> None:
    if name == "DiscretizeObservation" and options:
        pytest.skip("it counts cells, which are too many for a screen")
    rendering = "rgb_array" if name in PICTURES else None
    env = gymnasium.make(env_id, render_mode=rendering, **options)
    run(wrapped(wrappers, name, env), 3 if rendering else 60)


@every_game
@pytest.mark.parametrize("name", IN_COLOUR)
def test_gymnasiums_wrappers_of_pictures(env_id: str, name: str) -> None:
    env = gymnasium.make(env_id, render_mode="rgb_array")
    run(wrapped(wrappers, name, wrappers.AddRenderObservation(env)), 3)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_gymnasiums_wrappers_of_continuous_actions(name: str) -> None:
    run(wrapped(wrappers, name, gymnasium.make("BicycleBalance-v0")), 60)
    games = gymnasium.make_vec("BicycleBalance-v0", num_envs=2)
    if name == "DiscretizeAction":
        return  # only for one environment
    run(wrapped(vector_wrappers, name, games), 60)


@every_observation
@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("name", VECTOR_WRAPPERS)
def test_gymnasiums_vector_wrappers(
    env_id: str, options: dict[str, Any], mode: AutoresetMode, name: str
) -> None:
    """Wrappers that change observations refuse SAME_STEP, as Gymnasium documents."""
    games = gymnasium.make_vec(env_id, num_envs=3, max_steps=20, autoreset_mode=mode, **options)
    if mode == AutoresetMode.SAME_STEP and "Observation" in name:
        with pytest.raises(ValueError, match="Expected autoreset_mode to be NEXT_STEP"):
            wrapped(vector_wrappers, name, games)
        return
    run(wrapped(vector_wrappers, name, games), 60)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_gymnasium_counts_the_same_episodes(mode: AutoresetMode) -> None:
    if mode == AutoresetMode.SAME_STEP and gymnasium.__version__ < "1.4":
        pytest.skip("earlier versions count the first step of an episode to the one before")
    games = gymnasium.make_vec("PaddleBall-v0", num_envs=5, autoreset_mode=mode)
    env = vector_wrappers.RecordEpisodeStatistics(games)
    env.action_space.seed(1)
    env.reset(seed=1)
    lengths, returns, count = np.zeros(5, int), np.zeros(5), 0
    ended = np.zeros(5, bool)
    for _ in range(500):
        _, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
        acted = ~ended if mode == AutoresetMode.NEXT_STEP else np.ones(5, bool)
        lengths, returns = lengths + acted, returns + rewards * acted
        ended = terminated | truncated
        if ended.any():
            assert np.array_equal(infos["episode"]["l"][ended], lengths[ended])
            assert np.allclose(infos["episode"]["r"][ended], returns[ended])
            count += ended.sum()
            lengths[ended], returns[ended] = 0, 0.0
    assert count > 10


# --- The rest of Gymnasium's interface


@every_game
def test_pictures_in_a_list(env_id: str) -> None:
    env = gymnasium.make(env_id, render_mode="rgb_array_list")
    env.reset(seed=0)
    env.step(env.action_space.sample())
    pictures: Any = env.render()
    assert [picture.shape for picture in pictures] == [(480, 480, 3)] * 2


@every_game
def test_the_limit_of_an_episode_is_in_the_specification(env_id: str) -> None:
    env: Any = gymnasium.make(env_id, max_steps=7)
    games: Any = gymnasium.make_vec(env_id, max_steps=7)
    assert env.spec.max_episode_steps == games.spec.max_episode_steps == 7
    again: Any = gymnasium.make_vec(games.spec)
    by_gymnasiums_name: Any = gymnasium.make_vec(env_id, max_episode_steps=7)
    for each in (again, by_gymnasiums_name):
        assert each.unwrapped.batch.options.max_steps == 7


@pytest.mark.parametrize("name", ["frame", "frameskip"])
def test_unknown_options_are_unexpected_keyword_arguments(name: str) -> None:
    """Several libraries try options and leave out what raises this error."""
    option: dict[str, Any] = {name: 1}
    for env_id in (*GAMES, "ClassifyBall-v0"):
        for make in (gymnasium.make, gymnasium.make_vec):
            with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
                make(env_id, **option)
    for make_for_agents in (make_environment, lambda *args: make_environments(args[0], 2, args[1])):
        with pytest.raises(ValueError, match=rf"^paddle has no option `{name}`; [^(]*$"):
            make_for_agents("PaddleBall-v0", {name: 1})


@every_game
def test_the_keyboard_plays(env_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gymnasium's own window, in which the player holds the key up and then closes the window."""
    import pygame
    from gymnasium.utils.play import play  # imports Matplotlib

    def event(kind: int, **values: Any) -> Any:
        return pygame.event.Event(kind, **values)

    events = [[], [event(pygame.KEYDOWN, key=pygame.K_UP)], [], [event(pygame.QUIT)]]
    actions: list[Any] = []
    monkeypatch.setattr(pygame.event, "get", lambda: events.pop(0))
    env = gymnasium.make(env_id, render_mode="rgb_array")
    idle = env.action_space.sample()
    play(env, callback=lambda *step: actions.append(step[2]), noop=idle, seed=0)
    up = 0 if env_id == "PaddleBall-v0" else [0.0, 1.0, 0.0]
    assert np.array_equal(actions, [idle, up, up])


@every_game
def test_an_environment_continues_in_another_process(env_id: str, tmp_path: Path) -> None:
    """The other process imports nothing before it loads the pickle."""
    games = gymnasium.make_vec(env_id, num_envs=3, reward=rewarded(env_id), max_steps=30)
    games.action_space.seed(0)
    games.reset(seed=0)
    actions = [games.action_space.sample() for _ in range(50)]
    for action in actions[:10]:
        games.step(action)
    (tmp_path / "games").write_bytes(pickle.dumps((games, actions[10:])))
    program = """import pickle
games, actions = pickle.load(open("games", "rb"))
pickle.dump([games.step(action)[:4] for action in actions], open("steps", "wb"))
"""
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    theirs = pickle.loads((tmp_path / "steps").read_bytes())
    for action, step in zip(actions[10:], theirs, strict=True):
        for ours, other in zip(games.step(action)[:4], step, strict=True):
            assert np.array_equal(ours, other)


def rewarded(env_id: str) -> str:
    return "hit_or_miss - 0.5*effort" if env_id == "PaddleBall-v0" else "stay_upright"


# --- Gymnasium's environments without vectors, in train.py


@pytest.mark.parametrize(
    ("env_id", "size"),
    [("FrozenLake-v1", 16), ("Blackjack-v1", 32 + 11 + 2), ("CliffWalking-v1", 48)],
)
def test_discrete_observations_become_one_hot_vectors(env_id: str, size: int) -> None:
    environments = make_environments(env_id, 2, {})
    runner = VectorRunner(environments, 0)
    single = make_environment(env_id, {})
    first, _ = single.reset(seed=0)
    assert first.shape == runner.observations[0].shape == (size,)
    assert np.array_equal(first, runner.observations[0])
    for _ in range(30):
        step, _ = runner.step(environments.action_space.sample())
        parts = 3 if env_id == "Blackjack-v1" else 1
        assert (step.observations.sum(1) == parts).all()
        assert (step.next_observations.sum(1) == parts).all()
        assert np.isin(step.observations, (0, 1)).all()


# --- Other libraries


@every_game
def test_stable_baselines3(env_id: str) -> None:
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_checker import check_env

    check_env(gymnasium.make(env_id))
    check_env(gymnasium.make(env_id, observation="screen", screen_size=40))


@every_game
def test_many_games_for_stable_baselines3(env_id: str) -> None:
    """The adapter steps like Stable-Baselines3's own `DummyVecEnv`."""
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

    from envs.stable_baselines3 import StableBaselines3VecEnv

    games = gymnasium.make_vec(env_id, num_envs=3, max_steps=15)
    ours = VecMonitor(StableBaselines3VecEnv(games), info_keywords=("score",))
    theirs = VecMonitor(
        DummyVecEnv([lambda: gymnasium.make(env_id, max_steps=15)] * 3), info_keywords=("score",)
    )
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    for env in (ours, theirs):
        env.seed(4)
    assert np.array_equal(ours.reset(), theirs.reset())
    ours.action_space.seed(0)
    ends = []
    for _ in range(60):
        actions = np.stack([ours.action_space.sample() for _ in range(3)])
        *step, infos = ours.step(actions)
        *other, their_infos = theirs.step(actions)
        for left, right in zip(step, other, strict=True):
            assert left.dtype == right.dtype
            assert np.array_equal(left, right)
        for i in np.flatnonzero(step[2]):
            info, their_info = infos[i], their_infos[i]
            assert np.array_equal(info["terminal_observation"], their_info["terminal_observation"])
            assert info["TimeLimit.truncated"] == their_info["TimeLimit.truncated"]
            for name in ("r", "l", "score"):
                assert info["episode"][name] == their_info["episode"][name]
            ends.append(info["TimeLimit.truncated"])
    assert len(ends) > 5
    assert True in ends
    ours.close()


def test_what_games_of_a_batch_do_not_have_for_stable_baselines3() -> None:
    pytest.importorskip("stable_baselines3")
    from envs.stable_baselines3 import StableBaselines3VecEnv

    env = StableBaselines3VecEnv(gymnasium.make_vec("PaddleBall-v0", num_envs=2))
    env.set_options([{"state": {"ball_x": 0.25}}] * 2)
    assert env.reset().shape == (2, 5)
    assert env.get_attr("states")[1].ball_x.tolist() == [0.25, 0.25]
    assert env.env_is_wrapped(gymnasium.Wrapper, [0]) == [False]
    env.set_options([{}, {"state": {}}])
    with pytest.raises(NotImplementedError, match="the same options"):
        env.reset()
    with pytest.raises(NotImplementedError, match="no attributes"):
        env.set_attr("score", 1)
    with pytest.raises(NotImplementedError, match="no methods"):
        env.env_method("close")


def test_the_example_for_stable_baselines3(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines of the module's docstring, with fewer steps."""
    pytest.importorskip("stable_baselines3")
    import envs.stable_baselines3 as module

    lines = [line[4:] for line in (module.__doc__ or "").splitlines() if line.startswith("    ")]
    assert len(lines) == 6
    exec("\n".join(lines).replace("100_000", "512").replace("128", "8"), {})


@pytest.mark.parametrize("options", [{}, {"observation": "screen", "screen_size": 40}])
@every_game
def test_torchrl(env_id: str, options: dict[str, Any]) -> None:
    pytest.importorskip("torchrl")
    from torchrl.envs import GymEnv, GymWrapper, check_env_specs

    env = GymEnv(env_id, **options)
    check_env_specs(env)
    assert env.rollout(40, break_when_any_done=False).shape == (40,)
    many = GymWrapper(gymnasium.make_vec(env_id, num_envs=3, max_steps=15, **options))
    check_env_specs(many)
    assert many.rollout(40, break_when_any_done=False).shape == (3, 40)


@pytest.mark.parametrize("count", [None, 3])
@every_game
def test_skrl(env_id: str, count: int | None) -> None:
    skrl = pytest.importorskip("skrl.envs.wrappers.torch")
    import torch

    env = skrl.wrap_env(
        gymnasium.make(env_id) if count is None else gymnasium.make_vec(env_id, num_envs=count)
    )
    env.reset()
    for _ in range(40):
        actions = torch.as_tensor(np.stack([env.action_space.sample() for _ in range(count or 1)]))
        observations, rewards, *_ = env.step(actions.reshape(count or 1, -1))
    assert len(observations) == len(rewards) == (count or 1)


def test_tianshou() -> None:
    pytest.importorskip("tianshou")
    from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
    from tianshou.data import Collector, VectorReplayBuffer
    from tianshou.env import DummyVectorEnv
    from tianshou.utils.net.common import Net

    games = DummyVectorEnv([lambda: gymnasium.make("PaddleBall-v0", max_steps=15)] * 2)
    policy = DiscreteQLearningPolicy(
        model=Net(state_shape=(5,), action_shape=3, hidden_sizes=[8]),
        action_space=gymnasium.spaces.Discrete(3),
    )
    collector = Collector(policy, games, VectorReplayBuffer(200, 2))
    collector.reset()
    found = collector.collect(n_step=60)
    assert found.n_collected_steps == 60
    assert found.n_collected_episodes >= 4


@pytest.mark.parametrize("options", [{}, {"observation": "screen", "screen_size": 24}])
@every_game
def test_minari(
    env_id: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minari = pytest.importorskip("minari")
    pytest.importorskip("jax")
    pytest.importorskip("h5py")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    env = minari.DataCollector(gymnasium.make(env_id, max_steps=15, **options), record_infos=True)
    for seed in range(2):
        env.reset(seed=seed)
        done = False
        while not done:
            *_, terminated, truncated, _ = env.step(env.action_space.sample())
            done = terminated or truncated
    dataset = env.create_dataset(
        dataset_id="test/games-v0",
        algorithm_name="random",
        author="a",
        author_email="a@example.org",
        code_permalink="https://example.org",
        description="Two episodes.",
    )
    assert dataset.total_episodes == 2
    assert {"score"} < set(dataset[0].infos)
    assert dataset.recover_environment().spec.max_episode_steps == 15


@pytest.mark.parametrize("script", ["ppo.py", "dqn.py"])
def test_cleanrl(script: str, tmp_path: Path) -> None:
    """The unmodified scripts; they need `pip install stable-baselines3`."""
    folder = Path(os.environ.get("CLEANRL", "nowhere"))
    if not (folder / script).is_file():
        pytest.skip("the variable CLEANRL names no folder with this script")
    steps = {"ppo.py": ("--total-timesteps", "1024"), "dqn.py": ("--total-timesteps", "300")}
    starts = ("--learning-starts", "100") if script == "dqn.py" else ()
    command = [folder / script, "--env-id", "envs:PaddleBall-v0", *steps[script], *starts]
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, folder, folder.parent)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "SPS:" in result.stdout  # they print episodes for Gymnasium below 1.0 only


@every_game
def test_rllib(env_id: str) -> None:
    pytest.importorskip("ray.rllib")
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

    config = PPOConfig().environment(f"envs:{env_id}").env_runners(num_envs_per_env_runner=2)
    runner = SingleAgentEnvRunner(config=config)
    episodes = runner.sample(num_timesteps=60, random_actions=True)
    assert sum(len(episode) for episode in episodes) >= 60
    runner.stop()
