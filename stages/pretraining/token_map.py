"""A map of the vectors of a language model's tokens: python -m stages token_map RUN

Each token gets a row of numbers, its embedding. The table shows, for some words, the tokens whose
vectors point in the most similar direction (cosine). The slide shows tokens in the plane of
the first two principal components. Nobody told the model what a token means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from agents.gpt import GPTAgent
from stages.datasets.commentary import Commentary
from stages.datasets.dataset import Array
from stages.datasets.tokenizer import tokenizer, written
from stages.lab.slides import COLOURS, slide, slide_file
from stages.lab.texts import load as load_texts
from stages.pictures.maps import in_a_plane
from stages.pretraining.generate import load
from training.cli import File, read_options

SHOWN, ROWS, NEAR = 48, 12, 4
"""Tokens on the slide, rows of the table, and neighbours in each."""
SHORTEST = 3  # letters of a token that is shown


@dataclass(frozen=True)
class TokenMapOptions:
    """Show which tokens have similar vectors in the GPT of a run."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run folder of `train.py --env commentary`."""
    lang: Literal["en", "ko"] = "en"
    """Language of the table and the slide; the tokens are in the language of the run."""
    out: File = None
    """File of the slide; by default token_map.png (token_map.ko.png) in the current folder."""


def words_and_vectors(agent: GPTAgent, dataset: Commentary) -> tuple[list[str], Array]:
    """Return tokens that are whole words, and their embeddings (k, width), the longest first.

    A vector starts near zero. It is long if its token was read often.
    """
    made = tokenizer(dataset.language, dataset.pieces)
    vectors = agent.policy_tensors()["network.backbone.token_embedding.weight"].numpy(force=True)
    texts = {token: written(made, token) for token in range(len(vectors))}
    whole = [token for token, text in texts.items() if text[:1] == " " and len(text) > SHORTEST]
    order = sorted(whole, key=lambda token: -float(np.linalg.norm(vectors[token])))[:SHOWN]
    return [texts[token].strip() for token in order], vectors[order]


def neighbours(vectors: Array) -> Array:
    """Return the indices (k, NEAR) of the vectors with the largest cosine, the largest first."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T - 2 * np.eye(len(unit))  # a vector is not its own neighbour
    return np.argsort(-cosines, axis=1, kind="stable")[:, :NEAR]


def draw(axes: Any, texts: dict[str, Any], words: Sequence[str], plane: Array) -> None:
    """Draw the words at their places (k, 2)."""
    axes.set(title=texts["title"], xlabel=texts["x"], xticks=[], yticks=[])
    axes.grid(False)
    axes.scatter(*plane.T, s=1, color="white")
    for k, (word, place) in enumerate(zip(words, plane, strict=True)):
        colour = COLOURS[k % len(COLOURS)]
        axes.text(*place, word, fontsize=13, color=colour, ha="center", va="center", clip_on=True)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ValueError: for options or files that cannot be used.
        OSError: if a file cannot be read or written.
    """
    options: TokenMapOptions = read_options(TokenMapOptions, arguments, "-m stages token_map")
    path = slide_file(options.out, "token_map", options.lang)
    agent, dataset = load(options.run)
    texts = load_texts("token_map", options.lang)
    words, vectors = words_and_vectors(agent, dataset)
    table = Table(*texts["columns"], title=texts["table"])
    near = neighbours(vectors)
    for k in range(0, len(words), max(1, len(words) // ROWS)):
        table.add_row(words[k], ", ".join(words[other] for other in near[k]))
    Console().print(table, markup=False)
    with slide(path, dataset.language if options.lang == "en" else "ko") as axes:
        draw(axes, texts, words, in_a_plane(vectors))
    print(f"{load_texts('lab', options.lang)['slide']}: {path}")
