"""Every figure of the pages equals what is true of the demo's organisation, counted without the product's code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from demo.cast import organization, truth
from demo.fake_aws import Organization
from hygiene.domain.policy import resolve
from hygiene.models import AccessKey, AccountStatus, Finding, PollOutcome, Principal
from hygiene.services import posture
from hygiene.services.overview import overview
from tests.demo.conftest import poll_all, register, serving

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.xdist_group("truth")]


@dataclass(frozen=True, slots=True)
class Polled:
    """The cast, and the outcome of each account's poll by the account's name."""

    cast: Organization
    outcomes: dict[str, str]


@pytest.fixture(scope="module")
def polled(django_db_setup: None, django_db_blocker: Any) -> Iterator[Polled]:
    """Polled once for the module: what a test changes is rolled back to here."""
    cast = organization(datetime.now(UTC))
    cast.account("215509673384").trouble = ""  # its report is never ready; waiting for it is tested elsewhere
    with django_db_blocker.unblock(), transaction.atomic():
        with serving(cast):
            outcomes = {
                poll.account.name: poll.outcome for poll in poll_all([row for row in register(cast) if row.name != "media-archive"])
            }
        cast.account("215509673384").trouble = "no-report"
        yield Polled(cast, outcomes)
        transaction.set_rollback(True)


def test_figures_are_the_truth_in_total_and_for_each_account(polled: Polled, auditor: User) -> None:
    now = timezone.now()
    expected, each = truth(polled.cast, now)
    figures = posture.figures(auditor, policy=resolve(), now=now)
    assert {name: getattr(figures, name) for name in asdict(expected)} == asdict(expected)
    found = overview(auditor, policy=resolve(), now=now)
    assert found.root_accounts == expected.root_accounts
    sites = {site.account.account_id: dict(site.counts) for site in found.sites if site.is_reporting}
    for number, row in each.items():
        wanted = {name: count for name, count in asdict(row).items() if name != "root_accounts"}
        assert {name: sites[number][name] for name in wanted} == wanted, number
    assert sum(bar.total for bar in found.bars) == expected.active_keys
    assert sum(bar.never for bar in found.bars) == expected.never_used + _not_used_yet(polled.cast, now)


def _not_used_yet(cast: Organization, now: datetime) -> int:
    """Keys without a use that are too young for "never used": the chart has them with those that have no use on record."""
    keys = [key for account in cast.accounts if account.reports for user in account.users for key in user.keys]
    young = [key for key in keys if now - key.created_at < timedelta(hours=24)]
    return sum(1 for key in young if key.status == "Active" and key.last_used_at is None)


def test_accounts_that_cannot_be_read_say_why_and_the_others_tell_every_kind_of_detail(polled: Polled) -> None:
    assert polled.outcomes["sandbox-07"] == PollOutcome.ACCESS_LOST
    assert polled.outcomes["analytics-eu"] == PollOutcome.COMPLETE
    assert "old-lab" not in polled.outcomes
    assert "cannot be assumed" in AccountStatus.objects.get(account__name="sandbox-07").error
    assert "ListAccessKeys" in AccountStatus.objects.get(account__name="batch-west").list_keys_error
    others = {name for name, outcome in polled.outcomes.items() if outcome != PollOutcome.COMPLETE}
    assert others == {"sandbox-07", "batch-west"}
    assert Finding.objects.failing().filter(rule="root.key_present").count() == 3
    _has_every_kind_of_detail()


def test_kinds_of_mfa_devices_are_those_of_the_cast_and_virtual_only_means_it(polled: Polled) -> None:
    wanted, both = set(), set()
    for account in polled.cast.accounts:
        if account.name in polled.outcomes and account.reports:
            holders = [user for user in account.users if user.password and user.mfa == "virtual"]
            wanted |= {(account.number, user.name) for user in holders if not user.more_mfa}
            both |= {(account.number, user.name) for user in holders if user.more_mfa}
    found = Finding.objects.failing().filter(rule="mfa.virtual_only").values_list("account__account_id", "principal__name")
    assert set(found) == wanted
    users = Principal.objects.present().users().filter(mfa_kinds=["passkey", "virtual"])
    assert set(users.values_list("account__account_id", "name")) == both
    assert len(both) > 5
    assert not Finding.objects.open().filter(rule="mfa.virtual_only", outcome="unknown").exists()


def _has_every_kind_of_detail() -> None:
    users = Principal.objects.present().users()
    told = users.exclude(policies=None)
    assert told.count() == users.count() > 800
    by_group = [user for user in told.filter(is_admin=True) if user.reach and user.reach["admin_via"] == "through group Admins"]
    assert by_group
    assert told.filter(quarantine_policy="AWSCompromisedKeyQuarantineV2", account__name="ci-runners").exists()
    assert users.exclude(ssh_keys=None).exclude(ssh_keys=[]).exists()
    assert users.filter(service_credentials__0__service="bedrock.amazonaws.com").exists()
    assert set(users.exclude(owner="").values_list("owner_source", flat=True)) == {"tag owner", "key description"}
    assert AccessKey.objects.exclude(description="").exists()
    lacking = AccountStatus.objects.exclude(missing_permissions=[])
    assert [status.missing_permissions[0]["permission"] for status in lacking] == ["iam:ListAccessKeys"]
    status = AccountStatus.objects.get(account__name="security-audit")
    assert status.organization_role == "management"
