"""The list of games and stages; importing this module registers them, which Gymnasium does too.

Everything here is named by strings, so that importing Gymnasium imports none of them.
"""

from __future__ import annotations

import math

from gymnasium.envs.registration import register

SHORT_NAMES: dict[str, str] = {}
"""Of the games, what the command line calls them."""
STAGES: dict[str, str] = {}
"""The same of the other kinds of learning."""


def register_game(
    env_id: str, short_name: str, game: str, rewards: str, solved_score: float | None = None
) -> None:
    """Make a game known to `gymnasium.make` and `gymnasium.make_vec`.

    Args:
        env_id: such as `PaddleBall-v0`.
        short_name: what the command line calls it.
        game: `module:attribute` of its `envs.engine.game.Game`.
        rewards: module of its reward terms; its `DEFAULT` is used when none is asked for.
        solved_score: mean score from which it counts as solved.
    """
    SHORT_NAMES[short_name] = env_id
    register(
        env_id,
        entry_point="rewards.make:make_single",
        vector_entry_point="rewards.make:make_vector",
        reward_threshold=solved_score,
        kwargs={"game": game, "rewards": rewards},
    )


def register_stage(env_id: str, short_name: str, stage: str, solved_score: float) -> None:
    """Make another kind of learning known to Gymnasium, as environments that last one step.

    Args:
        env_id: such as `ClassifyBall-v0`.
        short_name: what the command line calls it.
        stage: `module:class` of its `stages.datasets.dataset.Stage`.
        solved_score: mean score from which it counts as solved.
    """
    STAGES[short_name] = env_id
    register(
        env_id,
        entry_point="stages.datasets.environments:make_single",
        vector_entry_point="stages.datasets.environments:make_vector",
        reward_threshold=solved_score,
        kwargs={"stage": stage},
    )


register_game("BicycleBalance-v0", "bicycle", "envs.bicycle.game:bicycle", "rewards.bicycle", 18.0)
register_game("PaddleBall-v0", "paddle", "envs.paddle.game:paddle", "rewards.paddle", 40.0)

register_stage("ClassifyBall-v0", "classify", "stages.datasets.classify:Classify", 0.95)
register_stage("RegressLanding-v0", "regress", "stages.datasets.regress:Regress", -0.04)
register_stage("DetectObjects-v0", "detect", "stages.datasets.detect:Detect", 0.9)
register_stage(
    "ReconstructScreen-v0", "reconstruct", "stages.datasets.reconstruct:Reconstruct", 0.96
)
register_stage("NameShape-v0", "shapes", "stages.datasets.shapes:Shapes", 0.85)
register_stage("ClassifySounds-v0", "sounds", "stages.datasets.sounds:Sounds", 0.95)
register_stage("TranslateMoments-v0", "translate", "stages.datasets.translate:Translate", 0.97)
register_stage("ClusterPoints-v0", "cluster", "stages.datasets.cluster:Cluster", math.inf)
register_stage("AnswerPrompts-v0", "prompts", "stages.datasets.prompts:Prompts", 0.85)
register_stage("Commentary-v0", "commentary", "stages.datasets.commentary:Commentary", math.inf)
register_stage("CommentaryVerdict-v0", "verdict", "stages.datasets.commentary:Verdict", 0.95)

EXPERIMENTS: dict[str, str] = {
    "overview": "stages.overview",
    "feedback": "stages.supervised.feedback",
    "label_noise": "stages.supervised.label_noise",
    "features": "stages.supervised.features",
    "tables": "stages.supervised.tables",
    "sounds": "stages.supervised.sounds",
    "generation": "stages.supervised.generation",
    "latent_map": "stages.unsupervised.latent_map",
    "compression": "stages.unsupervised.compression",
    "linear_probe": "stages.unsupervised.linear_probe",
    "cluster_purity": "stages.unsupervised.cluster_purity",
    "vision": "stages.pretraining.vision",
    "policy": "stages.pretraining.policy",
    "tokens": "stages.pretraining.tokens",
    "language": "stages.pretraining.language",
    "in_context": "stages.in_context.in_context",
    "memory": "stages.in_context.memory",
}
"""The experiments, by the name that `python -m stages NAME` takes: their modules."""
