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
# # In-context learning
#
# A transformer is trained on many different rules. A rule says which button moves which way. Later
# the transformer meets rules that it has never seen. Its weights stay fixed, and it only gets
# examples in its prompt.

# %%
import matplotlib.pyplot as plt

from training import train

# %%
run = train(
    "prompts",
    seed=1,
    steps=16_000,
    width=32,
    layers=2,
    heads=2,
    learning_rate=3e-3,
    eval_every=4_000,
)

# %% [markdown]
# `shots_4` is the accuracy after 4 examples, on rules that were not in the training.

# %%
metrics = run.evaluate(500).metrics
shots = {
    int(name.removeprefix("shots_")): value
    for name, value in metrics.items()
    if name.startswith("shots_")
}
plt.plot(list(map(str, shots)), list(shots.values()), marker="o")
plt.axhline(0.2, color="grey", linestyle=":")
plt.xlabel("examples in the prompt")
plt.ylabel("accuracy")
plt.ylim(0, 1)
plt.show()

# %% [markdown]
# No weight changes while the curve rises. The network finds the rule in the examples.

# %% [markdown]
# **Try it.** Train a smaller transformer (`width=8, layers=1`). Does it use the examples?
