"""Tables of accounts, root users, findings and audit events."""

from __future__ import annotations

import django_tables2 as tables
from django.db.models import F, QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Account, AuditEvent
from hygiene.domain import wording
from hygiene.domain.states import STATE_WORDS, AccountState
from hygiene.domain.verdicts import Severity
from hygiene.models import Finding, FindingOutcome
from hygiene.services.exports import counted
from hygiene.services.posture import state_of
from hygiene.services.roots import RootFacts, root_facts
from hygiene.tables.base import NUMBER, List, account_cell, born, link, mfa_cell, sentence, two
from hygiene.templatetags.hygiene import glyph, rule_title, severity, when


def state_cell(account: Account, state: AccountState) -> SafeString:
    """Whether the account reports, and if not, why and since when."""
    status = getattr(account, "status", None)
    error = status.error if status and status.error else ""
    if state is AccountState.OK:
        return two("reporting", (status.list_keys_error if status else "") or "role works")
    word = format_html('<span class="sev is-{}">{}{}</span>', *(("unknown", glyph("unknown"), STATE_WORDS[state])))
    return two(
        word, error or {AccountState.PAUSED: "not polled", AccountState.NEVER_POLLED: "no report yet"}.get(state, "no current report")
    )


class AccountTable(List):
    """AWS accounts and how fresh their data is."""

    account = tables.Column("Account", accessor="name", order_by=("name", "pk"))
    environment = tables.Column("Environment", empty_values=(), order_by=("environment", "pk"))
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

    def render_account(self, record: Account) -> SafeString:
        """Name and number."""
        return two(link("account", record.account_id, record.name, is_row=True), wording.grouped_account(record.account_id), "is-strong")

    def render_environment(self, record: Account) -> str:
        """The environment, or that none is given."""
        return record.environment or "none"

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

    def order_report(self, queryset: QuerySet[Account], is_descending: bool) -> tuple[QuerySet[Account], bool]:
        """By the report's age; never comes as oldest."""
        field = F("status__report_generated_at")
        return queryset.order_by(field.desc(nulls_last=True) if is_descending else field.asc(nulls_first=True), "pk"), True


class RootTable(List):
    """One row for each account's root user."""

    account = tables.Column("Account", accessor="name", order_by=("name", "pk"))
    key = tables.Column("Root key", empty_values=(), orderable=False)
    last_used = tables.Column("Root key last used", empty_values=(), orderable=False)
    mfa = tables.Column("MFA", empty_values=(), orderable=False)
    password = tables.Column(empty_values=(), orderable=False)
    sign_in = tables.Column("Last root sign-in", empty_values=(), orderable=False)
    data = tables.Column("Read", empty_values=(), accessor="status__summary_observed_at", orderable=False)

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
        words = [sentence(key, now=self.now, is_root=True) for key in keys]
        return two(words[0].partition(", ")[2] if words else "unknown", "by the credential report" if words else "in the next report")

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


class FindingTable(List):
    """Findings: what, where, since when and why."""

    rule = tables.Column("Finding", order_by=("severity", "rule", "pk"))
    subject = tables.Column("User and key", empty_values=(), order_by=("principal__name", "pk"))
    account = tables.Column("Account", order_by=("account__name", "pk"))
    explanation = tables.Column("Why", orderable=False)
    opened = tables.Column("Open since", accessor="opened_at")

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

    def order_opened(self, queryset: QuerySet[Finding], is_descending: bool) -> tuple[QuerySet[Finding], bool]:
        """By how long it is open."""
        return born(queryset, "opened_at", is_descending=is_descending)


class AuditTable(List):
    """What people and the product did."""

    time = tables.Column("Time", accessor="occurred_at", order_by=("occurred_at", "pk"))
    person = tables.Column("Who", accessor="actor_name", order_by=("actor_name", "pk"))
    action = tables.Column("Action", order_by=("action", "pk"))
    target = tables.Column("Object", orderable=False, empty_values=())
    outcome = tables.Column("Result", order_by=("outcome", "pk"))
    request = tables.Column("AWS request", accessor="aws_request_id", orderable=False, empty_values=())

    def render_time(self, record: AuditEvent) -> SafeString:
        """When, linked to the entry."""
        return two(link("audit-event", record.uuid, when(record.occurred_at), is_row=True), f"{record.occurred_at:%d %b, %H:%M:%S} UTC")

    def render_action(self, record: AuditEvent) -> SafeString:
        """The action's word and reason."""
        return two(record.action, record.reason.replace("_", " ") or "no reason asked")

    def render_target(self, record: AuditEvent) -> SafeString:
        """On what, where."""
        return two(record.target or "none", record.account_name or "the installation")

    def render_outcome(self, record: AuditEvent) -> SafeString:
        """What came of it."""
        return two(record.outcome, record.message)

    def render_request(self, record: AuditEvent) -> SafeString:
        """AWS's own id, as CloudTrail has it."""
        return format_html("<code>{}</code>", record.aws_request_id or "none")
