"""The view of the bicycle: it shows every number, on the right side."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
import pygame
import pytest

from envs.bicycle.game import bicycle
from envs.bicycle.tasks import TASKS
from envs.bicycle.view.scene import from_bicycle
from envs.bicycle.view.shapes import FRAME, HELMET, SHIRT, SKIN, TYRE, steer_axis
from envs.bicycle.view.view import Trail, View, layout
from envs.engine import palette
from envs.engine.canvas import Canvas
from envs.engine.drawing import pixels_of
from envs.engine.painting import Painter
from envs.engine.palette import WHITE, Colour
from envs.engine.render import SurfaceView, load_view
from envs.paddle.game import GAME as PADDLE
from tests.test_bicycle_screen import mirrored, state_of

Array = np.ndarray[Any, Any]
SIDE = 480


def picture(task: str, state: Any, view: View | None = None, **options: Any) -> Array:
    """Return the picture of a state (SIDE, SIDE, 3), drawn by `view` or a new view."""
    surface, canvas = pygame.Surface((SIDE, SIDE)), Canvas(SIDE, SIDE)
    (view or View())(canvas, state, bicycle(task).make_options(options))
    Painter().paint(canvas, surface)
    return pixels_of(surface)


def places(pixels: Array, colour: Colour, part: str = "scene", tolerance: int = 0) -> Array:
    """Return x and y (n, 2) of the pixels of a colour in a part of the view, in sides."""
    area = getattr(layout(len(pixels)), part)
    inside = pixels[area.top : area.bottom, area.left : area.right].astype(int)
    rows, columns = np.nonzero((abs(inside - colour) <= tolerance).all(2))
    return np.stack([columns, rows], axis=1) / len(pixels)


def head(pixels: Array) -> Array:
    """Return x and y of the helmet's middle; the mark at the upper left is white too."""
    white = places(pixels, HELMET)
    middle: Array = white[(white[:, 0] > 0.3) | (white[:, 1] > 0.2)].mean(0)
    return middle


def test_each_window_gets_its_own_instance_of_a_view_class() -> None:
    first, second = load_view(bicycle("balance")), load_view(bicycle("balance"))
    assert isinstance(first, View)
    assert first is not second
    assert load_view(PADDLE) is load_view(PADDLE)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("side", [240, 333, 480, 1000])
def test_every_task_fills_squares_of_any_size(task: str, side: int) -> None:
    surface = pygame.Surface((side, side))
    surface.fill((255, 0, 255))
    game = bicycle(task)
    SurfaceView(game)(surface, state_of(task, gust=90.0), game.make_options({}))
    pixels = pixels_of(surface)
    assert not (pixels == (255, 0, 255)).all(2).any()
    assert len(places(pixels, SHIRT)) > 0.003 * side**2


@pytest.mark.parametrize(
    ("task", "field", "value"),
    [
        *(
            ("balance", field, value)
            for field, value in {
                "roll": 0.06,
                "steer": -0.11,
                "speed": 2.4,
                "commanded_speed": 2.9,
                "heading": 0.25,
                "x": 0.5,
                "y": 0.5,
                "way": 0.5,
                "torque": 0.6,
                "pedal": 0.1,
                "brake": 0.1,
                "gust": 20.0,
                "fallen": 1,
                "good_steps": 20,
            }.items()
        ),
        ("goal", "goal_x", 45.0),
        ("goal", "metres_missing", 20.0),
        ("goal", "goals", 1),
        ("path", "long_phase", 0.5),
        ("path", "lane_offset", 0.3),
        ("path", "lane_offset", 3.0),
        ("path", "lane_metres", 5.0),
        ("slow", "way", 11.3),
        ("slow", "t", 100),
        ("slow", "finished", 1),
    ],
)
def test_every_number_is_visible(task: str, field: str, value: float) -> None:
    before = picture(task, state_of(task), gust=1.0)
    after = picture(task, state_of(task, **{field: value}), gust=1.0)
    assert not np.array_equal(before, after)


@pytest.mark.parametrize("roll", [-0.4, -0.1, 0.1, 0.4])
def test_the_rider_leans_with_the_bicycle(roll: float) -> None:
    x, y = head(picture("balance", state_of("balance", roll=roll)))
    ground = 0.46  # y of the ground below the head
    assert math.atan2(x - 0.5, ground - y) == pytest.approx(roll, abs=0.03)


