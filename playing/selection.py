"""Decides what is played: which run, which environment, which reward.

A run folder may come from anyone, so that nothing that it names is executed unless asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.options import check_option_name
from envs.registry import GAMES, env_ids
from training.config import RunConfig
from training.reward_snapshot import has_code, kept_expression
from training.run_folder import CONFIG, TENSORS, RunError, read_json
from training.train_options import find_env_id
from training.trained_agent import language_of, load_config

SHIPPED = Path(__file__).parent / "trained"
RUNS = Path("runs")
DEFAULT_GAME = "paddle"


class PlayError(ValueError):
    """Something that cannot be played; the message is one line that says what to do instead."""


@dataclass(frozen=True)
class Wishes:
    """What the user asked for; None where the run decides."""

    env: str | None = None
    """Short name or Gymnasium id."""
    reward: str | None = None
    """Weighted sum of reward terms."""
    env_options: dict[str, Any] | None = None
    """Further arguments of `gymnasium.make`, over those of the run."""
    trust_reward: bool = False
    """Execute the copy of a run's own reward that is kept in its folder."""


@dataclass(frozen=True)
class Selection:
    """What is played."""

    env_id: str
    make_options: dict[str, Any]
    """Arguments of `gymnasium.make` and `make_vec` beside the id."""
    run: Path | None
    """Run folder of the trained agent."""
    notes: tuple[str, ...] = ()
    """What the user should know, a line each."""


def select_game(wishes: Wishes) -> Selection:
    """A game for an agent that comes from no run; one of its runs may be switched to.

    Raises:
        ValueError: if there is no such environment or it takes no such reward.
    """
    env_id = find_env_id(wishes.env or DEFAULT_GAME)
    options = _make_options(env_id, wishes.reward, wishes.env_options or {})
    return Selection(env_id, options, newest_run(env_id, wishes.env_options or {}))


def select_run(run: Path | None, wishes: Wishes) -> Selection:
    """The run's own environment and reward, as far as the user has no wishes.

    Args:
        run: its folder, or None for the newest one (of the environment wished for, if any), or
            the one that is shipped where there is none yet.
        wishes: what goes before the run's settings.

    Raises:
        ValueError: if there is no such run or environment, or the run folder is damaged.
    """
    wanted = None if wishes.env is None else find_env_id(wishes.env)
    run = run or newest_run(wanted, wishes.env_options or {})
    if run is None:
        of_env, option = (f" of {wishes.env}", f" --env {wishes.env}") if wishes.env else ("", "")
        raise PlayError(
            f"there is no run{of_env} yet: train one with `python train.py{option}`, or watch "
            "--agent random"
        )
    config = load_config(run)
    env_id = wanted or _env_of_run(config)
    options, reward = wishes.env_options or {}, wishes.reward
    notes: tuple[str, ...] = ()
    if env_id == config.env:
        learned = _options_of_run(config)
        options = learned | options
        if language_of(options) != language_of(learned):
            raise PlayError(f"{run} has learned language={language_of(learned)}, no other")
        if reward is None:
            reward, notes = _reward_of_run(run, config, wishes.trust_reward)
    return Selection(env_id, _make_options(env_id, reward, options), run, notes)


def newest_run(env_id: str | None, env_options: dict[str, Any]) -> Path | None:
    """The run saved last, of any environment or of `env_id`; else a shipped one; else None.

    Those whose own options agree with these go before those that contradict them.
    """
    own = sorted(RUNS.glob(f"*/{TENSORS}"), key=lambda path: path.stat().st_mtime, reverse=True)
    shipped = sorted(SHIPPED.glob(f"*/{TENSORS}"))
    shipped.sort(key=lambda path: path.parent.name != DEFAULT_GAME)  # that one first
    named = [(path.parent, *_env_named_in(path.parent)) for path in own + shipped]
    suiting = [(run, has) for run, env, has in named if env is not None and env_id in (None, env)]

    def agreement(candidate: tuple[Path, dict[str, Any]]) -> tuple[int, int]:
        shared = candidate[1].keys() & env_options.keys()
        same = sum(candidate[1][name] == env_options[name] for name in shared)
        return 2 * same - len(shared), same

    return max(suiting, key=agreement)[0] if suiting else None  # the first of the best


def _env_named_in(folder: Path) -> tuple[str | None, dict[str, Any]]:
    """Environment and its options as far as the folder can be read; it is nobody's otherwise."""
    try:
        content = read_json(folder / CONFIG)
        return str(content["env"]), dict(content["env_options"])
    except (RunError, LookupError, TypeError, ValueError):
        return None, {}


def _env_of_run(config: RunConfig) -> str:
    if ":" in config.env:
        raise PlayError(
            f"the run's environment {config.env} would import code; say --env {config.env} if you "
            "trust it"
        )
    return find_env_id(config.env)


def _options_of_run(config: RunConfig) -> dict[str, Any]:
    """The run's environment options, which must not name code either."""
    for name in config.env_options:
        check_option_name(name)
    return config.env_options


def _reward_of_run(run: Path, config: RunConfig, trust: bool) -> tuple[str | None, tuple[str, ...]]:
    """The run's reward, and a note if it is replaced by the game's default."""
    if config.reward is None or not has_code(config.reward):
        return config.reward, ()
    if trust:
        return kept_expression(run, config.reward), ()
    return None, (
        f"the run's reward {config.reward!r} is code of its own and was not executed; shown is the "
        "game's default reward (--trust-reward executes the copy in the run folder)",
    )


def _make_options(env_id: str, reward: str | None, options: dict[str, Any]) -> dict[str, Any]:
    if reward is None:
        return options
    if env_id not in env_ids(GAMES):
        raise PlayError(f"{env_id} has a reward of its own: leave out --reward")
    return options | {"reward": reward}


def one_line(error: BaseException) -> str:
    """An exception's message without line breaks and colour codes."""
    text = " ".join(str(error).split())
    return text or type(error).__name__
