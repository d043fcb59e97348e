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
# # The bicycle
#
# A bicycle soon falls over if nobody steers. The physics here is the benchmark model of bicycle
# dynamics. The score is the number of seconds, out of 20, for which the bicycle rides upright near
# the commanded speed.

# %%
from training import evaluate, train

# %%
print("random:", evaluate("random", "bicycle", episodes=20))
print("rules: ", evaluate("rules", "bicycle", episodes=20))

# %% [markdown]
# ## Learning to ride
#
# The agent feels the lean, the steering angle, their rates and the speed. It sets two numbers
# between -1 and 1: the torque on the handlebars and the drive.

# %%
run = train("bicycle", seed=1, steps=600_000)

# %%
run.plot()

# %%
run.watch()

# %% [markdown]
# ## Slower is harder
#
# Above a certain speed, a bicycle balances itself. With `task="slow"`, it has to ride slowly. The
# score of the hand-written rider shows how hard that is.

# %%
evaluate("rules", "bicycle", episodes=20, env_options={"task": "slow"})

# %% [markdown]
# **Try it.** Train with `reward="just_alive"`. The bicycle stays upright. What speed does it
# choose?
