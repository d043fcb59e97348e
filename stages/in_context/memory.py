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
from envs.paddle.game import PaddleOptions, reach
from stages.datasets.dataset import Array
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_curve, slide
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

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "progress": "Is up up, or is up down?",
        "memory": "with memory",
        "none": "without memory",
        "usual": "without, and usual controls",
        "title": "Controls that may be mirrored: who finds out?",
        "x": "steps since the episode began",
        "y": "moves towards the ball (%)",
        "finds": "The lecture: in context means to learn without a learning step; so can one who "
        "acts. {held}: from the first step to the step {later} later, an agent with memory gains "
        "{value:+.1f} points of right moves (95 % interval {low:+.1f} to {high:+.1f}, {seeds} "
        "seeds).",
        "needs": "And: it takes memory. {held}: at that step it is {value:+.1f} points ahead of "
        "the same agent without ({low:+.1f} to {high:+.1f}).",
    },
    "ko": {
        "progress": "위가 위인가, 위가 아래인가?",
        "memory": "기억 있음",
        "none": "기억 없음",
        "usual": "기억 없음, 보통 조종",
        "title": "뒤집혔을지 모르는 조종: 누가 알아채는가?",
        "x": "에피소드 시작 후 스텝",
        "y": "공 쪽으로 간 움직임 (%)",
        "finds": "강의의 주장: 인컨텍스트란 학습 단계 없이 배우는 것이며, 행동하는 에이전트도 그럴 "
        "수 있다. {held}: 첫 스텝에서 {later}스텝 뒤까지, 기억이 있는 에이전트의 올바른 움직임은 "
        "{value:+.1f}%p 늘었다 (95 % 구간 {low:+.1f}~{high:+.1f}, 시드 {seeds}개).",
        "needs": "또한: 그러려면 기억이 있어야 한다. {held}: 그 스텝에서 기억이 없는 같은 "
        "에이전트보다 {value:+.1f}%p 앞선다 ({low:+.1f}~{high:+.1f}).",
    },
}


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
    environments: Any = make_environments(config.env, EPISODES, config.make_options)
    runner, shares = VectorRunner(environments, fresh_seed(config.seed)), []
    for _ in range(WATCHED):
        states = environments.unwrapped.batch.states.copy()
        runner.step(agent.act(runner.observations, explore=False))
        moved = environments.unwrapped.batch.states["paddle_y"] - states["paddle_y"]
        distance = states["ball_y"] - states["paddle_y"]
        right = (moved * distance > 0) | (np.abs(distance) < NEAR)
        shares.append(100 * float(right.mean()))
    return np.array(shares)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = TEXTS[options.lang]
    configs = {kind: [game_trial(kind, seed) for seed in options.each_seed] for kind in KINDS}
    found = run_trials(examine, configs, options.processes, texts["progress"])
    shares = {kind: np.array(of_kind) for kind, of_kind in found.items()}
    rows = [(texts[kind], *(f"{mean(shares[kind][:, t]):.0f}" for t in SHOWN)) for kind in KINDS]
    columns = (texts["x"], *(str(t) for t in SHOWN))
    tell(f"{texts['title']} {texts['y']}", columns, rows, verdicts(options, shares))
    draw(path, options.lang, shares)


def verdicts(options: ExperimentOptions, shares: dict[str, Array]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    later = shares["memory"][:, LATER]
    sentences = []
    for name, before in (("finds", shares["memory"][:, 0]), ("needs", shares["none"][:, LATER])):
        gap = difference(later, before)
        text = TEXTS[options.lang][name]
        sentences.append(claim(options, text, gap, gap.low > 0, later=LATER))
    return "\n".join(sentences)


def draw(path: Path, lang: str, shares: dict[str, Array]) -> None:
    """A curve for each agent since the beginning of the episode."""
    texts = TEXTS[lang]
    with slide(path, lang) as axes:
        for k, kind in enumerate(KINDS):
            means = [mean(column) for column in shares[kind].T]
            style = "--" if kind == "usual" else "-"
            draw_curve(axes, k, range(WATCHED), means, texts[kind], style)
        axes.axhline(50, color="grey", ls=":")
        axes.set(ylim=(0, 105), xlabel=texts["x"], ylabel=texts["y"], title=texts["title"])
        axes.legend(loc="lower right")
