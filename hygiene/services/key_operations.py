"""Disable, enable and delete of an IAM user's access key, as operations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from accounts.gateway import Gateway
from accounts.policies import KEY_READS
from hygiene.domain.keys import key_status
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Remediation
from hygiene.services import findings, key_ids, live_keys, posture
from hygiene.services.changes import Changes
from hygiene.services.live_checks import DELETED, WANTED, LiveKey, judge, look, read_keys
from hygiene.services.operation import Operation


def _set_active(gateway: Gateway, remediation: Remediation) -> str:
    return gateway.update_access_key(remediation.user_name, remediation.access_key_id, active=True)


def _set_inactive(gateway: Gateway, remediation: Remediation) -> str:
    return gateway.update_access_key(remediation.user_name, remediation.access_key_id, active=False)


def _delete(gateway: Gateway, remediation: Remediation) -> str:
    return gateway.delete_access_key(remediation.user_name, remediation.access_key_id)


def observe(remediation: Remediation, live: LiveKey, *, is_ours: bool, policy: Policy, now: datetime) -> None:
    """What AWS listed now, on all key rows of the user, with findings and counts that follow from it."""

    def write(_: bool) -> None:
        _write(remediation, live, is_ours=is_ours, policy=policy, now=now)

    key_ids.settled(write)


def _write(remediation: Remediation, live: LiveKey, *, is_ours: bool, policy: Policy, now: datetime) -> None:
    if is_ours:
        _settle(remediation, live, now)
    principal, account = remediation.principal, remediation.account
    keys = list(AccessKey.objects.present().filter(principal=principal).order_by("pk"))
    changes = Changes()
    rows = key_ids.rows_of(live.listed, {key.access_key_id for key in keys})
    listed = key_ids.live(live.listed, rows, account_pk=account.pk, uses={})
    live_keys.apply(principal, listed, now=now, changes=changes, keys=keys)
    if live.last_use is not None:
        uses = {remediation.access_key_id: live.last_use}
        live_keys.record_uses([key for key in keys if key.access_key_id in uses], uses, now=now)
    changes.principals.append(principal)
    changes.write()
    findings.reevaluate_principals(account, account.status, [principal], policy=policy, now=now)
    posture.refresh(account, account.status, policy=policy, now=now)


def _settle(remediation: Remediation, live: LiveKey, now: datetime) -> None:
    """The key's row in the name of this change."""
    key = remediation.this_key
    key.refresh_from_db()
    if live.status != DELETED:
        live_keys.record_status(key, key_status(live.status), observed_at=now, remediation=remediation)
    elif key.gone_at is None:
        live_keys.record_gone(key, now=now, reason="deleted here", remediation=remediation)


def _operation(action: Action, call: str, done: str, send: Callable[[Any, Remediation], str], *, removes: bool = False) -> Operation:
    return Operation(
        action=action,
        call=call,
        reads=KEY_READS,
        wanted=WANTED[action],
        done=done,
        noun="this key",
        look=look,
        read=read_keys,
        send=send,
        judge=judge,
        observe=observe,
        removes=removes,
        looks_again=action != Action.ENABLE,
    )


KEY_OPERATIONS = (
    _operation(Action.DISABLE, "iam:UpdateAccessKey", "Disabled", _set_inactive),
    _operation(Action.ENABLE, "iam:UpdateAccessKey", "Enabled", _set_active),
    _operation(Action.DELETE, "iam:DeleteAccessKey", "Deleted", _delete, removes=True),
)
