"""Games for Stable-Baselines3: all of them step in one compiled loop.

    import envs, gymnasium
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecMonitor
    from envs.stable_baselines3 import StableBaselines3VecEnv

    games = gymnasium.make_vec("PaddleBall-v0", num_envs=128)
    PPO("MlpPolicy", VecMonitor(StableBaselines3VecEnv(games)), n_steps=64).learn(100_000)

Importing this module imports Stable-Baselines3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

Array = np.ndarray[Any, Any]


class StableBaselines3VecEnv(VecEnv):  # type: ignore[misc] # Stable-Baselines3 is optional
    """Stable-Baselines3's view of a vector environment that resets in the same step.

    An episode that ended has `terminal_observation`, `TimeLimit.truncated`, `score` and the other
    numbers of `final_info` in its info, so that `VecMonitor(..., info_keywords=("score",))` works.
    The infos of all other steps are empty, because filling them would take longer than the games.
    """

    def __init__(self, environments: VectorEnv[Any, Any, Any]) -> None:
        """Wrap an environment that `gymnasium.make_vec` made.

        Raises:
            ValueError: if it does not reset in the same step.
        """
        mode = environments.metadata.get("autoreset_mode")
        if mode != AutoresetMode.SAME_STEP:
            raise ValueError(f"autoreset_mode must be SAME_STEP, got {mode}")
        self.environments = environments
        super().__init__(
            environments.num_envs,
            environments.single_observation_space,
            environments.single_action_space,
        )

    def reset(self) -> Array:
        """Start new episodes, with the seeds of `seed` and the options of `set_options`."""
        options = self._options[0]
        if any(other != options for other in self._options):
            raise NotImplementedError("all games of a batch have the same options")
        observations, _ = self.environments.reset(seed=self._seeds, options=options)
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: Array) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[Array, Array, Array, list[dict[str, Any]]]:
        observations, rewards, terminated, truncated, infos = self.environments.step(self._actions)
        done = terminated | truncated
        each: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(done):
            final = infos["final_info"]
            each[i] = {name: final[name][i].item() for name in final if name[0] != "_"}
            each[i]["terminal_observation"] = infos["final_obs"][i]
            each[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        return observations, rewards.astype(np.float32), done, each

    def close(self) -> None:
        self.environments.close()

    def get_images(self) -> Sequence[Array | None]:
        pictures: Any = self.environments.render()
        return pictures or [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the vector environment, once for each game."""
        return [getattr(self.environments.unwrapped, attr_name)] * len(self._rows(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError("the games of a batch have no attributes of their own")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        raise NotImplementedError("the games of a batch have no methods of their own")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        return [False] * len(self._rows(indices))

    def _rows(self, indices: int | Iterable[int] | None) -> list[int]:
        rows: list[int] = list(self._get_indices(indices))
        return rows
