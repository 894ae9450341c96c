"""The registry of rules and their evaluation: facts, policy and `now` in, verdicts out. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import datetime

from hygiene.domain.facts import AccountFacts, PrincipalFacts
from hygiene.domain.policy import Policy
from hygiene.domain.rules import accounts, details, keys, root, users
from hygiene.domain.rules.base import NOT_READ, Case, Judgement, Rule
from hygiene.domain.verdicts import FactUsed, Outcome, Severity, Subject, Verdict

RULES: Mapping[str, Rule] = {rule.code: rule for rule in (*root.RULES, *keys.RULES, *users.RULES, *details.RULES, *accounts.RULES)}
OF_ROOT = tuple(rule for rule in RULES.values() if rule.subject is Subject.ROOT)
OF_USERS = tuple(rule for rule in RULES.values() if rule.subject in (Subject.USER, Subject.KEY))
CONTRADICTION = "The report contradicts itself here, so nothing is decided from it."
UNREACHABLE = "The account cannot be read, so earlier verdicts do not hold any more."
OF_READING = ("account.stale", "account.unreachable")  # about the reading itself, so they hold while nothing can be read
NOT_FROM_REPORT = (  # rest on other calls than the credential report
    "slot.ambiguous",
    "key.quarantined",
    "ssh_key.old",
    "service_credential.long_lived",
    "user.no_owner",
    "user.direct_policy",
    "user.role_would_do",
)
RAISED = ("key.too_old", "key.unused", "key.rotation_stalled")  # by one level where key.admin fails
WORSE = {
    Severity.INFO: Severity.LOW,
    Severity.LOW: Severity.MEDIUM,
    Severity.MEDIUM: Severity.HIGH,
    Severity.HIGH: Severity.CRITICAL,
}


def evaluate_principal(
    principal: PrincipalFacts,
    account: AccountFacts,
    *,
    policy: Policy,
    now: datetime,
    only: Container[str] = RULES,
    outcomes: Container[Outcome] = tuple(Outcome),
) -> list[Verdict]:
    """Verdicts of every rule that is on, for root or a user and for each of its keys. Root is in no user rule.

    A user is judged by the numbers of its class and tags (`Policy.for_principal`); root by those of the account. `only`: rules asked.
    `outcomes`: which verdicts are wanted; no others are built.
    """
    own = policy if principal.is_root else policy.for_principal(principal.user_class, principal.details.tags)
    return [
        _verdict(rule, judgement, case)
        for rule, case in _cases(principal, account, own, now)
        if rule.code in only and (judgement := _guarded(rule, case)).outcome in outcomes
    ]


def evaluate_account(account: AccountFacts, *, policy: Policy, now: datetime, only: Container[str] = RULES) -> list[Verdict]:
    """Verdicts about the account itself and its data. `only`: rules asked."""
    case = Case(account, policy, now)
    asked = [rule for rule in RULES.values() if rule.subject is Subject.ACCOUNT and policy.is_on(rule.code) and rule.code in only]
    return [_verdict(rule, _guarded(rule, case), case) for rule in asked]


def _cases(principal: PrincipalFacts, account: AccountFacts, policy: Policy, now: datetime) -> Iterator[tuple[Rule, Case]]:
    """A rule about the principal has one case, a rule about keys one for each key."""
    of_principal = Case(account, policy, now, principal)
    of_keys = [Case(account, policy, now, principal, key) for key in principal.keys]
    for rule in OF_ROOT if principal.is_root else OF_USERS:
        if not policy.is_on(rule.code):
            continue
        if rule.subject is Subject.KEY:
            for case in of_keys:
                yield rule, case
        else:
            yield rule, of_principal


def _guarded(rule: Rule, case: Case) -> Judgement:
    """The rule's judgement; unknown where the account cannot be read or the data is not to be trusted."""
    if not case.account.is_reachable and rule.code not in OF_READING:
        readable = FactUsed("readable", "no", case.now, "poll")
        return Judgement(Outcome.UNKNOWN, UNREACHABLE, NOT_READ, (readable,), is_pending=True)
    judgement = rule.condition(case)
    if _is_doubtful(rule, case) and judgement.outcome in (Outcome.PASS, Outcome.FAIL):
        doubt = FactUsed("report row", "contradicts itself", case.user.observed_at, "credential report")
        return Judgement(Outcome.UNKNOWN, CONTRADICTION, judgement.comparison, (*judgement.facts, doubt))
    return judgement


def _is_doubtful(rule: Rule, case: Case) -> bool:
    """Whether the judgement rests on a row of the report that contradicts itself. Root's rules look to that themselves."""
    if rule.subject in (Subject.ROOT, Subject.ACCOUNT) or rule.code in NOT_FROM_REPORT:
        return False
    return case.user.has_data_warning or (case.key is not None and case.key.has_data_warning)


def _verdict(rule: Rule, judgement: Judgement, case: Case) -> Verdict:
    setting = case.policy.rules[rule.code]
    is_raised = judgement.outcome is Outcome.FAIL and _is_raised(rule, case)
    severity = judgement.severity or setting.severity
    facts = judgement.facts
    if is_raised:
        severity = WORSE.get(severity, severity)
        facts = (*facts, FactUsed("administrator", "yes", case.user.details.observed_at, "GetAccountAuthorizationDetails"))
    return Verdict(
        rule=rule.code,
        version=rule.version,
        profile=case.policy.profile,
        outcome=judgement.outcome,
        severity=severity if judgement.outcome is Outcome.FAIL else Severity.NONE,
        explanation=f"{judgement.explanation} Its user is an administrator, so this counts for more."
        if is_raised
        else judgement.explanation,
        principal_ref=case.principal.ref if case.principal else None,
        key_ref=case.key.ref if case.key else None,
        facts=facts,
        comparison=judgement.comparison,
        numbers=setting.numbers,
        set_in=setting.origin,
        evaluated_at=case.now,
        is_pending=judgement.is_pending,
    )


def _is_raised(rule: Rule, case: Case) -> bool:
    return rule.code in RAISED and case.policy.is_on("key.admin") and case.principal is not None and case.user.details.is_admin is True


__all__ = ["RULES", "Rule", "evaluate_account", "evaluate_principal"]
