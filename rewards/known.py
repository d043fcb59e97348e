"""Terms that an earlier trial found to compile: finding it out takes most of a trial's time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from envs.engine.cache import cache_root, drop_oldest
from envs.engine.fingerprint import fingerprint, reached, tells_all
from envs.engine.game import Game
from rewards.terms import Term
from rewards.weighted_sum import plain_kernel

FOLDER = "known"
KEPT = 1000  # empty files


def is_known(term: Term, game: Game) -> bool:
    """Was this very code found to compile, and to give the same values then?"""
    mark = _mark(term, game)
    return mark is not None and mark.exists()


def remember(term: Term, game: Game) -> None:
    """Let the next trial know, if the disk can be written."""
    mark = _mark(term, game)
    if mark is not None:
        with contextlib.suppress(OSError):
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
            drop_oldest(mark.parent, KEPT)


def _mark(term: Term, game: Game) -> Path | None:
    """The file that is there if a term is known; None where its code is not all that decides."""
    functions = list(reached(plain_kernel(term)))
    if not tells_all(functions):
        return None
    interpreted = os.environ.get("NUMBA_DISABLE_JIT")
    purpose = f"{game.name} {game.state.descr} {game.action_space} {interpreted}"
    root = cache_root(os.environ.get("NUMBA_CACHE_DIR"))
    return root.with_name(FOLDER) / fingerprint(functions, purpose)
