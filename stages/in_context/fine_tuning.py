"""The same examples of a rule, in the prompt of a network and to fine-tune it.

Three networks answer the same questions about a rule: the trained network with the examples in its
prompt, the trained network fine-tuned on the examples, and a network trained on them from scratch.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from agents.agent import Agent
from stages.datasets.dataset import examples_of
from stages.datasets.prompts import WIRINGS, Prompts, behind
from stages.lab.trials import split_of
from training.evaluation import fresh_seed
from training.loop import Run, make_agent_and_runner
from training.vector_runner import make_environments

RULES = 10  # per seed
QUESTIONS = 1_000  # per rule
UPDATES = 100
BATCH = 16
LEARNING_RATES = {"fine_tuned": 1e-3, "scratch": 3e-3}


def rules_of_seed(seed: int, count: int = RULES) -> list[int]:
    """Return the numbers of `count` rules of the seed's split; other seeds get other rules."""
    wirings = WIRINGS[split_of(seed)]
    rules: list[int] = np.random.default_rng(seed).permutation(len(wirings))[:count].tolist()
    return rules


def mean_accuracy(run: Run, count: int) -> dict[str, float]:
    """Return the accuracy of each network with `count` examples, averaged over the test rules."""
    found = [compare(run, rule, count) for rule in rules_of_seed(run.config.seed)]
    return {name: float(np.mean([accuracy[name] for accuracy in found])) for name in found[0]}


def compare(run: Run, rule: int, count: int, updates: int = UPDATES) -> dict[str, float]:
    """Return the accuracy of each network on new questions about the test rule number `rule`.

    `count` is the number of examples, and `updates` that of gradient steps on them.
    """
    split = split_of(run.config.seed)
    options: dict[str, Any] = {"shots": 0, "described": 0.0, "rules": split, "rule": rule}
    options |= {"examples": count, "data_seed": fresh_seed(run.config.seed, rule)}
    examples, tests = (examples_of(Prompts(**options), each) for each in ("train", split))
    labels = tests.targets[:QUESTIONS]
    questions = tests.observations[:QUESTIONS].copy()  # torch needs a writable array
    predictions = {"prompt": run.agent.act(behind(examples, questions), explore=False)[:, -1:]}
    for name in LEARNING_RATES:
        agent = train_on_examples(run, name, options, updates)
        predictions[name] = agent.act(questions, explore=False)
    return {name: float((predicted == labels).mean()) for name, predicted in predictions.items()}


def train_on_examples(run: Run, name: str, options: dict[str, Any], updates: int) -> Agent:
    """Return an agent that was trained on examples by gradient steps, without any in its prompt.

    `name` is `fine_tuned` to start with the weights of `run`, or `scratch` to start with new ones.
    `options` are those of the environment that has the examples.
    """
    settings = dataclasses.replace(
        run.config.settings, learning_rate=LEARNING_RATES[name], anneal=False
    )
    config = dataclasses.replace(run.config, num_envs=BATCH, settings=settings)
    agent, runner = make_agent_and_runner(config, make_environments(config.env, BATCH, options))
    if name == "fine_tuned":
        agent.restore_policy(run.agent.tensors())
    for _ in range(updates):
        step, _ = runner.step(agent.act(runner.observations))
        agent.learn(step)
    return agent
