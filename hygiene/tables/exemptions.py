"""The table of exemptions."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from hygiene.domain import wording
from hygiene.models import Exemption, ExemptionEnd, ExemptionScope
from hygiene.services.exemptions import ENDING, rule_titles
from hygiene.tables.base import NUMBER, WIDE_ONLY, List, account_cell, link, two
from hygiene.templatetags.hygiene import full_time, glyph, when


def left(moment: datetime, now: datetime) -> str:
    """In how many days: "today", "in 1 day", "in 12 days"."""
    days = (moment - now).days
    return "within a day" if days < 1 else f"in {wording.plural(days, 'day')}"


class ExemptionTable(List):
    """Accepted risks: what, why, by whom, until when."""

    kind = "exemptions"
    fixed = ("covers",)
    pinned: ClassVar = {"account": "account", "accepted_by": "by", "ticket": "ticket", "scope": "scope"}
    exports: ClassVar = {
        "covers": ("scope", "user_arn", "access_key_id", "tag"),
        "account": ("account_id", "account_name"),
        "rules": ("rules",),
        "reason": ("reason", "ticket"),
        "accepted_by": ("accepted_by", "created_by"),
        "ends": ("ends_at", "ended_at", "end_reason"),
        "made": ("created_at",),
        "entered_by": ("created_by",),
        "ticket": ("ticket",),
        "scope": ("scope",),
        "ended": ("ended_at", "end_reason"),
    }
    covers = tables.Column("Covers", empty_values=(), order_by=("principal__name", "tag", "pk"))
    account = tables.Column("Account", empty_values=(), order_by=("account__name", "pk"))
    rules = tables.Column("Rules", empty_values=(), orderable=False)
    findings = tables.Column("Findings", empty_values=(), accessor="covered", order_by=("covered", "pk"), attrs=NUMBER)
    reason = tables.Column("Reason", orderable=False, attrs=WIDE_ONLY)
    accepted_by = tables.Column("Accepted by", order_by=("accepted_by", "pk"))
    ends = tables.Column("Ends", empty_values=(), accessor="ends_at", order_by=("ends_at", "pk"))
    scope = tables.Column("Scope", visible=False, order_by=("scope", "pk"))
    ticket = tables.Column("Ticket", empty_values=(), visible=False, order_by=("ticket", "pk"))
    made = tables.Column("Made", accessor="created_at", visible=False, order_by=("created_at", "pk"))
    entered_by = tables.Column("Entered by", accessor="created_by_name", visible=False, order_by=("created_by_name", "pk"))
    reminded = tables.Column("Reminded", empty_values=(), accessor="reminded_at", visible=False, orderable=False)
    ended = tables.Column("Ended", empty_values=(), accessor="ended_at", visible=False, order_by=("ended_at", "pk"))

    def render_covers(self, record: Exemption) -> SafeString:
        """Key, user, account or tag, linked to the exemption."""
        if record.scope == ExemptionScope.KEY and record.key and record.principal:
            name, what = record.principal.name, f"key {wording.short_key_id(record.key.access_key_id)}"
        elif record.scope == ExemptionScope.USER and record.principal:
            name, what = ("root user" if record.principal.is_root else record.principal.name), "user and its keys"
        else:
            name, what = (record.tag, "tag") if record.tag else ("account", "everything in it")
        return two(link("exemption", record.uuid, name, is_row=True), what, "is-strong")

    def render_account(self, record: Exemption) -> SafeString:
        """Where; a tag reaches all accounts."""
        return account_cell(record.account) if record.account else two("all", "wherever the tag is")

    def render_rules(self, record: Exemption) -> SafeString:
        """The first rule and how many more."""
        titles = rule_titles(record.rules)
        return two(titles[0], f"and {len(titles) - 1} more" if len(titles) > 1 else "this rule" if record.rules else "also later ones")

    def render_findings(self, record: Exemption) -> str:
        """How many open findings it covers now."""
        return wording.number(record.covered) if record.ended_at is None else "0"  # type: ignore[attr-defined]  # annotated by the view

    def render_reason(self, record: Exemption) -> SafeString:
        """Why, and the ticket."""
        return two(Truncator(record.reason).chars(80), record.ticket or "no ticket")

    def render_accepted_by(self, record: Exemption) -> SafeString:
        """Who accepts, who entered it."""
        return two(record.accepted_by, f"entered by {record.created_by_name}")

    def render_ends(self, record: Exemption) -> SafeString:
        """When, or why it has ended."""
        if record.ended_at is not None:
            return two(format_html("ended {}", when(record.ended_at)), ExemptionEnd(record.end_reason).label)
        words = left(record.ends_at, self.now)
        is_soon = record.ends_at - self.now <= ENDING
        first = format_html('<span class="sev is-medium">{}{}</span>', glyph("medium"), words) if is_soon else words
        return two(first, full_time(record.ends_at))

    def render_scope(self, record: Exemption) -> str:
        """One key, one user, a tag or an account."""
        return ExemptionScope(record.scope).label

    def render_ticket(self, record: Exemption) -> str:
        """The ticket that was named."""
        return record.ticket or "none"

    def render_made(self, record: Exemption) -> SafeString | str:
        """Since when it holds."""
        return when(record.created_at)

    def render_reminded(self, record: Exemption) -> SafeString | str:
        """When whoever accepted it was reminded of its end."""
        return when(record.reminded_at, absent="not yet")

    def render_ended(self, record: Exemption) -> SafeString:
        """When it ended, and by whom."""
        if record.ended_at is None:
            return two("not ended", "it holds")
        return two(when(record.ended_at), record.ended_by_name or ExemptionEnd(record.end_reason).label)
