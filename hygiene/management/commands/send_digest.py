"""`manage.py send_digest`: composes and sends what is due, in this process; `--dry-run` prints instead."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hygiene.filters.builtin import look_at
from hygiene.models import DeliveryState, DigestDelivery, DigestSubscription
from hygiene.services import digests, policies
from hygiene.services.clock import Clock
from hygiene.services.digest_mail import text_of
from hygiene.services.digest_slots import period_of

GOOD = (DeliveryState.SENT, DeliveryState.SKIPPED)
YEARS = range(2000, 2201)


class Command(BaseCommand):
    """Exit 0: all that was due is sent or had nothing to say. 1: some part failed. 2: wrong arguments."""

    help = "Compose and send the digests that are due."

    def add_arguments(self, parser: CommandParser) -> None:
        """To whom, when, or only on paper."""
        parser.add_argument("--to", metavar="ADDRESS", help="only this recipient, and for this week even before the slot")
        parser.add_argument("--now", metavar="ISO", help="the moment to compose for, such as 2026-11-23T08:00:00Z")
        parser.add_argument("--dry-run", action="store_true", help="print what would be sent, send nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send, or print."""
        now = _moment(options["now"])
        everybody, due = self._wanted(options["to"], now)
        if options["dry_run"]:
            is_all_well = self._print(everybody, due, now)
        else:
            for subscription in due:
                digests.claim(subscription, now=now)
            is_all_well = self._send(digests.made_before(everybody, now=now), now)
        if not is_all_well:
            raise CommandError("Some digests were not sent; the lines above say why.")

    def _wanted(self, address: str | None, now: datetime) -> tuple[list[DigestSubscription], list[DigestSubscription]]:
        """Whose digest this is about, and those of them who are to have one now if none was made for this week or day."""
        if address is None:
            digests.subscribe_everybody(now=now)
            receiving = DigestSubscription.objects.filter(is_on=True, user__is_active=True).select_related("user")
            return list(receiving.exclude(user__email="")), digests.due(now=now)
        if not address.strip():
            raise CommandError(f"{address!r} is no address.", returncode=2)
        user = User.objects.filter(email__iexact=address.strip(), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {address}.", returncode=2)
        only = [digests.subscription_of(user, now=now)]
        return only, only

    def _send(self, rows: list[DigestDelivery], now: datetime) -> bool:
        """Send what may be sent, and say what became of each. Whether all of them are sent or had nothing to say."""
        clock, policy = Clock(now=lambda: now, sleep=time.sleep, random=random.random), policies.load().installation
        is_all_well, had = True, 0
        for row in rows:
            outcome = None
            if row.state not in GOOD and not digests.hold_up(row, now=now):
                digests.free(row, now=now)
                outcome = digests.send(row.pk, policy=policy, clock=clock, look=look_at)
                row.refresh_from_db()
            if outcome is None:
                had += row.state in GOOD
                self._say_hold_up(row, now, else_say=row.error or "another process has tried it")
            else:
                self.stdout.write(f"{outcome.address}: {outcome.state}{f' ({outcome.words})' if outcome.words else ''}")
            is_all_well = is_all_well and row.state in GOOD
        self._say_had(had)
        return is_all_well

    def _print(self, everybody: list[DigestSubscription], due: list[DigestSubscription], now: datetime) -> bool:
        """What would be sent, and what stands in the way of the others. Whether nothing does."""
        rows, policy = digests.made_before(everybody, now=now), policies.load().installation
        made = {row.address for row in rows}
        again = [row.user for row in rows if row.state not in GOOD and not digests.hold_up(row, now=now) and row.user]
        wanted = [row for row in due if row.user.email not in made] + [digests.subscription_of(user, now=now) for user in again]
        for subscription in wanted:
            digest = digests.preview(subscription.user, week=period_of(subscription, now), policy=policy, now=now, look=look_at)
            self.stdout.write(f"To: {subscription.user.email}\nSubject: {digest.subject}\n\n{text_of(digest, subscription)}")
        for row in rows:
            self._say_hold_up(row, now)
        self._say_had(sum(row.state in GOOD for row in rows))
        self.stdout.write(f"{len(wanted)} would be sent.")
        return all(row.state in GOOD or not digests.hold_up(row, now=now) for row in rows)

    def _say_hold_up(self, row: DigestDelivery, now: datetime, *, else_say: str = "") -> None:
        if row.state not in GOOD and (words := digests.hold_up(row, now=now) or else_say):
            self.stdout.write(f"{row.address}: {words}")

    def _say_had(self, count: int) -> None:
        if count:
            self.stdout.write(f"{count} had this week's digest already.")


def _moment(text: str | None) -> datetime:
    if text is None:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--now must be a time such as 2026-11-23T08:00:00Z, not {text!r}.", returncode=2) from error
    if moment.year not in YEARS:
        raise CommandError(f"--now must be a time in the years {YEARS[0]} to {YEARS[-1]}, not {text!r}.", returncode=2)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
