"""The classroom's pages in a real Chromium: the ways of a student and of a teacher."""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    WebSocketRoute,
    expect,
    sync_playwright,
)

from classroom.texts import FOLDER
from rewards.texts import LANGUAGES, load_texts
from tests.classroom_server import SECONDS, Server, running

CHROMIUM = shutil.which("chromium")
CHROMEBOOK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
PROJECTOR = {"width": 1920, "height": 1080}
STEPS = 20_000
"""Steps of a training of half a second, which the teacher sets as the limit."""
GOOD = "def reward(before, action, after):\n    return after.hits - before.hits - after.missed\n"
BETTER = GOOD.replace("after.missed", "2 * after.missed")
WRONG = GOOD.replace("before.hits", "before.hit")
EXPECTED = r"the server responded with a status of 4(01|03)"
"""Chromium's lines about answers that tests ask for: no session, a wrong code."""
PASTE = """text => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(event);
}"""
SCRIPT = "<img src=x onerror=alert(1)>"

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]
expect.set_options(timeout=1000 * SECONDS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a class whose trainings are short."""
    data = tmp_path_factory.mktemp("pages") / "data"
    with running(data, "--class", "7B", "--jobs", "2", "--steps", str(STEPS)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser."""
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=root)
        yield found
        found.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(server: Server, browser: Browser) -> Iterator[Open]:
    """Return a function that opens a page in a window of its own.

    In the end, nothing has been asked from elsewhere, and the console has no complaints.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(request: Any) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        if urlsplit(request.url).hostname != "127.0.0.1":
            complaints.append(request.url)

    def note_line(line: ConsoleMessage) -> None:
        if line.type in ("error", "warning") and not re.search(EXPECTED, line.text):
            complaints.append(line.text)

    def open_(path: str = "/", size: dict[str, int] = CHROMEBOOK, **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            base_url=server.address,
            accept_downloads=True,
            **options,
        )
        context.set_default_timeout(1000 * SECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("request", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note_line)
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints


def texts(lang: str) -> Any:
    """Return all texts of a language."""
    return load_texts(FOLDER, lang)


def teachers_link(server: Server) -> str:
    """Return the path of the link that the terminal shows."""
    return str(re.findall(r"Teacher: +\S+?(/teacher\S+)", server.printed)[-1])


def join(page: Page, server: Server, name: str) -> None:
    """Fill in the form to join by keyboard, and wait for the sandbox."""
    page.locator("#code").fill(server.code)
    page.locator("#name").fill(name)
    page.keyboard.press("Enter")
    ready(page)


def ready(page: Page) -> None:
    """Wait until a page shows what the server knows."""
    page.wait_for_selector("body[data-ready]")


def write(page: Page, source: str) -> None:
    """Replace the text in the editor, as a student pastes it."""
    page.locator("#editor .cm-content").focus()
    page.keyboard.press("Control+A")
    page.evaluate(PASTE, source)


def shown(page: Page) -> Locator:
    """Return the agents that are shown next to each other."""
    return page.locator("#agents .agent")


def train(page: Page, press: Callable[[], None] | None = None) -> None:
    """Press *Train*, and wait until the agent has been trained and moves."""
    before = page.locator("#runs .run").count()
    (press or page.locator("#start").click)()
    expect(page.locator("#runs .run")).to_have_count(before + 1)
    expect(shown(page).first.locator(".waiting")).to_be_hidden()
    expect(shown(page).first.locator("progress")).to_be_hidden()
    expect(shown(page).first.locator(".score")).not_to_be_empty()


def frames_move(page: Page) -> bool:
    """Return whether the film of the first agent moves."""
    picture = "document.querySelector('#agents canvas').toDataURL()"
    first = page.evaluate(picture)
    page.wait_for_function(f"before => {picture} !== before", arg=first)
    return True


def overflows(page: Page) -> bool:
    """Return whether the page can be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_a_student_writes_checks_trains_compares_and_takes_the_work_home(
    server: Server, open_page: Open, tmp_path: Path
) -> None:
    page, words = open_page(f"/?code={server.code}"), texts("en")
    assert page.locator("#code").input_value() == server.code
    join(page, server, SCRIPT)
    expect(page.locator("#student")).to_have_text(SCRIPT)
    expect(page.locator("#verdict")).to_have_text(words["check"]["good"])
    expect(page.locator("#pays table")).to_have_count(2)

    write(page, WRONG)
    expect(page.locator("#editor .cm-lintRange-error")).to_have_text("before.hit")
    expect(page.locator("#problems")).to_contain_text("`hits`?")
    page.locator("#problems button").click()
    assert page.evaluate("document.activeElement.closest('#editor') !== null")
    page.locator("#start").click()
    expect(page.locator("#toasts")).to_contain_text(words["train"]["mistakes"])
    expect(page.locator("#runs .run")).to_have_count(0)

    write(page, GOOD + "x = ")
    page.keyboard.type("after.ball_v")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("box widths per step")
    page.keyboard.press("Escape")

    write(page, GOOD)
    page.locator("#version-name").fill("First")
    page.locator("#version-note").fill("balls only")
    expect(page.locator("#verdict")).to_have_class("verdict good")
    train(page)
    assert frames_move(page)
    expect(page.locator("#score-chart .legend")).to_contain_text("First")
    expect(page.locator("#term-chart .legend")).to_contain_text("reward")
    expect(page.locator("#score-chart canvas")).to_be_visible()

    write(page, BETTER)
    page.locator("#version-name").fill("Second")
    train(page, lambda: page.locator("#editor .cm-content").press("Control+Enter"))
    expect(shown(page)).to_have_count(2)
    expect(shown(page).locator("h3")).to_have_text(["Second", "First"])

    label = page.get_by_label(words["stage"]["pause"], exact=True)
    label.click()
    position = page.get_by_label(words["stage"]["position"])
    position.fill("0")
    page.get_by_label(words["stage"]["forward"]).click()
    expect(position).to_have_value("1")
    page.get_by_label(words["stage"]["speed"]).select_option("0.25")
    page.get_by_label(words["stage"]["play"], exact=True).click()
    assert frames_move(page)

    page.get_by_label(words["runs"]["menu"].format(name="First")).click()
    page.get_by_role("button", name=words["runs"]["rescore"]).click()
    expect(page.locator("dialog table").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)

    def downloaded(item: str) -> bytes:
        page.get_by_label(words["runs"]["menu"].format(name="First")).click()
        with page.expect_download() as download:
            page.get_by_role("link", name=words["runs"][item]).click()
        return Path(download.value.path()).read_bytes()

    assert downloaded("reward_py").decode() == GOOD
    names = zipfile.ZipFile(io.BytesIO(downloaded("run_zip"))).namelist()
    assert any(name.endswith("best.safetensors") for name in names)
    page.get_by_label(words["runs"]["menu"].format(name="First")).click()
    gif = page.get_by_role("link", name=words["runs"]["film_gif"])
    expect(gif).to_have_attribute("href", re.compile(r"/api/runs/\d+/film\.gif"))
    page.keyboard.press("Escape")

    page.get_by_role("button", name=words["editor"]["versions"]).click()
    expect(page.locator("dialog li")).to_have_count(2)
    expect(page.locator("dialog")).to_contain_text("balls only")
    opened = page.locator("dialog li", has_text="First")
    opened.get_by_role("button", name=words["versions"]["open"], exact=True).click()
    expect(page.locator("#version-name")).to_have_value("First")

    page.reload()
    ready(page)
    expect(shown(page)).to_have_count(2)
    expect(page.locator("#version-name")).to_have_value("First")
    for size in (PHONE, PROJECTOR, CHROMEBOOK):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.wait_for_timeout(100)
        assert not overflows(page), size
    page.get_by_label(words["runs"]["menu"].format(name="Second")).click()
    page.get_by_role("button", name=words["runs"]["delete"], exact=True).click()
    page.locator("dialog .danger").click()
    expect(page.locator("#runs .run")).to_have_count(1)
    expect(shown(page)).to_have_count(1)


