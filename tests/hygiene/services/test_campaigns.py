"""Campaigns: warnings to owners at once, 7 days and 1 day before, windows and freeze days, who leaves, and what happens after an outage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail

from accounts.models import Account, AuditEvent
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Alert, NoticeKind, OwnerNotice, Plan, Poll, Remediation, State
from hygiene.services import approvals, campaign_answers, campaign_mail, campaigns, change_rules, remediation, sweeper
from hygiene.services.clock import Clock
from hygiene.services.digest_content import compose
from hygiene.services.notices import BadAnswer, asked_of, with_answers
from hygiene.services.openings import openings
from hygiene.services.plans import make_plan
from hygiene.services.refused import Invalid, NotAllowed
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
OWNER = "team-data@example.com"
Plans = Callable[..., Plan]


class Days:
    """Lets time pass as the sweeper sees it, four times a day."""

    def __init__(self, world: FakeAwsAccount, policy: Policy, clock: Clock) -> None:
        self.world, self.policy, self.clock = world, policy, clock

    def sweep(self) -> None:
        now = self.world.now
        sweeper.tidy(now=now)
        for pk in campaigns.tend(now=now):
            campaign_mail.send(pk, now=self.clock.now)
        for pk in sweeper.due(now=now):
            remediation.execute(pk, open_gateway=self.world.gateway, policy=self.policy, clock=self.clock)

    def until(self, moment: datetime) -> None:
        self.sweep()
        while self.world.now < moment:
            self.world.now = min(moment, self.world.now + timedelta(hours=6))
            self.sweep()


@pytest.fixture
def days(world: FakeAwsAccount, policy: Policy, clock: Clock) -> Days:
    return Days(world, policy, clock)


@pytest.fixture
def keys(world: FakeAwsAccount, poll: Callable[[], Poll]) -> list[AccessKey]:
    """Three never-used keys of an account with an owner."""
    Account.objects.update(owner_email=OWNER)
    for place in range(3):
        world.user(f"ci-{place}")
        world.key(f"ci-{place}", created_at=world.now - timedelta(days=400))
    poll()
    world.log.clear()
    return list(AccessKey.objects.order_by("pk"))


@pytest.fixture
def campaign(keys: list[AccessKey], operator: User, world: FakeAwsAccount) -> Plans:
    def run(in_days: int = 14, *, chosen: list[AccessKey] = keys, **said: Any) -> Plan:
        plan = make_plan(keys=chosen, action=Action.DISABLE, actor=operator, now=world.now)
        remediation.confirm(plan=plan, actor=operator, reason="unused", in_days=in_days, now=world.now, **said)
        return Plan.objects.get(pk=plan.pk)

    return run


def kinds() -> list[str]:
    return list(OwnerNotice.objects.filter(plan__isnull=False).order_by("claimed_at", "pk").values_list("kind", flat=True))


def states(plan: Plan) -> set[str]:
    return set(plan.remediations.values_list("state", flat=True))


def test_owners_are_told_at_once_and_again_and_the_keys_are_disabled_on_the_day(campaign: Plans, days: Days, world: FakeAwsAccount) -> None:
    begun = world.now
    plan = campaign(14)
    assert (states(plan), plan.run_at) == ({State.REQUESTED}, begun + timedelta(days=14))
    days.until(begun + timedelta(days=14) - timedelta(minutes=1))
    assert (kinds(), world.calls("UpdateAccessKey")) == (["first", "seven_days", "one_day"], 0)
    days.until(begun + timedelta(days=14))
    assert (states(plan), world.calls("UpdateAccessKey")) == ({State.SUCCEEDED}, 3)
    days.sweep()
    assert kinds()[3:] == ["done"]
    assert [message.to for message in mail.outbox] == [[OWNER]] * 4
    subjects = [message.subject for message in mail.outbox]
    assert subjects[0] == "[keys] 3 access keys of yours will be disabled on 7 Dec 2026"
    assert subjects[3] == "[keys] 3 access keys of yours disabled"
    assert {notice.state for notice in OwnerNotice.objects.all()} == {"sent"}
    assert AuditEvent.objects.filter(action="campaign.notice", outcome="sent").count() == 4


def test_two_sweepers_warn_once_and_short_campaigns_warn_less_often(campaign: Plans, days: Days, world: FakeAwsAccount) -> None:
    begun = world.now
    campaign(1)
    (claimed,) = campaigns.tend(now=begun)
    assert campaigns.tend(now=begun) == []
    campaign_mail.send(claimed, now=lambda: begun)
    days.until(begun + timedelta(days=1))
    assert (kinds(), world.calls("UpdateAccessKey")) == (["first"], 3)


@pytest.mark.parametrize("known", ["never", "unknown"])
def test_a_key_that_is_used_meanwhile_leaves_and_the_others_stay(
    campaign: Plans, keys: list[AccessKey], days: Days, world: FakeAwsAccount, known: str
) -> None:
    begun = world.now
    AccessKey.objects.filter(pk=keys[0].pk).update(last_used_state=known)
    plan = campaign(14, include_in_use=True, typed="3" if known == "unknown" else "")
    days.sweep()
    world.now += timedelta(days=3)
    AccessKey.objects.filter(pk=keys[0].pk).update(last_used_at=world.now - timedelta(hours=2), last_used_state="used")
    days.sweep()
    left = plan.remediations.get(key=keys[0])
    assert (left.state, left.result_code, left.result) == (
        State.CANCELLED,
        "used_since",
        "Left the campaign: used 2 h ago, since it was planned.",
    )
    days.until(begun + timedelta(days=14))
    assert sorted(states(plan)) == [State.CANCELLED, State.SUCCEEDED]
    assert world.calls("UpdateAccessKey") == 2


def test_it_acts_in_the_change_window_of_the_account_and_on_no_freeze_day(
    campaign: Plans, days: Days, world: FakeAwsAccount, administrator: User
) -> None:
    Account.objects.update(change_window="mon-fri 09:00-17:00 UTC")
    change_rules.save({"freeze_days": ["2026-12-07"]}, actor=administrator, now=world.now)
    plan = campaign(14)
    days.until(plan.run_at or world.now)
    held = plan.remediations.first()
    assert held is not None
    assert (held.result_code, held.result) == ("window", "Waits: 2026-12-07 is a freeze day.")
    assert held.due_at == datetime.fromisoformat("2026-12-08T09:00:00+00:00")
    days.until(held.due_at - timedelta(minutes=1))
    assert world.calls("UpdateAccessKey") == 0
    days.until(held.due_at)
    assert (states(plan), world.calls("UpdateAccessKey")) == ({State.SUCCEEDED}, 3)


def test_mails_and_digest_name_the_day_on_which_the_window_opens(
    campaign: Plans, days: Days, world: FakeAwsAccount, operator: User, policy: Policy
) -> None:
    Account.objects.update(change_window="tue 09:00-17:00 UTC")  # the campaign's day is a Monday
    plan = campaign(14)
    days.sweep()
    assert mail.outbox[0].subject == "[keys] 3 access keys of yours will be disabled on 8 Dec 2026"
    assert ": from 8 Dec 2026, 09:00 UTC\n" in mail.outbox[0].body
    assert "7 Dec 2026" not in mail.outbox[0].body
    seen = compose(operator, week="N", before=None, policy=policy, now=world.now)
    assert seen.coming.lines[0].title == "Tue 8 Dec: 3 keys will be disabled"
    late = (plan.run_at or world.now) + timedelta(hours=1)  # its day has come, its window has not
    assert compose(operator, week="N", before=None, policy=policy, now=late).coming.lines[0].title == "Tue 8 Dec: 3 keys will be disabled"


def test_a_mail_about_accounts_with_several_windows_names_the_first_day(
    campaign: Plans, keys: list[AccessKey], days: Days, world: FakeAwsAccount
) -> None:
    other = Account.objects.create(account_id="999988887777", name="other", created_at=world.now, updated_at=world.now, owner_email=OWNER)
    plan = campaign(14)
    plan.remediations.filter(key=keys[0]).update(account=other)
    Account.objects.exclude(pk=other.pk).update(change_window="wed 09:00-17:00 UTC")
    begins = openings(plan.remediations.select_related("account", "plan"), now=world.now)
    assert sorted(moment.day for moment in begins.values() if moment) == [7, 9, 9]
    days.sweep()
    assert mail.outbox[0].subject == "[keys] 3 access keys of yours will be disabled from 7 Dec 2026"
    Account.objects.update(change_window="whenever")
    assert set(openings(plan.remediations.select_related("account", "plan"), now=world.now).values()) == {None}


def test_a_window_that_cannot_be_read_is_closed(campaign: Plans, days: Days, world: FakeAwsAccount) -> None:
    plan = campaign(1)
    Account.objects.update(change_window="whenever")
    days.until(world.now + timedelta(days=2))
    assert (states(plan), plan.remediations.all()[0].result_code) == ({State.REQUESTED}, "window")


def test_warnings_start_again_when_the_scheduler_slept_through_them(campaign: Plans, days: Days, world: FakeAwsAccount) -> None:
    plan = campaign(14)
    days.sweep()
    world.now += timedelta(days=14)
    row = plan.remediations.all()[0]
    done = remediation.execute(row.pk, open_gateway=world.gateway, policy=days.policy, clock=days.clock)
    assert (done.state, done.result_code, world.log) == (State.REQUESTED, "unwarned", [])
    days.sweep()
    plan.refresh_from_db()
    assert (plan.cycle, plan.run_at, kinds()) == (2, world.now + timedelta(days=14), ["first", "first"])
    assert AuditEvent.objects.get(action="campaign", outcome="moved").message.startswith("The warnings of owners did not go out in time")
    days.until(plan.run_at or world.now)
    assert (kinds()[2:4], states(plan)) == (["seven_days", "one_day"], {State.SUCCEEDED})


@pytest.mark.parametrize(("awake", "asleep", "cycle"), [(0, 13, 2), (0, 0.5, 1), (4, 3.5, 1), (4, 5, 2)])
def test_a_warning_that_comes_more_than_a_day_late_starts_them_all_again(
    campaign: Plans, days: Days, world: FakeAwsAccount, awake: float, asleep: float, cycle: int
) -> None:
    plan = campaign(14)
    if awake:
        days.until(world.now + timedelta(days=awake))
    world.now += timedelta(days=asleep)
    days.sweep()
    plan.refresh_from_db()
    assert plan.cycle == cycle
    days.until(plan.run_at or world.now)
    assert (states(plan), kinds()[-3:]) == ({State.SUCCEEDED}, ["first", "seven_days", "one_day"])


def test_warnings_wait_for_the_approval_without_starting_again(
    campaign: Plans, days: Days, world: FakeAwsAccount, administrator: User, approver: User
) -> None:
    change_rules.save({"approvals_disable": 1, "approval_hours": 168}, actor=administrator, now=world.now)
    plan = campaign(14)
    days.until(world.now + timedelta(days=5))
    assert kinds() == []
    approvals.approve(plan=plan, actor=approver, now=world.now)
    days.sweep()
    plan.refresh_from_db()
    assert (plan.cycle, kinds()) == (1, ["first"])


def test_mails_that_nobody_sends_are_no_warning(campaign: Plans, world: FakeAwsAccount, days: Days) -> None:
    plan = campaign(2)
    for hours in (0, 24):
        assert len(campaigns.tend(now=world.now + timedelta(hours=hours))) == 1
    world.now += timedelta(days=2)
    days.sweep()
    plan.refresh_from_db()
    assert (plan.cycle, states(plan), world.log) == (2, {State.REQUESTED}, [])
    assert list(OwnerNotice.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "failed", "sent"]
    days.until(plan.run_at or world.now)
    assert states(plan) == {State.SUCCEEDED}


def test_a_campaign_is_moved_by_its_person_and_owners_hear_of_it(
    campaign: Plans, days: Days, world: FakeAwsAccount, operator: User, approver: User
) -> None:
    plan = campaign(14)
    days.sweep()
    day = world.now + timedelta(days=20)
    with pytest.raises(NotAllowed):
        campaigns.move(plan, day, actor=approver, now=world.now)
    with pytest.raises(Invalid):
        campaigns.move(plan, world.now + timedelta(hours=3), actor=operator, now=world.now)
    campaigns.move(plan, day, actor=operator, now=world.now)
    days.sweep()
    assert mail.outbox[-1].subject.endswith("disabled on 13 Dec 2026")
    days.until(day)
    assert (kinds(), states(plan)) == (["first", "first", "seven_days", "one_day"], {State.SUCCEEDED})


def test_an_approval_covers_the_day_so_that_a_moved_campaign_is_approved_anew(
    campaign: Plans, days: Days, world: FakeAwsAccount, operator: User, approver: User, administrator: User
) -> None:
    change_rules.save({"approvals_disable": 1}, actor=administrator, now=world.now)
    plan = campaign(14)
    days.sweep()
    assert (kinds(), states(plan)) == ([], {State.AWAITING_APPROVAL})
    approvals.approve(plan=plan, actor=approver, now=world.now)
    days.sweep()
    assert (kinds(), states(plan)) == (["first"], {State.APPROVED})
    campaigns.move(plan, world.now + timedelta(days=20), actor=operator, now=world.now)
    plan.refresh_from_db()
    assert (states(plan), list(approvals.waiting_for(approver))) == ({State.AWAITING_APPROVAL}, [plan])
    approvals.approve(plan=plan, actor=approver, now=world.now)
    days.until(world.now + timedelta(days=20))
    assert (states(plan), world.calls("UpdateAccessKey")) == ({State.SUCCEEDED}, 3)


def test_a_campaign_is_stopped_with_a_reason_by_its_person_or_an_approver(
    campaign: Plans, world: FakeAwsAccount, approver: User, administrator: User
) -> None:
    plan = campaign(14)
    with pytest.raises(NotAllowed):
        campaigns.stop(plan, actor=administrator, reason="No.", now=world.now)
    with pytest.raises(Invalid):
        campaigns.stop(plan, actor=approver, reason=" ", now=world.now)
    assert campaigns.stop(plan, actor=approver, reason="Audit week.", now=world.now) == 3
    assert (states(plan), plan.remediations.all()[0].result) == ({State.CANCELLED}, "Stopped by approver: Audit week.")


def test_an_owner_keeps_a_key_and_lets_another_go_at_once(
    campaign: Plans, keys: list[AccessKey], days: Days, world: FakeAwsAccount, person: Callable[..., User]
) -> None:
    plan = campaign(14)
    days.sweep()
    notice, owner = OwnerNotice.objects.get(), person(None, username="team")
    User.objects.filter(pk=owner.pk).update(email=OWNER.upper())
    owner.refresh_from_db()
    first, second = plan.remediations.order_by("pk")[:2]
    said: dict[str, Any] = {"note": "Nightly export.", "actor": owner, "now": world.now}
    with pytest.raises(BadAnswer, match="Choose the keys"):
        campaign_answers.answer(notice, words="in_use", chosen=["somebody-elses"], **said)
    with pytest.raises(PermissionError):
        campaign_answers.answer(notice, words="in_use", chosen=[str(first.uuid)], **{**said, "actor": person("viewer")})
    assert campaign_answers.answer(notice, words="in_use", chosen=[str(first.uuid)], **said) == []
    first.refresh_from_db()
    assert (first.state, first.result) == (State.CANCELLED, "Left the campaign: its owner says that it is in use: Nightly export.")
    assert asked_of(with_answers(AccessKey.objects.filter(pk=keys[0].pk)).get()).answer == "in_use"
    assert campaign_answers.answer(notice, words="disable_now", chosen=[str(second.uuid)], **said) == [second.pk]
    days.sweep()
    second.refresh_from_db()
    assert (second.state, world.calls("UpdateAccessKey")) == (State.SUCCEEDED, 1)
    assert AuditEvent.objects.get(outcome="brought_forward").actor_name == "team"


def test_keys_without_an_owner_are_counted_and_do_not_wait_for_warnings(campaign: Plans, days: Days, world: FakeAwsAccount) -> None:
    Account.objects.update(owner_email="")
    AccessKey.objects.first().principal.__class__.objects.update(owner="")  # type: ignore[union-attr]  # there are keys
    plan = campaign(1)
    assert campaigns.without_owner(plan) == 3
    days.until(world.now + timedelta(days=1))
    assert (states(plan), mail.outbox, kinds()) == ({State.SUCCEEDED}, [], [])


def test_owners_can_be_told_of_a_disable_at_once(campaign: Plans, days: Days, world: FakeAwsAccount) -> None:
    plan = campaign(0, notifies_owners=True)
    days.sweep()
    days.sweep()
    assert (states(plan), kinds(), len(mail.outbox)) == ({State.SUCCEEDED}, [NoticeKind.DONE], 1)


def test_a_question_answered_with_disable_now_by_somebody_without_the_role_is_told_in_the_queue(
    keys: list[AccessKey], world: FakeAwsAccount
) -> None:
    for _ in range(2):
        campaign_answers.ask_to_disable(keys[0], owner=OWNER, now=world.now)
    assert Alert.objects.get().sentence.startswith(f"{OWNER} asks to disable AKIA")


@pytest.mark.parametrize(("action", "in_days"), [(Action.DISABLE, 91), (Action.DISABLE, -1), (Action.ENABLE, 3)])
def test_only_a_disable_waits_and_not_for_ever(
    keys: list[AccessKey], operator: User, world: FakeAwsAccount, action: Action, in_days: int
) -> None:
    AccessKey.objects.update(status="inactive" if action == Action.ENABLE else "active")
    plan = make_plan(keys=keys, action=action, actor=operator, now=world.now)
    with pytest.raises(Invalid) as error:
        remediation.confirm(plan=plan, actor=operator, reason="unused", in_days=in_days, now=world.now)
    assert (list(error.value.errors), Remediation.objects.count()) == (["in_days"], 0)
