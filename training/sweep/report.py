"""What a sweep found: a table, an entry for presets.toml and a picture."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from rewards.command_line import quoted
from training.config import versions
from training.messages import say
from training.run_folder import atomic_path
from training.sweep.options import Sweep
from training.sweep.trials import REASON, finished

SHOWN = 5
"""Number of the best trials that are shown."""
FEW = 4
"""Number of trials without which the importance of settings means nothing."""


def describe(trial: Any) -> str:
    """Return a line about a trial that is over."""
    settings = ", ".join(f"{name} {_shown(value)}" for name, value in trial.params.items())
    result = trial.state.name.lower() if trial.value is None else f"mean score {trial.value:.4g}"
    if trial.state.name == "PRUNED":
        result = f"stopped early after {len(trial.intermediate_values)} evaluations"
    if reason := trial.user_attrs.get(REASON):
        result = f"failed ({reason})"
    return f"trial {trial.number}: {result}, {settings}"


def report(console: Console, sweep: Sweep, study: Any) -> None:
    """Print the best trials, and write the best settings and the importance of each setting.

    Raises:
        ValueError: if no trial was complete.
    """
    over = finished(study)
    complete = [trial for trial in over if trial.value is not None]
    if not complete:
        reasons = [trial.user_attrs[REASON] for trial in over if REASON in trial.user_attrs]
        because = f" ({reasons[0]})" if reasons else ""
        raise ValueError(f"no trial of {sweep.folder} was complete{because}; try other options")
    best = sorted(complete, key=lambda trial: -trial.value)
    names = [name for name in sweep.ranges if len({t.params[name] for t in best[:SHOWN]}) > 1]
    table = Table(title=f"The best of {len(over)} trials ({len(complete)} complete)")
    for column in ("trial", "mean score", *names):
        table.add_column(column, justify="right")
    for trial in best[:SHOWN]:
        table.add_row(
            "preset" if trial.number == 0 else str(trial.number),
            f"{trial.value:.4g}",
            *(_shown(trial.params[name]) for name in names),
        )
    console.print(table)
    preset = next((trial.value for trial in complete if trial.number == 0), None)
    if preset is not None:
        say(console, f"The preset: {preset:.4g}.")
    file = sweep.folder / "best.toml"
    with atomic_path(file) as temporary:
        temporary.write_text(entry(sweep, best[0], len(over), preset), encoding="utf-8")
    say(console, f"Best settings, as in presets.toml: {file}")
    if len(complete) >= FEW:
        path = draw_importances(study, sweep.folder / "importance.png")
        say(console, f"Importance of the settings: {path}")
    say(console, f"Curves and HParams: tensorboard --logdir {quoted(sweep.folder)}")


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def entry(sweep: Sweep, best: Any, trials: int, preset: float | None) -> str:
    """Return an entry for presets.toml, with where it comes from."""
    used = versions()
    against = "" if preset is None else f"; the preset: {preset:.4g}"
    lines = [
        f"# {date.today()}: {sweep.command}",
        f"# trial {best.number} of {trials}, seeds {sweep.seeds_text}, "
        f"{sweep.config.steps:,} steps: mean score over all evaluations {best.value:.4g}{against}",
        f"# torch {used['torch']}, gymnasium {used['gymnasium']}",
        f'["{sweep.config.env}".{sweep.config.agent}]',
        *(f"{name} = {_toml(value)}" for name, value in best.params.items()),
    ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def draw_importances(study: Any, path: Path) -> Path:
    """Write a picture of how much each setting explains of the differences between trials."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from optuna.visualization.matplotlib import plot_param_importances

    plot_param_importances(study)
    pyplot.gcf().set_size_inches(8.0, 4.5)
    pyplot.tight_layout()
    pyplot.savefig(path)
    pyplot.close()
    return path
