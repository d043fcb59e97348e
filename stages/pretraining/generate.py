"""Continue a commentary with a trained GPT.

    python -m stages generate runs/NAME
    python -m stages generate runs/NAME --start "The ball"

The run is one of `train.py --env commentary`. No game is played: the GPT samples token after token,
each from the tokens before it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import gymnasium
import numpy as np
import tyro

from agents.gpt import GPTAgent
from stages.datasets.commentary import Commentary
from stages.datasets.environments import dataset_of
from stages.datasets.tokenizer import (
    END,
    FULL_STOP,
    UNKNOWN_PIECE,
    decoded,
    encoded,
    tokenizer,
    unknown_letters,
    written,
)
from training.cli import read_options
from training.trained_agent import load_agent, load_config

COMMENTARY = "Commentary-v0"
LONGEST = 60  # tokens of a sentence


@dataclass(frozen=True)
class GenerateOptions:
    """Continue a commentary with the GPT of a run."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run folder of `train.py --env commentary`."""
    start: Annotated[str, tyro.conf.arg(help_behavior_hint="")] = ""
    """First words. By default, a new game starts."""
    sentences: int = 8
    """Number of sentences."""
    temperature: float = 0.8
    """0 takes the most likely token; 1 samples with the predicted probabilities."""
    seed: int = 1
    """Seed of the samples."""

    def __post_init__(self) -> None:
        if self.sentences < 1:
            raise ValueError(f"--sentences must be at least 1, got {self.sentences}")
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"--temperature must be between 0 and 10, got {self.temperature}")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"--seed must be between 0 and {2**32 - 1:,}, got {self.seed}")


def load(run: Path) -> tuple[GPTAgent, Commentary]:
    """Return the agent of a run and the dataset that it was trained on.

    Raises:
        ValueError: If it is not a run of a GPT on commentaries.
    """
    config = load_config(run)
    if config.env != COMMENTARY or config.agent != GPTAgent.name:
        raise ValueError(
            f"{run} is a run of {config.agent} on {config.env}; it must be gpt on {COMMENTARY}"
        )
    options = config.env_options | {"examples": 1}  # none is needed
    env: gymnasium.Env[Any, Any] = gymnasium.make(COMMENTARY, **options)
    agent, dataset = load_agent(run, env), dataset_of(env)
    assert isinstance(agent, GPTAgent)
    assert isinstance(dataset, Commentary)
    return agent, dataset


def generate(agent: GPTAgent, dataset: Commentary, options: GenerateOptions) -> Iterator[str]:
    """Yield the start of a commentary and its continuation, one line for each game."""
    pieces = tokenizer(dataset.language, dataset.pieces)
    line = encoded(pieces, [options.start])[0].tolist()
    generator = np.random.default_rng(options.seed)
    tokens, count = np.array([END, *line]), LONGEST * options.sentences
    left = options.sentences
    for token in agent.continuation(tokens, count, options.temperature, generator):
        if token == END:
            yield decoded(pieces, line)
            line = []
            continue
        line.append(token)
        left -= written(pieces, token).endswith(FULL_STOP)
        if not left:
            break
    yield decoded(pieces, line)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ValueError: for options or files that cannot be used.
        OSError: if a file cannot be read or written.
    """
    options: GenerateOptions = read_options(GenerateOptions, arguments, "-m stages generate")
    agent, dataset = load(options.run)
    unknown = unknown_letters(tokenizer(dataset.language, dataset.pieces), options.start)
    if unknown:
        print(
            f"stages generate: warning: {UNKNOWN_PIECE} stands for letters of --start that the "
            f"run has never read: {unknown}",
            file=sys.stderr,
        )
    for line in generate(agent, dataset, options):
        print(line, flush=True)
