"""Where the backbone of `--pretrained` is: a run folder, the newest one, or one that is shipped."""

from __future__ import annotations

from pathlib import Path

from envs.names import one_of
from training.config import RunConfig
from training.run_folder import BEST, CONFIG, TENSORS, RunError, read_json

NEWEST = "newest"
SHIPPED = Path(__file__).parent / "backbones"
"""A folder for each backbone that comes with the project: the settings and best model of a run."""


def shipped_names() -> list[str]:
    """Return the names of the backbones that come with the project."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if (folder / CONFIG).is_file())


def find_pretrained(name: str, config: RunConfig, run_dir: Path) -> Path:
    """Return the folder of the run that `--pretrained NAME` means for a run with `config`.

    NAME is a folder, a backbone that comes with the project, or `newest`. That is the newest run
    in `run_dir` that learned another task from scratch.

    Raises:
        ValueError: if there is no such run.
    """
    if name == NEWEST:
        return _newest(config, run_dir)
    if not Path(name).exists() and name in shipped_names():
        return SHIPPED / name
    if not Path(name).exists() and Path(name).name == name:
        known = one_of([NEWEST, *shipped_names()])
        raise ValueError(f"there is no run folder {name}; --pretrained takes one, or {known}")
    return Path(name)


def _newest(config: RunConfig, run_dir: Path) -> Path:
    saved = {
        path.parent: path.stat().st_mtime
        for file in (BEST, TENSORS)
        for path in run_dir.glob(f"*/{file}")
    }
    for folder in sorted(saved, key=lambda each: saved[each], reverse=True):
        try:
            content = read_json(folder / CONFIG)
            task = content["env"], content["env_options"]
        except (RunError, LookupError, TypeError):
            continue
        if task != (config.env, config.env_options) and content.get("pretrained") is None:
            return folder
    raise ValueError(
        f"--pretrained {NEWEST}: {run_dir} has no run that learned another task from scratch"
    )
