"""Rows of an account's root that the report does not give: its principal without a report row, its key by the live summary."""

from __future__ import annotations

from datetime import datetime

from accounts.gateway import AccountSummary
from accounts.models import Account
from hygiene.domain.facts import KeyMatch, KeyStatus, MfaState, PasswordState, Source
from hygiene.models import AccessKey, Poll, Principal
from hygiene.services.changes import Changes
from hygiene.services.holders import Holder
from hygiene.services.slots import gone


def without_row(account: Account, summary: AccountSummary | None, *, now: datetime, changes: Changes) -> Holder:
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
        warnings=["The credential report has no row for the root user."],
        first_seen_at=now,
        last_seen_at=now,
    )
    changes.new_principals.append(root)
    return Holder(root)


def reconcile_key(root: Holder, summary: AccountSummary | None, *, poll: Poll, now: datetime, changes: Changes) -> None:
    """The live summary wins: a root key that no report has shown yet gets a row, and rows of a key that is gone are closed."""
    if summary is None or summary.root_key_present is None:
        return
    placeholders = [key for key in root.keys if key.status_source == Source.SUMMARY]
    if not summary.root_key_present or len(root.keys) > len(placeholders):
        reason = "root key gone by the live summary" if not summary.root_key_present else "now shown by the report"
        over = root.keys if not summary.root_key_present else placeholders
        for key in [key for key in over if key.status == KeyStatus.ACTIVE or key in placeholders]:
            gone(key, at=now, reason=reason, changes=changes, source=Source.SUMMARY, poll=poll)
            changes.keys.append(key)
            root.keys.remove(key)
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