def test_a_person_plays_by_keyboard_until_the_ball_is_missed(
    server: Server, open_page: Open
) -> None:
    page, words = open_page(), texts("en")["play"]
    join(page, server, "Player")
    page.get_by_role("link", name=texts("en")["nav"]["play"], exact=True).press("Enter")
    expect(page.locator("#play-agent")).to_have_text(words["no_agent"])
    page.locator("#play-start").press("Enter")
    expect(page.locator("#play-canvas")).to_be_focused()
    page.keyboard.down("ArrowUp")  # stays in the upper corner, and misses the ball
    expect(page.locator("#play-start")).to_have_text(words["again"])
    page.keyboard.up("ArrowUp")
    expect(page.locator("#play-start")).to_be_focused()
    expect(page.locator("#play-verdict")).to_contain_text("Your score")


def test_a_teacher_sees_the_class_and_leads_a_league(server: Server, open_page: Open) -> None:
    words, other = texts("en"), server.student("Kurt")
    others_run = other.train(STEPS)
    student = open_page()
    join(student, server, "Grace")
    write(student, GOOD)
    train(student)
    page = open_page(teachers_link(server))
    ready(page)
    assert page.url.endswith("/teacher")
    row = page.locator("#student-rows tr", has_text="Grace")
    expect(row.locator("td.score").last).to_have_text("1")
    expect(page.locator(".joining .code")).to_have_text(server.code)
    write(student, WRONG)
    expect(row.locator(".error")).to_contain_text("before.hit")
    write(student, GOOD)
    expect(row.locator(".error")).to_be_empty()

    page.locator("#league-form input[name=title]").fill("Friday")
    page.locator("#league-start").click()
    expect(page.locator("#league-title")).to_have_text("Friday")
    student.get_by_role("link", name=words["nav"]["league"], exact=True).click()
    student.locator("#league-submit button").click()
    expect(student.locator("#league-rows tr.me .rank")).to_have_text("1")
    expect(page.locator("#league-rows tbody tr")).to_have_count(1)

    projector = open_page(teachers_link(server), PROJECTOR)
    projector.goto("/projector")
    ready(projector)
    expect(projector.locator("#ranking tbody tr")).to_have_count(1)
    expect(projector.locator("#no-films")).to_be_visible()
    expect(projector.locator(".qr svg")).to_be_visible()
    row.locator("input[type=checkbox]").check()
    expect(projector.locator("#films .film")).to_have_count(1)
    assert not overflows(projector)

    other.wait_for(others_run, "done")
    page.locator("#matrix-make").click()
    table = page.locator("#matrix table")
    expect(table.locator("thead th", has_text="Kurt")).to_have_count(1)
    expect(table.locator("tbody tr", has_text="Grace")).to_have_count(1)
    expect(table.locator(".best").first).to_be_visible()

    page.locator("#limits input[name=runs]").fill("2")
    page.locator("#limits button").click()
    expect(page.locator("#toasts")).to_contain_text(words["teacher"]["limits_set"])
    page.locator("#pause").click()
    expect(student.locator("#paused")).to_be_visible()
    expect(page.locator("#pause")).to_have_text(words["teacher"]["resume"])
    page.locator("#pause").click()
    expect(student.locator("#paused")).to_be_hidden()

    page.locator("#league-end").click()
    page.locator("dialog .danger").click()
    expect(student.locator("#league-state")).to_have_text(words["league"]["ended"])
    with page.expect_download() as download:
        page.get_by_role("link", name=words["teacher"]["export_csv"]).click()
    assert "Grace" in Path(download.value.path()).read_text("utf-8")

    page.get_by_label(f"{words['teacher']['actions']}: Grace").click()
    page.get_by_role("button", name=words["teacher"]["remove"]).click()
    page.locator("dialog .danger").click()
    expect(row).to_have_count(0)
    expect(student.locator("#enter")).to_be_visible()
    page.goto("/handout")
    expect(page.locator(".sheet")).to_contain_text(server.code)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_section_is_in_one_language_and_fits_a_phone(
    server: Server, open_page: Open, lang: str
) -> None:
    words = texts(lang)
    page = open_page(f"/?lang={lang}", PHONE, has_touch=True, is_mobile=True)
    expect(page.locator("h1")).to_have_text("7B")
    expect(page.locator("#enter")).to_have_text(words["join"]["enter"])
    assert not overflows(page)
    page.locator("#code").fill("WRONG1")
    page.locator("#name").fill("x")
    page.locator("#enter").click()
    expect(page.locator("#error")).to_have_text(words["errors"]["wrong_code"])
    join(page, server, f"Phone {lang}")
    assert page.locator("html").get_attribute("lang") == lang
    expect(page.locator("#verdict")).to_have_text(words["check"]["good"])
    for section in ("train", "play", "exercises", "league"):
        page.locator(f'nav a[href="#{section}"]').tap()
        expect(page.locator(f'nav a[href="#{section}"]')).to_have_text(words["nav"][section])
        page.wait_for_timeout(100)
        assert not overflows(page), section
        letters = re.search("[가-힣]", page.locator("main").inner_text())
        assert (letters is not None) == (lang == "ko"), section
    page.locator('nav a[href="#play"]').tap()
    page.locator("#play-start").tap()
    expect(page.locator(".pad.up")).to_be_visible()
    page.locator(".pad.up").tap()
    expect(page.locator("#play-cover")).to_be_hidden()


