"""The command line: python -m rewards new my_reward.py, python -m rewards check my_reward.py.

It imports little and starts fast. The slow work is done by the process that tries the reward. The
commands of the reward lab (`reward_lab/`) are imported only when they run.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rewards.check import next_commands as commands
from rewards.check.next_commands import DEFAULT_ENV
from rewards.command_line import (
    INTERRUPTED,
    USAGE_ERROR,
    OneLineParser,
    as_typed,
    use_utf8,
)
from rewards.expression import RewardError, file_named, parse
from rewards.output import forgiving_output
from rewards.sandbox.parent import SECONDS, OtherFunctionError, TrialProcess
from rewards.sandbox.protection import missing, protection
from rewards.texts import LANGUAGES, load_texts

PROGRAM = as_typed("python -m rewards")


class Command(NamedTuple):
    """A command."""

    argument: str
    """Its argument, as help shows it."""
    summary: str
    """What it does."""
    target: str = ""
    """A `reward_lab.command.LabCommand` by its name, "module:attribute"; empty for those here."""


COMMANDS = {
    "new": Command("FILE", "Write a starter file with three terms to change."),
    "check": Command(
        "REWARD",
        "Try a reward: a file, FILE:function, or 'hit_or_miss + 0.1*FILE:function'.",
    ),
    "rescore": Command(
        "RUN [REWARD ...]",
        "Show what other rewards pay in the recorded episodes of a run.",
        "reward_lab.rescore:COMMAND",
    ),
    "gallery": Command(
        "[NAME ...]",
        "Show rewards that look right and go wrong, and how to repair them.",
        "reward_lab.gallery.command:COMMAND",
    ),
    "compare": Command(
        "REWARD ...",
        "Train agents on several rewards, and judge every agent by every reward.",
        "reward_lab.compare:COMMAND",
    ),
    "prefer": Command(
        "[--env GAME]",
        "Learn a reward from your comparisons of short clips.",
        "reward_lab.preferences.command:COMMAND",
    ),
    "exercise": Command(
        "[EXERCISE] [REWARD]",
        "Show an exercise, or grade a reward by what the agents trained on it do.",
        "reward_lab.exercise:COMMAND",
    ),
}
FLAGS = ("--env", "--env-options", "--lang")


def main(arguments: Sequence[str] | None = None, seconds: float = SECONDS) -> int:
    """Run the command line and return the exit code; `seconds` is as for `TrialProcess`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in COMMANDS and COMMANDS[given[0]].target:
        return _run_lab(given[0], given[1:])
    try:
        options = _read(given)
        env_options = {}
        if options.env_options:
            from envs.options import parse_env_options  # it imports Gymnasium

            env_options = parse_env_options(options.env_options)
        if options.command == "new":
            return new(Path(options.reward), options.env or DEFAULT_ENV, env_options)
        return check(options.reward, options.env, env_options, options.lang, seconds)
    except (ValueError, OSError) as error:
        from rewards.check.tables import short
        from rewards.errors import message_of

        tell(short(message_of(error)))
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED


def _run_lab(name: str, arguments: Sequence[str]) -> int:
    """Run a command of the reward lab and return the exit code."""
    try:
        from envs.names import load  # it imports Gymnasium

        command = load(COMMANDS[name].target)
    except KeyboardInterrupt:  # these imports take seconds
        tell("interrupted")
        return INTERRUPTED
    code: int = command.main(arguments)
    return code


def new(file: Path, env: str, env_options: dict[str, Any]) -> int:
    """Write a commented starter file, and print the commands to run next."""
    from rewards.check.starter import starter
    from rewards.reward_file import check_name

    if file.suffix != ".py":
        raise RewardError(f"a reward file must end in .py; did you mean {file}.py?")
    check_name(file)
    text, commands = starter(file, env, env_options)
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise RewardError(
            f"{file} exists already and is not changed; choose another name"
        ) from None
    except FileNotFoundError:
        raise RewardError(f"cannot write {file}: there is no folder {file.parent}") from None
    print(f"{file} is written, with three terms for {env}, their sum, and a test.")
    print("Open it in an editor, decide what is good, and then run:")
    for purpose, command in zip(("see what it pays", "train", "watch"), commands, strict=True):
        print(f"  {purpose + ':':18}{command}")
    return 0


