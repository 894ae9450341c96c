"""The Celery task of access checks: each part goes to the queue whose workers may do it. The row is the truth, as in `hygiene.tasks`."""

from __future__ import annotations

import random
import time
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.gateway import Gateway, Purpose, RootGateway, RootTask
from accounts.models import Account
from accounts.services import open_check_gateway, open_own_gateway, open_root_gateway
from hygiene.models import AccessCheck, CheckPart
from hygiene.services import access_checks, looks
from hygiene.services.clock import Clock

QUEUES = {CheckPart.ACT: "remediate", CheckPart.ROOT: "root"}  # the others: poll
LONG: dict[str, Any] = {"soft_time_limit": 1500, "time_limit": 1530}  # a large organization is listed at AWS's pace


class AwsDoors:
    """The real ways, with this worker's identity."""

    def role(self, account: Account, *, purpose: Purpose, user_arn: str = "", is_bare: bool = False) -> Gateway:
        """A session to read."""
        return open_check_gateway(account, purpose=purpose, user_arn=user_arn, is_bare=is_bare)

    def own(self, *, partition: str) -> Gateway:
        """The worker itself."""
        return open_own_gateway(partition=partition)

    def root(self, account: Account) -> RootGateway:
        """Root, to read."""
        return open_root_gateway(account, task=RootTask.AUDIT)


@shared_task(soft_time_limit=210, time_limit=225)
def check_access(check_pk: int, part: str) -> None:
    """One part of one check of access; another part is another worker's."""
    clock = Clock(now=timezone.now, sleep=time.sleep, random=random.random)
    check = access_checks.run(check_pk, part, doors=AwsDoors(), clock=clock)
    if check.is_open and check.part != part:
        wake(check)


@shared_task
def wake_checks() -> None:
    """Wake the checks whose worker died or whose message was lost."""
    for check in AccessCheck.objects.filter(pk__in=looks.due(AccessCheck, now=timezone.now())):
        wake(check)


def wake(check: AccessCheck) -> None:
    """Tell the workers that the check's part is for."""
    part = CheckPart(check.part)
    check_access.apply_async((check.pk, check.part), queue=QUEUES.get(part, "poll"), **(LONG if part is CheckPart.ADD else {}))
