"""Whether an account can be reached as it should be, step by step, with what to do about each step that fails. Nothing is changed."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from accounts.aws import AwsGateway
from accounts.gateway import AccessDenied, AwsError, Gateway, NoSuchEntity, ReportNotReady, RootGateway

ROOT_ROW = "<root_account>"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a check. `advice` says what to do when it is not ok. Without an optional one the product works, and knows less."""

    name: str
    is_ok: bool
    detail: str = ""
    advice: str = ""
    is_optional: bool = False


PERMISSIONS: tuple[tuple[str, Callable[[Gateway], object]], ...] = (
    ("iam:GetAccountSummary", lambda gateway: gateway.account_summary()),
    ("iam:ListVirtualMFADevices", lambda gateway: gateway.virtual_mfa_devices()),
    ("iam:GenerateCredentialReport", lambda gateway: gateway.generate_credential_report()),
    ("iam:GetCredentialReport", lambda gateway: gateway.get_credential_report()),
)
OPTIONAL: tuple[tuple[str, Callable[[Gateway], object]], ...] = (
    ("iam:ListUsers", lambda gateway: gateway.list_users()),
    ("iam:GetAccountAuthorizationDetails", lambda gateway: gateway.authorization_details()),
    ("iam:GetAccountPasswordPolicy", lambda gateway: gateway.password_policy()),
    ("iam:ListServiceSpecificCredentials", lambda gateway: gateway.service_credentials()),
    ("organizations:DescribeOrganization", lambda gateway: gateway.organization()),
    ("iam:ListOrganizationsFeatures", lambda gateway: _features(gateway)),
)
OF_A_USER: tuple[tuple[str, Callable[[Gateway, str], object], bool], ...] = (
    ("iam:ListAccessKeys", lambda gateway, user: gateway.list_access_keys(user), False),
    ("iam:GetAccessKeyLastUsed", lambda gateway, user: _last_uses(gateway, user), False),
    ("iam:ListSSHPublicKeys", lambda gateway, user: gateway.list_ssh_keys(user), True),
    ("iam:ListSigningCertificates", lambda gateway, user: gateway.list_signing_certificates(user), True),
)


def _features(gateway: Gateway) -> None:
    """Answered in an account in charge alone: elsewhere nothing is missing."""
    told = gateway.organization()
    if told.role == "management" and told.features is None:
        raise AccessDenied("The read role is not permitted to call iam:ListOrganizationsFeatures.", operation="ListOrganizationsFeatures")


def check(gateway: Gateway) -> list[Step]:
    """Assume the read role, then try each permission of a poll. Without a session no permission can be tried."""
    first = _tried("assume the read role", gateway.caller_identity)
    if not first.is_ok:
        return [first]
    steps = [first, *(_tried(name, partial(call, gateway)) for name, call in PERMISSIONS)]
    user = a_user(gateway)
    for name, call, is_optional in OF_A_USER:
        if user:
            steps.append(_tried(name, partial(call, gateway, user[0]), is_optional=is_optional))
        else:
            steps.append(Step(name, is_ok=True, detail="not tried: no user of the account is known", is_optional=is_optional))
    return [*steps, *(_tried(name, partial(call, gateway), is_optional=True) for name, call in OPTIONAL)]


def a_user(gateway: Gateway) -> tuple[str, str] | None:
    """Name and ARN of any user, from ListUsers or the credential report; None when there is none, or none can be read.

    A permission on users can only be tried on a real one: AWS answers AccessDenied for users that do not exist.
    """
    try:
        for listed in gateway.list_users():
            return listed.user_name, listed.arn
    except AwsError:
        return _reported_user(gateway)
    return None


def _reported_user(gateway: Gateway) -> tuple[str, str] | None:
    try:
        text = gateway.get_credential_report().content.decode("utf-8", "replace")
    except AwsError:
        return None
    for row in csv.DictReader(text.splitlines()):
        if row.get("user") not in (None, "", ROOT_ROW) and ":user/" in str(row.get("arn")):
            return str(row["user"]), str(row["arn"])
    return None


def check_external_id(gateway: AwsGateway) -> Step:
    """The role must not be assumable without its external id."""
    name = "refuse without the external id"
    bare = AwsGateway(replace(gateway.spec, external_id="", source_identity=""), gateway.pacer)
    try:
        bare.caller_identity()
    except AccessDenied:
        return Step(name, is_ok=True)
    except AwsError as error:
        return Step(name, is_ok=False, detail=error.sentence)
    return Step(
        name, is_ok=False, detail="The role can be assumed without it.", advice="Add the condition sts:ExternalId to the trust policy."
    )


def check_act(gateway: Gateway, user: tuple[str, str] | None) -> list[Step]:
    """Assume the act role in a session for one user and read that user's credentials. Changes are not tried: AWS has no dry run."""
    first = _tried("assume the act role", gateway.caller_identity)
    if not first.is_ok:
        return [first]
    steps = [first]
    if isinstance(gateway, AwsGateway):
        steps += [check_external_id(gateway)]
        if gateway.is_source_identity_refused:
            words = "The trust policy lets nobody set a source identity; changes are made without one."
            advice = "Add sts:SetSourceIdentity to the trust policy, or set AWS_SOURCE_IDENTITY=false."
            steps.append(Step("set the source identity", is_ok=False, detail=words, advice=advice, is_optional=True))
    if user is None:
        return [*steps, Step("iam:ListAccessKeys of the act role", is_ok=True, detail="not tried: no user of the account is known")]
    return [
        *steps,
        _tried("iam:ListAccessKeys", partial(gateway.list_access_keys, user[0])),
        _tried("iam:GetAccessKeyLastUsed", partial(_last_uses, gateway, user[0])),
        _tried("iam:GetLoginProfile", partial(gateway.has_login_profile, user[0]), is_optional=True),
        _tried("iam:GetUser", partial(gateway.get_user, user[0]), is_optional=True),
        _tried("iam:ListSigningCertificates", partial(gateway.list_signing_certificates, user[0]), is_optional=True),
    ]


def check_root(gateway: RootGateway) -> Step:
    """Central root access, with the worker's own identity and the task policy that only reads."""
    return _tried("read root's credentials by central root access", gateway.list_access_keys, is_optional=True)


def _last_uses(gateway: Gateway, user: str) -> None:
    for key in gateway.list_access_keys(user)[:1]:
        gateway.access_key_last_used(key.access_key_id)


def _tried(name: str, call: Callable[[], object], *, is_optional: bool = False) -> Step:
    try:
        call()
    except (NoSuchEntity, ReportNotReady):
        return Step(name, is_ok=True, is_optional=is_optional)
    except AccessDenied as error:
        return _refused(name, error, is_optional=is_optional)
    except AwsError as error:
        return Step(name, is_ok=False, detail=error.sentence, is_optional=is_optional)
    return Step(name, is_ok=True, is_optional=is_optional)


def _refused(name: str, error: AccessDenied, *, is_optional: bool) -> Step:
    """A permission is missing. Where another call, which this one needs first, was refused, nothing is known of this one."""
    operation = name.partition(":")[2]
    if operation and error.operation not in ("", "AssumeRole", operation):
        return Step(name, is_ok=True, detail=f"not tried: {error.operation} was refused before it", is_optional=is_optional)
    advice = f"Add {name} to the role's policy." if operation else ""
    return Step(name, is_ok=False, detail=error.sentence, advice=advice, is_optional=is_optional)
