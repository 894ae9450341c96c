"""Rows 1 to 6: columns that are more, fewer or elsewhere, and reports without rows or bytes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hygiene.models import AccessKey, PollOutcome, Principal
from tests.fakes import HEADER
from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.wire import Wire

pytestmark = pytest.mark.django_db


def table(site: Site) -> list[list[str]]:
    """The account's report as cells; the first line is the header."""
    return [line.split(",") for line in site.world.report_bytes().decode().splitlines()]


def text(lines: list[list[str]]) -> str:
    return "\n".join(",".join(line) for line in lines)


def without(lines: list[list[str]], *gone: str) -> str:
    kept = [place for place, name in enumerate(lines[0]) if not name.startswith(gone)]
    return text([[line[place] for place in kept] for line in lines])


def populated(site: Site) -> Site:
    """One user who has a used key, and a console user without one."""
    now = site.world.now
    site.world.user("ci")
    site.world.key("ci", created_at=now - timedelta(days=400), last_used_at=now - timedelta(days=2))
    site.world.user("ann", password_enabled=True, password_last_changed_at=now - timedelta(days=10), mfa=True)
    return site


def facts(site: Site) -> list[tuple[object, ...]]:
    """What is known of everybody, without when and by which row."""
    users = Principal.objects.present().values_list("arn", "password_state", "mfa_state", "active_keys", "created_at").order_by("arn")
    keys = AccessKey.objects.present().values_list("access_key_id", "status", "created_at", "last_used_at").order_by("pk")
    return [*users, *keys]


@pytest.mark.parametrize("place", [3, 22])
def test_row_01_extra_column_is_kept_raw_and_flags_its_user_for_a_list(site: Site, wire: Wire, place: int) -> None:
    lines = table(populated(site))
    for number, line in enumerate(lines):
        line.insert(place, ["additional_credentials_info", "N/A", "N/A", "2 more keys: aws iam list-access-keys"][number])
    assert site.poll_of(text(lines)).outcome == PollOutcome.COMPLETE
    assert site.user("ann").extra == {"additional_credentials_info": "2 more keys: aws iam list-access-keys"}
    assert sorted(parameters["UserName"] for _, action, parameters in wire.asked if action == "ListAccessKeys") == ["ann", "ci"]
    assert site.keys_of("ci")[0].last_used_at is not None


def test_row_01_unknown_extra_column_is_kept_raw(site: Site, wire: Wire) -> None:
    lines = table(populated(site))
    for number, line in enumerate(lines):
        line.append("colour" if number == 0 else "blue")
    assert site.poll_of(text(lines)).outcome == PollOutcome.COMPLETE
    assert site.user("ann").extra == {"colour": "blue"}
    assert wire.calls("ListAccessKeys") == 1


def test_row_02_columns_reordered_give_the_same_result(site: Site) -> None:
    lines = table(populated(site))
    site.poll_of(text(lines))
    before = facts(site)
    site.later()
    done = site.poll_of(text([line[::-1] for line in lines]))
    assert (done.outcome, facts(site)) == (PollOutcome.COMPLETE, before)


def test_row_03_report_of_16_columns_leaves_last_use_unknown_never_never_used(site: Site) -> None:
    populated(site)
    site.world.root.virtual_mfa = True
    done = site.poll_of(without(table(site), "access_key_1_last_used", "access_key_2_last_used"))
    assert done.outcome == PollOutcome.COMPLETE
    key = site.keys_of("ci")[0]
    assert (key.last_used_state, key.last_used_at) == ("unknown", None)
    assert site.failing("key.never_used") == site.failing("key.unused") == 0
    assert site.unknown("key.never_used") == site.unknown("key.unused") == 1
    assert site.failing("key.too_old") == 1
    assert site.csv("keys")[0]["last_used_state"] == "unknown"
    assert "last use unknown" in site.page(f"/keys/{key.uuid}/")


def test_row_03_report_without_the_second_slot_never_says_no_key(site: Site, wire: Wire) -> None:
    now = site.world.now
    site.world.user("two")
    site.world.key("two", created_at=now - timedelta(days=10), last_used_at=now)
    second = site.world.key("two", created_at=now - timedelta(days=500))
    site.world.user("none")
    wire.script("ListAccessKeys", (403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"), times=9)
    wire.script("GetAccountSummary", (403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"), times=9)
    site.poll_of(without(table(site), "access_key_2"))
    assert [user.keys_known for user in (site.user("two"), site.user("none"), site.root())] == [False] * 3
    rows = {row["user_name"]: row for row in site.export("users")}
    assert (rows["none"]["active_keys"], rows["none"]["inactive_keys"], rows["<root_account>"]["active_keys"]) == (None, None, None)
    assert site.unknown("root.key_present") == 1
    assert site.csv("accounts")[0]["root_key_present"] == ""
    wire.scripted.clear()
    site.later()
    site.poll()
    assert second.access_key_id in {key.access_key_id for key in site.keys_of("two")}


def test_row_03_missing_slots_are_filled_by_live_lists(site: Site, wire: Wire) -> None:
    now = site.world.now
    site.world.user("two")
    site.world.key("two", created_at=now - timedelta(days=10), last_used_at=now)
    site.world.key("two", created_at=now - timedelta(days=500))
    site.world.user("none")
    for _ in range(2):
        site.poll_of(without(table(site), "access_key_2"))
        assert len(site.keys_of("two")) == 2
        assert (site.user("two").active_keys, site.user("none").active_keys, site.user("none").keys_known) == (2, 0, True)
        site.later()
    assert wire.calls("ListAccessKeys") == 4


@pytest.mark.parametrize("column", ["user", "arn", "access_key_1_active"])
def test_row_04_required_column_missing_rejects_the_report_and_names_it(site: Site, column: str) -> None:
    lines = table(populated(site))
    site.poll()
    before = facts(site)
    site.later()
    place = lines[0].index(column)
    done = site.poll_of(text([line[:place] + line[place + 1 :] for line in lines]))
    assert (done.outcome, facts(site)) == (PollOutcome.REJECTED, before)
    assert done.error == f"The credential report has no column {column}."
    assert f"has no column {column}" in site.page()


def test_row_05_header_only_is_rejected_and_deletes_nobody(site: Site) -> None:
    populated(site).poll()
    before = facts(site)
    site.later()
    done = site.poll_of(HEADER)
    assert (done.outcome, facts(site)) == (PollOutcome.REJECTED, before)
    assert "no rows" in site.page()
    row = site.csv("accounts")[0]
    assert (row["state"], row["users"], row["active_keys"], row["findings_open"]) == ("stale", "", "", "")


@pytest.mark.parametrize("content", ["", "\n", "!!!***"])
def test_row_06_zero_bytes_are_rejected(site: Site, wire: Wire, content: str) -> None:
    populated(site).poll()
    before = facts(site)
    site.later()
    wire.content[site.account.account_id] = content
    done = site.poll()
    assert (done.outcome, facts(site)) == (PollOutcome.REJECTED, before)
    assert "is empty" in site.page()
    assert not site.failing("key.too_old")
