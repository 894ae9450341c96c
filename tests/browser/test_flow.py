"""The main job in a real browser on real processes: find a key, disable it, see it in AWS and in the audit log, enable it again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.demo_process import DemoProcess, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]
OpenPage = Callable[..., Page]


def never_used_key(page: Page, place: int) -> tuple[str, str]:
    """Full id and page of one never-used key that may be disabled."""
    page.goto("/keys/?view=never-used")
    row = page.locator("tbody tr").filter(has=page.locator("form button", has_text="Disable…")).nth(place)
    row.locator("[data-row-link]").click()
    page.wait_for_url(re.compile(r"/keys/[0-9a-f-]{36}/"))
    copied = page.locator("[data-copy]").get_attribute("data-copy")
    assert copied
    return copied, page.url


def status_in_aws(demo: DemoProcess, key: str) -> str:
    return str(demo.aws(f"/_keys/{key}")["status"])


def updates(demo: DemoProcess, key: str) -> list[dict[str, object]]:
    return [call for call in demo.aws("/_log") if call["action"] == "UpdateAccessKey" and call["parameters"]["AccessKeyId"] == key]


def test_a_never_used_key_is_disabled_and_enabled_again(demo: DemoProcess, page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    key, url = never_used_key(page, 0)
    page.goto("/keys/?view=never-used&q=" + key)
    row = page.locator("tbody tr").first
    row.get_by_role("button", name="Disable…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("You can undo this")
    dialog.get_by_label("Ticket").fill("SEC-1234")
    dialog.get_by_role("button", name="Disable 1 key").click()
    expect(row).to_contain_text(re.compile("disabling|disabled"))
    expect(row.locator(".chip").last).to_have_text("disabled", timeout=30_000)
    assert status_in_aws(demo, key) == "Inactive"
    calls = updates(demo, key)
    assert len(calls) == 1
    page.goto("/audit/?q=" + str(calls[0]["request_id"]))
    expect(page.locator("tbody")).to_contain_text("succeeded")
    expect(page.locator("tbody")).to_contain_text("key.disable")
    page.goto(url)
    expect(page.locator("h1")).to_contain_text(key[-4:])
    expect(page.locator("#main")).to_contain_text("14 days left")
    page.get_by_role("button", name="Enable").click()
    expect(page.locator("#main .chip.is-active").first).to_have_text("active", timeout=30_000)
    until(lambda: status_in_aws(demo, key) == "Active", seconds=20, what="enabling in AWS")
    assert len(updates(demo, key)) == 2


def test_a_viewer_sees_why_not_and_delete_is_refused_on_an_active_key(demo: DemoProcess, page_for: OpenPage) -> None:
    viewer = page_for("m.larsen")
    viewer.goto("/keys/?view=never-used")
    button = viewer.locator("tbody tr").get_by_role("button", name=re.compile("Disable")).first
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_contain_text("needs the role operator")
    operator = page_for("n.adeyemi")
    key, _ = never_used_key(operator, 3)
    uuid = operator.url.rstrip("/").rsplit("/", 1)[-1]
    token = operator.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    answer = operator.request.post(
        f"{demo.url}/plans/new/", form={"key": uuid, "action": "delete", "csrfmiddlewaretoken": token}, headers={"Referer": demo.url}
    )
    assert "Disable first" in answer.text()
    refused = viewer.request.post(
        f"{demo.url}/plans/new/",
        form={
            "key": uuid,
            "action": "disable",
            "csrfmiddlewaretoken": viewer.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value") or "",
        },
        headers={"Referer": demo.url},
    )
    assert refused.status == 403
    assert status_in_aws(demo, key) == "Active"
    assert updates(demo, key) == []


def test_everything_works_without_javascript(demo: DemoProcess, page_for: OpenPage) -> None:
    page = page_for("n.adeyemi", scripts=False)
    key, url = never_used_key(page, 5)
    page.get_by_role("button", name="Disable…").click()
    page.get_by_role("button", name="Disable 1 key").click()
    expect(page.locator("h1")).to_contain_text(key[-4:])
    until(lambda: status_in_aws(demo, key) == "Inactive", seconds=30, what="disabling in AWS")
    until(lambda: page.goto(url) is not None and "disabled" in page.locator("#main").inner_text(), seconds=30, what="its state on the page")


def test_poll_now_shows_progress_until_it_is_done(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/accounts/?q=data-lake")
    page.locator("[data-row-link]").first.click()
    page.get_by_role("button", name="Poll now").click()
    expect(page.locator(".progress")).to_contain_text(re.compile("1 account polled|0 of 1"))
    expect(page.locator(".progress")).to_contain_text("1 account polled", timeout=60_000)


def test_a_digest_sent_now_can_be_read_in_the_mail_catcher(demo: DemoProcess, page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/digest/")
    page.get_by_role("button", name="Send to me now").click()
    expect(page.locator(".toast")).to_contain_text("on its way")
    found = re.search(r"mails\s+(http://\S+)", demo.said())
    assert found
    mails = page.context.new_page()
    until(lambda: (mails.goto(found[1]) is not None) and "n.adeyemi@example.com" in mails.content(), seconds=30, what="the mail")
    mails.locator("a").first.click()
    expect(mails.locator("pre")).to_contain_text("accounts reporting")


def test_the_filter_line_narrows_while_one_types_and_the_address_follows(page_for: OpenPage) -> None:
    page = page_for("n.adeyemi")
    page.goto("/keys/")
    page.locator("#filter").press_sequentially("account:data-lake")
    expect(page.locator(".result")).to_contain_text("match")
    page.wait_for_url(re.compile("q=account%3Adata-lake"))
    assert page.locator("tbody tr").count() > 10
    expect(page.locator("#filter")).to_be_focused()
    page.go_back()
    page.goto("/keys/?q=account:data-lake&sort=-age")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Age")
