"""Tables of accounts and of their root users: one row for each account."""

from __future__ import annotations

from typing import ClassVar

import django_tables2 as tables
from django.db.models import F, QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Account
from hygiene.domain import wording
from hygiene.domain.facts import UseState
from hygiene.domain.states import STATE_WORDS, AccountState
from hygiene.domain.verdicts import Severity
from hygiene.models import AccessKey
from hygiene.services.exports import counted
from hygiene.services.posture import state_of
from hygiene.services.roots import RootFacts, central_root_words, root_facts
from hygiene.tables.account_facts import AccountFacts
from hygiene.tables.base import NUMBER, WIDE_ONLY, List, link, mfa_cell, owner_chip, sentence, two
from hygiene.templatetags.hygiene import glyph, severity, when


def state_cell(account: Account, state: AccountState) -> SafeString:
    """Whether the account reports, and if not, why and since when."""
    status = getattr(account, "status", None)
    error = status.error if status and status.error else ""
    if state is AccountState.OK:
        return two("reporting", (status.list_keys_error if status else "") or "role works")
    word = format_html('<span class="sev is-{}">{}{}</span>', *(("unknown", glyph("unknown"), STATE_WORDS[state])))
    return two(word, error or _why_silent(account, state))


def _why_silent(account: Account, state: AccountState) -> str:
    if state is AccountState.SUSPENDED:
        return "removed" if account.removed_at else f"AWS: {account.get_organization_state_display()}, not polled"
    return {AccountState.PAUSED: "not polled", AccountState.NEVER_POLLED: "no report yet"}.get(state, "no current report")


def newest_use(keys: list[AccessKey]) -> AccessKey:
    """The key that was used last; where none was, one whose use is not known before those that were never used."""
    used = [key for key in keys if key.last_used_at is not None]
    if used:
        return max(used, key=lambda key: key.last_used_at or key.first_seen_at)
    return next((key for key in keys if key.last_used_state == UseState.UNKNOWN), keys[0])


