"""How well a reward learned from comparisons trains an agent, compared with the game's own reward.

The teacher is the game's score (`reward_lab.preferences.teacher.ScoreTeacher`), which can also give
wrong answers. Each run is appended to a file as it ends, and is not repeated.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from threading import Event
from typing import Annotated, Any

import torch
import tyro
from rich.console import Console

from benchmarks.command import BenchmarkCommand, Names, interruptible_runs, select_names
from benchmarks.past_solved import Curve
from benchmarks.report import number, show_table
from benchmarks.runs import Lines
from benchmarks.training import new_run, preset_config
from envs.registry import GAMES
from reward_lab.preferences.prefer import begin, prefer
from reward_lab.preferences.store import Settings
from rewards.expression import LEARNED
from stages.lab.intervals import MOST_SEEDS, Mean, mean
from stages.lab.slides import COLOURS, MARKERS, slide
from training.cli import File
from training.loop import evaluate_finally, train
from training.messages import say

RESULTS = Path("runs", "benchmarks", "preferences.jsonl")
HEADINGS = (
    *("game", "comparisons", "wrong answers", "solved", "score at the end", "of the best model"),
    *("steps", "comparisons used", "held-out accuracy"),
)


@dataclass(frozen=True)
class Trial:
    """One run."""

    game: str
    comparisons: int
    """0 means the game's own reward."""
    mistakes: float
    steps: int
    seed: int


@dataclass(frozen=True)
class Result:
    """What a run found."""

    trial: Trial
    score: float
    """Mean score of the last model in the final evaluation."""
    best_score: float
    """Mean score of the best model in the same evaluation."""
    solved: bool
    steps: int
    used: int
    """Comparisons asked for until training ended."""
    accuracy: float | None
    """Held-out accuracy after the last round."""


@dataclass(frozen=True)
class PreferencesCommand(BenchmarkCommand):
    """Learn rewards from comparisons that the game's score answers, and train on them."""

    games: Names = ()
    """Names of games. Default: all."""
    comparisons: tuple[int, ...] = (200,)
    """Numbers of comparisons; 0 means the game's own reward."""
    mistakes: tuple[float, ...] = (0.0,)
    """Shares of wrong answers."""
    steps: int = 1_000_000
    """Maximum number of environment steps of a run; it ends before if the game is solved."""
    seeds: Annotated[tuple[int, ...], tyro.conf.arg(metavar="NUMBER ...")] = (1, 2, 3, 4, 5)
    """Seeds, one run for each."""
    results: Path = RESULTS
    """File to which each result is appended. Those that it holds already are not measured again."""
    figure: File = None
    """PNG file for a figure of the score over the comparisons."""

    def run(self, console: Console) -> dict[str, Any]:
        """Print a line per run, then the table. Ctrl-C ends the runs."""
        games = select_names(self.games, GAMES)
        trials = [
            Trial(game, count, share if count else 0.0, self.steps, seed)
            for game in games
            for count in self.comparisons
            for share in (self.mistakes if count else self.mistakes[:1])
            for seed in self.seeds
        ]
        results: list[Result] = []
        found: dict[str, Any] = {}
        with interruptible_runs(found):
            for result in run_trials(trials, Lines(self.results)):
                say(console, describe(result))
                results.append(result)
        if len(results) < len(trials):
            say(console, f"stopped: {len(results)} of {len(trials)} runs are over")
        show_table(console, HEADINGS, [_row(group) for group in grouped(results)])
        if self.figure is not None:
            draw(self.figure, results)
        return found | {"preferences": [asdict(result) for result in results]}


def run_trials(trials: Sequence[Trial], lines: Lines) -> Iterator[Result]:
    """Yield the result of each trial, from the file or from a new run."""
    try:
        stored = [Result(**each | {"trial": Trial(**each["trial"])}) for each in lines.objects]
    except (KeyError, TypeError):
        raise lines.error() from None
    known = {result.trial: result for result in stored}
    for trial in trials:
        if trial not in known:
            known[trial] = run_trial(trial)
            lines.append(asdict(known[trial]))
        yield known[trial]


def run_trial(trial: Trial) -> Result:
    """Train one agent."""
    torch.set_num_threads(1)
    return _with_comparisons(trial) if trial.comparisons else _with_own_reward(trial)


