"""Questions to owners by mail, and their answers. A notice is claimed before it is sent, and never sent twice by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse

from accounts import audit
from hygiene.domain.facts import KeyStatus
from hygiene.domain.wording import key_sentence, short_key_id
from hygiene.models import AccessKey, NoticeKind, NoticeState, OwnerNotice
from hygiene.services import mailing
from hygiene.services.live_keys import last_use

if TYPE_CHECKING:
    from django.contrib.auth.models import User

ASK_AGAIN_AFTER = timedelta(days=1)
WAKE_AFTER = timedelta(seconds=60)
ANSWERS = {"in_use": "It is in use", "disable_now": "Disable it now", "not_mine": "Not mine"}


class CannotAsk(Exception):
    """There is nobody to ask, or they were just asked; the message says so."""


class BadAnswer(Exception):
    """Not one of the three answers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The newest question about a key, and what came of it. `state` "": nobody was asked."""

    owner: str = ""
    state: str = ""
    asked_at: datetime | None = None
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str = ""
    note: str = ""
    is_put_off: bool = False

    @property
    def words(self) -> str:
        """For the row of evidence."""
        if self.answer:
            return f"“{ANSWERS[self.answer]}”, says {self.answered_by}{f': {self.note}' if self.note else ''}"
        waits = "the mail waits for the mail server" if self.is_put_off else "the mail is about to be sent"
        sent = {NoticeState.SENT: "asked, no answer yet", NoticeState.CLAIMED: waits}
        failed = "the mail could not be sent" if self.state == NoticeState.FAILED else "whether the mail was sent is not known"
        return f"{self.owner}: {sent.get(NoticeState(self.state), failed)}"


def owner_of(key: AccessKey) -> str:
    """The address to ask: the user's owner where that is an address, else the account's owner, else ""."""
    return key.principal.owner if "@" in key.principal.owner else key.account.owner_email


def with_answers(keys: QuerySet[AccessKey]) -> QuerySet[AccessKey]:
    """Keys with what `asked_of` reads."""
    rows = OwnerNotice.objects.filter(key=OuterRef("pk"), kind=NoticeKind.ASK).order_by("-claimed_at", "-pk")
    fields = ("owner", "state", "claimed_at", "try_at", "answer", "answered_at", "answered_by_name", "answer_note")
    return keys.annotate(**{f"asked_{name}": Subquery(rows.values(name)[:1]) for name in fields})


def asked_of(key: AccessKey) -> Asked:
    """The newest question about a key of `with_answers`. No query."""
    row: Any = key
    if not row.asked_state:
        return Asked()
    answered = (row.asked_answer, row.asked_answered_at, row.asked_answered_by_name, row.asked_answer_note)
    return Asked(row.asked_owner, row.asked_state, row.asked_claimed_at, *answered, is_put_off=row.asked_try_at is not None)


@transaction.atomic
def ask(key: AccessKey, *, actor: User, now: datetime) -> OwnerNotice:
    """Claim the question; the caller wakes the sender. Raises CannotAsk without an owner, or within a day of the last question."""
    AccessKey.objects.select_for_update().get(pk=key.pk)
    owner = owner_of(key)
    if not owner:
        raise CannotAsk("This key has no owner with a mail address.")
    recent = OwnerNotice.objects.filter(key=key, kind=NoticeKind.ASK, owner=owner, claimed_at__gt=now - ASK_AGAIN_AFTER)
    if recent.exclude(state=NoticeState.FAILED).exists():
        raise CannotAsk(f"{owner} was asked within the last 24 hours.")
    notice = OwnerNotice.objects.create(key=key, owner=owner, kind=NoticeKind.ASK, claimed_at=now)
    _record(notice, "requested", now, actor=actor)
    return notice


def due(*, now: datetime) -> list[int]:
    """Mails to owners whose wake-up was lost, or that waited for the mail server.

    One that a sender took is not among them, whatever became of the sender.
    """
    waiting = OwnerNotice.objects.filter(mailing.ready(now), claimed_at__lte=now - WAKE_AFTER)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def send(notice_pk: int, *, now: Callable[[], datetime]) -> OwnerNotice:
    """Send one claimed question, at most once; the notice tells what came of it."""
    send_together([notice_pk], now=now)
    return OwnerNotice.objects.get(pk=notice_pk)


def send_together(notice_pks: Sequence[int], *, now: Callable[[], datetime]) -> None:
    """Send claimed questions to one owner in one mail, at most once.

    They count as uncertain from before the mail server is called until that has answered. If it cannot be asked they wait (`mailing`).
    """
    with transaction.atomic():
        mine = OwnerNotice.objects.select_for_update(of=("self",)).filter(mailing.ready(now()), pk__in=notice_pks)
        found = list(mine.select_related("key__account", "key__principal").order_by("pk"))
        OwnerNotice.objects.filter(pk__in=[notice.pk for notice in found]).update(state=NoticeState.UNCERTAIN)
    if not found:
        return
    tried = mailing.deliver(_message(found, now()))
    delivered = mailing.settle(tried, asked_at=min(notice.claimed_at for notice in found), now=now())
    with transaction.atomic():
        OwnerNotice.objects.filter(pk__in=[notice.pk for notice in found]).update(**delivered.fields(now()))
        mailing.put_off(delivered, now=now())
        for notice in found if delivered.is_settled else ():
            _record(notice, str(delivered.state), now(), message=delivered.error)


def _message(asked: Sequence[OwnerNotice], now: datetime) -> EmailMultiAlternatives:
    return mailing.compose("owner-ask", {"questions": [_question(notice, now) for notice in asked]}, to=asked[0].owner)


def _question(notice: OwnerNotice, now: datetime) -> dict[str, Any]:
    key = _key(notice)
    url = f"{settings.SITE_ROOT}{reverse('owner-answer', args=[notice.uuid])}"
    return {
        "name": short_key_id(key.access_key_id),
        "user": key.principal.name,
        "account": str(key.account),
        "sentence": key_sentence(status=KeyStatus(key.status), created_at=key.created_at, last_use=last_use(key), now=now),
        "links": [(words, f"{url}?answer={answer}") for answer, words in ANSWERS.items()],
    }


def may_answer(notice: OwnerNotice, person: User) -> bool:
    """The owner by the address of their login."""
    return bool(person.email) and person.email.casefold() == notice.owner.casefold()


@transaction.atomic
def answer(notice: OwnerNotice, *, words: str, note: str, actor: User, now: datetime) -> None:
    """Keep the owner's answer; a later one replaces it. It changes nothing in AWS. Raises BadAnswer, PermissionError for others."""
    if not may_answer(notice, actor):
        raise PermissionError(f"Only {notice.owner} can answer.")
    if words not in ANSWERS:
        raise BadAnswer("Choose one of the three answers.")
    before = {"answer": notice.answer}
    notice.answer, notice.answer_note, notice.answered_at, notice.answered_by_name = words, note.strip(), now, actor.get_username()
    notice.save(update_fields=["answer", "answer_note", "answered_at", "answered_by_name"])
    _record(notice, "answered", now, actor=actor, before=before, after={"answer": words}, note=notice.answer_note)


def _key(notice: OwnerNotice) -> AccessKey:
    if notice.key is None:
        raise LookupError(f"{notice} is not about one key")
    return notice.key


def _record(notice: OwnerNotice, outcome: str, now: datetime, **values: Any) -> None:
    key = _key(notice)
    target = f"{notice.owner} about access key {key.access_key_id or key.uuid} of {key.principal.name}"
    audit.record(action="owner.ask", outcome=outcome, now=now, account=key.account, target=target, correlation_id=notice.uuid, **values)
