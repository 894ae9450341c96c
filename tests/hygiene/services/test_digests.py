"""The weekly digest against a real SMTP server: what it says, that it is sent once, and what becomes of it when mail fails."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email import policy as mail_policy
from email.message import EmailMessage
from io import StringIO
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.domain.policy import Policy, resolve
from hygiene.models import DeliveryState, DigestDelivery, DigestSubscription, Preferences
from hygiene.services import digests, posture
from hygiene.services.clock import Clock
from hygiene.supervisor import free_port
from tests.factories import estate, poll

pytestmark = pytest.mark.django_db


@dataclass
class Server:
    """A mail server in this process. `refuse`: its answer to DATA; `drop`: it hangs up after DATA."""

    mails: list[EmailMessage] = field(default_factory=list)
    refuse: str = ""
    drop: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if self.refuse:
            return self.refuse
        message = message_from_bytes(envelope.content, policy=mail_policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        if self.drop:
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    found = Server()
    port = free_port()
    controller = Controller(found, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
    yield found
    controller.stop()


@pytest.fixture
def policy() -> Policy:
    return resolve()


MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
Send = Callable[..., list[str]]


@pytest.fixture
def send_due(policy: Policy) -> Send:
    """What beat does at a moment: claims what is due, and sends it. Gives the states."""

    def run(now: datetime) -> list[str]:
        clock = Clock(now=lambda: now, sleep=lambda seconds: None, random=random.random)
        outcomes = [digests.send(pk, policy=policy, clock=clock) for pk in digests.claim_due(now=now)]
        return [outcome.state for outcome in outcomes if outcome is not None]

    return run


def subscribed(user: User, *, at: datetime = MONDAY, **fields: Any) -> DigestSubscription:
    row = digests.subscription_of(user, now=at - timedelta(days=30))
    DigestSubscription.objects.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()
    return row


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body(preferencelist=(kind,))
    assert body is not None
    return str(body.get_content())


def test_the_mail_says_the_numbers_of_the_pages_in_both_parts(server: Server, policy: Policy, send_due: Send, operator: User) -> None:
    estate(15)
    now = timezone.now()
    slot = now - timedelta(minutes=1)
    subscribed(operator, at=now, weekday=slot.weekday(), hour=slot.hour, minute=slot.minute)
    assert send_due(now) == ["sent"]
    mail = server.mails[0]
    figures = posture.figures(operator, policy=policy, now=now)
    text, html = part(mail, "plain"), part(mail, "html")
    for name, value in (
        ("Root keys", figures.root_keys),
        ("Active, never used", figures.never_used),
        ("Unused 90+ days", figures.unused_90),
    ):
        assert f"{value:,}" in next(line for line in text.splitlines() if line.startswith(name))
        assert f">{value:,}</span>" in html
    assert "1 of 2 accounts reporting" in text
    assert "sandbox-07" in text
    assert "unknown, not zero" in text
    assert "sandbox-07" in html
    assert "This is your first digest" in text
    assert mail["Subject"].startswith("[keys] ")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len(html.encode()) < 60_000
    assert "<img" not in html
    assert "AKIA" in text
    assert not any(len(word) == 20 and word.startswith("AKIA") for word in text.replace(":", " ").split())


def test_a_week_is_sent_once_however_often_beat_asks(server: Server, send_due: Send, operator: User) -> None:
    estate(5)
    subscribed(operator)
    assert send_due(MONDAY) == ["sent"]
    assert send_due(MONDAY) == []
    assert send_due(MONDAY + timedelta(days=3)) == []
    assert len(server.mails) == 1


def test_two_senders_of_one_claim_send_one_mail(server: Server, policy: Policy, operator: User) -> None:
    estate(5)
    claimed = digests.claim(subscribed(operator), now=MONDAY)
    assert claimed is not None
    assert digests.claim(subscribed(operator), now=MONDAY) is None
    clock = Clock(now=lambda: MONDAY, sleep=lambda seconds: None, random=random.random)
    outcomes = [digests.send(claimed.pk, policy=policy, clock=clock) for _ in range(2)]
    assert [outcome.state if outcome else None for outcome in outcomes] == ["sent", None]
    assert len(server.mails) == 1


def test_the_next_week_compares_with_what_was_sent_and_threads(server: Server, send_due: Send, operator: User) -> None:
    account, world = estate(5)
    now = timezone.now()
    slot = now - timedelta(minutes=1)
    subscribed(operator, at=now, weekday=slot.weekday(), hour=slot.hour, minute=slot.minute)
    send_due(now)
    world.users["user-0000"].keys.clear()
    world.now = now + timedelta(days=7) - timedelta(hours=1)
    poll(account, world)
    assert send_due(now + timedelta(days=7)) == ["sent"]
    first, second = server.mails
    assert second["References"] == first["Message-ID"]
    text = part(second, "plain")
    assert "1 fewer" in next(line for line in text.splitlines() if line.startswith("Active, never used"))
    assert "Changes cover" in text


def test_nothing_new_is_said_in_the_subject_or_not_sent_at_all(server: Server, send_due: Send, operator: User) -> None:
    account, world = estate(2)
    now = timezone.now()
    slot = now - timedelta(minutes=1)
    row = subscribed(operator, at=now, weekday=slot.weekday(), hour=slot.hour, minute=slot.minute)
    send_due(now)
    for weeks in (1, 2):
        world.now = now + timedelta(weeks=weeks) - timedelta(hours=1)
        world.users["user-0001"].keys[0].last_used_at = world.now
        poll(account, world)
        if weeks == 2:
            DigestSubscription.objects.filter(pk=row.pk).update(send_when_unchanged=False)
        DigestDelivery.objects.filter(state="sent").update(
            numbers=digests.preview(operator, week="2026-W48", policy=resolve(), now=now + timedelta(weeks=weeks)).numbers
        )
        expected = "sent" if weeks == 1 else "skipped"
        assert send_due(now + timedelta(weeks=weeks)) == [expected]
    assert server.mails[1]["Subject"].startswith("[keys] No change, ")
    assert len(server.mails) == 2


def test_nothing_outside_the_scope_leaks(server: Server, send_due: Send, operator: User) -> None:
    account, _ = estate(10)
    other = Account.objects.get(name="sandbox-07")
    ScopeGrant.objects.create(user=operator, account=other)
    subscribed(operator)
    assert send_due(MONDAY) == ["sent"]
    everything = server.mails[0].as_string() + part(server.mails[0], "plain") + part(server.mails[0], "html")
    assert account.name not in everything
    assert account.account_id not in everything
    assert "user-00" not in everything
    assert part(server.mails[0], "plain").count(" unknown\r\n") == 4


def test_an_empty_scope_gets_no_mail(server: Server, send_due: Send, operator: User) -> None:
    subscribed(operator)
    assert send_due(MONDAY) == ["skipped"]
    assert server.mails == []


def test_a_refusal_is_failed_and_tried_again_but_not_for_ever(server: Server, send_due: Send, operator: User) -> None:
    estate(2)
    subscribed(operator)
    server.refuse = "550 mailbox full"
    assert send_due(MONDAY) == ["failed"]
    row = DigestDelivery.objects.get()
    assert "550 mailbox full" in row.error
    assert send_due(MONDAY + timedelta(minutes=1)) == []
    for attempt in range(1, 8):
        send_due(MONDAY + timedelta(minutes=20 * attempt))
    row.refresh_from_db()
    assert row.attempts == digests.MOST_ATTEMPTS
    server.refuse = ""
    assert send_due(MONDAY + timedelta(hours=9)) == []


def test_a_server_that_hangs_up_after_data_makes_it_uncertain_and_it_is_never_sent_again(
    server: Server, send_due: Send, operator: User
) -> None:
    estate(2)
    subscribed(operator)
    server.drop = True
    assert send_due(MONDAY) == ["uncertain"]
    server.drop = False
    assert send_due(MONDAY + timedelta(days=1)) == []
    assert len(server.mails) == 1


def test_a_sender_killed_while_sending_leaves_it_uncertain(server: Server, send_due: Send, operator: User) -> None:
    estate(2)
    claimed = digests.claim(subscribed(operator), now=MONDAY)
    assert claimed is not None
    DigestDelivery.objects.update(state=DeliveryState.SENDING, lease_expires_at=MONDAY + timedelta(minutes=5))
    assert send_due(MONDAY + timedelta(minutes=6)) == []
    assert DigestDelivery.objects.get().state == DeliveryState.UNCERTAIN
    assert server.mails == []


@pytest.mark.parametrize("is_handed_over", [False, True])
def test_a_kill_around_the_handing_over_never_makes_a_second_mail(
    is_handed_over: bool, server: Server, send_due: Send, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate(2)
    subscribed(operator)
    hand_over = EmailBackend.send_messages

    def killed(self: EmailBackend, messages: list[EmailMultiAlternatives]) -> int:
        if is_handed_over:
            hand_over(self, messages)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", killed)
        with pytest.raises(KeyboardInterrupt):
            send_due(MONDAY)
    for minutes in (1, 6, 30, 60 * 24):
        assert send_due(MONDAY + timedelta(minutes=minutes)) == []
    assert DigestDelivery.objects.get().state == DeliveryState.UNCERTAIN
    assert len(server.mails) == is_handed_over


def test_a_kill_before_anything_was_handed_over_is_made_good(
    server: Server, send_due: Send, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate(2)
    subscribed(operator)

    def killed(self: EmailBackend) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "open", killed)
        with pytest.raises(KeyboardInterrupt):
            send_due(MONDAY)
    assert send_due(MONDAY + timedelta(minutes=1)) == []  # its lease holds still
    assert send_due(MONDAY + timedelta(minutes=6)) == ["sent"]
    assert len(server.mails) == 1


def test_what_nobody_took_up_within_the_week_ends_failed_and_the_next_week_is_sent(server: Server, send_due: Send, operator: User) -> None:
    estate(2)
    digests.claim(subscribed(operator), now=MONDAY)
    assert send_due(MONDAY + timedelta(days=7)) == ["sent"]
    assert [row.state for row in DigestDelivery.objects.order_by("pk")] == ["failed", "sent"]
    assert len(server.mails) == 1


def test_whoever_stopped_it_lost_the_role_or_left_gets_none_of_what_was_claimed(server: Server, send_due: Send, operator: User) -> None:
    estate(2)
    row = subscribed(operator)
    digests.claim(row, now=MONDAY)
    digests.unsubscribe(row, now=MONDAY)
    assert send_due(MONDAY + timedelta(minutes=1)) == ["skipped"]
    DigestSubscription.objects.update(is_on=True)
    operator.groups.clear()
    assert send_due(MONDAY + timedelta(days=7)) == ["skipped"]
    User.objects.filter(pk=operator.pk).update(is_active=False)
    digests.claim(row, now=MONDAY + timedelta(days=14))
    assert send_due(MONDAY + timedelta(days=14)) == ["skipped"]
    assert [found.error for found in DigestDelivery.objects.order_by("pk")] == [
        "The person has stopped it.",
        "The person has no role any more.",
        "The person is gone.",
    ]
    assert server.mails == []


def test_plain_text_alone_for_those_who_want_it(server: Server, send_due: Send, operator: User) -> None:
    estate(2)
    subscribed(operator, is_plain=True, scope="204811779021")
    assert send_due(MONDAY) == ["sent"]
    assert server.mails[0].get_content_type() == "text/plain"
    assert server.mails[0]["Message-ID"] == f"<digest-{DigestDelivery.objects.get().uuid}@127.0.0.1>"
    assert server.mails[0]["List-Unsubscribe"].strip().startswith("<http")


def test_a_mail_server_that_is_down_is_a_failure_that_is_tried_again(
    settings: Settings, server: Server, send_due: Send, operator: User
) -> None:
    estate(2)
    subscribed(operator)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    assert send_due(MONDAY) == ["failed"]
    settings.EMAIL_PORT = port
    assert send_due(MONDAY + timedelta(minutes=20)) == ["sent"]


@pytest.mark.parametrize(
    ("zone", "now", "is_due"),
    [
        ("Europe/London", datetime(2026, 3, 29, 23, 30, tzinfo=UTC), False),  # Monday 00:30 in London, summer time began on Sunday
        ("Europe/London", datetime(2026, 3, 30, 7, 0, tzinfo=UTC), True),  # 08:00 summer time
        ("Europe/London", datetime(2026, 10, 26, 7, 30, tzinfo=UTC), False),  # 07:30 winter time
        ("Europe/London", datetime(2026, 10, 26, 8, 0, tzinfo=UTC), True),
        ("Pacific/Auckland", datetime(2026, 11, 22, 19, 0, tzinfo=UTC), True),  # Monday 08:00 there, Sunday in UTC
        ("America/Los_Angeles", datetime(2026, 11, 23, 15, 59, tzinfo=UTC), False),
        ("America/Los_Angeles", datetime(2026, 11, 23, 16, 0, tzinfo=UTC), True),
    ],
)
def test_the_slot_is_local_time_also_when_clocks_change(zone: str, now: datetime, is_due: bool, operator: User) -> None:
    subscribed(operator, at=now, time_zone=zone)
    assert [row.user for row in digests.due(now=now)] == ([operator] if is_due else [])


def test_a_slot_that_was_slept_through_is_caught_up_within_the_week_but_not_before_one_subscribed(operator: User) -> None:
    row = subscribed(operator)
    assert digests.due(now=MONDAY + timedelta(days=4)) == [row]
    DigestSubscription.objects.update(created_at=MONDAY + timedelta(days=1))
    assert digests.due(now=MONDAY + timedelta(days=4)) == []


def test_everybody_with_a_role_and_an_address_is_subscribed_once(person: Callable[..., User]) -> None:
    person("viewer", username="ann")
    person(None, username="bob")
    gone = person("operator", username="cid")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for _ in range(2):
        digests.subscribe_everybody(now=MONDAY)
    assert [row.user.username for row in DigestSubscription.objects.all()] == ["ann"]
    assert Preferences.objects.count() == 0


def test_the_command_prints_sends_and_says_what_failed(server: Server, operator: User, capsys: pytest.CaptureFixture[str]) -> None:
    estate(3)
    subscribed(operator)
    call_command("send_digest", to=operator.email, now="2026-11-23T08:00:00Z", dry_run=True)
    assert "Subject: [keys]" in capsys.readouterr().out
    assert server.mails == []
    call_command("send_digest", now="2026-11-23T08:00:00Z")
    assert f"{operator.email}: sent" in capsys.readouterr().out
    call_command("send_digest", to=operator.email, now="2026-11-23T09:00:00Z")
    assert "1 had this week's digest already" in capsys.readouterr().out
    server.refuse = "550 no"
    with pytest.raises(CommandError, match="not sent") as failed:
        call_command("send_digest", to=operator.email, now="2026-11-30T09:00:00Z")
    with pytest.raises(CommandError, match="Nobody here") as wrong:
        call_command("send_digest", to="nobody@example.com")
    with pytest.raises(CommandError, match="must be a time"):
        call_command("send_digest", now="soon")
    assert (failed.value.returncode, wrong.value.returncode) == (1, 2)
    assert AuditEvent.objects.filter(action="digest.send", outcome="sent").count() == 1


def command(**options: Any) -> tuple[str, int]:
    """What `send_digest` said on its output and in its last words, and its exit status."""
    out = StringIO()
    try:
        call_command("send_digest", stdout=out, **options)
    except CommandError as error:
        return f"{out.getvalue()}{error}", error.returncode
    return out.getvalue(), 0


@pytest.mark.parametrize("is_named", [True, False])
def test_the_command_tries_what_failed_again_and_says_when_it_does_not(
    is_named: bool, settings: Settings, server: Server, operator: User
) -> None:
    estate(2)
    subscribed(operator)
    asked = {"to": operator.email if is_named else None, "now": "2026-11-23T08:00:00Z"}
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    for attempt in range(1, digests.MOST_ATTEMPTS + 1):
        said, status = command(**asked)
        assert (status, "The mail server cannot be asked" in said, "already" in said) == (1, True, False)
        assert DigestDelivery.objects.get().attempts == attempt
    settings.EMAIL_PORT = port
    for dry_run in (False, True):
        said, status = command(**asked, dry_run=dry_run)
        assert (status, f"{operator.email}: failed after 5 attempts: The mail server cannot be asked" in said) == (1, True)
        assert ("0 would be sent." in said) is dry_run
    assert server.mails == []
    DigestDelivery.objects.update(attempts=4, lease_expires_at=MONDAY + timedelta(hours=1))  # as a run with a later --now leaves it
    assert "1 would be sent." in command(**asked, dry_run=True)[0]
    assert command(**asked) == (f"{operator.email}: sent\n", 0)
    assert command(**asked) == ("1 had this week's digest already.\n", 0)
    assert command(**asked, dry_run=True) == ("1 had this week's digest already.\n0 would be sent.\n", 0)
    assert len(server.mails) == 1


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize(
    ("state", "minutes", "words"),
    [
        ("uncertain", -1, "not known whether it was sent, so it is not sent again: no answer"),
        ("sending", -1, "not known whether it was sent, so it is not sent again: no answer"),
        ("sending", 3, "another process is sending it"),
        ("claimed", 3, "another process is sending it"),
    ],
)
def test_the_command_leaves_what_may_have_been_sent_and_names_it(
    state: str, minutes: int, words: str, is_named: bool, server: Server, operator: User
) -> None:
    estate(2)
    digests.claim(subscribed(operator), now=MONDAY)
    DigestDelivery.objects.update(state=state, lease_expires_at=MONDAY + timedelta(minutes=minutes), error="no answer")
    asked = {"to": operator.email if is_named else None, "now": "2026-11-23T08:00:00Z"}
    for dry_run in (False, True):
        said, status = command(**asked, dry_run=dry_run)
        assert (status, said.splitlines()[0]) == (1, f"{operator.email}: {words}")
        assert "already" not in said
    assert (server.mails, DigestDelivery.objects.get().state) == ([], state)


@pytest.mark.parametrize("address", ["", "  "])
def test_nobody_without_an_address_is_sent_anything(address: str, server: Server, operator: User) -> None:
    estate(2)
    row = subscribed(operator)
    User.objects.filter(pk=operator.pk).update(email="")
    row.refresh_from_db()
    said, status = command(to=address, now="2026-11-23T08:00:00Z")
    assert (status, said) == (2, f"{address!r} is no address.")
    assert command(now="2026-11-23T08:00:00Z") == ("", 0)
    assert digests.claim(row, now=MONDAY) is None
    assert DigestDelivery.objects.count() == 0


def test_a_delivery_without_an_address_is_never_sent(server: Server, send_due: Send, operator: User) -> None:
    estate(2)
    digests.claim(subscribed(operator), now=MONDAY)
    DigestDelivery.objects.update(address="")
    User.objects.filter(pk=operator.pk).update(email="")
    assert send_due(MONDAY) == ["skipped"]
    assert DigestDelivery.objects.get().error == "The person has no e-mail address."


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+05:00", "1999-12-31", "2201-01-01"])
def test_a_moment_that_is_out_of_reach_is_a_wrong_argument(moment: str, operator: User) -> None:
    assert command(now=moment, dry_run=True) == (f"--now must be a time in the years 2000 to 2200, not {moment!r}.", 2)
    for edge in ("2000-01-01T00:00:00+14:00", "2200-12-31T23:59:59-12:00"):
        assert command(now=edge, to=operator.email, dry_run=True)[1] == 0
