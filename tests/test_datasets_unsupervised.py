"""Tests of learning without labels: autoencoders, and k-means compared with scikit-learn."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from scipy import ndimage
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import LeaveOneOut, cross_val_predict

import play
import train
from agents import make_agent, settings_type
from agents.agent import Step, Task
from agents.kmeans import KMeansAgent, KMeansSettings, nearest
from envs.bicycle.game import bicycle, observe
from stages.datasets.bicycle_points import rides
from stages.datasets.cluster import Cluster, purity
from stages.datasets.dataset import examples_of
from stages.datasets.reconstruct import Reconstruct, blurred
from stages.pictures.maps import colours_of_places, in_a_plane
from stages.unsupervised.neighbours import nearest_other
from stages.unsupervised.png import (
    as_png,
    best_variants,
    by_components,
    png_bytes_at,
    round_to_bytes,
)
from stages.unsupervised.ridge import STRENGTHS, ridge
from tests.test_training import assert_same_checkpoint, curves, run_train
from training.trained_agent import load_agent, load_model
from training.vector_runner import VectorRunner, make_environments

QUICK = ("--eval-episodes", 100, "--env-options", "examples=2000")


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a short run that encodes the ball in 8 numbers."""
    return run_train(
        *("--env", "reconstruct", "--run-dir", tmp_path_factory.mktemp("runs"), "--codes", 8),
        *("--steps", 64_000, "--eval-every", 32_000, *QUICK, "--video-frames", 8),
    )


# --- Reconstruction


def test_the_target_is_the_observation() -> None:
    env = make_environments("ReconstructScreen-v0", 4, {"examples": 50})
    runner = VectorRunner(env, 0)
    black = np.zeros(env.action_space.shape, np.float32)
    step, episodes = runner.step(black)
    assert episodes is not None
    assert step.labels is not None
    assert np.array_equal(step.labels, step.observations)
    np.testing.assert_allclose(
        -step.rewards, [np.mean((screen / 255.0) ** 2) for screen in step.observations], rtol=1e-5
    )
    np.testing.assert_allclose(episodes.scores, 0.0, atol=1e-6)
    _, episodes = runner.step(runner.observations.astype(np.float32))
    assert episodes is not None
    assert (episodes.scores == 1.0).all()
    assert (episodes.returns == 0.0).all()


def test_screens_are_blurred_as_by_scipy() -> None:
    """They agree away from the edges, and the centre of the ball stays white."""
    sharp, states = Reconstruct(blur=0.0).sample_states(200, 0)
    assert np.array_equal(blurred(sharp, 2.0), Reconstruct().sample_states(200, 0)[0])
    soft = blurred(sharp[:, -1:], 2.0)
    inside = (states["ball_x"] > 0.35) & (states["ball_x"] < 0.65)
    inside &= (states["ball_y"] > 0.35) & (states["ball_y"] < 0.65)
    assert inside.sum() > 5
    for screen, seen in zip(sharp[inside, -1], soft[inside, 0], strict=True):
        light = ndimage.gaussian_filter(screen.astype(float), 2.0, mode="constant", truncate=6)
        part = (slice(6, 18), slice(8, 18))  # where only the ball is
        assert np.corrcoef(light[part].ravel(), seen[part].ravel())[0, 1] > 0.999
        assert 225 <= seen[part].max() <= 255
    assert np.array_equal(blurred(sharp[:, -1:], 0.0), sharp[:, -1:])


def test_an_autoencoder_finds_the_ball_and_tells_tensorboard(autoencoder: Path) -> None:
    found = json.loads((autoencoder / "evaluation.json").read_text())
    assert found["metrics"]["ball_rebuilt"] > 0.6
    assert found["feedback_numbers"] == found["steps"] * 24 * 24  # each pixel is a number
    events = curves(autoencoder)
    assert {"evaluation/reconstructions", "evaluation/codes"} <= set(events.Tags()["images"])
    (newest,) = sorted(autoencoder.glob("*/codes"))[-1:]
    vectors = np.loadtxt(newest / "tensors.tsv", delimiter="\t")
    header, *rows = (newest / "metadata.tsv").read_text().splitlines()
    assert vectors.shape == (100, 8)
    assert header.split("\t") == ["ball_x", "ball_y"]
    assert len(rows) == 100
    assert (newest / "sprite.png").exists()
    assert "tensors.tsv" in (autoencoder / "projector_config.pbtxt").read_text()


