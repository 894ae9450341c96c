"""Rows 13 to 15: users renamed, made anew under the same name, and gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from hygiene.models import AccessKey, Action, Finding, KeyEvent, PollOutcome, Principal, PrincipalEvent, State
from hygiene.services import approvals, remediation
from hygiene.services.plans import expected_typing, make_plan
from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.wire import Wire, error

pytestmark = pytest.mark.django_db


def rename(site: Site, old: str, new: str) -> None:
    user = site.world.users.pop(old)
    user.name = new
    site.world.users[new] = user


def test_row_13_renamed_user_stays_one_identity_with_keys_and_history(site: Site, wire: Wire) -> None:
    site.world.user("ann", path="/team/")
    key = site.world.key("ann", created_at=site.world.now - timedelta(days=300), last_used_at=site.world.now - timedelta(days=5))
    site.poll()
    before, opened = site.user("ann"), Finding.objects.failing().filter(rule="key.too_old").get()
    site.later()
    rename(site, "ann", "ann.smith")
    assert site.poll().outcome == PollOutcome.COMPLETE
    after = site.user("ann.smith")
    assert (after.pk, after.user_id, Principal.objects.users().count()) == (before.pk, before.user_id, 1)
    assert after.arn == "arn:aws:iam::111122223333:user/team/ann.smith"
    assert [found.access_key_id for found in site.keys_of("ann.smith")] == [key.access_key_id]
    assert AccessKey.objects.count() == 1
    again = Finding.objects.failing().filter(rule="key.too_old").get()
    assert (again.pk, again.opened_at) == (opened.pk, opened.opened_at)
    assert PrincipalEvent.objects.filter(principal=after, summary="Renamed from ann to ann.smith").count() == 1
    assert [(row["user_name"], row["status"]) for row in site.csv("keys")] == [("ann.smith", "active")]
    rows = site.csv("users")
    assert [(row["user_name"], row["user_id"]) for row in rows] == [("<root_account>", ""), ("ann.smith", before.user_id)]


def test_row_13_renamed_user_keeps_ids_and_history_though_users_may_not_be_listed(site: Site, wire: Wire) -> None:
    for action in ("ListUsers", "GetAccountAuthorizationDetails"):
        wire.script(action, error(403, "AccessDenied"), times=99)
    site.world.user("ann")
    key = site.world.key("ann", created_at=site.world.now - timedelta(days=300))
    site.poll()
    events = list(KeyEvent.objects.filter(kind="created").values_list("pk", flat=True))
    site.later()
    rename(site, "ann", "bea")
    assert site.poll().outcome == PollOutcome.COMPLETE
    (found,) = site.keys_of("bea")
    assert found.access_key_id == key.access_key_id
    assert list(found.events.filter(kind="created").values_list("pk", flat=True)) == events
    assert [(row["user_name"], row["status"]) for row in site.csv("keys")] == [("bea", "active")]


def test_row_13_user_renamed_between_the_report_and_the_list_has_his_key_back_with_the_next_report(site: Site) -> None:
    site.world.user("ann")
    key = site.world.key("ann", created_at=site.world.now - timedelta(days=300))
    site.world.gateway().generate_credential_report()
    site.later(minutes=30)
    rename(site, "ann", "bea")
    site.poll()
    site.later()
    assert site.poll().outcome == PollOutcome.COMPLETE
    (found,) = site.keys_of("bea")
    assert (found.access_key_id, found.match) == (key.access_key_id, "exact")
    assert [(row["user_name"], row["status"]) for row in site.csv("keys")] == [("bea", "active")]


def test_row_14_user_made_anew_under_the_same_name_inherits_nothing(site: Site, administrator: User) -> None:
    site.world.user("phoenix", created_at=site.world.now - timedelta(days=900))
    old = site.world.key("phoenix", created_at=site.world.now - timedelta(days=800))
    site.poll()
    before = site.user("phoenix")
    site.later()
    anew = site.world.user("phoenix", created_at=site.world.now - timedelta(hours=1))
    fresh = site.world.key("phoenix", created_at=site.world.now - timedelta(minutes=50))
    site.poll()
    after = site.user("phoenix")
    assert (after.pk != before.pk, after.arn, after.created_at) == (True, before.arn, anew.created_at)
    assert [key.access_key_id for key in site.keys_of("phoenix")] == [fresh.access_key_id]
    gone = AccessKey.objects.get(access_key_id=old.access_key_id)
    assert (gone.principal_id, gone.gone_at) == (before.pk, site.status.report_generated_at)
    assert Principal.objects.get(pk=before.pk).gone_at == site.status.report_generated_at
    assert not Finding.objects.open().filter(principal=before).exists()
    assert not KeyEvent.objects.filter(key__principal=after, key__access_key_id=old.access_key_id).exists()
    assert {row["access_key_id"]: row["status"] for row in site.csv("keys")} == {
        old.access_key_id: "deleted",
        fresh.access_key_id: "active",
    }


def test_row_14_key_of_the_new_user_listed_before_the_report_knows_him_moves_to_him(site: Site) -> None:
    site.world.user("phoenix", created_at=site.world.now - timedelta(days=900))
    site.world.key("phoenix", created_at=site.world.now - timedelta(days=800))
    site.poll()
    site.later(hours=1)
    site.world.user("phoenix", created_at=site.world.now - timedelta(minutes=30))
    fresh = site.world.key("phoenix", created_at=site.world.now - timedelta(minutes=20))
    Principal.objects.filter(name="phoenix").update(listed_fingerprint="")
    site.poll()
    site.later()
    assert site.poll().outcome == PollOutcome.COMPLETE
    row = AccessKey.objects.present().get(access_key_id=fresh.access_key_id)
    assert (row.principal, row.status) == (site.user("phoenix"), "active")


def test_row_15_user_missing_from_a_newer_complete_report_is_deleted_as_of_its_time(site: Site) -> None:
    site.world.user("leaver")
    key = site.world.key("leaver")
    site.world.user("stays")
    site.poll()
    site.later()
    del site.world.users["leaver"]
    assert site.poll().outcome == PollOutcome.COMPLETE
    made = site.status.report_generated_at
    assert Principal.objects.get(name="leaver").gone_at == made
    assert AccessKey.objects.get(access_key_id=key.access_key_id).gone_at == made
    assert [row["user_name"] for row in site.csv("users")] == ["<root_account>", "stays"]
    assert [row["status"] for row in site.csv("keys")] == ["deleted"]
    assert not Finding.objects.open().filter(principal__name="leaver").exists()


def test_row_15_requests_of_a_deleted_user_are_cancelled_with_the_reason(site: Site, operator: User) -> None:
    site.world.user("leaver")
    site.world.key("leaver")
    site.poll()
    plan = make_plan(keys=site.keys_of("leaver"), action=Action.DISABLE, actor=operator, now=site.world.now)
    typed = expected_typing(plan, plan.items.select_related("key"))
    row = remediation.confirm(plan=plan, actor=operator, now=site.world.now, reason="unused", note="", ticket="", typed=typed)[0]
    site.later()
    del site.world.users["leaver"]
    site.poll()
    approvals.drop_gone(now=site.world.now)
    row.refresh_from_db()
    assert (row.state, "gone in AWS" in row.result) == (State.CANCELLED, True)
