"""Removal of root's credentials in a member account through central root access, as operations. Nothing of it can be taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from accounts.gateway import RootGateway
from hygiene.domain.facts import MfaState, PasswordState
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Principal, Remediation
from hygiene.services import findings, live_keys, posture
from hygiene.services.credential_operations import certificate_id, store_certificates, tell
from hygiene.services.live_checks import DELETED
from hygiene.services.live_credentials import ACTIVE, LiveCredential, certificate_in, judge_credential
from hygiene.services.operation import Operation, SecondCall
from hygiene.services.permissions import Refusal
from hygiene.services.root_inspection import refusal_of
from hygiene.services.second_call import DELETED as DEVICE_DELETED

PASSWORD_FIRST = Refusal(
    "password_first", "Delete root's password first: a root user with a password and without MFA would be worse than before."
)
VIRTUAL = re.compile(r"arn:[a-z-]+:iam::\d{12}:mfa/.+")
NOUNS = {
    Action.DELETE_ROOT_KEY: "this root access key",
    Action.DELETE_ROOT_PASSWORD: "root's password",
    Action.DELETE_ROOT_CERTIFICATE: "this root certificate",
    Action.DEACTIVATE_ROOT_MFA: "this MFA device of root",
}


def _read_key(root: RootGateway, remediation: Remediation) -> LiveCredential:
    listed = root.list_access_keys()
    key = next((key for key in listed if key.access_key_id == remediation.target_id), None)
    if key is None:
        return LiveCredential(DELETED, remediation.target_id, of=listed)
    return LiveCredential(key.status, key.access_key_id, key.created_at, of=listed)


def _look_at_key(root: RootGateway, remediation: Remediation) -> LiveCredential:
    live = _read_key(root, remediation)
    if live.status == DELETED:
        return live
    used = root.access_key_last_used(remediation.target_id).last_used_at
    return LiveCredential(live.status, live.credential_id, live.created_at, used, of=live.of)


def _read_password(root: RootGateway, remediation: Remediation) -> LiveCredential:
    return LiveCredential(ACTIVE if root.has_login_profile() else DELETED)


def _read_certificate(root: RootGateway, remediation: Remediation) -> LiveCredential:
    return certificate_in(root.list_signing_certificates(), remediation)


def _read_mfa(root: RootGateway, remediation: Remediation) -> LiveCredential:
    serials = root.list_mfa_devices()
    return LiveCredential(ACTIVE if remediation.target_id in serials else DELETED, remediation.target_id, of=serials)


def _look_at_mfa(root: RootGateway, remediation: Remediation) -> LiveCredential:
    """A root user that still has a password keeps its MFA."""
    live = _read_mfa(root, remediation)
    blocker = PASSWORD_FIRST if live.status != DELETED and root.has_login_profile() else None
    return LiveCredential(live.status, live.credential_id, of=live.of, blocker=blocker)


def _delete_key(root: RootGateway, remediation: Remediation) -> str:
    return root.delete_access_key(remediation.target_id)


def _delete_password(root: RootGateway, remediation: Remediation) -> str:
    return root.delete_login_profile()


def _delete_certificate(root: RootGateway, remediation: Remediation) -> str:
    return root.delete_signing_certificate(certificate_id(remediation))


def _deactivate_mfa(root: RootGateway, remediation: Remediation) -> str:
    return root.deactivate_mfa_device(remediation.target_id)


def _is_virtual(remediation: Remediation) -> bool:
    """By its serial: only virtual devices have an ARN of mfa; passkeys' begin differently, and hardware tokens have none."""
    return VIRTUAL.fullmatch(remediation.target_id) is not None


def _delete_virtual_mfa(root: RootGateway, remediation: Remediation) -> str:
    return root.delete_virtual_mfa_device(remediation.target_id)


def observe(remediation: Remediation, live: LiveCredential, *, is_ours: bool, policy: Policy, now: datetime) -> None:
    """What central root access showed now, on root's own rows and the account's, with findings and counts that follow."""
    account, root = remediation.account, Principal.objects.get(pk=remediation.principal_id)
    status = account.status
    status.refresh_from_db()
    OBSERVERS[Action(remediation.action)](remediation, root, live, now)
    if is_ours:
        done = "deactivated" if remediation.action == Action.DEACTIVATE_ROOT_MFA else "deleted"
        done += " and deleted" if remediation.result_code == DEVICE_DELETED else ""
        noun = NOUNS[Action(remediation.action)].replace("this ", "").capitalize()
        tell(remediation, str(remediation.action), f"{noun} {done} here by {remediation.requested_by_name}", now=now)
    findings.reevaluate_account(account, status, policy=policy, now=now)
    posture.refresh(account, status, policy=policy, now=now)


