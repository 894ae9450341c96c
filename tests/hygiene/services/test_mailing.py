"""A mail server that cannot be asked loses no mail, is asked once in five minutes, and holds back a campaign whose owners were not told."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import Settings

from accounts.models import Account, AuditEvent
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Invitation, NoticeState, OwnerNotice, Plan, Poll, Remediation, State
from hygiene.services import campaign_mail, campaigns, exemption_ends, exemptions, invitations, notices, remediation, sweeper
from hygiene.services.clock import Clock
from hygiene.services.mailing import RETRY_AFTER
from hygiene.services.plans import make_plan
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
OWNER = "team-data@example.com"


class Server(EmailBackend):
    """A mail server as a test wants it: away, or with an answer of its own to each mail."""

    away: Exception | None = None
    answer: Exception | None = None
    opened = 0

    def open(self) -> bool:
        Server.opened += 1
        if Server.away is not None:
            raise Server.away
        return True

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        if Server.answer is not None:
            raise Server.answer
        return int(super().send_messages(messages))


@pytest.fixture
def server(settings: Settings) -> Iterator[type[Server]]:
    settings.EMAIL_BACKEND = f"{__name__}.Server"
    Server.away, Server.answer, Server.opened = None, None, 0
    yield Server
    Server.away = Server.answer = None


@pytest.fixture
def keys(world: FakeAwsAccount, poll: Callable[[], Poll]) -> list[AccessKey]:
    Account.objects.update(owner_email=OWNER)
    for name in ("ann", "bob"):
        world.user(name)
        world.key(name, created_at=world.now - timedelta(days=400))
    poll()
    return list(AccessKey.objects.order_by("pk"))


@pytest.fixture
def asked(keys: list[AccessKey], operator: User, world: FakeAwsAccount) -> list[OwnerNotice]:
    return [notices.ask(key, actor=operator, now=world.now) for key in keys]


@pytest.fixture
def sweep(world: FakeAwsAccount, policy: Policy, clock: Clock) -> Callable[[], None]:
    """What the sweeper does for mails and changes."""

    def run() -> None:
        now: Callable[[], datetime] = lambda: world.now  # noqa: E731  # a clock
        for pk in {*campaigns.tend(now=world.now), *notices.due(now=world.now)}:
            campaign_mail.send(pk, now=now)
            notices.send(pk, now=now)
        for pk in invitations.due(now=world.now):
            invitations.send(pk, now=now)
        for pk in sweeper.due(now=world.now):
            remediation.execute(pk, open_gateway=world.gateway, policy=policy, clock=clock)

    return run


@pytest.mark.parametrize(
    "trouble", [ConnectionRefusedError("refused"), TimeoutError("timed out"), smtplib.SMTPAuthenticationError(535, b"no")]
)
def test_mails_wait_while_the_server_is_away_and_one_of_them_asks_again(
    asked: list[OwnerNotice], server: type[Server], sweep: Callable[[], None], world: FakeAwsAccount, trouble: Exception
) -> None:
    server.away = trouble
    world.now += timedelta(minutes=2)
    sweep()
    sweep()
    assert (server.opened, {row.state for row in OwnerNotice.objects.all()}) == (1, {NoticeState.CLAIMED})
    assert "cannot be asked" in OwnerNotice.objects.exclude(error="").get().error
    world.now += RETRY_AFTER
    sweep()
    assert server.opened == 2
    server.away = None
    world.now += RETRY_AFTER
    sweep()
    assert ({row.state for row in OwnerNotice.objects.all()}, len(mail.outbox)) == ({NoticeState.SENT}, 2)
    assert list(AuditEvent.objects.filter(action="owner.ask").values_list("outcome", flat=True)) == [
        "requested",
        "requested",
        "sent",
        "sent",
    ]


def test_a_question_that_waited_for_a_day_has_failed(
    asked: list[OwnerNotice], server: type[Server], sweep: Callable[[], None], world: FakeAwsAccount
) -> None:
    server.away = ConnectionRefusedError("refused")
    for _ in range(26):
        world.now += timedelta(hours=1)
        sweep()
    assert {row.state for row in OwnerNotice.objects.all()} == {NoticeState.FAILED}
    assert "It was tried for a day." in OwnerNotice.objects.first().error  # type: ignore[union-attr]  # there are two
    assert notices.due(now=world.now + timedelta(days=9)) == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (smtplib.SMTPRecipientsRefused({OWNER: (450, b"greylisted")}), NoticeState.CLAIMED),
        (smtplib.SMTPDataError(451, b"try later"), NoticeState.CLAIMED),
        (smtplib.SMTPRecipientsRefused({OWNER: (550, b"no such user")}), NoticeState.FAILED),
        (smtplib.SMTPDataError(554, b"spam"), NoticeState.FAILED),
        (smtplib.SMTPServerDisconnected("gone"), NoticeState.UNCERTAIN),
        (TimeoutError("timed out"), NoticeState.UNCERTAIN),
    ],
)
def test_what_the_server_says_decides(
    asked: list[OwnerNotice], server: type[Server], world: FakeAwsAccount, answer: Exception, state: NoticeState
) -> None:
    server.answer = answer
    first, second = asked
    assert notices.send(first.pk, now=lambda: world.now).state == state
    second.refresh_from_db()
    assert (second.state, second.try_at) == (NoticeState.CLAIMED, None)  # a word about one mail holds no other back


def test_a_link_to_set_a_password_waits_too_and_is_made_when_it_is_sent(
    administrator: User, viewer: User, server: type[Server], sweep: Callable[[], None], world: FakeAwsAccount
) -> None:
    invitations.ask(viewer, actor=administrator, now=world.now)
    server.away = ConnectionRefusedError("refused")
    world.now += timedelta(minutes=2)
    sweep()
    row = Invitation.objects.get()
    assert (row.state, row.try_at) == (NoticeState.CLAIMED, world.now + RETRY_AFTER)
    server.away = None
    world.now += RETRY_AFTER
    sweep()
    assert (Invitation.objects.get().state, len(mail.outbox)) == (NoticeState.SENT, 1)


def test_a_reminder_of_an_exemption_waits_too(keys: list[AccessKey], approver: User, server: type[Server], world: FakeAwsAccount) -> None:
    terms = exemptions.Terms(
        rules=["key.too_old"], reason="Kept.", accepted_by="cto@example.com", ends_on=(world.now + timedelta(days=40)).date()
    )
    (row,) = exemptions.make([exemptions.Cover(key=keys[0])], terms, actor=approver, now=world.now)
    server.away = ConnectionRefusedError("refused")
    at = row.ends_at - timedelta(days=5)
    (due,) = exemption_ends.due_reminders(now=at)
    assert exemption_ends.remind(due, now=at) == exemption_ends.AWAY
    server.away, server.answer = None, smtplib.SMTPDataError(451, b"try later")
    assert exemption_ends.remind(due, now=at) == exemption_ends.WAITS
    server.answer = None
    (due,) = exemption_ends.due_reminders(now=at)
    assert (exemption_ends.remind(due, now=at), len(mail.outbox)) == ("sent", 1)


def test_a_campaign_does_not_act_before_its_owners_were_told(
    keys: list[AccessKey], operator: User, server: type[Server], sweep: Callable[[], None], world: FakeAwsAccount
) -> None:
    plan = make_plan(keys=keys, action=Action.DISABLE, actor=operator, now=world.now)
    remediation.confirm(plan=plan, actor=operator, reason="unused", in_days=3, now=world.now)
    server.away = ConnectionRefusedError("refused")
    began = world.now
    while world.now < began + timedelta(days=4):
        world.now += timedelta(hours=3)
        sweep()
    plan = Plan.objects.get()
    assert plan.cycle > 1
    assert plan.run_at is not None
    assert plan.run_at > world.now + timedelta(days=1)
    assert set(Remediation.objects.values_list("state", flat=True)) == {State.REQUESTED}
    assert (mail.outbox, world.calls("UpdateAccessKey")) == ([], 0)
    server.away = None
    world.now += timedelta(hours=3)
    sweep()
    told_at = world.now
    assert len(mail.outbox) == 1
    while world.now < told_at + timedelta(days=4):
        world.now += timedelta(hours=3)
        sweep()
    assert world.calls("UpdateAccessKey") == 2
    assert Plan.objects.get().run_at >= told_at + timedelta(days=2)  # type: ignore[operator]  # a campaign has a day
