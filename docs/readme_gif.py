"""Write the README's animation: python docs/readme_gif.py [docs/readme.gif]

Three panels play the first seconds of an episode at the same time: a random agent and the trained
agent on paddle-and-ball, and the trained agent on the bicycle's path task.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

import gymnasium
import numpy as np
import pygame

from envs.engine.drawing import pixels_of, write
from training.gif import write_gif
from training.run_folder import atomic_path
from training.trained_agent import load_agent

ROOT = Path(__file__).parent.parent
TRAINED = ROOT / "playing" / "trained"
SIDE, CAPTION = 256, 28  # pixels
SECONDS, FRAMES_PER_SECOND = 9.0, 12.5
BACKGROUND = (24, 26, 31)

Array = np.ndarray[Any, Any]


def episode(env_id: str, run: Path | None, seed: int, **options: Any) -> Iterator[pygame.Surface]:
    """Yield the frames of one episode; the last one is repeated after its end.

    Args:
        env_id: Gymnasium id.
        run: run folder of the agent, or None for random actions.
        seed: seed of the episode.
        **options: options of the environment.
    """
    env = gymnasium.make(env_id, render_mode="rgb_array", **options)
    env.action_space.seed(seed)
    agent = None if run is None else load_agent(run, env)
    stride = round(env.metadata["render_fps"] / FRAMES_PER_SECOND)
    observation, _ = env.reset(seed=seed)
    done = False
    while True:
        picture: Any = env.render()
        surface = pygame.surfarray.make_surface(picture.swapaxes(0, 1))
        yield pygame.transform.smoothscale(surface, (SIDE, SIDE))
        for _ in range(stride):
            if not done:
                action = env.action_space.sample()
                if agent is not None:
                    action = agent.act(observation[None], explore=False)[0]
                observation, _, terminated, truncated, _ = env.step(action)
                done = terminated or truncated


def frames() -> Iterator[Array]:
    """Yield the frames of the animation, uint8 (SIDE + CAPTION, 3 * SIDE, 3)."""
    panels = {
        "paddle: random agent": episode("PaddleBall-v0", None, 4),
        "paddle: after training": episode("PaddleBall-v0", TRAINED / "paddle", 4),
        "bicycle: after training": episode(
            "BicycleBalance-v0", TRAINED / "bicycle-path", 4, task="path"
        ),
    }
    for _ in range(round(SECONDS * FRAMES_PER_SECOND)):
        canvas = pygame.Surface((SIDE * len(panels), SIDE + CAPTION))
        canvas.fill(BACKGROUND)
        for k, (caption, pictures) in enumerate(panels.items()):
            canvas.blit(next(pictures), (k * SIDE, CAPTION))
            write(canvas, caption, ((k + 0.5) * SIDE, CAPTION / 2), 18, align=0.5)
        yield pixels_of(canvas)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the animation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=ROOT / "docs" / "readme.gif")
    path = parser.parse_args(arguments).path
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        write_gif(file, frames(), FRAMES_PER_SECOND)
    print(f"wrote {path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
