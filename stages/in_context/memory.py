"""An agent with memory finds out, within one episode, that up is down.

    python -m stages memory

In half of the episodes the paddle's controls are exchanged, and nothing says so. One agent sees the
present only, the other the last steps too, and what it did in each: a prompt that it has written
itself. Which of their moves go the right way, step by step since the episode began?
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from agents.agent import Agent
from envs.engine.capabilities import game_batch_of
from envs.paddle.game import PaddleOptions, reach
from stages.datasets.dataset import Array
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_curve, slide
from stages.lab.texts import load
from stages.lab.trials import run_trials, trained, trial
from training.config import RunConfig
from training.evaluation import fresh_seed
from training.vector_runner import VectorRunner, make_environments

STEPS = 400_000
HISTORY = 4
GAME: dict[str, Any] = {"paddle_speed": 0.05, "max_steps": 40}
"""Of all agents: there is time enough to follow the ball, and none to miss it."""
KINDS: dict[str, dict[str, Any]] = {
    "memory": {"controls": "random", "history": HISTORY},
    "none": {"controls": "random"},
    "usual": {},
}
"""Agents, and what their games have besides."""
REWARD = "follow_ball"
GAMMA = 0.9  # what a move is worth shows soon
EPISODES = 2_000
WATCHED = 24  # steps since an episode began; no ball is back before
SHOWN = (0, 1, 2, 3, 4, 8, 16)
LATER = 16
NEAR = reach(PaddleOptions())  # box heights between ball and paddle, from which any move will do


def game_trial(kind: str, seed: int) -> RunConfig:
    """Settings of train.py for PPO that is paid for being near the ball."""
    config = trial("paddle", seed, STEPS, settings={"gamma": GAMMA}, **GAME, **KINDS[kind])
    return dataclasses.replace(config, reward=REWARD, eval_episodes=1)


def examine(config: RunConfig) -> Array:
    """Train, then see which moves are right: percent (WATCHED,) by steps since the beginning."""
    run, _ = trained(config)
    return right_moves(run.agent, config)


def right_moves(agent: Agent, config: RunConfig) -> Array:
    """Of many episodes, the share of moves towards the ball, or level with it, in percent."""
    environments = make_environments(config.env, EPISODES, config.make_options)
    batch = game_batch_of(environments)
    assert batch is not None
    runner, shares = VectorRunner(environments, fresh_seed(config.seed)), []
    for _ in range(WATCHED):
        states = batch.states.copy()
        runner.step(agent.act(runner.observations, explore=False))
        moved = batch.states["paddle_y"] - states["paddle_y"]
        distance = states["ball_y"] - states["paddle_y"]
        right = (moved * distance > 0) | (np.abs(distance) < NEAR)
        shares.append(100 * float(right.mean()))
    return np.array(shares)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("memory", options.lang)
    configs = {kind: [game_trial(kind, seed) for seed in options.each_seed] for kind in KINDS}
    found = run_trials(examine, configs, options.processes, texts["progress"])
    shares = {kind: np.array(of_kind) for kind, of_kind in found.items()}
    rows = [(texts[kind], *(f"{mean(shares[kind][:, t]):.0f}" for t in SHOWN)) for kind in KINDS]
    columns = (texts["x"], *(str(t) for t in SHOWN))
    tell(f"{texts['title']}: {texts['y']}", columns, rows, verdicts(options, shares))
    draw(path, options.lang, shares)


def verdicts(options: ExperimentOptions, shares: dict[str, Array]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    later = shares["memory"][:, LATER]
    sentences = []
    for name, before in (("finds", shares["memory"][:, 0]), ("needs", shares["none"][:, LATER])):
        gap = difference(later, before)
        text = load("memory", options.lang)[name]
        sentences.append(claim(options, text, gap, gap.low > 0, later=LATER))
    return "\n".join(sentences)


def draw(path: Path, lang: str, shares: dict[str, Array]) -> None:
    """A curve for each agent since the beginning of the episode."""
    texts = load("memory", lang)
    with slide(path, lang) as axes:
        for k, kind in enumerate(KINDS):
            means = [mean(column) for column in shares[kind].T]
            style = "--" if kind == "usual" else "-"
            draw_curve(axes, k, range(WATCHED), means, texts[kind], style)
        axes.axhline(50, color="grey", ls=":")
        axes.set(ylim=(0, 105), xlabel=texts["x"], ylabel=texts["y"], title=texts["title"])
        axes.legend(loc="lower right")
