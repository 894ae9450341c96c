"""The table of the queue: one row for each change to one credential."""

from __future__ import annotations

from typing import ClassVar

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from hygiene.domain import wording
from hygiene.domain.verdicts import Severity
from hygiene.models import Remediation, State
from hygiene.tables.account_facts import AccountFacts
from hygiene.tables.base import List, account_cell, link, moment_cell, two
from hygiene.templatetags.hygiene import severity, when
from hygiene.templatetags.remediations import credential, doing, level


class ChangeTable(AccountFacts):
    """Changes that people asked for: what, to which credential, why, and how far it is."""

    kind = "queue"
    fixed = ("change", "subject")
    pinned: ClassVar = {"account": "account", "environment": "env", "unit": "ou", "asked_by": "by", "ticket": "ticket"}
    exports: ClassVar = {
        "change": ("action", "reason"),
        "subject": ("user_name", "user_arn", "target_kind", "target_id"),
        "account": ("account_id", "account_name"),
        "asked_by": ("requested_by", "requested_at"),
        "state": ("state", "result_code", "result"),
        "ticket": ("ticket",),
        "note": ("note",),
        "due": ("due_at",),
        "finished": ("finished_at",),
        "request": ("aws_request_id",),
    }
    change = tables.Column("Change", accessor="action", order_by=("action", "pk"))
    subject = tables.Column("User and credential", empty_values=(), order_by=("user_name", "pk"))
    account = tables.Column("Account", order_by=("account__name", "pk"))
    asked_by = tables.Column("Asked by", accessor="requested_by_name", order_by=("requested_at", "pk"))
    state = tables.Column("State", order_by=("state", "pk"))
    run = tables.Column("Run", empty_values=(), orderable=False)
    ticket = tables.Column("Ticket", empty_values=(), visible=False, order_by=("ticket", "pk"))
    note = tables.Column("Note", empty_values=(), visible=False, orderable=False)
    due = tables.Column("Next step", empty_values=(), accessor="due_at", visible=False, order_by=("due_at", "pk"))
    finished = tables.Column("Ended", empty_values=(), accessor="finished_at", visible=False, order_by=("finished_at", "pk"))
    request = tables.Column("AWS request", empty_values=(), visible=False, orderable=False)

    class Meta(List.Meta):
        sequence = ("change", "subject", "account", "asked_by", "state", "run", "...")

    def render_change(self, record: Remediation) -> SafeString:
        """The verb and why."""
        why = f"{record.get_reason_display()}, {record.ticket}" if record.ticket else record.get_reason_display()
        return two(link("remediation", record.uuid, record.get_action_display(), is_row=True), why, "is-strong")

    def render_subject(self, record: Remediation) -> SafeString:
        """Whose credential."""
        words = credential(record)
        return two(record.user_name, link("key", record.key.uuid, words) if record.key else words)

    def render_account(self, record: Remediation) -> SafeString:
        """Where."""
        return account_cell(record.account)

    def render_asked_by(self, record: Remediation) -> SafeString:
        """Who and when."""
        return two(record.requested_by_name, when(record.requested_at))

    def render_state(self, record: Remediation) -> SafeString:
        """How far it is; nothing is said to be done before AWS confirmed it."""
        words = record.get_state_display()
        if record.state == State.AWAITING_APPROVAL:
            return two(capfirst(words), f"{wording.plural(record.plan.approvals_needed, 'approval')} needed")
        if record.is_scheduled:
            return two(f"{doing(record)} from {wording.day(record.due_at)}", "its owner is told before")
        if record.is_open:
            return two(f"{doing(record)}…", words)
        first = severity(Severity.HIGH.value, capfirst(words)) if level(record) == "high" else capfirst(words)
        return two(first, record.result or "as AWS confirmed")

    def render_run(self, record: Remediation) -> SafeString:
        """What was asked for together."""
        size: int = record.run_size  # type: ignore[attr-defined]  # annotated by the view
        return two(link("run", record.plan.uuid, wording.plural(size, "change")), "asked for together" if size > 1 else "this alone")

    def render_ticket(self, record: Remediation) -> str:
        """The ticket that was named."""
        return record.ticket or "none"

    def render_note(self, record: Remediation) -> str:
        """What was said to the reason."""
        return record.note or "none"

    def render_due(self, record: Remediation) -> SafeString | str:
        """When the next step may be taken."""
        return moment_cell(record.due_at if record.is_open else None, "no next step")

    def render_finished(self, record: Remediation) -> SafeString | str:
        """When it ended."""
        return when(record.finished_at, absent="not ended")

    def render_request(self, record: Remediation) -> SafeString:
        """AWS's own id, as CloudTrail has it."""
        return format_html("<code>{}</code>", record.aws_request_id or "none")
