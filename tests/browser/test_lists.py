"""Lists in a real browser: selection over pages, the search palette, the keyboard, and the same without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]
OpenPage = Callable[..., Page]


def test_a_selection_survives_paging_and_ends_with_its_query(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=never-used&per_page=25")
    boxes = page.locator("[data-select]")
    boxes.nth(0).click()
    boxes.nth(4).click(modifiers=["Shift"])
    bar = page.locator("[data-bulk]")
    expect(bar).to_contain_text("5 selected")
    expect(bar.get_by_role("button", name="Delete…")).to_be_hidden()
    page.get_by_role("link", name="Next").click()
    expect(bar).to_contain_text("5 selected")
    page.locator("[data-select]").nth(0).click()
    expect(bar).to_contain_text("6 selected")
    bar.get_by_role("button", name="Disable…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("6")
    page.keyboard.press("Escape")
    page.goto("/keys/?view=unused")
    expect(page.locator("[data-selection-note]")).to_have_text("The query changed, so the selection was cleared.")
    expect(bar).to_be_hidden()


def test_the_header_box_takes_the_page_and_the_bar_offers_all_that_match(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=never-used&per_page=25")
    page.locator("[data-select-page]").click()
    count = page.locator("[data-select]").count()
    expect(page.locator("[data-bulk]")).to_contain_text(f"{count} selected")
    page.get_by_label(re.compile("Select all .* that match")).check()
    total = page.locator("[data-bulk]").get_attribute("data-total")
    expect(page.locator("[data-bulk]")).to_contain_text(f"{total} selected")
    page.get_by_role("button", name="Clear the selection").click()
    expect(page.locator("[data-bulk]")).to_be_hidden()


def test_without_scripts_boxes_lead_to_the_plan(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi", scripts=False)
    page.goto("/keys/?view=never-used")
    page.locator("[data-select]").nth(0).check()
    page.locator("[data-select]").nth(1).check()
    page.locator("#bulk-disable").click()
    page.wait_for_url(re.compile(r"/plans/[0-9a-f-]{36}/"))
    expect(page.locator("h1")).to_contain_text("2")


def test_the_palette_finds_and_opens_by_keyboard_alone(page_for: OpenPage) -> None:
    page = page_for("m.larsen")
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("prod-pay")
    page.locator("#hits a").first.wait_for()
    assert page.locator("#search").get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert page.locator("#search").get_attribute("aria-activedescendant") == "hit-1"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/(accounts|users|keys)/.+"))


def test_keys_select_a_row_and_show_help(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=never-used")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_contain_text("1 selected")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of the keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys of the keyboard")).to_be_hidden()
