"""The process in which people play: python -P -m classroom.player

It reads lines of JSON: `{"open": number, "game": ..., "options": ..., "seed": ...}`,
`{"keys": [...], "of": number}` and `{"close": number}`. It sends, `FRAMES_PER_SECOND` times a
second and for each game, `{"of": number, "frame": operations, "score": ..., "over": ...}`.
No code of a student is executed here.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from envs.engine.film import FRAMES_PER_SECOND, frame
from envs.engine.render import load_view
from envs.engine.single import GameEnv
from rewards.child_process import separate_streams
from rewards.make import make_single

BEHIND = 1.0
"""Seconds after which the process stops to catch up, as after a pause of the machine."""


class Play:
    """A game that a person plays."""

    def __init__(self, game: str, options: dict[str, Any], seed: int) -> None:
        self._env: GameEnv = make_single(game, **options)
        self._env.reset(seed=seed)
        self._view = load_view(self._env.game)
        self._due = 0.0
        self.keys: set[str] = set()

    def advance(self) -> dict[str, Any]:
        """Play until the next frame; return it."""
        game, over = self._env.game, False
        to_action = game.action_from_keys
        assert to_action is not None, "all games of the classroom have keys"
        self._due += game.steps_per_second / FRAMES_PER_SECOND
        while self._due >= 1.0 and not over:
            self._due -= 1.0
            *_, terminated, truncated, _ = self._env.step(to_action(self.keys))
            over = terminated or truncated
        state = self._env.state
        picture = frame(self._view, state, self._env.batch.options)
        return {"frame": picture, "score": float(game.score(state)), "over": over}


def main() -> int:
    """Let people play until standard input ends; return the exit code."""
    requests, answers, complaints = separate_streams()
    sys.stderr = complaints
    plays: dict[int, Play] = {}
    lock, ended = threading.Lock(), threading.Event()

    def listen() -> None:
        for line in requests:
            request = json.loads(line)
            with lock:
                if "open" in request:
                    play = Play(request["game"], request["options"], request["seed"])
                    plays[request["open"]] = play
                elif "close" in request:
                    plays.pop(request["close"], None)
                elif request["of"] in plays:
                    plays[request["of"]].keys = set(request["keys"])
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    due = time.monotonic()
    while not ended.is_set():
        with lock:
            for number, play in list(plays.items()):
                shown = play.advance()
                answers.write(json.dumps({"of": number, **shown}, separators=(",", ":")) + "\n")
                if shown["over"]:
                    del plays[number]
            answers.flush()
        due += 1 / FRAMES_PER_SECOND
        if time.monotonic() - due > BEHIND:
            due = time.monotonic()
        time.sleep(max(0.0, due - time.monotonic()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
