"""Five hundred keys over forty accounts in one plan: what is asked first, what is touched, what is set aside, and taking it all back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from accounts.models import Account, AuditEvent
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Plan, Remediation, State
from hygiene.services import approvals, change_rules, remediation, runs, sweeper
from hygiene.services.clock import Clock
from hygiene.services.plans import make_plan
from hygiene.services.summaries import summarize
from tests.factories import poll, register
from tests.fakes import FakeAwsAccount, FakeGateway

pytestmark = pytest.mark.django_db
ACCOUNTS = 40
IS_WHOLE = os.environ.get("FAULTS_FULL") == "1"  # 500 keys, in `make faults`; without it every account has fewer
USERS, KEYS = (13, 500) if IS_WHOLE else (3, 118)
LARGE = {"operator_hour_disable": 1000, "installation_hour_disable": 1000, "account_day_disable": 2, "account_day_share": 0}


class Estate:
    """Accounts by their numbers, with one clock for all of them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.worlds: dict[str, FakeAwsAccount] = {}

    def add(self, place: int, *, users: int) -> None:
        number = f"{100_000_000_000 + place}"
        world = self.worlds[number] = FakeAwsAccount(number, now=self.now)
        for user in range(users):
            world.user(f"ci-{user}")
            world.key(f"ci-{user}", created_at=self.now - timedelta(days=400))
        poll(register(number, f"member-{place:02d}", now=self.now), world)
        world.log.clear()

    def gateway(self, row: Remediation, _: tuple[str, ...]) -> FakeGateway:
        return self.worlds[row.account.account_id].gateway()

    def calls(self, operation: str = "UpdateAccessKey") -> list[str]:
        """Ids of keys in the order of the calls."""
        return [said["access_key_id"] for world in self.worlds.values() for name, said in world.log if name == operation]

    def statuses(self) -> dict[str, str]:
        return {key.access_key_id: key.status for world in self.worlds.values() for user in world.users.values() for key in user.keys}

    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

        return Clock(now=lambda: self.now, sleep=sleep, random=lambda: 0.5)


@pytest.fixture
def estate(db: None, now: datetime) -> Estate:
    return Estate(now)


def work(rows: Iterable[int], estate: Estate, policy: Policy) -> None:
    for pk in rows:
        remediation.execute(pk, open_gateway=estate.gateway, policy=policy, clock=estate.clock())


def confirm(plan: Plan, actor: User, estate: Estate) -> list[Remediation]:
    count = plan.items.exclude(disposition="skipped").count()
    return remediation.confirm(plan=plan, actor=actor, reason="unused", typed=str(count), now=estate.now)


@pytest.mark.slow
def test_hundreds_of_keys_are_disabled_no_other_is_touched_and_all_are_taken_back(
    estate: Estate, operator: User, approver: User, administrator: User, policy: Policy
) -> None:
    for place in range(ACCOUNTS):
        estate.add(place, users=USERS)
    change_rules.save(LARGE, actor=administrator, now=estate.now)
    chosen = list(AccessKey.objects.order_by("pk")[:KEYS])
    plan = make_plan(keys=chosen, action=Action.DISABLE, actor=operator, now=estate.now, query="age:>90", is_all_matching=True)
    (said,) = summarize(plan, now=estate.now).warnings
    assert said.startswith(f"Runs after 1 other person agrees. member-00: {USERS} changes, more than 2 in 24 hours. member-01")
    assert {row.state for row in confirm(plan, operator, estate)} == {State.AWAITING_APPROVAL}
    woken = approvals.approve(plan=plan, actor=approver, now=estate.now)
    in_aws = {key.access_key_id: key for world in estate.worlds.values() for user in world.users.values() for key in user.keys}
    for key in chosen[:3]:
        in_aws[str(key.access_key_id)].last_used_at = estate.now
    work(woken, estate, policy)
    touched = {str(key.access_key_id) for key in chosen[3:]}
    assert sorted(estate.calls()) == sorted(touched)
    assert {key for key, status in estate.statuses().items() if status == "Inactive"} == touched
    aside = list(plan.remediations.filter(state=State.REFUSED).values_list("result_code", "result"))
    assert aside == [("used_since", "Used just now, since you looked. Nothing was changed.")] * 3
    assert (runs.progress(plan).done, runs.progress(plan).total) == (KEYS - 3, KEYS)
    back = runs.undo_all(plan, actor=operator, now=estate.now)
    work([row.pk for row in back], estate, policy)
    assert set(estate.statuses().values()) == {"Active"}
    told = AuditEvent.objects.filter(outcome=State.SUCCEEDED)
    assert [told.filter(action=f"key.{word}").count() for word in ("disable", "enable")] == [KEYS - 3] * 2
    assert AuditEvent.objects.filter(outcome=State.CALLING).count() == len(estate.calls()) == 2 * (KEYS - 3)


def test_a_plan_larger_than_a_cap_says_so_and_goes_on_in_slices_by_itself(estate: Estate, operator: User, policy: Policy) -> None:
    for place in range(20):
        estate.add(place, users=3)
    plan = make_plan(keys=AccessKey.objects.all(), action=Action.DISABLE, actor=operator, now=estate.now)
    (said,) = summarize(plan, now=estate.now).warnings
    assert said == "At most 25 of these changes an hour: the plan runs in slices by itself, over about 2 hours."
    begun = estate.now
    confirm(plan, operator, estate)
    hours = []
    while runs.progress(plan).open and estate.now < begun + timedelta(hours=4):
        work(sweeper.due(now=estate.now), estate, policy)
        hours.append(len(estate.calls()))
        held = runs.slices(plan, now=estate.now)
        if held:
            assert (held[0].made, "operator may make 25" in held[0].sentence) == (25 if len(hours) < 3 else 10, True)
            estate.now = max(held[0].goes_on_at, estate.now) + timedelta(minutes=1)
    assert hours[:3] == [25, 50, 60]
    assert estate.now - begun < timedelta(hours=3)


def test_what_was_made_within_the_hour_is_counted_before_a_plan_is_confirmed(
    estate: Estate, operator: User, administrator: User, policy: Policy
) -> None:
    estate.add(0, users=5)
    change_rules.save({"operator_hour_disable": 4}, actor=administrator, now=estate.now)
    keys = list(AccessKey.objects.order_by("pk"))
    made = confirm(make_plan(keys=keys[:3], action=Action.DISABLE, actor=operator, now=estate.now), operator, estate)
    work([row.pk for row in made], estate, policy)
    plan = make_plan(keys=keys[3:], action=Action.DISABLE, actor=operator, now=estate.now)
    assert summarize(plan, now=estate.now).warnings == (
        "At most 4 of these changes an hour, and 3 were made: the plan runs in slices by itself, over about 1 hour.",
    )


def test_an_approval_holds_for_as_long_as_the_announced_slices_take(
    estate: Estate, operator: User, approver: User, administrator: User, policy: Policy
) -> None:
    estate.add(0, users=30)
    change_rules.save({"operator_hour_disable": 1, "account_day_disable": 5}, actor=administrator, now=estate.now)
    plan = make_plan(keys=AccessKey.objects.all(), action=Action.DISABLE, actor=operator, now=estate.now)
    confirm(plan, operator, estate)
    approvals.approve(plan=plan, actor=approver, now=estate.now)
    assert plan.approvals.get().expires_at == estate.now + timedelta(hours=30)
    sweeper.tidy(now=estate.now + timedelta(hours=29))
    assert runs.progress(plan).open == 30
    sweeper.tidy(now=estate.now + timedelta(hours=31))
    assert runs.progress(plan).open == 0
    assert Account.objects.count() == 1
