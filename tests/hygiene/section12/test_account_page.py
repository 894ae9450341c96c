"""The account's page says whether its last report was complete, partial or rejected, and why; counts that are old are unknown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.wire import Wire, error

pytestmark = pytest.mark.django_db


def staffed(site: Site) -> None:
    site.world.now += timedelta(days=2, hours=22)  # the page tells the time by the machine's clock
    for name in ("ann", "bob"):
        site.world.user(name)
        site.world.key(name)


def test_before_any_poll_nothing_is_known(site: Site) -> None:
    page = site.page()
    assert "None was read yet." in page
    assert "Nothing was read yet." in page


def test_complete_report_is_called_so_with_its_age_and_its_call(site: Site) -> None:
    staffed(site)
    site.poll()
    page = site.page()
    assert "<b>Complete</b>, 2 users, made by AWS" in page
    assert "read by GetCredentialReport" in page
    assert "Users that are not in it are gone." in page


def test_partial_report_names_the_lines_and_makes_counts_unknown(site: Site) -> None:
    staffed(site)
    site.poll_of(site.world.report_bytes()[:-30])
    page = site.page()
    assert "<b>Partial</b>, 1 user, 1 row set aside" in page
    assert "Line 4 was set aside: it has" in page
    assert "are not taken for gone" in page
    assert "1 known from" in page


def test_rejected_report_says_why_and_that_what_was_known_stands(site: Site) -> None:
    staffed(site)
    site.poll()
    site.later(minutes=1)
    site.world.snapshot = None
    site.poll_of("user,arn\n")
    page = site.page()
    assert "<b>Rejected</b>" in page
    assert "has no column access_key_1_active." in page
    assert "what was known before stands" in page


def test_report_stays_complete_though_key_lists_are_refused(site: Site, wire: Wire) -> None:
    staffed(site)
    wire.script("ListAccessKeys", error(403, "AccessDenied"), times=9)
    assert site.poll().outcome == "partial"
    assert "<b>Complete</b>, 2 users" in site.page()


def test_many_reasons_are_cut_short_and_counted(site: Site) -> None:
    site.world.now += timedelta(days=2, hours=22)
    for place in range(15):
        site.world.user(f"user-{place:02d}")
    site.poll_of(site.world.report_bytes().decode().replace("\nuser-", "\nwhat,user-"))
    assert "more</li>" in site.page()


def test_user_whose_keys_are_not_known_is_never_shown_without_keys(site: Site, wire: Wire) -> None:
    staffed(site)
    wire.script("ListAccessKeys", error(403, "AccessDenied"), times=9)
    lines = [line.split(",") for line in site.world.report_bytes().decode().splitlines()]
    site.poll_of("\n".join(",".join(line[:8] + line[8:9] + line[9:13] + line[18:]) for line in lines))
    assert "keys not known" in site.page(f"/users/{site.user('ann').uuid}/")
    assert "others not known" in site.page("/users/")


def test_root_of_a_lost_account_is_in_the_list_of_what_is_not_known(site: Site, wire: Wire) -> None:
    staffed(site)
    site.poll()
    assert site.account.name not in site.page("/root-users/?view=unknown").split("<tbody")[-1]
    wire.script("AssumeRole", error(403, "AccessDenied"), times=9)
    site.poll()
    rows = site.page("/root-users/?view=unknown").split("<tbody")[-1]
    assert site.account.name in rows
    assert "unknown" in rows
