"""Pictures for web pages: small, and the same as those that pygame paints."""

from __future__ import annotations

import base64
import functools
import gzip
import importlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pygame
import pytest
from PIL import Image, ImageFilter

from envs.bicycle.tasks import TASKS
from envs.engine import palette
from envs.engine.canvas import Canvas
from envs.engine.drawing import pixels_of
from envs.engine.film import LONGEST, film, picture
from envs.engine.game import Game
from envs.engine.painting import Painter
from envs.engine.render import SurfaceView
from tests.test_bicycle_screen import state_of

Array = np.ndarray[Any, Any]
GAMES = ("paddle", *TASKS)
HOST = "http://classroom.test"
SCRIPT = Path(__file__).parent.parent / "classroom" / "static" / "canvas.js"
FONT = Path(pygame.__file__).with_name(pygame.font.get_default_font())
OBSERVED = """() => new Promise(
  (seen) => new ResizeObserver(seen).observe(document.querySelector("canvas"))
)"""
HTML = """
<canvas style="display: block; width: 480px; height: 480px"></canvas>
<script type="module">
import { FilmPlayer } from "./canvas.js";
await document.fonts.load("bold 16px 'Training Wheels'");
window.player = new FilmPlayer(document.querySelector("canvas"));
</script>
"""


class Episode(NamedTuple):
    """An episode played by a game's best hand-written rule."""

    game: Game
    options: Any
    states: list[Any]


@functools.cache
def episode(name: str, steps: int = 600) -> Episode:
    """Return an episode of paddle, or of a task of the bicycle in gusty wind."""
    if name == "paddle":
        env: Any = gymnasium.make("envs:PaddleBall-v0").unwrapped
    else:
        env = gymnasium.make("envs:BicycleBalance-v0", task=name, gust=40.0).unwrapped
    rules = importlib.import_module(env.game.rules_module).rules(env.action_space)
    act = next(iter(rules.values()))
    observation, _ = env.reset(seed=3)
    states = [env.state.copy()]
    while len(states) < steps:
        observation, _, terminated, _, _ = env.step(act(observation[None])[0])
        states.append(env.state.copy())
        if terminated:
            break
    return Episode(env.game, env.batch.options, states)


# Films


