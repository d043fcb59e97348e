"""The settings of a run: the one source of config.json and of the command line of train.py."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import math
import platform
import re
import reprlib
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

import tyro

from agents import settings_type
from envs.names import flag
from envs.options import check_option_name, parse_env_options
from training.checked import checked
from training.cli import Switch, Text
from training.run_folder import CONFIG, RunError

PACKAGES = ("gymnasium", "numpy", "numba", "torch", "tensorboard", "pygame-ce", "safetensors")

CHANGEABLE = {"changeable": True}
"""Metadata of settings that `--resume` may change."""
LATER = {"later": True}
"""Metadata of settings that runs of earlier versions lack."""


DEVICE = re.compile(r"cpu|(cuda|mps|xpu)(:\d+)?")
MAX_STEPS = 10**15
"""Maximum number of environment steps, which counters and floats hold exactly."""


def limits(least: int, most: int) -> dict[str, Any]:
    """Return the metadata of a setting with a least and a greatest value."""
    return {"least": least, "most": most}


KEY_VALUES = tyro.constructors.PrimitiveConstructorSpec[dict[str, Any]](
    nargs="*",
    metavar="KEY=VALUE",
    instance_from_str=parse_env_options,
    is_instance=lambda value: isinstance(value, dict),
    str_from_instance=lambda options: [f"{name}={value!r}" for name, value in options.items()],
)
"""How the command line writes a dictionary of environment options."""
Levels = Annotated[list[str], tyro.conf.arg(metavar="OPTION=VALUE@STEP ...", help_behavior_hint="")]
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
    steps: int = field(default=1_000_000, metadata=limits(1, MAX_STEPS) | CHANGEABLE)
    """Total number of environment steps, unless the run is solved before."""
    num_envs: int = field(default=16, metadata=limits(1, 1_000_000))
    """Number of environments that run in parallel."""
    device: str = field(default="cpu", metadata=CHANGEABLE)
    """Device of the networks: cpu or cuda."""
    threads: int = field(default=1, metadata=limits(1, 1024) | CHANGEABLE | LATER)
    """Number of PyTorch threads. More than one is faster for large networks only."""
    env_options: EnvOptions = field(default_factory=dict)
    """Options of the environment, such as ball_speed=0.04 paddle_size=0.3."""
    curriculum: Levels = field(default_factory=list, metadata=LATER)
    """Environment options that change at a step, such as paddle_size=0.5@0 paddle_size=0.1@200000.
    Evaluations are made with the last values."""
    solved_score: Annotated[float | None, tyro.conf.arg(metavar="FLOAT")] = field(
        default=None, metadata=CHANGEABLE
    )
    """Mean evaluation score at which training stops early; inf means never."""
    eval_every: int = field(default=50_000, metadata=limits(1, MAX_STEPS) | CHANGEABLE)
    """Number of environment steps between two evaluations."""
    eval_episodes: int = field(default=100, metadata=limits(1, 1_000_000) | CHANGEABLE)
    """Number of episodes in each evaluation."""
    video_frames: int = field(default=50, metadata=limits(0, 10_000) | CHANGEABLE | LATER)
    """Number of frames in the video of each evaluation; 0 means no pictures at all."""
    pretrained: Text = field(default=None, metadata=LATER)
    """Backbone that training starts with: a run folder, `newest` (the newest run that learned
    another task) or one that comes with the project (missed, shapes). The heads are new."""
    freeze: Switch = field(default=False, metadata=LATER)
    """Keep the pretrained backbone fixed and train only the heads."""

    @property
    def make_options(self) -> dict[str, Any]:
        """Keyword arguments of `gymnasium.make` and `make_vec`."""
        return self.env_options | ({} if self.reward is None else {"reward": self.reward})

    def changed(self, **values: Any) -> Self:
        """Return a copy with other values, by name: of the run, or of its agent's `settings`."""
        own = {each.name for each in dataclasses.fields(self.settings)}
        settings = {name: value for name, value in values.items() if name in own}
        others = {name: value for name, value in values.items() if name not in own}
        settings = dataclasses.replace(self.settings, **settings)
        return dataclasses.replace(self, settings=settings, **others)

    def check_limits(self) -> None:
        """Raise ValueError for a number outside its limits."""
        for setting in dataclasses.fields(RunConfig):
            least, most = (setting.metadata.get(end) for end in ("least", "most"))
            value = getattr(self, setting.name)
            if least is None or least <= value <= most:
                continue
            allowed = f"at least {least}" if value < least else f"at most {most:,}"
            raise ValueError(f"{flag(setting.name)} must be {allowed}, got {reprlib.repr(value)}")
        if not DEVICE.fullmatch(self.device):
            raise ValueError(f"--device must be cpu or cuda, got {self.device!r}")
        if self.solved_score is not None and not self.solved_score > -math.inf:
            raise ValueError(f"--solved-score must be a number, got {self.solved_score}")

    def fixed(self) -> dict[str, Any]:
        """Return the settings that `--resume` cannot change, including the hyperparameters.

        The reward is not among them: a resumed run names the copy in its folder.
        """
        fixed = {each.name for each in dataclasses.fields(RunConfig)}
        fixed -= {"settings", "reward", *changeable_settings()}
        values = {name: getattr(self, name) for name in sorted(fixed)}
        return values | dataclasses.asdict(self.settings)

    def to_json(self, command: str) -> dict[str, Any]:
        """Return the content of config.json, with the exact command and all versions."""
        return {
            **{setting.name: getattr(self, setting.name) for setting in dataclasses.fields(self)},
            "settings": dataclasses.asdict(self.settings),
            "command": command,
            "versions": versions(),
        }

    @classmethod
    def from_json(cls, content: Any) -> RunConfig:
        """Return the config that `to_json` wrote.

        Raises:
            RunError: if an entry is missing, unknown, or of a wrong type or size.
        """
        late = {each.name: default_of(each) for each in dataclasses.fields(cls) if is_late(each)}
        content = late | content if isinstance(content, dict) else content
        record = checked(content, RunRecord, CONFIG)
        for each in dataclasses.fields(cls):
            if each.name not in content:
                raise RunError(f"{CONFIG} cannot be used: `{each.name}` is missing")
        values = {each.name: getattr(record, each.name) for each in dataclasses.fields(cls)}
        try:
            kind = settings_type(record.agent)
            for name in record.env_options:
                check_option_name(name)
            record.check_limits()
        except ValueError as error:
            raise RunError(f"{CONFIG} cannot be used: {error}") from None
        values["settings"] = checked(record.settings, kind, f"`settings` in {CONFIG}")
        return RunConfig(**values)


