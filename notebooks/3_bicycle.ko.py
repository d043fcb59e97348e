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
# # 자전거
#
# 아무도 핸들을 잡지 않으면 자전거는 금방 넘어집니다. 여기서 쓰는 물리는 자전거 동역학의 표준
# 모형입니다. 점수는 20초 가운데 넘어지지 않고 목표 속도에 가깝게 달린 시간입니다.

# %%
from training import evaluate, train

# %%
print("random:", evaluate("random", "bicycle", episodes=20))
print("rules: ", evaluate("rules", "bicycle", episodes=20))

# %% [markdown]
# ## 타는 법 배우기
#
# 에이전트는 기울기와 핸들 각도, 둘의 변화율, 속도를 관측합니다. 그리고 -1과 1 사이의 숫자 두 개,
# 곧 핸들을 돌리는 힘과 구동력을 정합니다.

# %%
run = train("bicycle", seed=1, steps=600_000)

# %%
run.plot()

# %%
run.watch()

# %% [markdown]
# ## 느릴수록 어렵습니다
#
# 자전거는 어떤 속도보다 빠르면 스스로 균형을 잡습니다. `task="slow"`에서는 천천히 달려야 합니다.
# 사람이 짠 프로그램의 점수를 보면 얼마나 어려운지 알 수 있습니다.

# %%
evaluate("rules", "bicycle", episodes=20, env_options={"task": "slow"})

# %% [markdown]
# **해 보세요.** `reward="just_alive"`로 학습해 보세요. 자전거는 넘어지지 않습니다. 속도는 어떻게
# 되나요?
