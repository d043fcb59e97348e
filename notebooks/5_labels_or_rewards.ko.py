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
# # 라벨인가, 보상인가?
#
# 공이 어느 쪽으로 날아가나요? 신경망은 화면 두 장을 보고 네 방향 중 하나를 예측합니다. 라벨은
# 정답을 알려 줍니다. 보상은 신경망의 답이 맞았는지만 알려 줍니다.

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
# 나머지는 모두 같습니다. 화면도, 신경망도, 학습률도 같습니다. x축은 받은 피드백 숫자의 개수입니다.

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
# 라벨은 네 가지 답 중 어느 것이 맞는지 알려 줍니다. 보상은 답이 맞았을 때만 그것을 알려 줍니다.
# 틀렸을 때는 세 가지 가능성이 남습니다.

# %% [markdown]
# **해 보세요.** `env_options={"label_noise": 0.3}`이면 라벨의 30 %가 틀립니다. 정확도가 얼마나
# 떨어지나요?
