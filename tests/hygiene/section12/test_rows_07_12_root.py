"""Rows 7 to 12: the root user's row, absent, of old and new reports, with keys, without anything, and where root cannot sign in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from hygiene.models import AccessKey, PollOutcome
from tests.fakes import iso
from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.wire import Wire, error

pytestmark = pytest.mark.django_db
DENIED = error(403, "AccessDenied", "not authorized to perform: iam:GetAccountSummary")


def without_root(site: Site) -> str:
    lines = site.world.report_bytes().decode().splitlines()
    return "\n".join([lines[0], *lines[2:]])


def with_root(site: Site, **cells: str) -> str:
    """The account's report with some cells of the root row replaced."""
    lines = [line.split(",") for line in site.world.report_bytes().decode().splitlines()]
    for name, value in cells.items():
        lines[1][lines[0].index(name)] = value
    return "\n".join(",".join(line) for line in lines)


def test_row_07_root_row_absent_leaves_root_to_the_live_summary_with_a_warning(site: Site) -> None:
    site.world.user("ci")
    site.world.key("root", last_used_at=site.world.now)
    done = site.poll_of(without_root(site))
    assert (done.outcome, done.users_total) == (PollOutcome.COMPLETE, 1)
    assert "no row for the root user" in site.page()
    assert (site.failing("root.key_present"), site.unknown("root.used")) == (1, 1)
    row = site.csv("accounts")[0]
    assert (row["root_key_present"], row["root_mfa"], row["root_password_present"]) == ("true", "on", "true")


def test_row_07_root_row_absent_later_makes_what_an_older_report_said_of_root_unknown(site: Site, wire: Wire) -> None:
    site.world.user("ci")
    site.world.root.password_last_used_at = site.world.now - timedelta(days=90)
    site.poll()
    assert site.unknown("root.used") == 0
    site.later()
    wire.script("GetAccountSummary", DENIED, times=9)
    site.poll_of(without_root(site))
    assert site.unknown("root.used") == 1
    site.later()
    site.world.report_override = None
    site.poll()
    assert site.unknown("root.used") == 0


def test_row_08_root_password_not_supported_is_unknown_not_false(site: Site, wire: Wire) -> None:
    wire.script("GetAccountSummary", DENIED)
    site.world.root.mfa = False
    site.poll_of(with_root(site, password_enabled="not_supported", password_last_changed="not_supported"))
    assert site.root().password_state == "unknown"
    assert site.unknown("root.no_mfa") == 1
    assert site.csv("accounts")[0]["root_password_present"] == ""
    assert site.csv("users")[0]["password_state"] == "unknown"
    assert "unknown" in site.page(f"/root-users/{site.account.account_id}/")


def test_row_09_root_row_of_2026_tells_its_password_and_its_date(site: Site) -> None:
    changed = site.world.now - timedelta(days=700)
    site.poll_of(with_root(site, password_enabled="true", password_last_changed=iso(changed), password_next_rotation="not_supported"))
    root = site.root()
    assert (root.password_state, root.password_last_changed_at, root.password_next_rotation_at) == ("enabled", changed, None)
    row = site.csv("users")[0]
    assert (row["password_state"], row["password_last_changed_at"]) == ("enabled", iso(changed))
    assert site.csv("accounts")[0]["root_password_present"] == "true"


def test_row_10_active_and_inactive_root_key_are_both_shown_and_critical(site: Site) -> None:
    born = site.world.now - timedelta(days=6000)
    site.world.key("root", created_at=born, status="Inactive")
    site.world.key("root", created_at=born + timedelta(days=900), last_used_at=site.world.now - timedelta(days=40))
    site.poll()
    assert [(key.status, key.match, key.severity) for key in site.every_key()] == [
        ("inactive", "unlistable", 50),
        ("active", "unlistable", 50),
    ]
    assert site.failing("root.key_present") == 1
    assert [(row["status"], row["severity"], row["rules"]) for row in site.csv("keys")] == [
        ("active", "critical", "root.key_present"),
        ("inactive", "critical", "root.key_present"),
    ]
    page = site.page("/root-users/")
    assert "2 root keys, active and disabled" in page


def test_row_10_root_keys_that_only_the_summary_counted_become_those_of_the_report(site: Site) -> None:
    site.poll()
    site.later(hours=1)
    site.world.key("root", created_at=site.world.now - timedelta(days=3000), status="Inactive")
    site.world.key("root", created_at=site.world.now, last_used_at=site.world.now)
    site.poll()
    assert [(key.status, key.created_at) for key in site.every_key()] == [("active", None)]
    site.later()
    site.poll()
    assert sorted((row["status"], row["last_used_state"]) for row in site.csv("keys")) == [("active", "used"), ("inactive", "never")]
    assert AccessKey.objects.count() == 2


def test_row_11_member_root_without_credentials_is_good(site: Site) -> None:
    root = site.world.root
    root.password_enabled = root.mfa = False
    root.password_last_changed_at = None
    site.poll()
    assert site.failing("root.no_mfa") == site.unknown("root.no_mfa") == site.failing("root.key_present") == 0
    row = site.csv("accounts")[0]
    assert (row["root_key_present"], row["root_password_present"], row["root_mfa"]) == ("false", "false", "n/a")
    assert "no root key" in site.page()


def test_row_12_govcloud_root_keeps_its_partition_and_has_no_mfa_finding(site_of: Callable[..., Site]) -> None:
    site = site_of("222233334444", partition="aws-us-gov")
    site.world.user("ci")
    site.world.key("ci")
    cells = dict.fromkeys(("password_enabled", "password_last_changed", "password_next_rotation"), "not_supported")
    done = site.poll_of(with_root(site, **cells, password_last_used="not_supported", mfa_active="false"))
    assert done.outcome == PollOutcome.COMPLETE
    assert site.failing("root.no_mfa") == site.unknown("root.no_mfa") == 0
    assert {row["user_arn"] for row in site.csv("users")} == {
        "arn:aws-us-gov:iam::222233334444:root",
        "arn:aws-us-gov:iam::222233334444:user/ci",
    }
    row = site.csv("accounts")[0]
    assert (row["partition"], row["root_mfa"]) == ("aws-us-gov", "n/a")


def test_row_12_govcloud_root_with_an_active_key_and_no_mfa_fails(site_of: Callable[..., Site]) -> None:
    site = site_of("222233334444", partition="aws-us-gov")
    site.world.key("root")
    site.poll()
    assert (site.failing("root.no_mfa"), site.failing("root.key_present")) == (1, 1)


@pytest.mark.parametrize("partition", ["aws-cn", "aws-eusc"])
def test_other_partitions_are_read_at_their_own_endpoints(site_of: Callable[..., Site], partition: str) -> None:
    site = site_of("333344445555", partition=partition)
    site.world.user("ci")
    key = site.world.key("ci")
    assert site.poll().outcome == PollOutcome.COMPLETE
    row = site.csv("keys")[0]
    assert (row["user_arn"], row["access_key_id"]) == (f"arn:{partition}:iam::333344445555:user/ci", key.access_key_id)
