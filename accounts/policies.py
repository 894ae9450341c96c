"""Session policies and session names: what an assumed session may do, whatever its role would allow. Pure.

Follows "Session policies" and "IAM policy elements: variables" of the IAM User Guide; inline session policies are limited to 2,048
characters. Paths may hold ``*``, ``?`` and ``${``, which are wildcards in a policy: they are written as policy variables.
"""

from __future__ import annotations

import json
import re

LONGEST = 2048
READS = (
    "iam:GenerateCredentialReport",
    "iam:GetCredentialReport",
    "iam:GetAccountSummary",
    "iam:ListVirtualMFADevices",
    "iam:ListAccessKeys",
    "iam:GetAccessKeyLastUsed",
)
DETAIL_READS = (  # optional: what becomes unknown without each is told in docs/aws-access.md
    "iam:ListUsers",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountPasswordPolicy",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSSHPublicKeys",
    "iam:ListSigningCertificates",
    "iam:ListMFADevices",
    "iam:ListOrganizationsFeatures",
    "organizations:DescribeOrganization",
)
ORGANIZATION_READS = (
    "organizations:ListAccounts",
    "organizations:ListParents",
    "organizations:DescribeOrganizationalUnit",
    "organizations:ListTagsForResource",
)
EVIDENCE_READS = (
    "cloudtrail:LookupEvents",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:GetServiceLastAccessedDetails",
    "iam:ListAccessKeys",
    "iam:GetAccessKeyLastUsed",
)
KEY_READS = ("iam:ListAccessKeys", "iam:GetAccessKeyLastUsed")
PASSWORD_READS = ("iam:GetLoginProfile", "iam:GetUser")
CERTIFICATE_READS = ("iam:ListSigningCertificates",)
OTHER_READS = PASSWORD_READS + CERTIFICATE_READS  # of changes of a password or certificate alone
_USER_ARN = re.compile(r"arn:[a-z-]+:iam::\d{12}:user/[\x21-\x7e]+")
_ESCAPES = {"*": "${*}", "?": "${?}", "$": "${$}"}
_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)


def read_session_policy() -> str:
    """The session of a poll, and of a walk over the organization: these reads and nothing else."""
    return _policy((*READS, *DETAIL_READS, *ORGANIZATION_READS), "*")


def evidence_session_policy() -> str:
    """The session of a search for use, by a person."""
    return _policy(EVIDENCE_READS, "*")


def act_session_policy(user_arn: str, *, actions: tuple[str, ...]) -> str:
    """The session of one change: `actions` on exactly this user, or the reads of access keys. ValueError for what is no user's ARN."""
    if not _USER_ARN.fullmatch(user_arn):
        raise ValueError(f"Not the ARN of an IAM user: {user_arn!r}")
    resource = "".join(_ESCAPES.get(character, character) for character in user_arn)
    policy = _policy(actions or KEY_READS, resource)
    if len(policy) > LONGEST:
        raise ValueError("The session policy would be longer than AWS allows.")
    return policy


def session_name(*parts: str) -> str:
    """`hygiene-<part>-<part>` in the characters and length (64) that AWS allows for RoleSessionName and SourceIdentity."""
    words = [_NAME.sub("_", part) for part in parts if part]
    last = words[-1][:20] if len(words) > 1 else ""
    head = "-".join(["hygiene", *(words[:-1] if last else words)])[: 64 - (len(last) + 1 if last else 0)]
    return f"{head}-{last}" if last else head


def source_identity(operator: str) -> str:
    """The operator in the characters and length (2 to 64) that AWS allows for SourceIdentity; empty for nobody."""
    name = _NAME.sub("_", operator)[:64]
    return name if len(name) >= 2 else f"{name}_" if name else ""


def _policy(actions: tuple[str, ...], resource: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
