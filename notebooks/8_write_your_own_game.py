# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Write your own game
#
# A game is a class with `reset` and `step`. This is Gymnasium's interface, so the agents of this
# project can play it. In this game, apples fall and the agent catches them with a basket.

# %%
import gymnasium
import numpy as np
from gymnasium import spaces

from training import evaluate, train

SIDE = 9


class Apples(gymnasium.Env):
    """Ten apples fall; each one caught pays 1."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}
    observation_space = spaces.Box(0, SIDE, (3,), np.float32)
    action_space = spaces.Discrete(3)  # left, stay, right

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.basket, self.fallen = SIDE // 2, 0
        self._new_apple()
        return self._observe(), {}

    def step(self, action):
        self.basket = int(np.clip(self.basket + action - 1, 0, SIDE - 1))
        self.y += 1
        reward = 0.0
        if self.y == SIDE - 1:
            reward = float(self.x == self.basket)
            self.fallen += 1
            self._new_apple()
        return self._observe(), reward, self.fallen == 10, False, {}

    def _new_apple(self):
        self.x, self.y = int(self.np_random.integers(SIDE)), 0

    def _observe(self):
        return np.array([self.x, self.y, self.basket], np.float32)

    def render(self):
        picture = np.full((SIDE, SIDE, 3), 30, np.uint8)
        picture[self.y, self.x] = 220, 60, 60
        picture[-1, self.basket] = 120, 220, 120
        return picture.repeat(24, 0).repeat(24, 1)


# %% [markdown]
# Gymnasium's `check_env` finds common mistakes.

# %%
from gymnasium.utils.env_checker import check_env

check_env(Apples())
evaluate("random", Apples)

# %%
run = train(Apples, agent="ppo", seed=1, steps=60_000, eval_every=10_000)

# %%
run.plot()

# %%
run.watch()

# %% [markdown]
# **Try it.** Let the wind move the apple sideways while it falls. Does the agent still catch all
# ten?
