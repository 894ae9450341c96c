"""Central root access is told by the account in charge; its member accounts are judged by it at once, without AWS."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.gateway import OrganizationFacts
from accounts.models import Account
from hygiene import tasks
from hygiene.models import AccountStatus, DueJudgement, Finding, PollTrigger, Principal
from hygiene.services import findings, policies, posture, rejudging, schedule
from hygiene.services.crew import Watch
from tests.factories import poll, register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
ON, RULE = ("RootCredentialsManagement",), "root.password_present"
MANAGEMENT, MEMBER = "999988887777", "111122223333"


@pytest.fixture
def now() -> datetime:
    """Long enough ago for every poll here to lie in the past of the machine's clock, which tasks read."""
    return timezone.now().replace(microsecond=0) - timedelta(days=30)


class Organization:
    """A management account and one member, whose root has a password."""

    def __init__(self, now: datetime) -> None:
        self.management = register(MANAGEMENT, "management", now=now)
        self.member = register(MEMBER, "data-lake", now=now)
        self.worlds = {number: FakeAwsAccount(number, now=now) for number in (MANAGEMENT, MEMBER)}
        self.worlds[MEMBER].root.password_enabled = True
        self.worlds[MEMBER].extras.organization = OrganizationFacts("member", "o-1", MANAGEMENT)
        self.tell(())

    def tell(self, features: tuple[str, ...] | None) -> None:
        """What AWS answers the management account from now on."""
        self.worlds[MANAGEMENT].extras.organization = OrganizationFacts("management", "o-1", MANAGEMENT, features)

    def poll(self, account: Account) -> None:
        """Poll it a day and an hour later than last, so that its details are due."""
        world = self.worlds[account.account_id]
        world.now += timedelta(hours=25)
        poll(account, world)

    def outcome(self) -> str:
        """Of the rule in the member account; "" without a finding."""
        return "".join(Finding.objects.open().filter(rule=RULE, account=self.member).values_list("outcome", flat=True))


@pytest.fixture
def organization(now: datetime) -> Organization:
    found = Organization(now)
    found.poll(found.member)
    found.poll(found.management)
    judge(found)
    return found


def judge(organization: Organization) -> None:
    while rejudging.judge_due(book=policies.load(), now=organization.worlds[MANAGEMENT].now):
        pass


def test_members_are_judged_when_the_account_in_charge_tells_another_state(organization: Organization) -> None:
    asked = len(organization.worlds[MEMBER].log)
    assert organization.outcome() == ""
    for features, outcome in ((ON, "fail"), ((), ""), (None, "unknown"), (ON, "fail")):
        organization.tell(features)
        organization.poll(organization.management)
        assert rejudging.is_due(now=organization.worlds[MANAGEMENT].now)
        judge(organization)
        assert (organization.outcome(), DueJudgement.objects.count()) == (outcome, 0)
    assert len(organization.worlds[MEMBER].log) == asked
    root = Principal.objects.get(account=organization.member, is_root=True)
    assert RULE in root.failing_rules
    assert (
        AccountStatus.objects.get(account=organization.member).findings_open
        == Finding.objects.failing().filter(account=organization.member).count()
    )


def test_the_same_word_again_has_nobody_judged(organization: Organization) -> None:
    organization.poll(organization.management)
    assert not DueJudgement.objects.exists()


def test_what_a_killed_worker_did_not_commit_is_still_due(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    organization.tell(ON)
    organization.poll(organization.management)

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(posture, "refresh", killed)
        with pytest.raises(SystemExit):
            judge(organization)
    assert (organization.outcome(), DueJudgement.objects.count()) == ("", 1)
    judge(organization)
    assert (organization.outcome(), DueJudgement.objects.count()) == ("fail", 0)


def test_an_account_that_cannot_be_judged_holds_up_no_other(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    organization.tell(ON)
    organization.poll(organization.management)
    judged = findings.reevaluate_principals

    def fails(account: Account, *rest: Any, **named: Any) -> None:
        if account == organization.management:
            raise ValueError("a row that nobody thought of")
        judged(account, *rest, **named)

    rejudging.mark([organization.member.pk], now=organization.worlds[MANAGEMENT].now)
    with monkeypatch.context() as patch:
        patch.setattr(findings, "reevaluate_principals", fails)
        judge(organization)
    assert organization.outcome() == "fail"
    assert DueJudgement.objects.get().due_at == organization.worlds[MANAGEMENT].now + rejudging.AFTER_ERROR


def test_a_thousand_members_are_marked_in_few_statements_and_judged_in_chunks(organization: Organization, now: datetime) -> None:
    numbers = [f"{place:012d}" for place in range(1000)]
    rows = [Account(account_id=number, name=number, created_at=now, updated_at=now) for number in numbers]
    made = Account.objects.bulk_create(rows)
    AccountStatus.objects.bulk_create(
        AccountStatus(account=account, next_poll_at=now, organization_role="member", organization_id="o-1") for account in made
    )
    organization.tell(ON)
    organization.poll(organization.management)
    assert DueJudgement.objects.count() == 1
    at = organization.worlds[MANAGEMENT].now
    with CaptureQueriesContext(connection) as captured:
        assert rejudging.judge_due(book=policies.load(), now=at) is True
    assert len(captured) < 60
    assert DueJudgement.objects.count() == 1001
    assert rejudging.judge_due(book=policies.load(), now=at) is True
    assert DueJudgement.objects.count() == 1001 - rejudging.CHUNK
    assert organization.outcome() == "fail"  # the eldest row of those that are due since the same moment


def test_a_poll_by_a_worker_wakes_who_judges_and_the_sweeper_makes_good_a_lost_message(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(tasks.judge_due_accounts, "delay", lambda: woken.append("judge"))
    tasks.sweep.run()
    assert woken == []
    organization.tell(ON)
    monkeypatch.setattr(tasks, "beside", lambda work: work(Watch()))
    monkeypatch.setattr(tasks, "gateway_of_poll", organization.worlds[MANAGEMENT].gateway)
    tasks.poll_account.run(schedule.queue_polls([organization.management], trigger=PollTrigger.SCHEDULE, now=timezone.now())[0].pk)
    assert woken == ["judge"]
    tasks.sweep.run()
    assert woken == ["judge", "judge"]
    tasks.judge_due_accounts.run()
    assert woken == ["judge", "judge", "judge"]
    tasks.judge_due_accounts.run()
    assert (organization.outcome(), len(woken)) == ("fail", 3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_two_workers_at_once_leave_nobody_unjudged(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    organization.tell(ON)
    organization.poll(organization.management)
    rejudging.mark([organization.member.pk], now=organization.worlds[MANAGEMENT].now)
    barrier, judged = Barrier(2, timeout=20), list[int]()
    refresh = posture.refresh

    def counted(account: Account, *rest: Any, **named: Any) -> None:
        judged.append(account.pk)
        refresh(account, *rest, **named)

    monkeypatch.setattr(posture, "refresh", counted)

    def work() -> None:
        barrier.wait()
        judge(organization)
        connections.close_all()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    judge(organization)
    assert (organization.outcome(), DueJudgement.objects.count()) == ("fail", 0)
    assert organization.member.pk in judged
