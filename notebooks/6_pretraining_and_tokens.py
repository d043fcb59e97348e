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
# # Pretraining and tokens
#
# ## Panda or rabbit?
#
# A network that can tell 20 kinds of balls apart already recognizes shapes. It then needs only a
# few labels to learn to tell pandas from rabbits.

# %%
from training import train

# %%
balls = train(
    "shapes",
    seed=1,
    steps=100_000,
    env_options={"of": "balls", "examples": 50_000},
    eval_every=25_000,
)

# %% [markdown]
# Now there are only 10 labels of each animal. One network starts from scratch. The other one gets
# the backbone of the first run, which stays fixed. Only its head is trained.

# %%
few = {
    "env_options": {"of": "animals", "examples": 20},
    "num_envs": 20,
    "seed": 1,
    "steps": 8_000,
    "eval_every": 4_000,
}
scratch = train("shapes", **few, quiet=True)
pretrained = train("shapes", **few, pretrained=balls, freeze=True, learning_rate=4e-3, quiet=True)
print("from scratch:", scratch.score)
print("pretrained:  ", pretrained.score)

# %% [markdown]
# ## Tokens
#
# A language model reads neither letters nor words, but tokens. They are made by merging the most
# frequent pair of neighbours, again and again. A large vocabulary has long tokens.

# %%
from stages.datasets.tokenizer import readable, tokenizer

for size in (100, 200, 400):
    pieces = tokenizer("en", size).encode("The ball flies towards the paddle.").tokens
    print(size, len(pieces), " ".join(map(readable, pieces)))

# %%
for size in (100, 200, 400):
    pieces = tokenizer("ko", size).encode("공이 패들 쪽으로 날아옵니다.").tokens
    print(size, len(pieces), " ".join(map(readable, pieces)))

# %% [markdown]
# **Try it.** With how many labels is training from scratch as good as pretraining? Change
# `examples`.
