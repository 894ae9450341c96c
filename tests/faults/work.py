"""What workers of the fault tests do, each in a process of its own: the product's services with a shared clock."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import botocore.auth
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import timezone

from accounts import audit_chain
from accounts.gateway import Purpose, RootTask
from accounts.models import Account, AuditEvent
from accounts.services import open_gateway, open_root_gateway
from hygiene import tasks
from hygiene.domain.policy import resolve
from hygiene.models import (
    TARGETS,
    AccessKey,
    AccountStatus,
    Action,
    Alert,
    DigestDelivery,
    Finding,
    Poll,
    PollTrigger,
    Principal,
    Remediation,
)
from hygiene.services import (
    alerts,
    change_rules,
    digests,
    missed,
    polling,
    remediation,
    root_inspection,
    schedule,
    sweeper,
    switch,
    targets,
)
from hygiene.services.arrows import DRIVEN_STATES
from hygiene.services.plans import expected_typing, make_plan
from hygiene.tasks import gateway_of
from tests.faults.runner import SharedTime

OPERATOR, APPROVER, ADMINISTRATOR = "o'brien <ops>", "approver", "administrator"
SWEEPS_EVERY = 15.0
WIDE = {  # no cap and no breaker comes between a case and the next
    **{f"{scope}_{kind}": 1000 for scope in ("operator_hour", "installation_hour") for kind in ("disable", "delete", "root")},
    **{f"account_day_{kind}": 100 for kind in ("disable", "delete", "root")},
    "account_day_disable": 10_000,
    "account_day_delete": 10_000,
    "approvals_delete": 0,
    "approvals_root": 0,
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
    for name, role in ((OPERATOR, "operator"), (APPROVER, "approver"), (ADMINISTRATOR, "administrator")):
        User.objects.create_user(name).groups.add(Group.objects.get(name=role))
    rules(job, values=WIDE)
    for place, values in enumerate(accounts):
        Account.objects.create(**values, is_polled=place == 0, allows_remediation=True, created_at=now, updated_at=now)
    poll(job, account=accounts[0]["account_id"])
    AccessKey.objects.filter(status="inactive").update(disabled_here_at=now - timedelta(days=30))


def rules(job: Job, *, values: dict[str, Any]) -> None:
    """Set rules of changes."""
    change_rules.save(values, actor=User.objects.get(username=ADMINISTRATOR), now=job.time.now())


def _read(poll_pk: int, job: Job) -> None:
    polling.run_poll(poll_pk, open_gateway=partial(open_gateway, purpose=Purpose.POLL), policy=resolve(), clock=job.time.clock())


def poll(job: Job, *, account: str) -> None:
    """Poll an account; boundaries count from the claim on."""
    rows = Account.objects.filter(account_id=account)
    rows.update(is_polled=True)
    (queued,) = schedule.queue_polls(rows, trigger=PollTrigger.SCHEDULE, now=job.time.now())
    job.watch()
    _read(queued.pk, job)


def settle_poll(job: Job, *, account: str, within: float = 720.0) -> dict[str, Any]:
    """Sweep every 15 s until a poll of the account is complete. How the polls ended, after how many seconds, and what is known then."""
    began = job.time.offset
    of_account = Poll.objects.filter(account__account_id=account)
    while not of_account.filter(outcome="complete").exists() and job.time.offset - began <= within:
        job.time.move(SWEEPS_EVERY)
        for queued in [*schedule.stalled(now=job.time.now()), *schedule.queue_due(now=job.time.now())]:
            _read(queued.pk, job)
    return {"seconds": job.time.offset - began, **facts(job, account=account)}


def facts(job: Job, *, account: str) -> dict[str, Any]:
    """Everything that pages show of an account, in an order of its own."""
    users = Principal.objects.filter(account__account_id=account, gone_at__isnull=True).order_by("name")
    keys = AccessKey.objects.filter(account__account_id=account, principal__is_root=False, gone_at__isnull=True).order_by("access_key_id")
    opened = Finding.objects.filter(account__account_id=account, resolved_at__isnull=True).order_by("rule", "principal__name")
    return {
        "polls": [row.outcome or "unfinished" for row in Poll.objects.filter(account__account_id=account).order_by("pk")],
        "users": [row.name for row in users if not row.is_root],
        "keys": [[row.principal.name, row.access_key_id, str(row.status)] for row in keys],
        "findings": [[row.rule, row.principal_id] for row in opened],
    }


def rest(job: Job, *, account: str) -> None:
    """Poll the account no more."""
    Account.objects.filter(account_id=account).update(is_polled=False)


def beat(job: Job, *, ticks: int) -> None:
    """A beat and a worker: in each tick what is due is queued, and each of its wake-ups is obeyed."""
    for _ in range(ticks):
        for queued in schedule.queue_due(now=job.time.now()):
            _read(queued.pk, job)


def change(job: Job, *, action: str, key: str) -> dict[str, Any]:
    """Ask for one change as the operator, and execute it; boundaries count from the claim on."""
    row = AccessKey.objects.get(access_key_id=key)
    operator, now = User.objects.get(username=OPERATOR), job.time.now()
    plan = make_plan(keys=[row], action=Action(action), actor=operator, now=now)
    typed = expected_typing(plan, plan.items.select_related("key"))
    (made,) = remediation.confirm(plan=plan, actor=operator, reason="unused", typed=typed, now=now)
    job.watch()
    return {"state": _execute(made.pk, job).state}


def late(job: Job) -> list[str]:
    """What the sweep says of polls that did not run; the alerts that are open then."""
    missed.watch(now=job.time.now())
    return list(Alert.objects.filter(kind=alerts.MISSED).order_by("pk").values_list("sentence", flat=True))


def ask(job: Job, *, action: str, keys: list[str]) -> list[int]:
    """Ask for a change of many keys in one plan; primary keys of what was made."""
    rows = list(AccessKey.objects.filter(access_key_id__in=keys))
    operator, now = User.objects.get(username=OPERATOR), job.time.now()
    plan = make_plan(keys=rows, action=Action(action), actor=operator, now=now)
    typed = expected_typing(plan, list(plan.items.select_related("key")))
    return [row.pk for row in remediation.confirm(plan=plan, actor=operator, reason="unused", typed=typed, now=now)]


def drain(job: Job) -> None:
    """Carry out whatever still waits, so that the next case finds nothing of this one."""
    for pk in sweeper.due(now=job.time.now()):
        _execute(pk, job)


def execute(job: Job, *, pks: list[int]) -> list[str]:
    """Execute these one after the other; how each stands then."""
    return [_execute(pk, job).state for pk in pks]


def execute_by_wrong_clock(job: Job, *, pks: list[int], hours: float) -> list[str]:
    """The task itself on a machine whose clock is wrong by so many hours, in what it signs too."""

    def wrong() -> datetime:
        return datetime.now(UTC) + timedelta(hours=hours)

    setattr(botocore.auth, "get_current_datetime", lambda: wrong().replace(tzinfo=None))  # noqa: B010  # not in its stubs
    setattr(timezone, "now", wrong)  # noqa: B010  # mypy knows it as a function
    for pk in pks:
        tasks.execute_remediation(pk)
    return [f"{row.state}: {row.result_code}" for row in Remediation.objects.filter(pk__in=pks).order_by("pk")]


def disabled(job: Job, *, key: str, days: float) -> None:
    """As if the key had been disabled here so many days ago, and no delete of it were under way."""
    AccessKey.objects.filter(access_key_id=key).update(disabled_here_at=datetime.now(UTC) - timedelta(days=days))


def vendor(job: Job) -> str:
    """Which database this is."""
    return connection.vendor


def pages(job: Job, *, addresses: list[str]) -> list[dict[str, tuple[int, str]]]:
    """Status and text of these pages three times by one process, which freezes after the first time and after the second."""
    browser, monitor = (Client(raise_request_exception=False, SERVER_NAME="localhost") for _ in range(2))
    browser.force_login(User.objects.get(username=OPERATOR), backend="hygiene.sign_in.RolesBackend")
    found = []
    for time_to_freeze in (True, True, False):
        answers = {}
        for address in addresses:
            close_old_connections()  # as a server does before each request; Django's test client does not
            answers[address] = (monitor if address.startswith("/healthz/") else browser).get(address)
        found.append({address: (answer.status_code, answer.content.decode()) for address, answer in answers.items()})
        if time_to_freeze:
            os.kill(os.getpid(), signal.SIGSTOP)
    return found


def stop(job: Job, *, pks: list[int], after: int) -> float:
    """Press the kill switch once so many of these changes are done. Returns the real time at which it was committed."""
    deadline = time.monotonic() + 60
    while Remediation.objects.filter(pk__in=pks, state="succeeded").count() < after and time.monotonic() < deadline:
        time.sleep(0.02)
    switch.stop(actor=User.objects.get(username=OPERATOR), reason="A leak.", now=job.time.now())
    return time.time()


def resume(job: Job) -> None:
    """Let changes go on."""
    switch.resume(actor=User.objects.get(username=APPROVER), reason="Found.", now=job.time.now())


def digest(job: Job, *, name: str) -> None:
    """Somebody whose weekly digest is due now is sent what is due."""
    now = job.time.now()
    user = User.objects.create_user(name, f"{name}@example.com")
    user.groups.add(Group.objects.get(name="viewer"))
    subscription = digests.subscription_of(user, now=now - timedelta(days=8))
    subscription.weekday, subscription.hour, subscription.minute = now.weekday(), 0, 0
    subscription.save()
    job.watch()
    _send_due(job)


def _send_due(job: Job) -> None:
    for pk in digests.claim_due(now=job.time.now()):
        digests.send(pk, policy=resolve(), clock=job.time.clock())


def settle_digest(job: Job, *, name: str, minutes: int = 45) -> dict[str, Any]:
    """Beat every five minutes for three quarters of an hour. How the delivery ended, and what the audit log tells."""
    for _ in range(0, minutes, 5):
        _send_due(job)
        job.time.move(300)
    (delivery,) = DigestDelivery.objects.filter(user__username=name)
    User.objects.filter(username=name).update(is_active=False)
    events = AuditEvent.objects.filter(action="digest.send", target=delivery.address).order_by("sequence")
    return {"state": str(delivery.state), "told": list(events.values_list("outcome", flat=True))}


def look_at_root(job: Job, *, account: str) -> None:
    """Poll a member account, and look at its root's credentials."""
    poll(job, account=account)
    AccountStatus.objects.filter(account__account_id=account).update(organization_role="member")
    found, now = Account.objects.get(account_id=account), job.time.now()
    asked, _ = root_inspection.request(found, actor=User.objects.get(username=OPERATOR), now=now)
    root_inspection.run(asked.pk, open_root=partial(open_root_gateway, task=RootTask.AUDIT), clock=job.time.clock())
    rest(job, account=account)