class AccountTable(AccountFacts):
    """AWS accounts and how fresh their data is."""

    kind = "accounts"
    fixed = ("account",)
    pinned: ClassVar = {"environment": "env", "unit": "ou", "owner": "owner", "partition": "partition"}
    exports: ClassVar = {
        "account": ("account_id", "name"),
        "partition": ("partition",),
        "state": ("state", "last_error", "report_is_complete"),
        "report": ("report_generated_at",),
        "users": ("users",),
        "keys": ("active_keys",),
        "findings": ("findings_open",),
        "polled": ("last_polled_at",),
        "missing": ("missing_permissions",),
    }
    account = tables.Column("Account", accessor="name", order_by=("name", "pk"))
    environment = tables.Column("Environment", empty_values=(), order_by=("environment", "pk"))
    owner = tables.Column("Owner", empty_values=(), accessor="owner_email", order_by=("owner_email", "pk"), attrs=WIDE_ONLY)
    state = tables.Column("Data", empty_values=(), orderable=False)
    report = tables.Column("Report from", empty_values=(), accessor="status__report_generated_at")
    users = tables.Column("Users", empty_values=(), accessor="status__users", order_by=("status__users", "pk"), attrs=NUMBER)
    keys = tables.Column(
        "Active keys", empty_values=(), accessor="status__active_keys", order_by=("status__active_keys", "pk"), attrs=NUMBER
    )
    findings = tables.Column(
        "Findings", empty_values=(), accessor="status__findings_open", order_by=("status__findings_open", "pk"), attrs=NUMBER
    )
    changes = tables.Column("Changes", empty_values=(), accessor="allows_remediation", order_by=("allows_remediation", "pk"))
    unit = tables.Column("Organizational unit", empty_values=(), visible=False, order_by=("organizational_unit", "pk"))
    partition = tables.Column("Partition", empty_values=(), visible=False, order_by=("partition", "pk"))
    polled = tables.Column("Last poll", empty_values=(), accessor="status__last_polled_at", visible=False, orderable=False)
    silent = tables.Column("Failing since", empty_values=(), accessor="status__failing_since", visible=False, orderable=False)
    missing = tables.Column("Missing permissions", empty_values=(), visible=False, orderable=False)
    window = tables.Column("Change window", empty_values=(), visible=False, orderable=False)
    added = tables.Column("Added", accessor="created_at", visible=False, order_by=("created_at", "pk"))

    class Meta(List.Meta):
        sequence = ("account", "environment", "owner", "state", "report", "users", "keys", "findings", "changes", "...")

    def render_account(self, record: Account) -> SafeString:
        """Name and number."""
        return two(link("account", record.account_id, record.name, is_row=True), wording.grouped_account(record.account_id), "is-strong")

    def render_owner(self, record: Account) -> SafeString:
        """Whom findings in it are for, where a user has no owner."""
        return owner_chip(record.owner_email)

    def render_state(self, record: Account) -> SafeString:
        """Reporting or not."""
        return state_cell(record, state_of(getattr(record, "status", None), record, policy=self.policy, now=self.now))

    def render_report(self, record: Account) -> SafeString | str:
        """Age of the newest report."""
        status = getattr(record, "status", None)
        return when(status.report_generated_at if status else None, absent="never")

    def _count(self, record: Account, name: str) -> str:
        status = getattr(record, "status", None)
        count = counted(status, name, state=state_of(status, record, policy=self.policy, now=self.now))
        return "unknown" if count is None else wording.number(count)

    def render_users(self, record: Account) -> str:
        """IAM users."""
        return self._count(record, "users")

    def render_keys(self, record: Account) -> str:
        """Active keys of users."""
        return self._count(record, "active_keys")

    def render_findings(self, record: Account) -> str:
        """Open findings."""
        return self._count(record, "findings_open")

    def render_changes(self, record: Account) -> str:
        """Whether keys may be changed here."""
        return "allowed" if record.allows_remediation and record.act_role_arn else "read-only"

    def render_partition(self, record: Account) -> str:
        """AWS itself, its part in China, or GovCloud."""
        return record.get_partition_display()

    def render_polled(self, record: Account) -> SafeString | str:
        """End of the last attempt, whatever came of it."""
        status = getattr(record, "status", None)
        return when(status.last_polled_at if status else None, absent="never")

    def render_silent(self, record: Account) -> SafeString | str:
        """Since when polls fail."""
        status = getattr(record, "status", None)
        return when(status.failing_since if status else None, absent="not failing")

    def render_missing(self, record: Account) -> SafeString:
        """What AWS did not let the read role do."""
        entries = [entry["permission"] for entry in record.status.missing_permissions] if hasattr(record, "status") else []
        return (
            two(entries[0], f"and {len(entries) - 1} more" if len(entries) > 1 else "refused by AWS") if entries else two("none", "as read")
        )

    def render_window(self, record: Account) -> str:
        """When changes may be made in it."""
        return record.change_window or "at any time"

    def render_added(self, record: Account) -> SafeString | str:
        """When it was registered here."""
        return when(record.created_at)

    def order_report(self, queryset: QuerySet[Account], is_descending: bool) -> tuple[QuerySet[Account], bool]:
        """By the report's age; never comes as oldest."""
        field = F("status__report_generated_at")
        return queryset.order_by(field.desc(nulls_last=True) if is_descending else field.asc(nulls_first=True), "pk"), True


