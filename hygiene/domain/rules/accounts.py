"""Rules about the account's data itself (docs/rules.md, `account.*`): silence is the worst failure. Pure."""

from __future__ import annotations

from datetime import timedelta

from hygiene.domain.facts import OrganizationRole, Source
from hygiene.domain.rules.base import Case, Judgement, Rule, failed, iso, not_applicable, passed, unknown, unread
from hygiene.domain.rules.root import CENTRAL_ROOT, ORGANIZATION, YES_NO
from hygiene.domain.verdicts import FactUsed, Subject


def stale(case: Case) -> Judgement:
    """Newest report older than N hours, or the last poll incomplete."""
    account, limit = case.account, case.policy.number("account.stale", "hours")
    facts = (
        FactUsed("polled", YES_NO[account.is_pollable], case.now, "registry"),
        FactUsed("newest report", iso(account.newest_report_at), case.now, "poll"),
        FactUsed("last poll complete", YES_NO[account.last_poll_complete], case.now, "poll"),
    )
    if not account.is_pollable:
        return not_applicable("The account is not polled.", *facts)
    if account.newest_report_at is None:
        return failed("There has been no credential report of this account yet.", "no report", *facts)
    if case.days(account.newest_report_at) is None:
        return unknown("The newest credential report is dated in the future, so its age is not known.", *facts)
    age = case.now - account.newest_report_at
    hours = max(0, age // timedelta(hours=1))
    if age > timedelta(hours=limit):
        return failed(f"The newest credential report is over {hours} hours old.", f"report over {hours} h old, limit {limit} h", *facts)
    if not account.last_poll_complete:
        return failed("The last poll was not complete, so what is missing from it is not known.", "last poll incomplete", *facts)
    return passed(f"The newest credential report is {hours} hours old.", f"report {hours} h old <= limit {limit} h", *facts)


def unreachable(case: Case) -> Judgement:
    """Role not assumable, or report refused."""
    account = case.account
    facts = (
        FactUsed("polled", YES_NO[account.is_pollable], case.now, "registry"),
        FactUsed("readable", YES_NO[account.is_reachable], case.now, "poll"),
        FactUsed("failing since", iso(account.failing_since), case.now, "poll"),
    )
    if not account.is_pollable:
        return not_applicable("The account is not polled.", *facts)
    if account.is_reachable:
        return passed("The account can be read.", "the last poll could read the account", *facts)
    return failed(account.error or "The account cannot be read.", "the last poll could not read the account", *facts)


def password_policy(case: Case) -> Judgement:
    """Minimum length or reuse prevention below the numbers; no policy set is a failure."""
    found, at = case.account.password_policy, case.account.password_policy_observed_at
    least_length = case.policy.number("account.password_policy", "minimum_length")
    least_reuse = case.policy.number("account.password_policy", "reuse_prevention")
    length, reuse = (found.minimum_length, found.reuse_prevention) if found else (None, None)
    facts = (
        FactUsed("password policy set", YES_NO[found.is_set if found else None], at, Source.PASSWORD_POLICY),
        FactUsed("minimum length", "none" if length is None else str(length), at, Source.PASSWORD_POLICY),
        FactUsed("reuse prevention", "none" if reuse is None else str(reuse), at, Source.PASSWORD_POLICY),
    )
    if found is None:
        return unread(case, "iam:GetAccountPasswordPolicy", "the account's password policy", *facts)
    if not found.is_set:
        return failed("The account has set no password policy, so AWS's own weak one holds.", "no password policy", *facts)
    wrong = []
    if (length or 0) < least_length:
        wrong.append(f"minimum length {length or 'none'} < {least_length}")
    if (reuse or 0) < least_reuse:
        wrong.append(f"reuse prevention {reuse or 'none'} < {least_reuse}")
    if wrong:
        return failed("The account's password policy is weaker than it should be.", ", ".join(wrong), *facts)
    said = f"minimum length {length} >= {least_length}, reuse prevention {reuse} >= {least_reuse}"
    return passed("The account's password policy is as strong as it should be.", said, *facts)


def central_root_off(case: Case) -> Judgement:
    """Management or delegated account whose feature list lacks RootCredentialsManagement."""
    account, features = case.account, case.account.central_root_features
    listed = "unknown" if features is None else ", ".join(sorted(features)) or "none"
    facts = (
        FactUsed("role in the organization", account.organization_role, account.organization_observed_at, ORGANIZATION),
        FactUsed("features", listed, account.organization_observed_at, ORGANIZATION),
    )
    if account.organization_role in (OrganizationRole.NONE, OrganizationRole.MEMBER):
        return not_applicable("Only an organization's management or delegated account can tell.", *facts)
    if account.organization_role is OrganizationRole.UNKNOWN:
        return unread(case, "organizations:DescribeOrganization", "the account's role in its organization", *facts)
    if features is None:
        return unread(case, "iam:ListOrganizationsFeatures", "whether central root management is on", *facts)
    if CENTRAL_ROOT in features:
        return passed("Central root management is on.", f"{CENTRAL_ROOT} is listed", *facts)
    return failed("Root credentials of the organization's members are not managed centrally.", f"{CENTRAL_ROOT} is not listed", *facts)


def long_term_key(case: Case) -> Judgement:
    """The identity this product itself works with is an IAM user's long-term key."""
    user = case.account.worker_key_user
    fact = FactUsed("IAM user of our own key", "unknown" if user is None else user or "none", case.account.worker_observed_at, Source.POLL)
    if user is None:
        return unknown("IDs of keys are not known here, so whether this product works with one of them is not known.", fact)
    if not user:
        return not_applicable("This product works with no long-term key of this account.", fact)
    text = f"This product itself works with a long-term key of {user}. Give its workers a role instead."
    return failed(text, "our own identity is an IAM user", fact)


RULES = tuple(
    Rule(code, Subject.ACCOUNT, condition)
    for code, condition in (
        ("org.central_root_off", central_root_off),
        ("account.password_policy", password_policy),
        ("account.stale", stale),
        ("account.unreachable", unreachable),
        ("tool.long_term_key", long_term_key),
    )
)
