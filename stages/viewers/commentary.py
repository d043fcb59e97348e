"""The viewer of commentaries: a running game, its commentator, and a GPT that continues the text.

Made by `gymnasium.make("Commentary-v0", render_mode="rgb_array")`, as play.py does. The game runs
in slow motion, and each step is one token. At first it is the commentator's next token, green if
the agent predicted it. After the sentence it is the agent's own prediction, which becomes part of
the agent's next observation.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from envs.engine.palette import AMBER, BACKGROUND, GREEN, WHITE
from envs.engine.single import GameEnv
from rewards.make import make_single
from stages.datasets.commentary import Commentary
from stages.datasets.commentator import Remark
from stages.datasets.commented_games import COMMENTED_GAMES, MOST_REMARKS, fields
from stages.datasets.dataset import Array, examples_of
from stages.datasets.grammar import sentence
from stages.datasets.tokenizer import FULL_STOP, encoded, tokenizer, written
from stages.pictures.predictions import DIM
from stages.pictures.token_lines import LETTERS, NO_FONT, Piece, font_of, write_pieces
from stages.viewers.examples import Viewer

SIDE = 640  # pixels
GAME_SIDE = 432
SMALL = 22  # letters
TOKENS_PER_SECOND = 20
SLOWER = 3  # steps, each a token, per step of the game
EXPECTED = 7  # number of likely next tokens that are shown


class CommentaryViewer(Viewer):
    """A running game and its commentary."""

    def __init__(self, dataset: Commentary) -> None:
        super().__init__(dataset, TOKENS_PER_SECOND)
        self._tokenizer = tokenizer(dataset.language, dataset.pieces)
        self._language, self._window = dataset.language, dataset.window
        self._earlier = examples_of(dataset, "test").observations
        self._names = [dataset.sport] if dataset.sport in COMMENTED_GAMES else list(COMMENTED_GAMES)
        self._surface: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        generator = self.np_random
        self._commented = COMMENTED_GAMES[self._names[int(generator.integers(len(self._names)))]]
        self._game: GameEnv = make_single(self._commented.name)
        self._view: Any = None
        self._observation, _ = self._game.reset(seed=int(generator.integers(2**62)))
        self._skills = generator.random(1)
        before = self._earlier[generator.integers(len(self._earlier))]  # text about other games
        self._text = deque(before.tolist(), maxlen=self._window)
        self._own: list[int] = []
        self._said: list[Piece] = []
        self._steps, self._over = 0, False
        self._right: list[bool] = []
        self._seen = fields(self._game.state)
        self._unread: deque[int] = deque()
        self._take_in(self._commented.describe(None, self._seen))
        return self._observe(), {"score": 0.0}

    def _observe(self) -> Array:
        """Return the newest tokens, including the agent's own."""
        return np.array([*self._text, *self._own][-self._window :], np.int64)

    def _take_in(self, remark: Remark) -> None:
        """Take in a sentence, to be read token by token, and discard the agent's own tokens."""
        self._text.extend(self._unread)
        self._unread.clear()
        generator = np.random.default_rng(self.np_random.integers(2**62))
        spoken = sentence(remark.event, remark.facts, self._language, generator)
        self._english = sentence(remark.event, remark.facts, "en", generator)
        self._unread.extend(encoded(self._tokenizer, [spoken])[0].tolist())
        self._own, self._said = [], []

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Read or generate one token; the game advances every third step."""
        prediction, reward = int(action[-1]), 0.0
        if self._unread:
            token = self._unread.popleft()
            right = prediction == token
            self._right.append(right)
            reward = float(right) - 1.0
            self._text.append(token)
            self._said.append(Piece(written(self._tokenizer, token), GREEN if right else WHITE))
        elif not self._own_is_over:
            self._own.append(prediction)
        self._steps += 1
        if self._steps % SLOWER == 0 and not self._over:
            self._step_game()
        terminated = self._over and not self._unread
        truncated = self._steps >= MOST_REMARKS * self._commented.pace * SLOWER
        score = float(np.mean(self._right or [False]))
        return self._observe(), reward, terminated, truncated, {"score": score}

    def _step_game(self) -> None:
        """Make one step of the game, and take in a remark if one is due."""
        batch = self._game.batch
        actions = self._commented.play(batch.observations, self._skills, self.np_random)
        _, _, self._over, _, _ = self._game.step(actions[0])
        if self._over or self._steps // SLOWER % self._commented.pace == 0:
            now = fields(self._game.state)
            self._take_in(self._commented.describe(self._seen, now))
            self._seen = now

    @property
    def _own_is_over(self) -> bool:
        """Whether the agent has finished its sentence."""
        last = written(self._tokenizer, self._own[-1]) if self._own else ""
        return last.endswith(FULL_STOP) or len(self._own) >= self._window

    def render(self) -> Array:
        """Return the game, the text below and likely tokens at the right: uint8 (side, side, 3)."""
        import pygame

        from envs.engine.drawing import pixels_of, write
        from envs.engine.render import SurfaceView

        if self._surface is None:
            self._surface = pygame.Surface((SIDE, SIDE))
        if self._view is None:
            self._view = SurfaceView(self._game.game)
        surface = self._surface
        surface.fill(BACKGROUND)
        picture = surface.subsurface((0, 0, GAME_SIDE, GAME_SIDE))
        self._view(picture, self._game.state, self._game.batch.options)
        font = font_of(self._language)
        shown = self._language == "en" or font is not None
        own = [Piece(written(self._tokenizer, token), AMBER) for token in self._own]
        if not shown:
            self._said = [Piece(f" {word}", WHITE) for word in self._english.split()]
            own = [Piece(f" {word}", AMBER) for word in NO_FONT.split()]
        y = GAME_SIDE + 18
        write(surface, "commentator (green: predicted by the agent)", (16, y), SMALL, DIM)
        write_pieces(surface, self._said, y + 28, font)
        write(surface, "the agent continues", (16, y + 98), SMALL, DIM)
        write_pieces(surface, own, y + 126, font)
        if shown:
            self._draw_expected(surface, font)
        return pixels_of(surface)

    def _draw_expected(self, surface: Any, font: str | None) -> None:
        """Draw the most probable next tokens."""
        import pygame

        from envs.engine.drawing import write

        probabilities = (
            None if self._agent is None else self._agent.insight(self._observe()).probabilities
        )
        if probabilities is None:
            return
        left, width = GAME_SIDE + 16, SIDE - GAME_SIDE - 32
        write(surface, "next token", (left, 30), SMALL, DIM)
        for k, token in enumerate(np.argsort(-probabilities, kind="stable")[:EXPECTED].tolist()):
            y = 66 + 52 * k
            bar = pygame.Rect(left, y + 16, max(1, round(width * probabilities[token])), 10)
            pygame.draw.rect(surface, AMBER if k == 0 else DIM, bar)
            word = written(self._tokenizer, token).strip() or "(space)"
            write(surface, word, (left, y), LETTERS, WHITE, width=width - 60, font=font)
            write(surface, f"{probabilities[token]:.0%}", (left + width, y), SMALL, DIM, 1.0)

    def close(self) -> None:
        """Close nothing: there is nothing to close."""
