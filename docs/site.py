"""Build the documentation site: python docs/site.py

The pages are README.md, the files in docs/, a page with the help of every command and one with the
Python interface. Links to files of this repository lead to pages with their text. The site is
written to build/site and can be opened there without a server.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path, PurePosixPath

from benchmarks.__main__ import COMMANDS as BENCHMARKS
from envs.registry import AGENTS, EXPERIMENTS
from rewards.__main__ import COMMANDS as REWARD_COMMANDS
from stages.__main__ import COMMANDS as OTHER_STAGES
from training.__main__ import COMMANDS as TRAINING_COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "build" / "docs"
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
LANGUAGES = {".py": "python", ".toml": "toml", ".txt": "text", ".yml": "yaml"}
UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"
"""Beginning of pages that the search leaves out."""
API = """\
# The Python interface

[From Python and notebooks](python.md) shows how to use it.

## Training

::: training.api

## Agents

::: agents.agent

## Games

::: envs.engine.game

## Rewards

::: rewards.make

## Statistics of evaluations

::: training.evaluation
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Collect the pages, build the site and return the exit code."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)  # there are no options
    shutil.rmtree(PAGES, ignore_errors=True)
    collect()
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def collect() -> None:
    """Write all pages, pictures and scripts to `PAGES`."""
    sources = {"index.md": Path("README.md"), "index.ko.md": Path("README.ko.md")}
    sources["benchmarks.md"] = Path("benchmarks", "README.md")
    for file in sorted((ROOT / "docs").rglob("*")):
        path = file.relative_to(ROOT / "docs")
        if file.suffix == ".md":
            sources[path.as_posix()] = Path("docs", path)
        elif file.suffix in (".png", ".gif", ".js"):
            copy(file, PAGES / path)
    at = {source.as_posix(): page for page, source in sources.items()}
    for page, source in sources.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        write(page, linked(text, source, page, at))
    write("commands.md", commands_page())
    write("api.md", API)


def write(page: str, text: str) -> None:
    """Write a page, with the commit that it was made from."""
    file = PAGES / page
    file.parent.mkdir(parents=True, exist_ok=True)
    made = f"\n\n---\n\n<small>{date.today()}, commit {commit()}</small>\n"
    file.write_text(text + made, encoding="utf-8")


def copy(file: Path, to: Path) -> None:
    """Copy a file that is not text."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def commit() -> str:
    """Return the short name of the present commit, or `unknown` outside of a clone."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def linked(text: str, source: Path, page: str, at: dict[str, str]) -> str:
    """Return a text whose links lead to pages of the site.

    `at` are the pages by the paths of their sources. Other files of the repository get a page.

    Raises:
        FileNotFoundError: if a link leads nowhere.
    """

    def replaced(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        path = PurePosixPath(os.path.normpath(PurePosixPath(source.parent.as_posix(), target)))
        if not (ROOT / path).exists():
            raise FileNotFoundError(f"{source}: there is no {target}")
        found = at.get(str(path)) or _page_of(path)
        return f"]({os.path.relpath(found, PurePosixPath(page).parent)}{anchor})"

    return LINK.sub(replaced, text)


def _page_of(path: PurePosixPath) -> str:
    """Return the page of a file of the repository that is not a document, and write it."""
    file = ROOT / path
    if path.suffix in (".png", ".gif"):
        return str(path.relative_to("docs"))
    page = f"source/{path}.md"
    if (PAGES / page).exists():
        return page
    if file.is_dir():
        names = sorted(each.name for each in file.iterdir() if not each.name.startswith(("_", ".")))
        text = "\n".join(f"- `{name}`" for name in names)
    else:
        language = LANGUAGES.get(file.suffix, "text")
        text = f"````{language}\n{file.read_text(encoding='utf-8')}\n````"
    write(page, f"{UNSEARCHED}# {path}\n\n{text}")
    return page


def commands_page() -> str:
    """Return the page with the help of every command."""
    lines = ["# All commands", "", "What `--help` prints."]
    for command, text in helps():
        lines += ["", f"## `{command}`", "", f"```text\n{text.strip()}\n```"]
    return "\n".join(lines)


def helps() -> Iterator[tuple[str, str]]:
    """Yield every command and its help."""
    yield "python train.py", help_of("train", [])
    for agent in AGENTS:
        yield f"python train.py --agent {agent}", help_of("train", ["--agent", agent])
    yield "python play.py", help_of("play", [])
    for module, names in (
        ("rewards", REWARD_COMMANDS),
        ("training", TRAINING_COMMANDS),
        ("stages", [*EXPERIMENTS, *OTHER_STAGES]),
        ("benchmarks", ["engine", *BENCHMARKS]),
    ):
        for name in names:
            yield f"python -m {module} {name}", help_of(f"{module}.__main__", [name])


def help_of(module: str, arguments: list[str]) -> str:
    """Return what a command prints with --help."""
    run: Callable[[list[str]], int] = importlib.import_module(module).main
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        run([*arguments, "--help"])
    return text.getvalue()


if __name__ == "__main__":
    os.environ |= {"COLUMNS": "100", "TERM": "dumb"}
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
