"""The interface for what a run logs, and the logger that writes it for TensorBoard."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from training.config import RunConfig
from training.gif import gif_bytes
from training.run_folder import EVENTS

Array = np.ndarray[Any, Any]


class Logger(Protocol):
    """Takes what training measures; every `step` is a number of environment steps."""

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Add one point to the curve of each tag."""

    def gif(self, tag: str, frames: list[Array], frames_per_second: float, step: int) -> None:
        """Add a picture or a video: frames uint8 (height, width, 3)."""

    def embedding(self, embedding: tuple[Array, dict[str, Array], Array | None], step: int) -> None:
        """Add points (n, k), columns (n,) to colour them by, and thumbnails (n, side, side)."""


class NoLogger:
    """A logger that writes nothing, for all ranks but the first; see `agents.ranks`."""

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Ignore the values."""

    def gif(self, tag: str, frames: list[Array], frames_per_second: float, step: int) -> None:
        """Ignore the pictures."""

    def embedding(self, embedding: tuple[Array, dict[str, Array], Array | None], step: int) -> None:
        """Ignore the points."""


LAYOUT = {
    "How good is the agent?": {
        "evaluation score": ["Multiline", ["eval/mean_score"]],
        "score in training, episodes by start": ["Multiline", ["task/score"]],
        "return in training, episodes by start": ["Multiline", ["rollout/ep_rew_mean"]],
    }
}
"""Curves of the Custom Scalars tab, the evaluation's first."""


class TensorBoardLogger:
    """Writes one run's curves, texts and pictures, with the tags of Stable-Baselines3."""

    def __init__(self, folder: Path, first_step: int) -> None:
        """Start after `first_step`; TensorBoard hides later points of an interrupted run."""
        _keep_order(folder)
        self._writer = SummaryWriter(str(folder), purge_step=first_step + 1, flush_secs=5)
        self._encoder = ThreadPoolExecutor(1)
        self._gifs: list[Future[None]] = []
        self._last_steps: dict[str, int] = {}

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Add one point to the curve of each tag; a second point at the same step is left out."""
        for tag, value in values.items():
            if self._last_steps.get(tag) != step:
                self._last_steps[tag] = step
                self._writer.add_scalar(tag, value, step)

    def text(self, tag: str, markdown: str) -> None:
        """Add a page to the Text tab."""
        self._writer.add_text(tag, markdown, 0)

    def settings(self, config: RunConfig, content: dict[str, Any]) -> None:
        """Add the run's row to the HParams tab, and the layout of the Custom Scalars tab.

        `SummaryWriter.add_hparams` would write the row into a run of its own.
        """
        self._writer.add_custom_scalars(LAYOUT)
        row: dict[str, Any] = {
            "env": config.env,
            "agent": config.agent,
            "reward": config.reward or "the environment's own",
            "pretrained": config.pretrained or "none",
            "freeze": config.freeze,
        }
        row |= {"seed": config.seed, "num_envs": config.num_envs} | content["settings"]
        row["curriculum"] = " ".join(config.curriculum) or "none"
        row |= {f"env.{name}": str(value) for name, value in config.env_options.items()}
        metrics = dict.fromkeys(("eval/mean_score", "eval/mean_reward", "time/fps"))
        row = {name: str(v) if isinstance(v, bool) else v for name, v in row.items()}
        for summary in hparams(row, metrics):
            self._add(summary)

    def gif(self, tag: str, frames: list[Array], frames_per_second: float, step: int) -> None:
        """Add a video to the Images tab; a thread encodes it while training goes on.

        `SummaryWriter.add_video` is not used: it needs moviepy, and newer versions break it.
        """
        writing = self._encoder.submit(self._write_gif, tag, frames, frames_per_second, step)
        self._gifs.append(writing)

    def embedding(self, embedding: tuple[Array, dict[str, Array], Array | None], step: int) -> None:
        """Add points (n, k), columns (n,), and uint8 thumbnails or None to the Projector tab."""
        points, labels, thumbnails = embedding
        points = np.pad(points, ((0, 0), (0, max(0, 2 - points.shape[1]))))
        rows = np.stack(list(labels.values()), 1).tolist()
        images = None if thumbnails is None else torch.from_numpy(thumbnails[:, None] / 255.0)
        self._writer.add_embedding(
            points, rows, images, step, tag="codes", metadata_header=list(labels)
        )

    def _write_gif(
        self, tag: str, frames: list[Array], frames_per_second: float, step: int
    ) -> None:
        height, width, _ = frames[0].shape
        gif = gif_bytes(frames, frames_per_second)
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=gif)
        self._add(Summary(value=[Summary.Value(tag=tag, image=image)]), step)

    def _add(self, summary: Any, step: int | None = None) -> None:
        file_writer: Any = self._writer.file_writer
        file_writer.add_summary(summary, step)

    def close(self) -> None:
        """Write everything that is still waiting. Errors of the encoder are raised here."""
        self._encoder.shutdown()
        for waiting in self._gifs:
            waiting.result()
        self._writer.close()


def _keep_order(folder: Path) -> None:
    """Rename event files of the future, which a clock that was set back leaves behind.

    TensorBoard reads the files of a run in the order of the times in their names.
    """
    latest = int(time.time()) - 1
    for file in sorted(folder.glob(f"{EVENTS}*"), reverse=True):
        stamp, _, rest = file.name.removeprefix(EVENTS).partition(".")
        if stamp.isdecimal() and int(stamp) > latest:
            file.rename(folder / f"{EVENTS}{latest:010d}.{rest}")
            latest -= 1
