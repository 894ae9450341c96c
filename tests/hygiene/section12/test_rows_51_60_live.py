"""Rows 51 to 60: what AWS refuses, accounts that cannot be reached, live facts beside the report, and changes whose answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from botocore.exceptions import ReadTimeoutError
from django.contrib.auth.models import User

from accounts.models import Account, AuditEvent
from hygiene.models import AccessKey, PollOutcome
from hygiene.services import schedule
from tests.hygiene.section12.conftest import Site, change, execute
from tests.hygiene.section12.wire import Wire, error, result

pytestmark = pytest.mark.django_db
DENIED = error(403, "AccessDenied", "User: x is not authorized to perform: iam:ListAccessKeys because no identity-based policy allows it")


def aged(site: Site, *, days: int = 400) -> str:
    site.world.user("ci")
    return site.world.key("ci", created_at=site.world.now - timedelta(days=days)).access_key_id


def test_row_51_refused_list_keeps_the_report_and_disables_actions_with_the_reason(site: Site, wire: Wire, operator: User) -> None:
    aged(site)
    wire.script("ListAccessKeys", DENIED, times=9)
    done = site.poll()
    assert (done.outcome, site.failing("key.too_old")) == (PollOutcome.PARTIAL, 1)
    assert site.csv("keys")[0]["access_key_id"] == ""
    assert site.csv("accounts")[0]["state"] == "ok"
    assert "iam:ListAccessKeys" in site.page()
    site.viewer = operator
    page = site.page(f"/keys/{site.every_key()[0].uuid}/")
    assert "ID not known" in page
    assert "iam:ListAccessKeys" in page


def test_key_that_stands_on_two_pages_of_the_list_is_one(site: Site, wire: Wire) -> None:
    key_id = aged(site)
    born = f"{site.world.users['ci'].keys[0].created_at:%Y-%m-%dT%H:%M:%SZ}"
    entry = f"<UserName>ci</UserName><AccessKeyId>{key_id}</AccessKeyId><Status>Active</Status><CreateDate>{born}</CreateDate>"
    for end in ("<IsTruncated>true</IsTruncated><Marker>next</Marker>", "<IsTruncated>false</IsTruncated>"):
        page = f"<AccessKeyMetadata><member>{entry}</member></AccessKeyMetadata>{end}"
        wire.script("ListAccessKeys", result("ListAccessKeys", page))
    assert site.poll().outcome == PollOutcome.COMPLETE
    assert [key.access_key_id for key in site.every_key()] == [key_id]


def test_row_52_user_gone_since_the_report_is_no_error(site: Site) -> None:
    aged(site)
    site.world.gateway().generate_credential_report()
    del site.world.users["ci"]
    assert site.poll().outcome == PollOutcome.COMPLETE
    assert site.every_key() == []
    assert AccessKey.objects.get().gone_reason == "deleted since the report"


def test_row_52_refusal_that_means_gone_is_told_from_a_missing_permission(site: Site, wire: Wire) -> None:
    """IAM cannot build the ARN of a user who is gone, and refuses a policy that is scoped to ARNs."""
    aged(site)
    site.world.user("stays")
    kept = site.world.key("stays")
    site.world.gateway().generate_credential_report()
    del site.world.users["ci"]
    gone = error(403, "AccessDenied", "User: x is not authorized to perform: iam:ListAccessKeys on resource: user ci because no")
    wire.script("ListAccessKeys", gone)
    done = site.poll()
    assert (done.outcome, site.status.list_keys_error) == (PollOutcome.COMPLETE, "")
    assert [key.access_key_id for key in site.every_key()] == [kept.access_key_id]


def test_row_53_access_lost_keeps_what_is_known_and_hurts_no_other(site: Site, site_of: Callable[..., Site], wire: Wire) -> None:
    other = site_of("222233334444")
    aged(site)
    site.poll()
    site.later()
    wire.script(
        "AssumeRole", error(403, "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole"), account="111122223333", times=9
    )
    pauses = []
    for _ in range(3):
        assert site.poll().outcome == PollOutcome.ACCESS_LOST
        pauses.append(site.status.next_poll_at - site.world.now)
    assert pauses[0] < pauses[1] < pauses[2]
    assert len(site.every_key()) == 1
    assert (site.failing("account.unreachable"), site.failing("key.too_old"), site.unknown("key.too_old")) == (1, 0, 1)
    page = site.page()
    assert "Access lost" in page
    assert "cannot be assumed" in page
    row = site.csv("accounts")[0]
    assert (row["state"], row["users"], row["active_keys"], row["findings_open"]) == ("access_lost", "", "", "")
    assert (row["root_key_present"], row["root_mfa"]) == ("", "unknown")
    assert other.poll().outcome == PollOutcome.COMPLETE


@pytest.mark.parametrize(
    "states",
    [{"State": "SUSPENDED"}, {"State": "PENDING_CLOSURE"}, {"State": "CLOSED"}, {"Status": "SUSPENDED"}, {}, {"State": "NEW_WORD"}],
)
def test_row_54_account_that_is_not_active_is_not_polled_and_keeps_its_history(site: Site, wire: Wire, states: dict[str, str]) -> None:
    aged(site)
    site.poll()
    wire.organization = [{"Id": site.account.account_id, "Name": "data-lake", "Email": "a@example.com", **states}]
    found = site.organization()
    assert found.is_pollable is False
    assert list(Account.objects.pollable()) == []
    assert schedule.queue_due(now=site.world.now + timedelta(days=9)) == []
    assert len(site.every_key()) == 1
    assert site.csv("accounts")[0]["state"] == "suspended"
    page = site.page()
    assert "Not active in AWS" in page
    assert "only active accounts are polled" in page
    assert site.failing("account.stale") == site.failing("account.unreachable") == 0


def test_row_55_region_switched_off_falls_back_to_the_second(site: Site, wire: Wire) -> None:
    aged(site)
    wire.script("AssumeRole", error(403, "RegionDisabledException", "STS is not activated in this region"))
    assert site.poll().outcome == PollOutcome.COMPLETE


def test_row_55_both_regions_off_is_an_error_of_this_account_only(site: Site, site_of: Callable[..., Site], wire: Wire) -> None:
    other = site_of("222233334444")
    wire.script("AssumeRole", error(403, "RegionDisabledException", "off"), account="111122223333", times=2)
    done = site.poll()
    assert done.outcome == PollOutcome.ACCESS_LOST
    assert "STS is switched off" in site.page()
    assert other.poll().outcome == PollOutcome.COMPLETE


def test_row_56_root_key_of_the_live_summary_raises_its_finding_at_once(site: Site) -> None:
    site.poll()
    site.later(hours=1)
    site.world.key("root", created_at=site.world.now)
    site.poll()
    assert site.failing("root.key_present") == 1
    assert site.csv("accounts")[0]["root_key_present"] == "true"
    assert [(row["is_root"], row["status"], row["created_at"]) for row in site.csv("keys")] == [("true", "active", "")]
    assert "GetAccountSummary" in site.page(f"/keys/{site.every_key()[0].uuid}/")


def test_row_56_root_key_that_the_live_summary_does_not_count_any_more_is_in_no_count(site: Site) -> None:
    site.world.key("root")
    site.poll()
    site.later(hours=1)
    site.world.root.keys.clear()
    site.poll()
    assert (site.csv("users")[0]["active_keys"], site.csv("accounts")[0]["root_key_present"]) == ("0", "false")
    assert [row["status"] for row in site.csv("keys")] == ["deleted"]
    assert site.failing("root.key_present") == 0


@pytest.mark.parametrize("report", ["", "user,arn"])
def test_row_56_root_key_shows_though_no_report_was_ever_accepted(site: Site, report: str) -> None:
    site.world.key("root")
    assert site.poll_of(report).outcome == PollOutcome.REJECTED
    assert site.failing("root.key_present") == 1
    assert site.csv("accounts")[0]["root_key_present"] == "true"
    assert "root key present" in site.page()


def test_row_57_expired_key_is_shown_as_not_usable_without_a_button(site: Site, operator: User) -> None:
    site.world.user("ci")
    site.world.key("ci", created_at=site.world.now - timedelta(days=300), status="Expired")
    assert site.poll().outcome == PollOutcome.COMPLETE
    assert (site.csv("keys")[0]["status"], site.failing("key.status_other"), site.failing("key.too_old")) == ("other", 1, 0)
    site.viewer = operator
    page = site.page(f"/keys/{site.every_key()[0].uuid}/")
    assert "expired" in page
    assert 'value="enable"' not in page
    site.later()
    site.poll()
    assert site.csv("keys")[0]["status"] == "other"


def test_row_58_key_id_of_two_accounts_is_set_aside(site: Site, site_of: Callable[..., Site]) -> None:
    mine = aged(site)
    site.poll()
    other = site_of("222233334444")
    other.world.user("ci")
    other.world.key("ci", access_key_id=mine)
    own = other.world.key("ci", created_at=other.world.now - timedelta(days=3))
    done = other.poll()
    assert done.outcome == PollOutcome.PARTIAL
    assert {row["access_key_id"] for row in other.csv("keys") if row["account_id"] == "222233334444"} == {"", own.access_key_id}
    assert AccessKey.objects.get(access_key_id=mine).account == site.account
    assert other.unknown("key.never_used") == 1
    assert "is known in account 1111 2222 3333 already" in other.page()
    other.later()
    assert other.poll().outcome == PollOutcome.PARTIAL


def test_row_59_delete_of_a_key_that_is_gone_has_succeeded(site: Site, operator: User, approver: User) -> None:
    key_id = deletable(site)
    site.world.users["ci"].keys.clear()
    done = change(site, "delete", operator, approver=approver)
    assert done.state == "succeeded_observed" or done.result_code in ("gone", "already")
    assert AccessKey.objects.get(access_key_id=key_id).gone_at is not None
    assert AuditEvent.objects.filter(target__contains=key_id, message__icontains="already").exists()


def deletable(site: Site) -> str:
    """A key that was disabled here twenty days ago, as polls saw it."""
    key_id = aged(site)
    site.poll()
    site.world.users["ci"].keys[0].status = "Inactive"
    site.later()
    site.poll()
    since = site.world.now - timedelta(days=20)
    AccessKey.objects.update(first_inactive_at=since, disabled_here_at=since)
    return key_id


@pytest.mark.parametrize("is_applied", [True, False])
def test_row_60_lost_answer_to_a_disable_is_settled_by_reading(site: Site, operator: User, wire: Wire, is_applied: bool) -> None:
    aged(site)
    site.poll()
    failure = ReadTimeoutError(endpoint_url="https://iam.amazonaws.com")
    if is_applied:
        wire.loses_answer("UpdateAccessKey", failure)
    else:
        wire.script("UpdateAccessKey", failure)
    row = change(site, "disable", operator)
    for _ in range(4):
        site.later(seconds=30)
        row = execute(site, row)
    assert wire.calls("UpdateAccessKey") == 1
    assert row.state == ("succeeded_observed" if is_applied else "not_applied")
    assert site.every_key()[0].status == ("inactive" if is_applied else "active")


def test_row_60_lost_answer_to_a_delete_is_never_sent_again(site: Site, operator: User, approver: User, wire: Wire) -> None:
    deletable(site)
    wire.script("DeleteAccessKey", ReadTimeoutError(endpoint_url="https://iam.amazonaws.com"))
    row = change(site, "delete", operator, approver=approver)
    for _ in range(4):
        site.later(seconds=30)
        row = execute(site, row)
    assert (wire.calls("DeleteAccessKey"), row.state) == (1, "not_applied")


@pytest.mark.parametrize("status", [200, 403])
def test_row_60_page_of_a_proxy_in_place_of_an_answer_is_settled_by_reading(
    site: Site, operator: User, approver: User, wire: Wire, status: int
) -> None:
    deletable(site)
    page = (status, b"<html><head><title>Sign in</title></head><body>Who are you?</body></html>")
    wire.script("DeleteAccessKey", page)
    row = change(site, "delete", operator, approver=approver)
    for _ in range(4):
        site.later(seconds=30)
        row = execute(site, row)
    assert (wire.calls("DeleteAccessKey"), row.state, row.aws_request_id) == (1, "not_applied", "")
    wire.script("UpdateAccessKey", page)
    row = change(site, "enable", operator)
    for _ in range(4):
        site.later(seconds=30)
        row = execute(site, row)
    assert (wire.calls("UpdateAccessKey"), row.state, row.aws_request_id) == (1, "not_applied", "")
    assert site.every_key()[0].status == "inactive"
