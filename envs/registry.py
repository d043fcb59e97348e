"""The names of all games, datasets, agents and experiments.

To add one, write its file and add one line to a table below. Targets are "module:attribute" strings
and are imported only when they are used, so that `import envs` stays fast. Importing this module
registers every game and dataset with Gymnasium.
"""

# ruff: noqa: E501 - one entry a line, however long

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from gymnasium.envs.registration import register

from envs.names import load, suggest


class GameEntry(NamedTuple):
    """A game."""

    env_id: str
    """Gymnasium id."""
    target: str
    """`envs.engine.game.Game`, or a function that returns one for some of the options."""
    rewards: str
    """Module of the reward terms."""
    solved_score: float | None
    """Mean score at which the game counts as solved, if any."""
    summary: str
    """One line for help texts."""


class DatasetEntry(NamedTuple):
    """A dataset, whose environments have episodes of one step."""

    env_id: str
    """Gymnasium id."""
    target: str
    """Class of the dataset."""
    solved_score: float
    """Mean score at which the dataset counts as solved; infinite if there is none."""
    summary: str
    """One line for help texts."""


class AgentEntry(NamedTuple):
    """An agent."""

    target: str
    """Class of the agent."""
    settings: str
    """Dataclass of the agent's hyperparameters."""
    summary: str
    """One line for help texts, with the actions or data that the agent serves."""


class ExperimentEntry(NamedTuple):
    """An experiment, run by `python -m stages NAME`."""

    target: str
    """Declaration of the experiment, a `stages.lab.experiment.Experiment`."""
    summary: str
    """One line for help texts."""


Entry = GameEntry | DatasetEntry | AgentEntry | ExperimentEntry
AnyEntry = TypeVar("AnyEntry", GameEntry, DatasetEntry, AgentEntry)
EnvEntry = TypeVar("EnvEntry", GameEntry, DatasetEntry)

# fmt: off

GAMES = {
    "bicycle": GameEntry("BicycleBalance-v0", "envs.bicycle.game:bicycle", "rewards.bicycle", 18.0, "Balance a bicycle, follow a path or reach a goal."),
    "paddle": GameEntry("PaddleBall-v0", "envs.paddle.game:paddle", "rewards.paddle", 40.0, "Return a ball with a paddle."),
}

DATASETS = {
    "classify": DatasetEntry("ClassifyBall-v0", "stages.datasets.classify:Classify", 0.95, "Classification: which way does the ball fly?"),
    "regress": DatasetEntry("RegressLanding-v0", "stages.datasets.regress:Regress", -0.04, "Regression: where will the ball land?"),
    "curve": DatasetEntry("FitCurve-v0", "stages.datasets.curve:Curve", -0.01, "Regression in one dimension: where does a ball with this angle land?"),
    "detect": DatasetEntry("DetectObjects-v0", "stages.datasets.detect:Detect", 0.9, "Object detection: classes and boxes of the things on a screen."),
    "reconstruct": DatasetEntry("ReconstructScreen-v0", "stages.datasets.reconstruct:Reconstruct", 0.96, "Autoencoding: reconstruct a screen from a few numbers."),
    "shapes": DatasetEntry("NameShape-v0", "stages.datasets.shapes:Shapes", 0.85, "Classification of 20 kinds of balls, or of pandas and rabbits."),
    "measure": DatasetEntry("MeasureShape-v0", "stages.datasets.measure:Measure", -0.01, "Regression: where is the shape, or how large is it?"),
    "sounds": DatasetEntry("ClassifySounds-v0", "stages.datasets.sounds:Sounds", 0.95, "Classification of sounds: hit, wall or miss."),
    "listen": DatasetEntry("MeasureSound-v0", "stages.datasets.listen:Listen", -0.02, "Regression: how high is the sound, or how loud?"),
    "synthesize": DatasetEntry("SynthesizeSound-v0", "stages.datasets.synthesize:Synthesize", 0.97, "Generation of sounds: from kind, pitch and loudness to a spectrogram."),
    "translate": DatasetEntry("TranslateMoments-v0", "stages.datasets.translate:Translate", 0.97, "Screen to state, state to screen, and super-resolution."),
    "denoise": DatasetEntry("DenoiseAnimals-v0", "stages.datasets.denoise:Denoise", math.inf, "Denoising: from a noisy picture of a panda or a rabbit to a clean one."),
    "cluster": DatasetEntry("ClusterPoints-v0", "stages.datasets.cluster:Cluster", math.inf, "Clustering of unlabelled points."),
    "prompts": DatasetEntry("AnswerPrompts-v0", "stages.datasets.prompts:Prompts", 0.85, "In-context learning: answer from the examples in the prompt."),
    "commentary": DatasetEntry("Commentary-v0", "stages.datasets.commentary:Commentary", math.inf, "Language modelling: predict the next token of a commentary."),
    "verdict": DatasetEntry("CommentaryVerdict-v0", "stages.datasets.commentary:Verdict", 0.95, "Sentiment: was the last sentence good or bad for the player?"),
}

