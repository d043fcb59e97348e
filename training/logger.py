"""TensorBoard: curves under Stable-Baselines3's tags, settings, rewards, and pictures."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from training.config import RunConfig
from training.gif import gif_bytes

Array = np.ndarray[Any, Any]


class Logger:
    """Writes one run's events; the step axis is environment steps."""

    takes_pictures = True

    def __init__(self, folder: Path, first_step: int) -> None:
        """Begin at `first_step`: what an interrupted run wrote of later steps is hidden."""
        self._writer = SummaryWriter(str(folder), purge_step=first_step or None, flush_secs=5)
        self._encoder = ThreadPoolExecutor(1)
        self._films: list[Future[None]] = []

    def scalars(self, values: dict[str, float], step: int) -> None:
        """One point on each curve."""
        for tag, value in values.items():
            self._writer.add_scalar(tag, value, step)

    def text(self, tag: str, markdown: str) -> None:
        """A page in the Text tab."""
        self._writer.add_text(tag, markdown, 0)

    def settings(self, config: RunConfig, content: dict[str, Any]) -> None:
        """The HParams tab: one row a run, without the sub-run that `add_hparams` would make."""
        row: dict[str, Any] = {
            "env": config.env,
            "agent": config.agent,
            "reward": config.reward or "its own",
            "pretrained": config.pretrained or "no",
            "freeze": config.freeze,
        }
        row |= {"seed": config.seed, "num_envs": config.num_envs} | content["settings"]
        row |= {f"env.{name}": str(value) for name, value in config.env_options.items()}
        metrics = dict.fromkeys(("eval/mean_score", "eval/mean_reward", "time/fps"))
        row = {name: str(v) if isinstance(v, bool) else v for name, v in row.items()}
        for summary in hparams(row, metrics):
            self._add(summary)

    def gif(self, tag: str, frames: list[Array], frames_per_second: float, step: int) -> None:
        """A moving picture in the Images tab, encoded beside the training.

        It is written as a GIF by hand: `add_video` needs moviepy, whose newer versions break it.
        """
        self._films.append(
            self._encoder.submit(self._write_gif, tag, frames, frames_per_second, step)
        )

    def embedding(self, embedding: tuple[Array, dict[str, Array], Array | None], step: int) -> None:
        """Points (n, k) in the Projector tab, numbers (n,) by name to colour them by, thumbnails.

        Thumbnails are uint8 (n, side, side), or None.
        """
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
        image = Summary.Image(
            height=height,
            width=width,
            colorspace=3,
            encoded_image_string=gif_bytes(frames, frames_per_second),
        )
        summary = Summary(value=[Summary.Value(tag=tag, image=image)])
        self._add(summary, step)

    def _add(self, summary: Any, step: int | None = None) -> None:
        file_writer: Any = self._writer.file_writer
        file_writer.add_summary(summary, step)

    def close(self) -> None:
        """Write what is still waiting; errors of the encoding come up here."""
        self._encoder.shutdown()
        for waiting in self._films:
            waiting.result()
        self._writer.close()