def _keys_seen(remediation: Remediation, root: Principal, live: LiveCredential, now: datetime) -> None:
    """Root's key rows have no ids: those whose birth AWS lists no longer are gone, and all of them when it lists none."""
    born = {key.created_at for key in live.of}
    for key in AccessKey.objects.present().filter(principal=root):
        if not live.of or (key.created_at is not None and key.created_at not in born):
            live_keys.record_gone(key, now=now, reason="deleted here", remediation=remediation)
    root.active_keys = sum(key.status == ACTIVE for key in live.of)
    root.inactive_keys = len(live.of) - root.active_keys
    root.save(update_fields=["active_keys", "inactive_keys"])
    _say(remediation, root_key_present=bool(live.of))


def _password_seen(remediation: Remediation, root: Principal, live: LiveCredential, now: datetime) -> None:
    is_there = live.status != DELETED
    root.password_state = PasswordState.ENABLED if is_there else PasswordState.NONE
    root.password_changed_here_at = root.password_changed_here_at if is_there else now
    root.save(update_fields=["password_state", "password_changed_here_at"])
    _say(remediation, root_password_present=is_there)


def _certificates_seen(remediation: Remediation, root: Principal, live: LiveCredential, now: datetime) -> None:
    store_certificates(root, live.of, now=now)
    _say(remediation, root_certificate_present=bool(live.of))


def _mfa_seen(remediation: Remediation, root: Principal, live: LiveCredential, now: datetime) -> None:
    root.mfa_state = MfaState.ON if live.of else MfaState.OFF
    root.mfa_kinds = None if live.of else []
    root.save(update_fields=["mfa_state", "mfa_kinds"])
    _say(remediation, root_mfa_on=bool(live.of))


def _say(remediation: Remediation, **values: bool) -> None:
    status = remediation.account.status
    for name, value in values.items():
        setattr(status, name, value)
    status.save(update_fields=list(values))


Observer = Callable[[Remediation, Principal, LiveCredential, datetime], None]
OBSERVERS: dict[Action, Observer] = {
    Action.DELETE_ROOT_KEY: _keys_seen,
    Action.DELETE_ROOT_PASSWORD: _password_seen,
    Action.DELETE_ROOT_CERTIFICATE: _certificates_seen,
    Action.DEACTIVATE_ROOT_MFA: _mfa_seen,
}


DELETE_DEVICE = SecondCall(
    call="iam:DeleteVirtualMFADevice",
    is_needed=_is_virtual,
    send=_delete_virtual_mfa,
    done="The virtual device was deleted too.",
    gone="AWS no longer knew the virtual device: it was already deleted.",
    left="The virtual device was not deleted; it belongs to nobody and can be deleted in IAM.",
    unknown="AWS did not say whether it deleted the virtual device too; if not, it belongs to nobody and can be deleted in IAM.",
)


def _operation(action: Action, call: str, read: Callable[..., LiveCredential], send: Callable[[Any, Remediation], str]) -> Operation:
    looks = {Action.DELETE_ROOT_KEY: _look_at_key, Action.DEACTIVATE_ROOT_MFA: _look_at_mfa}
    return Operation(
        action=action,
        call=call,
        reads=(),
        wanted=DELETED,
        done="Deactivated" if action == Action.DEACTIVATE_ROOT_MFA else "Deleted",
        noun=NOUNS[action],
        look=looks.get(action, read),
        read=read,
        send=send,
        judge=partial(judge_credential, noun=NOUNS[action], wanted=DELETED),
        observe=observe,
        removes=True,
        second=DELETE_DEVICE if action == Action.DEACTIVATE_ROOT_MFA else None,
        explain=refusal_of,
    )


ROOT_OPERATIONS = (
    _operation(Action.DELETE_ROOT_KEY, "iam:DeleteAccessKey", _read_key, _delete_key),
    _operation(Action.DELETE_ROOT_PASSWORD, "iam:DeleteLoginProfile", _read_password, _delete_password),
    _operation(Action.DELETE_ROOT_CERTIFICATE, "iam:DeleteSigningCertificate", _read_certificate, _delete_certificate),
    _operation(Action.DEACTIVATE_ROOT_MFA, "iam:DeactivateMFADevice", _read_mfa, _deactivate_mfa),
)
