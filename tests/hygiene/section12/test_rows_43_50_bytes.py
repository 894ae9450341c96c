"""Rows 43 to 50: answers that were cut off, doubled or somebody else's, the largest report, and hostile text."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hygiene.models import AccessKey, Finding, PollOutcome, Principal
from tests.factories import populate
from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.wire import Wire, error, result

pytestmark = pytest.mark.django_db


def staffed(site: Site, *names: str) -> list[str]:
    """Polled once with these users, a key each; the lines of the report."""
    for name in names or ("ann", "bob", "cat", "dan"):
        site.world.user(name)
        site.world.key(name, created_at=site.world.now - timedelta(days=120))
    site.poll()
    site.later()
    return site.world.report_bytes().decode().splitlines()


def kept(site: Site) -> bool:
    """Nobody and nothing is gone."""
    return not Principal.objects.filter(gone_at__isnull=False).exists() and not AccessKey.objects.filter(gone_at__isnull=False).exists()


def test_row_43_base64_that_is_cut_off_is_rejected_after_retries(site: Site, wire: Wire) -> None:
    staffed(site)
    whole = base64.b64encode(site.world.report_bytes()).decode()
    wire.content[site.account.account_id] = whole[:-3]
    calls = wire.calls("GetCredentialReport")
    done = site.poll()
    assert (done.outcome, kept(site)) == (PollOutcome.REJECTED, True)
    assert wire.calls("GetCredentialReport") - calls == 3
    assert "cut off on its way" in done.error
    assert "cut off on its way" in site.page()
    wire.content.clear()
    site.later(minutes=6)
    assert site.poll().outcome == PollOutcome.COMPLETE


@pytest.mark.parametrize("cut", [4, 8, 40, 200])
def test_row_44_report_cut_off_at_a_boundary_of_base64_is_partial_and_deletes_nobody(site: Site, wire: Wire, cut: int) -> None:
    staffed(site)
    report = site.world.report_bytes() + b"\n"
    whole = base64.b64encode(report + b" " * (-len(report) % 3)).decode()
    wire.content[site.account.account_id] = whole[:-cut]
    done = site.poll()
    assert (done.outcome, done.rows_quarantined, kept(site)) == (PollOutcome.PARTIAL, 1, True)
    assert "was set aside" in site.page()
    assert site.csv("accounts")[0]["state"] == "stale"
    assert site.csv("accounts")[0]["users"] == ""


@pytest.mark.parametrize("lost", [1, 3])
def test_row_44_report_that_lost_whole_rows_is_found_out_by_the_summary(site: Site, lost: int) -> None:
    lines = staffed(site)
    done = site.poll_of("\n".join(lines[:-lost]) + "\n")
    assert (done.outcome, done.rows_quarantined, kept(site)) == (PollOutcome.PARTIAL, 0, True)
    said = {1: "1 user of the account, such as dan, is missing", 3: "3 users of the account, such as bob, are missing"}[lost]
    assert said in site.page()


def test_row_44_report_that_lost_whole_rows_is_partial_though_users_may_not_be_listed(site: Site, wire: Wire) -> None:
    lines = staffed(site)
    wire.script("ListUsers", error(403, "AccessDenied"), times=9)
    done = site.poll_of("\n".join(lines[:-1]) + "\n")
    assert (done.outcome, kept(site)) == (PollOutcome.PARTIAL, True)
    assert "The report has 3 users, but the account has 4." in site.page()


def test_row_44_first_report_that_lost_rows_is_partial_too(site: Site) -> None:
    for name in ("ann", "bob", "cat"):
        site.world.user(name)
    lines = site.world.report_bytes().decode().splitlines()
    done = site.poll_of("\n".join(lines[:-1]) + "\n")
    assert (done.outcome, site.csv("accounts")[0]["users"]) == (PollOutcome.PARTIAL, "")


def test_row_44_users_made_since_a_cached_report_are_no_gap(site: Site) -> None:
    site.world.user("ann")
    site.world.gateway().generate_credential_report()
    site.later(hours=1)
    for place in range(8):
        site.world.user(f"new-{place}", created_at=site.world.now - timedelta(minutes=5))
    assert site.poll().outcome == PollOutcome.COMPLETE


def test_row_44_one_deleted_and_one_lost_row_do_not_hide_each_other(site: Site) -> None:
    """Two users are missing from the report and one of them is still there: the summary's number alone would be right."""
    lines = staffed(site)
    site.world.user("eve", created_at=site.world.now)
    del site.world.users["ann"]
    report = "\n".join(line for line in lines[:-1] if not line.startswith("ann,")) + "\n"
    done = site.poll_of(report)
    assert done.outcome == PollOutcome.PARTIAL
    assert site.user("dan").gone_at is None


def test_row_45_broken_xml_is_asked_again_and_then_kept(site: Site, wire: Wire) -> None:
    staffed(site)
    broken = (200, b"<GetCredentialReportResponse><GetCredentialReportResult><Content>dXNlc")
    wire.script("GetCredentialReport", broken, times=2)
    assert site.poll().outcome == PollOutcome.COMPLETE
    site.later()
    wire.script("GetCredentialReport", broken, times=3)
    done = site.poll()
    assert (done.outcome, kept(site)) == (PollOutcome.FAILED, True)
    assert "could not be read" in site.page()


def test_row_46_same_row_twice_is_one(site: Site) -> None:
    lines = staffed(site)
    done = site.poll_of("\n".join([*lines, lines[2]]))
    assert (done.outcome, done.users_total, site.user("ann").has_data_warning) == (PollOutcome.COMPLETE, 4, False)


