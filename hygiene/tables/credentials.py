"""The table of access keys."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hygiene.domain import wording
from hygiene.models import AccessKey
from hygiene.models.orderings import worst_first
from hygiene.services.live_keys import last_use
from hygiene.services.permissions import offers
from hygiene.tables.addresses import address
from hygiene.tables.base import (
    NUMBER,
    WIDE_ONLY,
    List,
    account_cell,
    born,
    finding_cell,
    link,
    owner_cell,
    row_menu,
    two,
    used,
)
from hygiene.tables.key_facts import KeyFacts
from hygiene.templatetags.hygiene import icon


class KeyTable(KeyFacts):
    """Access keys: what first, and what breaks."""

    kind = "keys"
    exports: ClassVar = {
        **KeyFacts.exports,
        "finding": ("rules", "severity"),
        "user": ("user_name", "user_arn", "access_key_id", "is_root"),
        "account": ("account_id", "account_name"),
        "owner": ("owner",),
        "status": ("status",),
        "age": ("created_at", "age_days"),
        "last_used": ("last_used_at", "last_used_region", "last_used_service", "last_used_state"),
    }
    fixed = ("select", "user", "actions")
    pinned: ClassVar = {"account": "account", "owner": "owner", "status": "status", "region": "region", "service": "service"}
    select = tables.Column("", empty_values=(), orderable=False)
    finding = tables.Column("Finding", empty_values=())
    user = tables.Column("User and key", empty_values=(), order_by=("principal__name", "pk"))
    account = tables.Column("Account", order_by=("account__name", "pk"))
    owner = tables.Column("Owner", empty_values=(), order_by=("principal__owner", "account__owner_email", "pk"), attrs=WIDE_ONLY)
    status = tables.Column("Status", order_by=("status", "pk"))
    age = tables.Column("Age, days", empty_values=(), accessor="created_at", attrs=NUMBER)
    last_used = tables.Column("Last used", empty_values=(), accessor="last_used_at")
    actions = tables.Column("", empty_values=(), orderable=False)

    class Meta(List.Meta):
        sequence = ("select", "finding", "user", "account", "owner", "status", "age", "last_used", "...", "actions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_exempt = self.user.has_perm("hygiene.accept_risk")
        if not self.user.has_perm("hygiene.request_change") and not self.may_exempt:
            self.columns.hide("select")

    def render_select(self, record: AccessKey) -> SafeString:
        """A box for rows that can be acted on; the others say why not."""
        name, why = wording.short_key_id(record.access_key_id), self._no_box(record)
        if why:
            return format_html(
                '<span class="no-box" title="{}">{}<span class="sr">{} cannot be selected: {}</span></span>', why, icon("lock"), name, why
            )
        return format_html(
            '<label class="select"><input type="checkbox" name="key" value="{}" form="bulk" data-select data-status="{}">'
            '<span class="sr">Select {} of {}</span></label>',
            *(record.uuid, record.status, name, record.principal.name),
        )

    def _no_box(self, record: AccessKey) -> str:
        """Why a row cannot be selected; empty when it can."""
        states = offers(record, user=self.user, now=self.now).states
        if any(state.is_allowed for state in states):
            return ""
        if record.principal.is_root:
            return "A root key is never changed in bulk."
        if record.gone_at is not None:
            return "This key is deleted."
        if self.may_exempt:
            return ""
        return states[0].reason if states else "A change is under way."

    def render_finding(self, record: AccessKey) -> SafeString:
        """Worst rule."""
        return finding_cell(record.severity, record.failing_rules, record.account, policy=self.policy, now=self.now)

    def render_user(self, record: AccessKey) -> SafeString:
        """Who holds it, and its id."""
        return two(record.principal.name, link("key", record.uuid, wording.short_key_id(record.access_key_id), is_row=True), "is-strong")

    def render_account(self, record: AccessKey) -> SafeString:
        """Where."""
        return account_cell(record.account)

    def render_owner(self, record: AccessKey) -> SafeString | str:
        """Whose."""
        return owner_cell(record.principal.owner, record.principal.owner_source, record.account)

    def render_status(self, record: AccessKey) -> SafeString:
        """Active, disabled, deleted, or AWS's own word."""
        return render_to_string("hygiene/_key_status.html", {"key": record})

    def render_age(self, record: AccessKey) -> SafeString:
        """Whole days and birth."""
        words = wording.age_words(record.created_at, self.now)
        return two(words.first, words.second)

    def render_last_used(self, record: AccessKey) -> SafeString:
        """When and where AWS saw it."""
        words = wording.last_used_words(last_use(record), created_at=record.created_at, now=self.now)
        return two(words.first, words.second)

    def render_actions(self, record: AccessKey) -> SafeString:
        """Buttons, each pressable or with its reason."""
        context = {"actions": offers(record, user=self.user, now=self.now), "csrf_token": self.csrf_token()}
        buttons = render_to_string("hygiene/_key_action.html", context)
        return format_html('<div class="row-actions">{}{}</div>', buttons, self._menu(record))

    def _menu(self, record: AccessKey) -> SafeString:
        """What else leads on from the row."""
        name, number = wording.short_key_id(record.access_key_id), record.account.account_id
        entries = [(address("key", record.uuid), "Open this key")]
        if record.principal.is_root:
            entries.append((address("root-user", number), "Root steps"))
        else:
            entries.append((address("user", record.principal.uuid), "Open its user"))
        if self.user.has_perm("hygiene.request_change") and not record.principal.is_root:
            entries.append((f"{address('owners-ask')}?key={record.uuid}", "Ask owner…"))
        if self.may_exempt:
            entries.append((f"{address('exemption-new')}?key={record.uuid}", "Exempt…"))
        entries.append((f"{address('keys')}?q=account:{number}", "Keys of this account"))
        return row_menu(f"More for {name} of {record.principal.name}", entries)

    def order_finding(self, queryset: QuerySet[AccessKey], is_descending: bool) -> tuple[QuerySet[AccessKey], bool]:
        """By severity: descending is the usual order, worst first; ascending is that turned round."""
        found = queryset.order_by(*worst_first())
        return found if is_descending else found.reverse(), True

    def order_age(self, queryset: QuerySet[AccessKey], is_descending: bool) -> tuple[QuerySet[AccessKey], bool]:
        """By birth."""
        return born(queryset, "created_at", is_descending=is_descending)

    def order_last_used(self, queryset: QuerySet[AccessKey], is_descending: bool) -> tuple[QuerySet[AccessKey], bool]:
        """By use."""
        return used(queryset, "last_used_at", "last_used_state", is_descending=is_descending)
