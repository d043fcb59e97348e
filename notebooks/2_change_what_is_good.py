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
# # Change what is good
#
# An agent does not know what you want. It only gets the reward. In this lesson, you write rewards
# and see what the agent learns from them.

# %%
from training import train

# %% [markdown]
# A reward is a function of the state before the step, the action, and the state after the step.
# `y` grows downwards, so this reward pays more the higher the paddle is.


# %%
def stay_high(before, action, after):
    """Pay more the higher the paddle is."""
    return 1 - after.paddle_y


# %%
high = train("paddle", reward=stay_high, seed=1, steps=200_000)

# %% [markdown]
# The reward rises, but the score does not. The agent did what you paid for.

# %%
high.plot()

# %%
high.watch(seconds=5)

# %% [markdown]
# ## A weighted sum
#
# `hit_or_miss` pays 1 for a hit and -1 for a miss. `effort` is 1 for each move. With a small weight
# of `effort`, the agent learns to play with few moves. With a large weight, moving is never worth
# its cost.

# %%
runs = {}
for weight in (0.0, 0.01, 0.3):
    reward = f"hit_or_miss - {weight}*effort"
    runs[weight] = train("paddle", reward=reward, seed=1, steps=200_000, quiet=True)

# %%
import matplotlib.pyplot as plt

for weight, run in runs.items():
    plt.plot(*run.curves()["eval/mean_score"], label=f"{weight} * effort")
plt.xlabel("steps")
plt.ylabel("score")
plt.legend()
plt.show()

# %% [markdown]
# ## Mistakes are found before the training
#
# A reward is first tried on recorded games. Remove the `#` in front of `train` and read the last
# line of the message. It names the cell and the line.


# %%
def misspelt(before, action, after):
    return 1 - after.padle_y


# train("paddle", reward=misspelt)

# %% [markdown]
# **Try it.** Write a reward for an agent that misses on purpose, and one for an agent that keeps
# the ball in the upper half. What does the score say, and what does `watch` show?
