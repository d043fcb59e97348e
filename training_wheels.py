"""The command of an installed Training Wheels: training-wheels train, play, rewards, ...

Each command runs the program of the same name, as `python train.py` and `python -m rewards` do.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import runpy
import sys
from pathlib import Path

PROGRAM = "training-wheels"
COMMANDS = {
    "train": "Train an agent.",
    "play": "Watch an agent play, or play yourself.",
    "rewards": "Write, check and compare rewards.",
    "stages": "Run an experiment about another kind of learning.",
    "training": "Export runs, and other tools for them.",
    "classroom": "Open the sandbox in a browser, for yourself or a class.",
    "envs": "List the games, datasets, agents and experiments.",
}
MODULES = ("agents", "classroom", "envs", "playing", "reward_lab", "rewards", "stages", "training")
HERE = Path(__file__).resolve().parent
HELP = f"""usage: {PROGRAM} COMMAND [options]

{chr(10).join(f"{name:9} {summary}" for name, summary in COMMANDS.items())}

{PROGRAM} COMMAND --help lists the options of a command.
"""


def main() -> None:
    """Run the command line; ends with the exit code of the command."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        print(HELP, end="")
        return
    if name not in COMMANDS:
        sys.exit(_told(f"there is no command {name!r}; choose from {', '.join(COMMANDS)}"))
    if replaced := replaced_package():
        sys.exit(_told(replaced))
    sys.argv = [name, *sys.argv[2:]]
    runpy.run_module(name, run_name="__main__")


def replaced_package() -> str:
    """Return a message about a package of this project that another one has replaced, or "".

    The packages have short names. Another project with a package of the same name may have written
    over its files, or may come first on the path.
    """
    hashes = _installed_hashes()
    for name in MODULES:
        file = HERE / name / "__init__.py"
        spec = importlib.util.find_spec(name)
        found = Path(str(spec.origin if spec else "")).resolve()
        intact = found == file and hashes.get(file, "") in ("", _hash(file))
        if not intact:
            return (
                f"another project's package `{name}` is in this environment ({found}); install "
                f"{PROGRAM} into an environment of its own: python -m venv NAME"
            )
    return ""


def _installed_hashes() -> dict[Path, str]:
    """Return the hashes that pip has noted for the installed packages; empty in a clone."""
    try:
        files = importlib.metadata.files(PROGRAM) or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    names = {f"{name}/__init__.py" for name in MODULES}
    return {
        Path(str(file.locate())).resolve(): file.hash.value
        for file in files
        if file.as_posix() in names and file.hash is not None
    }


def _hash(file: Path) -> str:
    """Return the hash of a file as pip notes it."""
    digest = hashlib.sha256(file.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _told(text: str) -> int:
    print(f"{PROGRAM}: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
