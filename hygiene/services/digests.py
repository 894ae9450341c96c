"""The digest: who is due, claimed before it is composed, sent at most once. The mail itself is `services.digest_mail`.

Every (recipient, ISO week or day) ends sent, skipped, failed or uncertain. A refusal by the mail server is definite: it may be tried again
within the week. After the server was handed the mail and gave no answer nobody knows, so an uncertain one is never sent again.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit
from hygiene.domain.policy import Policy
from hygiene.models import DeliveryState, DigestDelivery, DigestSubscription, SavedView
from hygiene.services.clock import Clock
from hygiene.services.digest_content import Digest, compose
from hygiene.services.digest_mail import message_of
from hygiene.services.digest_parts import Section
from hygiene.services.digest_slots import READ, due, next_slot, period_of, slot_of, subscribe_everybody, subscription_of, week_of
from hygiene.services.mailing import REFUSALS, close, words
from hygiene.services.scope import NotAScope, Scope, scope_of

LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 5
RETRY_AFTER = timedelta(minutes=15)
IN_TIME, IN_TIME_DAILY = timedelta(days=6), timedelta(hours=20)
DAILY = r"^\d{4}-\d{2}-\d{2}$"
Look = Callable[[SavedView, User, datetime], Section]
ONE_A_MINUTE = timedelta(minutes=1)
OPEN_STATES = (DeliveryState.CLAIMED, DeliveryState.SENDING)


class NotSent(Exception):
    """A digest cannot be sent now; the message is for the person who asked."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery, for the command."""

    address: str
    state: str
    words: str


def claim(subscription: DigestSubscription, *, now: datetime) -> DigestDelivery | None:
    """Take (recipient, week or day) for us; None when somebody else has it, or the person has no address."""
    return _claim(subscription.user, period_of(subscription, now), now=now) if subscription.user.email.strip() else None


def made_before(subscriptions: Iterable[DigestSubscription], *, now: datetime) -> list[DigestDelivery]:
    """Deliveries of these people's week or day that exist already, whatever became of them."""
    wanted = {(row.user.email, period_of(row, now)) for row in subscriptions}
    found = DigestDelivery.objects.filter(week__in={week for _, week in wanted}).order_by("pk")
    return [row for row in found if (row.address, row.week) in wanted]


def hold_up(delivery: DigestDelivery, *, now: datetime) -> str:
    """Why a delivery that is neither sent nor skipped is not tried now, in words; "" where it may be."""
    is_held, reason = delivery.lease_expires_at > now, f": {delivery.error}" if delivery.error else ""
    if delivery.state == DeliveryState.UNCERTAIN or (delivery.state == DeliveryState.SENDING and not is_held):
        return f"not known whether it was sent, so it is not sent again{reason}"
    if delivery.state == DeliveryState.SENDING or (delivery.state == DeliveryState.CLAIMED and is_held):
        return "another process is sending it"
    if delivery.state == DeliveryState.FAILED and delivery.attempts >= MOST_ATTEMPTS:
        return f"failed after {delivery.attempts} attempts{reason}"
    return ""


def free(delivery: DigestDelivery, *, now: datetime) -> None:
    """Let a failed one be tried at once, for somebody who asks for it. Nothing happens if another sender has taken it meanwhile."""
    mine = {"pk": delivery.pk, "lease_token": delivery.lease_token, "state": DeliveryState.FAILED}
    DigestDelivery.objects.filter(**mine, attempts__lt=MOST_ATTEMPTS).update(lease_expires_at=now)


def claim_now(user: User, *, now: datetime) -> DigestDelivery:
    """One outside the weekly rhythm, asked for by the person. NotSent without an address, or twice within a minute."""
    if not user.email:
        raise NotSent("Your login has no e-mail address, so nothing can be sent.")
    if DigestDelivery.objects.filter(user=user, week__startswith="N", claimed_at__gt=now - ONE_A_MINUTE).exists():
        raise NotSent("One was sent to you less than a minute ago.")
    found = _claim(user, f"N{_base36(int(now.timestamp()))}", now=now)
    if found is None:
        raise NotSent("One is being sent to you already.")
    audit.record(action="digest.send", outcome="requested", now=now, actor=user, target=user.email)
    return found


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, rest = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits[-7:]


