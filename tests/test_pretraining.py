"""Pretrained backbones, frozen or not; the kinds of balls; the experiments with them."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch import nn

import play
import train
from agents import make_agent, settings_type
from agents.agent import Task
from agents.checkpointing import under
from stages.datasets.dataset import examples_of
from stages.datasets.measure import Measure
from stages.datasets.reconstruct import Reconstruct
from stages.datasets.shape_kinds import ANIMALS, BALLS, KINDS, SIDE, lit
from stages.datasets.shape_measurements import measurements, rules
from stages.datasets.shapes import Shapes
from stages.lab.trials import Point, Pretrained, Trial, pretrain
from tests.test_training import assert_same_checkpoint, only_run, run_train
from training.config import RunConfig
from training.pretrained import SHIPPED, shipped_names
from training.run_folder import load_checkpoint
from training.train_options import parse
from training.trained_agent import load_config, load_model
from training.vector_runner import VectorRunner, make_environments

SMALL = ("--width", 16, "--eval-episodes", 5)
FEW = ("--num-envs", 32, "--env-options", "examples=200")
SCREENS = ("--env", "paddle", "--observation", "screen", "--num-envs", 16, "--eval-every", 10_000)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a short run of a classifier of two screens."""
    place = tmp_path_factory.mktemp("runs")
    return run_train("--env", "classify", "--run-dir", place, "--steps", 3200, *SMALL, *FEW)


def network(folder: Path, prefix: str = "") -> dict[str, Any]:
    """Return the weights in the checkpoint of a run."""
    return under(f"agent.network.{prefix}", load_checkpoint(folder)[0])


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def new_agent(name: str, env_id: str, options: dict[str, Any], width: int = 16) -> Any:
    env = make_environments(env_id, 8, options)
    task = Task(env_id, env.single_observation_space, env.single_action_space, 8, 1000)
    return make_agent(name, task, settings_type(name)(width=width), 7)


# --- Starting with the backbone of another run


def test_a_policy_starts_with_a_classifiers_frozen_backbone(
    classifier: Path, tmp_path: Path
) -> None:
    given = ("--pretrained", classifier, "--steps", 2048, *SMALL, *SCREENS)
    frozen = run_train("--run-dir", tmp_path / "frozen", "--freeze", *given)
    free = run_train("--run-dir", tmp_path / "free", *given)
    backbone = network(classifier, "backbone.")
    assert same(network(frozen, "backbone."), backbone)  # bit for bit
    assert not same(network(free, "backbone."), backbone)
    content = json.loads((frozen / "config.json").read_text())
    assert (content["pretrained"], content["freeze"]) == (str(classifier), True)
    assert RunConfig.from_json(content).pretrained == str(classifier)
    untrained = new_agent("ppo", "PaddleBall-v0", {"observation": "screen", "screen_size": 24})
    assert not torch.equal(network(frozen)["heads.weight"], untrained.network.heads.weight)


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_heads_stay_as_initialised(name: str, classifier: Path) -> None:
    agent = new_agent(name, "PaddleBall-v0", {"observation": "screen", "screen_size": 24})
    before = {k: v.clone() for k, v in agent.network.state_dict().items()}
    agent.load_backbone(under("agent.", load_checkpoint(classifier)[0]))
    after, given = agent.network.state_dict(), network(classifier)
    for key, value in after.items():
        assert torch.equal(value, given[key] if key.startswith("backbone.") else before[key])
    if name == "dqn":
        assert same(agent.target.state_dict(), after)


def test_with_a_frozen_backbone_only_the_head_is_trained() -> None:
    """The head is compared with a linear layer on the features, trained here."""
    agent = new_agent("supervised", "NameShape-v0", {"examples": 40})
    agent.freeze_backbone()
    head, backbone = nn.Linear(16, 20), agent.network.backbone
    head.load_state_dict(agent.network.head.state_dict())
    adam = torch.optim.Adam(head.parameters(), agent.settings.learning_rate, eps=1e-5)
    runner = VectorRunner(make_environments("NameShape-v0", 8, {"examples": 40}), 3)
    for _ in range(5):
        step, _ = runner.step(agent.act(runner.observations))
        agent.learn(step)
        with torch.no_grad():
            features = backbone(torch.from_numpy(step.observations))
        loss = nn.functional.cross_entropy(head(features), torch.from_numpy(step.labels))
        adam.zero_grad()
        loss.backward()
        adam.step()
    torch.testing.assert_close(agent.network.head.weight, head.weight)
    torch.testing.assert_close(agent.network.head.bias, head.bias)


