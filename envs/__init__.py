"""The games and the engine that makes Gymnasium environments of them.

Importing this package registers every environment with Gymnasium.

Raises:
    ImportError: if another module called `rewards` hides the package next to this one.
"""

import importlib.util
from pathlib import Path

from envs import registry as registry

_rewards = importlib.util.find_spec("rewards")
_found = Path(str(_rewards.origin if _rewards else ""))
if _found.parent.parent != Path(__file__).parent.parent:
    raise ImportError(
        f"{_found} hides the package `rewards` that the games need; rename it, or run your program "
        "in another folder"
    )