def _claim(user: User, week: str, *, now: datetime) -> DigestDelivery | None:
    row = DigestDelivery(user=user, address=user.email, week=week, claimed_at=now, lease_expires_at=now)
    with transaction.atomic():
        DigestDelivery.objects.bulk_create([row], ignore_conflicts=True)
        return DigestDelivery.objects.filter(uuid=row.uuid).first()


def claim_due(*, now: datetime) -> list[int]:
    """Claim what is due, and find what a dead sender or a refusal left to do: numbers of deliveries to send."""
    subscribe_everybody(now=now)
    for subscription in due(now=now):
        claim(subscription, now=now)
    for delivery in DigestDelivery.objects.filter(state=DeliveryState.SENDING, lease_expires_at__lte=now):
        _end(delivery, delivery.lease_token, DeliveryState.UNCERTAIN, now, "The sender ended while the mail was being handed over.")
    in_time = Q(claimed_at__gt=now - IN_TIME) & (Q(claimed_at__gt=now - IN_TIME_DAILY) | ~Q(week__regex=DAILY))
    for delivery in DigestDelivery.objects.filter(~in_time, state=DeliveryState.CLAIMED, lease_expires_at__lte=now):
        _end(delivery, delivery.lease_token, DeliveryState.FAILED, now, "No sender took it up in time, and the next one says more.")
    retry = Q(state=DeliveryState.FAILED, attempts__lt=MOST_ATTEMPTS, lease_expires_at__lte=now - RETRY_AFTER)
    waiting = in_time & (Q(state=DeliveryState.CLAIMED, lease_expires_at__lte=now) | retry)
    return list(DigestDelivery.objects.filter(waiting).order_by("pk").values_list("pk", flat=True))


def last_sent(user: User) -> DigestDelivery | None:
    """The last regular digest that this person was sent: what the next is compared with."""
    mine = DigestDelivery.objects.filter(user=user, state=DeliveryState.SENT).exclude(week__startswith="N")
    return mine.order_by("-sent_at", "-pk").first()


def preview(user: User, *, week: str, policy: Policy, now: datetime, look: Look | None = None) -> Digest:
    """What would be sent to the person now. `look` fills the section of the saved view that they chose."""
    before, subscription = last_sent(user), subscription_of(user, now=now)
    saved = subscription.saved_view if look else None
    return compose(
        user,
        week=week,
        before=before.numbers if before else None,
        policy=policy,
        now=now,
        scope=scope_chosen(subscription),
        zone=ZoneInfo(subscription.time_zone),
        chosen=look(saved, user, now) if look and saved else None,
    )


def scope_chosen(subscription: DigestSubscription) -> Scope:
    """The scope of a subscription; one that means nothing any more is an empty one, so that nothing is sent by mistake."""
    try:
        return scope_of(subscription.scope, subscription.user)
    except NotAScope:
        return Scope("000000000000")


def send(pk: int, *, policy: Policy, clock: Clock, look: Look | None = None) -> Outcome | None:
    """Compose and send one claimed delivery. None when somebody else has it or it is settled already."""
    now, token = clock.now(), uuid4()
    free = Q(state=DeliveryState.CLAIMED) | Q(state=DeliveryState.FAILED, attempts__lt=MOST_ATTEMPTS)
    mine = {"state": DeliveryState.CLAIMED, "lease_token": token, "lease_expires_at": now + LEASE}
    if not DigestDelivery.objects.filter(free, pk=pk, lease_expires_at__lte=now).update(**mine):
        return None
    delivery = DigestDelivery.objects.select_related("user").get(pk=pk)
    refusal = _not_to_send(delivery, now)
    if refusal or delivery.user is None:
        return _end(delivery, token, DeliveryState.SKIPPED, now, refusal)
    subscription = subscription_of(delivery.user, now=now)
    digest = preview(delivery.user, week=delivery.week, policy=policy, now=now, look=look)
    if not digest.has_scope:
        return _end(delivery, token, DeliveryState.SKIPPED, now, "No account is in the person's scope.")
    if digest.is_unchanged and not subscription.send_when_unchanged and not delivery.week.startswith("N"):
        return _end(delivery, token, DeliveryState.SKIPPED, now, "Nothing changed.")
    return _hand_over(delivery, token, digest, subscription, clock)


