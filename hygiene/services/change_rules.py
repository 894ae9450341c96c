"""How changes to AWS are governed here: approvals, waiting days, caps, breaker and freeze days, typed, with their defaults.

People change them on the settings pages; `InstallationPolicy.change_rules` keeps only what differs from the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import audit
from hygiene.domain.policy import DELETE_WAIT_DAYS
from hygiene.domain.windows import days_of, parse_freezes
from hygiene.models import Action, InstallationPolicy
from hygiene.people import roles_with
from hygiene.services import policies
from hygiene.services.permissions import LEAST_WAIT_DAYS
from hygiene.services.refused import Invalid, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DISABLE, DELETE, ROOT = "disable", "delete", "root"
KIND_OF: dict[Action, str] = {  # which caps count an action; taking one back is never capped
    Action.DISABLE: DISABLE,
    Action.DEACTIVATE_CERTIFICATE: DISABLE,
    Action.DELETE: DELETE,
    Action.DELETE_PASSWORD: DELETE,
    Action.DELETE_CERTIFICATE: DELETE,
    Action.DELETE_ROOT_KEY: ROOT,
    Action.DELETE_ROOT_PASSWORD: ROOT,
    Action.DELETE_ROOT_CERTIFICATE: ROOT,
    Action.DEACTIVATE_ROOT_MFA: ROOT,
}


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """One value for each rule; the defaults are those of a new installation."""

    approvals_disable: int = 0
    approvals_enable: int = 0
    approvals_enable_after_leak: int = 1
    approvals_delete: int = 1
    approvals_root: int = 2
    approval_hours: int = 24
    delete_wait_days: int = DELETE_WAIT_DAYS
    operator_hour_disable: int = 25
    operator_hour_delete: int = 10
    operator_hour_root: int = 2
    installation_hour_disable: int = 100
    installation_hour_delete: int = 25
    installation_hour_root: int = 5
    account_day_disable: int = 5
    account_day_share: int = 10
    account_day_delete: int = 5
    account_day_root: int = 1
    breaker_failures: int = 5
    breaker_window: int = 20
    freeze_days: tuple[date, ...] = ()

    def approvals(self, action: Action, *, after_leak: bool = False) -> int:
        """How many other people must agree. `after_leak`: the key to be enabled was disabled as a suspected leak."""
        kind = KIND_OF.get(action)
        if kind is None:
            return max(self.approvals_enable, self.approvals_enable_after_leak if after_leak else 0)
        return int(getattr(self, f"approvals_{kind}"))

    def cap(self, scope: str, kind: str) -> int:
        """The number for a scope ("operator_hour", "installation_hour", "account_day") and a kind of change."""
        return int(getattr(self, f"{scope}_{kind}"))


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule as a form shows it."""

    name: str
    label: str
    least: int
    most: int


LIMITS = (
    Limit("approvals_disable", "Approvals before a disable", 0, 2),
    Limit("approvals_enable", "Approvals before an enable", 0, 2),
    Limit("approvals_enable_after_leak", "Approvals before a key disabled as a suspected leak is enabled", 0, 2),
    Limit("approvals_delete", "Approvals before a deletion", 0, 2),
    Limit("approvals_root", "Approvals before root credentials are removed", 0, 2),
    Limit("approval_hours", "Hours after which a request or an approval lapses", 1, 168),
    Limit("delete_wait_days", "Days a key stays disabled before it may be deleted", LEAST_WAIT_DAYS, 365),
    Limit("operator_hour_disable", "Disables by one person in an hour", 1, 10_000),
    Limit("operator_hour_delete", "Deletions by one person in an hour", 1, 10_000),
    Limit("operator_hour_root", "Root removals by one person in an hour", 1, 1_000),
    Limit("installation_hour_disable", "Disables in an hour, all people together", 1, 100_000),
    Limit("installation_hour_delete", "Deletions in an hour, all people together", 1, 100_000),
    Limit("installation_hour_root", "Root removals in an hour, all people together", 1, 1_000),
    Limit("account_day_disable", "Disables in one account in 24 hours without a second person", 1, 10_000),
    Limit("account_day_share", "The same, as a percentage of its active keys, if that is more", 0, 100),
    Limit("account_day_delete", "Deletions in one account in 24 hours without a second person", 1, 10_000),
    Limit("account_day_root", "Root removals in one account in 24 hours without a second person", 1, 100),
    Limit("breaker_failures", "Failures or unknown outcomes that pause all changes", 1, 1_000),
    Limit("breaker_window", "Among that many last changes", 1, 1_000),
)


def load() -> ChangeRules:
    """The rules in force. A stored value that does not hold any more counts as its default. One query."""
    stored = InstallationPolicy.objects.order_by("pk").values_list("change_rules", flat=True).first()
    values, errors = _clean(stored or {})
    return ChangeRules(**{name: value for name, value in values.items() if name not in errors})


@transaction.atomic
def save(values: Mapping[str, Any], *, actor: User, now: datetime) -> ChangeRules:
    """Store the given values beside those that stand, with an audit event of what changed.

    Raises NotAllowed without the role, Invalid for values that do not hold, and then stores nothing.
    """
    if not (actor.is_active and actor.has_perm("hygiene.manage_policy")):
        raise NotAllowed(f"This needs the role {roles_with('hygiene.manage_policy')}.")
    cleaned, errors = _clean(values)
    if errors:
        raise Invalid(errors)
    before = _as_json(load())
    rules = ChangeRules(**{**{field.name: getattr(load(), field.name) for field in fields(ChangeRules)}, **cleaned})
    if rules.breaker_failures > rules.breaker_window:
        raise Invalid({"breaker_failures": "The breaker cannot wait for more failures than it looks at changes."})
    after, usual = _as_json(rules), _as_json(ChangeRules())
    row = InstallationPolicy.objects.order_by("pk").first() or InstallationPolicy()
    row.change_rules = {name: value for name, value in after.items() if value != usual[name]}
    row.set_by, row.set_at = actor, now
    row.save()
    transaction.on_commit(policies.forget)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        old, new = ({name: side[name] for name in changed} for side in (before, after))
        audit.record(
            action="policy.change_rules",
            outcome="succeeded",
            now=now,
            actor=actor,
            target="rules of changes",
            before=old,
            after=new,
        )
    return rules


def _clean(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Typed values, and one sentence for each that is wrong. Names that are no rules are wrong too."""
    limits = {limit.name: limit for limit in LIMITS}
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, value in values.items():
        limit = limits.get(name)
        if limit is not None and _is_whole(value) and limit.least <= int(value) <= limit.most:
            found[name] = int(value)
        elif limit is not None:
            errors[name] = f"{limit.label}: a whole number from {limit.least} to {limit.most}."
        elif name == "freeze_days":
            try:
                found[name] = days_of(parse_freezes(str(day) for day in value))
            except (TypeError, ValueError) as error:
                errors[name] = f"Freeze days are dates such as 2026-12-24, or ranges such as 2026-12-24..2027-01-02. {error}"
        else:
            errors[name] = f"There is no rule {name}."
    return found, errors


def _is_whole(value: Any) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, str) and value.strip().isdigit()))


def _as_json(rules: ChangeRules) -> dict[str, Any]:
    values = {field.name: getattr(rules, field.name) for field in fields(rules)}
    return values | {"freeze_days": [day.isoformat() for day in rules.freeze_days]}


__all__ = ["DELETE", "DISABLE", "KIND_OF", "LIMITS", "ROOT", "ChangeRules", "Invalid", "Limit", "load", "save"]
