"""What a report or a live list changes: rows to write, rows that are only fresher, and lines of timelines. Written in few statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hygiene.domain.facts import KeyStatus, Source
from hygiene.models import AccessKey, KeyEvent, Poll, Principal, PrincipalEvent, Remediation
from hygiene.services import timelines

CHUNK = 1000  # rows of one statement; SQLite takes fewer, and Django cuts them there
FRESH_CHUNK = 900  # below SQLite's limit of parameters
PRINCIPAL_FIELDS = (
    *(
        "arn",
        "user_id",
        "name",
        "created_at",
        "password_state",
        "password_last_used_at",
        "password_last_used_state",
        "password_last_changed_at",
    ),
    *("password_next_rotation_at", "mfa_state", "mfa_kinds", "certificates", "fingerprint", "has_data_warning", "warnings", "extra"),
    *("keys_known", "active_keys", "inactive_keys", "ambiguous_slots", "report_generated_at", "last_seen_at", "gone_at", "tags"),
    *("owner", "owner_source"),
)
KEY_FIELDS = (
    *(
        "principal",
        "access_key_id",
        "match",
        "status",
        "status_raw",
        "status_observed_at",
        "status_source",
        "last_used_state",
        "last_used_at",
    ),
    *("last_used_region", "last_used_service", "last_used_observed_at", "last_used_source", "has_data_warning"),
    *("first_inactive_at", "acted_here_at", "disabled_here_at", "changed_outside_at", "gone_at", "gone_reason"),
)


PRINCIPAL_FRESHNESS = ("report_generated_at", "last_seen_at")
KEY_FRESHNESS = ("status_observed_at", "status_source", "last_used_observed_at", "last_used_source")


@dataclass
class Changes:
    """Rows to write at the end, rows of which only the freshness is new, and what happened to keys."""

    new_principals: list[Principal] = field(default_factory=list)
    principals: list[Principal] = field(default_factory=list)
    fresh_principals: list[int] = field(default_factory=list)
    new_keys: list[AccessKey] = field(default_factory=list)
    keys: list[AccessKey] = field(default_factory=list)
    fresh_keys: list[int] = field(default_factory=list)
    events: list[KeyEvent] = field(default_factory=list)
    user_events: list[PrincipalEvent] = field(default_factory=list)
    same_keys: list[AccessKey] = field(default_factory=list)  # rows that turned out to be another row's key

    def event(self, key: AccessKey, kind: str, summary: str, *, at: datetime, source: Source, poll: Poll | None = None) -> None:
        """One line of the key's timeline."""
        self.events.append(KeyEvent(key=key, occurred_at=at, kind=kind, summary=summary, source=source, poll=poll))

    def write(self) -> None:
        """A bounded number of statements, whatever the number of rows that did not change."""
        Principal.objects.bulk_create(self.new_principals, batch_size=CHUNK)
        if self.principals:
            Principal.objects.bulk_create(
                self.principals, batch_size=CHUNK, update_conflicts=True, unique_fields=["id"], update_fields=PRINCIPAL_FIELDS
            )
        AccessKey.objects.bulk_create(self.new_keys, batch_size=CHUNK)
        known = list({key.pk: key for key in self.keys}.values())
        if known:
            AccessKey.objects.bulk_create(known, batch_size=CHUNK, update_conflicts=True, unique_fields=["id"], update_fields=KEY_FIELDS)
        if self.same_keys:
            AccessKey.objects.filter(pk__in=[key.pk for key in self.same_keys]).delete()
        KeyEvent.objects.bulk_create(self.events, batch_size=CHUNK)
        PrincipalEvent.objects.bulk_create(self.user_events, batch_size=CHUNK)

    def write_freshness(self, *, generated_at: datetime, now: datetime) -> None:
        """What the report said again: only the times move."""
        for start in range(0, len(self.fresh_principals), FRESH_CHUNK):
            rows = Principal.objects.filter(pk__in=self.fresh_principals[start : start + FRESH_CHUNK])
            rows.update(report_generated_at=generated_at, last_seen_at=now)
        for start in range(0, len(self.fresh_keys), FRESH_CHUNK):
            keys = AccessKey.objects.filter(pk__in=self.fresh_keys[start : start + FRESH_CHUNK], status_observed_at__lte=generated_at)
            keys.update(status_observed_at=generated_at, status_source=Source.REPORT)


def state(row: Principal | AccessKey, fields: Iterable[str], freshness: tuple[str, ...]) -> dict[str, Any]:
    """What of a row would be written, without when it was observed."""
    return {name: getattr(row, name) for name in fields if name not in freshness}


def set_status(
    key: AccessKey,
    status: KeyStatus,
    *,
    raw: str,
    observed_at: datetime,
    source: Source,
    changes: Changes,
    poll: Poll | None = None,
    remediation: Remediation | None = None,
) -> None:
    """A newly observed status, with its line in the timeline when it differs. A change that is not ours is called so."""
    is_new = key.pk is None
    was = KeyStatus(key.status)
    key.status, key.status_raw, key.status_observed_at, key.status_source = status, raw, observed_at, source
    if status is KeyStatus.INACTIVE:
        key.first_inactive_at = key.first_inactive_at or observed_at
    else:
        key.first_inactive_at = None
    if not is_new and was is not status:
        kind = {KeyStatus.ACTIVE: "enabled", KeyStatus.INACTIVE: "disabled"}.get(status, "status")
        summary = timelines.status_change(key, status, raw, remediation)
        changes.events.append(
            KeyEvent(key=key, occurred_at=observed_at, kind=kind, summary=summary, source=source, poll=poll, remediation=remediation)
        )
        if remediation is None and key.acted_here_at is not None:
            key.changed_outside_at = observed_at
    if remediation is not None:
        key.acted_here_at, key.changed_outside_at = observed_at, None
    if status is not KeyStatus.INACTIVE:
        key.disabled_here_at = None
    elif remediation is not None:
        key.disabled_here_at = observed_at
