"""Whether an account can be reached as it should be, step by step, with what to do about each step that fails. Nothing is changed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from accounts.gateway import (
    AccessDenied,
    AwsError,
    CredentialsExpired,
    FeatureOff,
    Gateway,
    NoSuchEntity,
    RegionDisabled,
    ReportNotReady,
    RootGateway,
    Throttled,
    Unreachable,
)

ROOT_ROW = "<root_account>"
BARE = "refuse without the external id"
ABOVE_THE_ROLE = ("policy of the organization", "permissions boundary")  # what may forbid what the role itself allows
TRUST = (
    "In the account, compare the role's trust policy with the texts: it must name the worker's identity and this external id, letter by "
    "letter. The worker's own policy must allow sts:AssumeRole on the role."
)
CURES: tuple[tuple[type[AwsError], str], ...] = (
    (CredentialsExpired, "Give the worker AWS credentials that are valid: docs/aws-access.md, the worker's identity."),
    (Throttled, "AWS asks for fewer calls. Test again in a few minutes."),
    (RegionDisabled, "Switch STS on for the account's home Region, in IAM, Account settings."),
    (Unreachable, "Check the worker's way to AWS: DNS, proxy, VPC endpoints of STS and IAM. Then test again."),
    (FeatureOff, "Switch it on in the management account, in IAM, Account settings."),
)


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
    ("iam:ListMFADevices", lambda gateway, user: gateway.list_mfa_devices(user), True),
)


def _features(gateway: Gateway) -> None:
    """Answered in an account in charge alone: elsewhere nothing is missing."""
    told = gateway.organization()
    if told.role == "management" and told.features is None:
        raise AccessDenied("The read role is not permitted to call iam:ListOrganizationsFeatures.", operation="ListOrganizationsFeatures")


def read_steps(gateway: Gateway, bare: Gateway | None = None) -> Iterator[Step]:
    """Assume the read role, then try each permission of a poll, one step after the other. Without a session no permission can be tried.

    `bare` is the same role without its external id, which must be refused; None where there is no role.
    """
    first = tried("assume the read role", gateway.caller_identity, advice=TRUST)
    yield first
    if not first.is_ok:
        return
    if bare is not None:
        yield refused_without_external_id(bare)
    for name, call in PERMISSIONS:
        yield tried(name, partial(call, gateway))
    user = a_user(gateway)
    for name, of_user, is_optional in OF_A_USER:
        if user:
            yield tried(name, partial(of_user, gateway, user[0]), is_optional=is_optional)
        else:
            yield Step(name, is_ok=True, detail="not tried: no user of the account is known", is_optional=is_optional)
    for name, call in OPTIONAL:
        yield tried(name, partial(call, gateway), is_optional=True)
    yield _sample(gateway, user)


def _sample(gateway: Gateway, user: tuple[str, str] | None) -> Step:
    """What a poll would see: how many users, and how many keys one of them holds."""
    name = "read a sample"
    try:
        users = gateway.account_summary().users
        held = len(gateway.list_access_keys(user[0])) if user else None
    except AccessDenied as error:
        return Step(name, is_ok=True, detail=f"not read: {error.operation} is refused, as said above")
    except AwsError as error:
        return Step(name, is_ok=False, detail=error.sentence, advice=cure(error))
    counted = "how many users is not told" if users is None else f"{users} {'user' if users == 1 else 'users'}"
    keys = f"; {user[0]} holds {held} access {'key' if held == 1 else 'keys'}" if user else ""
    return Step(name, is_ok=True, detail=f"{counted}{keys}")


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


def refused_without_external_id(bare: Gateway) -> Step:
    """The role must not be assumable without its external id."""
    try:
        bare.caller_identity()
    except AccessDenied:
        return Step(BARE, is_ok=True)
    except AwsError as error:
        return Step(BARE, is_ok=False, detail=error.sentence, advice=cure(error))
    return Step(
        BARE, is_ok=False, detail="The role can be assumed without it.", advice="Add the condition sts:ExternalId to the trust policy."
    )


def act_steps(gateway: Gateway, user: tuple[str, str] | None, bare: Gateway | None = None) -> Iterator[Step]:
    """Assume the act role in a session for one user and read that user's credentials. Changes are not tried: AWS has no dry run."""
    first = tried("assume the act role", gateway.caller_identity, advice=TRUST)
    yield first
    if not first.is_ok:
        return
    if bare is not None:
        yield refused_without_external_id(bare)
    if getattr(gateway, "is_source_identity_refused", False):
        words = "The trust policy lets nobody set a source identity; changes are made without one."
        advice = "Add sts:SetSourceIdentity to the trust policy, or set AWS_SOURCE_IDENTITY=false."
        yield Step("set the source identity", is_ok=False, detail=words, advice=advice, is_optional=True)
    if user is None:
        yield Step("iam:ListAccessKeys of the act role", is_ok=True, detail="not tried: no user of the account is known")
        return
    yield tried("iam:ListAccessKeys", partial(gateway.list_access_keys, user[0]))
    yield tried("iam:GetAccessKeyLastUsed", partial(_last_uses, gateway, user[0]))
    yield tried("iam:GetLoginProfile", partial(gateway.has_login_profile, user[0]), is_optional=True)
    yield tried("iam:GetUser", partial(gateway.get_user, user[0]), is_optional=True)
    yield tried("iam:ListSigningCertificates", partial(gateway.list_signing_certificates, user[0]), is_optional=True)


def check_root(gateway: RootGateway) -> Step:
    """Central root access, with the worker's own identity and the task policy that only reads."""
    return tried("read root's credentials by central root access", gateway.list_access_keys, is_optional=True)


def _last_uses(gateway: Gateway, user: str) -> None:
    for key in gateway.list_access_keys(user)[:1]:
        gateway.access_key_last_used(key.access_key_id)


def tried(name: str, call: Callable[[], object], *, is_optional: bool = False, advice: str = "") -> Step:
    """The step that one call is. `advice` says what to do when AWS denies it and it is no permission by name."""
    try:
        call()
    except (NoSuchEntity, ReportNotReady):
        return Step(name, is_ok=True, is_optional=is_optional)
    except AccessDenied as error:
        return _refused(name, error, is_optional=is_optional, advice=advice)
    except AwsError as error:
        return Step(name, is_ok=False, detail=error.sentence, advice=cure(error), is_optional=is_optional)
    return Step(name, is_ok=True, is_optional=is_optional)


def cure(error: AwsError) -> str:
    """What to do about an error that is no denial."""
    return next((words for kind, words in CURES if isinstance(error, kind)), "Test again; if it stays, see the log of the poll worker.")


def _refused(name: str, error: AccessDenied, *, is_optional: bool, advice: str) -> Step:
    """A permission is missing. Where another call, which this one needs first, was refused, nothing is known of this one."""
    operation = name.partition(":")[2]
    if operation and error.operation not in ("", "AssumeRole", operation):
        return Step(name, is_ok=True, detail=f"not tried: {error.operation} was refused before it", is_optional=is_optional)
    detail = error.sentence
    if operation:
        detail = detail.removesuffix(" Allow the action there.")
        is_above = any(words in detail for words in ABOVE_THE_ROLE)
        advice = f"Allow {name} there." if is_above else f"Add {name} to the role's policy."
    return Step(name, is_ok=False, detail=detail, advice=advice, is_optional=is_optional)
