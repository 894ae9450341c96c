"""Why AWS denied a call, in a sentence: which kind of policy was in the way, and what to change. AWS's own text is never repeated."""

from __future__ import annotations

REASONS = (
    ("service control policy", "a service control policy of the organization forbids it"),
    ("resource control policy", "a resource control policy of the organization forbids it"),
    ("permissions boundary", "the role's permissions boundary does not allow it"),
    ("session policy", "the session's own policy does not allow it"),
    ("identity-based policy", "the role's policy does not allow it"),
    ("resource-based policy", "the role's trust policy does not allow it"),
)
NO_USER = "AWS could not find the user, who may have been deleted"
SERVICES = {
    "GetCallerIdentity": "sts",
    "AssumeRoot": "sts",
    "LookupEvents": "cloudtrail",
    "DescribeOrganization": "organizations",
    "ListAccounts": "organizations",
    "ListParents": "organizations",
    "ListTagsForResource": "organizations",
    "DescribeOrganizationalUnit": "organizations",
}


def because(message: str) -> str:
    """The kind of policy that AWS names, as a clause; empty when it names none."""
    text = message.lower()
    if "on resource: user " in text and "arn:" not in text.partition("on resource: ")[2]:
        return NO_USER
    explicit = "with an explicit deny" in text
    for word, clause in REASONS:
        if word in text:
            return clause.replace("does not allow it", "denies it explicitly") if explicit else clause
    return ""


def is_feature_off(operation: str, message: str) -> bool:
    """AWS answers AssumeRoot with a plain AccessDenied while central root access is off; only its words tell."""
    text = message.lower()
    return operation == "AssumeRoot" and "not enabled" in text and "root" in text


def denied(operation: str, who: str, why: str) -> str:
    """What was refused, why as far as AWS tells, and what to check."""
    clause = f": {why}" if why else ""
    if operation == "AssumeRole":
        return f"{who} cannot be assumed (AccessDenied){clause}. Check that it exists, its trust policy and the external id."
    if operation == "AssumeRoot":
        return (
            f"{who} was refused (AccessDenied){clause}. Check that the worker may call sts:AssumeRoot, that the account is a member and "
            "not the management account, and that no service control policy denies root."
        )
    action = f"{SERVICES.get(operation, 'iam')}:{operation}"
    advice = "Poll the account to see." if why == NO_USER else "Allow the action there."
    return f"{who} is not permitted to call {action} (AccessDenied){clause}. {advice}"
