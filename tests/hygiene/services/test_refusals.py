"""Every reason against a change, by its code: each is met once here, has a sentence of its own, and no call was made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.gateway import AccessDenied, CallerIdentity
from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene import tasks
from hygiene.domain.facts import KeyMatch
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, AccountStatus, Action, Finding, Poll, PollOutcome, Principal, Remediation, State
from hygiene.services import change_rules, health, permissions, protection, remediation, switch
from hygiene.services.clock import Clock
from hygiene.services.plans import make_plan
from tests.fakes import FakeAwsAccount, FakeUser

pytestmark = pytest.mark.django_db
Change = Callable[["Site"], object]


class Site:
    """One never-used key of ci in data-lake, and those who may change it."""

    def __init__(self, world: FakeAwsAccount, operator: User, administrator: User, settings: Settings) -> None:
        self.world, self.operator, self.administrator, self.settings = world, operator, administrator, settings
        self.key = AccessKey.objects.get()

    def account(self, **values: Any) -> None:
        Account.objects.update(**values)

    def status(self, **values: Any) -> None:
        AccountStatus.objects.update(**values)

    def stored(self, **values: Any) -> None:
        AccessKey.objects.update(**values)

    def aws(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.world.users["ci"].keys[0], name, value)

    def narrow(self) -> None:
        now = self.world.now
        other = Account.objects.create(account_id="999988887777", name="other", created_at=now, updated_at=now)
        ScopeGrant.objects.create(user=self.operator, account=other)

    def rule(self, **values: int) -> None:
        change_rules.save(values, actor=self.administrator, now=self.world.now)

    def protect(self) -> None:
        protection.protect(
            kind="key", value=str(self.key.access_key_id), reason="Break glass.", actor=self.administrator, now=self.world.now
        )

    def works_with_it(self) -> None:
        health.beat("worker:poll", now=self.world.now, access_key_id=str(self.key.access_key_id))

    def find(self, **values: str) -> None:
        finding = Finding.objects.filter(key=self.key)[0]
        Finding.objects.filter(pk=finding.pk).update(**values)

    def own(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.world.extras, name, value)

    def asked_already(self) -> None:
        plan = make_plan(keys=[self.key], action=Action.DISABLE, actor=self.operator, now=self.world.now)
        remediation.confirm(plan=plan, actor=self.operator, reason="unused", now=self.world.now)


STORED: list[tuple[str, Change, str]] = [  # refused in the plan, and by a worker when it became so after the confirmation
    ("not_allowed", lambda site: site.operator.groups.clear(), "role operator"),
    ("not_allowed", lambda site: site.narrow(), "scope|may no longer see"),
    ("switched_off", lambda site: setattr(site.settings, "REMEDIATION_ENABLED", False), "switched off for this installation"),
    ("removed", lambda site: site.account(removed_at=site.world.now), "was removed from Key Hygiene"),
    ("no_act_role", lambda site: site.account(act_role_arn=""), "has no act role"),
    ("read_only", lambda site: site.account(allows_remediation=False), "changes are not allowed in this account"),
    ("suspended", lambda site: site.account(organization_state="SUSPENDED"), "suspended or closed"),
    ("never_polled", lambda site: site.status(report_generated_at=None), "never polled"),
    ("access_lost", lambda site: site.status(last_outcome=PollOutcome.ACCESS_LOST), "cannot be reached"),
    ("protected", lambda site: site.protect(), "Break glass"),
    ("own_key", lambda site: site.works_with_it(), "Key Hygiene itself works with this key"),
    ("own_key", lambda site: site.status(worker_key_user=site.key.principal.arn), "Key Hygiene itself works with this key"),
]
IN_PLANS: list[tuple[str, Action, Change, str]] = [
    ("root", Action.DISABLE, lambda site: Principal.objects.filter(name="ci").update(is_root=True), "root user"),
    ("gone", Action.DISABLE, lambda site: site.stored(gone_at=site.world.now), "is deleted"),
    ("no_id", Action.DISABLE, lambda site: site.stored(access_key_id=None, match=KeyMatch.ID_PENDING), "ID is not known yet"),
    ("ambiguous", Action.DISABLE, lambda site: site.stored(access_key_id=None, match=KeyMatch.AMBIGUOUS), "cannot be told apart"),
    ("status_other", Action.DISABLE, lambda site: site.stored(status="other", status_raw="Expired"), "shows this key as Expired"),
    ("not_inactive", Action.DELETE, lambda site: None, "Disable first"),
    ("already", Action.ENABLE, lambda site: None, "Already active"),
    ("already", Action.DISABLE, lambda site: site.stored(status="inactive"), "Already disabled"),
    ("waiting", Action.DELETE, lambda site: site.stored(status="inactive", first_inactive_at=site.world.now), "Can be deleted in 14 days"),
    (
        "used_since",
        Action.DELETE,
        lambda site: site.stored(status="inactive", first_inactive_at="2026-01-01T00:00:00Z", last_used_at="2026-02-01T00:00:00Z"),
        "used after it was disabled",
    ),
    ("under_way", Action.DISABLE, lambda site: site.asked_already(), "operator asked to disable this key just now"),
]
LIVE: list[tuple[str, Change, str]] = [  # only a worker can see these
    (
        "stopped",
        lambda site: switch.stop(actor=site.operator, reason="A drill.", now=site.world.now),
        "stopped at 08:00 UTC by operator: A drill",
    ),
    ("not_approved", lambda site: site.rule(approvals_disable=1), "needs 1 approvals"),
    ("caution:exempt", lambda site: site.find(outcome="exempt"), "Exempt: somebody accepted"),
    ("caution:rotation", lambda site: site.find(rule="key.rotation_stalled", outcome="fail"), "Rotation unfinished"),
    ("gone", lambda site: site.world.users["ci"].keys.clear(), "no longer lists this key"),
    ("own_key", lambda site: site.own(worker_access_key_id=site.key.access_key_id), "Key Hygiene itself works with this key"),
    ("own_key", lambda site: site.own(worker=CallerIdentity("111122223333", site.key.principal.arn)), "Key Hygiene itself"),
    ("created_differs", lambda site: site.aws(created_at=site.world.now), "another creation date"),
    ("already", lambda site: site.aws(status="Inactive"), "somebody changed it since you looked"),
    ("status_changed", lambda site: site.aws(status="Expired"), "shows this key as Expired, which is not what you saw"),
    ("used_since", lambda site: site.aws(last_used_at=site.world.now - timedelta(minutes=2)), "Used 2 min ago, since you looked"),
    (
        "unreadable:AccessDenied",
        lambda site: site.world.fail("ListAccessKeys", AccessDenied("Not permitted.", code="AccessDenied")),
        "could not be read first: Not permitted",
    ),
    ("not_scopable", lambda site: setattr(site.world, "gateway", unscopable), "cannot be limited to this one user"),
]


def unscopable(*_: Any) -> Any:
    raise ValueError("The session policy would be longer than AWS allows.")


@pytest.fixture
def site(world: FakeAwsAccount, poll: Callable[[], Poll], operator: User, administrator: User, settings: Settings) -> Site:
    world.user("ci")
    world.key("ci", created_at=world.now - timedelta(days=400))
    poll()
    world.log.clear()
    return Site(world, operator, administrator, settings)


def asked(site: Site) -> Remediation:
    plan = make_plan(keys=[site.key], action=Action.DISABLE, actor=site.operator, now=site.world.now)
    return remediation.confirm(plan=plan, actor=site.operator, reason="unused", now=site.world.now)[0]


def done(row: Remediation, site: Site, policy: Policy, clock: Clock) -> Remediation:
    return remediation.execute(row.pk, open_gateway=lambda *_: site.world.gateway(*_), policy=policy, clock=clock)


@pytest.mark.parametrize(("code", "change", "words"), STORED)
def test_what_is_stored_speaks_against_it_in_the_plan(site: Site, code: str, change: Change, words: str) -> None:
    change(site)
    again = User.objects.get(pk=site.operator.pk)
    item = make_plan(keys=[site.key], action=Action.DISABLE, actor=again, now=site.world.now).items.get()
    assert (item.skip_code, item.disposition) == (code, "skipped")
    assert re.search(words, item.skip_reason)


@pytest.mark.parametrize(("code", "action", "change", "words"), IN_PLANS)
def test_what_cannot_be_done_to_a_key_is_said_in_the_plan(site: Site, code: str, action: Action, change: Change, words: str) -> None:
    change(site)
    item = make_plan(keys=[site.key], action=action, actor=site.operator, now=site.world.now).items.get()
    assert (item.skip_code, item.disposition) == (code, "skipped")
    assert words in item.skip_reason


@pytest.mark.parametrize(("code", "change", "words"), [*STORED, *LIVE])
def test_a_worker_refuses_what_became_so_after_the_confirmation(
    site: Site, policy: Policy, clock: Clock, code: str, change: Change, words: str
) -> None:
    row = asked(site)
    change(site)
    row = done(row, site, policy, clock)
    assert (row.state, row.result_code, site.world.calls("UpdateAccessKey")) == (State.REFUSED, code, 0)
    assert re.search(words, row.result)
    assert AuditEvent.objects.filter(outcome="refused", message=row.result).count() == 1


def test_another_last_use_than_the_person_saw_is_refused(site: Site, policy: Policy, clock: Clock) -> None:
    site.stored(last_used_state="used", last_used_at=site.world.now - timedelta(days=200))
    row = done(asked(site), site, policy, clock)
    assert (row.result_code, site.world.calls("UpdateAccessKey")) == ("last_use_differs", 0)
    assert "another last use" in row.result


def test_a_key_that_aws_says_belongs_to_another_user_is_refused(site: Site, policy: Policy, clock: Clock) -> None:
    row, key = asked(site), site.world.users["ci"].keys[0]
    site.world.users = {"ana": FakeUser("ana", keys=[key]), "ci": FakeUser("ci", keys=[key])}
    row = done(row, site, policy, clock)
    assert (row.result_code, site.world.calls("UpdateAccessKey")) == ("other_user", 0)
    assert "belongs to ana, not to ci" in row.result


def codes() -> Iterator[str]:
    """Codes of refusals of keys, as the services write them."""
    names = ("permissions", "plans", "live_checks", "protection", "switch", "consent", "execution", "operation", "confirmed")
    for name in names:
        text = Path(str(permissions.__file__)).with_name(f"{name}.py").read_text()
        yield from re.findall(r'Refusal\(\s*f?"([a-z_]+)', text)


def test_every_code_is_met_above() -> None:
    met = [code for code, _, _ in (*STORED, *LIVE)] + [code for code, _, _, _ in IN_PLANS] + ["last_use_differs", "other_user"]
    assert set(codes()) == {code.partition(":")[0] for code in met}


def test_a_forged_message_in_the_broker_changes_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, person: Callable[..., User], policy: Policy, clock: Clock
) -> None:
    monkeypatch.setattr(tasks, "gateway_of", site.world.gateway)
    monkeypatch.setattr(tasks, "shared_clock", lambda: clock)
    site.rule(approvals_disable=1)
    waiting = asked(site)
    tasks.execute_remediation(waiting.pk)
    Remediation.objects.filter(pk=waiting.pk).update(state=State.APPROVED)
    tasks.execute_remediation(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.result_code, site.world.log) == (State.REFUSED, "not_approved", [])
    site.rule(approvals_disable=0)
    row = asked(site)
    site.operator.groups.clear()
    site.operator.groups.add(*person("viewer").groups.all())
    tasks.execute_remediation(row.pk)
    tasks.execute_remediation(row.pk)
    row.refresh_from_db()
    assert (row.state, row.result_code, site.world.log) == (State.REFUSED, "not_allowed", [])
    with pytest.raises(Remediation.DoesNotExist):
        tasks.execute_remediation(row.pk + 1)
