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
# # Write your own agent in 60 lines
#
# An agent is a class with two methods. `act` gets the observations of several environments and
# returns an action for each. `learn` gets the step that followed. This agent is REINFORCE: it makes
# the actions of good episodes more likely.

# %%
import numpy as np
import torch
from torch import nn

from training import evaluate, load, train

GAMMA = 0.99


class Reinforce:
    """Every 8 episodes, makes actions more likely that were followed by much reward."""

    def __init__(self, task, seed):
        self.rng = np.random.default_rng(seed)
        inputs, actions = task.observation_space.shape[0], int(task.action_space.n)
        self.network = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, actions))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=5e-3)
        self.running = [[] for _ in range(task.num_envs)]  # the steps of each environment's episode
        self.finished = []

    def act(self, observations, explore=True):
        with torch.no_grad():
            scores = self.network(torch.as_tensor(observations)).numpy()
        if explore:  # the highest of scores with Gumbel noise is a sample of the softmax
            scores = scores + self.rng.gumbel(size=scores.shape)
        return scores.argmax(1)

    def learn(self, step):
        ended = step.terminated | step.truncated
        for i in np.flatnonzero(step.valid):  # an environment that only starts again is not valid
            self.running[i].append((step.observations[i], step.actions[i], step.rewards[i]))
            if ended[i]:
                self.finished.append(self.running[i])
                self.running[i] = []
        if len(self.finished) < 8:
            return None
        metrics = self.update(self.finished)
        self.finished = []
        return metrics

    def update(self, episodes):
        observations, actions, rewards = zip(
            *(step for episode in episodes for step in episode), strict=True
        )
        returns = np.concatenate([self.returns(episode) for episode in episodes])
        weights = (returns - returns.mean()) / (returns.std() + 1e-8)
        scores = self.network(torch.as_tensor(np.array(observations)))
        chosen = scores.log_softmax(1)[torch.arange(len(actions)), np.array(actions)]
        loss = -(chosen * torch.as_tensor(weights, dtype=torch.float32)).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item(), "return": sum(rewards) / len(episodes)}

    def returns(self, episode):
        total, found = 0.0, []
        for _, _, reward in reversed(episode):
            total = reward + GAMMA * total
            found.append(total)
        return np.array(found[::-1])


# %%
run = train("CartPole-v1", agent=Reinforce, seed=1, steps=120_000, num_envs=8, eval_every=20_000)

# %%
run.plot("eval/mean_score", "train/return")

# %%
print("random:   ", evaluate("random", "CartPole-v1"))
print("reinforce:", run.evaluate())
run.watch()

# %% [markdown]
# The network is saved, because it is an attribute of the agent. `load` needs the class, which a
# run folder does not hold.

# %%
load(run.folder, agent=Reinforce).evaluate(10)

# %% [markdown]
# **Try it.** Compare with `agent="reinforce"` and `agent="ppo"`. Replace the mean of the returns
# by a baseline that depends on the observation.
