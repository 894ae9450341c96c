"""Where the focus is after a change, and what a dialog says of it, in a real browser on real processes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]
OpenPage = Callable[..., Page]


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.tagName"))


def row_that_can(page: Page, what: str, place: int = 0) -> Locator:
    """One row of the list by its key's address, so that it stays the same row."""
    row = page.locator("tbody tr").filter(has=page.locator("form button", has_text=what)).nth(place)
    href = row.locator("[data-row-link]").get_attribute("href")
    return page.locator("tbody tr").filter(has=page.locator(f"[data-row-link][href='{href}']"))


def test_the_focus_stays_at_the_row_through_a_disable_its_undo_and_an_enable(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=never-used")
    row = row_that_can(page, "Disable…", 7)
    row.get_by_role("button", name="Disable…").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable 1 key").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row.locator("[data-row-link]")).to_be_focused()
    expect(row.locator(".chip").last).to_have_text("disabled", timeout=30_000)
    expect(row.locator("[data-row-link]")).to_be_focused()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("is disabled. AWS confirmed it.")
    page.wait_for_timeout(9_000)
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast").filter(has_text="is disabled")).to_have_count(0)
    expect(row.locator("[data-row-link]")).to_be_focused()
    expect(row.locator(".chip").last).to_have_text("active", timeout=30_000)
    expect(page.locator(".toast")).to_contain_text("is active again. AWS confirmed it.")


def test_an_enable_on_the_page_of_a_key_keeps_the_focus_at_its_buttons(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?q=status:disabled+-is:root")
    row_that_can(page, "Enable").locator("[data-row-link]").click()
    page.wait_for_url(re.compile(r"/keys/[0-9a-f-]{36}/"))
    page.get_by_role("button", name="Enable").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#main .chip.is-active").first).to_have_text("active", timeout=30_000)
    assert focused(page) in ("A", "BUTTON")
    assert page.evaluate("document.activeElement.closest('[id^=key-action-]') !== null")


def test_a_refused_confirmation_goes_to_the_field_in_error(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=action&q=last-used:<30+-is:root")
    page.locator("tbody tr").get_by_role("button", name="Disable…").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("leaver")
    dialog.get_by_label(re.compile("^Type ")).fill("x")
    dialog.get_by_role("button", name="Disable 1 key").click()
    expect(dialog.locator("#typed-error")).to_be_visible()
    expect(dialog.get_by_label(re.compile("^Type "))).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert focused(page) != "BODY"


def test_the_numbers_of_a_dialog_follow_its_box_and_the_focus_stays_on_it(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=action")
    page.locator("[data-select]").first.check()
    page.get_by_label(re.compile("Select all .* that match")).check()
    page.locator("#bulk-disable").click()
    dialog = page.get_by_role("dialog")
    box = dialog.locator("#include-in-use")
    expect(box).not_to_be_checked()
    before = dialog.locator("#plan-heading").inner_text()
    few = re.sub(r"\D", "", before)
    expect(dialog.get_by_label(f"Type {few} to confirm")).to_be_visible()
    dialog.locator("#group-1 summary").click()
    dialog.get_by_label("Ticket").fill("SEC-7")
    box.focus()
    page.keyboard.press("Space")
    expect(dialog.locator("#plan-heading")).not_to_have_text(before)
    many = re.sub(r"\D", "", dialog.locator("#plan-heading").inner_text())
    assert int(many) > int(few)
    expect(box).to_be_focused()
    expect(box).to_be_checked()
    expect(dialog.get_by_label(f"Type {many} to confirm")).to_be_visible()
    assert re.sub(r"\D", "", dialog.locator(".dialog-foot [type=submit]").first.inner_text()) == many
    assert dialog.locator("#group-1").get_attribute("open") is not None
    expect(dialog.get_by_label("Ticket")).to_have_value("SEC-7")
    page.keyboard.press("Space")
    expect(dialog.locator("#plan-heading")).to_have_text(before)
    expect(box).not_to_be_checked()
    dialog.get_by_label("Reason").select_option("leaver")
    dialog.get_by_label(re.compile("^Type ")).fill("1")
    dialog.locator(".dialog-foot .is-danger").click()
    expect(dialog.locator("#typed-error")).to_have_text(f"Type {few} to confirm.")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk-disable")).to_be_focused()


def test_without_scripts_the_numbers_are_drawn_anew_by_a_button(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi", scripts=False)
    page.goto("/keys/?view=action")
    page.locator("[data-select]").first.check()
    page.locator("[name=all]").check()
    page.locator("#bulk-disable").click()
    before = page.locator("h1").inner_text()
    page.locator("#include-in-use").check()
    page.get_by_role("button", name="Update the numbers").click()
    expect(page.locator("#include-in-use")).to_be_checked()
    assert page.locator("h1").inner_text() != before


def test_the_page_of_a_plan_follows_its_boxes_too(page_for: OpenPage) -> None:
    without = page_for("n.adeyemi", scripts=False)
    without.goto("/keys/?view=action")
    without.locator("[data-select]").first.check()
    without.locator("[name=all]").check()
    without.locator("#bulk-disable").click()
    page = page_for("n.adeyemi")
    page.goto(without.url)
    before = page.locator("h1").inner_text()
    page.locator("#include-in-use").focus()
    page.keyboard.press("Space")
    expect(page.locator("h1")).not_to_have_text(before)
    expect(page.locator("#include-in-use")).to_be_focused()
    expect(page.get_by_role("button", name="Update the numbers")).to_have_count(0)


def test_poll_now_hands_the_focus_to_its_progress(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/accounts/?q=data-lake")
    page.locator("[data-row-link]").first.click()
    page.get_by_role("button", name="Poll now").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".progress")).to_contain_text("1 account polled", timeout=60_000)
    assert page.evaluate("document.activeElement.closest('#poll-now') !== null")


def test_an_exemption_gives_the_focus_back_over_the_reload(page_for: OpenPage) -> None:
    page = page_for("a.moreau")
    page.goto("/users/?view=no-mfa")
    row = page.locator("tbody tr").nth(1)
    row.locator(".row-menu summary").click()
    row.get_by_role("link", name="Exempt…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Signs in from one room only.")
    dialog.get_by_role("button", name="Exempt 1 user").click()
    expect(page.locator(".toast")).to_contain_text("The exemption holds until", timeout=20_000)
    assert focused(page) != "BODY"
