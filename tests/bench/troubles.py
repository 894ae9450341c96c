"""AWS in trouble: accounts that hang, storms of throttling, and the pace. What is bad for one account is bad for no other."""

from __future__ import annotations

import bisect
from collections import Counter
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.pace import BURST
from demo.fake_aws import Fault
from hygiene.models import Poll, PollOutcome
from tests.bench.estate import organization
from tests.bench.figures import Figures
from tests.bench.served import Served, poll, register

SLOTS, ACCOUNTS, USERS = 16, 100, 100
HANGING = 10
STORM_ACCOUNTS, STORM_USERS = 16, 5
PACE, PACED_USERS, WINDOW = 20.0, 400, 5.0


def run(figures: Figures) -> None:
    """Each trouble on its own AWS, with accounts of its own."""
    hanging(figures)
    storms(figures)
    paced(figures)


def hanging(figures: Figures) -> None:
    """The time until all accounts that answer are done, without and with those that never answer."""
    figures.title(f"{HANGING} of {ACCOUNTS} accounts hang, {USERS} users each, pace off, {SLOTS} slots")
    calm = _done_after("4", ACCOUNTS - HANGING, stuck=())
    troubled = _done_after("5", ACCOUNTS, stuck=range(0, ACCOUNTS, ACCOUNTS // HANGING))
    figures.say(f"the {ACCOUNTS - HANGING} others without them", f"{calm:.1f} s")
    figures.say("the others while they hang", f"{troubled:.1f} s")
    figures.at_most("the others, in times of without them", troubled / calm, 1.1, " x")


def _done_after(prefix: str, accounts: int, *, stuck: tuple[int, ...] | range) -> float:
    """Seconds until the last account that answers is done."""
    estate = organization(accounts, USERS, prefix=prefix)
    register(estate)
    hang = {estate.accounts[place].number for place in stuck}
    with Served(accounts, USERS, prefix=prefix) as aws:
        for number in hang:
            aws.fail(Fault(number, "*", kind="hang", seconds=60, times=-1))
        started = timezone.now()
        poll(prefix, SLOTS)
    ended: list[datetime] = []
    for row in Poll.objects.filter(account__account_id__startswith=prefix).select_related("account"):
        assert row.finished_at is not None
        assert (row.outcome == PollOutcome.FAILED) is (row.account.account_id in hang), row.error
        if row.account.account_id not in hang:
            ended.append(row.finished_at)
    return (max(ended) - started).total_seconds()


def storms(figures: Figures) -> None:
    """Polls while AWS throttles so many percent of all calls: how long, and what becomes of them."""
    figures.title(f"AWS throttles, {STORM_ACCOUNTS} accounts of {STORM_USERS} users, {SLOTS} slots")
    for prefix, percent in (("6", 0), ("7", 30), ("8", 90)):
        register(organization(STORM_ACCOUNTS, STORM_USERS, prefix=prefix))
        with Served(STORM_ACCOUNTS, STORM_USERS, prefix=prefix) as aws:
            if percent:
                aws.fail(Fault("*", "*", code="Throttling", status=400, percent=percent, times=-1))
            seconds = poll(prefix, SLOTS)
        outcomes = Counter(Poll.objects.filter(account__account_id__startswith=prefix).values_list("outcome", flat=True))
        figures.say(f"{percent} % of calls throttled: first poll", f"{seconds:.1f} s")
        figures.say(f"{percent} % of calls throttled: outcomes", ", ".join(f"{count} {word}" for word, count in outcomes.items()))
        figures.at_most(f"{percent} % of calls throttled: accounts called lost", outcomes[PollOutcome.ACCESS_LOST], 0)


def paced(figures: Figures) -> None:
    """Requests that one account gets in any few seconds, told by AWS's own log."""
    figures.title(f"Pace of {PACE:g} calls a second, one account of {PACED_USERS} users that all hold a key")
    register(organization(1, PACED_USERS, prefix="9"))
    settings.AWS_CALLS_PER_SECOND = PACE
    with Served(1, PACED_USERS, prefix="9") as aws:
        seconds = poll("9", 1)
        times = sorted(entry["time"] for entry in aws.log())
    settings.AWS_CALLS_PER_SECOND = 0.0
    most = max(bisect.bisect_left(times, begin + WINDOW) - place for place, begin in enumerate(times))
    figures.say("first poll", f"{seconds:.1f} s for {len(times)} calls")
    figures.at_most(f"calls in any {WINDOW:g} s (a burst of {BURST * PACE:g} is allowed)", most, PACE * (WINDOW + BURST) + 1)
