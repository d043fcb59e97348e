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
# # Labels or rewards?
#
# Which way does the ball fly? A network looks at two screens and predicts one of four directions.
# With labels, it is told the right answer. With rewards, it is only told whether its own answer
# was right.

# %%
import matplotlib.pyplot as plt
import numpy as np

from training import train

# %%
labels = train("classify", feedback="answer", seed=1, steps=100_000, eval_every=10_000)
rewards = train(
    "classify", feedback="reward", agent="supervised", seed=1, steps=100_000, eval_every=10_000
)

# %% [markdown]
# Everything else is the same: the screens, the network, the learning rate. The x axis shows how
# many numbers of feedback the network has received.

# %%
for name, run in (("labels", labels), ("rewards", rewards)):
    curves = run.curves()
    numbers = np.interp(curves["eval/mean_score"].steps, *curves["feedback/numbers"])
    plt.plot(numbers, curves["eval/mean_score"].values, label=name)
plt.axhline(0.25, color="grey", linestyle=":", label="chance")
plt.xlabel("numbers of feedback")
plt.ylabel("accuracy")
plt.legend()
plt.show()

# %% [markdown]
# A label says which of the four answers is right. A reward tells this only after a right guess.
# After a wrong guess, three answers are still possible.

# %% [markdown]
# **Try it.** With `env_options={"label_noise": 0.3}`, 30 % of the labels are wrong. How much does
# the accuracy fall?
