"""Does a policy that sees only the screen learn more with a body that has learned to see before?

    python -m stages policy

PPO plays paddle-and-ball from screens, with the settings of train.py: once from scratch, once with
the body of an autoencoder that has rebuilt such screens, once with that of a classifier that was
told which way the ball flies. How many balls does each return after the same number of steps? They
are few, far below a solved game, so that three seeds of each fit into two minutes.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_course, slide
from stages.lab.texts import load
from stages.lab.trials import Point, measure, run_bodies, run_trials, trial
from training.config import RunConfig

BODIES = ("classify", "reconstruct")
WAYS = ("scratch", *BODIES)
GUESSES = 60_160
STEPS = 122_880
EVALUATIONS = 12
EPISODES = 50
WIDTH = 64  # of the policy's body, which the others therefore have too


def seeing(env: str, seed: int) -> RunConfig:
    """Settings of a trial that learns to see."""
    if env == "reconstruct":
        return trial(env, seed, GUESSES, frames=2, settings={"codes": 8, "width": WIDTH})
    return trial(env, seed, GUESSES, settings={"width": WIDTH})


def playing(seed: int, pretrained: Path | None) -> RunConfig:
    """Settings of a trial that learns to play."""
    return dataclasses.replace(
        trial("paddle", seed, STEPS, EVALUATIONS, observation="screen"),
        eval_episodes=EPISODES,
        pretrained=None if pretrained is None else str(pretrained),
    )


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("policy", options.lang)
    eyes = {env: [seeing(env, seed) for seed in options.each_seed] for env in BODIES}
    with run_bodies(eyes, options.processes, texts["pretraining"]) as bodies:
        configs = {"scratch": [playing(seed, None) for seed in options.each_seed]}
        for env, runs in bodies.items():
            pairs = zip(options.each_seed, runs, strict=True)
            configs[env] = [playing(seed, run.folder) for seed, run in pairs]
        curves = run_trials(measure, configs, options.processes, texts["progress"])
    balls = {way: [points[-1].score for points in curves[way]] for way in WAYS}
    rows = [
        (texts[way], f"{GUESSES if way in BODIES else 0:,}", f"{mean(balls[way]):.1f}")
        for way in WAYS
    ]
    tell(texts["title"], texts["columns"], rows, verdicts(options, balls))
    draw(path, options.lang, curves)


def verdicts(options: ExperimentOptions, balls: dict[str, list[float]]) -> str:
    """A sentence for each body; differences are taken seed by seed."""
    texts = load("policy", options.lang)
    sentences = [texts["claim"]]
    for way in BODIES:
        gap = difference(balls[way], balls["scratch"])
        sentences.append(claim(options, texts["verdict"], gap, gap.low > 0, way=texts[way]))
    return "\n".join(sentences)


def draw(path: Path, lang: str, curves: dict[str, list[list[Point]]]) -> None:
    """Scores over steps of play; bands from the lowest seed to the highest."""
    texts = load("policy", lang)
    with slide(path, lang) as axes:
        for k, way in enumerate(WAYS):
            scores = [[point.score for point in points] for points in curves[way]]
            steps = [point.steps for point in curves[way][0]]
            draw_course(axes, k, steps, scores, texts[way])
        axes.set(xlabel=texts["x"], ylabel=texts["y"], title=texts["title"])
        axes.set(xlim=(0, None), ylim=(0, None))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="upper left")