def test_row_46_two_different_rows_of_one_user_are_flagged_and_decide_nothing(site: Site) -> None:
    lines = staffed(site)
    other = lines[2].replace(",true,", ",false,", 1)
    site.poll_of("\n".join([*lines, other]))
    ann = site.user("ann")
    assert (ann.has_data_warning, ann.gone_at) == (True, None)
    assert not Finding.objects.failing().filter(principal=ann).exclude(rule__in=("slot.ambiguous", "user.no_owner")).exists()
    assert site.failing("key.never_used") == 3
    assert "two different rows" in site.page()


def test_row_47_names_that_differ_in_case_only_are_flagged_and_kept_apart(site: Site) -> None:
    lines = staffed(site)
    done = site.poll_of("\n".join([*lines, lines[2].replace("ann", "ANN")]))
    assert done.users_total == 5
    assert [user.has_data_warning for user in (site.user("ann"), site.user("ANN"))] == [True, True]
    assert "same name in other letters" in site.page()


def test_row_48_report_of_another_account_is_rejected_whole(site: Site) -> None:
    lines = staffed(site)
    done = site.poll_of("\n".join(lines).replace("::111122223333:user/dan", "::999999999999:user/dan"))
    assert (done.outcome, kept(site)) == (PollOutcome.REJECTED, True)
    assert "is of account 999999999999, not of 111122223333" in site.page()


def test_row_49_large_account_is_read_in_few_statements_and_seconds(site: Site) -> None:
    populate(site.world, 1000)
    started = time.process_time()
    with CaptureQueriesContext(connection) as captured:
        done = site.poll()
    assert (done.outcome, done.users_total, AccessKey.objects.filter(access_key_id=None, principal__is_root=False).count()) == (
        PollOutcome.COMPLETE,
        1000,
        0,
    )
    statements = [query for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= {"postgresql": 50, "sqlite": 180}[connection.vendor] + 60  # and what a poll of any size needs
    assert time.process_time() - started < 30


def test_row_50_hostile_text_is_kept_raw_escaped_in_html_and_harmless_in_csv(site: Site) -> None:
    path = "/<script>alert(1)</script>&\"'|*?/"
    site.world.user("=HYPERLINK(x)", path=path)
    key = site.world.key("=HYPERLINK(x)")
    report = site.world.report_bytes().decode()
    assert site.poll_of(report).outcome in (PollOutcome.COMPLETE, PollOutcome.PARTIAL)
    quoted = report.replace(f"arn:aws:iam::111122223333:user{path}=HYPERLINK(x)", '"' + QUOTED + '"')
    site.later()
    assert site.poll_of(quoted).outcome == PollOutcome.COMPLETE
    user = site.user("=HYPERLINK(x)")
    assert user.arn == f"arn:aws:iam::111122223333:user{path}=HYPERLINK(x)"
    rows = {row["access_key_id"]: row for row in site.csv("keys")}
    assert rows[key.access_key_id]["user_name"] == "'=HYPERLINK(x)"
    assert [row["user_name"] for row in site.export("keys")] == ["=HYPERLINK(x)"]
    for address in (f"/users/{user.uuid}/", f"/keys/{site.every_key()[0].uuid}/", "/users/", "/keys/"):
        assert "<script>alert(1)" not in site.page(address)


def test_row_50_name_that_aws_refuses_to_look_up_spoils_nobody_else(site: Site, wire: Wire) -> None:
    site.world.user("=HYPERLINK(x)")
    site.world.key("=HYPERLINK(x)", created_at=site.world.now - timedelta(days=400))
    site.world.user("plain")
    kept_key = site.world.key("plain")
    refusal = error(400, "ValidationError", "The specified value for userName is invalid. It must contain only alphanumeric characters")
    wire.script("ListAccessKeys", refusal)
    assert site.poll().outcome == PollOutcome.PARTIAL
    rows = {row["user_name"]: row for row in site.export("keys")}
    assert (rows["plain"]["access_key_id"], rows["=HYPERLINK(x)"]["access_key_id"]) == (kept_key.access_key_id, None)
    assert "key.never_used" in rows["=HYPERLINK(x)"]["rules"]


QUOTED = 'arn:aws:iam::111122223333:user/<script>alert(1)</script>&""\'|*?/=HYPERLINK(x)'


def test_summary_that_is_refused_leaves_completeness_to_the_list_of_users(site: Site, wire: Wire) -> None:
    lines = staffed(site)
    wire.script("GetAccountSummary", error(403, "AccessDenied"), times=9)
    done = site.poll_of("\n".join(lines[:-1]) + "\n")
    assert (done.outcome, kept(site)) == (PollOutcome.PARTIAL, True)


def test_without_summary_and_list_of_users_absence_is_believed(site: Site, wire: Wire) -> None:
    staffed(site)
    del site.world.users["dan"]
    for action in ("GetAccountSummary", "ListUsers"):
        wire.script(action, error(403, "AccessDenied"), times=9)
    assert site.poll().outcome == PollOutcome.COMPLETE
    assert Principal.objects.get(name="dan").gone_at is not None


@pytest.mark.parametrize("answer", [result("GetCredentialReport", ""), result("GetCredentialReport", "<Content>dXNlcg==</Content>")])
def test_answer_without_its_fields_is_no_report(site: Site, wire: Wire, answer: tuple[int, bytes]) -> None:
    staffed(site)
    wire.script("GetCredentialReport", answer)
    assert (site.poll().outcome, kept(site)) == (PollOutcome.FAILED, True)


def test_other_accounts_are_not_touched_by_a_rejected_report(site: Site, site_of: Callable[..., Site]) -> None:
    other = site_of("222233334444")
    staffed(other)
    site.poll_of("nonsense")
    assert other.csv("accounts")[1]["state"] == "ok"
