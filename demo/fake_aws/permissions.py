"""What a session may do: its role's rights, the session's inline policy, and the deny-lists of central root access."""

from __future__ import annotations

import json
import re
from typing import Any

READS = (
    *("GenerateCredentialReport", "GetCredentialReport", "GetAccountSummary", "ListUsers", "ListVirtualMFADevices"),
    *("ListAccountAliases", "ListAccessKeys", "GetAccessKeyLastUsed", "ListUserTags", "ListMFADevices", "ListAttachedUserPolicies"),
    *("GetAccountAuthorizationDetails", "GetAccountPasswordPolicy", "ListServiceSpecificCredentials", "ListSSHPublicKeys"),
    *("ListSigningCertificates", "ListOrganizationsFeatures", "DescribeOrganization", "LookupEvents"),
    *("GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails"),
)
ORGANIZATION_READS = ("ListAccounts", "ListParents", "DescribeOrganizationalUnit", "ListTagsForResource")  # in the management account
ACTS = (
    *("GetUser", "ListAccessKeys", "GetAccessKeyLastUsed", "UpdateAccessKey", "DeleteAccessKey", "GetLoginProfile"),
    *("DeleteLoginProfile", "ListSigningCertificates", "UpdateSigningCertificate", "DeleteSigningCertificate"),
)
_AUDIT = ("ListAccessKeys", "ListSigningCertificates", "GetLoginProfile", "ListMFADevices", "GetUser", "GetAccessKeyLastUsed")
ROOT_TASKS = {
    "IAMAuditRootUserCredentials": (*_AUDIT, "GetAccountSummary"),
    "IAMDeleteRootUserCredentials": (
        *_AUDIT,
        *("DeleteAccessKey", "DeleteSigningCertificate", "DeleteLoginProfile", "DeactivateMFADevice", "DeleteVirtualMFADevice"),
    ),
}


_PART = re.compile(r"\$\{(?P<variable>[^}]*)\}|[*?]")


def matches(pattern: str, text: str) -> bool:
    """IAM's matching: `*` and `?` are wildcards; `${*}`, `${?}`, `${$}` are the characters; no other variable has a value."""
    expression, end = "", 0
    for part in _PART.finditer(pattern):
        expression += re.escape(pattern[end : part.start()])
        end = part.end()
        if part["variable"] is None:
            expression += ".*" if part[0] == "*" else "."
        elif part["variable"] in ("*", "?", "$"):
            expression += re.escape(part["variable"])
        else:
            return False
    return re.fullmatch(expression + re.escape(pattern[end:]), text, re.DOTALL) is not None


def allows(policy: str, action: str, resource: str) -> bool:
    """Whether an inline session policy of Allow and Deny statements allows the call."""
    verdict = False
    for statement in json.loads(policy)["Statement"]:
        actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
        if any(matches(pattern, action) for pattern in actions) and any(matches(pattern, resource) for pattern in resources):
            if statement["Effect"] == "Deny":
                return False
            verdict = True
    return verdict


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
