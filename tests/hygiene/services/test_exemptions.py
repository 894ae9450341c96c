"""Exemptions: who may make which, that each ends, and that who accepted one is reminded once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.domain.policy import resolve
from hygiene.models import AccessKey, Exemption, ExemptionEnd, ExemptionScope, Finding, FindingOutcome, InstallationPolicy, Principal
from hygiene.services import exemption_ends, exemptions, exports
from hygiene.services.exemptions import Cover, NotAccepted, Terms
from tests.factories import estate, poll
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
RULE = "key.never_used"


@pytest.fixture
def world() -> FakeAwsAccount:
    return estate(5)[1]


@pytest.fixture
def key(world: FakeAwsAccount) -> AccessKey:
    return AccessKey.objects.select_related("account", "principal").get(principal__name="user-0000")


def terms(**changes: Any) -> Terms:
    values: dict[str, Any] = {
        "rules": [RULE],
        "reason": "Kept for the yearly restore test.",
        "accepted_by": "cto@example.com",
        "ends_on": timezone.localdate() + timedelta(days=90),
    }
    return Terms(**{**values, **changes})


def accepted(cover: Cover, actor: User, **changes: Any) -> Exemption:
    return exemptions.make([cover], terms(**changes), actor=actor, now=timezone.now())[0]


def errors_of(cover: Cover, actor: User, **changes: Any) -> dict[str, str]:
    with pytest.raises(NotAccepted) as refused:
        accepted(cover, actor, **changes)
    assert Exemption.objects.count() == 0
    return refused.value.errors


def test_an_exemption_of_a_key_is_stored_with_its_audit_row(key: AccessKey, approver: User) -> None:
    row = accepted(Cover(key=key), approver, ticket="SEC-7")
    assert (row.scope, row.account, row.principal, row.key) == (ExemptionScope.KEY, key.account, key.principal, key)
    assert timezone.localtime(row.ends_at).time().isoformat() == "23:59:59"
    event = AuditEvent.objects.get(action="exemption.make")
    assert (event.actor, event.account, event.note) == (approver, key.account, row.reason)
    assert "user-0000" in event.target
    assert event.after["rules"] == [RULE]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"accepted_by": ""}, "accepted_by"),
        ({"ends_on": date(2020, 1, 1)}, "ends_on"),
        ({"rules": ["root.no_mfa"]}, "rules"),
        ({"rules": ["no.such_rule"]}, "rules"),
    ],
)
def test_terms_that_do_not_hold_are_refused_by_field(key: AccessKey, approver: User, changes: dict[str, Any], field: str) -> None:
    assert set(errors_of(Cover(key=key), approver, **changes)) == {field}


def test_the_maximum_is_a_year_or_what_the_policy_says(key: AccessKey, approver: User) -> None:
    today = timezone.localdate()
    assert "365 days" in errors_of(Cover(key=key), approver, ends_on=today + timedelta(days=366))["ends_on"]
    InstallationPolicy.objects.create(change_rules={"exemption_max_days": 30}, set_at=timezone.now())
    assert "30 days" in errors_of(Cover(key=key), approver, ends_on=today + timedelta(days=31))["ends_on"]
    assert accepted(Cover(key=key), approver, ends_on=today + timedelta(days=30)).pk


def test_a_tag_reaches_every_account_so_it_needs_the_scope_of_every_account(key: AccessKey, approver: User) -> None:
    ScopeGrant.objects.create(user=approver, account=key.account)
    assert "tag" in errors_of(Cover(tag="app=lake"), approver)
    ScopeGrant.objects.all().delete()
    row = accepted(Cover(tag="app=lake"), approver)
    ScopeGrant.objects.create(user=approver, account=key.account)
    with pytest.raises(NotAccepted):
        exemptions.withdraw(row, "not needed", actor=approver, now=timezone.now())


def test_an_exemption_is_extended_and_withdrawn_until_it_has_ended(key: AccessKey, approver: User) -> None:
    row, now = accepted(Cover(key=key), approver), timezone.now()
    Exemption.objects.update(reminded_at=now)
    exemptions.extend(row, timezone.localdate() + timedelta(days=200), "still in use", actor=approver, now=now)
    row.refresh_from_db()
    assert row.reminded_at is None
    assert (row.ends_at - now).days >= 199
    exemptions.withdraw(row, "the test moved to a role", actor=approver, now=now)
    row.refresh_from_db()
    assert (row.end_reason, row.ended_by_name) == (ExemptionEnd.WITHDRAWN, "approver")
    with pytest.raises(NotAccepted, match="ended already"):
        exemptions.withdraw(row, "again", actor=approver, now=now)
    with pytest.raises(NotAccepted, match="ended already"):
        exemptions.extend(row, timezone.localdate() + timedelta(days=9), "again", actor=approver, now=now)
    assert list(AuditEvent.objects.filter(action__startswith="exemption").values_list("action", flat=True).order_by("pk")) == [
        "exemption.make",
        "exemption.extend",
        "exemption.end",
    ]


def test_the_form_suggests_what_fails_and_offers_what_can_fail(key: AccessKey, world: FakeAwsAccount) -> None:
    suggested = exemptions.failing_rules([Cover(key=key)])
    assert RULE in suggested
    assert set(suggested) == set(key.failing_rules)
    offered = exemptions.applicable_rules([Cover(key=key)])
    assert all(code.startswith(("key.", "slot.")) for code in offered)
    root = Principal.objects.get(is_root=True)
    assert {"root.key_present", "root.no_mfa"} <= set(exemptions.failing_rules([Cover(principal=root)]))
    assert all(code.startswith("root.") for code in exemptions.applicable_rules([Cover(principal=root)]))
    assert RULE in exemptions.failing_rules([Cover(account=key.account)])


def ends(now: datetime) -> list[str]:
    return [str(row.end_reason) for row in exemption_ends.end_due(now=now)]


def test_it_ends_at_its_date_and_not_before(key: AccessKey, approver: User) -> None:
    row = accepted(Cover(key=key), approver)
    assert ends(row.ends_at - timedelta(seconds=1)) == []
    assert ends(row.ends_at) == ["expired"]
    assert ends(row.ends_at + timedelta(days=1)) == []
    event = AuditEvent.objects.get(action="exemption.end")
    assert (event.actor_name, event.reason) == ("Key Hygiene", "expired")


def test_it_ends_when_the_key_is_gone(key: AccessKey, world: FakeAwsAccount, approver: User) -> None:
    accepted(Cover(key=key), approver)
    world.users["user-0000"].keys.clear()
    world.now = timezone.now() + timedelta(hours=5)
    poll(key.account, world)
    assert ends(world.now) == ["gone"]


def test_it_ends_when_the_key_is_replaced_by_a_newer_one(key: AccessKey, world: FakeAwsAccount, approver: User) -> None:
    accepted(Cover(key=key), approver)
    world.now = timezone.now() + timedelta(hours=5)
    world.key("user-0000", created_at=world.now - timedelta(hours=1))
    poll(key.account, world)
    assert ends(world.now) == []
    world.users["user-0000"].keys[0].status = "Inactive"
    world.now += timedelta(hours=5)
    poll(key.account, world)
    assert ends(world.now) == ["replaced"]


def test_a_disabled_key_without_a_newer_one_keeps_its_exemption(key: AccessKey, world: FakeAwsAccount, approver: User) -> None:
    accepted(Cover(key=key), approver)
    AccessKey.objects.filter(pk=key.pk).update(status="inactive")
    assert ends(timezone.now()) == []


def test_it_ends_when_the_user_or_the_account_is_gone(key: AccessKey, world: FakeAwsAccount, approver: User) -> None:
    accepted(Cover(principal=key.principal), approver)
    accepted(Cover(account=key.account), approver)
    del world.users["user-0000"]
    world.now = timezone.now() + timedelta(hours=5)
    poll(key.account, world)
    assert ends(world.now) == ["gone"]
    Account.objects.filter(pk=key.account.pk).update(removed_at=world.now)
    assert ends(world.now) == ["gone"]


def test_who_accepts_is_reminded_once_before_the_end(key: AccessKey, approver: User, person: Callable[..., User]) -> None:
    person("viewer", username="ann")
    row = accepted(Cover(key=key), approver, accepted_by="ann", ticket="SEC-9")
    assert exemption_ends.due_reminders(now=row.ends_at - timedelta(days=15)) == []
    at = row.ends_at - timedelta(days=13)
    assert [exemption_ends.remind(found, now=at) for found in exemption_ends.due_reminders(now=at)] == ["sent"]
    assert exemption_ends.due_reminders(now=at) == []
    assert exemption_ends.remind(row, now=at) == "claimed"
    [sent] = mail.outbox
    assert sent.to == ["ann@example.com"]
    assert "user-0000 in data-lake" in sent.subject
    assert f"/exemptions/{row.uuid}/" in sent.body
    assert "SEC-9" in sent.body
    assert key.access_key_id
    assert key.access_key_id not in sent.message().as_string()
    assert AuditEvent.objects.get(action="exemption.remind").outcome == "sent"


def test_a_name_without_an_address_is_said_in_the_audit_log(key: AccessKey, approver: User) -> None:
    row = accepted(Cover(key=key), approver, accepted_by="The board", ends_on=timezone.localdate() + timedelta(days=1))
    at = row.ends_at - timedelta(hours=2)
    assert [exemption_ends.remind(found, now=at) for found in exemption_ends.due_reminders(now=at)] == ["no_address"]
    assert mail.outbox == []
    assert "no mail address" in AuditEvent.objects.get(action="exemption.remind").message


def test_what_an_exemption_covers_is_judged_again_by_key_by_account_and_by_tag(key: AccessKey, approver: User) -> None:
    now = timezone.now()
    for cover in (Cover(key=key), Cover(account=key.account), Cover(tag="app=lake")):
        row = accepted(cover, approver)
        AccessKey.objects.filter(pk=key.pk).update(severity=0, failing_rules=[])
        exemption_ends.reevaluate(row, policies=lambda _: resolve(), now=now)
        exemptions.withdraw(row, "done", actor=approver, now=now)
        exemption_ends.reevaluate(row, policies=lambda _: resolve(), now=now)
        key.refresh_from_db()
        assert RULE in key.failing_rules


def test_large_covers_are_left_to_a_worker(key: AccessKey, approver: User) -> None:
    of_key, of_account = accepted(Cover(key=key), approver), accepted(Cover(account=key.account), approver)
    assert exemption_ends.is_quick([of_key, of_account])
    assert not exemption_ends.is_quick([accepted(Cover(tag="app"), approver)])
    assert not exemption_ends.is_quick([of_key] * 11)
    key.account.status.users = 501
    key.account.status.save()
    assert exemption_ends.is_quick([of_key])
    assert not exemption_ends.is_quick([of_account])


def judged(key: AccessKey, world: FakeAwsAccount) -> None:
    """The account is polled again, a minute later than now, so that what was made now holds."""
    world.now = timezone.now() + timedelta(minutes=1)
    poll(key.account, world)


def test_a_covered_finding_is_exempt_counted_apart_and_fails_again_at_the_end(
    key: AccessKey, world: FakeAwsAccount, approver: User
) -> None:
    row = accepted(Cover(key=key), approver)
    judged(key, world)
    finding = Finding.objects.open().get(key=key, rule=RULE)
    key.refresh_from_db()
    assert (finding.outcome, finding.exemption, finding.severity) == (FindingOutcome.EXEMPT, row, 40)
    assert RULE not in key.failing_rules
    assert "key.too_old" in key.failing_rules
    found = next(line for line in exports.rows("keys", policy=resolve(), now=world.now) if line["access_key_id"] == key.access_key_id)
    assert found["exempt_until"] == row.ends_at
    Exemption.objects.update(ends_at=world.now)
    judged(key, world)
    finding.refresh_from_db()
    assert (finding.outcome, finding.exemption) == (FindingOutcome.FAIL, None)


def test_an_exemption_of_another_key_or_rule_covers_nothing(key: AccessKey, world: FakeAwsAccount, approver: User) -> None:
    other = AccessKey.objects.select_related("account", "principal").get(principal__name="user-0002")
    accepted(Cover(key=other), approver, rules=["key.unused"])
    accepted(Cover(key=key), approver, rules=["key.created_at_setup"])
    judged(key, world)
    assert Finding.objects.open().get(key=key, rule=RULE).outcome == FindingOutcome.FAIL


def test_a_tag_of_the_account_or_of_the_user_is_covered(key: AccessKey, world: FakeAwsAccount, approver: User) -> None:
    accepted(Cover(tag="app=lake"), approver)
    judged(key, world)
    assert set(Finding.objects.open().filter(rule=RULE).values_list("outcome", flat=True)) == {FindingOutcome.EXEMPT}
    Account.objects.update(tags={"app": "river"})
    key.account.refresh_from_db()
    judged(key, world)
    assert Finding.objects.open().get(key=key, rule=RULE).outcome == FindingOutcome.FAIL
    Principal.objects.filter(pk=key.principal_id).update(tags={"app": "lake"})
    judged(key, world)
    assert Finding.objects.open().get(key=key, rule=RULE).outcome == FindingOutcome.EXEMPT
