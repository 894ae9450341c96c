"""`manage.py sweep`: one pass of the sweeper."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from hygiene.services import campaigns, schedule, second_look, sweeper
from hygiene.tasks import look_again, poll_account, send_owner_notice, wake


class Command(BaseCommand):
    """Wakes changes and polls whose worker is gone."""

    help = "Wake what a dead worker or a lost message left behind."

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent."""
        now = timezone.now()
        sweeper.tidy(now=now)
        for pk in campaigns.tend(now=now):
            send_owner_notice.delay(pk)
        for pk in second_look.due(now=now):
            look_again.delay(pk)
        changes, polls = sweeper.due(now=now), schedule.stalled(now=now)
        wake(changes)
        for poll in polls:
            poll_account.delay(poll.pk)
        self.stdout.write(f"Woke {len(changes)} changes and {len(polls)} polls.")
