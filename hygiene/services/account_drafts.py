"""Drafts of accounts that are being added: kept for their person, tested, registered, and gone then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.models import Account
from accounts.registry import add_account
from hygiene.models import AccessCheck, AccountDraft, PollRequest, PollTrigger
from hygiene.services import access_checks, organization_checks, schedule

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class CannotAdd(Exception):
    """It cannot be added; the message says why."""


def draft_of(user: User, *, now: datetime) -> AccountDraft:
    """The person's draft, made with a new external id when there is none: a form that was never touched is one too."""
    return AccountDraft.objects.get_or_create(user=user, defaults={"created_at": now, "updated_at": now})[0]


def keep(draft: AccountDraft, answers: Mapping[str, str], *, now: datetime) -> None:
    """Keep what was typed, valid or not. The external id stays."""
    draft.answers, draft.updated_at = dict(answers), now
    draft.save(update_fields=["answers", "updated_at"])


def discard(user: User) -> None:
    """Throw the draft away, and its external id with it."""
    AccountDraft.objects.filter(user=user).delete()


def check_of(draft: AccountDraft, spec: Mapping[str, Any] | None) -> tuple[AccessCheck | None, bool]:
    """The draft's newest check, and whether it is about what the form says now."""
    check = access_checks.newest(draft=draft)
    return check, check is not None and spec is not None and access_checks.same(check.spec, spec)


@transaction.atomic
def register(
    draft: AccountDraft, columns: Mapping[str, Any], *, actor: User, now: datetime, is_tested: bool
) -> tuple[Account, PollRequest]:
    """Register the account with the draft's external id and queue its first poll, for which the caller wakes a worker.

    Its tests stay with the account; the draft is gone. Raises AlreadyRegistered and ImportRefused as `add_account`.
    """
    values = {**columns, "external_id": draft.external_id}
    account = add_account(values, actor=actor, now=now, note="" if is_tested else access_checks.UNTESTED)
    draft.access_checks.filter(spec__account_id=account.account_id).update(account=account)
    draft.delete()
    request, _ = schedule.request_polls([account], user=actor, trigger=PollTrigger.MANUAL, now=now)
    return account, request


def discover(draft: AccountDraft, spec: dict[str, Any], *, actor: User, now: datetime, is_tested: bool) -> tuple[AccessCheck, bool]:
    """Have a worker list the organization and add its accounts. As `access_checks.request`; CannotAdd for a narrowed scope."""
    if words := organization_checks.refusal(actor):
        raise CannotAdd(words)
    return access_checks.request({**spec, "adds": True, "is_tested": is_tested}, actor=actor, now=now, draft=draft)