@pytest.mark.parametrize("steer", [-0.6, 0.6])
def test_the_front_wheel_turns(steer: float) -> None:
    """Seen from above, the front of the tyre is on the side of the steering."""
    tyre = places(picture("balance", state_of("balance", steer=steer)), TYRE, "above")
    middle = layout(SIDE).above.width / SIDE / 2
    front = tyre[tyre[:, 1] < tyre[:, 1].min() + 0.01]
    rear = tyre[tyre[:, 1] > tyre[:, 1].max() - 0.01]
    assert math.copysign(1.0, steer) * (front[:, 0].mean() - middle) > 0.02
    assert abs(rear[:, 0].mean() - middle) < 0.005


@pytest.mark.parametrize("angle", [-1.0, 0.3])
def test_the_fork_turns_about_the_steer_axis(angle: float) -> None:
    """The axis and all lengths stay the same, and the front moves to the right."""
    axis = steer_axis(bicycle("balance").make_options({}))
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20, 3))
    points[:2] = axis.at(0.0), axis.at(1.0)
    turned = axis.turn(points, angle)
    np.testing.assert_allclose(turned[:2], points[:2], atol=1e-12)
    lengths, after = (np.linalg.norm(p[:, None] - p[None], axis=2) for p in (points, turned))
    np.testing.assert_allclose(after, lengths, atol=1e-12)
    ahead = np.array([[axis.at(0.0)[0] + 1.0, 0.0, 0.0]])
    assert math.copysign(1.0, angle) * axis.turn(ahead, angle)[0, 1] > 0.2


def test_the_ground_is_drawn_relative_to_the_bicycle() -> None:
    state = state_of("balance", x=3.0, y=-2.0, heading=0.7)
    places = np.random.default_rng(0).normal(size=(9, 2)) * 20
    expected = (places @ [1, 1j] - (3 - 2j)) * np.exp(-0.7j)
    found = from_bicycle(state, places)
    np.testing.assert_allclose(found @ [1, 1j, 0], expected)
    assert not found[:, 2].any()


def test_a_mirrored_ride_looks_mirrored() -> None:
    state = state_of("balance", roll=0.2, steer=0.3, heading=0.0, gust=100.0)
    image = mirrored("balance", state)
    image.gust = -state.gust
    for colour in (TYRE, SKIN, palette.BLUE):
        seen, other = (places(picture("balance", each), colour) for each in (state, image))
        assert 1 - other.mean(0)[0] == pytest.approx(seen.mean(0)[0], abs=0.01)
        assert other.mean(0)[1] == pytest.approx(seen.mean(0)[1], abs=0.01)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_fallen_rider_lies_on_the_right_side_with_a_red_message(side: float) -> None:
    riding = picture("balance", state_of("balance", roll=0.53 * side))
    lying = picture("balance", state_of("balance", roll=0.53 * side, fallen=1))
    x, y = head(lying)
    assert y > head(riding)[1] + 0.15, "the head is near the ground"
    assert side * (x - 0.5) > 0.25
    assert len(places(riding, palette.RED)) < 0.01 * SIDE**2
    assert len(places(lying, palette.RED)) > 0.04 * SIDE**2
    assert len(places(lying, SHIRT)) < len(places(riding, SHIRT)) / 2, "green is for riding"


def test_an_arrow_shows_direction_and_strength_of_a_gust() -> None:
    lengths = []
    for gust in (40.0, 150.0, 290.0):
        for sign in (-1, 1):
            wind = places(picture("balance", state_of("balance", gust=sign * gust)), palette.BLUE)
            assert (sign * (wind[:, 0] - 0.5) < 0).all(), "it comes from the other side"
            heights = [np.ptp(wind[wind[:, 0] == x, 1]) for x in np.unique(wind[:, 0])]
            widest = np.unique(wind[:, 0])[int(np.argmax(heights))]
            assert sign * (widest - wind[:, 0].mean()) > 0, "its head is where it points"
            lengths.append(np.ptp(wind[:, 0]))
    assert lengths[0] == pytest.approx(lengths[1], abs=0.01)
    assert lengths[0] < 0.8 * lengths[2] < 0.7 * lengths[4]
    assert len(places(picture("balance", state_of("balance")), palette.BLUE)) == 0


@pytest.mark.parametrize("direction", [-2.2, -0.5, 0.0, 1.2, 3.0])
def test_the_map_points_to_a_goal_outside_of_it(direction: float) -> None:
    goal = {"goal_x": 90 * math.cos(direction), "goal_y": 90 * math.sin(direction)}
    found = places(picture("goal", state_of("goal", **goal)), palette.AMBER, "map")
    area = layout(SIDE).map
    away = found - np.array([area.width, area.height]) / 2 / SIDE
    arrow = away[np.hypot(*away.T) > 0.09]  # without the bicycle in the middle
    right, down = arrow.mean(0)
    off = (math.atan2(right, -down) - direction + math.pi) % (2 * math.pi) - math.pi
    assert abs(off) < 0.25


