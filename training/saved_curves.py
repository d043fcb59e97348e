"""The curves of a run, read from its folder and drawn."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agents.agent import Array
from envs.names import suggest
from training.run_folder import EVENTS, RunError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCORES = {"eval/mean_score": "evaluation", "task/score": "training"}
REWARDS = {"eval/mean_reward": "evaluation", "rollout/ep_rew_mean": "training"}
PANEL = 5.0, 3.2
"""Width and height of one panel of a figure in inches."""
DOTS_PER_INCH = 100
MAX_SIZE = 2_000_000_000
"""Maximum size of the files of the curves in bytes; videos of long runs need much."""


class Curve(NamedTuple):
    """The points of one curve."""

    steps: Array
    """Environment steps (n,), int64."""
    values: Array
    """Values (n,), float64."""


def read_curves(folder: Path) -> dict[str, Curve]:
    """Return the curves of a run by tag, as TensorBoard shows them; empty if there are none.

    Executes nothing of the run.

    Raises:
        RunError: if the files of the curves are damaged.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _check_files(folder)
    one = dict.fromkeys(("images", "audio", "tensors", "histograms", "compressedHistograms"), 1)
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, **one})
    try:
        events.Reload()
        found = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
    except Exception as error:  # whatever protobuf and TensorBoard raise for a damaged file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RunError(f"{folder} is damaged: its curves cannot be read ({reason})") from None
    return {
        tag: Curve(
            np.array([point.step for point in points], np.int64),
            np.array([point.value for point in points], np.float64),
        )
        for tag, points in found.items()
    }


def _check_files(folder: Path) -> None:
    """Check that the files of the curves are regular files of a plausible size."""
    size = 0
    for file in folder.glob(f"{EVENTS}*"):
        status = os.lstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise RunError(f"{file} cannot be read: it is not a regular file")
        size += status.st_size
    if size > MAX_SIZE:
        raise RunError(f"{folder} is damaged: its curves are larger than {MAX_SIZE:,} bytes")


def draw_curves(curves: Mapping[str, Curve], tags: Sequence[str] = (), title: str = "") -> Figure:
    """Return a figure with a panel for each tag; by default, of the scores and of the reward.

    Raises:
        ValueError: if there is no such curve.
        ImportError: if matplotlib is not installed.
    """
    for tag in tags:
        if tag not in curves:
            raise ValueError(f"there is no curve `{tag}`; {suggest(tag, curves)}")
    panels: list[tuple[str, dict[str, str]]] = [(tag, {tag: ""}) for tag in tags]
    if not tags:
        panels = [("score of an episode", SCORES), ("reward of an episode", REWARDS)]
    figure = _new_figure(len(panels))
    for axes, (label, shown) in zip(figure.axes, panels, strict=True):
        for tag, name in shown.items():
            if tag in curves:
                axes.plot(*curves[tag], label=name or None, marker=".", markersize=4)
        axes.set(xlabel="steps", ylabel=label)
        axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
        axes.xaxis.set_major_locator(_few_ticks())
        axes.grid(alpha=0.3)
        if len(axes.lines) > 1:
            axes.legend()
    figure.suptitle(title, fontsize="medium")
    return figure


def _new_figure(panels: int) -> Figure:
    """Return a figure with empty panels, outside of pyplot and its global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        text = "plot() needs matplotlib; install it with: pip install matplotlib"
        raise ImportError(text) from None

    class NotebookFigure(Figure):
        """A figure that a notebook shows as the last value of a cell."""

        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png", dpi=DOTS_PER_INCH)
            return file.getvalue()

    width, height = PANEL
    figure = NotebookFigure(figsize=(panels * width, height), layout="constrained")
    figure.subplots(1, panels)
    return figure


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)
