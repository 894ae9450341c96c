"""Tables of findings and audit events."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import AuditEvent
from hygiene.domain import wording
from hygiene.domain.owners import KEY_ID
from hygiene.models import Finding, FindingOutcome
from hygiene.tables.account_facts import AccountFacts
from hygiene.tables.base import List, account_cell, born, link, moment_cell, owner_cell, two
from hygiene.templatetags.hygiene import glyph, rule_title, severity, when


class FindingTable(AccountFacts):
    """Findings: what, where, since when and why."""

    kind = "findings"
    fixed = ("rule", "subject")
    pinned: ClassVar = {"account": "account", "environment": "env", "unit": "ou"}
    exports: ClassVar = {
        "rule": ("rule", "severity", "outcome"),
        "subject": ("user_arn", "access_key_id"),
        "account": ("account_id", "account_state"),
        "explanation": ("explanation",),
        "opened": ("opened_at",),
        "seen": ("last_seen_at",),
        "fixed_at": ("resolved_at",),
        "exempt": ("exempt_until",),
    }
    rule = tables.Column("Finding", order_by=("severity", "rule", "pk"))
    subject = tables.Column("User and key", empty_values=(), order_by=("principal__name", "pk"))
    account = tables.Column("Account", order_by=("account__name", "pk"))
    explanation = tables.Column("Why", orderable=False)
    opened = tables.Column("Open since", accessor="opened_at")
    owner = tables.Column("Owner", empty_values=(), visible=False, orderable=False)
    limit = tables.Column("Set in", empty_values=(), visible=False, orderable=False)
    exempt = tables.Column("Exempt until", empty_values=(), visible=False, orderable=False)
    seen = tables.Column("Last judged", accessor="last_seen_at", visible=False, order_by=("last_seen_at", "pk"))
    fixed_at = tables.Column("Fixed", empty_values=(), accessor="resolved_at", visible=False, order_by=("resolved_at", "pk"))

    class Meta(List.Meta):
        sequence = ("rule", "subject", "account", "explanation", "opened", "owner", "...")

    def render_rule(self, record: Finding) -> SafeString:
        """Severity and plain name; an unknown outcome is said."""
        name = link("rule", record.rule, rule_title(record.rule))
        if record.outcome == FindingOutcome.UNKNOWN:
            return two(format_html('<span class="sev is-unknown">{}{}</span>', glyph("unknown"), name), "cannot be told now")
        return two(severity(record.severity, name), "fixed" if record.resolved_at else record.outcome.replace("fail", "open"))

    def render_subject(self, record: Finding) -> SafeString:
        """The user, and the key when it is about one."""
        if record.principal is None:
            return two("account", "its own data")
        if record.principal.is_root:
            return two(link("root-user", record.account.account_id, "root user", is_row=True), "of the account", "is-strong")
        if record.key is None:
            return two(link("user", record.principal.uuid, record.principal.name, is_row=True), "the user", "is-strong")
        return two(
            record.principal.name, link("key", record.key.uuid, wording.short_key_id(record.key.access_key_id), is_row=True), "is-strong"
        )

    def render_account(self, record: Finding) -> SafeString:
        """Where."""
        return account_cell(record.account)

    def render_opened(self, record: Finding) -> SafeString | str:
        """Since when."""
        return when(record.opened_at)

    def render_owner(self, record: Finding) -> SafeString | str:
        """Whose user or account it is."""
        user = record.principal
        return owner_cell(user.owner if user else "", user.owner_source if user else "", record.account)

    def render_limit(self, record: Finding) -> SafeString:
        """Where the rule's numbers were set, and what was compared."""
        return two(record.set_in or "the rule itself", record.comparison or "no number")

    def render_exempt(self, record: Finding) -> SafeString | str:
        """When the exemption that covers it ends."""
        covers = record.exemption if record.outcome == FindingOutcome.EXEMPT else None
        return moment_cell(covers.ends_at if covers else None, "not exempt")

    def render_seen(self, record: Finding) -> SafeString | str:
        """When it was last found to be so."""
        return when(record.last_seen_at)

    def render_fixed_at(self, record: Finding) -> SafeString | str:
        """When it was fixed, and how that was known."""
        if record.resolved_at is None:
            return "not fixed"
        return two(when(record.resolved_at), record.resolution.replace("_", " ") or "seen by a poll")

    def order_opened(self, queryset: QuerySet[Finding], is_descending: bool) -> tuple[QuerySet[Finding], bool]:
        """By how long it is open."""
        return born(queryset, "opened_at", is_descending=is_descending)


