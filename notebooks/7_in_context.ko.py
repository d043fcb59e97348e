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
# # 인컨텍스트 학습
#
# 트랜스포머가 서로 다른 규칙을 많이 배웁니다. 규칙은 어느 버튼을 누르면 어느 쪽으로 움직이는지
# 정합니다. 그다음 처음 보는 규칙을 만납니다. 가중치는 그대로 두고, 프롬프트에 예시만 받습니다.

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
# `shots_4`는 예시 4개를 본 뒤의 정확도입니다. 학습에 없던 규칙으로 측정합니다.

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
# 곡선이 오르는 동안 가중치는 바뀌지 않습니다. 신경망이 예시에서 규칙을 찾아냅니다.

# %% [markdown]
# **해 보세요.** 더 작은 트랜스포머(`width=8, layers=1`)를 학습해 보세요. 예시를 이용하나요?
