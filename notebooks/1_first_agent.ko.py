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
# # 첫 에이전트
#
# 에이전트가 시행착오로 공 받기 게임을 배웁니다. 패들을 움직여, 열린 쪽으로 공이 나가지 않게 해야
# 합니다. 셀을 위에서부터 차례로 실행하세요. 학습하는 동안 진행 상황이 표시됩니다.

# %%
from training import evaluate, load, train

# %% [markdown]
# ## 배우기 전
#
# 무작위로 움직이는 에이전트는 공을 거의 받아 내지 못합니다. `evaluate`는 100게임을 하고 받아 낸
# 공의 평균 개수를 알려 줍니다.

# %%
evaluate("random", "paddle")

# %% [markdown]
# ## 배우기
#
# PPO는 학습 알고리즘입니다. 약 30만 스텝 만에 게임을 해결합니다. 모든 난수는 시드로 정해지므로,
# 같은 종류의 컴퓨터에서는 누구나 같은 에이전트를 얻습니다.

# %%
run = train("paddle", agent="ppo", seed=1, steps=500_000)

# %% [markdown]
# 평가 점수가 올라갑니다. 에이전트는 보상으로만 배웁니다. 공을 받아 내면 +1, 놓치면 -1입니다.

# %%
run.plot()

# %% [markdown]
# ## 보기
#
# `watch`는 가장 좋은 에이전트로 한 게임을 합니다.

# %%
run.watch()

# %% [markdown]
# ## 에이전트는 잘할까요?
#
# 사람이 짠 프로그램과 비교합니다. 이 프로그램은 공이 떨어질 곳을 계산합니다. 둘은 같은 100게임을
# 합니다.

# %%
print("trained:", run.evaluate())
print("rules:  ", evaluate("rules", "paddle"))

# %% [markdown]
# ## 실행은 저장됩니다
#
# 모든 것이 실행 폴더에 있습니다. 언제든지 `load`로 다시 불러올 수 있고, `python play.py`로 창에서
# 볼 수 있습니다.

# %%
load(run.folder).config.settings

# %% [markdown]
# **해 보세요.** `seed=2`나 `agent="dqn"`으로 학습해 보세요. 곡선이 같은가요?
# `env_options={"paddle_size": 0.1}`로 게임을 더 어렵게 만들어 보세요.