AGENTS = {
    "random": AgentEntry("agents.random:RandomAgent", "agents.random:RandomSettings", "Random actions, the baseline. Any actions."),
    "rules": AgentEntry("agents.rules:RulesAgent", "agents.rules:RulesSettings", "Hand-written rules, nothing is learned. Only the games and datasets that have a rule."),
    "search": AgentEntry("agents.search:SearchAgent", "agents.search:SearchSettings", "Linear policy on hand-made features, found by random search or the cross-entropy method. Any actions."),
    "reinforce": AgentEntry("agents.reinforce:ReinforceAgent", "agents.reinforce:ReinforceSettings", "REINFORCE, the shortest policy gradient. Any actions."),
    "ppo": AgentEntry("agents.ppo:PPOAgent", "agents.ppo:PPOSettings", "Proximal policy optimization, the strong policy gradient. Any actions."),
    "sac": AgentEntry("agents.sac:SACAgent", "agents.sac:SACSettings", "Soft actor-critic with a replay buffer. Continuous actions."),
    "reward_model": AgentEntry("agents.reward_model:RewardModelAgent", "agents.reward_model:RewardModelSettings", "Predicts the next reward and plans with it. Any actions."),
    "dqn": AgentEntry("agents.dqn:DQNAgent", "agents.dqn:DQNSettings", "Deep Q-network with a replay buffer and a target network. Discrete actions."),
    "pqn": AgentEntry("agents.pqn:PQNAgent", "agents.pqn:PQNSettings", "Q-network trained on many environments in parallel, without a replay buffer. Discrete actions."),
    "gpt": AgentEntry("agents.gpt:GPTAgent", "agents.gpt:GPTSettings", "Small transformer. Datasets of tokens."),
    "kmeans": AgentEntry("agents.kmeans:KMeansAgent", "agents.kmeans:KMeansSettings", "k-means clustering. Datasets of unlabelled points."),
    "supervised": AgentEntry("agents.supervised:SupervisedAgent", "agents.supervised:SupervisedSettings", "Network that learns from labels, or from a reward for each prediction. Datasets."),
}

EXPERIMENTS = {
    "overview": ExperimentEntry("stages.overview:EXPERIMENT", "The five stages of machine learning on one page."),
    "feedback": ExperimentEntry("stages.supervised.feedback:EXPERIMENT", "Learning from labels compared with learning from rewards."),
    "label_noise": ExperimentEntry("stages.supervised.label_noise:EXPERIMENT", "Wrong labels, few examples and unbalanced classes."),
    "curve": ExperimentEntry("stages.supervised.curve:EXPERIMENT", "Models of a curve from few noisy points, many noisy points and points of one half."),
    "features": ExperimentEntry("stages.supervised.features:EXPERIMENT", "Hand-made features compared with pixels."),
    "structure": ExperimentEntry("stages.supervised.structure:EXPERIMENT", "A convolution compared with a dense network, and with shuffled pixels."),
    "tables": ExperimentEntry("stages.supervised.tables:EXPERIMENT", "Gradient-boosted trees compared with a network on tables."),
    "sounds": ExperimentEntry("stages.supervised.sounds:EXPERIMENT", "Spectrograms compared with waveforms."),
    "generation": ExperimentEntry("stages.supervised.generation:EXPERIMENT", "Recognition compared with generation."),
    "diffusion": ExperimentEntry("stages.supervised.diffusion:EXPERIMENT", "Pandas and rabbits drawn on demand, from noise."),
    "synthesize": ExperimentEntry("stages.supervised.synthesize:EXPERIMENT", "Sounds made on demand, heard by other networks."),
    "latent_map": ExperimentEntry("stages.unsupervised.latent_map:EXPERIMENT", "Which screens an autoencoder's codes put close together."),
    "compression": ExperimentEntry("stages.unsupervised.compression:EXPERIMENT", "An autoencoder's codes compared with PNG."),
    "linear_probe": ExperimentEntry("stages.unsupervised.linear_probe:EXPERIMENT", "Codes as features: how few labels a linear model needs."),
    "cluster_purity": ExperimentEntry("stages.unsupervised.cluster_purity:EXPERIMENT", "How well clusters match labelled classes."),
    "video_summary": ExperimentEntry("stages.unsupervised.video_summary:EXPERIMENT", "A few screens that sum up a long game, chosen by k-means."),
    "vision": ExperimentEntry("stages.pretraining.vision:EXPERIMENT", "Panda or rabbit: a pretrained network compared with one from scratch."),
    "policy": ExperimentEntry("stages.pretraining.policy:EXPERIMENT", "Policies with a pretrained backbone compared with one from scratch."),
    "tokens": ExperimentEntry("stages.pretraining.tokens:EXPERIMENT", "How text is cut into tokens."),
    "language": ExperimentEntry("stages.pretraining.language:EXPERIMENT", "A language model fine-tuned on few labels."),
    "in_context": ExperimentEntry("stages.in_context.in_context:EXPERIMENT", "Accuracy after 0 to 64 examples in the prompt."),
    "memory": ExperimentEntry("stages.in_context.memory:EXPERIMENT", "An agent with memory adapts to exchanged controls within an episode."),
}
# fmt: on


