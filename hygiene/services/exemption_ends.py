"""Exemptions that end by themselves, the reminder before it, and judging again what they cover. Run by beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from accounts import audit
from accounts.models import Account
from hygiene.domain.facts import KeyStatus
from hygiene.domain.policy import Policy
from hygiene.domain.wording import day
from hygiene.models import AccessKey, AccountStatus, Exemption, ExemptionEnd, ExemptionScope, Principal
from hygiene.services import findings, mailing, posture
from hygiene.services.exemptions import ENDING, cover_of, end, rule_titles

Policies = Callable[[Account], Policy]
MOST_PER_RUN = 500
WAITS, AWAY = "waits", "server away"
QUICK_ROWS = 10
QUICK_USERS = 500


def end_due(*, now: datetime) -> list[Exemption]:
    """End what came to its date, and what covers a key that was replaced or anything that is gone. Returns those that ended."""
    related = Exemption.objects.live().select_related("account", "principal__account", "key__principal", "key__account")
    over = Q(ends_at__lte=now) | Q(principal__gone_at__isnull=False) | Q(key__gone_at__isnull=False) | Q(account__removed_at__isnull=False)
    quiet_key = Q(scope=ExemptionScope.KEY, key__status=KeyStatus.INACTIVE)
    ended = []
    for row in related.filter(over | quiet_key).order_by("pk")[:MOST_PER_RUN]:
        why = _why(row, now)
        if why is None:
            continue
        with transaction.atomic():
            if end(row, why, now=now):
                ended.append(row)
    return ended


def _why(row: Exemption, now: datetime) -> ExemptionEnd | None:
    """Why it ends, if it does."""
    if row.ends_at <= now:
        return ExemptionEnd.EXPIRED
    if row.key and _is_replaced(row.key):
        return ExemptionEnd.REPLACED
    is_gone = (row.key and row.key.gone_at) or (row.principal and row.principal.gone_at) or (row.account and row.account.removed_at)
    return ExemptionEnd.GONE if is_gone else None


def _is_replaced(key: AccessKey) -> bool:
    """Gone or disabled, while its user holds a newer key."""
    if key.gone_at is None and key.status != KeyStatus.INACTIVE:
        return False
    newer = AccessKey.objects.present().filter(principal=key.principal_id, status=KeyStatus.ACTIVE).exclude(pk=key.pk)
    return newer.filter(created_at__gt=key.created_at).exists() if key.created_at else False


def reevaluate(row: Exemption, *, policies: Policies, now: datetime) -> None:
    """Judge again what the exemption covers, so that its findings are exempt, or open, at once."""
    accounts = Account.objects.filter(removed_at__isnull=True, status__report_generated_at__isnull=False)
    if row.scope != ExemptionScope.TAG:
        accounts = accounts.filter(exemptions=row)
    only = row.principal_id if row.scope in (ExemptionScope.KEY, ExemptionScope.USER) else None
    for account in accounts.select_related("status"):
        status: AccountStatus = account.status
        policy = policies(account)
        with transaction.atomic():
            if only is None:
                findings.reevaluate_account(account, status, policy=policy, now=now)
            else:
                people = list(Principal.objects.present().filter(pk=only))
                findings.reevaluate_principals(account, status, people, policy=policy, now=now)
            posture.refresh(account, status, policy=policy, now=now)


def is_quick(rows: Sequence[Exemption]) -> bool:
    """Whether what they cover can be judged again while a person waits: few, of named accounts, none of them large. One query."""
    if len(rows) > QUICK_ROWS or any(row.account_id is None for row in rows):
        return False
    whole = [row.account_id for row in rows if row.scope == ExemptionScope.ACCOUNT]
    return not AccountStatus.objects.filter(account__in=whole, users__gt=QUICK_USERS).exists()


def due_reminders(*, now: datetime) -> list[Exemption]:
    """Live exemptions that end within 14 days, or half of their time if that is shorter, and that nobody was reminded of."""
    soon = Exemption.objects.live().filter(reminded_at__isnull=True, ends_at__gt=now, ends_at__lte=now + ENDING)
    rows = soon.select_related("account", "principal__account", "key__principal", "key__account").order_by("ends_at", "pk")
    return [row for row in rows[:MOST_PER_RUN] if row.ends_at - now <= max(timedelta(days=1), (row.ends_at - row.created_at) / 2)]


def address_of(name: str) -> str:
    """The mail address of who accepts a risk: an address as it is, or that of the login of this name; "" when there is none."""
    if "@" in name:
        return name
    user = User.objects.filter(username__iexact=name, is_active=True).first()
    return user.email if user else ""


def remind(row: Exemption, *, now: datetime) -> str:
    """One reminder, claimed before it is sent, so that nobody is reminded twice. Returns what came of it, for the audit log.

    A mail that the server puts off WAITS for the next run; while the server is AWAY every other does too.
    """
    if not Exemption.objects.live().filter(pk=row.pk, reminded_at__isnull=True).update(reminded_at=now):
        return "claimed"
    address = address_of(row.accepted_by)
    outcome, message = "no_address", f"{row.accepted_by} has no mail address here."
    if address:
        delivered = mailing.deliver(_message(row, address, now))
        if not delivered.is_settled:
            Exemption.objects.filter(pk=row.pk).update(reminded_at=None)
            mailing.put_off(delivered, now=now)
            return AWAY if delivered.is_server_away else WAITS
        outcome, message = str(delivered.state), delivered.error or f"to {address}"
    words = cover_of(row).words
    audit.record(action="exemption.remind", outcome=outcome, now=now, account=row.account, target=words, message=message)
    return outcome


def _message(row: Exemption, address: str, now: datetime) -> EmailMultiAlternatives:
    context = {
        "words": cover_of(row).words,
        "rules": rule_titles(row.rules),
        "row": row,
        "ends": day(row.ends_at),
        "days": (row.ends_at - now).days,
        "url": f"{settings.SITE_ROOT}{reverse('exemption', args=[row.uuid])}",
    }
    return mailing.compose("exemption-reminder", context, to=address)