def test_n_steps_and_n_resumed_equal_2n_even_if_the_pretrained_run_is_gone(
    classifier: Path, tmp_path: Path
) -> None:
    pretrained = shutil.copytree(classifier, tmp_path / "pretrained")
    given = ("--pretrained", pretrained, "--freeze", *SMALL, *SCREENS, "--num-steps", 20)
    through = run_train("--run-dir", tmp_path / "a", "--steps", 1600, *given)
    half = run_train("--run-dir", tmp_path / "b", "--steps", 800, *given)
    shutil.rmtree(pretrained)
    run_train("--resume", half, "--steps", 1600)
    assert_same_checkpoint(through, half)
    assert same(network(half, "backbone."), network(classifier, "backbone."))


def test_runs_of_earlier_versions_can_still_be_read(classifier: Path) -> None:
    content = json.loads((classifier / "config.json").read_text())
    del content["pretrained"], content["freeze"]
    config = RunConfig.from_json(content)
    assert (config.pretrained, config.freeze) == (None, False)


def test_newest_is_the_newest_run_that_learned_another_task_from_scratch(
    classifier: Path, tmp_path: Path
) -> None:
    def run(name: str, age: int, **changes: Any) -> None:
        folder = shutil.copytree(classifier, tmp_path / name)
        content = json.loads((folder / "config.json").read_text()) | changes
        (folder / "config.json").write_text(json.dumps(content))
        for file in folder.glob("*.safetensors"):
            os.utime(file, (age, age))

    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "checkpoint.safetensors").touch()
    given = ["--env", "paddle", "--run-dir", str(tmp_path), "--pretrained", "newest"]
    with pytest.raises(ValueError, match="has no run that learned another task"):
        parse(given)
    run("older", 1_000)
    run("newer", 2_000)
    run("fine_tuned", 3_000, pretrained="runs/older")
    run("same_task", 4_000, env="PaddleBall-v0", env_options={})
    assert parse(given)[1].pretrained == str(tmp_path / "newer")


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_backbone_fits(name: str, tmp_path: Path) -> None:
    games = {"missed": SCREENS, "shapes": ("--env", "shapes", "--num-envs", 16)}
    options = () if name == "missed" else ("--env-options", "of=animals", "examples=20")
    short = ("--steps", 16, "--eval-episodes", 1)
    run = run_train("--run-dir", tmp_path, *games[name], *options, *short, "--pretrained", name)
    shipped = under("agent.network.backbone.", load_model(SHIPPED / name).tensors)
    assert shipped.keys() == network(run, "backbone.").keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pretrained", "nowhere"], "there is no run folder nowhere; --pretrained takes one, or"),
        (["--pretrained", "."], "has no config.json"),
        (["--pretrained", "RUN", "--width", "32"], "of 16x400, where this one has 32x400"),
        (
            ["--pretrained", "RUN", "--width", "16", "--env", "shapes", *FEW],
            "of 16x2x8x8, where this one has 16",
        ),
        (
            ["--pretrained", "RUN", "--width", "16", "--env", "CartPole-v1"],
            "gives vectors; use a run that",
        ),
        (["--pretrained", "RUN", "--agent", "random"], "ppo, dqn, pqn, gpt, or supervised with"),
        (
            ["--agent", "reinforce", "--pretrained", "RUN"],
            "need an agent whose network is one backbone",
        ),
        (
            ["--env", "detect", "--pretrained", "RUN"],
            "need an agent whose network is one backbone",
        ),
        (["--pretrained", "CHANCE"], "its agent has no backbone"),
        (["--pretrained", "EMPTY"], "nothing was saved in it yet"),
        (["--pretrained", "DAMAGED"], "is damaged"),
        (["--resume", "RUN", "--pretrained", "RUN"], "was started with pretrained = None"),
        (["--freeze"], "--freeze needs --pretrained RUN"),
        (["--resume", "RUN", "--freeze"], "was started with freeze = False"),
    ],
)
def test_wrong_input_gets_one_line_and_leaves_nothing(
    arguments: list[str],
    message: str,
    classifier: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance, empty, damaged = (tmp_path / name for name in ("chance", "empty", "damaged"))
    for folder in (empty, damaged):
        folder.mkdir()
        shutil.copy(classifier / "config.json", folder)
    (damaged / "checkpoint.safetensors").write_bytes(b"\x80\x04cposix\nsystem\n")  # a pickle
    if "CHANCE" in arguments:
        run_train("--agent", "random", "--steps", 16, "--run-dir", chance, "--eval-episodes", 1)
        chance = only_run(chance)
    places = {"RUN": classifier, "CHANCE": chance, "EMPTY": empty, "DAMAGED": damaged}
    given = [str(places.get(argument, argument)) for argument in arguments]
    if "--env" not in given and "--resume" not in given:
        given += ["--observation", "screen"]
    capsys.readouterr()
    assert train.main(["--run-dir", str(tmp_path / "r"), *given]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    (line,) = [line for line in told if not line.startswith("Compiling ")]
    assert message in line
    assert not (tmp_path / "r").exists()


# --- Kinds of shapes


def test_measurements_do_not_depend_on_where_a_shape_is_and_how_it_is_turned() -> None:
    dataset = Shapes(of="digits")
    screens, _, _ = dataset.sample_screens(20, 3)
    small = np.where(screens > 100, screens, 0)[:, :, 2:22, 2:22]  # room to be moved, no noise
    first, moved, turned = (np.zeros((20, 1, SIDE, SIDE), np.uint8) for _ in range(3))
    first[..., 2:22, 2:22] = small
    moved[..., 3:23, 1:21] = small
    turned[..., 2:22, 2:22] = np.rot90(small, axes=(2, 3))
    expected = measurements(first)
    for other in (moved, turned):  # the border of the screen cuts off a part of the outer rings
        np.testing.assert_allclose(measurements(other), expected, atol=0.03)
        np.testing.assert_allclose(measurements(other)[:, 5:], expected[:, 5:], atol=1e-4)


def test_a_disc_fills_every_ring_inside_it_and_has_no_harmonics() -> None:
    numbers = np.array([[1.0, 0.2, 0.5, 0.5, 1.0, 1.0]])
    (found,) = measurements(lit(BALLS["ball"], numbers)[:, None])
    rings, filled, harmonics = found[:5], found[5], found[6:]
    assert rings[:3] == pytest.approx(1.0)  # the radius of gyration is 0.71 of the radius
    assert rings[4] < 0.1
    assert filled == pytest.approx(1.0, abs=0.01)
    assert harmonics == pytest.approx(0.0, abs=0.02)


def test_a_hand_written_rule_and_hand_made_numbers_tell_shapes_apart() -> None:
    accuracy = {}
    for observation in ("rings", "harmonics"):
        options = {"observation": observation, "examples": 20, "test_examples": 2_000}
        dataset = Shapes(**options)  # type: ignore[arg-type]
        screens, targets, _ = dataset.sample(2_000, 5)
        (rule,) = rules(dataset.action_space).values()
        accuracy[observation] = (rule(screens) == targets).mean()
    assert 0.5 < accuracy["rings"] < accuracy["harmonics"]


def test_measured_places_and_sizes_are_those_of_the_light() -> None:
    """The centre of the light of a ball is its place, and the area of a disc gives its radius."""
    where, size = (Measure(question=question).sample(200, 3) for question in ("where", "size"))
    light = np.where(where.observations[::20, 0] > 60, 1.0, 0.0)  # the first kind is the ball
    places = (np.arange(SIDE) + 0.5) / SIDE
    x, y = (light.sum(axis) @ places / light.sum((1, 2)) for axis in (1, 2))
    np.testing.assert_allclose(np.stack((x, y), 1), where.targets[::20], atol=0.04)
    radius = np.sqrt(light.sum((1, 2)) / math.pi) / SIDE
    assert (radius < size.targets[::20, 0] * 1.1).all()  # a narrow shape has less area
    assert (radius > size.targets[::20, 0] * 0.8).all()
    assert np.array_equal(where.observations, size.observations)
    noisy = Measure(noise=0.5).add_label_noise(where.targets, np.random.default_rng(0))
    changed = (noisy != where.targets).any(1)
    assert 0.3 < changed.mean() < 0.7
    with pytest.raises(ValueError, match="option `question` must be where or size, got 'age'"):
        Measure(question="age")


def test_kinds_differ_from_each_other_and_digits_are_upright() -> None:
    numbers = np.full((1, 6), 0.5)
    for kinds in KINDS.values():
        drawn = {lit(inside, numbers).round(3).tobytes() for inside in kinds.values()}
        assert len(drawn) == len(kinds)
    seven = KINDS["digits"]["7"]
    leaning = np.array([[1.0, turn, 0.5, 0.5, 1.0, 1.0] for turn in (0.0, 0.5, 1.0)])
    tops = lit(seven, leaning, 0.1)[:, :8].sum((1, 2)) / lit(seven, leaning, 0.1).sum((1, 2))
    assert (tops > 0.4).all()


def test_shapes_have_their_geometric_areas() -> None:
    """Corners of a regular polygon lie on the unit circle, so that its area is n/2 sin(2 pi/n)."""
    wide = 9.0
    numbers = np.array([[1.0, 0.2, 0.5, 0.5, 1.0, 1.0]])
    areas = {"ball": math.pi, "ring": math.pi * (1 - 0.55**2)}
    areas |= {"egg": math.pi * 0.55, "stick": 4 * 0.22, "cross": 4 * (0.5 - 0.25**2)}
    areas |= {
        name: corners / 2 * math.sin(2 * math.pi / corners)
        for name, corners in (("triangle", 3), ("square", 4), ("hexagon", 6))
    }
    for name, area in areas.items():
        light = lit(BALLS[name], numbers)
        assert light.sum() / 255 / wide**2 == pytest.approx(area, rel=0.01), name


def test_shapes_turn_exactly_and_are_hardly_cut_off() -> None:
    generator = np.random.default_rng(0)
    for name, inside in (BALLS | ANIMALS).items():
        numbers = np.tile([[0.4, 0.1, 0.5, 0.5, 0.0, 1.0]], (2, 1))
        numbers[1, 1] += 0.25
        upright, turned = lit(inside, numbers)
        np.testing.assert_allclose(np.rot90(upright, -1), turned, atol=1e-6, err_msg=name)
        anywhere = generator.random((100, 6))
        in_the_middle = anywhere.copy()
        in_the_middle[:, 2:4] = 0.5
        light, all_of_it = (lit(inside, at).sum((1, 2)) for at in (anywhere, in_the_middle))
        assert (light / all_of_it).min() > 0.9, name


def test_kinds_of_shapes_differ_from_each_other() -> None:
    numbers = np.array([[1.0, 0.0, 0.5, 0.5, 1.0, 1.0]])
    screens = {name: lit(f, numbers) / 255 for name, f in (BALLS | ANIMALS).items()}
    assert len(BALLS) >= 16
    for name, one in screens.items():
        for other, two in screens.items():
            if name != other:
                turns = [np.abs(one - np.rot90(two, k, (1, 2))).sum() for k in range(4)]
                assert min(turns) > 0.15 * one.sum(), (name, other)


def test_classes_alternate() -> None:
    screens, targets, _ = examples_of(Shapes(examples=6, of="animals"), "train")
    assert targets.tolist() == [0, 1, 0, 1, 0, 1]
    assert screens.shape == (6, 1, SIDE, SIDE)
    assert screens.dtype == np.uint8
    assert Shapes().action_space.n == 20
    assert set(examples_of(Shapes(examples=60), "train").targets) == set(range(20))


def test_the_quarter_turn_of_a_rabbit_is_seen_in_its_body() -> None:
    """The body is wider than the ears: most of a rabbit's light lies away from its head."""
    screens, quarters, _ = examples_of(
        Shapes(examples=400, of="animals", question="turned"), "train"
    )
    right = []
    for screen, quarter in zip(screens[1::2, 0], quarters[1::2], strict=True):
        rows, columns = np.nonzero(screen > 80)
        down, across = (each.mean() - (each.min() + each.max()) / 2 for each in (rows, columns))
        seen = {0: down, 1: -across, 2: -down, 3: across}  # how far the body lies in its place
        right.append(max(seen, key=lambda turn: seen[turn]) == quarter)
    assert np.mean(right) > 0.7  # tilted ones may look a quarter further
    assert np.bincount(quarters) == pytest.approx(np.full(4, 100), abs=25)
    with pytest.raises(ValueError, match="needs of=animals"):
        Shapes(question="turned")


def test_the_example_viewer_shows_one_example_per_step(tmp_path: Path) -> None:
    options: Any = {"of": "animals", "examples": 100}
    env: Any = gymnasium.make("NameShape-v0", render_mode="rgb_array", **options).unwrapped
    _, info = env.reset(seed=0)
    right: list[bool] = []
    over, pictures = False, set()
    while not over:
        prediction = np.int64(len(right) % 2)
        before = env.render()
        env.prediction = prediction
        pictures.add(env.render().tobytes())
        assert not np.array_equal(env.render(), before)
        _, reward, over, _, info = env.step(prediction)
        right.append(prediction == info["answer"])
        assert reward == right[-1] - 1
    assert len(right) == len(pictures) == 20
    assert info["score"] == pytest.approx(np.mean(right))
    folder = run_train("--env", "shapes", "--run-dir", tmp_path, "--steps", 256, *SMALL, *FEW)
    assert play.main([str(folder), "--record", str(tmp_path / "out.gif"), "--episodes", "1"]) == 0


# --- Two screens, for the backbone of a player


def test_an_autoencoder_of_two_screens_has_the_backbone_of_a_player() -> None:
    one, two = (Reconstruct(examples=5, frames=frames) for frames in (1, 2))
    seen, twice = one.sample(5, 0).observations, two.sample(5, 0).observations
    assert np.array_equal(seen[:, 0], twice[:, 1])  # the newest last
    assert not np.array_equal(twice[:, 0], twice[:, 1])
    with pytest.raises(ValueError, match="option `frames` must be 1 or 2, got 3"):
        Reconstruct(frames=3)
    eyes = new_agent("supervised", "ReconstructScreen-v0", {"examples": 5, "frames": 2})
    plays = new_agent("ppo", "PaddleBall-v0", {"observation": "screen", "screen_size": 24})
    plays.load_backbone(eyes.tensors())
    assert same(plays.network.backbone.state_dict(), eyes.network.backbone.state_dict())


# --- Experiments


def made_up(config: RunConfig, right: bool) -> Any:
    """Return scores that depend on the backbone and a little on the seed."""
    many = config.env_options.get("examples", 0) >= 200
    game = config.env == "PaddleBall-v0"
    way = "scratch" if config.pretrained is None else "frozen" if config.freeze else "all"
    score = {"scratch": 0.5, "all": 0.9 if many or game else 0.7, "frozen": 0.8}[way]
    score -= 0.3 * (config.pretrained == "run/reconstruct")
    score = (score if right else 1 - score) + 0.001 * config.seed
    points = [Point(k, k, score, {}) for k in (1000, 2000)]
    pretraining = not game and "of" not in config.env_options
    kind = "reconstruct" if config.env == "ReconstructScreen-v0" else "labels"
    return Pretrained(Path("run") / kind, points) if pretraining else points


@pytest.mark.parametrize(("name", "claims"), [("vision", 3), ("policy", 3)])
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("right", [True, False])
@pytest.mark.filterwarnings("error:Glyph")
def test_a_table_a_slide_and_conclusions(
    name: str, claims: int, lang: str, right: bool, verdicts_of: Any
) -> None:
    found = verdicts_of(name, lang, lambda config: made_up(config, right))
    assert found == ((claims, 0) if right else (0, claims))


def test_pretraining_leaves_a_run_folder_to_start_with(tmp_path: Path) -> None:
    config = Trial("classify", 512, options={"examples": 50}, settings={"width": 8}).config(2)
    folder, points = pretrain(config, tmp_path)
    assert folder.parent == tmp_path
    assert [point.steps for point in points] == [512]
    assert load_config(folder) == config
    begun = dataclasses.replace(config, pretrained=str(folder), freeze=True)
    assert same(
        network(pretrain(begun, tmp_path).folder, "backbone."), network(folder, "backbone.")
    )
