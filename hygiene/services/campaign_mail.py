"""Mails of campaigns to owners: what will be disabled when, what was done, and the links to answer. Sent at most once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.urls import reverse

from accounts import audit
from hygiene.domain.facts import KeyStatus
from hygiene.domain.wording import day, key_sentence, plural, short_key_id
from hygiene.models import SUCCESS_STATES, WAITING_STATES, NoticeKind, NoticeState, OwnerNotice, Remediation
from hygiene.services import mailing
from hygiene.services.live_keys import last_use
from hygiene.services.notices import ANSWERS, owner_of
from hygiene.services.openings import openings


def send(notice_pk: int, *, now: Callable[[], datetime]) -> None:
    """Send one claimed notice of a campaign; it counts as uncertain from before the mail server is called until that has answered.

    An owner of whose keys nothing waits any more gets no warning: the notice is closed as failed, with that reason. While the mail server
    cannot be asked the notice waits (`mailing`): a warning for as long as its campaign, which does not act before (`grace.is_unsent`).
    """
    with transaction.atomic():
        mine = OwnerNotice.objects.select_for_update().filter(mailing.ready(now()), pk=notice_pk, plan__isnull=False)
        notice = mine.first()
        if notice is None:
            return
        OwnerNotice.objects.filter(pk=notice.pk).update(state=NoticeState.UNCERTAIN)
    rows = keys_of(notice)
    delivered = mailing.Delivered(NoticeState.FAILED, "Nothing of this owner waits any more.")
    if rows:
        delivered = mailing.deliver(_message(notice, rows, now()))
    if notice.kind == NoticeKind.DONE:
        delivered = mailing.settle(delivered, asked_at=notice.claimed_at, now=now())
    with transaction.atomic():
        OwnerNotice.objects.filter(pk=notice.pk).update(**delivered.fields(now()))
        mailing.put_off(delivered, now=now())
        if delivered.is_settled:
            _record(notice, delivered, len(rows), now())


def _record(notice: OwnerNotice, delivered: mailing.Delivered, keys: int, now: datetime) -> None:
    audit.record(
        action="campaign.notice",
        outcome=str(delivered.state),
        now=now,
        target=f"{notice.owner}: {notice.get_kind_display()}, {plural(keys, 'key')}",
        message=delivered.error,
        correlation_id=notice.uuid,
    )


def keys_of(notice: OwnerNotice) -> list[Remediation]:
    """Changes that a notice is about, by account and user: what waits still, or for the last mail what was done."""
    states = SUCCESS_STATES if notice.kind == NoticeKind.DONE else WAITING_STATES
    rows = Remediation.objects.filter(plan=notice.plan, state__in=states, key__isnull=False)
    found = rows.select_related("account", "key__principal", "key__account", "plan").order_by("account__name", "user_name", "pk")
    return [row for row in found if owner_of(row.this_key) == notice.owner]


def _message(notice: OwnerNotice, rows: list[Remediation], now: datetime) -> EmailMultiAlternatives:
    url = f"{settings.SITE_ROOT}{reverse('campaign-answer', args=[notice.uuid])}"
    is_done = notice.kind == NoticeKind.DONE
    begins = {} if is_done else openings(rows, now=now)
    context = {
        "is_done": is_done,
        "count": plural(len(rows), "access key"),
        "date": "" if is_done else _date_words(rows, begins),
        "accounts": _by_account(rows, begins, now),
        "links": [(words, f"{url}?answer={answer}") for answer, words in ANSWERS.items()],
        "url": url,
        "asked_by": rows[0].requested_by_name,
        "reason": rows[0].get_reason_display(),
        "note": rows[0].note,
    }
    return mailing.compose("campaign", context, to=notice.owner)


def _date_words(rows: list[Remediation], begins: Mapping[int, datetime | None]) -> str:
    """The earliest day on which a change window of the keys' accounts is open; "from" where not all can be disabled on that day."""
    days = {day(moment) if moment else "" for moment in begins.values()}
    first = min(filter(None, begins.values()), default=rows[0].plan.run_at)
    return f"{'on' if len(days) == 1 and days != {''} else 'from'} {day(first)}" if first else ""


def _begins(row: Remediation, moment: datetime | None) -> str:
    """When a window lets the changes of an account begin; "" for an account in which the campaign's own moment holds."""
    if moment is None:
        return "no change window opens"
    is_plain = not row.account.change_window and moment == row.plan.run_at
    return "" if is_plain else f"from {day(moment)}, {moment:%H:%M} UTC"


def _by_account(rows: Iterable[Remediation], begins: Mapping[int, datetime | None], now: datetime) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        key = row.this_key
        sentence = key_sentence(status=KeyStatus(key.status), created_at=key.created_at, last_use=last_use(key), now=now)
        line = {"name": short_key_id(key.access_key_id), "user": key.principal.name, "sentence": sentence}
        found.setdefault((str(row.account), _begins(row, begins[row.pk]) if begins else ""), []).append(line)
    return [{"name": name, "begins": words, "keys": keys} for (name, words), keys in found.items()]
