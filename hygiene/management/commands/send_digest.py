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
from hygiene.models import DeliveryState, DigestSubscription
from hygiene.services import digests, policies
from hygiene.services.clock import Clock
from hygiene.services.digest_mail import text_of
from hygiene.services.digest_slots import period_of

GOOD = (DeliveryState.SENT, DeliveryState.SKIPPED)


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
        now, policy = _moment(options["now"]), policies.load().installation
        subscriptions = self._wanted(options["to"], now)
        if options["dry_run"]:
            for subscription in subscriptions:
                digest = digests.preview(subscription.user, week=period_of(subscription, now), policy=policy, now=now, look=look_at)
                self.stdout.write(f"To: {subscription.user.email}\nSubject: {digest.subject}\n\n{text_of(digest, subscription)}")
            self.stdout.write(f"{len(subscriptions)} would be sent.")
            return
        clock = Clock(now=lambda: now, sleep=time.sleep, random=random.random)
        claimed = [digests.claim(subscription, now=now) for subscription in subscriptions]
        outcomes = [digests.send(delivery.pk, policy=policy, clock=clock, look=look_at) for delivery in claimed if delivery is not None]
        done = [outcome for outcome in outcomes if outcome is not None]
        for outcome in done:
            self.stdout.write(f"{outcome.address}: {outcome.state}{f' ({outcome.words})' if outcome.words else ''}")
        if len(done) < len(subscriptions):
            self.stdout.write(f"{len(subscriptions) - len(done)} had this week's digest already.")
        if any(outcome.state not in GOOD for outcome in done):
            raise CommandError("Some digests were not sent; the lines above say why.")

    def _wanted(self, address: str | None, now: datetime) -> list[DigestSubscription]:
        if address is None:
            digests.subscribe_everybody(now=now)
            return digests.due(now=now)
        user = User.objects.filter(email__iexact=address, is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {address}.", returncode=2)
        return [digests.subscription_of(user, now=now)]


def _moment(text: str | None) -> datetime:
    if text is None:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--now must be a time such as 2026-11-23T08:00:00Z, not {text!r}.", returncode=2) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
