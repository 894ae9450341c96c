"""`manage.py poll`: polls in this process, without a broker."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
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
GRACE = 5  # seconds for a forked process to end
A_MOMENT = timedelta(milliseconds=1)  # more than what a float leaves out of a time
STOPPED = "The command that ran this poll was stopped. The account is polled again when it is due."


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one poll that was not complete: a line that says so, and whether its report was recorded all the same."""

    line: str
    is_recorded: bool = False


class Begun:
    """Which polls this process and those that it forks have begun, so that none of them stays claimed when they are stopped."""

    def __init__(self, polls: Sequence[Poll], *, queued_at: datetime) -> None:
        self.pks, self.queued_at, self.is_stopped = [poll.pk for poll in polls], queued_at, False
        self._places, self._process = {pk: place for place, pk in enumerate(self.pks)}, os.getpid()
        self._moments = multiprocessing.get_context("fork").RawArray("d", len(polls) or 1)  # 0: not begun, or ended

    def run(self, poll: Poll, watch: Watch) -> Told | None:
        """Run one poll, unless the command was stopped."""
        if self.is_stopped:
            return Told("The command was stopped.")
        place = self._places[poll.pk]
        self._moments[place] = timezone.now().timestamp()
        told = poll_one(poll, watch)
        self._moments[place] = 0
        return told

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """A Ctrl-C within this block ends it and the forked processes. However it ends, what is still begun is closed."""
        is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        is_ours = is_usual and threading.current_thread() is threading.main_thread()
        if is_ours:
            signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        except KeyboardInterrupt:
            self.is_stopped = True
            _end_children()
            if not connection.in_atomic_block:
                connection.close()  # it may have been left within a statement
        finally:
            self._close(now=timezone.now())
            if is_ours:
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def _interrupt(self, *_: object) -> None:
        """A terminal's Ctrl-C reaches all processes at once; the forked ones leave it to this one, which needs no second one."""
        if os.getpid() == self._process and not self.is_stopped:
            raise KeyboardInterrupt

    def _close(self, *, now: datetime) -> None:
        """Close what was begun here and has not ended, and what was queued here and nobody has taken or asked for."""
        mine = Poll.objects.unfinished().filter(pk__in=self.pks)
        closed = {"finished_at": now, "outcome": PollOutcome.ABANDONED, "error_code": "Abandoned", "error": STOPPED}
        began = {pk: datetime.fromtimestamp(moment, UTC) for pk, moment in zip(self.pks, self._moments, strict=False) if moment}
        for poll in mine.filter(pk__in=began, lease_expires_at__isnull=False):
            if poll.started_at and poll.started_at >= began[poll.pk] - A_MOMENT:  # else another worker had it before
                mine.filter(pk=poll.pk, lease_token=poll.lease_token).update(**closed)
        queued = mine.filter(trigger=PollTrigger.COMMAND, queued_at=self.queued_at, request__isnull=True)
        queued.filter(lease_expires_at__isnull=True).update(**closed)


class Command(BaseCommand):
    """Exit 0: all polled. 1: some failed or were recorded in part, and it said which, or it was stopped. 2: wrong arguments."""

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
        accounts, now = self.accounts(options["account_id"], force=options["force"]), timezone.now()
        polls = schedule.queue_polls(accounts, trigger=PollTrigger.COMMAND, now=now)
        begun, results = Begun(polls, queued_at=now), list[Told | None]()
        with begun.guarded():
            self.run(polls, options["jobs"], begun, results)
            while rejudging.judge_due(book=policies.load(), now=timezone.now()):
                pass
        told = [one for one in results if one is not None]
        for one in told:
            self.stderr.write(one.line)
        if begun.is_stopped:
            raise CommandError(_stopped(begun))
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

    def run(self, polls: list[Poll], jobs: int, begun: Begun, told: list[Told | None]) -> None:
        """Add what came of each to `told`, in the order in which polls ended; None for one that is complete."""
        results = crews.run(begun.run, polls, size=jobs)
        try:
            for one in tqdm(results, total=len(polls), unit="account", disable=not sys.stderr.isatty(), leave=False):
                told.append(one)
        except crews.CrewLost:
            told += [Told("A process of this command was ended from outside.")] * (len(polls) - len(told))


def _end_children() -> None:
    """Processes that this one forked. What they have not committed is undone."""
    children = multiprocessing.active_children()
    for child in children:
        child.terminate()
    for child in children:
        child.join(GRACE)
        if child.is_alive():
            child.kill()
            child.join()


def _stopped(begun: Begun) -> str:
    """The last words of a command that was stopped."""
    polled = Poll.objects.filter(pk__in=begun.pks, outcome__in=schedule.SUCCESS).count()
    return f"Stopped: {polled} of {len(begun.pks)} accounts were polled. What was known of the others is kept. Run it again to poll them."


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