def _with_comparisons(trial: Trial) -> Result:
    settings = Settings(
        env=trial.game,
        env_options={},
        teacher="score",
        mistakes=trial.mistakes,
        comparisons=trial.comparisons,
        clip_seconds=1.5,
        steps=trial.steps,
        seed=trial.seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        found = prefer(begin(settings, Path(folder, LEARNED, "benchmark")))
    if found.final is None:
        raise KeyboardInterrupt
    scores = found.final.last.mean_score, found.final.best.mean_score
    accuracy = found.rounds[-1].held_out_accuracy
    return Result(trial, *scores, found.solved, found.steps, found.comparisons, accuracy)


def _with_own_reward(trial: Trial) -> Result:
    options = ("--env", trial.game, "--agent", "ppo", "--video-frames", "0")
    with new_run(preset_config(trial.seed, trial.steps, options)) as (run, logger, display):
        train(run, Curve(), display, Event())
        final = evaluate_finally(run, logger)
        scores = final.last.mean_score, final.best.mean_score
        return Result(trial, *scores, run.solved, run.progress.steps, 0, None)


def describe(result: Result) -> str:
    """Return the line to print when a run has ended."""
    trial = result.trial
    return (
        f"{trial.game}, {trial.comparisons:,} comparisons, {trial.mistakes:.0%} wrong, seed "
        f"{trial.seed}: score {number(result.score)} after {result.steps:,} steps"
    )


def grouped(results: Sequence[Result]) -> list[list[Result]]:
    """Return the results of each game, number of comparisons and share of mistakes."""
    groups: dict[tuple[str, int, float], list[Result]] = {}
    for result in results:
        trial = result.trial
        groups.setdefault((trial.game, trial.comparisons, trial.mistakes), []).append(result)
    return list(groups.values())


def _row(results: Sequence[Result]) -> tuple[str, ...]:
    trial, count = results[0].trial, len(results)
    accuracies = [result.accuracy for result in results if result.accuracy is not None]
    return (
        trial.game,
        f"{trial.comparisons:,}" if trial.comparisons else "own reward",
        f"{trial.mistakes:.0%}" if trial.comparisons else "",
        f"{sum(result.solved for result in results)} of {count}",
        _mean([result.score for result in results]),
        _mean([result.best_score for result in results]),
        f"{fmean(result.steps for result in results):,.0f}",
        f"{fmean(result.used for result in results):,.0f}" if trial.comparisons else "",
        f"{fmean(accuracies):.0%}" if accuracies else "",
    )


def _mean(values: Sequence[float]) -> str:
    return f"{mean(values):.1f}" if 1 < len(values) <= MOST_SEEDS else number(fmean(values))


def draw(path: Path, results: Sequence[Result]) -> None:
    """Draw the score at the end over the number of comparisons, a curve for each game."""
    with slide(path, "en") as axes:
        axes.set(title="Rewards learned from comparisons", xlabel="comparisons")
        axes.set(ylabel="score at the end / score at which the game is solved", xscale="log")
        for k, game in enumerate(dict.fromkeys(result.trial.game for result in results)):
            bar = GAMES[game].solved_score or 1.0
            groups = [g for g in grouped(results) if g[0].trial.game == game]
            own = [g for g in groups if g[0].trial.comparisons == 0]
            for share in dict.fromkeys(g[0].trial.mistakes for g in groups):
                curve = sorted(
                    (g[0].trial.comparisons, _interval([r.score / bar for r in g]))
                    for g in groups
                    if g[0].trial.comparisons and g[0].trial.mistakes == share
                )
                style = {"color": COLOURS[k], "marker": MARKERS[k], "ls": "--" if share else "-"}
                label = f"{game}, {share:.0%} wrong" if share else game
                counts, means = [c for c, _ in curve], [m for _, m in curve]
                errors = [[m.value - m.low for m in means], [m.high - m.value for m in means]]
                values = [m.value for m in means]
                axes.errorbar(counts, values, errors, capsize=5, label=label, **style)
            for group in own:
                value = fmean(result.score for result in group) / bar
                axes.axhline(value, color=COLOURS[k], ls=":", label=f"{game}, own reward")
        axes.set_ylim(0, None)
        axes.legend()


def _interval(values: Sequence[float]) -> Mean:
    return mean(values) if 1 < len(values) <= MOST_SEEDS else Mean(*[fmean(values)] * 3)
