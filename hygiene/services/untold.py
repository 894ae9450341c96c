"""What cannot be told for want of data: accounts that do not report, and facts of rules that nobody looked for yet.

Neither leaves a finding: an account that was never read has no rows, and a fact that was not collected yet is no news.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value

from accounts.models import Account
from hygiene.domain.facts import KeyStatus, OrganizationRole, PasswordState
from hygiene.domain.mfa import UNREAD
from hygiene.domain.policy import Policy
from hygiene.domain.rules import OF_READING
from hygiene.domain.states import AccountState
from hygiene.domain.wording import plural
from hygiene.models import AccessKey, Finding, FindingOutcome, Principal, RequestState, UsageEvidence
from hygiene.services.posture import reporting, state_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

ACTIVE = Q(status=KeyStatus.ACTIVE, principal__is_root=False)
NOT_A_MEMBER_YET = Q(status__organization_role=OrganizationRole.UNKNOWN)
OF_USERS = {
    "key.quarantined": Q(policies__isnull=True),
    "ssh_key.old": Q(ssh_keys__isnull=True),
    "service_credential.long_lived": Q(service_credentials__isnull=True),
    "user.no_owner": Q(owner="", tags__isnull=True),
    "user.direct_policy": Q(policies__isnull=True),
    "mfa.virtual_only": Q(password_state=PasswordState.ENABLED, mfa_kinds__icontains=UNREAD),
}
OF_ACCOUNTS = {
    "account.password_policy": Q(status__password_policy__isnull=True),
    "org.central_root_off": NOT_A_MEMBER_YET,
    "root.password_present": NOT_A_MEMBER_YET,
}
BY_TRAIL = ("key.shared", "user.role_would_do")  # rest on a look into CloudTrail, which a person asks for key by key


@dataclass(frozen=True, slots=True)
class Silent:
    """An account without a current complete report."""

    account: Account
    state: AccountState
    read_at: datetime | None

    @property
    def should_report(self) -> bool:
        """Whether it is polled at all."""
        return self.state not in (AccountState.PAUSED, AccountState.SUSPENDED)


def visible_accounts(user: User | AnonymousUser) -> QuerySet[Account]:
    """What the person sees and nobody removed."""
    return Account.objects.visible_to(user).filter(removed_at__isnull=True)


def silent_accounts(accounts: QuerySet[Account], *, policy: Policy, now: datetime) -> list[Silent]:
    """Those of the accounts that do not report, by name. One query."""
    found = []
    for account in accounts.filter(~reporting(policy=policy, now=now, prefix="")).select_related("status").order_by("name", "pk"):
        status = getattr(account, "status", None)
        state = state_of(status, account, policy=policy, now=now)
        found.append(Silent(account, state, status.report_generated_at if status else None))
    return found


def is_any_reporting(user: User | AnonymousUser, *, policy: Policy, now: datetime) -> bool:
    """Whether at least one visible account reports. One query."""
    return Account.objects.visible_to(user).filter(reporting(policy=policy, now=now, prefix="")).exists()


@dataclass(frozen=True, slots=True)
class Untold:
    """Of one rule: accounts that do not report and of which it has no finding, and "12 keys" whose facts were never looked for."""

    silent: int = 0
    not_looked_for: str = ""


def of_rule(code: str, user: User | AnonymousUser, *, policy: Policy, now: datetime) -> Untold:
    """What a rule leaves no finding about. One query; none for a rule that is off."""
    if not policy.is_on(code):
        return Untold()
    noun, rows = _not_looked_for(code, user, policy=policy, now=now)
    counted = rows.order_by().annotate(all=Value(1)).values("all").annotate(count=Count("pk")).values("count")
    told = Finding.objects.open().filter(rule=code, outcome=FindingOutcome.UNKNOWN).values("account")
    silent = ~reporting(policy=policy, now=now, prefix="") & ~Q(pk__in=told)
    found = (
        Account.objects.visible_to(user)
        .pollable()
        .aggregate(silent=Count("pk", filter=silent), unread=Max(Subquery(counted, output_field=IntegerField())))
    )
    return Untold(found["silent"] if code not in OF_READING else 0, plural(found["unread"], noun) if found["unread"] else "")


def _not_looked_for(code: str, user: User | AnonymousUser, *, policy: Policy, now: datetime) -> tuple[str, QuerySet[Any, Any]]:
    """Keys, users or accounts that report, for which a fact of the rule was not looked for, without those told to be unknown."""
    current, told = reporting(policy=policy, now=now), Finding.objects.open().filter(rule=code)
    if code in BY_TRAIL or code == "key.admin":
        looked = UsageEvidence.objects.filter(key=OuterRef("pk"), state=RequestState.DONE, finished_at__isnull=False)
        unread = Q(principal__policies__isnull=True, principal__is_admin__isnull=True) if code == "key.admin" else ~Exists(looked)
        keys = AccessKey.objects.visible_to(user).present().filter(ACTIVE, unread, current)
        return "key", keys.exclude(pk__in=told.filter(key__isnull=False).values("key"))
    if code in OF_USERS:
        users = Principal.objects.visible_to(user).present().users().filter(OF_USERS[code], current)
        return "user", users.exclude(pk__in=told.filter(principal__isnull=False).values("principal"))
    condition = OF_ACCOUNTS.get(code, Q(pk__in=[]))
    accounts = Account.objects.visible_to(user).filter(condition, reporting(policy=policy, now=now, prefix=""))
    return "account", accounts.exclude(pk__in=told.values("account"))