def _not_to_send(delivery: DigestDelivery, now: datetime) -> str:
    """Why it must not be sent any more, whatever it would say; "" if it may."""
    if delivery.user is None or not delivery.user.is_active:
        return "The person is gone."
    if not delivery.address.strip():
        return "The person has no e-mail address."
    if not delivery.user.has_perm(READ):
        return "The person has no role any more."
    if not delivery.week.startswith("N") and not subscription_of(delivery.user, now=now).is_on:
        return "The person has stopped it."
    return ""


def _hand_over(delivery: DigestDelivery, token: Any, digest: Digest, subscription: DigestSubscription, clock: Clock) -> Outcome | None:
    """Connect, commit that the mail is being handed over, hand it over, commit what came of it."""
    earlier = DigestDelivery.objects.filter(user=delivery.user, state=DeliveryState.SENT).exclude(week__startswith="N")
    thread = list(earlier.order_by("-sent_at").values_list("message_id", flat=True)[:3])
    connection = get_connection()
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        return _end(delivery, token, DeliveryState.FAILED, clock.now(), f"The mail server cannot be asked: {words(error)}", tried=True)
    message = _commit_to_send(delivery, token, digest, subscription, references=thread, now=clock.now())
    if message is None:
        close(connection)
        return None
    try:
        connection.send_messages([message])
    except REFUSALS as error:
        return _end(delivery, token, DeliveryState.FAILED, clock.now(), f"The mail server refused it: {words(error)}")
    except (smtplib.SMTPException, OSError) as error:
        return _end(delivery, token, DeliveryState.UNCERTAIN, clock.now(), f"The mail server gave no answer: {words(error)}")
    finally:
        close(connection)
    return _end(delivery, token, DeliveryState.SENT, clock.now(), "")


@transaction.atomic
def _commit_to_send(
    delivery: DigestDelivery, token: Any, digest: Digest, subscription: DigestSubscription, *, references: list[str], now: datetime
) -> EmailMultiAlternatives | None:
    """The mail, with `sending` and the anchor that it carries written first. None when another sender has the delivery."""
    sending = DigestDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.CLAIMED, lease_token=token)
    if not sending.update(state=DeliveryState.SENDING, attempts=delivery.attempts + 1):
        return None
    anchor = audit.give_anchor(delivery.address, now=now)
    message = message_of(delivery, digest, subscription, references=references, anchor=anchor)
    fields = {"subject": digest.subject, "numbers": dict(digest.numbers), "message_id": message.extra_headers["Message-ID"]}
    DigestDelivery.objects.filter(pk=delivery.pk).update(**fields)
    return message


def _end(delivery: DigestDelivery, token: Any, state: DeliveryState, now: datetime, words: str, *, tried: bool = False) -> Outcome:
    """The last arrow, with its audit row."""
    values: dict[str, Any] = {"state": state, "error": words, "lease_expires_at": now}
    if state is DeliveryState.SENT:
        values["sent_at"] = now
    if tried:
        values["attempts"] = delivery.attempts + 1
    with transaction.atomic():
        if DigestDelivery.objects.filter(pk=delivery.pk, lease_token=token, state__in=OPEN_STATES).update(**values):
            after = {"week": delivery.week}
            audit.record(action="digest.send", outcome=str(state), now=now, target=delivery.address, message=words, after=after)
    return Outcome(delivery.address, str(state), words)


def unsubscribe(subscription: DigestSubscription, *, now: datetime) -> None:
    """By the link of a mail; no sign-in is needed for it."""
    if subscription.is_on:
        subscription.is_on = False
        with transaction.atomic():
            subscription.save(update_fields=["is_on"])
            audit.record(action="digest.unsubscribe", outcome="succeeded", now=now, actor=subscription.user, target=subscription.user.email)


def history(user: User) -> QuerySet[DigestDelivery]:
    """What was sent to whom: one's own; everybody's for those who may see every audit event of every account."""
    rows = DigestDelivery.objects.select_related("user").order_by("-claimed_at", "-pk")
    if user.has_perm("accounts.see_every_account") and user.has_perm("accounts.see_audit"):
        return rows
    return rows.filter(user=user)


__all__ = [
    "NotSent",
    "Outcome",
    "claim",
    "claim_due",
    "claim_now",
    "due",
    "free",
    "history",
    "hold_up",
    "last_sent",
    "made_before",
    "next_slot",
    "preview",
    "send",
    "slot_of",
    "subscribe_everybody",
    "subscription_of",
    "unsubscribe",
    "week_of",
]
