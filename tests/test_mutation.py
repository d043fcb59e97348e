"""The mutation tool: its changes, its configuration, and a small project that it judges."""

from __future__ import annotations

import ast
import shlex
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from benchmarks import mutation
from benchmarks.mutation_operators import changes

CONFIG = tomllib.loads(mutation.Options().config.read_text(encoding="utf-8"))
WITHOUT_RESULTS = (
    *("*/__init__.py", "*/__main__.py", "envs/*/view.py", "envs/bicycle/view/*"),
    *("envs/engine/canvas.py", "envs/engine/painting.py", "envs/engine/drawing.py"),
    *("envs/engine/fonts.py", "envs/engine/palette.py"),
    "agents/agent.py",  # an interface
    "agents/scatter_plot.py",
)


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a < b", ["a <= b"]),
        ("(a) + (\n    b\n)", ["(a) - (\n    b\n)"]),
        ("x = a and b and c", ["x = a or b and c", "x = a and b or c"]),
        ("a <= b is c", ["a < b is c", "a <= b is not c"]),
        ("x += 1", ["x -= 1", "x += 2"]),
        ("y = -x if not x else ~x", ["y = x if not x else ~x", "y = -x if x else ~x",
         "y = -x if not (not x) else ~x", "y = -x if not x else x"]),
        ("torch.minimum(a, b)", ["torch.maximum(a, b)", "pass"]),
        ("x = max(é, True)", ["x = min(é, True)", "x = max(é, False)"]),
        ("if a:\n    raise E(1 + 1)", ["if not (a):\n    raise E(1 + 1)", "if a:\n    pass"]),
        ("while a: break", ["while not (a): break", "while a: continue"]),
        ("def f(a: int | None = 0.5): return f'{a + 1}'",
         ["def f(a: int | None = 1.5): return f'{a + 1}'"]),
        ("@dataclass(frozen=True)\nclass A:\n    rate: float = 1e-3", []),
        ("zip(a, b, strict=True)", ["pass"]),
    ],
)  # fmt: skip
def test_each_change_is_made_once_and_only_there(source: str, changed: list[str]) -> None:
    assert sorted(change.source for change in changes(source)) == sorted(changed)


def test_every_module_with_results_has_tests_and_every_accepted_survivor_exists() -> None:
    modules = [
        path.relative_to(mutation.ROOT).as_posix()
        for package in ("agents", "envs")
        for path in (mutation.ROOT / package).rglob("*.py")
    ]
    listed = set(CONFIG["tests"])
    assert {m for m in modules if not any(fnmatch(m, p) for p in WITHOUT_RESULTS)} == {
        module for module in listed if module.startswith(("agents/", "envs/"))
    }
    for runs in CONFIG["tests"].values():
        names = [word for arguments in runs for word in shlex.split(arguments)]
        assert all((mutation.ROOT / name).is_file() for name in names if name.startswith("tests/"))
    for entry in CONFIG.get("accepted", ()):
        source = (mutation.ROOT / entry["module"]).read_text(encoding="utf-8")
        made = {(change.before, change.after) for change in changes(source)}
        assert (entry["before"], entry["after"]) in made, entry
        assert entry["reason"]


def test_changes_of_every_module_can_be_parsed() -> None:
    for module in CONFIG["tests"]:
        source = (mutation.ROOT / module).read_text(encoding="utf-8")
        for change in list(changes(source))[::50]:
            ast.parse(change.source)


def test_a_small_project_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of three mutants, `x < 3` is killed, `-x <= 3` survives, and `-x < 4` is accepted."""
    (tmp_path / "m.py").write_text("def f(x):\n    return -x < 3\n")
    (tmp_path / "test_m.py").write_text("from m import f\n\ndef test(): assert f(0) > f(-5)\n")
    accepted = 'module = "m.py"\nbefore = "return -x < 3"\nafter = "return -x < 4"\n'
    config, survivors = tmp_path / "config.toml", tmp_path / "survivors.toml"
    config.write_text(f'[tests]\n"m.py" = ["test_m.py"]\n[[accepted]]\n{accepted}')
    arguments = ["--root", tmp_path, "--config", config, "--survivors", survivors]
    assert mutation.main([str(each) for each in arguments]) == 1
    assert "1 of 2 killed: 50.0%" in capsys.readouterr().out
    (survivor,) = tomllib.loads(survivors.read_text())["accepted"]
    assert survivor == {"module": "m.py", "before": "return -x < 3", "after": "return -x <= 3"}
    assert (tmp_path / "m.py").read_text() == "def f(x):\n    return -x < 3\n"


def test_an_endless_loop_is_killed_and_a_test_that_waited_too_long_is_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all mutants, only the two that an earlier run listed are tested."""
    limits = mutation.Limits(1.0, 1.0, times_waiting=1000.0)  # the machine may be busy
    (tmp_path / "m.py").write_text("def f(x):\n    while x > 0:\n        x -= 1\n    return x\n")
    (tmp_path / "test_m.py").write_text(
        "from subprocess import TimeoutExpired\nfrom m import f\n\ndef test():\n"
        "    if f(3) != 0:\n        raise TimeoutExpired('program', 60)\n"
    )
    config, again = tmp_path / "config.toml", tmp_path / "again.toml"
    config.write_text('[tests]\n"m.py" = ["test_m.py"]\n')
    again.write_text(
        "".join(
            f'[[accepted]]\nmodule = "m.py"\nbefore = "x -= 1"\nafter = "{after}"\n'
            for after in ("x += 1", "x -= 2")
        )
    )
    arguments = ["--root", tmp_path, "--config", config, "--again", again]
    assert mutation.main([str(each) for each in arguments], limits) == 1
    printed = capsys.readouterr().out
    assert "1 of 2 killed: 50.0%; 1 undecided" in printed
    assert 'after = "x -= 2"' in printed


def test_tests_that_are_all_skipped_judge_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.py").write_text("x = 1\n")
    (tmp_path / "test_m.py").write_text("import pytest\n\ndef test(): pytest.skip('no')\n")
    config = tmp_path / "config.toml"
    config.write_text('[tests]\n"m.py" = ["test_m.py"]\n')
    assert mutation.main(["--root", str(tmp_path), "--config", str(config)]) == 1
    printed = capsys.readouterr().out
    assert "left out: without a change, no test of test_m.py passes" in printed
    assert "0 of 0 killed" in printed


def test_an_unknown_module_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutation.main(["--modules", "agents/pro.py"]) == 2
    assert "names no module agents/pro.py" in capsys.readouterr().err
