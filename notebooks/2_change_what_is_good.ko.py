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
# # 무엇이 좋은지 바꾸기
#
# 에이전트는 여러분이 무엇을 원하는지 모릅니다. 보상을 받을 뿐입니다. 이 수업에서는 보상을 직접
# 쓰고, 에이전트가 무엇을 배우는지 봅니다.

# %%
from training import train

# %% [markdown]
# 보상은 스텝 전의 상태, 행동, 스텝 후의 상태를 받는 함수입니다. `y`는 아래로 갈수록 커지므로, 이
# 보상은 패들이 높이 있을수록 많이 줍니다.


# %%
def stay_high(before, action, after):
    """Pay more the higher the paddle is."""
    return 1 - after.paddle_y


# %%
high = train("paddle", reward=stay_high, seed=1, steps=200_000)

# %% [markdown]
# 보상은 오르는데 점수는 오르지 않습니다. 에이전트는 보상받는 일을 했을 뿐입니다.

# %%
high.plot()

# %%
high.watch(seconds=5)

# %% [markdown]
# ## 가중합
#
# `hit_or_miss`는 공을 받아 내면 1, 놓치면 -1입니다. `effort`는 움직일 때마다 1입니다. `effort`의
# 가중치가 작으면 에이전트는 적게 움직이며 공을 받아 내는 법을 배웁니다. 가중치가 크면 움직이는 것이
# 늘 손해입니다.

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
# ## 실수는 학습 전에 발견됩니다
#
# 보상은 먼저 기록된 게임에서 시험합니다. `#`을 `train` 앞에서 지우고 메시지의 마지막 줄을 읽어
# 보세요. 셀과 줄 번호가 나옵니다.


# %%
def misspelt(before, action, after):
    return 1 - after.padle_y


# train("paddle", reward=misspelt)

# %% [markdown]
# **해 보세요.** 에이전트가 일부러 놓치게 하는 보상과, 공을 위쪽 절반에 머물게 하는 보상을 써
# 보세요. 점수는 얼마이고, `watch`에서는 무엇이 보이나요?