def test_all_is_done_by_keyboard_with_a_visible_focus(server: Server, open_page: Open) -> None:
    page = open_page(f"/?code={server.code}")
    page.keyboard.type("Keys")
    page.keyboard.press("Enter")
    ready(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.id || e.className, s.outlineStyle !== 'none'"
            " || e.closest('#editor') !== null] })()"
        )
        reached.add(focus[0].split()[0] if focus[0] else "")
        assert focus[1], f"the focus of {focus[0]} is not visible"
        if "cm-content" in focus[0]:
            write(page, GOOD)
            page.keyboard.press("Escape")  # Tab then leaves the editor
        if focus[0] == "start":
            break
    assert {"game", "leave", "versions", "version-name", "cm-content", "start"} <= reached
    page.keyboard.press("Enter")
    expect(page.locator("#runs .run")).to_have_count(1)


def test_a_lost_connection_comes_back_without_loss(server: Server, open_page: Open) -> None:
    page, words, teacher = open_page(), texts("en")["page"], server.teacher()
    join(page, server, "Lost")
    connections: list[WebSocketRoute] = []

    def connect(route: WebSocketRoute) -> None:
        if len(connections) == 1:  # the first try to connect again fails
            connections.append(route)
            route.close()
            return
        connections.append(route)
        route.connect_to_server()

    page.route_web_socket("**/live", connect)
    page.reload()
    ready(page)
    while not connections:
        page.wait_for_timeout(20)
    connections[0].close()
    expect(page.locator("#connection")).to_have_text(words["offline"])
    teacher.post("/api/class/pause")
    expect(page.locator("#connection")).to_have_text(words["online"])
    expect(page.locator("#paused")).to_be_visible()
    teacher.post("/api/class/resume")
    expect(page.locator("#paused")).to_be_hidden()
    expect(page.locator("#connection")).to_be_hidden()


