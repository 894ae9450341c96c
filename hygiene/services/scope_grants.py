"""Which accounts a person is narrowed to, as an administrator writes it: one line for each number, name, unit or tag.

A unit or tag stands for the accounts that it holds at that moment: grants name accounts, and an account that comes later is not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser, User

from accounts.models import Account, ScopeGrant
from hygiene.services.refused import Invalid
from hygiene.services.scope import NotAScope, scope_of

STARTS_WITH_NUMBER = re.compile(r"(\d{4})[ -]?(\d{4})[ -]?(\d{4})(?!\d)")
MOST_LINES = 2000


def accounts_in(text: str) -> list[Account]:
    """The accounts that the lines name, by name. Raises Invalid with the lines that name none, or several by one name."""
    lines = [line.strip() for line in text.splitlines() if line.strip()][:MOST_LINES]
    known = list(Account.objects.all())
    found: dict[int, Account] = {}
    problems = []
    for line in dict.fromkeys(lines):
        matching, problem = _matching(line, known)
        found |= {account.pk: account for account in matching}
        problems += [problem] if problem else []
    if not lines:
        problems.append("Name at least one account, or let the person see every account.")
    if problems:
        raise Invalid({"accounts": " ".join(problems[:3]) + (f" And {len(problems) - 3} more lines." if len(problems) > 3 else "")})
    return sorted(found.values(), key=lambda account: (account.name, account.account_id))


def _matching(line: str, known: Iterable[Account]) -> tuple[list[Account], str]:
    if number := STARTS_WITH_NUMBER.match(line):
        digits = "".join(number.groups())
        found = [account for account in known if account.account_id == digits]
        return found, "" if found else f"There is no account {digits}."
    known = [account for account in known if account.removed_at is None]
    if line.startswith(("ou:", "tag:")):
        try:
            scope = scope_of(line, AnonymousUser())
        except NotAScope:
            return [], f"“{line[:80]}” must look like ou:Root/Workloads or tag:app=lake."
        found = [account for account in known if scope.holds(account)]
        return found, "" if found else f"No account is in “{line[:80]}”."
    found = [account for account in known if account.name.casefold() == line.casefold()]
    if len(found) > 1:
        return [], f"{len(found)} accounts are called “{line[:80]}”: give the number."
    return found, "" if found else f"No account is called “{line[:80]}”."


def narrow(person: User, accounts: Iterable[Account] | None) -> None:
    """Set what the person sees: these accounts, or with None every account. In the caller's transaction."""
    wanted = None if accounts is None else {account.pk for account in accounts}
    grants = ScopeGrant.objects.filter(user=person)
    (grants if wanted is None else grants.exclude(account_id__in=wanted)).delete()
    held = set(ScopeGrant.objects.filter(user=person).values_list("account_id", flat=True))
    ScopeGrant.objects.bulk_create(ScopeGrant(user=person, account_id=pk) for pk in (wanted or set()) - held)


def granted(person: User) -> list[Account]:
    """The accounts that the person is narrowed to, by name; none: every account. One query."""
    return list(Account.objects.filter(scope_grants__user=person).order_by("name", "account_id"))
