"""A deletion by two people in a real browser on real processes: one asks, another approves, the worker deletes, the record tells both."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.demo_process import DemoProcess, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]
OpenPage = Callable[..., Page]


@pytest.fixture
def old_enough(demo: DemoProcess) -> tuple[str, str]:
    """Id and page of an inactive key of an account that may be changed, as if it had been disabled here a month ago."""
    query = (
        "select k.id, k.access_key_id, k.uuid from hygiene_accesskey k join accounts_account a on a.id = k.account_id"
        " where k.status = 'inactive' and k.gone_at is null and k.access_key_id is not null and k.last_used_state = 'never'"
        " and a.allows_remediation and a.act_role_arn <> '' order by k.id"
    )
    number, key, uuid = demo.rows(query)[0]
    month_ago = "update hygiene_accesskey set disabled_here_at = datetime('now', '-30 days') where id = ?"
    with contextlib.closing(sqlite3.connect(demo.state / "demo.sqlite3", timeout=10)) as connection, connection:
        connection.execute(month_ago, [number])
    return str(key), f"/keys/{_dashed(str(uuid))}/"


def _dashed(uuid: str) -> str:
    """As addresses have it; SQLite keeps it without."""
    return uuid if "-" in uuid else "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))


def test_one_asks_another_approves_and_the_worker_deletes(demo: DemoProcess, page_for: OpenPage, old_enough: tuple[str, str]) -> None:
    key, url = old_enough
    asking, deciding = page_for("n.adeyemi"), page_for("j.okafor")
    asking.goto(url)
    asking.get_by_role("button", name="Delete…").first.click()
    dialog = asking.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile("cannot be undone|no undo|for good", re.IGNORECASE))
    dialog.get_by_label(re.compile("Type .* to confirm")).fill(key[-4:])
    dialog.get_by_role("button", name="Delete 1 key").click()
    query = "select state from hygiene_remediation where access_key_id = ? and action = 'delete'"
    until(lambda: demo.rows(query, key) == [("awaiting_approval",)], seconds=20, what="the request")
    assert demo.aws(f"/_keys/{key}")["status"] == "Inactive"

    asking.goto("/queue/")
    run = demo.rows("select p.uuid from hygiene_plan p join hygiene_remediation r on r.plan_id = p.id where r.access_key_id = ?", key)[-1][
        0
    ]
    asking.goto(f"/queue/runs/{_dashed(str(run))}/")
    expect(asking.locator("#main")).to_contain_text("1 awaiting approval")
    expect(asking.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)

    deciding.goto("/queue/")
    deciding.locator(f"a[href='/queue/runs/{_dashed(str(run))}/']").first.click()
    expect(deciding.locator("#main")).to_contain_text(key[-4:])
    plan = deciding.get_by_role("region", name=re.compile("^The plan"))
    plan.locator("summary").click()
    expect(plan.locator("details")).to_contain_text(re.compile("Disabled, never used.*Nothing is known to break"))
    assert violations(deciding) == {}
    deciding.get_by_label(re.compile("Comment")).fill("Nobody uses it.")
    deciding.get_by_role("button", name="Approve 1 change").click()
    expect(deciding.locator("#main")).to_contain_text("1 done", timeout=60_000)

    assert demo.aws(f"/_keys/{key}")["status"] is None
    calls = [call for call in demo.aws("/_log") if call["action"] == "DeleteAccessKey" and call["parameters"]["AccessKeyId"] == key]
    assert len(calls) == 1
    assert "n.adeyemi" in str(calls[0]["session"])
    told = demo.rows("select outcome, actor_name from accounts_auditevent where target like ? order by sequence", f"%{key}%")
    assert ("approval", "j.okafor") in told
    assert [outcome for outcome, _ in told][-1] == "succeeded"
    deciding.goto(f"/audit/?q={calls[0]['request_id']}")
    expect(deciding.locator("tbody")).to_contain_text("key.delete")
    asking.goto(url)
    expect(asking.locator("#main")).to_contain_text("deleted")
