"""What a report or a live list changes: rows to write, rows that are only fresher, and lines of timelines. Written in few statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from hygiene.domain.facts import KeyStatus, Source
from hygiene.models import AccessKey, KeyEvent, Poll, Principal, PrincipalEvent, Remediation
from hygiene.services import bulk, timelines
from hygiene.services.timelines import Event

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
    *("mfa_fingerprint", "mfa_listed_fingerprint", "mfa_listed_at", "mfa_listed_others"),
    *("keys_known", "active_keys", "inactive_keys", "ambiguous_slots", "report_generated_at", "last_seen_at", "gone_at", "tags"),
    *("owner", "owner_source", "user_class"),
)
KEY_FIELDS = (
    *(
        "principal_id",
        "access_key_id",
        "created_at",
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
LISTED_FIELDS = ("keys_known", "active_keys", "inactive_keys", "ambiguous_slots", "listed_fingerprint", "listed_at")
MARK_FIELDS = ("severity", "failing_rules")
PRINCIPAL_STATE = attrgetter(*(name for name in PRINCIPAL_FIELDS if name not in PRINCIPAL_FRESHNESS))  # all but when it was observed
KEY_STATE = attrgetter(*(name for name in KEY_FIELDS if name not in KEY_FRESHNESS))


@dataclass
class Changes:
    """Rows to write at the end, rows of which only the freshness or the mark is new, and what happened to users and keys."""

    new_principals: list[Principal] = field(default_factory=list)
    principals: list[Principal] = field(default_factory=list)
    renamed: list[int] = field(default_factory=list)  # of them, those whose ARN is another than it was
    fresh_principals: list[int] = field(default_factory=list)
    listed: list[Principal] = field(default_factory=list)  # of which a live list told the keys, and nothing else is new
    new_keys: list[AccessKey] = field(default_factory=list)
    keys: list[AccessKey] = field(default_factory=list)
    fresh_keys: list[int] = field(default_factory=list)
    fresh_uses: list[int] = field(default_factory=list)  # of them, those whose last use the report told again
    events: list[Event] = field(default_factory=list)
    user_events: list[PrincipalEvent] = field(default_factory=list)
    same_keys: list[AccessKey] = field(default_factory=list)  # rows that turned out to be another row's key
    marked: list[Principal | AccessKey] = field(default_factory=list)

    def event(self, key: AccessKey, kind: str, summary: str, *, at: datetime, source: Source, poll: Poll | None = None) -> None:
        """One line of the key's timeline."""
        self.events.append(Event(key, at, kind, summary, source, poll))

    def number(self) -> None:
        """Give new rows their primary keys, so that verdicts can name them before they are written."""
        bulk.number(Principal, self.new_principals)
        bulk.number(AccessKey, self.new_keys)
        for key in self.new_keys:
            key.principal = key.principal  # whose number is known now

    def write(self) -> None:
        """A bounded number of statements, whatever the number of rows."""
        self.number()
        self._write_principals()
        bulk.update(AccessKey, _rows({key.pk: key for key in self.keys}.values()), KEY_FIELDS)
        if self.same_keys:
            self.events = [event for event in self.events if event.key not in self.same_keys]
            AccessKey.objects.filter(pk__in=[key.pk for key in self.same_keys]).delete()
            self.events = [event for event in self.events if event.key not in self.same_keys]
        bulk.insert(AccessKey, _rows(self.new_keys))
        bulk.insert(KeyEvent, [event.row() for event in self.events])
        bulk.insert(PrincipalEvent, _rows(self.user_events))
        self._write_marks()
        for row in (*self.new_principals, *self.new_keys):
            row._state.adding = False

    def _write_principals(self) -> None:
        """Close before opening, and put names aside before they are given anew: an ARN may be present only once."""
        closed = [principal for principal in self.principals if principal.gone_at is not None]
        bulk.update(Principal, _rows(closed), ("gone_at",))
        for start in range(0, len(self.renamed), FRESH_CHUNK):
            renamed = Principal.objects.filter(pk__in=self.renamed[start : start + FRESH_CHUNK])
            renamed.update(arn=Concat(Value("renamed:"), Cast("pk", CharField())))
        bulk.update(Principal, _rows(row for row in self.principals if row.gone_at is None), PRINCIPAL_FIELDS)
        bulk.insert(Principal, _rows(self.new_principals))
        bulk.update(Principal, _rows(self.listed), LISTED_FIELDS)

    def _write_marks(self) -> None:
        """Marks of rows that exist; new rows took theirs along."""
        old = [row for row in self.marked if not row._state.adding]
        bulk.update(Principal, _rows(row for row in old if isinstance(row, Principal)), MARK_FIELDS)
        bulk.update(AccessKey, _rows(row for row in old if isinstance(row, AccessKey)), MARK_FIELDS)

    def write_freshness(self, *, generated_at: datetime, now: datetime) -> None:
        """What the report said again: only the times move."""
        for start in range(0, len(self.fresh_principals), FRESH_CHUNK):
            rows = Principal.objects.filter(pk__in=self.fresh_principals[start : start + FRESH_CHUNK])
            rows.update(report_generated_at=generated_at, last_seen_at=now)
        for start in range(0, len(self.fresh_keys), FRESH_CHUNK):
            keys = AccessKey.objects.filter(pk__in=self.fresh_keys[start : start + FRESH_CHUNK], status_observed_at__lte=generated_at)
            keys.update(status_observed_at=generated_at, status_source=Source.REPORT)
        for start in range(0, len(self.fresh_uses), FRESH_CHUNK):
            used = AccessKey.objects.filter(pk__in=self.fresh_uses[start : start + FRESH_CHUNK])
            used.update(last_used_observed_at=generated_at, last_used_source=Source.REPORT)


def _rows(instances: Iterable[Principal | AccessKey | PrincipalEvent]) -> list[dict[str, Any]]:
    return [row.__dict__ for row in instances]


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
    is_new = key._state.adding
    was = KeyStatus(key.status)
    key.status, key.status_raw, key.status_observed_at, key.status_source = status, raw, observed_at, source
    if status is KeyStatus.INACTIVE:
        key.first_inactive_at = key.first_inactive_at or observed_at
    else:
        key.first_inactive_at = None
    if not is_new and was is not status:
        kind = {KeyStatus.ACTIVE: "enabled", KeyStatus.INACTIVE: "disabled"}.get(status, "status")
        summary = timelines.status_change(key, status, raw, remediation)
        changes.events.append(Event(key, observed_at, kind, summary, source, poll, remediation))
        if remediation is None and key.acted_here_at is not None:
            key.changed_outside_at = observed_at
    if remediation is not None:
        key.acted_here_at, key.changed_outside_at = observed_at, None
    if status is not KeyStatus.INACTIVE:
        key.disabled_here_at = None
    elif remediation is not None:
        key.disabled_here_at = observed_at
