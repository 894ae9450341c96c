"""Rows 13 to 15: users renamed, made anew under the same name, and gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from hygiene.models import AccessKey, Finding, KeyEvent, PollOutcome, Principal
from tests.hygiene.section12.conftest import Site

pytestmark = pytest.mark.django_db


def rename(site: Site, old: str, new: str) -> None:
    user = site.world.users.pop(old)
    user.name = new
    site.world.users[new] = user


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
