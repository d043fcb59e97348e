"""How many bytes does a screen take as latent codes, and as a PNG with the same error?

    python -m stages compression

The autoencoder stores a screen as its latent codes, each rounded to one byte. The PNG has fewer
pixels and fewer shades of grey, whichever combination is smallest at each error; only its
compressed data counts, not the 57 bytes around it. The decoder, which turns codes into screens, has
to be stored too: the last sentence says after how many screens this pays off.
"""

from __future__ import annotations

import math
from typing import Any

from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.intervals import ratio
from stages.lab.plots import draw_curve, draw_footer, make_logarithmic
from stages.lab.results import Cell, Results, Table
from stages.lab.slides import COLOURS, MARKERS
from stages.unsupervised.autoencoders import autoencoder
from stages.unsupervised.png import Compressed, compress

CODES = (1, 2, 4, 8, 16)
COMPARED = 8


def values(codes: int, found: Compressed) -> dict[Cell, float]:
    """Return the error, and the bytes as PNG and as codes."""
    bytes_of = {("png", codes): found.png_bytes, ("codes", codes): float(codes)}
    errors = {("error", codes): found.error, ("linear", codes): found.linear_error}
    return {**errors, **bytes_of}


def table(results: Results) -> Table:
    """Return a row for each number of codes."""
    rows = []
    for n in CODES:
        times = ratio(results.values["png", n], results.values["codes", n])
        error, linear = results.mean(("error", n)), results.mean(("linear", n))
        png = results.mean(("png", n))
        rows.append((str(n), f"{error:.1f}", f"{linear:.1f}", f"{png:.0f}", f"{times.value:.1f}"))
    return Table(results.texts["columns"], rows)


def price(results: Results) -> str:
    """Return the sentence on the decoder; an empty one if it never pays off."""
    saved = results.mean(("png", COMPARED)).value - COMPARED  # bytes per screen
    if saved <= 0:
        return ""
    decoder = results.found[COMPARED][0].decoder
    text: str = results.texts["price"]
    return text.format(decoder=decoder, break_even=math.ceil(decoder / saved))


def plot(axes: Any, results: Results) -> None:
    """Draw the errors over the bytes."""
    for k, (kind, text) in enumerate((("error", "codes"), ("linear", "linear"))):
        errors = [results.mean((kind, n)) for n in CODES]
        draw_curve(axes, 2 * k, CODES, errors, results.texts[text])
    png, label = results.found[CODES[0]][0].png, results.texts["png"]
    axes.plot(*zip(*png, strict=True), color=COLOURS[1], marker=MARKERS[1], label=label)
    make_logarithmic(axes, (1, 2, 4, 8, 16, 32, 64, 128))
    axes.set_ylim(bottom=0)
    axes.legend()
    draw_footer(axes, results, "intervals")


EXPERIMENT = Experiment(
    grid={codes: autoencoder(codes, steps=115_200) for codes in CODES},
    measure=compress,
    values=values,
    table=table,
    conclusions=(
        Claim(
            *("verdict", ("png", COMPARED), ("codes", COMPARED)),
            compare=ratio,
            words={"codes": COMPARED},
        ),
        Claim(
            *("nonlinear", ("linear", COMPARED), ("error", COMPARED)),
            compare=ratio,
            words={"codes": COMPARED},
        ),
        price,
    ),
    plot=plot,
)
