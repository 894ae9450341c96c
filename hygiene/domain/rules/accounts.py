"""Rules about the account's data itself (rules.md, `account.*`): silence is the worst failure. Pure."""

from __future__ import annotations

from hygiene.domain.rules.base import Case, Judgement, Rule, failed, iso, not_applicable, passed
from hygiene.domain.verdicts import FactUsed, Subject


def stale(case: Case) -> Judgement:
    """Newest report older than N hours, or the last poll incomplete."""
    account, limit = case.account, case.policy.stale_after
    if not account.is_pollable:
        return not_applicable("The account is not polled.")
    fact = FactUsed("newest report", iso(account.newest_report_at), case.now, "poll")
    if account.newest_report_at is None:
        return failed("There has been no credential report of this account yet.", "no report", fact)
    hours = int((case.now - account.newest_report_at).total_seconds() // 3600)
    if case.now - account.newest_report_at > limit:
        return failed(
            f"The newest credential report is {hours} hours old.", f"report {hours} h old > limit {limit.total_seconds() / 3600:g} h", fact
        )
    if not account.last_poll_complete:
        return failed("The last poll was not complete, so what is missing from it is not known.", "last poll incomplete", fact)
    return passed(
        f"The newest credential report is {hours} hours old.", f"report {hours} h old <= limit {limit.total_seconds() / 3600:g} h", fact
    )


def unreachable(case: Case) -> Judgement:
    """Role not assumable, or report refused."""
    account = case.account
    if not account.is_pollable:
        return not_applicable("The account is not polled.")
    if account.is_reachable:
        return passed("The account can be read.", "the last poll could read the account")
    fact = FactUsed("failing since", iso(account.failing_since), case.now, "poll")
    return failed(account.error or "The account cannot be read.", "the last poll could not read the account", fact)


RULES = (
    Rule(
        "account.stale",
        Subject.ACCOUNT,
        "Data out of date",
        "Numbers from old data look better than the truth.",
        "The newest report is older than the limit, or the last poll was not complete.",
        "",
        stale,
        "Open the account here: its poll history shows what fails.",
        "manage.py poll ACCOUNT_ID",
    ),
    Rule(
        "account.unreachable",
        Subject.ACCOUNT,
        "Account not reporting",
        "What cannot be read is not known to be good.",
        "The role cannot be assumed, or AWS refuses the report.",
        "",
        unreachable,
        "Check the role's trust policy and permissions.",
        "manage.py check_access ACCOUNT_ID",
    ),
)
