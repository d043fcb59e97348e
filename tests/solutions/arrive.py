"""Exercise 10: riding with the goal ahead at one side pays, so does arriving; a fall costs."""

import math
from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    direction = math.atan2(after.goal_y - after.y, after.goal_x - after.x) - after.heading
    side = math.cos(direction - 1.1)
    on_spiral = 0.03 * after.speed if side > 0.95 else 0.0
    return 0.01 * side + on_spiral + 20 * (after.goals - before.goals) - 3 * after.fallen