@pytest.mark.parametrize(("name", "kilobytes"), [("paddle", 10), ("path", 400)])
def test_a_film_of_ten_seconds_is_small(name: str, kilobytes: int) -> None:
    """Path is the task with the most to draw. A quarter of the film has a quarter of the size."""
    game, options, states = episode(name)
    made = film(game, options, states[: game.steps_per_second * 10 // 4])
    assert len(made["frames"]) == pytest.approx(LONGEST / 4, abs=1)
    text = json.dumps(made, separators=(",", ":"))
    assert len(gzip.compress(text.encode())) < 1_000 * kilobytes / 4


@pytest.mark.parametrize(
    ("name", "steps", "frames"),
    [
        ("balance", 1, 1),
        ("balance", 2, 2),
        ("balance", 6, 4),
        ("balance", 51, 31),
        ("paddle", 300, 300),
        ("paddle", 301, LONGEST),
        ("paddle", 400, LONGEST),
    ],
)
def test_a_film_has_thirty_pictures_a_second_and_the_last_state(
    name: str, steps: int, frames: int
) -> None:
    game, options, states = episode(name)
    assert len(states) >= steps
    made = film(game, options, states[:steps])
    assert (made["side"], made["fps"]) == (480, 30)
    assert len(made["frames"]) == frames
    last = min(steps - 1, round((frames - 1) * game.steps_per_second / 30))
    (alone,) = film(game, options, [states[last]])["frames"]
    if name == "paddle":
        assert made["frames"][-1] == alone
    else:  # texts show speed, angles and time; there is no trail in the only picture
        assert texts_of(made["frames"][-1]) == texts_of(alone)


def texts_of(shapes: list[Any]) -> list[str]:
    """Return the texts of a picture."""
    return [values[-1] for values in shapes if values[0] == "t"]


# Lines with fewer points


def line_of(points: Array, width: Any, side: int = 100) -> list[Any]:
    """Return the picture of one line, or an empty list."""
    canvas = Canvas(side, side)
    canvas.line((1, 2, 255), points.tolist(), width)
    return picture(canvas)


def distances(points: Array, corners: Array) -> Array:
    """Return the distance of each point from a line through corners."""
    shares = np.linspace(0.0, 1.0, 2_000)[:, None]
    on_it = [a + shares * (b - a) for a, b in pairwise(corners)]
    away = points[:, None] - np.concatenate(on_it)[None]
    return np.hypot(away[..., 0], away[..., 1]).min(1)


@pytest.mark.parametrize("width", [2.0, "widths"])
def test_a_line_keeps_its_ends_and_passes_close_to_all_points(width: Any) -> None:
    angles = np.linspace(0.0, 4.0, 90)
    points = np.stack([50 + 40 * np.sin(angles), 10 + 20 * angles], axis=1)
    widths = (2 + angles**2).tolist() if width == "widths" else width
    ((kind, colour, sent, differences),) = line_of(points, widths)
    assert (kind, colour) == ("l", "#0102ff")
    corners = np.cumsum(np.reshape(differences, (-1, 2)), axis=0) / 10
    assert len(corners) < 45
    np.testing.assert_allclose(corners[[0, -1]], points[[0, -1]], atol=0.05)
    assert distances(points, corners).max() < 0.4
    if width == "widths":
        at = np.hypot(*(points[:, None] - corners[None]).transpose(2, 0, 1)).argmin(0)
        np.testing.assert_allclose(np.array(sent) / 10, np.array(widths)[at], atol=0.06)
    else:
        assert sent == 20


def test_a_long_line_is_cut_off_outside_of_the_picture() -> None:
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(200):
        ends = rng.normal(50, 200, (2, 2))
        shares = np.linspace(0, 1, 1_001)[:, None]
        on_it = ends[0] + shares * (ends[1] - ends[0])
        visible = on_it[((on_it > 0) & (on_it < 100)).all(1)]
        lines = line_of(ends, 1)
        if len(visible):
            found += 1
            first, change = np.reshape(lines[0][3], (2, 2)) / 10
            assert distances(visible, np.array([first, first + change])).max() < 0.3
            assert abs(np.array([first, first + change]) - 50).max() < 61
        elif lines:
            first, change = np.reshape(lines[0][3], (2, 2)) / 10
            assert abs(first - 50).max() < 61, "in the margin"
    assert found > 20


def test_parts_of_a_picture_have_their_own_corner_and_texts_lie_over_all_shapes() -> None:
    canvas = Canvas(100, 100)
    part = canvas.part((10, 20, 30, 40)).part((1, 2, 3, 4))
    end = part.text("m", (0, 0), 16)
    part.circle((0, 0, 0), (1.5, 2.0), 0.25)
    canvas.fill((255, 255, 255))
    outer, white, (*_, x, _, width, _, text) = picture(canvas)
    inner = ["s", 10, 20, 30, 40, [["c", "#000000", 15, 20, 2]]]
    assert outer == ["s", 100, 200, 300, 400, [inner]]
    assert white == ["r", "#ffffff", 0, 0, 1000, 1000]
    assert (x, x + width, text) == (110, 110 + 10 * end, "m")


# Pictures of Chromium


class Page:
    """A page with a film player, in Chromium without a network; its clock stands still."""

    def __init__(self, page: Any, has_font: bool = True) -> None:
        self._page = page
        self._has_font = has_font
        self.requests: list[str] = []
        page.clock.install()
        page.route("**/*", self._answer)
        page.goto(f"{HOST}/")
        page.wait_for_function("window.player !== undefined")

    def _answer(self, route: Any) -> None:
        path = route.request.url.removeprefix(HOST)
        self.requests.append(path)
        if path == "/":
            route.fulfill(body=HTML, content_type="text/html")
        elif path == "/canvas.js":
            route.fulfill(path=SCRIPT, content_type="text/javascript")
        elif path == "/font.ttf" and self._has_font:
            route.fulfill(path=FONT, content_type="font/ttf")
        else:
            route.abort()

    def run(self, script: str, argument: Any = None) -> Any:
        """Return the value of a script."""
        return self._page.evaluate(script, argument)

    def wait(self, seconds: float) -> int:
        """Move the page's clock on, and return the number of the picture that is shown."""
        self._page.clock.run_for(round(1_000 * seconds))
        frame: int = self.run("player.frame")
        return frame

    def pixels(self) -> Array:
        """Return what the canvas shows: uint8 (height, width, 3)."""
        address = self.run("document.querySelector('canvas').toDataURL()")
        image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start Chromium once for all tests."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed")
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=program, args=arguments)
        yield running
        running.close()


@pytest.fixture(scope="module")
def page(chromium: Any) -> Page:
    return Page(chromium.new_page())


@pytest.fixture(scope="module")
def sharp_page(chromium: Any) -> Page:
    """A page of a screen with twice as many pixels, which does not get the font."""
    return Page(chromium.new_page(device_scale_factor=2), has_font=False)