def test_encoder_and_decoder_make_the_autoencoder(autoencoder: Path) -> None:
    """The reconstruction is what the decoder makes of the codes."""
    env: gymnasium.Env[Any, Any] = gymnasium.make("ReconstructScreen-v0", examples=50)
    agent: Any = load_agent(autoencoder, env)
    screens = examples_of(Reconstruct(examples=50), "test").observations[:20]
    codes = agent.encode(screens)
    assert codes.shape == (20, 8)
    rebuilt = agent.decode(codes)
    np.testing.assert_allclose(rebuilt, agent.act(screens, explore=False), atol=1e-3)
    other = screens.copy()
    other[:] = 0
    assert not np.allclose(agent.encode(other), codes)
    plain = make_agent(
        "supervised",
        Task("", env.observation_space, env.action_space, 1, 1),
        settings_type("supervised")(),
        0,
    )
    assert plain.encode(screens) is None


# --- k-means


def turns_of(points: Any, k: int, seed: int = 0) -> KMeansAgent:
    """Run k-means by the methods that the training loop calls, until convergence."""
    space = gymnasium.spaces.Box(-np.inf, np.inf, points.shape[1:], np.float32)
    task = Task("", space, space, len(points), 1)
    agent = KMeansAgent(task, KMeansSettings(k), seed)
    no = np.zeros(len(points), np.bool_)
    while not agent.converged:
        predictions = agent.act(points)
        centres = agent.history[-1].astype(np.float32)
        assert np.array_equal(predictions, centres[nearest(points, agent.history[-1])])
        errors = -np.square(predictions - points).sum(1)
        told = agent.learn(Step(points, predictions, errors, {}, ~no, no, points, ~no, points))
        before, after = agent.history[-2:]
        assert told == {
            "moved": max(abs(x - y) for x, y in zip(before.flat, after.flat, strict=True)),
            "iteration": len(agent.history) - 1,
        }
    return agent


@pytest.mark.parametrize("seed", range(4))
def test_k_means_ends_where_scikit_learn_ends_from_the_same_start(seed: int) -> None:
    generator = np.random.default_rng(seed)
    points = generator.normal(generator.normal(0, 3, (4, 1, 5)), 1.0, (4, 60, 5)).reshape(-1, 5)
    points = points.astype(np.float32)
    agent = turns_of(points, 4, seed)
    first = agent.history[0]
    assert all((points == centre).all(1).any() for centre in first)  # k of the points
    assert len(np.unique(first, axis=0)) == 4
    oracle = KMeans(4, init=first, n_init=1, algorithm="lloyd", tol=0, max_iter=1000)
    oracle.fit(points.astype(np.float64))
    np.testing.assert_allclose(agent.history[-1], oracle.cluster_centers_, atol=1e-9)
    labels = agent.encode(points)
    assert labels is not None
    assert np.array_equal(labels[:, 0], oracle.labels_)
    assert len(agent.history) - 1 in (
        oracle.n_iter_,
        oracle.n_iter_ + 1,
    )  # one more iteration detects convergence
    inertias = [
        np.square(points - centres[nearest(points, centres)]).sum() for centres in agent.history
    ]
    assert (np.diff(inertias) <= 1e-6).all()  # it never gets worse


def test_an_untrained_k_means_predicts_zeros() -> None:
    space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    agent = KMeansAgent(Task("", space, space, 3, 1), KMeansSettings(2), 0)
    assert not agent.act(np.ones((3, 2), np.float32), explore=False).any()
    with pytest.raises(ValueError, match="at least 2 points for 2 centres, not 1"):
        agent.act(np.ones((1, 2), np.float32))


def test_a_centre_without_points_stays() -> None:
    points = np.array([[0.0], [0.0], [0.0], [9.0]], np.float32)
    agent = turns_of(points, 3)
    assert np.isfinite(agent.history).all()
    assert set(agent.history[-1].ravel()) <= {0.0, 9.0}


def test_training_stops_at_convergence_and_environments_keep_their_points(
    tmp_path: Path,
) -> None:
    given: tuple[Any, ...] = ("--env", "cluster", "--num-envs", 300, "--eval-every", 300)
    given += (*QUICK, "--video-frames", 1)
    folder = run_train("--run-dir", tmp_path / "a", *given, "--steps", 30_000)
    found = json.loads((folder / "evaluation.json").read_text())
    env: gymnasium.Env[Any, Any] = gymnasium.make("ClusterPoints-v0", examples=2000)
    agent: Any = load_agent(folder, env, model=load_model(folder, last=True))
    turns = len(agent.history) - 1
    assert 2 < turns < 100
    assert found["steps"] == turns * 300
    assert found["feedback_numbers"] == turns * 300 * 5
    assert agent.converged
    assert len(curves(folder).Images("evaluation/clusters")) == turns
    half = run_train("--run-dir", tmp_path / "b", *given, "--steps", 600)
    run_train("--resume", half, "--steps", 30_000)
    assert_same_checkpoint(folder, half)


