"""A minute after a key was disabled or deleted its user is listed once more: a key made after our call is told to people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from accounts.gateway import AwsError, Gateway, ListedKey
from hygiene.domain.wording import short_key_id
from hygiene.models import Remediation
from hygiene.services import alerts
from hygiene.services.clock import Clock

AFTER = timedelta(seconds=60)
AGAIN = timedelta(minutes=2)
GIVE_UP = timedelta(minutes=15)


def due(now: datetime) -> list[int]:
    """Primary keys of changes whose user is to be listed again."""
    rows = Remediation.objects.filter(second_look_at__lte=now, second_looked_at__isnull=True)
    return list(rows.order_by("second_look_at", "pk").values_list("pk", flat=True))


def look_again(remediation_pk: int, *, open_gateway: Callable[[Remediation, tuple[str, ...]], Gateway], clock: Clock) -> None:
    """List the user's keys; raise an alert for one made after our call. Unreadable, it is tried again for a quarter of an hour."""
    row = Remediation.objects.select_related("account", "principal", "requested_by", "plan").get(pk=remediation_pk)
    if row.second_look_at is None or row.second_looked_at is not None or row.called_at is None:
        return
    try:
        listed = open_gateway(row, ()).list_access_keys(row.user_name)
    except AwsError:
        now = clock.now()
        given_up = now if now - row.called_at > GIVE_UP else None
        Remediation.objects.filter(pk=row.pk).update(second_look_at=now + AGAIN, second_looked_at=given_up)
        return
    _tell(row, [key for key in listed if _is_new(key, row, row.called_at)], clock.now())


def _is_new(key: ListedKey, row: Remediation, called_at: datetime) -> bool:
    """Not among the keys that the user had just before our call; AWS's clock and ours may differ by more than that takes."""
    before = row.live_before.get("listed")
    if before is not None:
        return key.access_key_id not in before
    return key.created_at is not None and key.created_at > called_at


@transaction.atomic
def _tell(row: Remediation, fresh: list[ListedKey], now: datetime) -> None:
    if not Remediation.objects.filter(pk=row.pk, second_looked_at__isnull=True).update(second_looked_at=now):
        return
    for key in fresh:
        done = "disabled" if row.action == "disable" else "deleted"
        sentence = f"{row.user_name} in {row.account.name} has a new key {short_key_id(key.access_key_id)}, made after its key was {done}."
        alerts.raise_alert(
            kind=alerts.NEW_KEY, subject=key.access_key_id, sentence=sentence, now=now, account=row.account, principal=row.principal
        )
