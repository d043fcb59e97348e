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
# # 정책인가, 보상 예측인가?
#
# PPO는 정책을 배웁니다. 정책은 관측을 보고 바로 행동을 정합니다. `reward_model` 에이전트는 다음
# 스텝의 보상을 예측하는 법을 배웁니다. 그리고 계획을 세웁니다. 게임의 복사본에서 행동을 시험해 본
# 다음에 하나를 고릅니다.

# %%
from training import train

# %% [markdown]
# 두 에이전트는 같은 게임을 똑같이 2만 스텝 합니다.

# %%
policy = train("paddle", agent="ppo", seed=1, steps=20_000, eval_every=10_000, eval_episodes=10)
model = train(
    "paddle", agent="reward_model", seed=1, steps=20_000, eval_every=20_000, eval_episodes=10
)

# %%
print("policy:", policy.score)
print("model: ", model.score)

# %% [markdown]
# 보상 모델은 더 적은 스텝으로 배웁니다. 게임의 복사본을 보면 행동의 결과를 알 수 있으므로, 무엇에
# 보상을 주는지만 배우면 됩니다. 정책은 둘 다 배워야 합니다. 대신 정책은 바로 행동합니다. 계획을
# 세우려면 스텝마다 시간이 걸립니다.

# %%
from time import perf_counter

for name, run in (("policy", policy), ("model", model)):
    began = perf_counter()
    steps = run.evaluate(4).lengths.sum()
    print(f"{name}: {1000 * (perf_counter() - began) / steps:.2f} milliseconds per step")

# %%
model.watch(seconds=5)

# %% [markdown]
# **해 보세요.** 보상 모델이 2만 스텝 뒤에 얻은 점수에 정책이 도달하려면 몇 스텝이 필요한가요?
# `policy.resume(steps)`를 쓰세요.