def test_points_of_rides_are_observations_and_fates_what_happens_next() -> None:
    points, fates = rides(400, 0)
    assert np.array_equal(points[:50], rides(50, 0)[0])
    assert np.abs(points).max() < 1  # nothing is clipped
    assert set(fates) == {0, 1, 2}
    game = bicycle("balance")
    options = game.options()
    scales = [0.6, 1.2, 3.0, 6.0, 9.0]
    agreed = 0
    for point, fate in zip(points[:40].tolist(), fates[:40], strict=True):
        state = game.states(1)[0]
        fields = ("roll", "steer", "roll_rate", "steer_rate", "speed")
        for name, value, scale in zip(fields, point, scales, strict=True):
            state[name] = value * scale
        felt = np.zeros(6, np.float32)
        observe(state, felt, options)
        np.testing.assert_allclose(felt[:5] / 3, point, rtol=1e-6)
        for _ in range(201):
            if not state.fallen:
                game.step(state, np.zeros(3, np.float32), game.options_record(options)[0])
        agreed += fate == (0 if not state.fallen else 1 if state.roll < 0 else 2)
    assert agreed >= 38  # a fall may happen one step before or after the limit


def test_purity_is_the_share_of_the_most_frequent_kinds() -> None:
    clusters, kinds = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([2, 2, 0, 1, 1, 0, 0])
    assert purity(clusters, kinds) == pytest.approx(4 / 7)
    assert purity(np.zeros(7, np.int64), kinds) == pytest.approx(3 / 7)
    assert purity(kinds, kinds) == 1.0


def test_k_means_on_codes_needs_the_encoder_only(autoencoder: Path, tmp_path: Path) -> None:
    folder = run_train(
        *("--env", "cluster", "--run-dir", tmp_path, "--num-envs", 200, "--eval-every", 100_000),
        *("--eval-episodes", 100, "--k", 4),
        *("--env-options", "examples=500", "of=codes", f"encoder={autoencoder}"),
    )
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["metrics"]["purity"] > found["metrics"]["chance"] + 0.1
    dataset = Cluster(examples=20, of="codes", encoder=str(autoencoder))
    assert dataset.observation_space.shape == (8,)
    env: gymnasium.Env[Any, Any] = gymnasium.make("ReconstructScreen-v0", examples=20)
    codes = load_agent(autoencoder, env).encode(Reconstruct().sample(20, 0).observations)
    assert codes is not None
    np.testing.assert_allclose(examples_of(dataset, "train").targets, codes, atol=1e-5)


# --- What experiments measure


def test_ridge_chooses_its_strength_by_leaving_one_point_out() -> None:
    generator, strengths_chosen = np.random.default_rng(0), set()
    for noise in np.geomspace(0.01, 30, 8):
        points, new = generator.normal(size=(12, 8)), generator.normal(size=(5, 8))
        targets = points[:, :2] + noise * generator.normal(size=(12, 2))
        scale = np.linalg.svd(points - points.mean(0))[1].max() ** 2
        errors = {}
        for strength in STRENGTHS:
            reader = Ridge(strength * scale)
            left_out = cross_val_predict(reader, points, targets, cv=LeaveOneOut())
            errors[strength] = np.square(left_out - targets).mean()
        exact = {
            strength: Ridge(strength * scale).fit(points, targets).predict(new)
            for strength in STRENGTHS
        }
        read = ridge(points, targets, new)
        chosen = min(STRENGTHS, key=lambda strength: np.abs(exact[strength] - read).max())
        np.testing.assert_allclose(read, exact[chosen], atol=1e-8)
        assert errors[chosen] == min(errors.values())
        strengths_chosen.add(chosen)
    assert len(strengths_chosen) >= 4


def test_neighbours_are_those_of_scikit_learn() -> None:
    points = np.random.default_rng(0).normal(size=(40, 6))
    distances = pairwise_distances(points)
    np.fill_diagonal(distances, math.inf)
    assert np.array_equal(nearest_other(points), distances.argmin(1))


def test_lossless_pngs_are_exact_and_smaller_ones_are_worse() -> None:
    screen = examples_of(Reconstruct(examples=20), "train").observations[0, 0]
    size, whole = as_png(screen, 24, 256)
    assert np.array_equal(whole, screen)
    smaller, coarse = as_png(screen, 8, 8)
    assert 0 < smaller < size
    assert np.abs(coarse - screen).max() > 10
    noise = np.random.default_rng(0).integers(0, 2, (24, 24)).astype(np.uint8) * 255
    sizes = [as_png(noise, 24, greys)[0] for greys in (2, 4, 256)]
    assert 24 * 24 / 8 <= sizes[0] < 24 * 24 / 8 + 50  # a bit per pixel, and a filter per row
    assert sizes == sorted(sizes)
    front = best_variants([(10.0, 50.0), (20.0, 60.0), (30.0, 5.0), (40.0, 5.0), (25.0, 7.0)])
    assert front == [(10.0, 50.0), (25.0, 7.0), (30.0, 5.0)]
    assert png_bytes_at(6.0, front) == 30.0