class AuditTable(List):
    """What people and the product did."""

    kind = "audit"
    fixed = ("time", "target")
    pinned: ClassVar = {"person": "by", "action": "action", "outcome": "result", "account": "account", "reason": "reason"}
    exports: ClassVar = {
        "time": ("occurred_at",),
        "person": ("actor",),
        "action": ("action", "reason"),
        "target": ("target", "account_name"),
        "outcome": ("outcome", "message"),
        "request": ("aws_request_id",),
        "account": ("account_id", "account_name"),
        "reason": ("reason", "note"),
        "ticket": ("ticket",),
        "before": ("before",),
        "after": ("after",),
        "change": ("correlation_id",),
    }
    time = tables.Column("Time", accessor="occurred_at", order_by=("occurred_at", "pk"))
    person = tables.Column("Who", accessor="actor_name", order_by=("actor_name", "pk"))
    action = tables.Column("Action", order_by=("action", "pk"))
    target = tables.Column("Object", orderable=False, empty_values=())
    outcome = tables.Column("Result", order_by=("outcome", "pk"))
    request = tables.Column("AWS request", accessor="aws_request_id", orderable=False, empty_values=())
    account = tables.Column("Account", empty_values=(), visible=False, order_by=("account_name", "pk"))
    reason = tables.Column("Reason", empty_values=(), visible=False, orderable=False)
    ticket = tables.Column("Ticket", empty_values=(), visible=False, order_by=("ticket", "pk"))
    before = tables.Column("Before", empty_values=(), visible=False, orderable=False)
    after = tables.Column("After", empty_values=(), visible=False, orderable=False)
    change = tables.Column("Change", empty_values=(), accessor="correlation_id", visible=False, orderable=False)

    def render_time(self, record: AuditEvent) -> SafeString:
        """When, linked to the entry."""
        return two(link("audit-event", record.uuid, when(record.occurred_at), is_row=True), f"{record.occurred_at:%d %b, %H:%M:%S} UTC")

    def render_action(self, record: AuditEvent) -> SafeString:
        """The action's word and reason."""
        return two(record.action, record.reason.replace("_", " ") or "no reason asked")

    def render_target(self, record: AuditEvent) -> SafeString:
        """On what, where; key IDs in short, as in every list."""
        short = KEY_ID.sub(lambda found: wording.short_key_id(found[0]), record.target)
        return two(short or "none", record.account_name or "the installation")

    def render_outcome(self, record: AuditEvent) -> SafeString:
        """What came of it."""
        return two(record.outcome, record.message)

    def render_request(self, record: AuditEvent) -> SafeString:
        """AWS's own id, as CloudTrail has it."""
        return format_html("<code>{}</code>", record.aws_request_id or "none")

    def render_account(self, record: AuditEvent) -> SafeString:
        """Where, with the name that it had then."""
        if not record.account_number:
            return two("none", "the installation")
        return two(record.account_name, wording.grouped_account(record.account_number))

    def render_reason(self, record: AuditEvent) -> SafeString:
        """Why, and the note."""
        return two(record.reason.replace("_", " ") or "none", record.note or "no note")

    def render_ticket(self, record: AuditEvent) -> str:
        """The ticket that was named."""
        return record.ticket or "none"

    def render_before(self, record: AuditEvent) -> str:
        """What it was."""
        return _values(record.before)

    def render_after(self, record: AuditEvent) -> str:
        """What it became."""
        return _values(record.after)

    def render_change(self, record: AuditEvent) -> SafeString:
        """What all entries of one change have in common."""
        return format_html("<code>{}</code>", str(record.correlation_id or "none")[:8])


def _values(kept: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(kept.items())) or "none"
