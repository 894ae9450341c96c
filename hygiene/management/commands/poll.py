"""`manage.py poll`: polls in this process, without a broker."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from accounts.gateway import Purpose
from accounts.models import Account
from accounts.services import open_gateway
from hygiene.models import AccountStatus, Poll, PollOutcome, PollTrigger
from hygiene.services import crews, missing, policies, polling, rejudging, schedule
from hygiene.services.clock import Clock
from hygiene.services.crew import Watch
from hygiene.services.reports import Patience

PATIENCE = Patience(seconds=600)  # nobody else waits for this process
NOTES = 5  # sentences about one account


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one poll that was not complete: a line that says so, and whether its report was recorded all the same."""

    line: str
    is_recorded: bool = False


class Command(BaseCommand):
    """Exit 0: all polled. 1: some failed or were recorded in part, and it said which. 2: wrong arguments."""

    help = "Poll accounts in this process, all by default, several at a time."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and how many at a time."""
        parser.add_argument("account_id", nargs="*")
        parser.add_argument("--jobs", type=int, default=4, help="accounts at a time (4)")
        parser.add_argument("--force", action="store_true", help="also accounts that are paused here")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue a poll row for each account, run them, and judge what other accounts told of."""
        if not 1 <= options["jobs"] <= 64:
            raise CommandError("--jobs must be from 1 to 64.", returncode=2)
        accounts = self.accounts(options["account_id"], force=options["force"])
        polls = schedule.queue_polls(accounts, trigger=PollTrigger.COMMAND, now=timezone.now())
        told = [one for one in self.run(polls, options["jobs"]) if one is not None]
        while rejudging.judge_due(book=policies.load(), now=timezone.now()):
            pass
        for one in told:
            self.stderr.write(one.line)
        for line in _missing(polls):
            self.stdout.write(line)
        failed, in_part = len(told) - sum(one.is_recorded for one in told), sum(one.is_recorded for one in told)
        self.stdout.write(f"{len(polls) - failed} of {len(polls)} accounts polled{f', {in_part} of them in part' if in_part else ''}.")
        if told:
            raise CommandError(" ".join(_verdict(failed, in_part, len(polls))))

    def accounts(self, wanted: list[str], *, force: bool) -> list[Account]:
        """The accounts named, or all that are polled."""
        everyone = Account.objects.filter(removed_at__isnull=True)
        if not wanted:
            return list(everyone if force else everyone.pollable())
        found = list(everyone.filter(account_id__in=wanted))
        if missing := set(wanted) - {account.account_id for account in found}:
            raise CommandError(f"No account {', '.join(sorted(missing))} is registered.", returncode=2)
        if paused := [account.account_id for account in found if not force and not account.is_pollable]:
            raise CommandError(
                f"Not polled here (paused or suspended): {', '.join(paused)}. Use --force to poll all the same.", returncode=2
            )
        return found

    def run(self, polls: list[Poll], jobs: int) -> list[Told | None]:
        """What came of each, in the order in which polls ended; None for one that is complete."""
        results = crews.run(poll_one, polls, size=jobs)
        told: list[Told | None] = []
        try:
            for one in tqdm(results, total=len(polls), unit="account", disable=not sys.stderr.isatty(), leave=False):
                told.append(one)
        except crews.CrewLost:
            told += [Told("A process of this command was ended from outside.")] * (len(polls) - len(told))
        return told


def _verdict(failed: int, in_part: int, total: int) -> list[str]:
    """The last words of a command that ends with 1."""
    words = [f"{failed} of {total} accounts could not be polled. What was known of them is kept."] if failed else []
    return [*words, f"{in_part} of {total} accounts were recorded in part; what was set aside is told above."] if in_part else words


def _missing(polls: list[Poll]) -> list[str]:
    """One line for each permission that AWS refused to read roles, with the accounts."""
    lacking: dict[str, list[str]] = {}
    for status in AccountStatus.objects.filter(account__in=[poll.account_id for poll in polls]).select_related("account"):
        for permission in sorted(missing.refused(status)):
            lacking.setdefault(permission, []).append(status.account.account_id)
    return [f"Without {permission}: {', '.join(sorted(numbers))}." for permission, numbers in sorted(lacking.items())]


def poll_one(poll: Poll, watch: Watch) -> Told | None:
    """Run one poll; None when it is complete."""
    clock = Clock(now=timezone.now, sleep=watch.sleep, random=random.random)
    done = polling.run_poll(
        poll.pk,
        open_gateway=lambda account: watch.over(open_gateway(account, purpose=Purpose.POLL)),
        policy=policies.load().for_account(poll.account),
        clock=clock,
        patience=PATIENCE,
    )
    who = f"{poll.account.account_id} {poll.account.name}"
    if done is None:
        return Told(f"{who}: another worker is polling it.")
    if done.outcome == PollOutcome.PARTIAL:
        return Told(f"{who}: recorded in part. {_in_part(done)}", is_recorded=True)
    notes = "; ".join([done.error] if done.error else done.warnings[:NOTES])
    return None if done.outcome == PollOutcome.COMPLETE else Told(f"{who}: {done.get_outcome_display()}. {notes}")


def _in_part(done: Poll) -> str:
    """What was set aside or could not be read; every row that was set aside is counted, and the first ones are named with their reasons."""
    count = done.rows_quarantined
    rows = [f"{count} row{'' if count == 1 else 's'} of the report {'was' if count == 1 else 'were'} set aside."] if count else []
    lines = sorted(done.warnings, key=lambda line: not line.startswith("Line "))  # rows first
    return " ".join([*rows, *_cut(lines)])


def _cut(lines: Sequence[str]) -> list[str]:
    left = len(lines) - NOTES
    return [*lines[:NOTES], *([f"{left} more on the account's page."] if left > 0 else [])]
