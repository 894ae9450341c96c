"""The registry of rules and their evaluation: facts, policy and `now` in, verdicts out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from hygiene.domain.facts import AccountFacts, PrincipalFacts
from hygiene.domain.policy import Policy
from hygiene.domain.rules import accounts, keys, root, users
from hygiene.domain.rules.base import Case, Judgement, Rule
from hygiene.domain.verdicts import Outcome, Severity, Subject, Verdict

RULES: Mapping[str, Rule] = {rule.code: rule for rule in (*root.RULES, *keys.RULES, *users.RULES, *accounts.RULES)}
CONTRADICTION = "The report contradicts itself here, so nothing is decided from it."
UNREACHABLE = "The account cannot be read, so earlier verdicts do not hold any more."


def evaluate_principal(principal: PrincipalFacts, account: AccountFacts, *, policy: Policy, now: datetime) -> list[Verdict]:
    """Verdicts of every rule that is on, for root or a user and for each of its keys. Root is in no user rule."""
    verdicts = []
    for rule, case in _cases(principal, account, policy, now):
        judgement = _guarded(rule, case)
        verdicts.append(_verdict(rule, judgement, case))
    return verdicts


def evaluate_account(account: AccountFacts, *, policy: Policy, now: datetime) -> list[Verdict]:
    """Verdicts about the account's data."""
    case = Case(account, policy, now)
    return [
        _verdict(rule, rule.condition(case), case) for rule in RULES.values() if rule.subject is Subject.ACCOUNT and policy.is_on(rule.code)
    ]


def _cases(principal: PrincipalFacts, account: AccountFacts, policy: Policy, now: datetime) -> Iterator[tuple[Rule, Case]]:
    for rule in RULES.values():
        if not policy.is_on(rule.code):
            continue
        if principal.is_root:
            if rule.subject is Subject.ROOT:
                yield rule, Case(account, policy, now, principal)
        elif rule.subject is Subject.USER:
            yield rule, Case(account, policy, now, principal)
        elif rule.subject is Subject.KEY:
            for key in principal.keys:
                yield rule, Case(account, policy, now, principal, key)


def _guarded(rule: Rule, case: Case) -> Judgement:
    """The rule's judgement; unknown where the account cannot be read or the data is not to be trusted."""
    if not case.account.is_reachable:
        return Judgement(Outcome.UNKNOWN, UNREACHABLE)
    judgement = rule.condition(case)
    is_doubtful = rule.subject is not Subject.ROOT and (case.user.has_data_warning or (case.key is not None and case.key.has_data_warning))
    if is_doubtful and judgement.outcome in (Outcome.PASS, Outcome.FAIL) and rule.code != "slot.ambiguous":
        return Judgement(Outcome.UNKNOWN, CONTRADICTION, judgement.comparison, judgement.facts)
    return judgement


def _verdict(rule: Rule, judgement: Judgement, case: Case) -> Verdict:
    severity = judgement.severity or case.policy.severity(rule.code)
    return Verdict(
        rule=rule.code,
        version=rule.version,
        profile=case.policy.profile,
        outcome=judgement.outcome,
        severity=severity if judgement.outcome is Outcome.FAIL else Severity.NONE,
        explanation=judgement.explanation,
        principal_ref=case.principal.ref if case.principal else None,
        key_ref=case.key.ref if case.key else None,
        facts=judgement.facts,
        comparison=judgement.comparison,
    )


__all__ = ["RULES", "Rule", "evaluate_account", "evaluate_principal"]