def check(
    expression: str,
    env: str | None,
    env_options: dict[str, Any],
    lang: str = "en",
    seconds: float = SECONDS,
) -> int:
    """Try a reward, print what it pays for, and return the exit code."""
    from rewards.reward_file import check_working_folder

    if warning := check_working_folder():
        tell(f"warning: {warning}")
    if env is None:
        env, own_options = _meant_for(expression)
        env_options = own_options | env_options
    try:
        return _tried(expression, env, env_options, lang, seconds)
    except OtherFunctionError as error:
        tell(
            f"warning: only `{error.reward}` is tried, because of another function: {error}. Begin "
            "the names of helpers with _"
        )
        reward = f"{parse(expression)[0].term}:{error.reward}"
        return _tried(reward, env, env_options, lang, seconds)


def _tried(
    expression: str, env: str, env_options: dict[str, Any], lang: str, seconds: float
) -> int:
    with TrialProcess(expression, env, env_options, diagnose=lang, seconds=seconds) as trial:
        from rich.console import Console  # while the other process is busy
        from rich.markup import escape

        from rewards.check.tables import say, show_findings, show_outcome
        from rewards.check.texts import FOLDER

        console, texts = Console(), load_texts(FOLDER, lang)
        found = trial.wait_for_findings()
        show_findings(console, expression, found, texts)
        trial.wait()
    say(
        console,
        texts["verdict"]["sandboxed" if protection() else "limited"].format(
            protection=protection(), reason=missing()
        ),
    )
    new_warnings = trial.verdict["warnings"][len(found["warnings"]) :]
    show_outcome(console, trial.verdict, new_warnings, texts)
    if not trial.verdict["failures"]:
        command = escape(commands.train(env, env_options, expression))
        say(console, f"{texts['verdict']['train']} {command}")
    return USAGE_ERROR if trial.verdict["failures"] else 0


def _meant_for(expression: str) -> tuple[str, dict[str, Any]]:
    """Return the `ENV` and `ENV_OPTIONS` of a file, without executing it."""
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
        pass  # the trial reports what is wrong with the file
    env, options = found.get("ENV", DEFAULT_ENV), found.get("ENV_OPTIONS", {})
    return str(env), dict(options) if isinstance(options, dict) else {}


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command line.

    Raises:
        ValueError: for arguments that cannot be used.
        SystemExit: after --help.
    """
    command = next(iter(arguments), "-")
    if command.startswith("-") and command not in ("-h", "--help"):
        raise ValueError(f"name a command: {', '.join(COMMANDS)}; {PROGRAM} --help explains them")
    if not command.startswith("-") and command not in COMMANDS:
        from envs.names import suggest  # it imports Gymnasium

        raise ValueError(f"there is no command `{command}`; {suggest(command, COMMANDS)}")
    options, unused = _parser().parse_known_args(arguments)
    if unused:
        from envs.names import unused_argument

        raise ValueError(unused_argument(unused, FLAGS, f"{PROGRAM} {options.command}"))
    return options


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog=PROGRAM, description="Write a reward, and see what it does.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (argument, text, target) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        if target:
            continue  # it reads its own options
        is_new = name == "new"
        command.add_argument(
            "reward",
            metavar=argument,
            help="file to write, such as my_reward.py" if is_new else "reward to try",
        )
        command.add_argument(
            "--env",
            help="paddle or bicycle; by default "
            + (DEFAULT_ENV if is_new else "the ENV of the file, or paddle"),
        )
        command.add_argument(
            "--env-options",
            nargs="*",
            metavar="KEY=VALUE",
            help="options of the game, such as task=path",
        )
        if not is_new:
            command.add_argument(
                "--lang",
                choices=LANGUAGES,
                default="en",
                help="language of the tables, of the verdict and of warnings about what is paid; "
                "messages about code are English",
            )
    return parser


def tell(text: str) -> None:
    """Print an error in one line."""
    print(f"rewards: {text}", file=sys.stderr)


if __name__ == "__main__":
    use_utf8("rewards")
    forgiving_output()
    sys.exit(main())
