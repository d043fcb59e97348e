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
# # Policy or reward prediction?
#
# PPO learns a policy, which chooses an action directly from the observation. The agent
# `reward_model` learns to predict the reward of the next step. It plans: it tries actions in copies
# of the game before it chooses one.

# %%
from training import train

# %% [markdown]
# Both agents play the same game for 20,000 steps.

# %%
policy = train("paddle", agent="ppo", seed=1, steps=20_000, eval_every=10_000, eval_episodes=10)
model = train(
    "paddle", agent="reward_model", seed=1, steps=20_000, eval_every=20_000, eval_episodes=10
)

# %%
print("policy:", policy.score)
print("model: ", model.score)

# %% [markdown]
# The reward model needs fewer steps. Its copies of the game show what an action leads to, so it
# only has to learn what pays. The policy has to learn both. On the other hand, the policy acts at
# once, while planning takes time at every step.

# %%
from time import perf_counter

for name, run in (("policy", policy), ("model", model)):
    began = perf_counter()
    steps = run.evaluate(4).lengths.sum()
    print(f"{name}: {1000 * (perf_counter() - began) / steps:.2f} milliseconds per step")

# %%
model.watch(seconds=5)

# %% [markdown]
# **Try it.** How many steps does the policy need to reach the score that the reward model has after
# 20,000 steps? Use `policy.resume(steps)`.
