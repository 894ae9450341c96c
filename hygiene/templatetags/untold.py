"""Accounts that do not report, for a list without rows and for findings that are none; and numbers in a rule's own words."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils import timezone

from accounts.models import Account
from hygiene.domain.query import Term, parse_query
from hygiene.domain.states import AccountState
from hygiene.domain.wording import number
from hygiene.services import policies
from hygiene.services.posture import state_of
from hygiene.services.scope import Scope
from hygiene.services.untold import Silent, is_any_reporting, silent_accounts

register = template.Library()
OF_ACCOUNTS = ("account", "ou", "tag")  # words of the filter line that choose accounts
READ = ("keys", "users", "findings")  # lists whose rows come from the accounts' reports
BIG = re.compile(r"(?<![\w.,:-])\d{4,}(?= days?\b)")


@register.simple_tag(takes_context=True)
def accounts_behind_emptiness(context: dict[str, Any]) -> list[Silent]:
    """Why a list may have no rows: those of the accounts chosen by its filter line that do not report, or all if none reports.

    With `names_silent` in the context all that should report are named. No query where the list does not rest on reports; else two.
    """
    page, request = context.get("page"), context.get("request")
    if request is None or getattr(page, "kind", "") not in READ:
        return []
    now, policy = timezone.now(), policies.current().installation
    silent = silent_accounts(request.user, policy=policy, now=now)
    terms = [term for term in parse_query(context.get("filter_text", ""), keys=OF_ACCOUNTS).terms if term.key and not term.is_negated]
    if terms:
        return [entry for entry in silent if all(_chooses(term, entry.account) for term in terms)]
    polled = [entry for entry in silent if entry.should_report]
    return polled if context.get("names_silent") or not is_any_reporting(request.user, policy=policy, now=now) else []


def _chooses(term: Term, account: Account) -> bool:
    """Whether a word of the filter line chooses the account, as the lists' filters take it."""
    if term.key != "account":
        return any(Scope(f"{term.key}:{value}").holds(account) for value in term.values)
    patterns = [".*".join(re.escape(part) for part in value.split("*")) for value in term.values]
    return any(re.fullmatch(pattern, name, re.IGNORECASE) for pattern in patterns for name in (account.name, account.account_id))


@register.simple_tag
def is_told(*places: Any) -> bool:
    """Whether the account of the page reports; `places` are where a page may have it, of which the first that is an account counts."""
    account = next((place for place in places if isinstance(place, Account)), None)
    if account is None:
        return True
    now, policy = timezone.now(), policies.current().installation
    return state_of(getattr(account, "status", None), account, policy=policy, now=now) is AccountState.OK


@register.filter
def grouped(words: str) -> str:
    """Numbers of days in a sentence: created 1,979 days ago."""
    return BIG.sub(lambda found: number(int(found[0])), words)
