"""Training from Python gives what the commands give, and leaves nothing behind in the process."""

from __future__ import annotations

import functools
import os
import random
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

import train as command
from rewards.expression import RewardError
from training import SavedRun, evaluate, load, train
from training.run_folder import read_json, read_tensors

QUICK: dict[str, Any] = {
    "num_envs": 16,
    "steps": 2048,
    "eval_every": 1024,
    "eval_episodes": 2,
    "video_frames": 0,
    "quiet": True,
}
LIMIT = 0.3


def helper(height: float) -> float:
    return height * LIMIT


def stay_high(before: Any, action: Any, after: Any) -> float:
    return 1 - helper(after.paddle_y)


def wrong(before: Any, action: Any, after: Any) -> float:
    return after.height


def weights(folder: Path) -> dict[str, Any]:
    """Return the agent's tensors in a checkpoint."""
    tensors, _ = read_tensors(folder / "checkpoint.safetensors")
    return {name: tensor.clone() for name, tensor in tensors.items() if name.startswith("agent.")}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def quick(folder: Path, *arguments: Any, **options: Any) -> SavedRun:
    return train(*arguments, run_dir=folder, **QUICK | options)


def test_train_does_what_the_command_does(tmp_path: Path) -> None:
    run = quick(tmp_path / "python", reward="hit_or_miss - 0.01*effort", seed=3, epochs=2)
    given = {k: v for k, v in QUICK.items() if k != "quiet"} | {"seed": 3, "epochs": 2}
    flags = [text for k, v in given.items() for text in (f"--{k.replace('_', '-')}", str(v))]
    reward = ["--reward", "hit_or_miss - 0.01*effort"]
    assert command.main([*flags, *reward, "--run-dir", str(tmp_path / "command")]) == 0
    (folder,) = (tmp_path / "command").iterdir()
    assert same(weights(run.folder), weights(folder))
    one, other = (read_json(each / "config.json") for each in (run.folder, folder))
    assert one.pop("command").startswith("train('PaddleBall-v0', ")
    assert other.pop("command").startswith("python train.py")
    assert one == other
    assert run.score == read_json(folder / "evaluation.json")["mean_score"]
    assert load(folder).score == run.score


def test_a_run_shows_its_curves_and_its_agent(tmp_path: Path) -> None:
    points: list[tuple[int, dict[str, float]]] = []
    run = quick(tmp_path, callback=lambda step, values: points.append((step, values)))
    curves = run.curves()
    for tag in ("eval/mean_score", "train/policy_loss"):
        told = {step: values[tag] for step, values in points if tag in values}
        assert list(told) == curves[tag].steps.tolist()
        np.testing.assert_allclose(curves[tag].values, list(told.values()), rtol=1e-6)
    env = gymnasium.make("envs:PaddleBall-v0")
    observation, _ = env.reset(seed=0)
    assert run.agent.act(observation[None], explore=False).shape == (1,)
    assert run.evaluate(3, seed=5).scores.tolist() == [
        evaluate(run.agent, episodes=1, seed=seed).mean_score for seed in (5, 6, 7)
    ]
    panels = run.plot().axes
    assert panels[0].lines[0].get_label() == "evaluation"
    np.testing.assert_array_equal(panels[0].lines[0].get_xdata(), curves["eval/mean_score"].steps)
    with pytest.raises(ValueError, match=r"no curve `score`; "):
        run.plot("score")
    gif = run.watch(1.0)
    gif.save(tmp_path / "film.gif")
    assert (tmp_path / "film.gif").read_bytes()[:6] == b"GIF89a"
    assert "data:image/gif;base64,R0lGOD" in gif._repr_html_()
    (run.folder / "evaluation.json").write_text('{"mean_score": "high", "steps": 2048}')
    with pytest.raises(ValueError, match=r"evaluation.json cannot be used: `mean_score`"):
        assert run.score


