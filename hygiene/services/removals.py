"""Removing an account: it leaves polls, lists, counts and digests at once. Nothing is deleted, and registering it again brings it back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account
from accounts.services import remove_account
from hygiene.models import WAITING_STATES, Poll, PollOutcome, Remediation, State
from hygiene.services import approvals

if TYPE_CHECKING:
    from django.contrib.auth.models import User

NOT_TAKEN = "The account was removed before a worker took this poll."


def waiting(account: Account) -> QuerySet[Remediation]:
    """Changes of the account that no worker has taken up, those of campaigns among them."""
    return Remediation.objects.filter(account=account, state__in=WAITING_STATES, lease_token__isnull=True)


@transaction.atomic
def remove(account: Account, *, actor: User, now: datetime, note: str = "") -> int:
    """Take it out; what waits for it is cancelled. Returns how many changes that were. Raises NotPossible when it is out already.

    What a worker holds goes on: a change is read to its end, and a poll ends as usual but is the last one.
    """
    Account.objects.select_for_update().get(pk=account.pk)
    queued = Poll.objects.unfinished().filter(account=account, lease_expires_at__isnull=True)
    queued.update(finished_at=now, outcome=PollOutcome.ABANDONED, error_code="Removed", error=NOT_TAKEN)
    rows = list(waiting(account).select_related("account", "requested_by", "plan").order_by("pk"))
    sentence = f"{account.name} was removed from Key Hygiene by {actor.get_username()}."
    ended = approvals.close(rows, State.CANCELLED, sentence, now=now, actor=actor)
    remove_account(account, actor=actor, now=now, note=note)
    return ended
