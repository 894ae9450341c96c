"""Lists in a real browser: selection over pages, the search palette, the keyboard, and the same without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations

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
    page.get_by_label(re.compile("Select all .* that match, in .* accounts?")).check()
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


def test_what_is_typed_while_a_page_gets_ready_is_searched_for(page_for: OpenPage) -> None:
    page = page_for("m.larsen")
    page.add_init_script("const soon = setTimeout; window.setTimeout = (work, wait, ...rest) => soon(work, wait || 900, ...rest)")
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("prod-pay")
    expect(page.locator("#hits a").first).to_contain_text("prod-payments")


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


def test_a_facet_writes_into_the_filter_line_and_back_takes_it_out(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=action")
    status = page.locator("#facet-status")
    status.locator("summary").click()
    status.locator(".n").first.wait_for()
    status.get_by_label("Active").check()
    status.get_by_role("button", name="Apply").click()
    expect(page.locator("#facet-status summary")).to_contain_text("Status: Active")
    expect(page.locator("#facet-status summary")).to_be_focused()
    expect(page.locator("#filter")).to_have_value("status:active")
    expect(page).to_have_url(re.compile("q=status%3Aactive"))
    expect(page.get_by_role("columnheader", name="Status")).to_have_count(0)
    page.get_by_role("link", name="Age, days").click()
    expect(page.get_by_role("columnheader", name="Age, days")).to_have_attribute("aria-sort", "ascending")
    page.go_back()
    expect(page.locator("#filter")).to_have_value("status:active")
    page.get_by_role("link", name="Clear filters").click()
    expect(page.get_by_role("columnheader", name="Status")).to_have_count(1)


def test_only_takes_one_value_by_the_keyboard(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=action")
    page.locator("#facet-account summary").click()
    page.locator("#facet-account .n").first.wait_for()
    page.locator("#facet-account .only").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#filter")).to_have_value(re.compile(r"account:\d{12}"))


def test_a_suggestion_is_taken_by_the_keyboard(page_for: OpenPage) -> None:
    page = page_for("m.larsen")
    page.goto("/keys/")
    page.keyboard.press("/")
    page.keyboard.type("account:prod-p")
    expect(page.locator("#suggestions [role=option]")).to_have_count(1)
    assert page.locator("#filter").get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert page.locator("#filter").get_attribute("aria-activedescendant") == "suggestion-1"
    page.keyboard.press("Enter")
    expect(page.locator("#filter")).to_have_value("account:prod-payments ")
    expect(page.locator("td[data-column=user]").first).to_be_visible()
    page.keyboard.type("stat")
    page.locator("#suggestions [role=option]").first.wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions [role=option]")).to_have_count(0)


def test_the_menu_of_a_row_opens_by_its_key_and_gives_the_focus_back(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=never-used")
    page.keyboard.press("j")
    page.keyboard.press("e")
    menu = page.locator(".row-menu[open]")
    expect(menu.get_by_role("link", name="Open this key")).to_be_focused()
    expect(menu.get_by_role("link", name="Ask owner…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".row-menu[open]")).to_have_count(0)
    expect(page.locator(".row-menu summary").first).to_be_focused()


def test_without_scripts_facets_are_forms_and_a_selection_can_be_exported(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi", scripts=False)
    page.goto("/keys/?view=action&facet=status")
    page.locator("#facet-status").get_by_label("Active").check()
    page.locator("#facet-status").get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"view=action&q=status%3Aactive"))
    page.locator("[data-select]").nth(0).check()
    page.locator("[data-select]").nth(1).check()
    with page.expect_download() as download:
        page.locator(".bulk-more").get_by_role("button", name="Export").click()
    assert len(download.value.path().read_text().splitlines()) == 3


def test_asking_an_owner_from_the_menu_of_a_row_is_a_dialog_and_gives_the_focus_back(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/users/?view=with-keys&q=owner:team-data@example.com")
    menu = page.locator(".row-menu").first
    menu.locator("summary").click()
    menu.get_by_role("link", name="Ask owner…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    menu.get_by_role("link", name="Ask owner…").click()
    dialog.get_by_role("button", name=re.compile("Ask 1 owner")).click()
    expect(page.locator(".toast")).to_contain_text("to owners, about")
    expect(page).to_have_url(re.compile("/users/"))


def test_exempting_a_selection_is_a_dialog_that_says_what_is_missing(page_for: OpenPage) -> None:
    page = page_for("a.moreau")
    page.goto("/users/?view=no-mfa")
    row = page.locator("tbody tr").first
    row.locator(".row-menu summary").click()
    row.get_by_role("link", name="Exempt…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").wait_for()
    assert violations(page) == {}
    dialog.get_by_role("button", name="Exempt 1 user").click()
    expect(dialog.locator(".error").first).to_be_visible()
    dialog.get_by_label("Reason").fill("Signs in from one room only.")
    dialog.get_by_role("button", name="Exempt 1 user").click()
    expect(page.locator(".toast")).to_contain_text("The exemption holds until", timeout=20_000)
    expect(page).to_have_url(re.compile("/users/"))


def test_without_scripts_the_same_links_are_pages(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi", scripts=False)
    page.goto("/users/?view=with-keys&q=owner:team-web@example.com")
    row = page.locator("tbody tr").first
    row.locator(".row-menu summary").click()
    row.get_by_role("link", name="Ask owner…").click()
    expect(page.locator("h1")).to_contain_text("Ask the owner")
    page.get_by_role("button", name="Ask 1 owner").click()
    expect(page.locator(".toast")).to_contain_text("to owners, about")


def test_columns_are_chosen_on_every_list_and_stay_in_the_address(page_for: OpenPage) -> None:
    page = page_for("a.moreau")
    for address in ("/users/", "/accounts/", "/findings/", "/root-users/", "/queue/", "/audit/"):
        page.goto(address)
        page.locator(".result summary", has_text="Columns").click()
        page.locator(".result .facet[open] input[name=cols]:not(:checked)").first.check()
        page.get_by_role("button", name="Show these").click()
        expect(page).to_have_url(re.compile("cols="))


def test_a_confirmation_that_comes_too_early_goes_to_what_is_missing(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/?view=action&q=last-used:<30+-is:root")
    page.locator("tbody tr").get_by_role("button", name="Disable…").first.click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Disable 1 key")
    expect(confirm).to_have_attribute("aria-disabled", "true")
    confirm.click(force=True)
    expect(dialog.get_by_label("Reason")).to_be_focused()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Reason").select_option("leaver")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    dialog.get_by_label(re.compile("^Type ")).fill("x")
    expect(confirm).not_to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
