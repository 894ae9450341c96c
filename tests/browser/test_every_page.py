"""Every page in Chromium, both themes, desktop and phone: no accessibility violation, no blocked content, no sideways scrolling."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import violations, violations_of_theme
from tests.browser.pictures import PAGES
from tests.demo_process import DemoProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]
OpenPage = Callable[..., Page]
Theme = Literal["light", "dark"]
KILOBYTES = {"css": 15, "js": 10, "htmx": 14, "sprite": 5, "font": 50, "html": 40}
STATIC = Path(__file__).resolve().parent.parent.parent / "static"


def addresses(page: Page) -> dict[str, str]:
    """Every kind of page, the detail pages of the first row of each list included."""
    found = dict(PAGES)
    for name, listed in (
        ("key", "/keys/?view=never-used"),
        ("user", "/users/?view=action"),
        ("root", "/root-users/?view=key"),
        ("silent", "/accounts/?view=silent"),
        ("account", "/accounts/?view=findings"),
        ("event", "/audit/"),
        ("person", "/settings/people/"),
    ):
        page.goto(listed)
        found[name] = page.locator("[data-row-link]").first.get_attribute("href") or ""
    page.goto("/settings/")
    for link in page.locator("main a[href^='/settings/']").all():
        found[link.get_attribute("href") or ""] = link.get_attribute("href") or ""
    return {
        **found,
        "add-person": "/settings/people/new/",
        "rule": "/rules/key.never_used/",
        "search": "/search/?q=prod",
        "scope": "/?scope=tag:team%3Dteam-data",
        "stop": "/queue/changes/",
        "add accounts": "/accounts/new/",
        "exemption": f"/exemptions/new/?key={found['key'].strip('/').rpartition('/')[2]}",
        "missing": "/keys/00000000-0000-0000-0000-000000000000/",
    }


def watched(page: Page) -> list[str]:
    """What Chromium complains about: console errors, blocked content, failed requests, other hosts."""
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}") if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(f"page error: {error}"))
    page.on(
        "request",
        lambda request: said.append(f"other host: {request.url}") if not request.url.startswith(("http://127.0.0.1", "data:")) else None,
    )
    return said


@pytest.mark.parametrize(("width", "theme", "other"), [(1440, "light", "dark"), (390, "dark", "light")])
def test_every_page_is_accessible_and_fits(width: int, theme: Theme, other: Theme, page_for: OpenPage) -> None:
    page, wrong = page_for("a.moreau", width=width, height=900), {}
    said = watched(page)
    for name, address in addresses(page).items():
        page.emulate_media(color_scheme=theme)
        page.goto(address)
        for now, look in ((theme, violations), (other, violations_of_theme)):
            page.emulate_media(color_scheme=now)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wrong[f"{name} {now} wide"] = str(page.evaluate("document.documentElement.scrollWidth"))
            wrong |= {f"{name} {now} {rule}": html for rule, html in look(page).items()}
    complaints = [line for line in said if "404" not in line]
    assert (json.dumps(wrong, indent=1), complaints) == ("{}", [])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_digests_mail_is_accessible(theme: Theme, page_for: OpenPage) -> None:
    page = page_for("n.adeyemi", width=700)
    mail = page.request.get("/digest/preview/").text()
    page.goto("about:blank")  # as in a mail program: where it is previewed no script may run, not even that of this test
    page.emulate_media(color_scheme=theme)
    page.set_content(mail)
    assert violations(page) == {}


def test_the_dialog_is_accessible_and_gives_the_focus_back(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=never-used")
    button = page.locator("tbody tr").get_by_role("button", name="Disable…").nth(2)
    button.click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert page.evaluate("document.activeElement.hasAttribute('data-cancel')")
    assert violations(page) == {}
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert button.evaluate("node => node === document.activeElement")


def test_the_sign_in_page_is_accessible_and_says_nothing_of_what_was_wrong(demo: DemoProcess, chrome: Any) -> None:
    page = chrome.new_page()
    said = watched(page)
    page.goto(f"{demo.url}/auth/login/")
    assert violations(page) == {}
    answers = []
    for user in ("n.adeyemi", "nobody"):
        page.fill("input[name=login]", user)
        page.fill("input[name=password]", "wrong")
        page.click("button[type=submit]")
        page.wait_for_selector(".errorlist, .error")
        answers.append(page.locator(".errorlist, .error").first.inner_text())
    assert answers[0] == answers[1]
    assert said == []
    page.close()


def test_a_first_page_stays_within_its_budget_of_bytes(page_for: OpenPage) -> None:
    sizes = {
        "css": sum(len(gzip.compress(file.read_bytes())) for file in (STATIC / "css").glob("*.css")),
        "js": sum(len(gzip.compress(file.read_bytes())) for file in (STATIC / "js").glob("*.js")),
        "htmx": len(gzip.compress((STATIC / "vendor" / "htmx.min.js").read_bytes())),
        "sprite": len(gzip.compress((STATIC / "icons" / "sprite.svg").read_bytes())),
        "font": (STATIC / "vendor" / "inter-latin.woff2").stat().st_size,
    }
    page = page_for("n.adeyemi")
    html = {address: len(gzip.compress(page.request.get(address).body())) for address in PAGES.values()}
    sizes["html"] = max(html.values())
    assert {name: size for name, size in sizes.items() if size > KILOBYTES[name] * 1024} == {}


def test_keys_of_the_keyboard_go_to_pages_filter_and_rows(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("k")
    page.wait_for_url("**/keys/?view=action")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("[...document.querySelectorAll('[data-row-link]')].indexOf(document.activeElement)") == 1
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "filter"
