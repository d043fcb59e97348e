"""A causal transformer: a row of vectors goes in, each comes out knowing those before it.

The decoder of Vaswani et al. ("Attention is all you need", 2017) as GPT-2 has it (Radford et al.
2019): layers are normalised before what they add, not after. What the vectors are (tokens,
examples, observations), and where in the row each stands, is the caller's business.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SPREAD = 0.02  # of the first weights, as in GPT-2
WIDENING = 4  # times the width: the hidden layer behind each attention


class Transformer(nn.Module):
    """`layers` blocks of attention with `heads` heads, and a last normalisation."""

    def __init__(self, width: int, layers: int, heads: int, generator: torch.Generator) -> None:
        """Draw the weights.

        Raises:
            ValueError: if the heads cannot share the width evenly.
        """
        super().__init__()
        if width % heads:
            raise ValueError(f"width must be a multiple of heads, not {width} of {heads}")
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        # All that is added up on the way should be about as large, however many layers there are.
        shares = {"outwards": SPREAD / math.sqrt(2 * layers)}
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                spread = shares.get(name.split(".")[-2], SPREAD)
                nn.init.normal_(parameter, 0.0, spread, generator)

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, t, width) to (n, t, width); the k-th depends on the first k alone."""
        for block in self.blocks:
            vectors = block(vectors)
        normed: Tensor = self.norm(vectors)
        return normed


class Block(nn.Module):
    """What one layer adds: first what others in the row say, then a thought about it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = CausalAttention(width, heads)
        self.thought_norm = nn.LayerNorm(width)
        self.thought = Thought(width)

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, t, width) to (n, t, width)."""
        vectors = vectors + self.attention(self.attention_norm(vectors))
        added: Tensor = self.thought(self.thought_norm(vectors))
        return vectors + added


class CausalAttention(nn.Module):
    """Each vector asks those before it and itself, and takes over what the fitting ones say."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inwards = nn.Linear(width, 3 * width, bias=False)
        self.outwards = nn.Linear(width, width, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, t, width) to (n, t, width)."""
        count, length, width = vectors.shape
        parts = self.inwards(vectors).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (n, heads, t, width / heads) each
        said = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        together: Tensor = self.outwards(said.transpose(1, 2).reshape(count, length, width))
        return together


class Thought(nn.Module):
    """Two linear layers, of each vector by itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inwards = nn.Linear(width, WIDENING * width, bias=False)
        self.outwards = nn.Linear(WIDENING * width, width, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, t, width) to (n, t, width)."""
        added: Tensor = self.outwards(functional.gelu(self.inwards(vectors)))
        return added
