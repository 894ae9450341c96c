"""Rows 16 to 23: reports that are old, cached, in the making or refused, and facts that are newer than the report."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from accounts.gateway import CredentialReport
from hygiene.models import AccessKey, KeyEvent, PollOutcome, PollTrigger, Principal
from hygiene.services import schedule
from hygiene.services.reports import Patience
from tests.hygiene.section12.conftest import Site, change
from tests.hygiene.section12.wire import Wire, error, result

pytestmark = pytest.mark.django_db
IN_PROGRESS = result("GenerateCredentialReport", "<State>INPROGRESS</State>")


def aged(site: Site) -> None:
    site.world.user("ci")
    site.world.key("ci", created_at=site.world.now - timedelta(days=400))


def test_row_16_older_report_that_arrives_late_changes_nothing(site: Site, wire: Wire) -> None:
    aged(site)
    old = site.world.report_bytes()
    site.later()
    site.world.user("later")
    site.poll()
    newest = site.status.report_generated_at
    assert newest is not None
    site.world.snapshot = CredentialReport(old, newest - timedelta(hours=3))
    before = list(Principal.objects.order_by("pk").values()), list(AccessKey.objects.order_by("pk").values())
    done = site.poll()
    assert (list(Principal.objects.order_by("pk").values()), list(AccessKey.objects.order_by("pk").values())) == before
    assert site.status.report_generated_at == newest
    assert "older report than the one that is known" in site.page()
    assert done.report_generated_at == newest - timedelta(hours=3)
    assert site.csv("accounts")[0]["state"] == "ok"


def test_row_17_same_report_again_is_no_news_and_no_fresher(site: Site) -> None:
    aged(site)
    site.poll()
    made, events = site.status.report_generated_at, KeyEvent.objects.count()
    site.later(hours=1)
    done = site.poll()
    assert (done.outcome, done.users_changed) == (PollOutcome.COMPLETE, 0)
    assert site.status.report_generated_at == site.user("ci").report_generated_at == made
    assert KeyEvent.objects.count() == events
    assert {row["report_generated_at"] for row in site.csv("keys")} == {f"{made:%Y-%m-%dT%H:%M:%SZ}"}


def test_row_18_expired_report_is_generated_again(site: Site, wire: Wire) -> None:
    aged(site)
    site.poll()
    site.later(hours=5)
    wire.script("GenerateCredentialReport", result("GenerateCredentialReport", "<State>COMPLETE</State>"))
    done = site.poll()
    assert (done.outcome, wire.calls("GetCredentialReport")) == (PollOutcome.COMPLETE, 3)
    assert done.report_generated_at is not None
    assert site.world.now - done.report_generated_at < timedelta(minutes=1)


def test_row_18_expired_report_that_is_not_made_anew_keeps_what_is_known_without_an_alarm(site: Site, wire: Wire) -> None:
    aged(site)
    site.poll()
    site.later(hours=5)
    wire.script("GenerateCredentialReport", IN_PROGRESS, times=99)
    wire.script("GetCredentialReport", error(410, "ReportExpired"), times=99)
    assert site.poll().outcome == PollOutcome.NOT_READY
    assert (site.failing("account.stale"), site.failing("account.unreachable"), site.failing("key.too_old")) == (0, 0, 1)
    assert site.csv("accounts")[0]["state"] == "ok"


def test_row_19_report_in_progress_is_waited_for_by_one_poll_only(site: Site, wire: Wire) -> None:
    aged(site)
    wire.script("GetCredentialReport", error(404, "ReportInProgress"), times=2)
    done = site.poll()
    assert done.outcome == PollOutcome.COMPLETE
    assert wire.calls("GetCredentialReport") == 3
    first, second = (schedule.queue_polls([site.account], trigger=PollTrigger.MANUAL, now=site.world.now)[0] for _ in range(2))
    assert first.pk == second.pk


def test_row_20_report_in_progress_beyond_the_limit_stops_with_a_warning_that_is_seen(site: Site, wire: Wire) -> None:
    aged(site)
    site.poll()
    site.later(hours=13)
    wire.script("GenerateCredentialReport", IN_PROGRESS, times=999)
    started = site.world.now
    done = site.poll(patience=Patience(seconds=600))
    assert done.outcome == PollOutcome.NOT_READY
    assert timedelta(seconds=590) < site.world.now - started < timedelta(seconds=660)
    assert "AWS is still making the credential report" in site.page()
    assert Principal.objects.present().count() == 2
    assert site.csv("accounts")[0]["state"] == "stale"
    assert site.status.next_poll_at > site.world.now


@pytest.mark.parametrize("answer", [error(409, "LimitExceeded"), error(400, "Throttling", "Rate exceeded")])
def test_row_21_generation_refused_takes_the_report_that_is_there(site: Site, wire: Wire, answer: tuple[int, bytes]) -> None:
    aged(site)
    site.poll()
    site.later(hours=3)
    wire.script("GenerateCredentialReport", answer, times=5)
    assert site.poll().outcome == PollOutcome.COMPLETE


def test_row_21_generation_refused_without_a_report_backs_off(site: Site, wire: Wire) -> None:
    wire.script("GenerateCredentialReport", error(409, "LimitExceeded"), times=99)
    pauses = []
    for _ in range(3):
        assert site.poll().outcome == PollOutcome.FAILED
        pauses.append(site.status.next_poll_at - site.world.now)
    assert pauses[0] < pauses[1] < pauses[2]
    assert "LimitExceeded" in site.page()


def test_row_22_key_disabled_here_after_the_report_stays_disabled(site: Site, operator: User, wire: Wire) -> None:
    aged(site)
    site.poll()
    site.later(minutes=30)
    done = change(site, "disable", operator)
    assert (done.state, site.world.users["ci"].keys[0].status) == ("succeeded", "Inactive")
    site.later(minutes=30)
    assert site.poll().outcome == PollOutcome.COMPLETE
    key = site.keys_of("ci")[0]
    assert (key.status, key.status_source) == ("inactive", "ListAccessKeys")
    assert [row["status"] for row in site.csv("keys")] == ["inactive"]
    page = site.page(f"/keys/{key.uuid}/")
    assert "newer than the report" in page
    assert "Disabled here by operator" in page
    assert not KeyEvent.objects.filter(summary__contains="outside").exists()


def test_row_23_newer_report_that_says_active_again_is_believed_and_called_so(site: Site, operator: User) -> None:
    aged(site)
    site.poll()
    site.later(minutes=30)
    change(site, "disable", operator)
    site.world.users["ci"].keys[0].status = "Active"
    site.later()
    site.poll()
    key = site.keys_of("ci")[0]
    assert key.status == "active"
    assert key.changed_outside_at is not None
    page = site.page(f"/keys/{key.uuid}/")
    assert "Enabled outside this tool, after it was disabled here" in page
    assert [row["status"] for row in site.csv("keys")] == ["active"]
