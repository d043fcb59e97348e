"""How many bytes a screen takes as latent codes, as principal components, and as a PNG."""

from __future__ import annotations

import io
import itertools
from typing import NamedTuple

import numpy as np
from PIL import Image

from agents.supervised import Policy, SupervisedAgent
from stages.datasets.dataset import Array, examples_of
from stages.datasets.environments import dataset_of
from stages.datasets.reconstruct import squares
from stages.unsupervised.autoencoders import train_and_encode
from training.config import RunConfig
from training.vector_runner import make_environments

SCREENS = 1_000
PNG_SCREENS = 100
SIDES = (24, 16, 12, 8, 6, 4, 3)
GREYS = (256, 64, 32, 16, 8, 4, 2)
SIGNATURE, FRAME = 8, 12  # bytes before the chunks of a PNG, and around the data of each
BIT_DEPTHS = (1, 2, 4)  # of a PNG that has fewer than 256 shades


class Compressed(NamedTuple):
    """What one autoencoder achieved; errors are in percent of the error of a black screen."""

    error: float
    """Error of the reconstructed screens."""
    png_bytes: float
    """Bytes of the smallest PNG with at most this error."""
    decoder: int
    """Bytes of the decoder."""
    png: list[tuple[float, float]]
    """Bytes and error of every PNG variant that no smaller one matches."""
    linear_error: float
    """Error of screens that are rebuilt from as many principal components, in a byte each."""


def compress(config: RunConfig) -> Compressed:
    """Train an autoencoder, and compress test screens with it and as PNG."""
    agent, screens, _, codes = train_and_encode(config, SCREENS)
    dataset = dataset_of(make_environments(config.env, 1, config.make_options))
    known = examples_of(dataset, "train").observations
    png = best_variants(png_variants(screens[:PNG_SCREENS, 0]))
    error = relative_error(agent.decode(round_to_bytes(codes)), screens)
    linear_error = relative_error(by_components(known, screens, codes.shape[1]), screens)
    return Compressed(error, png_bytes_at(error, png), decoder_bytes(agent), png, linear_error)


def by_components(known: Array, screens: Array, count: int) -> Array:
    """Rebuild screens (n, ...) from their first `count` principal components, in a byte each.

    The components, the linear counterpart of an autoencoder (Baldi and Hornik, "Neural networks
    and principal component analysis", 1989), are those of other screens `known` (m, ...).
    """
    rows = known.reshape(len(known), -1).astype(np.float32)
    middle = rows.mean(0)
    _, directions = np.linalg.eigh(np.cov((rows - middle).T))
    components = directions[:, -count:].astype(np.float32)
    codes = round_to_bytes((screens.reshape(len(screens), -1) - middle) @ components)
    return np.asarray(middle + codes @ components.T).reshape(screens.shape)


def round_to_bytes(codes: Array) -> Array:
    """Round latent codes (n, k) to 256 equal steps of the range of each."""
    low, high = codes.min(0), codes.max(0)
    steps = np.round((codes - low) / (high - low) * 255)
    return np.asarray(low + steps / 255 * (high - low), np.float32)


def decoder_bytes(agent: SupervisedAgent) -> int:
    """Return the size of the decoder, with four bytes per weight."""
    assert isinstance(agent.network, Policy)
    assert agent.network.bottleneck is not None
    parts = (agent.network.bottleneck.decoder, agent.network.head)
    return sum(4 * p.numel() for part in parts for p in part.parameters())


def relative_error(rebuilt: Array, screens: Array) -> float:
    """Return the squared error in percent of that of black screens."""
    originals = screens.astype(np.float32)
    return 100 * float(squares(rebuilt - originals).sum() / squares(originals).sum())


def png_variants(screens: Array) -> list[tuple[float, float]]:
    """Return the mean bytes and the error of screens (n, side, side) in every PNG variant."""
    found = []
    for side, greys in itertools.product(SIDES, GREYS):
        pictures = [as_png(screen, side, greys) for screen in screens]
        rebuilt = np.stack([picture for _, picture in pictures])
        size = float(np.mean([size for size, _ in pictures]))
        found.append((size, relative_error(rebuilt, screens)))
    return found


def as_png(screen: Array, side: int, greys: int) -> tuple[int, Array]:
    """Compress a screen to `side` x `side` pixels of `greys` shades of grey.

    Returns: The bytes of the compressed data, with a byte per pixel or with as few bits as `greys`
    allows, whichever is smaller, and the screen at its original size.
    """
    small = Image.fromarray(screen).resize((side, side), Image.Resampling.BOX)
    levels = np.round(np.asarray(small, np.float64) / 255 * (greys - 1))
    shown = np.round(levels * 255 / (greys - 1)).astype(np.uint8)
    sizes = [data_bytes(Image.fromarray(shown))]
    for bits in [bits for bits in BIT_DEPTHS if greys <= 2**bits][:1]:
        numbers = Image.fromarray(levels.astype(np.uint8))
        numbers.putpalette([level for grey in range(2**bits) for level in (grey, grey, grey)])
        sizes.append(data_bytes(numbers, bits=bits))
    large = Image.fromarray(shown).resize(screen.shape, Image.Resampling.BICUBIC)
    return min(sizes), np.asarray(large, np.float32)


def data_bytes(picture: Image.Image, **options: int) -> int:
    """Return the bytes of a picture's compressed data in a PNG, without all that is around it."""
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, **options)
    png, place, size = file.getvalue(), SIGNATURE, 0
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        size += length * (png[place + 4 : place + 8] == b"IDAT")
        place += length + FRAME
    return size


def best_variants(variants: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the variants (bytes, error) that no smaller one matches, from the smallest on."""
    front: list[tuple[float, float]] = []
    for size, error in sorted(variants):
        if not front or error < front[-1][1]:
            front.append((size, error))
    return front


def png_bytes_at(error: float, front: list[tuple[float, float]]) -> float:
    """Return the bytes of the smallest variant with at most this error."""
    return next(size for size, png_error in front if png_error <= error)