def test_an_exercise_tells_what_was_reached_and_gives_a_hint(
    server: Server, open_page: Open
) -> None:
    page, words = open_page(), texts("en")["exercises"]
    join(page, server, "Exercise")
    goals = [
        {"name": "balls", "asked": "≥ 20", "value": 33.2, "passed": True, "hint": None},
        {"name": "distance", "asked": "≤ 0.1", "value": 0.25, "passed": False, "hint": "Turn."},
    ]
    grade = {"id": 1, "state": "done", "passed": False, "goals": goals, "error": None}
    # the training of an exercise takes too long for a test
    page.route("**/api/exercises/middle", lambda route: route.fulfill(json={"id": 1}))
    page.route("**/api/grades/1", lambda route: route.fulfill(json=grade))
    page.get_by_role("link", name=texts("en")["nav"]["exercises"]).click()
    expect(page.locator("#exercise-list > li")).to_have_count(10)
    page.locator("#exercise-arrive button").click()
    expect(page.locator("#game option:checked")).to_contain_text("goal")
    expect(page.locator("#verdict")).to_have_text(texts("en")["check"]["good"])
    page.locator("#game").select_option(label=texts("en")["games"]["paddle"])
    page.get_by_role("link", name=texts("en")["nav"]["exercises"]).click()
    page.locator("#exercise-middle").get_by_role("button", name=words["grade"]).click()
    result = page.locator("#exercise-middle")
    expect(result.locator(".verdict-line")).to_have_text(words["not_passed"])
    expect(result.locator(".goals .good")).to_contain_text("33.2")
    expect(result.locator(".goals .bad")).to_contain_text("Turn.")
