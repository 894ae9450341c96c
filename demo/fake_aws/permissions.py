"""What a session may do: its role's rights, the session's inline policy, and the deny-lists of central root access."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

READS = (
    *("GenerateCredentialReport", "GetCredentialReport", "GetAccountSummary", "ListUsers", "ListVirtualMFADevices"),
    *("ListAccountAliases", "ListAccessKeys", "GetAccessKeyLastUsed", "ListUserTags", "ListMFADevices", "ListAttachedUserPolicies"),
    *("GetAccountAuthorizationDetails", "GetAccountPasswordPolicy", "ListServiceSpecificCredentials", "ListSSHPublicKeys"),
    *("ListSigningCertificates", "ListOrganizationsFeatures", "DescribeOrganization", "LookupEvents"),
    *("GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails"),
)
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


def allows(policy: str, action: str, resource: str) -> bool:
    """Whether an inline session policy of Allow and Deny statements allows the call."""
    verdict = False
    for statement in json.loads(policy)["Statement"]:
        actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
        literal = [pattern.replace("${*}", "[*]").replace("${?}", "[?]").replace("${$}", "$") for pattern in resources]
        if any(fnmatchcase(action, pattern) for pattern in actions) and any(fnmatchcase(resource, pattern) for pattern in literal):
            if statement["Effect"] == "Deny":
                return False
            verdict = True
    return verdict


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
