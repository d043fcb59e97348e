"""A causal transformer: each output vector depends on its own input and on those before it.

The decoder of Vaswani et al., "Attention is all you need" (NeurIPS 2017), in the form of GPT-2
(Radford et al., "Language models are unsupervised multitask learners", 2019): layer normalisation
comes before the attention and before the MLP, not after. The caller decides what the vectors are
(tokens, examples, observations) and adds their position embeddings, if positions matter.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

INITIAL_STD = 0.02  # of the initial weights, as in GPT-2
EXPANSION = 4  # hidden units of the MLP, in multiples of the width


class Transformer(nn.Module):
    """A stack of `layers` blocks with `heads` attention heads each, and a final normalisation."""

    def __init__(self, width: int, layers: int, heads: int, generator: torch.Generator) -> None:
        """Initialise the weights from `generator`.

        Raises:
            ValueError: if `width` is not a multiple of `heads`.
        """
        super().__init__()
        if width % heads:
            raise ValueError(f"--width must be a multiple of --heads, got {width} of {heads}")
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        # Smaller weights in the projections keep the size of the residual sum independent of the
        # number of layers (GPT-2, section 2.3).
        projection_std = INITIAL_STD / math.sqrt(2 * layers)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                std = projection_std if name.endswith("proj.weight") else INITIAL_STD
                nn.init.normal_(parameter, 0.0, std, generator)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map (n, t, width) to (n, t, width); output k depends on inputs 0 to k only."""
        for block in self.blocks:
            vectors = block(vectors)
        normed: Tensor = self.norm(vectors)
        return normed


class Block(nn.Module):
    """One layer: attention, then an MLP, each added to its input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = CausalAttention(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = MLP(width)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map (n, t, width) to (n, t, width)."""
        vectors = vectors + self.attention(self.attention_norm(vectors))
        added: Tensor = self.mlp(self.mlp_norm(vectors))
        return vectors + added


class CausalAttention(nn.Module):
    """Multi-head attention of each vector to itself and to those before it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map (n, t, width) to (n, t, width)."""
        count, length, width = vectors.shape
        parts = self.qkv(vectors).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (n, heads, t, width / heads) each
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        projected: Tensor = self.proj(attended.transpose(1, 2).reshape(count, length, width))
        return projected


class MLP(nn.Module):
    """Two linear layers with a GELU between them, applied to each vector separately."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, EXPANSION * width, bias=False)
        self.proj = nn.Linear(EXPANSION * width, width, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map (n, t, width) to (n, t, width)."""
        projected: Tensor = self.proj(functional.gelu(self.fc(vectors)))
        return projected
