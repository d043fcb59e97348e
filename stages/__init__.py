"""The other kinds of learning, with the agents and the training loop of the games.

`datasets` are environments of one step, `viewers` draw them, and `pictures` serve both. The
experiments are in `supervised`, `unsupervised`, `pretraining` and `in_context`; `lab` runs them.
`python -m stages --help` lists them, and `overview` shows five stages of machine learning.
"""
