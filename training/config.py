"""The settings of a run: the one source of config.json and of the command line of train.py."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import types
import typing
from dataclasses import dataclass, field
from typing import Annotated, Any

import tyro

from agents import settings_type
from envs.names import flag
from envs.options import parse_env_options
from training.cli import Text
from training.run_folder import RunError

PACKAGES = ("gymnasium", "numpy", "numba", "torch", "tensorboard", "pygame-ce", "safetensors")

CHANGEABLE = {"changeable": True}
"""Metadata of settings that `--resume` may change."""
LATER = {"later": True}
"""Metadata of settings that runs of earlier versions lack."""


def limits(least: int, most: int | None = None) -> dict[str, Any]:
    """Return the metadata of a setting with a least and possibly a greatest value."""
    return {"least": least, "most": most}


KEY_VALUES = tyro.constructors.PrimitiveConstructorSpec[dict[str, Any]](
    nargs="*",
    metavar="KEY=VALUE",
    instance_from_str=parse_env_options,
    is_instance=lambda value: isinstance(value, dict),
    str_from_instance=lambda options: [f"{name}={value!r}" for name, value in options.items()],
)
"""How the command line writes a dictionary of environment options."""
EnvOptions = Annotated[dict[str, Any], KEY_VALUES, tyro.conf.arg(help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides what a run computes.

    The docstrings of the fields are the help of train.py. `settings` are the hyperparameters of the
    agent, an instance of its settings dataclass.
    """

    settings: Any
    env: str
    """Gymnasium id."""
    agent: str
    """Name in `envs.registry.AGENTS`."""
    reward: str | None = None
    """Weighted sum of reward terms; None in environments that have a reward of their own."""
    seed: int = field(default=1, metadata=limits(0, 2**32 - 1))
    """Seed of every random number generator."""
    steps: int = field(default=1_000_000, metadata=limits(1) | CHANGEABLE)
    """Total number of environment steps, unless the run is solved before."""
    num_envs: int = field(default=16, metadata=limits(1, 1_000_000))
    """Number of environments that run in parallel."""
    device: str = field(default="cpu", metadata=CHANGEABLE)
    """Device of the networks: cpu or cuda."""
    threads: int = field(default=1, metadata=limits(1, 1024) | CHANGEABLE | LATER)
    """Number of PyTorch threads. More than one is faster for large networks only."""
    env_options: EnvOptions = field(default_factory=dict)
    """Options of the environment, such as ball_speed=0.04 paddle_size=0.3."""
    solved_score: Annotated[float | None, tyro.conf.arg(metavar="FLOAT")] = field(
        default=None, metadata=CHANGEABLE
    )
    """Mean evaluation score at which training stops early."""
    eval_every: int = field(default=50_000, metadata=limits(1) | CHANGEABLE)
    """Number of environment steps between two evaluations."""
    eval_episodes: int = field(default=100, metadata=limits(1) | CHANGEABLE)
    """Number of episodes in each evaluation."""
    video_frames: int = field(default=50, metadata=limits(0) | CHANGEABLE | LATER)
    """Number of frames in the video of each evaluation; 0 means no pictures at all."""
    pretrained: Text = field(default=None, metadata=LATER)
    """Run folder whose backbone training starts with. The heads are new."""
    freeze: bool = field(default=False, metadata=LATER)
    """Keep the pretrained backbone fixed and train only the heads."""

    @property
    def make_options(self) -> dict[str, Any]:
        """Keyword arguments of `gymnasium.make` and `make_vec`."""
        return self.env_options | ({} if self.reward is None else {"reward": self.reward})

    def check_limits(self) -> None:
        """Raise ValueError for a number outside its limits."""
        for setting in dataclasses.fields(RunConfig):
            least, most = (setting.metadata.get(end) for end in ("least", "most"))
            value = getattr(self, setting.name)
            if least is None or (value >= least and (most is None or value <= most)):
                continue
            allowed = f"at least {least}" if most is None else f"between {least} and {most}"
            raise ValueError(f"{flag(setting.name)} must be {allowed}, got {value}")

    def to_json(self, command: str) -> dict[str, Any]:
        """Return the content of config.json, with the exact command and all versions."""
        versions = {name: importlib.metadata.version(name) for name in PACKAGES}
        return {
            **{setting.name: getattr(self, setting.name) for setting in dataclasses.fields(self)},
            "settings": dataclasses.asdict(self.settings),
            "command": command,
            "versions": {"python": platform.python_version(), **versions},
        }

    @classmethod
    def from_json(cls, content: Any) -> RunConfig:
        """Return the config that `to_json` wrote.

        Raises:
            RunError: if an entry is missing or has the wrong type.
        """
        try:
            content = dict(content)
            values: dict[str, Any] = {}
            for setting in dataclasses.fields(cls):
                late = setting.default if "later" in setting.metadata else dataclasses.MISSING
                value = content.get(setting.name, late)
                if value is dataclasses.MISSING:
                    raise ValueError(f"`{setting.name}` is missing")
                if not isinstance(value, _json_types(setting.name)):
                    raise ValueError(f"`{setting.name}` cannot be {value!r}")
                values[setting.name] = value
            values["settings"] = settings_type(values["agent"])(**values["settings"])
        except (TypeError, ValueError) as error:
            raise RunError(f"config.json cannot be read by this version: {error}") from None
        return cls(**values)


def changeable_settings() -> list[str]:
    """Return the names of the settings that `--resume` may change."""
    return [each.name for each in dataclasses.fields(RunConfig) if "changeable" in each.metadata]


def _json_types(name: str) -> tuple[type, ...]:
    """Return the types that a setting may have in config.json."""
    if name == "settings":
        return (dict,)
    hint = typing.get_type_hints(RunConfig)[name]
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    found = [typing.get_origin(kind) or kind for kind in kinds]
    return (*found, int) if float in found else tuple(found)  # JSON may write 40.0 as 40
