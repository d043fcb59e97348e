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
# # Your first agent
#
# An agent learns paddle-and-ball by trial and error. It moves a paddle and tries to keep the ball
# from leaving through the open side. Run the cells from top to bottom. While an agent trains, a
# panel shows the progress.

# %%
from training import evaluate, load, train

# %% [markdown]
# ## Before learning
#
# An agent that acts at random returns almost no ball. `evaluate` plays 100 games and gives the
# mean number of returned balls.

# %%
evaluate("random", "paddle")

# %% [markdown]
# ## Learning
#
# PPO is a learning algorithm. It solves the game after about 300,000 steps. The seed determines all
# random numbers, so you get the same agent as everybody else with the same kind of computer.

# %%
run = train("paddle", agent="ppo", seed=1, steps=500_000)

# %% [markdown]
# The score of the evaluations rises. The agent learns only from the reward: +1 for a hit, -1 for a
# miss.

# %%
run.plot()

# %% [markdown]
# ## Watching
#
# `watch` plays one game with the best agent.

# %%
run.watch()

# %% [markdown]
# ## Is it good?
#
# Compare the agent with a program that a person wrote. The program calculates where the ball will
# land. Both play the same 100 games.

# %%
print("trained:", run.evaluate())
print("rules:  ", evaluate("rules", "paddle"))

# %% [markdown]
# ## The run is saved
#
# Everything is in the run folder. `load` opens it again at any time, and `python play.py` shows the
# agent in a window.

# %%
load(run.folder).config.settings

# %% [markdown]
# **Try it.** Train with `seed=2` and with `agent="dqn"`. Does the curve look the same? Make the
# game harder with `env_options={"paddle_size": 0.1}`.