def test_the_map_shows_the_position_of_the_goal() -> None:
    state = state_of("goal", goal_x=25.0, goal_y=-25.0)  # one square ahead, one square to the left
    found = places(picture("goal", state), palette.AMBER, "map")
    area = layout(SIDE).map
    away = (found - np.array([area.width, area.height]) / 2 / SIDE) / (area.width / SIDE / 4)
    rim = away[np.hypot(*away.T) > 0.7]
    assert rim.mean(0) == pytest.approx([-1.0, -1.0], abs=0.03)


def test_the_lane_turns_red_when_the_bicycle_leaves_it() -> None:
    for offset, colour, other in (
        (0.9, palette.GREEN, palette.RED),
        (1.1, palette.RED, palette.GREEN),
    ):
        pixels = picture("path", state_of("path", lane_offset=offset))
        assert len(places(pixels, colour, "map")) > 100
        assert len(places(pixels, other, "map")) == 0


def test_the_finish_line_comes_closer() -> None:
    heights = []
    for way in (10.0, 25.0, 29.0):
        line = places(picture("slow", state_of("slow", way=way, heading=0.0)), WHITE)
        line = line[(abs(line[:, 0] - 0.5) > 0.1) & (line[:, 1] > 0.22)]
        heights.append(line[:, 1].mean() if len(line) else 0.0)
    assert heights[0] < heights[1] < heights[2]


# The trail


def ridden(view: View, steps: list[tuple[int, float, float]]) -> Array:
    """Return the last picture of a ride through (t, x, y)."""
    way, last = 0.0, steps[0]
    for t, x, y in steps:
        way += math.hypot(x - last[1], y - last[2])
        last = (t, x, y)
        pixels = picture("balance", state_of("balance", t=t, x=x, y=y, way=way), view=view)
    return pixels


STRAIGHT = [(k, 0.2 * k, 0.0) for k in range(45)]


def trail_length(pixels: Array) -> int:
    tracks = (palette.BLUE, palette.VIOLET)
    return sum(len(places(pixels, colour, "map", tolerance=60)) for colour in tracks)


def test_the_trail_grows() -> None:
    view = View()
    short, long = ridden(view, STRAIGHT[:8]), ridden(view, STRAIGHT)
    assert trail_length(long) > 3 * trail_length(short) > 10
    behind = places(long, palette.VIOLET, "map", tolerance=60)
    middle = layout(SIDE).map.height / SIDE / 2
    assert (behind[:, 1] > middle - 0.03).all(), "x is upwards"


def test_another_ride_starts_a_new_trail() -> None:
    """This holds if time goes back, or if the bicycle jumps to another position."""
    trail, near = Trail(), state_of("balance", t=0, x=0.05)
    trail.follow(state_of("balance", t=9))
    trail.follow(near)
    assert (trail.places(near)[:, 0] == 0.05).all()
    last = STRAIGHT[5]
    alone = ridden(View(), [last])
    again, elsewhere = View(), View()
    ridden(again, STRAIGHT)
    np.testing.assert_array_equal(ridden(again, [last]), alone)
    ridden(elsewhere, [(0, 5.0, 5.0), (2, 5.2, 5.0)])
    np.testing.assert_array_equal(ridden(elsewhere, [last]), alone)


def test_every_window_has_its_own_trail() -> None:
    """So does every bicycle of a vector environment."""
    single: Any = gymnasium.make("BicycleBalance-v0", render_mode="rgb_array")
    many: Any = gymnasium.make_vec("BicycleBalance-v0", num_envs=3, render_mode="rgb_array")
    single.reset(seed=1)
    many.reset(seed=0)
    for _ in range(12):
        many.step(np.tile(np.array([0, 1, 0], np.float32), (3, 1)))
        single.step(np.array([0, 1, 0], np.float32))
        pictures, alone = many.render(), single.render()
    np.testing.assert_array_equal(pictures[1], alone)
    assert not np.array_equal(pictures[0], alone)
    single.close()
    many.close()


def test_the_marker_on_the_map_shows_the_heading() -> None:
    for heading in (-1.0, 0.5, 2.0):
        found = places(picture("balance", state_of("balance", heading=heading)), FRAME, "map")
        area = layout(SIDE).map
        away = found - np.array([area.width, area.height]) / 2 / SIDE
        tip = away[np.argmax(np.hypot(*away.T))]
        off = math.atan2(tip[0], -tip[1]) - heading
        assert abs((off + math.pi) % (2 * math.pi) - math.pi) < 0.25
