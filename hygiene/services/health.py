"""Whether the running product is whole: database, migrations, heartbeats; and its numbers for Prometheus."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Q
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from accounts.models import Account
from hygiene.domain.verdicts import Severity
from hygiene.models import AccountStatus, Finding, Heartbeat, Poll, Remediation

BEATS = ("beat", "worker:poll", "worker:remediate", "worker:root", "worker:mail", "worker:housekeeping")


def beat(name: str, *, now: datetime, access_key_id: str = "") -> None:
    """Record that the process or queue `name` works at `now`, and with which long-term key of AWS, which is never changed here."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": now, "access_key_id": access_key_id})


def parts(*, now: datetime, limit: timedelta) -> dict[str, str]:
    """State of each part: "ok" or a few words on what is wrong. A heartbeat older than `limit` counts as missing."""
    try:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            return {"database": "ok", "migrations": f"{len(pending)} not applied"}
        beaten = dict(Heartbeat.objects.values_list("name", "beaten_at"))
    except DatabaseError:
        return {"database": "no answer"}
    found = {"database": "ok", "migrations": "ok"}
    for name in BEATS:
        last = beaten.get(name)
        found[name] = "never seen" if last is None else "ok" if now - last <= limit else f"silent since {last:%H:%M:%S} UTC"
    return found


def metrics(*, now: datetime) -> bytes:
    """Prometheus text format, computed from the database at this moment."""
    registry, registered = CollectorRegistry(), Q(account__removed_at__isnull=True)
    age = Gauge("hygiene_report_age_seconds", "Age of the newest credential report", ["account_id"], registry=registry)
    for account_id, generated_at in AccountStatus.objects.filter(registered).values_list("account__account_id", "report_generated_at"):
        age.labels(account_id).set((now - generated_at).total_seconds() if generated_at else float("nan"))
    findings = Gauge("hygiene_findings_open", "Open failing findings", ["severity"], registry=registry)
    for severity, count in Finding.objects.failing().filter(registered).values_list("severity").annotate(n=Count("pk")).order_by():
        findings.labels(Severity(severity).word).set(count)
    remediations = Gauge("hygiene_remediations", "Remediations by state", ["state"], registry=registry)
    for state, count in Remediation.objects.values_list("state").annotate(n=Count("pk")).order_by():
        remediations.labels(state).set(count)
    Gauge("hygiene_accounts", "Accounts", registry=registry).set(Account.objects.filter(removed_at__isnull=True).count())
    Gauge("hygiene_polls_unfinished", "Queued or running polls", registry=registry).set(Poll.objects.unfinished().count())
    beats = Gauge("hygiene_heartbeat_age_seconds", "Seconds since the last heartbeat", ["name"], registry=registry)
    for name, beaten_at in Heartbeat.objects.values_list("name", "beaten_at"):
        beats.labels(name).set((now - beaten_at).total_seconds())
    return generate_latest(registry)
