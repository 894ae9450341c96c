"""When each account is polled: due rows, spread over the interval, with back-off for accounts that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.models import Account
from hygiene.models import AccountStatus, Poll, PollOutcome, PollRequest, PollTrigger
from hygiene.services import leases

if TYPE_CHECKING:
    from django.contrib.auth.models import User

RETRY_NOT_READY = timedelta(minutes=1)
RETRY_SOON = timedelta(seconds=30)
FIRST_RETRY = timedelta(minutes=5)
RETRY_BESIDE = timedelta(minutes=30)
STALLED = timedelta(seconds=60)
SUCCESS = (PollOutcome.COMPLETE, PollOutcome.PARTIAL)


def interval() -> timedelta:
    """The installation's POLL_INTERVAL_HOURS."""
    return timedelta(hours=settings.POLL_INTERVAL_HOURS)


def status_of(account: Account, *, now: datetime) -> AccountStatus:
    """The account's status row; made, and due at once, for an account that has none."""
    return AccountStatus.objects.get_or_create(account=account, defaults={"next_poll_at": now})[0]


def after(status: AccountStatus, poll: Poll, *, now: datetime, jitter: float, goes_on: bool = False, has_failed: bool = False) -> None:
    """Store how a poll ended and when the next is due. `jitter` from 0 up to 1.

    `goes_on`: soon, as users are left to list. `has_failed`: within half an hour, as a call beside the report got no good answer.
    """
    outcome = PollOutcome(poll.outcome)
    is_first = status.last_polled_at is None
    status.last_polled_at, status.last_outcome = now, outcome
    if outcome in SUCCESS:
        status.failing_since, status.failures, status.error_code, status.error = None, 0, "", ""
        base = max(status.report_generated_at or now, now - interval()) + interval()
        spread = interval() * jitter if is_first else timedelta(minutes=1) + timedelta(minutes=9) * jitter
        status.next_poll_at = now + RETRY_SOON if goes_on else max(base + min(spread, interval()), now + RETRY_SOON)
        if has_failed:
            status.next_poll_at = min(status.next_poll_at, now + RETRY_BESIDE)
    else:
        status.failures += 1
        status.failing_since = status.failing_since or now
        status.error_code, status.error = poll.error_code, poll.error
        status.next_poll_at = now + _pause(outcome, status.failures) * (1 + 0.2 * jitter)
    status.save()


def _pause(outcome: PollOutcome, failures: int) -> timedelta:
    """A report in the making is asked for again soon; other failures double up to the interval."""
    if outcome is PollOutcome.NOT_READY and failures <= 10:
        return RETRY_NOT_READY
    return min(FIRST_RETRY * (1 << min(failures - 1, 10)), interval())


def queue_polls(accounts: Iterable[Account], *, trigger: PollTrigger, now: datetime, request: PollRequest | None = None) -> list[Poll]:
    """One unfinished poll for each account: a new one, or the one that is already queued or running."""
    accounts = list(accounts)
    with transaction.atomic():
        for account in accounts:
            status_of(account, now=now)
        rows = [Poll(account=account, trigger=trigger, queued_at=now, request=request) for account in accounts]
        Poll.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        polls = list(Poll.objects.unfinished().filter(account__in=accounts).select_related("account"))
        if request is not None:
            Poll.objects.unfinished().filter(account__in=accounts, request__isnull=True).update(request=request)
    return polls


def queue_due(*, now: datetime) -> list[Poll]:
    """Queue the accounts whose time has come, and those never seen before. Running polls are not joined."""
    due = Account.objects.pollable().filter(Q(status__isnull=True) | Q(status__next_poll_at__lte=now))
    busy = Poll.objects.unfinished().filter(account=OuterRef("pk"))
    return queue_polls(due.filter(~Exists(busy)), trigger=PollTrigger.SCHEDULE, now=now)


def request_polls(accounts: Iterable[Account], *, user: User | None, trigger: PollTrigger, now: datetime) -> tuple[PollRequest, list[Poll]]:
    """What "Poll now" does: a request, and the polls it started or joined. An unfinished request of all the same polls is joined."""
    accounts = list(accounts)
    request = PollRequest.objects.create(requested_by=user, requested_at=now)
    polls = queue_polls(accounts, trigger=trigger, now=now, request=request)
    mine = Poll.objects.filter(pk__in=[poll.pk for poll in polls])
    joined = {number for number in mine.values_list("request", flat=True) if number not in (request.pk, None)}
    if len(joined) == 1 and not request.polls.exists():
        request.delete()
        return PollRequest.objects.get(pk=next(iter(joined))), polls
    if joined:
        mine.update(request=request)
    return request, polls


def queued_of(request_pk: int) -> list[int]:
    """Polls of a request that no worker has taken yet."""
    waiting = Poll.objects.unfinished().filter(request=request_pk, lease_expires_at__isnull=True)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def stalled(*, now: datetime) -> list[Poll]:
    """Polls to wake again: queued for a minute without a worker. Expired ones are closed and their accounts queued anew."""
    abandoned = leases.abandon_expired(now=now)
    if abandoned:
        queue_polls([poll.account for poll in abandoned if poll.account.is_pollable], trigger=PollTrigger.SCHEDULE, now=now - STALLED)
    return list(Poll.objects.unfinished().filter(lease_expires_at__isnull=True, queued_at__lte=now - STALLED))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request is."""

    total: int
    finished: int
    failed: int

    @property
    def is_finished(self) -> bool:
        """Whether every poll of it has ended."""
        return self.finished == self.total


def progress(polls: QuerySet[Poll]) -> Progress:
    """Counts of the polls of a request, or of those of them that somebody may see."""
    finished = Q(finished_at__isnull=False)
    return Progress(
        **polls.aggregate(
            total=Count("pk"), finished=Count("pk", filter=finished), failed=Count("pk", filter=finished & ~Q(outcome__in=SUCCESS))
        )
    )
