"""The command line `python -m rewards`, recorded games, and trials in a separate process."""

from __future__ import annotations

import inspect
import json
import math
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from envs.engine.batch import GameBatch
from envs.engine.game import OBSERVATION_OPTIONS, load_game
from envs.registry import GAMES as REGISTERED
from rewards.__main__ import main
from rewards.check.events import events_of
from rewards.check.recorded_games import GAMES, NOTHING, OF_EACH, TRIED, WHOLE, recorded
from rewards.check.starter import starter
from rewards.make import load_tried_reward
from rewards.sandbox.parent import TrialProcess
from rewards.sandbox.trial import was_compiled
from rewards.terms import load_term
from tests.games import VARIANTS, Variant

KNOWN = tuple(variant for variant in VARIANTS if variant.env_id != "TinyLeaf-v0")


def game_of(variant: Variant, **options: Any) -> tuple[Any, str, dict[str, Any]]:
    """Return a game, its module of reward terms, and its options."""
    arguments: Any = gymnasium.spec(variant.env_id).kwargs
    entry = REGISTERED[arguments["game"]]
    game, rest = load_game(entry.target, variant.options | options)
    return game, entry.rewards, rest


# --- Recorded games


@pytest.mark.parametrize("options", [{}, {"max_steps": 3}], ids=["default", "short"])
@pytest.mark.parametrize("variant", KNOWN, ids=str)
def test_every_event_is_recorded_and_tried(variant: Variant, options: dict[str, Any]) -> None:
    game, rewards, rest = game_of(variant, **options)
    recording = recorded(game, rewards, rest)
    tried = recording.tried()
    assert len(tried) <= TRIED + OF_EACH
    assert np.array_equal(np.unique(tried), tried)
    for name in recording.events.by_name():
        rows = recording.rows(name)
        assert rows.any(), name
        assert rows[tried].sum() >= min(rows.sum(), OF_EACH // 2), name
    names = recording.events.by_name()
    assert all(function.__doc__ for function in names.values())
    assert set(recording.events.worse) | set(recording.events.worse.values()) <= set(names)


def test_recorded_steps_can_be_replayed() -> None:
    """The environment, set to `before`, gives the recorded `after`, flags and score."""
    game, rewards, rest = game_of(Variant("PaddleBall-v0"))
    recording = recorded(game, rewards, rest)
    steps = recording.steps
    env: Any = gymnasium.make("PaddleBall-v0").unwrapped
    env.reset(seed=0)
    for k in recording.tried()[::50]:
        fields = {name: steps.before[k][name] for name in game.state.names}
        env.reset(options={"state": fields})
        _, _, terminated, truncated, info = env.step(int(steps.actions[k]))
        assert env.state.tobytes() == steps.after[k].tobytes()
        assert (terminated, truncated) == (steps.terminated[k], steps.truncated[k])
        assert info["score"] == recording.score[k]
    doing_nothing = recording.player == recording.players.index(NOTHING)
    assert (steps.actions[doing_nothing] == 1).all()


def test_recorded_episodes_are_complete_and_in_order() -> None:
    game, rewards, rest = game_of(Variant("BicycleBalance-v0"))
    recording = recorded(game, rewards, rest)
    assert recording.players == ("doing nothing", "random", "let_go", "ride")
    for episode in range(8 * len(recording.players)):
        times = recording.steps.after.t[recording.episode == episode]
        assert np.array_equal(np.sort(times), np.arange(1, len(times) + 1))


def test_recordings_are_cached_and_a_broken_file_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    game, rewards, rest = game_of(Variant("PaddleBall-v0"), max_steps=20)
    first = recorded(game, rewards, rest)
    (file,) = tmp_path.rglob("*.npz")
    kept = file.read_bytes()
    file.write_bytes(kept[:100])
    second = recorded(game, rewards, rest)
    assert np.array_equal(first.steps.after, second.steps.after)
    assert [path.stat().st_size for path in tmp_path.rglob("*.npz")] == [len(kept)]
    other = recorded(game, rewards, rest | {"ball_speed": 0.05})
    assert len(list(tmp_path.rglob("*.npz"))) == 2
    assert not np.array_equal(first.steps.after.ball_x[:9], other.steps.after.ball_x[:9])


# --- The starter file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "variant",
    [
        Variant("PaddleBall-v0"),
        Variant("BicycleBalance-v0", (("task", "goal"), ("action", "discrete"))),
        Variant("BicycleBalance-v0", (("task", "path"),)),
        Variant("BicycleBalance-v0", (("task", "slow"),)),
    ],
    ids=str,
)
def test_the_starter_file_passes_check_unchanged(
    variant: Variant, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    env = "paddle" if variant.env_id.startswith("Paddle") else "bicycle"
    options = [f"{name}={value}" for name, value in variant.choices]
    assert main(["new", "my_reward.py", "--env", env, "--env-options", *options]) == 0
    assert "python -m rewards check my_reward.py" in capfd.readouterr().out
    text = (folder / "my_reward.py").read_text(encoding="utf-8")
    game, rewards, _ = game_of(variant)
    for field in game.fields:
        assert f"after.{field.name} " in text
        assert field.meaning in text
    for name in events_of(game, rewards).by_name():
        assert f"\n    {name} " in text
    assert all(len(line) <= 100 for line in text.splitlines() if "python play.py" not in line)
    assert main(["check", "my_reward.py"]) == 0
    out, err = capfd.readouterr()
    assert not err
    assert "can be used (compiled), 1 of 1 tests passed" in out
    assert "warning: `my_reward`" not in out
    subprocess.run([sys.executable, "-m", "ruff", "check", "--isolated", "."], check=True)


def test_new_overwrites_no_file_and_usage_errors_take_one_line(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = folder / "my_reward.py"
    file.write_text("precious")
    assert main(["new", "my_reward.py"]) == 2
    assert file.read_text() == "precious"
    assert "my_reward.py exists already" in capfd.readouterr().err
    for arguments, problem in (
        (["new", "my_reward"], "must end in .py; did you mean my_reward.py?"),
        (["new", "x.py", "--env", "chess"], "no game `chess`; choose from bicycle, paddle"),
        (["new", "x.py", "--env", "bicycle", "--env-options", "task=fly"], "no task `fly`"),
        (["new", "x.py", "--env-options", "gravity=1"], "rewards: paddle has no option `gravity`"),
        ([], "name a command: new, check"),
        (["new"], "FILE is missing: python -m rewards new FILE"),
        (["chekc", "x.py"], "there is no command `chekc`; did you mean `check`?"),
        (["check", "hit_or_miss", "--evn", "paddle"], "no option --evn; did you mean --env?"),
        (["check", "hit_or_miss", "--env"], "--env needs a value"),
        (["check", "hit_or_miss", "--env-options", "speed"], "is written KEY=VALUE, got 'speed'"),
        (
            ["check", "hit_or_miss", "--env-options", "ball_speed=9"],
            "`ball_speed` of paddle must be",
        ),
        (
            ["check", "hit_or_miss", "--env-options", "ball_sped=0.04"],
            "rewards: paddle has no option `ball_sped`; did you mean `ball_speed`?",
        ),
        (["check", "mine.py", "--env", "bicycle", "--env-options", "task=gaol"], "no task `gaol`"),
        (["check", "hit_or_mis"], "did you mean `hit_or_miss`?"),
    ):
        assert main(arguments) == 2
        assert problem in (err := capfd.readouterr().err)
        assert err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["my_reward.py"]


@pytest.mark.parametrize(
    "options", [["history=2"], ["observation=screen", "screen_size=30", "frames=3"]]
)
def test_check_accepts_observation_options(options: list[str]) -> None:
    assert {option.partition("=")[0] for option in options} <= set(OBSERVATION_OPTIONS)
    assert set(OBSERVATION_OPTIONS) <= inspect.signature(GameBatch).parameters.keys()
    assert main(["check", "hit_or_miss", "--env-options", *options]) == 0


# --- What check finds


def found(expression: str, env: str = "paddle", **options: Any) -> dict[str, Any]:
    """Return what a check finds, with its verdict."""
    with TrialProcess(expression, env, options, diagnose="en") as trial:
        findings = trial.wait_for_findings()
        trial.wait()
    return {**findings, **trial.verdict}


def test_the_table_shows_means_over_recorded_steps() -> None:
    """The expected means are computed from the fields of the recorded states."""
    verdict = found("hit_or_miss - 0.5*effort")
    game, rewards, rest = game_of(Variant("PaddleBall-v0"))
    recording = recorded(game, rewards, rest)
    rows = recording.diagnosed()
    before, actions, after = recording.transitions(rows)
    score = after["hits"].astype(float) - before["hits"] - after["missed"]
    effort = -0.5 * (actions != 1)
    assert verdict["rewards"] == ["hit_or_miss", "-0.5*effort", "sum"]
    for row in verdict["events"]:
        met = recording.rows(row["name"])[rows]
        expected = [score[met].mean(), effort[met].mean(), (score + effort)[met].mean()]
        assert row["values"] == pytest.approx(expected, abs=1e-12)
        assert row["count"] == met.sum()
    whole = recording.player[rows], recording.episode[rows]
    for k, row in enumerate(verdict["players"]):
        mine = (whole[0] == k) & (whole[1] % GAMES < WHOLE)
        assert len(np.unique(whole[1][mine])) == WHOLE
        assert mine.sum() == ((recording.player == k) & (recording.episode % GAMES < WHOLE)).sum()
        assert row["values"][0] == pytest.approx(score[mine].sum() / WHOLE, abs=1e-9)
        assert row["steps"] == pytest.approx(mine.sum() / WHOLE)
        ends = recording.steps.terminated[rows][mine].sum() / WHOLE
        assert row["terminated"] == pytest.approx(ends)
    assert [row["name"] for row in verdict["players"]] == list(recording.players)


def test_a_renamed_term_is_shown_by_its_new_name() -> None:
    verdict = found("score - 0.01*effort")
    assert verdict["rewards"] == ["hit_or_miss", "-0.01*effort", "sum"]
    (warning,) = verdict["warnings"]
    assert "`score` is now called `hit_or_miss`" in warning


@pytest.mark.parametrize(
    ("expression", "env", "options", "message"),
    [
        ("hit_or_miss - 0.01*effort", "paddle", {}, None),
        ("stay_alive", "paddle", {}, None),
        ("-1*effort", "paddle", {}, "can be earned by doing nothing: 0 an episode"),
        ("hit_or_miss - 0.5*effort", "paddle", {}, "`sum` can be earned by doing nothing"),
        ("follow_ball", "paddle", {}, "ending early earns more than playing on"),
        ("-1*hit_or_miss", "paddle", {}, "miss pays more than hit, 1 against -1"),
        ("hit_or_miss + 0.001*effort", "paddle", {}, "one term dominates the others: 99 %"),
        ("-1*just_alive", "bicycle", {}, "fall pays more than riding, 0 against -1"),
        ("any_motion", "bicycle", {}, "earned without playing well: let_go"),
        ("just_alive", "bicycle", {}, "earned without playing well: let_go"),
        *((None, "bicycle", {"task": task}, None) for task in ("balance", "goal", "path", "slow")),
    ],
)
def test_warnings_about_suspicious_rewards(
    expression: str | None, env: str, options: dict[str, Any], message: str | None
) -> None:
    if expression is None:
        from rewards.bicycle import DEFAULT

        expression = DEFAULT[f"bicycle-{options['task']}"]
    warnings = found(expression, env, **options)["warnings"]
    if message is None:
        assert not warnings
    else:
        assert any(message in warning for warning in warnings), warnings


def test_check_imports_no_heavy_packages(folder: Path) -> None:
    """The command imports none of them, and the process that it starts does not import PyTorch."""
    code = "import json, sys\nfrom rewards.__main__ import main\nmain(['check', 'hit_or_miss'])\n"
    code += "print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "numba", "numpy", "gymnasium", "tyro", "pygame"}
    assert not heavy & set(json.loads(done.stdout.splitlines()[-1]))
    (folder / "mine.py").write_text(
        "import sys\ndef f(before, action, after):\n    return 1.0 + ('torch' in sys.modules)\n"
    )
    assert any("pays 1 for every step" in text for text in found("mine.py")["warnings"])


def test_a_compiled_term_is_remembered_until_its_code_changes(folder: Path) -> None:
    """An edit of the term or of its helper, and another game, make it unknown again."""
    game, *_ = game_of(Variant("PaddleBall-v0"))
    far = random.SystemRandom().random()  # so that no earlier test has made it known
    source = f"FAR = {far}\ndef f(before, action, after):\n    return FAR * near(after.ball_y)\n"
    source += "def near(y):\n    return abs(y)\n"

    def known(text: str, of: Any = game) -> bool:
        (folder / "mine.py").write_text(text)
        return was_compiled(load_term("mine.py:f", ""), of)

    def tried(text: str) -> None:
        (folder / "mine.py").write_text(text)
        with TrialProcess("mine.py:f", "PaddleBall-v0") as trial:
            assert trial.wait() == []
        assert trial.verdict["compiled"] == [True]

    assert not known(source)
    tried(source)
    assert known(source)
    assert known("# a comment\n" + source)
    assert not known(source.replace("FAR =", "FAR = 1 +"))
    assert not known(source.replace("abs(y)", "2.0 * y"))
    assert not known(source, game_of(Variant("BicycleBalance-v0"))[0])
    made = "from collections import namedtuple\nP = namedtuple('P', 'y')\n"
    made += source.replace("near(", "near(P(", 1).replace("ball_y)", "ball_y).y)")
    tried(made)
    assert not known(made)  # P may be another class next time


def test_findings_are_reported_before_compilation(folder: Path) -> None:
    (folder / "mine.py").write_text(
        'def f(before, action, after):\n    return float(f"{after.ball_y:.3f}")\n'
    )
    with TrialProcess("mine.py", "paddle", diagnose="en") as trial:
        found = trial.wait_for_findings()
        assert found["rewards"] == ["f"]
        assert trial.poll() is None
        before = list(found["warnings"])
        warnings = trial.wait()
    assert warnings[: len(before)] == before
    (late,) = warnings[len(before) :]
    assert "cannot be compiled" in late


# --- Rewards that a running program exchanges


def test_a_tried_reward_can_be_loaded_and_used(folder: Path) -> None:
    (folder / "mine.py").write_text(
        "def f(before, action, after):\n    return after.ball_y\n"
        'def g(before, action, after):\n    return float(f"{after.ball_y:.3f}")\n'
    )
    with TrialProcess("mine.py:f + 2*mine.py:g - hit_or_miss", "PaddleBall-v0") as trial:
        (warning,) = trial.wait()
    assert "`g` cannot be compiled" in warning
    assert trial.verdict["compiled"] == [True, False, True]
    expression, compiled = trial.expression, trial.verdict["compiled"]
    reward = load_tried_reward(expression, "PaddleBall-v0", {}, compiled)
    env: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=3, reward=reward).unwrapped
    env.reset(seed=0)
    _, rewards, *_ = env.step(np.ones(3, np.int64))
    expected = [y + 2 * round(y, 3) for y in env.states.ball_y.tolist()]
    assert rewards == pytest.approx(expected, abs=1e-12)
    assert math.isfinite(rewards.sum())


def test_the_starter_file_of_a_game_without_events_and_examples() -> None:
    """The tiny game's default reward is the example, and the file has no test."""
    text, _ = starter(Path("mine.py"), "tiny", {})
    assert "centred(before, action, after)" in text
    assert "def test_" not in text
    functions: dict[str, Any] = {}
    exec(compile(text, "mine.py", "exec"), functions)
    env: Any = gymnasium.make("TinyLeaf-v0").unwrapped
    env.reset(seed=0)
    assert functions["mine"](env.state, np.zeros(1), env.state) == -abs(env.state.x)


def test_check_says_which_scale_it_sees(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "9000*hit_or_miss", "--env", "paddle"]) == 0
    printed = capsys.readouterr().out
    (line,) = [line for line in printed.splitlines() if line.startswith("scale: ")]
    table = next(line for line in printed.splitlines() if line.lstrip().startswith("intercept"))
    earned = table.split()[-1]
    assert f"pays -9,000 to 9,000 in a step, and {earned} in an episode of intercept" in line


def test_check_speaks_korean(capsys: pytest.CaptureFixture[str]) -> None:
    """Names of terms and commands stay as they are; every number is that of the English tables."""
    numbers = {}
    for lang in ("en", "ko"):
        assert main(["check", "hit_or_miss - 0.05*effort", "--lang", lang]) == 0
        printed = capsys.readouterr().out
        numbers[lang] = sorted(re.findall(r"-?[\d,]*\.?\d+", printed))
    assert numbers["en"] == numbers["ko"]
    *_, warning, _, verdict, command = printed.strip().splitlines()
    assert warning.startswith("경고: `sum`: 가만히 있어도 벌 수 있습니다. 에피소드당 -1")
    assert verdict == "쓸 수 있습니다 (컴파일됨)"
    assert command.endswith("python train.py --reward 'hit_or_miss - 0.05*effort'")
    words = set(re.findall(r"[a-zA-Z_]+", printed))
    names = "start flight wall hit miss time out follow intercept sum paddle hit_or_miss effort"
    tools = "python train py reward bubblewrap Landlock and seccomp"
    assert words <= {*names.split(), *tools.split()}
