"""Let a trained GPT go on with a commentary.

    python -m stages.pretraining.generate runs/NAME
    python -m stages.pretraining.generate runs/NAME --start "The ball"

The run is one of `train.py --env commentary`. No game is played: all of it is made up, token by
token, from what was said before.
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
from stages.datasets.tokenizer import END, FULL_STOP, encoded, tokenizer, written
from training.cli import INTERRUPTED, USAGE_ERROR, read_options
from training.trained_agent import load_agent, load_config

COMMENTARY = "Commentary-v0"
LONGEST = 60  # tokens of a sentence


@dataclass(frozen=True)
class GenerateOptions:
    """Go on with a commentary."""

    run: Annotated[Path, tyro.conf.Positional]
    """Folder of a run of train.py --env commentary."""
    start: str = ""
    """How it begins; by default a new game."""
    sentences: int = 8
    """How many to say."""
    temperature: float = 0.8
    """0: always the likeliest token; 1: each as often as it is likely."""
    seed: int = 1
    """Of what is drawn."""

    def __post_init__(self) -> None:
        if self.sentences < 1:
            raise ValueError(f"--sentences must be at least 1, not {self.sentences}")
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"--temperature must be between 0 and 10, not {self.temperature}")
        if self.seed < 0:
            raise ValueError(f"--seed must not be negative, but is {self.seed}")


def load(run: Path) -> tuple[GPTAgent, Commentary]:
    """The agent of a run, and what it has read.

    Raises:
        ValueError: if `run` is no run of a GPT on commentary.
    """
    config = load_config(run)
    if config.env != COMMENTARY or config.agent != GPTAgent.name:
        raise ValueError(f"{run} is a run of {config.agent} on {config.env}, not of a commentator")
    options = config.env_options | {"examples": 1}  # none has to be drawn
    env: gymnasium.Env[Any, Any] = gymnasium.make(COMMENTARY, **options)
    agent, dataset = load_agent(run, env), dataset_of(env)
    assert isinstance(agent, GPTAgent)
    assert isinstance(dataset, Commentary)
    return agent, dataset


def said(agent: GPTAgent, dataset: Commentary, options: GenerateOptions) -> Iterator[str]:
    """The start, and what follows on it, piece by piece.

    Raises:
        ValueError: if the start has letters that are not among its pieces.
    """
    made = tokenizer(dataset.language, dataset.pieces)
    start = encoded(made, [options.start])[0]
    unknown = sorted(set(options.start) - set(dataset.decoded(start)) - {" "})
    if unknown:
        raise ValueError(f"--start has letters that it has never read: {' '.join(unknown)}")
    yield dataset.decoded(start)
    generator = np.random.default_rng(options.seed)
    tokens = np.append(END, start)
    left, inside = options.sentences, len(start) > 0
    count = LONGEST * options.sentences
    for token in agent.continuation(tokens, count, options.temperature, generator):
        if token == END:
            yield "\n"
            inside = False
            continue
        piece = written(made, token)
        yield piece if inside else piece.lstrip()
        inside = True
        left -= piece.endswith(FULL_STOP)
        if not left:
            break
    yield "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        options: GenerateOptions = read_options(
            GenerateOptions, given, "-m stages.pretraining.generate"
        )
        agent, dataset = load(options.run)
        for piece in said(agent, dataset, options):
            print(piece, end="", flush=True)
    except (ValueError, OSError) as error:
        print(f"stages.pretraining.generate: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
