"""The rules of changes: defaults, what is refused, what is kept, and that every change of them is audited."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from accounts.models import AuditEvent
from hygiene.models import Action, InstallationPolicy
from hygiene.services import change_rules
from hygiene.services.change_rules import ChangeRules

pytestmark = pytest.mark.django_db


def test_a_new_installation_has_the_defaults_of_the_design() -> None:
    rules = change_rules.load()
    assert rules == ChangeRules()
    wanted = {Action.DISABLE: 0, Action.ENABLE: 0, Action.DELETE: 1, Action.DELETE_ROOT_KEY: 2}
    assert {action: rules.approvals(action) for action in wanted} == wanted
    assert rules.approvals(Action.ENABLE, after_leak=True) == 1
    assert [rules.cap(scope, "delete") for scope in ("operator_hour", "installation_hour", "account_day")] == [10, 25, 5]


def test_a_change_is_kept_and_audited_and_only_what_differs_is_stored(administrator: User, now: datetime) -> None:
    change_rules.save({"approvals_disable": "1", "delete_wait_days": 14, "freeze_days": ["2026-12-24"]}, actor=administrator, now=now)
    assert (change_rules.load().approvals_disable, change_rules.load().freeze_days) == (1, (date(2026, 12, 24),))
    assert InstallationPolicy.objects.get().change_rules == {"approvals_disable": 1, "freeze_days": ["2026-12-24"]}
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name) == ("policy.change_rules", "administrator")
    assert (event.before["approvals_disable"], event.after["approvals_disable"]) == (0, 1)
    change_rules.save({"approvals_delete": 2}, actor=administrator, now=now)
    assert change_rules.load().approvals_disable == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delete_wait_days", 6),
        ("approvals_root", 3),
        ("approvals_root", True),
        ("operator_hour_disable", "many"),
        ("breaker_failures", 21),
        ("freeze_days", ["Christmas"]),
        ("unknown", 1),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(administrator: User, now: datetime, name: str, value: Any) -> None:
    with pytest.raises(change_rules.Invalid) as error:
        change_rules.save({name: value}, actor=administrator, now=now)
    assert list(error.value.errors) == [name]
    assert not InstallationPolicy.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_stored_value_that_does_not_hold_counts_as_its_default(now: datetime) -> None:
    InstallationPolicy.objects.create(change_rules={"delete_wait_days": 0, "approvals_delete": 2}, set_at=now)
    assert (change_rules.load().delete_wait_days, change_rules.load().approvals_delete) == (14, 2)
