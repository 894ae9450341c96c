"""What owners answer to a campaign: it is in use and leaves, it may be disabled at once, or it is not theirs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import audit
from hygiene.domain.wording import plural, short_key_id
from hygiene.models import WAITING_STATES, AccessKey, NoticeKind, NoticeState, OwnerNotice, Remediation
from hygiene.services import alerts, campaigns
from hygiene.services.arrows import entry
from hygiene.services.campaign_mail import keys_of
from hygiene.services.notices import ANSWERS, BadAnswer, may_answer

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DISABLE_ASKED = "owner_asks_to_disable"


@transaction.atomic
def answer(notice: OwnerNotice, *, words: str, chosen: Collection[str], note: str, actor: User, now: datetime) -> list[int]:
    """Keep the owner's answer for the chosen changes (uuids). Returns changes that may begin now, to be woken.

    Raises PermissionError for others than the owner, BadAnswer without an answer or a key.
    """
    if not may_answer(notice, actor):
        raise PermissionError(f"Only {notice.owner} can answer.")
    rows = [row for row in keys_of(notice) if str(row.uuid) in chosen]
    if words not in ANSWERS or not rows:
        raise BadAnswer("Choose one of the three answers." if words not in ANSWERS else "Choose the keys that you answer for.")
    notice.answer, notice.answer_note, notice.answered_at, notice.answered_by_name = words, note.strip(), now, actor.get_username()
    notice.save(update_fields=["answer", "answer_note", "answered_at", "answered_by_name"])
    _keep_for_keys(notice, rows)
    target = f"{notice.owner} about {plural(len(rows), 'key')} of campaign {notice.plan.uuid if notice.plan else ''}"
    names = [row.target_id for row in rows]
    after = {"answer": words, "keys": names}
    audit.record(
        action="campaign.answer",
        outcome="answered",
        now=now,
        actor=actor,
        target=target,
        note=note.strip(),
        after=after,
        correlation_id=notice.uuid,
    )
    picked = Remediation.objects.filter(pk__in=[row.pk for row in rows])
    if words == "in_use":
        said = f"its owner says that it is in use{f': {note.strip()}' if note.strip() else '.'}"
        campaigns.let_go(picked, words=said, code="owner_in_use", actor=actor, now=now)
    return _bring_forward(rows, actor=actor, now=now) if words == "disable_now" else []


def _keep_for_keys(notice: OwnerNotice, rows: list[Remediation]) -> None:
    """The answer as evidence on the page of each key, as if its owner had been asked about that key alone."""
    for row in rows:
        OwnerNotice.objects.create(
            key=row.this_key,
            owner=notice.owner,
            kind=NoticeKind.ASK,
            state=NoticeState.SENT,
            claimed_at=notice.claimed_at,
            sent_at=notice.sent_at,
            answer=notice.answer,
            answer_note=notice.answer_note,
            answered_at=notice.answered_at,
            answered_by_name=notice.answered_by_name,
        )


def _bring_forward(rows: list[Remediation], *, actor: User, now: datetime) -> list[int]:
    """The owner needs no more days. It is still checked, approved where that is asked, and done in the change window."""
    free = Remediation.objects.filter(pk__in=[row.pk for row in rows], state__in=WAITING_STATES, lease_token__isnull=True)
    ready = list(free.select_related("account", "plan", "requested_by").order_by("pk"))
    free.update(due_at=now)
    words = f"Brought forward: its owner {actor.get_username()} asks to disable it now."
    audit.record_many(entry(row, "brought_forward", now=now, message=words, actor=actor) for row in ready)
    return [row.pk for row in ready]


@transaction.atomic
def ask_to_disable(key: AccessKey, *, owner: str, now: datetime) -> None:
    """An owner who may not request changes asks for one: somebody who may is told in the queue."""
    sentence = f"{owner} asks to disable {short_key_id(key.access_key_id)} of {key.principal.name} in {key.account.name} now."
    subject = key.access_key_id or str(key.uuid)
    alerts.raise_alert(kind=DISABLE_ASKED, subject=subject, sentence=sentence, now=now, account=key.account, principal=key.principal)
