"""Delete of a console password, deactivate, activate and delete of a signing certificate of an IAM user, as operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from accounts.gateway import Gateway, ListedCertificate, NoSuchEntity
from accounts.policies import CERTIFICATE_READS, PASSWORD_READS
from hygiene.domain.facts import PasswordState, Source
from hygiene.domain.policy import Policy
from hygiene.models import Action, Principal, PrincipalEvent, Remediation
from hygiene.services import findings, posture
from hygiene.services.live_checks import DELETED
from hygiene.services.live_credentials import ACTIVE, INACTIVE, LiveCredential, certificate_in, judge_credential
from hygiene.services.operation import Operation


def _read_password(gateway: Gateway, remediation: Remediation) -> LiveCredential:
    return LiveCredential(ACTIVE if gateway.has_login_profile(remediation.user_name) else DELETED)


def _look_at_password(gateway: Gateway, remediation: Remediation) -> LiveCredential:
    """With the user's birth and last sign-in, as GetUser has them now."""
    if not gateway.has_login_profile(remediation.user_name):
        return LiveCredential(DELETED)
    user = gateway.get_user(remediation.user_name)
    return LiveCredential(ACTIVE, last_used_at=user.password_last_used_at, holder_created_at=user.created_at)


def _delete_password(gateway: Gateway, remediation: Remediation) -> str:
    return gateway.delete_login_profile(remediation.user_name)


def _read_certificate(gateway: Gateway, remediation: Remediation) -> LiveCredential:
    """A user that is gone has no certificates."""
    try:
        listed = gateway.list_signing_certificates(remediation.user_name)
    except NoSuchEntity:
        listed = ()
    return certificate_in(listed, remediation)


def certificate_id(remediation: Remediation) -> str:
    """As the look before the change found it."""
    return str(remediation.live_before.get("id") or remediation.target_id)


def _set_certificate(gateway: Gateway, remediation: Remediation, *, active: bool) -> str:
    return gateway.update_signing_certificate(remediation.user_name, certificate_id(remediation), active=active)


def _delete_certificate(gateway: Gateway, remediation: Remediation) -> str:
    return gateway.delete_signing_certificate(remediation.user_name, certificate_id(remediation))


def observe_password(remediation: Remediation, live: LiveCredential, *, is_ours: bool, policy: Policy, now: datetime) -> None:
    """Whether the user has a console password now, with findings and counts that follow."""
    user = _fresh(remediation)
    if live.status == DELETED:
        user.password_state, user.password_changed_here_at = PasswordState.NONE, now
        if is_ours:
            tell(remediation, "password_removed", f"Console password deleted here by {remediation.requested_by_name}", now=now)
    user.save(update_fields=["password_state", "password_changed_here_at"])
    _judge_again(remediation, user, policy=policy, now=now)


def observe_certificate(remediation: Remediation, live: LiveCredential, *, is_ours: bool, policy: Policy, now: datetime) -> None:
    """The user's certificates as AWS listed them now, with findings and counts that follow."""
    user = _fresh(remediation)
    store_certificates(user, live.of, now=now)
    if is_ours:
        done = DONE[Action(remediation.action)].lower()
        tell(remediation, f"certificate_{done}", f"Signing certificate {done} here by {remediation.requested_by_name}", now=now)
    _judge_again(remediation, user, policy=policy, now=now)


def store_certificates(principal: Principal, listed: Sequence[ListedCertificate], *, now: datetime) -> None:
    """What a live list says, in the shape of lists and in that of reports."""
    principal.signing_certificates = [
        {"id": one.certificate_id, "active": one.status == ACTIVE, "uploaded_at": one.uploaded_at.isoformat() if one.uploaded_at else None}
        for one in listed
    ]
    principal.signing_certificates_observed_at = now
    principal.certificates = [
        {"slot": place, "active": one["active"], "last_rotated_at": one["uploaded_at"]}
        for place, one in enumerate(principal.signing_certificates, start=1)
    ]
    principal.save(update_fields=["signing_certificates", "signing_certificates_observed_at", "certificates"])


def tell(remediation: Remediation, kind: str, summary: str, *, now: datetime) -> None:
    """A line in the timeline of the user or root."""
    values = {"occurred_at": now, "kind": kind[:32], "summary": summary[:255], "source": Source.OWN_ACTION}
    PrincipalEvent.objects.create(principal=remediation.principal, remediation=remediation, **values)


def _fresh(remediation: Remediation) -> Principal:
    return Principal.objects.get(pk=remediation.principal_id)


def _judge_again(remediation: Remediation, user: Principal, *, policy: Policy, now: datetime) -> None:
    account = remediation.account
    findings.reevaluate_principals(account, account.status, [user], policy=policy, now=now)
    posture.refresh(account, account.status, policy=policy, now=now)


DONE = {
    Action.DELETE_PASSWORD: "Deleted",
    Action.DEACTIVATE_CERTIFICATE: "Deactivated",
    Action.ACTIVATE_CERTIFICATE: "Activated",
    Action.DELETE_CERTIFICATE: "Deleted",
}


def _of_certificate(action: Action, call: str, wanted: str, send: Callable[[Any, Remediation], str]) -> Operation:
    return Operation(
        action=action,
        call=call,
        reads=CERTIFICATE_READS,
        wanted=wanted,
        done=DONE[action],
        noun="this certificate",
        look=_read_certificate,
        read=_read_certificate,
        send=send,
        judge=partial(judge_credential, noun="this certificate", wanted=wanted),
        observe=observe_certificate,
        removes=wanted == DELETED,
    )


CREDENTIAL_OPERATIONS = (
    Operation(
        action=Action.DELETE_PASSWORD,
        call="iam:DeleteLoginProfile",
        reads=PASSWORD_READS,
        wanted=DELETED,
        done=DONE[Action.DELETE_PASSWORD],
        noun="this console password",
        look=_look_at_password,
        read=_read_password,
        send=_delete_password,
        judge=partial(judge_credential, noun="this console password", wanted=DELETED),
        observe=observe_password,
        removes=True,
    ),
    _of_certificate(Action.DEACTIVATE_CERTIFICATE, "iam:UpdateSigningCertificate", INACTIVE, partial(_set_certificate, active=False)),
    _of_certificate(Action.ACTIVATE_CERTIFICATE, "iam:UpdateSigningCertificate", ACTIVE, partial(_set_certificate, active=True)),
    _of_certificate(Action.DELETE_CERTIFICATE, "iam:DeleteSigningCertificate", DELETED, _delete_certificate),
)
