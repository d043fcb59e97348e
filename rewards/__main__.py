"""The command line: python -m rewards new my_reward.py, python -m rewards check my_reward.py.

It imports little: what takes time is done in the process that tries the reward.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rewards.check import next_commands as commands
from rewards.check.next_commands import DEFAULT_ENV
from rewards.expression import RewardError, file_named
from rewards.sandbox.parent import TrialProcess
from training.env_options import parse_env_options

USAGE_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        options = _parser().parse_args(arguments)
        env_options = parse_env_options(options.env_options or ())
        if options.command == "new":
            return new(Path(options.reward), options.env or DEFAULT_ENV, env_options)
        return check(options.reward, options.env, env_options)
    except (ValueError, OSError) as error:
        from rewards.check.tables import short

        tell(short(str(error)))
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED


def new(file: Path, env: str, env_options: dict[str, Any]) -> int:
    """Write a commented starter, and say what comes next."""
    from rewards.check.starter import starter

    if file.suffix != ".py":
        raise RewardError(f"a file of rewards ends in .py: {file}.py?")
    text, commands = starter(file, env, env_options)
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise RewardError(
            f"{file} exists already; it is left as it is, take another name"
        ) from None
    print(f"{file} is written: three terms for {env}, their sum, and a test.")
    print("Open it in an editor, change what is good, and then:")
    for purpose, command in zip(("see what it pays", "train", "watch"), commands, strict=True):
        print(f"  {purpose + ':':18}{command}")
    return 0


def check(expression: str, env: str | None, env_options: dict[str, Any]) -> int:
    """Try a reward, and show what it pays for."""
    if env is None:
        env, own_options = _meant_for(expression)
        env_options = own_options | env_options
    with TrialProcess(expression, env, env_options, examine=True) as trial:
        from rich.console import Console  # while the other process works
        from rich.markup import escape

        from rewards.check.tables import say, show_findings, show_outcome

        console = Console()
        found = trial.wait_for_findings()
        show_findings(console, expression, found)
        trial.wait()
    show_outcome(console, trial.verdict, trial.verdict["warnings"][len(found["warnings"]) :])
    if not trial.verdict["failures"]:
        reward = _one_of(expression, found["rewards"])
        it = "it" if reward == expression else "one of them"
        say(console, f"train on {it}: {escape(commands.train(env, env_options, reward))}")
    return USAGE_ERROR if trial.verdict["failures"] else 0


def _one_of(expression: str, rewards: list[str]) -> str:
    """The reward that `train.py` takes; of several functions in a file it must be told which."""
    alone = not expression.endswith(".py") or len(rewards) == 1 or Path(expression).stem in rewards
    return expression if alone else f"{expression}:{rewards[0]}"


def _meant_for(expression: str) -> tuple[str, dict[str, Any]]:
    """The game and the options that a file names as `ENV` and `ENV_OPTIONS`; it is not executed."""
    found: dict[str, Any] = {}
    file = Path(file_named(expression))
    try:
        statements = ast.parse(file.read_bytes() if file.is_file() else b"").body
        for statement in statements:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                name = statement.targets[0].id
                if name in ("ENV", "ENV_OPTIONS"):
                    found[name] = ast.literal_eval(statement.value)
    except (OSError, ValueError, SyntaxError, MemoryError, RecursionError):
        pass  # whatever is wrong with the file, the trial finds it
    env, options = found.get("ENV", DEFAULT_ENV), found.get("ENV_OPTIONS", {})
    return str(env), dict(options) if isinstance(options, dict) else {}


class _Parser(argparse.ArgumentParser):
    """Mistakes in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (python -m rewards --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m rewards", description="Write rewards, and see what they do.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="new | check")
    for name, argument, text in (
        ("new", "FILE", "write a file with three examples, to be changed"),
        (
            "check",
            "REWARD",
            "try a reward: a file, file.py:function, or 'hit_or_miss + 0.1*file.py:f'",
        ),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("reward", metavar=argument)
        command.add_argument("--env", help="paddle or bicycle; by default what the file says")
        command.add_argument(
            "--env-options", nargs="*", metavar="KEY=VALUE", help="of the game, such as task=path"
        )
    return parser


def tell(text: str) -> None:
    """Say in one line what is wrong."""
    print(f"rewards: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
