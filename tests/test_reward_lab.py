"""What the commands of the reward lab have in common: the table of commands, and help."""

from __future__ import annotations

import pytest

from envs.names import load
from rewards.__main__ import COMMANDS, main

LAB = [name for name, command in COMMANDS.items() if command.target]


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
