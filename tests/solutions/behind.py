"""Exercise 10: a spiral. Riding with the goal at 63 degrees to the side leads around it."""

import math
from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    direction = math.atan2(after.goal_y - after.y, after.goal_x - after.x) - after.heading
    arrival = after.goals - before.goals
    return 0.05 * math.cos(direction - 1.1) + 20 * arrival - 3 * after.fallen