def scenes(name: str) -> list[list[Any]]:
    """Return states that follow each other, several times; the last ones are to be compared."""
    states = episode(name).states
    chosen = [states[max(0, k - 12) : k + 1] for k in (len(states) // 2, len(states) - 1)]
    if name == "paddle":
        chosen.append([states[0].copy()])
        chosen[-1][0].missed = 1
        return chosen
    near = {"goal_x": 12.0, "goal_y": 6.0} if name == "goal" else {}
    return [*chosen, [state_of(name, roll=-0.6, steer=0.4, gust=90.0, fallen=1, **near)]]


@pytest.mark.parametrize(
    ("name", "share", "mean"), [("paddle", 0.0001, 0.1), *((task, 0.003, 3.5) for task in TASKS)]
)
def test_chromium_shows_what_pygame_paints(
    page: Page, name: str, share: float, mean: float
) -> None:
    """At most a `share` of the pixels differ more than edges do."""
    game, options, _ = episode(name)
    for states in scenes(name):
        painted = painted_by_pygame(name, states)
        check_film(page, film(game, options, states), painted, share, mean)


def check_film(page: Page, made: dict[str, Any], painted: Array, share: float, mean: float) -> None:
    """Check that the last picture of a film is like `painted`."""
    page.run("film => { player.load(film); player.seek(999); }", made)
    seen = page.pixels().astype(int)
    assert seen.shape == painted.shape
    for one, other in ((painted, seen), (seen, painted)):
        assert (beyond(one, other) > 40).mean() < share
    assert abs(painted - seen).mean() < mean


def test_chromium_shows_each_kind_of_shape_as_pygame_does(page: Page) -> None:
    canvas = Canvas(480, 480)
    canvas.fill(palette.FIELD)
    canvas.gradient((20, 20, 200, 60), [(*palette.AMBER, 255), (*palette.BLUE, 0)])
    canvas.rect(palette.GREEN, (240, 20, 100, 60), 30)
    canvas.circle(palette.WHITE, (100, 160), 60, 20)
    canvas.circle(palette.RED, (100, 160), 30)
    canvas.polygon(palette.VIOLET, [(200, 100), (460, 120), (330, 130), (320, 230)])
    canvas.line(palette.BLUE, [(30, 260), (200, 300), (60, 340), (60, 450)], [10, 40, 2, 30])
    canvas.line(palette.AMBER, [(250, 260), (450, 300), (300, 330)], 24)
    part = canvas.part((240, 360, 100, 100))
    part.fill(palette.GREY)
    part.circle(palette.WHITE, (90, 50), 40)
    canvas.text("Text 0.5", (380, 400), 32, palette.WHITE)
    surface = pygame.Surface((480, 480))
    Painter().paint(canvas, surface)
    made = {"side": 480, "fps": 30, "frames": [picture(canvas)]}
    check_film(page, made, pixels_of(surface).astype(int), share=0.0005, mean=1.0)


def painted_by_pygame(name: str, states: list[Any]) -> Array:
    """Return the pixels of the last of some states: (480, 480, 3)."""
    game, options, _ = episode(name)
    view, surface = SurfaceView(game), pygame.Surface((480, 480))
    for state in states:
        view(surface, state, options)
    return pixels_of(surface).astype(int)


def beyond(picture: Array, other: Array) -> Array:
    """Return by how much each pixel is outside of the colours around it in another picture.

    Edges may be a pixel off, and be smoothed in another way.
    """
    image = Image.fromarray(other.astype(np.uint8))
    least, most = (
        np.asarray(image.filter(each)).astype(int)
        for each in (ImageFilter.MinFilter(3), ImageFilter.MaxFilter(3))
    )
    outside: Array = np.maximum(least - picture, picture - most).max(2)
    return outside


def test_a_sharp_screen_shows_all_its_pixels_and_needs_no_font(sharp_page: Page) -> None:
    game, options, states = episode("path")
    sharp_page.run("film => player.load(film)", film(game, options, states[:1]))
    seen = sharp_page.pixels().astype(float)
    assert seen.shape == (960, 960, 3)
    shrunk = seen.reshape(480, 2, 480, 2, 3).mean((1, 3))
    assert abs(shrunk - painted_by_pygame("path", states[:1])).mean() < 4
    sharp_page.run("document.querySelector('canvas').style.width = '300px'")
    sharp_page.run(OBSERVED)
    assert sharp_page.run("document.querySelector('canvas').width") == 600


def test_a_page_asks_for_nothing_but_the_script_and_the_font(page: Page) -> None:
    assert page.requests == ["/", "/canvas.js", "/font.ttf"]


# The film player


def test_a_film_plays_at_the_speed_of_the_game(page: Page) -> None:
    game, options, states = episode("paddle")
    page.run("film => { player.load(film); player.play(); }", film(game, options, states[:150]))
    assert page.wait(1.0) == pytest.approx(30, abs=2)
    page.run("player.speed = 0.5")
    assert page.wait(1.0) == pytest.approx(45, abs=3)
    page.run("player.speed = 1")
    page.run("player.pause()")
    paused = page.wait(0.1)
    assert page.wait(1.0) == paused
    page.run("player.step(-2)")
    assert page.run("player.frame") == paused - 2
    page.run("player.seek(-5)")
    assert page.run("player.frame") == 0


def test_a_film_begins_again_a_second_after_its_end_or_stops(page: Page) -> None:
    game, options, states = episode("paddle")
    page.run("film => { player.load(film); player.seek(999); }", film(game, options, states[:61]))
    assert page.run("player.frame") == 60
    page.run("player.play()")
    assert page.wait(1.0) == pytest.approx(30, abs=2), "from the beginning"
    assert page.wait(1.5) == 60
    assert page.wait(1.0) == pytest.approx(15, abs=3)
    page.run("player.loop = false")
    assert page.wait(3.0) == 60
    assert page.run("player.playing") is False
    page.run("player.loop = true")
