"""Verdicts once more after the policy changed: what a change would do, counted before it, and the accounts it touches, judged after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account
from hygiene.domain.policy import Policy
from hygiene.domain.rules import evaluate_account, evaluate_principal
from hygiene.domain.verdicts import Outcome, Verdict
from hygiene.models import AccountStatus, Principal
from hygiene.services import findings, holders, posture
from hygiene.services.policies import Book

Place = tuple[str, int | None, int | None]  # rule, principal, key
MOST_PRINCIPALS = 4_000  # judged for a preview while a person waits


@dataclass(frozen=True, slots=True)
class Effect:
    """How many findings a change of policy would open and close, over `counted` of `accounts` that have data."""

    opens: int
    closes: int
    counted: int
    accounts: int

    @property
    def is_complete(self) -> bool:
        """Whether every account with data was counted."""
        return self.counted == self.accounts


def effect(before: Book, after: Book, accounts: QuerySet[Account], *, now: datetime) -> Effect:
    """What would change among the accounts if `after` held in place of `before`. Largest installations are counted in part."""
    read = accounts.filter(removed_at__isnull=True, status__report_generated_at__isnull=False).select_related("status").order_by("pk")
    opens = closes = counted = judged = 0
    total = read.count()
    for account in read.iterator(chunk_size=50):
        judged += account.status.users + 1
        if counted and judged > MOST_PRINCIPALS:
            break
        failing, would_fail = _failing(account, (before.for_account(account), after.for_account(account)), now=now)
        opens, closes, counted = opens + len(would_fail - failing), closes + len(failing - would_fail), counted + 1
    return Effect(opens, closes, counted, total)


def _failing(account: Account, pair: tuple[Policy, Policy], *, now: datetime) -> list[set[Place]]:
    """What fails under each of two policies, as far as they differ. Nothing where the account cannot be read."""
    differing = _differing(*pair)
    facts = findings.account_facts(account, account.status)
    if not differing or not facts.is_reachable:
        return [set(), set()]
    users = [findings.principal_facts(holder.principal, holder.keys) for holder in holders.of_account(account)]
    found = []
    for policy in pair:
        verdicts = evaluate_account(facts, policy=policy, now=now, only=differing)
        for user in users:
            verdicts += evaluate_principal(user, facts, policy=policy, now=now, only=differing)
        found.append({_place(verdict) for verdict in verdicts if verdict.outcome is Outcome.FAIL})
    return found


def _differing(old: Policy, new: Policy) -> frozenset[str]:
    """Rules that may come to another outcome: their state or numbers differ, for everybody or for some users."""
    told = [{code: (rule.is_on, dict(rule.numbers)) for code, rule in policy.rules.items()} for policy in (old, new)]
    some = {override.rule for override in set(old.narrower) ^ set(new.narrower)}
    return frozenset(some | {code for code in old.rules if told[0][code] != told[1][code]})


def _place(verdict: Verdict) -> Place:
    return (verdict.rule, verdict.principal_ref, verdict.key_ref)


def rejudge(account_pk: int, *, book: Book, now: datetime) -> None:
    """Bring the account's findings and figures in line with the policy, in one transaction; the next poll would do the same."""
    with transaction.atomic():
        status = AccountStatus.objects.select_for_update().select_related("account").get(account=account_pk)
        policy = book.for_account(status.account)
        findings.reevaluate_account(status.account, status, policy=policy, now=now)
        posture.refresh(status.account, status, policy=policy, now=now)


def rejudge_user(principal_pk: int, *, book: Book, now: datetime) -> None:
    """Bring the findings of one user and its keys in line with what is known now. Nothing for who is gone or was never read."""
    with transaction.atomic():
        user = Principal.objects.present().select_related("account").filter(pk=principal_pk).first()
        status = AccountStatus.objects.select_for_update().filter(account=user.account_id).first() if user else None
        if user is not None and status is not None and status.report_generated_at is not None:
            findings.reevaluate_principals(user.account, status, [user], policy=book.for_account(user.account), now=now)


def to_rejudge() -> list[int]:
    """Accounts whose verdicts rest on the policy: those that were ever read."""
    rows = AccountStatus.objects.filter(account__removed_at__isnull=True, report_generated_at__isnull=False).order_by("account")
    return list(rows.values_list("account_id", flat=True))
