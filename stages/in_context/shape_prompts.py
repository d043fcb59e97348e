"""Shapes named from labelled examples in a prompt, by a network that was never trained on them.

The prompt is a row of screens with their labels, and a screen without one. The network's backbone
computes features of each, and one step of attention answers: the more the features of an example
are like those of the question, the more its label counts. No weight changes. These are the matching
networks of Vinyals et al., "Matching networks for one shot learning" (NeurIPS 2016), with a
backbone that was pretrained as a classifier of other shapes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

from agents.torch_agent import TorchAgent
from stages.datasets.dataset import Array, examples_of
from stages.datasets.shapes import Shapes
from stages.lab.trials import Learned, Point, learn, parameters_of, split_of
from training.config import RunConfig
from training.trained_agent import load_agent, load_config

SHARPNESS = 10.0  # of the attention: weights are exp(SHARPNESS * cosine)


@dataclass(frozen=True)
class Prompt:
    """A trial: name the shapes of the test split from examples in a prompt."""

    examples: int
    """Number of labelled examples, the first ones of the training split."""
    pretrained: Any
    """Key of the pretrained backbone."""
    seed: int = 0
    """Seed of the dataset."""
    folder: Path = Path()
    """Run folder of the backbone."""

    def config(self, seed: int, backbones: Mapping[Any, Path], lang: str = "en") -> Prompt:
        """Return the trial for one seed."""
        return dataclasses.replace(self, seed=seed, folder=backbones[self.pretrained])

    def shortened(self, share: float) -> Prompt:
        """Return the trial as it is: it has no training of its own."""
        return self


def learn_or_answer(config: RunConfig | Prompt) -> Learned:
    """Run a trial that trains a network, or one that only asks it."""
    return answer_from_prompt(config) if isinstance(config, Prompt) else learn(config)


def answer_from_prompt(prompt: Prompt) -> Learned:
    """Return the accuracy, and the parameters of the backbone."""
    config = load_config(prompt.folder)
    env = gymnasium.make(config.env, **config.env_options | {"examples": 1, "test_examples": 1})
    agent = load_agent(prompt.folder, env, config)
    assert isinstance(agent, TorchAgent)
    dataset = Shapes(examples=prompt.examples, data_seed=prompt.seed)
    shown, asked = examples_of(dataset, "train"), examples_of(dataset, split_of(prompt.seed))
    with torch.inference_mode():
        known, seen = (
            agent.backbone(torch.tensor(each.observations)).numpy() for each in (shown, asked)
        )
    kinds = np.eye(int(dataset.action_space.n))[shown.targets]
    right = attention(seen, known, kinds).argmax(1) == asked.targets
    return Learned([Point(0, 0, float(right.mean()), {})], parameters_of(agent))


def attention(questions: Array, examples: Array, values: Array) -> Array:
    """Return the mean of `values` (n, k) for each question (m, d), weighted by likeness.

    `examples` (n, d) are features like those of the questions. Their mean is subtracted from both.
    """
    middle = examples.mean(0)
    near, far = (
        each / (np.linalg.norm(each, axis=1, keepdims=True) + 1e-9)
        for each in (questions - middle, examples - middle)
    )
    weights = np.exp(SHARPNESS * near @ far.T)
    return np.asarray(weights @ values / weights.sum(1, keepdims=True))
