"""Verdicts once more without AWS: after a change of the policy, counted before it, and after what one account tells of others."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account
from hygiene.domain.facts import IN_CHARGE, OrganizationRole
from hygiene.domain.policy import Policy
from hygiene.domain.rules import evaluate_account, evaluate_principal
from hygiene.domain.verdicts import Outcome, Verdict
from hygiene.models import AccountStatus, DueJudgement, Principal
from hygiene.services import findings, holders, posture
from hygiene.services.policies import Book

Place = tuple[str, int | None, int | None]  # rule, principal, key
MOST_PRINCIPALS = 4_000  # judged for a preview while a person waits
CHUNK = 25  # accounts judged by one message to a worker
AFTER_ERROR = timedelta(minutes=5)
logger = logging.getLogger(__name__)


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


def is_due(*, now: datetime) -> bool:
    """Whether an account is to be judged again since another one told what its verdicts rest on."""
    return DueJudgement.objects.filter(due_at__lte=now).exists()


def judge_due(*, book: Book, now: datetime) -> bool:
    """Judge the roots of some accounts that are due, each in a transaction of its own. True when there may be more.

    Several workers may do so at once, and one may be killed: what is not committed is still due. An account that cannot be judged
    holds up no other.
    """
    due = list(DueJudgement.objects.filter(due_at__lte=now).order_by("due_at", "account").values_list("account_id", flat=True)[:CHUNK])
    has_more = len(due) == CHUNK
    for account_pk in due:
        try:
            has_more = _judge_due(account_pk, book=book, now=now) or has_more
        except Exception:  # whatever it is: the other accounts are judged, and this one is tried again
            logger.exception("An account could not be judged again by an error of this program")
            DueJudgement.objects.filter(account=account_pk).update(due_at=now + AFTER_ERROR)
    return has_more


@transaction.atomic
def _judge_due(account_pk: int, *, book: Book, now: datetime) -> bool:
    """One of them. True when it is in charge of others, which are due now: whoever is not among them yet judges by its word, committed."""
    row = DueJudgement.objects.select_for_update(skip_locked=True).filter(account=account_pk).first()
    if row is None:
        return False  # another worker has it, or is done with it
    status = AccountStatus.objects.select_for_update(of=("self",)).select_related("account").get(account=account_pk)
    is_in_charge = status.organization_role in IN_CHARGE
    if is_in_charge:
        _mark_members(status.organization_id, now=now)
    roots = list(Principal.objects.present().filter(account=account_pk, is_root=True))
    if roots:
        policy = book.for_account(status.account)
        findings.reevaluate_principals(status.account, status, roots, policy=policy, now=now)
        posture.refresh(status.account, status, policy=policy, now=now)
    row.delete()
    return is_in_charge


def _mark_members(organization_id: str, *, now: datetime) -> None:
    """Its member accounts are due, whatever each was judged by so far. A statement for each 500."""
    members = AccountStatus.objects.filter(organization_id=organization_id, organization_role=OrganizationRole.MEMBER)
    present = members.filter(account__removed_at__isnull=True).order_by("account").values_list("account_id", flat=True)
    mark(list(present), now=now)


def mark(account_pks: list[int], *, now: datetime) -> None:
    """Have these accounts judged again, in the transaction that writes why."""
    rows = [DueJudgement(account_id=pk, due_at=now) for pk in account_pks]
    DueJudgement.objects.bulk_create(rows, batch_size=500, update_conflicts=True, update_fields=["due_at"], unique_fields=["account"])