def look_up(table: Mapping[str, AnyEntry], kind: str, name: Any) -> AnyEntry:
    """Return the entry called `name`.

    Names may come from anyone's run folder. They are only compared, so that a name such as
    "module:attribute" imports nothing.

    Raises:
        ValueError: if there is no such entry; `kind` says what it would be.
    """
    if not isinstance(name, str) or name not in table:
        raise ValueError(f"there is no {kind} `{name}`; {suggest(str(name), table)}")
    return table[name]


def env_id_of(name: str) -> str:
    """Return the Gymnasium id of a game or dataset; any other name is returned as it is."""
    entry = GAMES.get(name) or DATASETS.get(name)
    return entry.env_id if entry else name


def env_ids(table: Mapping[str, GameEntry] | Mapping[str, DatasetEntry]) -> list[str]:
    """Return the Gymnasium ids of a table."""
    return [entry.env_id for entry in table.values()]


def entry_of(env_id: str, table: Mapping[str, EnvEntry]) -> EnvEntry | None:
    """Return the entry with a Gymnasium id, or None if the table has none."""
    return next((entry for entry in table.values() if entry.env_id == env_id), None)


def agents_serving(actions: str) -> list[str]:
    """Return the names of the agents that serve `discrete` or `continuous` actions."""
    ends = ("Any actions.", f"{actions.capitalize()} actions.")
    return [name for name, entry in AGENTS.items() if entry.summary.endswith(ends)]


def encoding_of(env_id: str, env_options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that decide what the numbers of an observation mean, with defaults."""
    entry = entry_of(env_id, DATASETS)
    if entry is None:
        return {}
    dataset = load(entry.target)
    names = dataset.encoding_options
    return {name: env_options.get(name, getattr(dataset, name)) for name in names}


def summaries(table: Mapping[str, Entry]) -> str:
    """Return a line for each name of a table, with its summary: for help texts."""
    width = max(map(len, table))
    return "\n".join(f"{name:<{width}}  {entry.summary}" for name, entry in table.items())


def register_game(name: str, entry: GameEntry) -> None:
    """Add a game to the table if it is new, and register it with Gymnasium."""
    GAMES[name] = entry
    register(
        entry.env_id,
        entry_point="rewards.make:make_single",
        vector_entry_point="rewards.make:make_vector",
        reward_threshold=entry.solved_score,
        kwargs={"game": name},
    )


def register_dataset(name: str, entry: DatasetEntry) -> None:
    """Add a dataset to the table if it is new, and register it with Gymnasium."""
    DATASETS[name] = entry
    register(
        entry.env_id,
        entry_point="stages.datasets.environments:make_single",
        vector_entry_point="stages.datasets.environments:make_vector",
        reward_threshold=entry.solved_score,
        kwargs={"dataset": name},
    )


for _name, _game in GAMES.items():
    register_game(_name, _game)
for _name, _dataset in DATASETS.items():
    register_dataset(_name, _dataset)
