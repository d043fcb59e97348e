"""What the world does: the games, and the Gymnasium environments made of them.

Importing this package registers every environment with Gymnasium.
"""

from envs import registry as registry
