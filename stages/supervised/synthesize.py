"""Are sounds that a network makes heard as what was wanted?

    python -m stages synthesize
    python -m stages synthesize --wav sounds.wav

A network learns to predict a spectrogram from three wishes: the kind of the sound, how high it is
and how loud (`--env synthesize`). The spectrogram is turned into a wave, which `--wav` writes. Then
three other networks, which have learned from the game's own sounds, listen to a recording of it
with noise in the background: which kind is it (`--env sounds`), how high and how loud (`--env
listen`)? The errors are compared with those of the best answer without listening.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.engine.game import SAMPLE_RATE
from envs.paddle.sound import SAMPLES
from stages.datasets.listen import QUESTIONS
from stages.datasets.sounds import KINDS
from stages.datasets.spectrogram import log_mel
from stages.lab.claims import Claim, mean_of
from stages.lab.experiment import Experiment
from stages.lab.options import ExperimentOptions
from stages.lab.results import Cell, Results, Table
from stages.lab.slides import COLOURS
from stages.lab.trials import Trial
from stages.supervised.listening import FEW, PITCHES, Heard, make_and_listen
from training.cli import File, check_file
from training.run_folder import atomic_path


@dataclass(frozen=True)
class SynthesisOptions(ExperimentOptions):
    """Run the experiment: print a table and its conclusions, and write a slide and sounds."""

    wav: File = None
    """File (WAV) for three sounds of each kind, from low to high, made by the first network."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_file("--wav", self.wav)


def errors_of(cell: Cell, heard: Heard) -> dict[Cell, float]:
    """Return the errors of a trial."""
    return heard.errors


def table(results: Results) -> Table:
    """Return a row for each question."""
    rows = []
    for question in ("kind", *QUESTIONS):
        means = (results.mean((question, key)) for key in ("made", "real", "deaf"))
        rows.append((results.texts[question], *(f"{each:.1f}" for each in means)))
    return Table(results.texts["columns"], rows)


def write_sounds(results: Results) -> str:
    """Write the file of `--wav`, if it is wanted, and return a sentence about it."""
    path = results.options.wav  # type: ignore[attr-defined]
    if path is None:
        return ""
    waves = results.found["synthesize"][0].waves
    pauses = np.zeros((len(waves), SAMPLES))
    numbers = (32_767 * np.concatenate((waves, pauses), 1)).astype("<i2")
    with atomic_path(path) as temporary, wave.open(str(temporary), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", "not compressed"))
        file.writeframes(numbers.tobytes())
    return str(results.texts["written"].format(path=path))


def plot(axes: Any, results: Results) -> None:
    """Draw the sounds: wave and spectrogram of each."""
    axes.set_axis_off()
    axes.set_title(results.texts["title"])
    waves, columns = results.found["synthesize"][0].waves, len(PITCHES)
    for k, sound in enumerate(waves):
        row, column = divmod(k, columns)
        left, bottom = column / columns + 0.03, 0.68 - row / 3
        place = axes.inset_axes((left, bottom, 0.17, 0.24))
        place.plot(sound, color=COLOURS[row], lw=0.6)
        place.set_ylim(-1, 1)
        if column == 0:
            place.set_ylabel(results.texts[KINDS[row]])
        seen = axes.inset_axes((left + 0.18, bottom, 0.11, 0.24))
        seen.imshow(log_mel(sound[None])[0, 0], cmap="gray", aspect="auto", vmin=0, vmax=255)
        for each in (place, seen):
            each.set(xticks=[], yticks=[])
            each.grid(False)
        if row == 0:
            axes.text(left + 0.14, 0.95, results.texts["pitches"][column], ha="center")


EXPERIMENT = Experiment(
    options=SynthesisOptions,
    grid={"synthesize": Trial("synthesize", steps=102_400, options=FEW)},
    measure=make_and_listen,
    values=errors_of,
    table=table,
    conclusions=(
        *(
            Claim(
                *(f"{question}_verdict", (question, "made"), (question, "deaf")),
                smaller=True,
                words={"made": mean_of((question, "made")), "deaf": mean_of((question, "deaf"))},
            )
            for question in ("kind", *QUESTIONS)
        ),
        write_sounds,
    ),
    plot=plot,
)
