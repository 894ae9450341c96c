"""Rows 24 to 32: slots of a report and listed keys, joined by the second they were created in, and dates that are odd but right."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hygiene.models import AccessKey, Finding, KeyEvent, PollOutcome
from tests.fakes import iso
from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.wire import Wire

pytestmark = pytest.mark.django_db


def report_with(site: Site, user: str, **cells: str) -> str:
    """The account's report with some cells of one user's row replaced."""
    lines = [line.split(",") for line in site.world.report_bytes().decode().splitlines()]
    row = next(line for line in lines if line[0] == user)
    for name, value in cells.items():
        row[lines[0].index(name)] = value
    return "\n".join(",".join(line) for line in lines)


def row_of(site: Site, access_key_id: str) -> dict[str, str]:
    return next(row for row in site.csv("keys") if row["access_key_id"] == access_key_id)


def test_row_24_inactive_key_that_was_never_used_exists_and_has_its_age(site: Site) -> None:
    born = site.world.now - timedelta(days=50)
    site.world.user("ci")
    key = site.world.key("ci", created_at=born, status="Inactive")
    site.poll()
    row = row_of(site, key.access_key_id)
    assert (row["status"], row["last_used_state"], row["last_used_at"]) == ("inactive", "never", "")
    assert (row["created_at"], row["age_days"]) == (iso(born), "50")
    page = site.page(f"/keys/{site.keys_of('ci')[0].uuid}/")
    assert "Disabled, never used" in page


def test_row_25_key_in_the_second_slot_alone_is_mapped_by_its_date(site: Site) -> None:
    site.world.user("ci")
    used_at = site.world.now - timedelta(days=3)
    key = site.world.key("ci", last_used_at=used_at)
    cells = site.world.report_bytes().decode().splitlines()[2].split(",")
    slots = [f"access_key_{number}_{word}" for number in (1, 2) for word in NAMES]
    swapped = dict(zip(slots, [*cells[13:18], *cells[8:13]], strict=True))
    site.poll_of(report_with(site, "ci", **swapped))
    (found,) = site.keys_of("ci")
    assert (found.access_key_id, found.match) == (key.access_key_id, "exact")
    assert row_of(site, key.access_key_id)["last_used_at"] == iso(used_at)


NAMES = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")


def twins(site: Site, *, second_status: str = "Active", used: bool = True) -> tuple[str, str]:
    """Two keys of one user of the same second; the second one was never used."""
    site.world.user("ci")
    born = site.world.now - timedelta(days=200)
    first = site.world.key("ci", created_at=born, last_used_at=site.world.now - timedelta(days=1) if used else None)
    second = site.world.key("ci", created_at=born, status=second_status)
    return first.access_key_id, second.access_key_id


def test_row_26_twins_of_one_second_are_told_apart_by_status(site: Site, wire: Wire) -> None:
    active, inactive = twins(site, second_status="Inactive")
    site.poll()
    assert {key.access_key_id: (key.status, key.match) for key in site.keys_of("ci")} == {
        active: ("active", "exact"),
        inactive: ("inactive", "exact"),
    }
    assert (row_of(site, active)["last_used_state"], row_of(site, inactive)["last_used_state"]) == ("used", "never")
    assert wire.calls("GetAccessKeyLastUsed") == 0


def test_row_27_twins_alike_get_no_slot_but_their_own_last_use(site: Site, wire: Wire) -> None:
    first, second = twins(site, used=False)
    site.poll()
    assert wire.calls("GetAccessKeyLastUsed") == 2
    assert [key.match for key in site.keys_of("ci")] == ["ambiguous"] * 2
    assert {row_of(site, key_id)["last_used_state"] for key_id in (first, second)} == {"never"}
    assert {key.last_used_source for key in site.keys_of("ci")} == {"GetAccessKeyLastUsed"}
    assert site.user("ci").ambiguous_slots == 2
    assert site.failing("slot.ambiguous") == 2
    assert "Disable" in site.page(f"/keys/{site.keys_of('ci')[0].uuid}/")


def test_row_27_twins_alike_stay_told_by_id_when_one_is_used_later(site: Site, wire: Wire) -> None:
    first, second = twins(site, used=False)
    site.poll()
    site.later()
    used_at = site.world.now - timedelta(minutes=30)
    site.world.users["ci"].keys[0].last_used_at = used_at.replace(second=0)
    site.poll()
    assert (row_of(site, first)["last_used_state"], row_of(site, second)["last_used_state"]) == ("used", "never")
    assert Finding.objects.failing().filter(rule="key.never_used").get().key == AccessKey.objects.get(access_key_id=second)


def test_row_27_ambiguity_lasts_as_long_as_the_twins(site: Site) -> None:
    twins(site, used=False)
    site.poll()
    for _ in range(2):
        site.later()
        site.poll()
        assert site.user("ci").ambiguous_slots == 2
        assert len(site.keys_of("ci")) == 2
    assert AccessKey.objects.count() == 2


def test_row_28_slot_without_a_listed_key_is_deleted_since_the_report(site: Site) -> None:
    site.world.user("ci")
    site.world.key("ci")
    kept = site.world.key("ci", created_at=site.world.now - timedelta(days=9))
    site.world.gateway().generate_credential_report()
    del site.world.users["ci"].keys[0]
    site.poll()
    gone = AccessKey.objects.get(access_key_id__isnull=True)
    assert gone.gone_reason == "deleted since the report"
    page = site.page(f"/keys/{gone.uuid}/")
    assert "deleted since the report" in page
    assert (
        "<button" not in page.split('id="lifecycle"')[0].split("<h1")[1].split("</h1>")[1].replace("data-copy", "") or "Disable" not in page
    )
    assert [key.access_key_id for key in site.keys_of("ci")] == [kept.access_key_id]


def test_row_29_listed_key_without_a_slot_is_new_and_claims_no_use(site: Site) -> None:
    site.world.user("ci")
    site.world.key("ci")
    site.world.gateway().generate_credential_report()
    site.later(minutes=5)
    fresh = site.world.key("ci", created_at=site.world.now - timedelta(minutes=4))
    site.poll()
    row = row_of(site, fresh.access_key_id)
    assert (row["last_used_state"], row["last_used_at"], row["status"]) == ("unknown", "", "active")
    assert AccessKey.objects.get(access_key_id=fresh.access_key_id).match == "live_only"
    assert "last use unknown" in site.page(f"/keys/{AccessKey.objects.get(access_key_id=fresh.access_key_id).uuid}/")


def test_row_30_active_key_without_a_date_exists_with_its_age_unknown(site: Site, wire: Wire) -> None:
    site.world.user("ci")
    wire.script("ListAccessKeys", (403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"))
    site.poll_of(report_with(site, "ci", access_key_1_active="true"))
    (key,) = site.keys_of("ci")
    assert (key.status, key.created_at, key.has_data_warning) == ("active", None, True)
    row = site.csv("keys")[0]
    assert (row["age_days"], row["created_at"], row["last_used_state"]) == ("", "", "unknown")
    assert site.unknown("key.too_old") == 1
    assert "is active but has no creation time" in site.page()


def test_row_30_is_not_matched_by_date_and_makes_no_new_row_at_each_report(site: Site) -> None:
    site.world.user("ci")
    key = site.world.key("ci", created_at=site.world.now - timedelta(days=90))
    for _ in range(3):
        site.poll_of(report_with(site, "ci", access_key_1_last_rotated="N/A"))
        (found,) = site.keys_of("ci")
        assert (found.access_key_id, found.match, found.created_at) == (key.access_key_id, "ambiguous", key.created_at)
        assert site.user("ci").ambiguous_slots == 1
        site.later()
    assert AccessKey.objects.count() == 1
    assert KeyEvent.objects.filter(kind__in=("first_seen", "gone")).count() == 1


@pytest.mark.parametrize(
    ("born", "used", "user_born"),
    [
        (timedelta(days=10), timedelta(days=10, seconds=40), timedelta(days=30)),
        (timedelta(days=40), timedelta(days=10), timedelta(days=30)),
    ],
)
def test_row_31_use_a_minute_before_birth_and_key_older_than_its_user_are_accepted(
    site: Site, born: timedelta, used: timedelta, user_born: timedelta
) -> None:
    now = site.world.now
    site.world.user("ci", created_at=now - user_born)
    key = site.world.key("ci", created_at=now - born, last_used_at=now - used)
    assert site.poll().outcome == PollOutcome.COMPLETE
    row = row_of(site, key.access_key_id)
    assert (row["last_used_state"], row["last_used_at"], row["age_days"]) == ("used", iso(now - used), str(born.days))
    assert not site.keys_of("ci")[0].has_data_warning


def test_row_32_use_without_a_region_is_use(site: Site) -> None:
    site.world.user("ci")
    key = site.world.key("ci", last_used_at=site.world.now - timedelta(days=2), region="N/A")
    site.poll()
    row = row_of(site, key.access_key_id)
    assert (row["last_used_state"], row["last_used_region"], row["last_used_service"]) == ("used", "", "s3")
    assert "s3, no region" in site.page(f"/keys/{site.keys_of('ci')[0].uuid}/")
