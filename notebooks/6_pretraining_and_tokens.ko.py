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
# # 사전 학습과 토큰
#
# ## 판다일까, 토끼일까?
#
# 공 20종을 구별하도록 배운 신경망은 이미 모양을 알아봅니다. 그래서 라벨이 조금만 있어도 판다와
# 토끼를 구별하는 법을 배웁니다.

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
# 이제 동물마다 라벨이 10개뿐입니다. 한 신경망은 처음부터 시작합니다. 다른 신경망은 앞에서 배운
# 몸통을 고정한 채로 받고, 머리(판단부)만 학습합니다.

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
# ## 토큰
#
# 언어 모델은 글자도 낱말도 아닌 토큰을 읽습니다. 토큰은 이웃한 것 가운데 가장 자주 나오는 쌍을
# 계속 합쳐서 만듭니다. 어휘가 크면 토큰이 깁니다.

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
# **해 보세요.** 라벨이 몇 개면 처음부터 배운 신경망이 사전 학습한 신경망을 따라잡나요?
# `examples`를 바꿔 보세요.
