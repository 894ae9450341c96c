"""What workers of the fault tests do, each in a process of its own: the product's services with a shared clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import audit_chain
from accounts.gateway import Purpose
from accounts.models import Account, AuditEvent
from accounts.services import open_gateway
from hygiene.domain.policy import resolve
from hygiene.models import AccessKey, Action, Poll, PollTrigger, Remediation
from hygiene.services import change_rules, polling, remediation, schedule, sweeper
from hygiene.services.arrows import DRIVEN_STATES
from hygiene.services.plans import expected_typing, make_plan
from hygiene.tasks import gateway_of
from tests.faults.runner import SharedTime

OPERATOR = "o'brien <ops>"
SWEEPS_EVERY = 15.0
WIDE = {  # no cap and no breaker comes between a case and the next
    **{f"{scope}_{kind}": 1000 for scope in ("operator_hour", "installation_hour") for kind in ("disable", "delete", "root")},
    **{f"account_day_{kind}": 100 for kind in ("disable", "delete", "root")},
    "account_day_disable": 10_000,
    "account_day_delete": 10_000,
    "approvals_delete": 0,
    "breaker_failures": 1000,
    "breaker_window": 1000,
}


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker has: the time, and `watch`, from which on its boundaries count."""

    time: SharedTime
    watch: Callable[[], None]


def prepare(job: Job, *, accounts: list[dict[str, Any]]) -> None:
    """Tables, people, rules, accounts, a first poll; keys that AWS shows as inactive were disabled a month ago."""
    call_command("migrate", verbosity=0)
    call_command("create_roles", verbosity=0)
    now = job.time.now()
    operator, administrator = (User.objects.create_user(name, f"{name[:4]}@example.com", "x") for name in (OPERATOR, "admin"))
    operator.groups.add(Group.objects.get(name="operator"))
    administrator.groups.add(Group.objects.get(name="administrator"))
    change_rules.save(WIDE, actor=administrator, now=now)
    for values in accounts:
        Account.objects.create(**values, allows_remediation=True, created_at=now, updated_at=now)
    poll(job)
    AccessKey.objects.filter(status="inactive").update(disabled_here_at=now - timedelta(days=30))


def poll(job: Job, *, account: str = "") -> dict[str, Any]:
    """Poll an account, or all of them, as the tasks do."""
    rows = Account.objects.filter(**({"account_id": account} if account else {}))
    polls = schedule.queue_polls(rows, trigger=PollTrigger.COMMAND, now=job.time.now())
    return _run([row.pk for row in polls], job)


def _run(pks: list[int], job: Job) -> dict[str, Any]:
    job.watch()
    for pk in pks:
        polling.run_poll(pk, open_gateway=partial(open_gateway, purpose=Purpose.POLL), policy=resolve(), clock=job.time.clock())
    return {"polls": pks}


def change(job: Job, *, action: str, key: str) -> dict[str, Any]:
    """Ask for one change as the operator, and execute it; boundaries count from the claim on."""
    row = AccessKey.objects.get(access_key_id=key)
    operator, now = User.objects.get(username=OPERATOR), job.time.now()
    plan = make_plan(keys=[row], action=Action(action), actor=operator, now=now)
    typed = expected_typing(plan, plan.items.select_related("key"))
    (made,) = remediation.confirm(plan=plan, actor=operator, reason="unused", typed=typed, now=now)
    job.watch()
    return {"state": _execute(made.pk, job).state}


def _execute(pk: int, job: Job) -> Remediation:
    return remediation.execute(pk, open_gateway=gateway_of, policy=resolve(), clock=job.time.clock())


def settle(job: Job, *, key: str, within: float = 120.0) -> dict[str, Any]:
    """Sweep every 15 s until nothing is left to do for the key's last change. Returns how it ended and after how many seconds."""
    job.watch()
    began = job.time.offset
    while job.time.offset - began <= within:
        sweeper.tidy(now=job.time.now())
        for pk in sweeper.due(now=job.time.now()):
            _execute(pk, job)
        row = Remediation.objects.filter(access_key_id=key).order_by("-pk").first()
        if row is None or row.state not in DRIVEN_STATES:
            break
        job.time.move(SWEEPS_EVERY)
    return _story(key, job.time.offset - began)


def _story(key: str, seconds: float) -> dict[str, Any]:
    row = Remediation.objects.filter(access_key_id=key).order_by("-pk").first()
    if row is None:
        return {"state": None, "seconds": seconds}
    events = AuditEvent.objects.filter(correlation_id=row.correlation_id).order_by("sequence")
    stored = AccessKey.objects.get(access_key_id=key)
    return {
        "state": row.state,
        "seconds": seconds,
        "told": list(events.values_list("outcome", flat=True)),
        "request_id": row.aws_request_id,
        "shown": "deleted" if stored.gone_at else str(stored.status),
        "reference": str(row.uuid)[:8],
    }


def verify(job: Job) -> str:
    """What a walk over the audit chain finds; empty when it holds."""
    return audit_chain.walk().broken


def keys(job: Job, *, status: str) -> list[str]:
    """Ids of keys with this status, oldest row first."""
    rows = AccessKey.objects.filter(status=status, principal__is_root=False).order_by("pk")
    return [str(row.access_key_id) for row in rows]


def inventory(job: Job) -> dict[str, Any]:
    """What pages would show of every key now."""
    rows = AccessKey.objects.filter(gone_at__isnull=True).order_by("principal__name", "access_key_id")
    return {"keys": list(rows.values_list("principal__name", "access_key_id", "status")), "real_time": timezone.now()}


def polls(job: Job, *, account: str) -> list[list[Any]]:
    """Each poll of an account: outcome, or what it is doing."""
    return [[row.pk, row.outcome or "unfinished"] for row in Poll.objects.filter(account__account_id=account).order_by("pk")]


def vendor(job: Job) -> str:
    """Which database this is."""
    return connection.vendor
