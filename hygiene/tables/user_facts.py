"""Columns of the list of users that are shown when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import django_tables2 as tables
from django.utils.safestring import SafeString

from hygiene.domain.owners import descriptions
from hygiene.domain.wording import listed
from hygiene.models import Principal
from hygiene.tables.account_facts import AccountFacts
from hygiene.tables.base import moment_cell, two
from hygiene.templatetags.hygiene import when

MOST = 3


def few(words: Iterable[str] | None) -> SafeString | str:
    """The first words and how many more; none, or that they were not read."""
    if words is None:
        return "not read"
    return listed(list(words), most=MOST) or "none"


class UserFacts(AccountFacts):
    """What is known of a user beyond the usual columns."""

    exports: ClassVar = {
        "created": ("created_at",),
        "user_kind": ("user_class",),
        "groups": ("groups",),
        "policies": ("policies",),
        "reach": ("is_admin",),
        "user_tags": ("tags",),
        "others": ("active_certificates", "ssh_keys", "service_credentials"),
        "data_age": ("report_generated_at",),
    }
    created = tables.Column("Created", accessor="created_at", empty_values=(), visible=False, order_by=("created_at", "pk"))
    user_kind = tables.Column("Kind", empty_values=(), accessor="user_class", visible=False, order_by=("user_class", "pk"))
    groups = tables.Column("Groups", empty_values=(), visible=False, orderable=False)
    policies = tables.Column("Policies", empty_values=(), visible=False, orderable=False)
    reach = tables.Column("Policies reach", empty_values=(), visible=False, orderable=False)
    user_tags = tables.Column("Tags of the user", empty_values=(), visible=False, orderable=False)
    others = tables.Column("Other credentials", empty_values=(), visible=False, orderable=False)
    first_seen = tables.Column("First seen", accessor="first_seen_at", visible=False, order_by=("first_seen_at", "pk"))
    data_age = tables.Column("Data age", empty_values=(), visible=False, orderable=False)

    def render_created(self, record: Principal) -> SafeString | str:
        """Birth, in the viewer's time zone."""
        return moment_cell(record.created_at)

    def render_user_kind(self, record: Principal) -> str:
        """A person or a machine, by its credentials."""
        return str(record.user_class)

    def render_groups(self, record: Principal) -> SafeString | str:
        """The groups it is in."""
        return few(record.groups)

    def render_policies(self, record: Principal) -> SafeString | str:
        """Its own policies and those of its groups."""
        return few(None if record.policies is None else [str(policy["name"]) for policy in record.policies])

    def render_reach(self, record: Principal) -> SafeString | str:
        """Services that its policies reach; not known where policies were not read."""
        reach: dict[str, Any] | None = record.reach
        if record.is_admin:
            return "everything"
        return "not read" if reach is None else few(map(str, reach.get("services", ()))) if reach.get("services") else "nothing"

    def render_user_tags(self, record: Principal) -> SafeString | str:
        """Its tags in AWS, without the descriptions of its keys."""
        if record.tags is None:
            return "not read"
        about_keys = descriptions(record.tags)
        return few(f"{name}={value}" for name, value in sorted(record.tags.items()) if name not in about_keys)

    def render_others(self, record: Principal) -> SafeString:
        """Signing certificates, SSH keys and service-specific credentials."""
        counts = [
            f"{len(found)} {word}" if found is not None else f"{word} not read"
            for found, word in (
                (record.certificates, "certificates"),
                (record.ssh_keys, "SSH keys"),
                (record.service_credentials, "service"),
            )
            if found is None or found
        ]
        return two(counts[0], ", ".join(counts[1:]) or "nothing else") if counts else two("none", "besides keys and password")

    def render_first_seen(self, record: Principal) -> SafeString | str:
        """When a poll first saw it."""
        return when(record.first_seen_at)

    def render_data_age(self, record: Principal) -> SafeString | str:
        """Of when the report is that last had it."""
        return when(record.report_generated_at, absent="not in a report yet")
