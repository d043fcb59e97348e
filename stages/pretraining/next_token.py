"""The examples that a language model learns from a sentence: python -m stages next_token RUN

The text so far is the observation, and the token that follows is the label: nobody has to label
anything. Each row is one example, with the five tokens that the GPT of the run thinks most likely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from agents.gpt import GPTAgent
from stages.datasets.commentary import Commentary
from stages.datasets.tokenizer import END, decoded, encoded, tokenizer, unknown_letters, written
from stages.lab.texts import load as load_texts
from stages.pretraining.generate import load
from training.cli import Text, read_options

LIKELY = 5  # tokens in each row
SENTENCES = {"en": "The ball comes slowly to the middle.", "ko": "공이 천천히 가운데로 옵니다."}


@dataclass(frozen=True)
class NextTokenOptions:
    """Show a sentence as training examples, with the most likely tokens of the GPT of a run."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run folder of `train.py --env commentary`."""
    text: Text = None
    """Sentence; by default one in the language of the run."""
    lang: Literal["en", "ko"] = "en"
    """Language of the table."""


class Example(NamedTuple):
    """One example."""

    before: str
    """The text so far."""
    label: str
    """The token that follows."""
    likely: list[tuple[str, float]]
    """The most likely tokens and their probabilities."""
    right: bool
    """Whether the most likely token is the label."""


def examples(agent: GPTAgent, dataset: Commentary, text: str) -> list[Example]:
    """Return the examples that `text` contains, after the end of another game."""
    made = tokenizer(dataset.language, dataset.pieces)
    tokens = [END, *encoded(made, [text])[0].tolist()]
    found = []
    for k in range(1, len(tokens)):
        seen = tokens[max(0, k - dataset.window) : k]
        probabilities = agent.insight(np.array(seen)).probabilities
        assert probabilities is not None
        order = np.argsort(-probabilities, kind="stable")[:LIKELY].tolist()
        likely = [(written(made, token), float(probabilities[token])) for token in order]
        before, label = decoded(made, tokens[1:k]), written(made, tokens[k])
        found.append(Example(before, label, likely, order[0] == tokens[k]))
    return found


def show(found: Sequence[Example], unknown: str, texts: dict[str, Any]) -> None:
    """Print a row for each example, and how many labels were predicted."""
    table = Table(title=texts["title"])
    for heading in ("#", *texts["columns"]):
        table.add_column(heading)
    for number, (before, label, likely, _) in enumerate(found, 1):
        words = ", ".join(f"{word.strip() or '▁'} {share:.0%}" for word, share in likely)
        table.add_row(str(number), before, label.strip() or "▁", words)
    console = Console()
    console.print(table, markup=False)
    right = sum(example.right for example in found)
    console.print(texts["verdict"].format(right=right, count=len(found)), highlight=False)
    if unknown:
        console.print(texts["unknown"].format(letters=unknown), highlight=False, markup=False)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ValueError: for options or files that cannot be used.
        OSError: if a file cannot be read or written.
    """
    options: NextTokenOptions = read_options(NextTokenOptions, arguments, "-m stages next_token")
    agent, dataset = load(options.run)
    text = SENTENCES[dataset.language] if options.text is None else options.text
    if not text.strip():
        raise ValueError("--text must have letters")
    unknown = unknown_letters(tokenizer(dataset.language, dataset.pieces), text)
    show(examples(agent, dataset, text), unknown, load_texts("next_token", options.lang))
