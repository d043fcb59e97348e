"""The gauges: numbers of a ride, with bars."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from envs.bicycle.dynamics import PERIOD
from envs.bicycle.game import FALLEN_ROLL, FALLEN_STEER, TORQUE
from envs.bicycle.tasks import NEAR
from envs.bicycle.view.scene import STRONG_GUST, danger, lane_colour
from envs.bicycle.view.shapes import FRAME
from envs.engine.canvas import Canvas, Rect
from envs.engine.palette import AMBER, BLUE, GREEN, GREY, LIGHT_GREY, LINE, RED, WHITE, Colour

FASTEST = 6.0  # m/s, full length of the speed bar


class Gauge(NamedTuple):
    """A number with its bar."""

    name: str
    text: str
    part: float
    """Filled part of the bar: -1..1 from the middle if `signed`, else 0..1 from the left."""
    colour: Colour
    signed: bool = True


def gauges(ride: Any, options: Any) -> list[Gauge]:
    """Return the gauges of roll, steer and effort, and of the wind if there can be any."""
    roll, steer = (with_sign(math.degrees(angle)) for angle in (ride.roll, ride.steer))
    torque, gust = with_sign(ride.torque), with_sign(ride.gust, 0)
    shown = [
        Gauge("roll", f"{roll}°", ride.roll / FALLEN_ROLL, danger(ride.roll)),
        Gauge("steer", f"{steer}°", ride.steer / FALLEN_STEER, FRAME),
        Gauge("torque", f"{torque} N m", ride.torque / TORQUE, FRAME),
        Gauge("pedal", f"{ride.pedal:.0%}", ride.pedal, GREEN, signed=False),
        Gauge("brake", f"{ride.brake:.0%}", ride.brake, RED, signed=False),
    ]
    if options.gust > 0.0:
        shown.append(Gauge("gust", f"{gust} N m", ride.gust / STRONG_GUST, BLUE))
    return shown


def with_sign(number: float, digits: int = 1) -> str:
    """Return a number as text with its sign, without one if it is shown as 0."""
    text = f"{number:+.{digits}f}".replace("-", "−")
    return text if text.strip("+−0.") else text[1:]


def track_of(area: Rect, k: int, count: int) -> Rect:
    """Return the rectangle of the bar of gauge k of `count`; its text is above it."""
    row, inset = 0.97 * area.height / count, 0.06 * area.width
    top = area.top + (k + 0.74) * row
    return Rect(area.left + inset, top, area.width - 2 * inset, area.height / 26)


def draw_gauges(canvas: Canvas, area: Rect, ride: Any, options: Any) -> None:
    """Draw the bars of all gauges."""
    shown = gauges(ride, options)
    for k, gauge in enumerate(shown):
        draw_gauge(canvas, track_of(area, k, len(shown)), gauge)


def draw_gauge(canvas: Canvas, track: Rect, gauge: Gauge) -> None:
    """Draw one bar."""
    rounding, middle = track.height / 2, track.middle[0]
    canvas.rect(LINE, track, rounding)
    start = middle if gauge.signed else track.left
    length = min(max(gauge.part, -1.0), 1.0) * (track.right - start)
    filled = (start + min(length, 0.0), track.top, abs(length), track.height)
    canvas.rect(gauge.colour, filled, rounding)
    if gauge.signed:
        canvas.rect(GREY, (middle - 0.75, track.top - 1.5, 1.5, track.height + 3))


def write_gauges(canvas: Canvas, area: Rect, ride: Any, options: Any) -> None:
    """Write name and number above each bar."""
    shown = gauges(ride, options)
    row = area.height / len(shown)
    for k, gauge in enumerate(shown):
        track = track_of(area, k, len(shown))
        y = track.top - 0.33 * row
        canvas.text(gauge.name, (track.left, y), round(0.58 * row), LIGHT_GREY)
        canvas.text(gauge.text, (track.right, y), round(0.74 * row), WHITE, 1.0)


def speed_colour(ride: Any) -> Colour:
    """Return green near the commanded speed, else amber."""
    return GREEN if abs(ride.speed - ride.commanded_speed) <= NEAR else AMBER


def draw_speed(canvas: Canvas, ride: Any) -> None:
    """Draw the speed as a bar, with a mark at the commanded speed."""
    side = canvas.width
    track = Rect(0.03 * side, 0.125 * side, 0.24 * side, side / 55)
    longest = max(FASTEST, ride.commanded_speed)
    gauge = Gauge("speed", "", ride.speed / longest, speed_colour(ride), signed=False)
    draw_gauge(canvas, track, gauge)
    width, at = side / 200, track.left + track.width * ride.commanded_speed / longest
    mark = (at - width / 2, track.top - track.height / 2, width, 2 * track.height)
    canvas.rect(WHITE, mark)


def write_speed(canvas: Canvas, side: float, ride: Any) -> None:
    """Write the speed, in large digits, and the commanded speed."""
    left, colour = 0.03 * side, speed_colour(ride)
    place = (left, 0.062 * side)
    end = canvas.text(f"{ride.speed:.1f}", place, round(0.13 * side), colour)
    unit = (end + 0.012 * side, 0.082 * side)
    canvas.text("m/s", unit, round(0.05 * side), LIGHT_GREY)
    command = f"commanded {ride.commanded_speed:.1f}"
    canvas.text(command, (left, 0.172 * side), round(0.045 * side), LIGHT_GREY)


def write_task(canvas: Canvas, side: float, ride: Any, options: Any) -> None:
    """Write the numbers of the task."""
    right = 0.97 * side
    for k, (name, text, colour) in enumerate(readings(ride, options)):
        y = (0.037 + 0.12 * k) * side
        canvas.text(name, (right, y), round(0.045 * side), LIGHT_GREY, 1.0)
        canvas.text(text, (right, y + 0.048 * side), round(0.07 * side), colour, 1.0)


def readings(ride: Any, options: Any) -> list[tuple[str, str, Colour]]:
    """Return the numbers of the task: names, values with units, colours."""
    if hasattr(ride, "good_steps"):
        return [("speed kept", f"{PERIOD * ride.good_steps:.1f} s", speed_colour(ride))]
    if hasattr(ride, "goal_x"):
        if ride.goals:
            return [("goal", "reached", GREEN)]
        return [("to the goal", f"{ride.metres_missing:.0f} m", AMBER)]
    if hasattr(ride, "lane_offset"):
        return [
            ("off the centre", f"{abs(ride.lane_offset):.2f} m", lane_colour(ride, options)),
            ("ridden in the lane", f"{ride.lane_metres:.0f} m", WHITE),
        ]
    left = max(0.0, options.race_length - ride.way)
    return [
        ("to the finish", f"{left:.1f} m", GREEN if ride.finished else AMBER),
        ("time", f"{PERIOD * ride.t:.1f} s", WHITE),
    ]
