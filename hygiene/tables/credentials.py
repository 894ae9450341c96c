"""Tables of access keys and users."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import QuerySet
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hygiene.domain import wording
from hygiene.domain.facts import LastUse, Source, UseState
from hygiene.models import AccessKey, Principal
from hygiene.models.orderings import worst_first
from hygiene.services.exports import mfa_of
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
    mfa_cell,
    owner_cell,
    row_menu,
    sentences,
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
        if not self.user.has_perm("hygiene.request_change"):
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
        context = {"actions": offers(record, user=self.user, now=self.now), "csrf_token": self._csrf_token()}
        buttons = render_to_string("hygiene/_key_action.html", context)
        return format_html('<div class="row-actions">{}{}</div>', buttons, self._menu(record))

    def _csrf_token(self) -> str:
        """One token for all forms of the page."""
        if not hasattr(self, "_token"):
            self._token: str = get_token(self.request)
        return self._token

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
        if self.user.has_perm("hygiene.accept_risk"):
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


class UserTable(List):
    """IAM users."""

    finding = tables.Column("Finding", empty_values=())
    user = tables.Column("User", accessor="name", order_by=("name", "pk"))
    account = tables.Column("Account", order_by=("account__name", "pk"))
    password = tables.Column("Console password", accessor="password_state", order_by=("password_state", "pk"))
    mfa = tables.Column("MFA", accessor="mfa_state", order_by=("mfa_state", "pk"))
    last_used = tables.Column("Last sign-in", empty_values=(), accessor="password_last_used_at")
    keys = tables.Column("Keys", empty_values=(), accessor="active_keys", order_by=("active_keys", "inactive_keys", "pk"))
    owner = tables.Column("Owner", empty_values=(), order_by=("owner", "account__owner_email", "pk"), attrs=WIDE_ONLY)

    def render_finding(self, record: Principal) -> SafeString:
        """Worst rule of the user and its keys."""
        return finding_cell(record.severity, record.failing_rules, record.account, policy=self.policy, now=self.now)

    def render_user(self, record: Principal) -> SafeString:
        """Name and birth."""
        created = f"created {wording.day(record.created_at)}" if record.created_at else "creation not known"
        return two(link("user", record.uuid, record.name, is_row=True), created, "is-strong")

    def render_account(self, record: Principal) -> SafeString:
        """Where."""
        return account_cell(record.account)

    def render_password(self, record: Principal) -> SafeString:
        """Yes, none or unknown."""
        changed = record.password_last_changed_at
        second = f"changed {wording.relative(changed, self.now)}" if changed else "no console access"
        word = {"enabled": "yes", "none": "none"}.get(record.password_state, "unknown")
        return two(word, second if word != "unknown" else "not read")

    def render_mfa(self, record: Principal) -> SafeString:
        """On, off, unknown, or not applicable without a password."""
        return mfa_cell(mfa_of(record), ", ".join(record.mfa_kinds or []))

    def render_last_used(self, record: Principal) -> SafeString:
        """Last console sign-in."""
        use = LastUse(UseState(record.password_last_used_state), record.password_last_used_at, source=Source.REPORT)
        words = wording.sign_in_words(use, now=self.now)
        return two(words.first, words.second)

    def render_keys(self, record: Principal) -> SafeString:
        """Status sentences of its keys."""
        return render_to_string("hygiene/_user_keys.html", {"sentences": sentences(record, self.now), "keys_known": record.keys_known})

    def render_owner(self, record: Principal) -> SafeString | str:
        """Whose."""
        return owner_cell(record.owner, record.owner_source, record.account)

    def order_finding(self, queryset: QuerySet[Principal], is_descending: bool) -> tuple[QuerySet[Principal], bool]:
        """By severity: descending is the usual order, worst first; ascending is that turned round."""
        found = queryset.order_by("-severity", "name", "pk")
        return found if is_descending else found.reverse(), True

    def order_last_used(self, queryset: QuerySet[Principal], is_descending: bool) -> tuple[QuerySet[Principal], bool]:
        """By sign-in."""
        return used(queryset, "password_last_used_at", "password_last_used_state", is_descending=is_descending)
