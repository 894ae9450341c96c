"""Rows of an account's root that the report does not give: its principal without a report row, its key by the live summary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.gateway import AccountSummary
from accounts.models import Account
from hygiene.domain.facts import KeyMatch, KeyStatus, MfaState, PasswordState, Source
from hygiene.models import AccessKey, Poll, Principal
from hygiene.services.changes import Changes
from hygiene.services.holders import Holder
from hygiene.services.slots import gone

NO_ROW = "The credential report has no row for the root user."


def before_report(account: Account, summary: AccountSummary, *, poll: Poll, now: datetime) -> None:
    """A root key of an account that never had a report: its rows are there at once, whatever becomes of the report. Writes them."""
    if Principal.objects.present().filter(account=account, is_root=True).exists():
        return
    changes = Changes()
    root = without_row(account, summary, now=now, changes=changes, warnings=())
    reconcile_key(root, summary, poll=poll, now=now, changes=changes)
    changes.write()


def unsaid(root: Holder, changes: Changes) -> None:
    """A newer report without a row for root: what older ones said of it does not hold any more, only what is read live."""
    root.principal.has_data_warning, root.principal.warnings = True, [NO_ROW]
    changes.principals.append(root.principal)


def without_row(
    account: Account, summary: AccountSummary | None, *, now: datetime, changes: Changes, warnings: Sequence[str] = (NO_ROW,)
) -> Holder:
    """A report without a row for root: a root principal that is known only from the live summary."""
    password = {True: PasswordState.ENABLED, False: PasswordState.NONE, None: PasswordState.UNKNOWN}
    mfa = {True: MfaState.ON, False: MfaState.OFF, None: MfaState.UNKNOWN}
    root = Principal(
        account=account,
        arn=f"arn:{account.partition}:iam::{account.account_id}:root",
        is_root=True,
        name="<root_account>",
        password_state=password[summary.root_password_present if summary else None],
        mfa_state=mfa[summary.root_mfa_on if summary else None],
        warnings=list(warnings),
        first_seen_at=now,
        last_seen_at=now,
    )
    changes.new_principals.append(root)
    return Holder(root)


def reconcile_key(root: Holder, summary: AccountSummary | None, *, poll: Poll, now: datetime, changes: Changes) -> None:
    """The live summary wins: a root key that no report has shown yet gets a row, and rows of a key that is gone are closed."""
    if summary is None or summary.root_key_present is None:
        return
    before = list(root.keys)
    _reconcile(root, summary, poll=poll, now=now, changes=changes)
    if before != root.keys:
        root.principal.active_keys = sum(key.status == KeyStatus.ACTIVE for key in root.keys)
        root.principal.inactive_keys = len(root.keys) - root.principal.active_keys
        if root.principal not in (*changes.principals, *changes.new_principals):
            changes.principals.append(root.principal)


def _reconcile(root: Holder, summary: AccountSummary, *, poll: Poll, now: datetime, changes: Changes) -> None:
    placeholders = [key for key in root.keys if key.status_source == Source.SUMMARY and key.created_at is None]
    if not summary.root_key_present:
        for key in [key for key in root.keys if key.status == KeyStatus.ACTIVE or key in placeholders]:
            gone(key, at=now, reason="root key gone by the live summary", changes=changes, source=Source.SUMMARY, poll=poll)
            changes.keys.append(key)
            root.keys.remove(key)
    elif len(root.keys) > len(placeholders):  # the report shows what the summary only counted
        changes.same_keys += placeholders
        root.keys = [key for key in root.keys if key not in placeholders]
    elif not root.keys:
        key = AccessKey(
            account=root.principal.account,
            principal=root.principal,
            match=KeyMatch.UNLISTABLE,
            status=KeyStatus.ACTIVE,
            status_observed_at=now,
            status_source=Source.SUMMARY,
            first_seen_at=now,
        )
        changes.event(key, "first_seen", "Root key seen in the live account summary", at=now, source=Source.SUMMARY, poll=poll)
        changes.new_keys.append(key)
        root.keys.append(key)