@dataclass(frozen=True, kw_only=True)
class RunRecord(RunConfig):
    """Content of config.json."""

    command: str
    """Command line that started the run."""
    versions: dict[str, str]
    """Versions of Python and the packages, by name."""
    resumed: list[str] = field(default_factory=list)
    """Command lines that resumed the run."""


def default_of(setting: dataclasses.Field[Any]) -> Any:
    """Return the default of a field of a dataclass."""
    if setting.default_factory is not dataclasses.MISSING:
        return setting.default_factory()
    return setting.default


def versions() -> dict[str, str]:
    """Return the versions of Python, this project if it is installed, and its packages."""
    found = {"python": platform.python_version()}
    for name in ("training-wheels", *PACKAGES):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def other_versions(before: dict[str, str]) -> list[str]:
    """Return a line about the versions that differ from those `before`, if any."""
    now = versions()
    others = [f"{k} {v} (now {now[k]})" for k, v in before.items() if now.get(k, v) != v]
    if not others:
        return []
    return [f"The run was made with {', '.join(others)}: results may differ in the last digits."]


def changeable_settings() -> list[str]:
    """Return the names of the settings that `--resume` may change."""
    return [each.name for each in dataclasses.fields(RunConfig) if "changeable" in each.metadata]


def is_late(setting: dataclasses.Field[Any]) -> bool:
    """Return whether runs of earlier versions lack a setting."""
    return "later" in setting.metadata
