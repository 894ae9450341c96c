"""Which words the filter line of each list knows (docs/using.md, "The filter line", has the most used ones)."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q

from accounts.models import Account
from hygiene.domain.facts import KeyStatus, MfaState, PasswordState, UseState
from hygiene.domain.query import Term
from hygiene.filters.conditions import (
    RULE_WORDS,
    Condition,
    Known,
    Scene,
    account_owner,
    ages,
    matches,
    one_of,
    owner,
    rule_codes,
    rules,
    rules_of_key,
    severity,
    tags,
    unit,
    words,
)
from hygiene.models import Finding, FindingOutcome
from hygiene.services.posture import reporting, young


def _exempt(relation: str) -> Callable[[Scene], Q]:
    found = Finding.objects.open().filter(outcome=FindingOutcome.EXEMPT, **{relation: OuterRef("pk")})
    return lambda scene: Q(Exists(found))


def _stale(scene: Scene) -> Q:
    return ~reporting(policy=scene.policy, now=scene.now)


NOT_USED: dict[str, Q | Callable[[Scene], Q]] = {
    "never": lambda scene: Q(last_used_state=UseState.NEVER) & ~young(scene.now),
    "not-yet": lambda scene: Q(last_used_state=UseState.NEVER) & young(scene.now),
    "nodata": Q(last_used_state=UseState.NO_DATA),
    "unknown": Q(last_used_state=UseState.UNKNOWN),
}
KEYS: dict[str, Condition] = {
    "": words("principal__name", "access_key_id", "account__name", "account__account_id", "principal__owner", "account__owner_email"),
    "account": matches("account__name", "account__account_id"),
    "age": ages("created_at"),
    "env": matches("account__environment"),
    "ou": unit("account__organizational_unit"),
    "account-owner": account_owner("account__owner_email"),
    "is": one_of(
        "pk",
        {
            "finding": lambda scene: Q(severity__gt=0),
            "exempt": _exempt("key"),
            "root": lambda scene: Q(principal__is_root=True),
            "stale-data": _stale,
            "mine": lambda scene: owner("principal__")(Term("owner", ("me",)), scene),
        },
    ),
    "key": matches("access_key_id"),
    "last-used": ages("last_used_at", NOT_USED),
    "mfa": one_of("principal__mfa_state", {"on": MfaState.ON, "off": MfaState.OFF, "unknown": MfaState.UNKNOWN}),
    "owner": owner("principal__"),
    "password": one_of(
        "principal__password_state", {"yes": PasswordState.ENABLED, "no": PasswordState.NONE, "unknown": PasswordState.UNKNOWN}
    ),
    "region": matches("last_used_region"),
    "rule": rules_of_key(),
    "service": matches("last_used_service"),
    "sev": severity("severity"),
    "status": one_of(
        "status",
        {
            "active": lambda scene: Q(status=KeyStatus.ACTIVE, gone_at__isnull=True),
            "disabled": lambda scene: Q(status=KeyStatus.INACTIVE, gone_at__isnull=True),
            "inactive": lambda scene: Q(status=KeyStatus.INACTIVE, gone_at__isnull=True),
            "other": lambda scene: Q(status=KeyStatus.OTHER, gone_at__isnull=True),
            "deleted": lambda scene: Q(gone_at__isnull=False),
        },
    ),
    "tag": tags("account__tags"),
    "user": matches("principal__name"),
}
USERS: dict[str, Condition] = {
    "": words("name", "account__name", "account__account_id", "owner", "account__owner_email"),
    "account": matches("account__name", "account__account_id"),
    "age": ages("created_at"),
    "env": matches("account__environment"),
    "ou": unit("account__organizational_unit"),
    "account-owner": account_owner("account__owner_email"),
    "is": one_of(
        "pk",
        {
            "finding": lambda scene: Q(severity__gt=0),
            "exempt": _exempt("principal"),
            "stale-data": _stale,
            "mine": lambda scene: owner("")(Term("owner", ("me",)), scene),
        },
    ),
    "last-used": ages(
        "password_last_used_at",
        {
            "never": Q(password_last_used_state__in=[UseState.NEVER, UseState.NO_DATA]),
            "unknown": Q(password_last_used_state=UseState.UNKNOWN),
        },
    ),
    "mfa": one_of("mfa_state", {"on": MfaState.ON, "off": MfaState.OFF, "unknown": MfaState.UNKNOWN}),
    "owner": owner(""),
    "password": one_of("password_state", {"yes": PasswordState.ENABLED, "no": PasswordState.NONE, "unknown": PasswordState.UNKNOWN}),
    "rule": rules("principal"),
    "sev": severity("severity"),
    "tag": tags("account__tags"),
    "user": matches("name"),
}
ACCOUNTS: dict[str, Condition] = {
    "": words("name", "account_id", "owner_email", "environment"),
    "account": matches("name", "account_id"),
    "env": matches("environment"),
    "ou": unit("organizational_unit"),
    "account-owner": account_owner("owner_email"),
    "owner": lambda term, scene: matches("owner_email")(
        Term("owner", tuple(scene.user.email if value == "me" else value for value in term.values)), scene
    ),
    "partition": matches("partition"),
    "rule": rules("account"),
    "is": one_of(
        "pk",
        {
            "finding": lambda scene: Q(status__findings_open__gt=0),
            "polled": lambda scene: Q(pk__in=Account.objects.pollable()),
            "read-only": lambda scene: Q(allows_remediation=False) | Q(act_role_arn=""),
            "stale-data": lambda scene: ~reporting(policy=scene.policy, now=scene.now, prefix=""),
        },
    ),
    "tag": tags("tags"),
}
FINDINGS: dict[str, Condition] = {
    "": words("principal__name", "key__access_key_id", "account__name", "account__account_id", "explanation"),
    "account": matches("account__name", "account__account_id"),
    "age": ages("opened_at"),
    "env": matches("account__environment"),
    "ou": unit("account__organizational_unit"),
    "account-owner": account_owner("account__owner_email"),
    "is": one_of("pk", {"root": lambda scene: Q(principal__is_root=True), "stale-data": _stale}),
    "key": matches("key__access_key_id"),
    "rule": Known(lambda term, scene: Q(rule__in=[code for value in term.values for code in rule_codes(value)]), RULE_WORDS),
    "sev": severity("severity"),
    "status": one_of(
        "outcome",
        {
            "open": lambda scene: Q(resolved_at__isnull=True, outcome=FindingOutcome.FAIL),
            "exempt": lambda scene: Q(resolved_at__isnull=True, outcome=FindingOutcome.EXEMPT),
            "unknown": lambda scene: Q(resolved_at__isnull=True, outcome=FindingOutcome.UNKNOWN),
            "fixed": lambda scene: Q(resolved_at__isnull=False),
        },
    ),
    "tag": tags("account__tags"),
    "user": matches("principal__name"),
}
AUDIT: dict[str, Condition] = {
    "": words("actor_name", "action", "target", "account_name", "account_number", "message", "aws_request_id"),
    "account": matches("account_name", "account_number"),
    "action": matches("action"),
    "age": ages("occurred_at"),
    "by": matches("actor_name"),
    "result": matches("outcome"),
    "reason": matches("reason"),
}