class RootTable(AccountFacts):
    """One row for each account's root user."""

    kind = "accounts"
    fixed = ("account",)
    pinned: ClassVar = {"environment": "env", "unit": "ou", "owner": "owner"}
    exports: ClassVar = {
        "account": ("account_id", "name"),
        "key": ("root_key_present",),
        "mfa": ("root_mfa", "root_mfa_kind"),
        "password": ("root_password_present",),
        "data": ("root_observed_at",),
        "state": ("state", "last_error"),
    }
    account = tables.Column("Account", accessor="name", order_by=("name", "pk"))
    key = tables.Column("Root key", empty_values=(), orderable=False)
    last_used = tables.Column("Root key last used", empty_values=(), orderable=False)
    mfa = tables.Column("MFA", empty_values=(), orderable=False)
    password = tables.Column("Password", empty_values=(), orderable=False)
    central = tables.Column("Central root access", empty_values=(), orderable=False)
    sign_in = tables.Column("Last root sign-in", empty_values=(), orderable=False)
    data = tables.Column("Read", empty_values=(), accessor="status__summary_observed_at", orderable=False)
    certificate = tables.Column("Certificate", empty_values=(), visible=False, orderable=False)
    owner = tables.Column("Owner", empty_values=(), accessor="owner_email", visible=False, order_by=("owner_email", "pk"))
    state = tables.Column("Data", empty_values=(), visible=False, orderable=False)

    class Meta(List.Meta):
        sequence = ("account", "key", "last_used", "mfa", "password", "central", "sign_in", "data", "...")

    def _facts(self, record: Account) -> RootFacts:
        roots = record.roots  # type: ignore[attr-defined]  # Prefetch(to_attr) of the view
        return root_facts(record, getattr(record, "status", None), roots[0] if roots else None, record.root_keys)  # type: ignore[attr-defined]

    def render_account(self, record: Account) -> SafeString:
        """Name and number."""
        return two(link("root-user", record.account_id, record.name, is_row=True), wording.grouped_account(record.account_id), "is-strong")

    def render_key(self, record: Account) -> SafeString:
        """Present, none or unknown; age of each."""
        facts, keys = self._facts(record), record.root_keys  # type: ignore[attr-defined]
        if facts.key_present is None:
            return two(format_html('<span class="sev is-unknown">{}unknown</span>', glyph("unknown")), "not read")
        if not facts.key_present:
            return two("none", "as it should be")
        statuses = " and ".join(sorted({wording.status_word(key.status, key.status_raw) for key in keys})) or "active"
        ages = [wording.age_words(key.created_at, self.now) for key in keys]
        second = ", ".join(f"{age.first} days old" if age.first != "unknown" else "age not in the report yet" for age in ages)
        return two(
            severity(50, f"{len(keys) or 1} root key{'s' if len(keys) > 1 else ''}, {statuses}"), second or "age not in the report yet"
        )

    def render_last_used(self, record: Account) -> SafeString:
        """Newest use of its keys."""
        facts, keys = self._facts(record), record.root_keys  # type: ignore[attr-defined]
        if not facts.key_present:
            return two("unknown", "not read") if facts.key_present is None else two("n/a", "no key")
        if not keys:
            return two("unknown", "in the next report")
        words = sentence(newest_use(keys), now=self.now, is_root=True)
        return two(words.partition(", ")[2], "by the credential report")

    def render_mfa(self, record: Account) -> SafeString:
        """On with its kind, off, unknown, or nothing to protect."""
        facts = self._facts(record)
        return mfa_cell(facts.mfa, facts.mfa_kind, Severity.CRITICAL)

    def render_password(self, record: Account) -> str:
        """Whether root can sign in."""
        return {True: "yes", False: "none", None: "unknown"}[self._facts(record).password_present]

    def render_sign_in(self, record: Account) -> SafeString | str:
        """Last recorded sign-in of root."""
        roots = record.roots  # type: ignore[attr-defined]
        if not roots:
            return two("unknown", "not read")
        moment = roots[0].password_last_used_at
        return (
            when(moment)
            if moment
            else {"never": "never", "no_data": "never", "n/a": "n/a"}.get(roots[0].password_last_used_state, "unknown")
        )

    def render_data(self, record: Account) -> SafeString | str:
        """When the live summary was read."""
        status = getattr(record, "status", None)
        return when(status.summary_observed_at if status else None, absent="never")

    def render_central(self, record: Account) -> SafeString:
        """Whether root's credentials can be removed centrally, as the organization's account in charge said."""
        return two(*central_root_words(record))

    def render_certificate(self, record: Account) -> str:
        """Whether root has a signing certificate."""
        return {True: "yes", False: "none", None: "unknown"}[self._facts(record).certificate_present]

    def render_owner(self, record: Account) -> SafeString:
        """Whose account it is."""
        return owner_chip(record.owner_email)

    def render_state(self, record: Account) -> SafeString:
        """Reporting or not."""
        return state_cell(record, state_of(getattr(record, "status", None), record, policy=self.policy, now=self.now))
