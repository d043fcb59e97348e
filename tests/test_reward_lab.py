"""What the commands of the reward lab have in common: the table of commands, help and documents."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from envs.names import load
from rewards.__main__ import COMMANDS, main

ROOT = Path(__file__).parent.parent
LAB = [name for name, command in COMMANDS.items() if command.target]


def typed_in_documents() -> list[str]:
    """Return the arguments of the lab's commands in the documentation."""
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(each.read_text("utf-8").replace("\\\n", " ") for each in documents)
    found = re.findall(rf"python -m rewards ((?:{'|'.join(LAB)}) [^`\n]+)", text)
    return sorted({line.rstrip() for line in found})


@pytest.mark.parametrize("line", typed_in_documents())
def test_commands_in_the_documentation_can_be_typed(line: str) -> None:
    name, *arguments = shlex.split(line, comments=True)
    load(COMMANDS[name].target).read(arguments)


@pytest.mark.parametrize("name", LAB)
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(COMMANDS[name].target).name == name
    for arguments in (["--help"], [name, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert name in capsys.readouterr().out
    assert main([name, "--no-such-option"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
