"""Columns of the list of keys that are shown when asked for."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.utils.safestring import SafeString

from hygiene.domain import wording
from hygiene.domain.facts import KeyStatus
from hygiene.models import AccessKey
from hygiene.services.exports import mfa_of
from hygiene.services.permissions import inactive_since
from hygiene.tables.base import List, mfa_cell, moment_cell
from hygiene.templatetags.hygiene import when

MOST_SERVICES = 3


class KeyFacts(List):
    """What is known of a key beyond the usual columns."""

    exports: ClassVar = {
        "created": ("created_at",),
        "region": ("last_used_region",),
        "service": ("last_used_service",),
        "exempt": ("exempt_until",),
        "first_seen": ("first_seen_at",),
        "data_age": ("status_observed_at", "report_generated_at"),
    }
    created = tables.Column("Created", accessor="created_at", empty_values=(), visible=False, order_by=("created_at", "pk"))
    region = tables.Column("Region", accessor="last_used_region", empty_values=(), visible=False, order_by=("last_used_region", "pk"))
    service = tables.Column("Service", accessor="last_used_service", empty_values=(), visible=False, order_by=("last_used_service", "pk"))
    mfa = tables.Column("User MFA", empty_values=(), visible=False, orderable=False)
    password = tables.Column("Password", empty_values=(), visible=False, orderable=False)
    reach = tables.Column("Policies reach", empty_values=(), visible=False, orderable=False)
    other_key = tables.Column("Other key", empty_values=(), visible=False, orderable=False)
    tags = tables.Column("Tags", empty_values=(), visible=False, orderable=False)
    exempt = tables.Column("Exempt until", empty_values=(), visible=False, orderable=False)
    disabled = tables.Column("Disabled since", empty_values=(), visible=False, orderable=False)
    first_seen = tables.Column("First seen", accessor="first_seen_at", visible=False, order_by=("first_seen_at", "pk"))
    data_age = tables.Column("Data age", empty_values=(), visible=False, orderable=False)

    def render_created(self, record: AccessKey) -> SafeString | str:
        """Birth, in the viewer's time zone."""
        return moment_cell(record.created_at)

    def render_region(self, record: AccessKey) -> str:
        """Where it was last used; global services have none."""
        return record.last_used_region or "no region"

    def render_service(self, record: AccessKey) -> str:
        """What it last called."""
        return record.last_used_service or "none on record"

    def render_mfa(self, record: AccessKey) -> SafeString:
        """MFA of its user."""
        return mfa_cell(mfa_of(record.principal), ", ".join(record.principal.mfa_kinds or []))

    def render_password(self, record: AccessKey) -> str:
        """Whether its user may sign in to the console."""
        return {"enabled": "yes", "none": "none"}.get(record.principal.password_state, "unknown")

    def render_tags(self, record: AccessKey) -> str:
        """Tags of the account."""
        return ", ".join(f"{name}={value}" for name, value in sorted(record.account.tags.items())) or "none"

    def render_disabled(self, record: AccessKey) -> SafeString | str:
        """Since when it is known to be disabled."""
        return when(inactive_since(record) if record.status == KeyStatus.INACTIVE else None, absent="not disabled")

    def render_first_seen(self, record: AccessKey) -> SafeString | str:
        """When a poll first saw it."""
        return when(record.first_seen_at)

    def render_data_age(self, record: AccessKey) -> SafeString | str:
        """How old its facts are."""
        return when(record.status_observed_at, absent="not read")

    def render_reach(self, record: AccessKey) -> str:
        """Services that the policies of its user reach; not known where policies were not read."""
        reach: dict[str, Any] | None = record.principal.reach
        if record.principal.is_root or record.principal.is_admin:
            return "everything"
        if reach is None:
            return "not read"
        return wording.listed(list(reach.get("services", ())), most=MOST_SERVICES) or "nothing"

    def render_other_key(self, record: AccessKey) -> str:
        """Whether its user has another key, by the last report."""
        user = record.principal
        active = user.active_keys - (record.status == KeyStatus.ACTIVE)
        disabled = user.inactive_keys - (record.status == KeyStatus.INACTIVE)
        words = [f"{count} {word}" for count, word in ((active, "active"), (disabled, "disabled")) if count > 0]
        return ", ".join(words) or "none"

    def render_exempt(self, record: AccessKey) -> SafeString | str:
        """When the first exemption that covers one of its findings ends."""
        return moment_cell(getattr(record, "exempt_until", None), "not exempt")