def change_credential(job: Job, *, action: str, account: str, holder: str) -> None:
    """Ask for the change of a password, certificate or credential of root, and execute it; boundaries count from the claim on."""
    principal = Principal.objects.select_related("account__status").get(account__account_id=account, name=holder, gone_at=None)
    operator, now = User.objects.get(username=OPERATOR), job.time.now()
    kind = TARGETS[Action(action)]
    target = next(one for one in targets.known_of(principal) if one.kind == kind)
    plan = targets.make_plan(target, Action(action), actor=operator, now=now)
    typed = expected_typing(plan, plan.items.select_related("key", "principal__account"))
    (made,) = remediation.confirm(plan=plan, actor=operator, reason="unused", typed=typed, now=now)
    job.watch()
    _execute(made.pk, job)


def settle_credential(job: Job, *, account: str, holder: str, within: float = 120.0) -> dict[str, Any]:
    """As `settle`, for the newest change of a user or root."""
    began = job.time.offset
    rows = Remediation.objects.filter(account__account_id=account, principal__name=holder).order_by("-pk")
    while rows[0].state in DRIVEN_STATES and job.time.offset - began <= within:
        for pk in sweeper.due(now=job.time.now()):
            _execute(pk, job)
        job.time.move(SWEEPS_EVERY if rows[0].state in DRIVEN_STATES else 0)
    events = AuditEvent.objects.filter(correlation_id=rows[0].correlation_id).order_by("sequence")
    said = {"told": list(events.values_list("outcome", flat=True)), "reference": str(rows[0].uuid)[:8]}
    return {"state": str(rows[0].state), "code": rows[0].result_code, "seconds": job.time.offset - began, **said}


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
