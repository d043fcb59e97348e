"""The gallery: why its rewards go wrong, exactly; its results, its commands and its page.

That agents still go wrong is verified by training: python -m rewards gallery --verify
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from envs.engine.game import load_game
from envs.registry import GAMES
from reward_lab import texts as lab_texts
from reward_lab.gallery import HACKS, REWARDS, Hack
from reward_lab.gallery.outcomes import load_outcomes, load_verdicts
from reward_lab.gallery.trials import load_film
from rewards.__main__ import main
from rewards.check.recorded_games import recorded
from rewards.command_line import USAGE_ERROR
from rewards.terms import load_term

BY_NAME = {hack.name: hack for hack in HACKS}
LOSES_AT_ONCE = "doing nothing"
BETTER_BADLY = {
    "near_the_ball": (LOSES_AT_ONCE, "intercept"),
    "little_effort": (LOSES_AT_ONCE, "intercept"),
    "hurry": (LOSES_AT_ONCE, "intercept"),
    "just_upright": ("let_go", "ride"),
    "many_metres": ("let_go", "ride"),
    "hidden_term": ("let_go", "ride"),
}
"""Of each reward: a player that plays badly and earns as much as one that plays well, or more."""


def term_of(file: Path) -> Any:
    """Return the function in a reward file."""
    return load_term(str(file), "rewards.paddle").function


def earned(file: Path, hack: Hack) -> dict[str, float]:
    """Return what a reward pays each recorded player in an episode, on average.

    All steps are paid in one call: these rewards calculate with arrays, too.
    """
    entry = GAMES[hack.env]
    recording = recorded(load_game(entry.target, dict(hack.env_options))[0], entry.rewards, {})
    rows = np.flatnonzero(recording.whole())
    before, actions, after = recording.transitions(rows)
    paid = term_of(file)(before.view(np.recarray), actions, after.view(np.recarray))
    players, episodes = recording.player[rows], recording.episode[rows]
    return {
        name: paid[players == k].sum() / len(np.unique(episodes[players == k]))
        for k, name in enumerate(recording.players)
    }


@pytest.mark.parametrize("name", BETTER_BADLY)
def test_playing_badly_pays_at_least_as_much_until_the_reward_is_repaired(name: str) -> None:
    hack, (bad, good) = BY_NAME[name], BETTER_BADLY[name]
    wrong, repaired = earned(hack.file, hack), earned(hack.repair_file, hack)
    assert wrong[bad] > 0.998 * wrong[good]
    assert repaired[bad] < 0.9 * repaired[good]


def test_the_wrong_sign_and_the_wrong_unit() -> None:
    below = SimpleNamespace(ball_y=0.9, paddle_y=0.5)  # y grows downwards
    assert [term_of(BY_NAME["wrong_way_up"].file)(below, k, None) for k in range(3)] == [1, 0, 0]
    paid = {}
    for speed in (0.7, 2.52):
        after = SimpleNamespace(speed=speed, commanded_speed=2.52, fallen=0)
        files = (BY_NAME["other_units"].file, BY_NAME["other_units"].repair_file)
        paid[speed] = [term_of(file)(None, None, after) for file in files]
    assert paid[0.7][0] == pytest.approx(1.0)
    assert paid[2.52][1] == 1.0
    assert paid[2.52][0] < paid[0.7][1]


def test_tilting_to_and_fro_pays_for_corrections_only() -> None:
    rolls = [SimpleNamespace(roll=r, fallen=0) for r in (0.0, 0.1, 0.0, -0.1, 0.0)]
    term = term_of(BY_NAME["corrections"].file)
    total = sum(term(before, None, after) for before, after in itertools.pairwise(rolls))
    assert total == pytest.approx(2 * 5.73)


def test_every_reward_has_texts_results_and_films() -> None:
    files = {file.stem for file in REWARDS.rglob("*.py") if file.stem != "__init__"}
    assert files == {name for hack in HACKS for name in (hack.name, hack.repair)}
    for lang in ("en", "ko"):
        assert list(lab_texts.load("gallery", lang)["hacks"]) == list(BY_NAME)
    for name in files:
        assert len(load_film(name).actions) > 10
    assert len(HACKS) >= 10


@pytest.mark.parametrize("verdict", load_verdicts(), ids=lambda verdict: verdict.hack.name)
def test_the_results_show_a_reward_that_rises_and_a_repair_that_helps(verdict: Any) -> None:
    assert verdict.seeds == 5
    assert verdict.risen >= 4
    assert verdict.worse >= 4
    assert verdict.gain.low > 0.0


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_list_and_the_numbers(
    lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = tmp_path / "numbers.json"
    assert main(["gallery", "--lang", lang, "--json", str(numbers)]) == 0
    assert "hurry" in capsys.readouterr().out
    content = json.loads(numbers.read_text())
    assert [each["name"] for each in content] == list(BY_NAME)


def test_lists_do_not_wait_for_pytorch(tmp_path: Path) -> None:
    program = """import sys
from rewards.__main__ import main
assert main(["gallery"]) == main(["gallery", "hurry"]) == main(["exercise"]) == 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, capture_output=True)


def test_one_reward_with_its_code_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "hurry"]) == 0
    output = capsys.readouterr().out
    for part in ("def hurry", "def hit_or_miss", "rewards check", "train.py", "--replay"):
        assert part in output


def test_the_page_needs_no_other_file(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["gallery", "hurry", "--lang", "ko", "--out", str(page)]) == 0
    text = page.read_text("utf-8")
    assert text.count("data:image/gif;base64,") == 2
    assert text.count("data:image/png;base64,") == 1
    assert text.count("<h2 ") == 1
    assert "http" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hurri"], "did you mean `hurry`?"),
        (["--out", "page.png"], "--out must end in .html"),
        (["--verify", "--seeds", "1"], "--seeds must be between 2 and 10"),
        (["--save", "folder"], "--save needs --verify"),
        (["hurry", "--seeds", "3"], "--seeds needs --verify"),
        (["--workers", "1"], "--workers needs --verify"),
        (["--out", "nowhere/a.html"], "--out: there is no folder nowhere"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gallery", *arguments]) == USAGE_ERROR
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_damaged_results_are_refused(tmp_path: Path) -> None:
    for content in ("[]", '{"a": 1}', '{"a": {"steps": [1], "returns": [], "scores": []}}'):
        (tmp_path / "results.json").write_text(content)
        with pytest.raises(ValueError, match=r"results\.json"):
            load_outcomes(tmp_path)
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(ValueError, match=r"results\.json is damaged: .* near_the_ball"):
        load_verdicts(tmp_path)
