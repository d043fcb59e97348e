"""The games and the engine that makes Gymnasium environments of them.

Importing this package registers every environment with Gymnasium.
"""

from envs import registry as registry