def test_a_function_is_kept_with_what_it_uses(tmp_path: Path) -> None:
    run = quick(tmp_path, reward=stay_high)
    assert "LIMIT = 0.3" in (run.folder / "reward/given_reward.py").read_text()
    with pytest.raises(ValueError, match=r"is code; .* load\(folder, trust_reward=True\)"):
        load(run.folder).resume()
    arguments = ["--resume", str(run.folder), "--trust-reward", "--steps", "4096"]
    assert command.main(arguments) == 0
    alone = quick(tmp_path, reward=stay_high, steps=4096)
    assert same(weights(run.folder), weights(alone.folder))


def test_a_function_that_cannot_be_used_is_refused_at_its_line(tmp_path: Path) -> None:
    generator = random.Random(0)

    def unkept(before: Any, action: Any, after: Any) -> float:
        return after.paddle_y + (0.0 if generator else 1.0)

    line = wrong.__code__.co_firstlineno + 1
    with pytest.raises(RewardError, match=rf"test_api.py:{line}: `after.height`: paddle has no"):
        quick(tmp_path, reward=wrong)
    with (
        pytest.warns(UserWarning, match="plain Python"),
        pytest.raises(RewardError, match="uses `generator`, a Random, which the run folder cannot"),
    ):
        quick(tmp_path, reward=unkept)
    with (
        pytest.warns(UserWarning, match="plain Python"),
        pytest.raises(RewardError, match="written with `def`, without decorators"),
    ):
        quick(tmp_path, reward=functools.partial(stay_high))
    with pytest.raises(RewardError, match="write it with `def`"):
        quick(tmp_path, reward=lambda before, action, after: after.paddle_y)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"learning_rat": 1.0}, "there is no option `learning_rat`; did you mean `learning_rate`"),
        ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
        ({"steps": "many"}, "`steps`: expected `int`, got 'many'"),
        ({"learning_rate": "fast"}, "`learning_rate`: expected `float`, got 'fast'"),
        ({"env_options": {"render_mode": "human"}}, "`render_mode` cannot be an environment op"),
        ({"env": "CartPole-v1", "reward": stay_high}, "CartPole-v1 has a reward of its own"),
        ({"agent": "pop"}, "there is no agent `pop`; did you mean `ppo`"),
        ({"freeze": True}, "freeze needs pretrained RUN"),
    ],
)
def test_a_wrong_option_is_named_as_in_python(
    tmp_path: Path, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        train(run_dir=tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


class Corridor(gymnasium.Env[Any, Any]):
    """Walk to the end of a corridor: every step right pays 1."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = spaces.Box(0, 5, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, length: int = 5) -> None:
        self.render_mode = "rgb_array"
        self.length = length
        self.place = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = 0
        return np.array([0.0], np.float32), {}

    def step(self, action: Any) -> Any:
        self.place += int(action)
        observation = np.array([self.place], np.float32)
        return observation, float(action), self.place == self.length, False, {}

    def render(self) -> Any:
        return np.full((24, 24, 3), 40 * self.place, np.uint8)


class Right:
    """Learns to go right: counts what each action pays."""

    def __init__(self, task: Any, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.paid = np.zeros(task.action_space.n)
        self.updates = 0

    def act(self, observations: Any, explore: bool) -> Any:
        count = len(observations)
        if explore:
            return self.generator.integers(2, size=count)
        return np.full(count, self.paid.argmax())

    def learn(self, step: Any) -> dict[str, float]:
        np.add.at(self.paid, step.actions, step.rewards)
        self.updates += 1
        return {"updates": self.updates}


@pytest.mark.parametrize("env", [Corridor, Corridor(), lambda: Corridor(length=5)])
def test_environments_and_agents_of_a_user(tmp_path: Path, env: Any) -> None:
    run = quick(tmp_path, env, Right, steps=160, eval_every=80, solved_score=float("inf"))
    assert run.score == 5.0
    assert isinstance(run.agent, Right)
    assert run.agent.paid[0] == 0 < run.agent.paid[1]
    assert len(run.watch().gif) > 100
    loaded = load(run.folder, env=env, agent=Right)
    assert loaded.agent.paid.tolist() == run.agent.paid.tolist()
    assert loaded.agent.updates == 10
    assert loaded.evaluate(2).lengths.tolist() == [5, 5]
    assert loaded.resume(320, quiet=True).curves()["train/updates"].values[-1] == 20
    with pytest.raises(ValueError, match=r"which a user wrote .* load\(folder, env=...\)"):
        load(run.folder)
    with pytest.raises(ValueError, match=r"which a user wrote .* load\(folder, agent=...\)"):
        _ = load(run.folder, env=env).agent


def test_an_environment_that_can_be_made_again_is_known_by_its_id(tmp_path: Path) -> None:
    env = gymnasium.make("envs:PaddleBall-v0", reward="effort", paddle_size=0.5)
    run = quick(tmp_path, env, "random", steps=64)
    assert run.config.env == "PaddleBall-v0"
    assert (run.config.reward, run.config.env_options) == ("effort", {"paddle_size": 0.5})
    with pytest.raises(TypeError, match="a method act"):
        quick(tmp_path, env, lambda task, seed: object())
    with pytest.raises(TypeError, match="an agent needs a method act"):
        evaluate(object())
    with pytest.raises(ValueError, match="episodes must be at least 1, got 0"):
        evaluate("random", episodes=0)
    with pytest.raises(TypeError, match="env must be a name, an environment, or a class or func"):
        quick(tmp_path, 3)


def test_a_callback_ends_a_training(tmp_path: Path) -> None:
    run = quick(tmp_path, callback=lambda step, values: step >= 1024)
    assert read_json(run.folder / "evaluation.json")["steps"] == 1024
    assert run.score is not None


def test_ctrl_c_saves_everything(tmp_path: Path, default_signals: None) -> None:
    def stop(step: int, values: dict[str, float]) -> None:
        if step == 1024 and "eval/mean_score" in values:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match=r"at step 1,024. Everything is saved.* load\("):
        quick(tmp_path, callback=stop)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    (folder,) = tmp_path.iterdir()
    assert load(folder).score is None
    resumed = load(folder).resume(quiet=True)
    assert same(weights(folder), weights(quick(tmp_path).folder))
    assert resumed.score is not None


def test_trainings_in_one_process_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Each of two threads gets, bit for bit, what it gets alone; the process stays as it was."""
    asked: list[dict[str, Any]] = [
        {"agent": "ppo", "seed": 1, "reward": stay_high},
        {"agent": "dqn", "seed": 2, "env": "CartPole-v1", "steps": 1024, "learning_starts": 256},
    ]
    alone = [weights(quick(tmp_path / f"alone{k}", **each).folder) for k, each in enumerate(asked)]
    torch.manual_seed(7)
    np.random.seed(7)
    before = torch.get_num_threads(), Path.cwd(), dict(os.environ), sys.path.copy()
    states = torch.random.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
    found: dict[int, Any] = {}

    def work(k: int) -> None:
        found[k] = weights(quick(tmp_path / f"both{k}", **asked[k]).folder)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(found[k], alone[k]) for k in range(len(asked)))
    assert before == (torch.get_num_threads(), Path.cwd(), dict(os.environ), sys.path)
    assert states[1] == np.random.get_state()[1].tolist()  # type: ignore[index]
    assert torch.equal(states[0], torch.random.get_rng_state())


def test_the_import_is_light() -> None:
    """`import training` is at the start of train.py."""
    text = "import sys, training; print(any(n in sys.modules for n in ('torch', 'rich', 'numba')))"
    output = subprocess.run([sys.executable, "-c", text], capture_output=True, check=True)
    assert output.stdout.split() == [b"False"]


def test_the_example_in_the_documentation_learns(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/python.md").read_text()
    (example,) = re.findall(r"```python\n(import numpy as np\n.*?)```", page, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 30
    names: dict[str, Any] = {}
    exec(example.partition("from training")[0], names)  # without the training at its end
    run = quick(tmp_path, "CartPole-v1", names["HillClimber"], steps=12_000, eval_every=4000)
    baseline = evaluate("random", "CartPole-v1", episodes=10).mean_score
    assert run.evaluate(10).mean_score > 2 * baseline