def test_components_rebuild_what_varies_in_so_many_directions() -> None:
    random = np.random.default_rng(0)
    light = random.normal(size=(200, 3)) @ random.normal(size=(3, 32))
    screens = (128 + 12 * light).astype(np.uint8).reshape(200, 1, 8, 4)
    errors = [np.abs(by_components(screens, screens[:100], n) - screens[:100]) for n in (2, 3)]
    assert errors[0].max() > 20
    assert errors[1].max() < 1.5  # rounding


def test_codes_in_bytes_have_256_steps() -> None:
    codes = np.random.default_rng(0).normal(size=(5000, 2)).astype(np.float32)
    rounded = round_to_bytes(codes)
    assert [len(np.unique(column)) for column in rounded.T] <= [256, 256]
    assert np.abs(rounded - codes).max() <= np.ptp(codes, axis=0).max() / 255 / 2 + 1e-6


def test_points_in_a_plane_are_principal_components_or_two_numbers() -> None:
    points = np.random.default_rng(0).normal(size=(200, 4)) * [1.0, 9.0, 0.1, 4.0]
    assert np.array_equal(in_a_plane(points[:, :2]), points[:, :2])
    spread = in_a_plane(points).std(0)
    assert spread == pytest.approx([points[:, 1].std(), points[:, 3].std()], rel=0.05)
    corners = colours_of_places(np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert corners.tolist() == [[255, 208, 40], [70, 110, 255]]


# --- Wrong input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reconstruct", "--feedback", "reward"], "option `feedback` must be observation"),
        (["reconstruct", "--env-options", "noise=0.1"], "option `noise` must be 0"),
        (["reconstruct", "--env-options", "blur=9"], "option `blur` must be 0 or between"),
        (["reconstruct", "--codes", "-1"], "--codes must be at least 0, got -1"),
        (["cluster", "--env-options", "of=things"], "option `of` must be rides, screens or codes"),
        (["cluster", "--env-options", "of=codes"], "belong together"),
        (["cluster", "--env-options", "of=codes", "encoder=nowhere"], "there is no run folder"),
        (["cluster", "--num-envs", "2"], "needs at least 3 points for 3 centres, not 2"),
        (["cluster", "--k", "0"], "k must be at least 1"),
        (["paddle", "--agent", "kmeans"], "k-means needs a dataset of points"),
    ],
)
def test_wrong_input_gets_one_line_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--run-dir", str(tmp_path / "r"), "--env", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "r").exists()


def test_a_run_of_another_kind_is_no_encoder(tmp_path: Path) -> None:
    folder = run_train("--env", "cluster", "--run-dir", tmp_path, "--num-envs", 50, *QUICK)
    with pytest.raises(ValueError, match="not an autoencoder"):
        Cluster(of="codes", encoder=str(folder))


def test_the_viewer_shows_every_iteration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One step of play.py is one iteration, whose score is minus the error of its centres."""
    folder = run_train("--env", "cluster", "--run-dir", tmp_path, "--num-envs", 100, *QUICK)
    env: gymnasium.Env[Any, Any] = gymnasium.make(
        "ClusterPoints-v0", render_mode="rgb_array", examples=2000
    )
    agent: Any = load_agent(folder, env)
    watched: Any = env.unwrapped
    watched.watch(agent)
    observation, info = env.reset(seed=0)
    points = examples_of(Cluster(examples=2000), "test").observations[:1000]
    pictures: list[Any] = [env.render()]
    over = False
    for centres in agent.history[1:]:
        assert not over
        observation, _, over, _, info = env.step(agent.act(observation[None], explore=False)[0])
        oracle = pairwise_distances(points, centres, "sqeuclidean").min(1).mean()
        assert info["score"] == pytest.approx(-oracle, rel=1e-4)
        pictures.append(env.render())
    assert over
    first, last = (np.asarray(pictures[k]) for k in (0, -1))
    assert not np.array_equal(first, last)
    assert play.main([str(folder), "--record", str(tmp_path / "out.gif"), "--episodes", "1"]) == 0
    assert f"mean length {len(agent.history) - 1} steps" in capsys.readouterr().out
