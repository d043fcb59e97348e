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
from typing import Any, NamedTuple

import numpy as np

from envs.engine.game import SAMPLE_RATE
from envs.paddle.sound import SAMPLES
from stages.datasets.dataset import Array
from stages.datasets.griffin_lim import waves_of
from stages.datasets.listen import QUESTIONS, Listen
from stages.datasets.sounds import KINDS, PARAMETERS, Sounds
from stages.datasets.spectrogram import log_mel
from stages.datasets.synthesize import described
from stages.lab.claims import Claim, mean_of
from stages.lab.experiment import Experiment
from stages.lab.options import ExperimentOptions
from stages.lab.results import Cell, Results, Table
from stages.lab.slides import COLOURS
from stages.lab.trials import Trial, run_trial
from training.cli import File, check_file
from training.config import RunConfig
from training.run_folder import atomic_path

MADE = 300  # sounds
PITCHES = (0.2, 0.5, 0.8)  # on the slide and in the file, of each kind
LISTENING = {"examples": 5_000, "test_examples": 1_000}
QUIET = Sounds(background=0.0, observation="waveform")


@dataclass(frozen=True)
class SynthesisOptions(ExperimentOptions):
    """Run the experiment: print a table and its conclusions, and write a slide and sounds."""

    wav: File = None
    """File (WAV) for three sounds of each kind, from low to high, made by the first network."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_file("--wav", self.wav)


class Heard(NamedTuple):
    """The sounds that one network made."""

    errors: dict[Cell, float]
    """Errors of the listeners on sounds of the network and of the game, and without listening."""
    waves: Array
    """Sounds (kinds * pitches, samples)."""


def make_and_listen(config: RunConfig) -> Heard:
    """Train the network and the listeners, make sounds, and measure how they are heard."""
    maker = run_trial(config)[0].agent
    generator = np.random.default_rng(config.seed)

    def make(kinds: Array, numbers: Array) -> Array:
        spectrograms = maker.act(described(kinds, numbers), explore=False)
        return waves_of(spectrograms, generator)

    def record(waves: Array) -> Array:
        noise = Sounds.background * generator.standard_normal(waves.shape)
        return log_mel(np.clip(waves + noise, -1.0, 1.0).astype(np.float32))

    numbers = np.full((MADE, PARAMETERS), 0.5, np.float32)
    numbers[:, : len(QUESTIONS)] = generator.random((MADE, len(QUESTIONS)), np.float32)
    kinds = np.arange(MADE) % len(KINDS)
    sounds = {
        "made": record(make(kinds, numbers[:, : len(QUESTIONS)])),
        "real": record(QUIET.make_waves(kinds, numbers, generator)),
    }
    errors: dict[Cell, float] = {("kind", "deaf"): 100 * (1 - 1 / len(KINDS))}
    listener = Trial("sounds", 51_200, options=LISTENING).config(config.seed)
    agent = run_trial(listener)[0].agent
    for key, heard in sounds.items():
        errors["kind", key] = 100 * float((agent.act(heard, explore=False) != kinds).mean())
    for question in QUESTIONS:
        asked = Trial("listen", 51_200, options={**LISTENING, "question": question})
        agent = run_trial(asked.config(config.seed))[0].agent
        targets = Listen(question=question).targets_of(kinds, numbers)
        for key, heard in sounds.items():
            errors[question, key] = error(agent.act(heard, explore=False), targets)
        errors[question, "deaf"] = error(np.median(targets), targets)
    wanted = np.array([(pitch, 0.9) for pitch in PITCHES] * len(KINDS), np.float32)
    return Heard(errors, make(np.repeat(np.arange(len(KINDS)), len(PITCHES)), wanted))


def error(answers: Any, targets: Array) -> float:
    """Return the mean absolute error of answers in 0..1, in percent."""
    return 100 * float(np.abs(answers - targets).mean())


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
    grid={"synthesize": Trial("synthesize", steps=102_400, options={"examples": 3_000})},
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
