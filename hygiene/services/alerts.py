"""Alerts: what a person must look at. One open row for each kind and subject, until somebody acknowledges it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import audit
from accounts.models import Account
from hygiene.models import Alert, Principal

if TYPE_CHECKING:
    from django.contrib.auth.models import User

NEW_KEY = "new_key_after_disable"
BREAKER = "breaker"
MISSED = "schedule_missed"
AUDIT_BROKEN = "audit_broken"


def raise_alert(
    *, kind: str, subject: str, sentence: str, now: datetime, account: Account | None = None, principal: Principal | None = None
) -> Alert:
    """Open an alert, unless one of this kind and subject is open already. In the caller's transaction."""
    values = {"account": account, "principal": principal, "sentence": sentence, "raised_at": now}
    alert, is_new = Alert.objects.get_or_create(kind=kind, subject=subject[:128], acknowledged_at=None, defaults=values)
    if is_new:
        audit.record(action=f"alert.{kind}", outcome="raised", now=now, account=account, target=subject, message=sentence)
    return alert


@transaction.atomic
def acknowledge(alert: Alert, *, actor: User, now: datetime) -> None:
    """Somebody has seen it. Doing so twice is one acknowledgement."""
    mine = Alert.objects.filter(pk=alert.pk, acknowledged_at__isnull=True)
    if mine.update(acknowledged_at=now, acknowledged_by_name=actor.get_username()):
        audit.record(
            action=f"alert.{alert.kind}",
            outcome="acknowledged",
            now=now,
            actor=actor,
            account=alert.account,
            target=alert.subject,
            message=alert.sentence,
        )
