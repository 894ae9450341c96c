"""Scopes: the part of the visible accounts that the overview or a digest is about. A scope narrows what a person sees, never widens it.

Written as a word: "" everything, "mine", "ou:Root/Workloads", "tag:app=lake", or account numbers with commas.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from accounts.models import Account

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

NUMBERS = re.compile(r"\d{12}(,\d{12})*")
TAG = re.compile(r"tag:(?P<name>[\w.:/+@-]{1,128})=(?P<value>.{0,256})")
MOST_TAGS = 40
LONGEST = 512


class NotAScope(ValueError):
    """The words mean no scope; the message is a sentence for the person who wrote them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope as a person chose it."""

    word: str
    owner: str = ""  # the address that "mine" means

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out of what the person sees."""
        return not self.word

    @property
    def is_mine(self) -> bool:
        """Whether it is about what one person owns."""
        return self.word == "mine"

    @property
    def label(self) -> str:
        """For buttons and sentences: "all accounts", "accounts in Root/Workloads"."""
        kind, _, rest = self.word.partition(":")
        if kind == "ou":
            return f"accounts in {rest}"
        if kind == "tag":
            return f"accounts tagged {rest}"
        if self.is_mine:
            return "accounts I own"
        count = self.word.count(",") + 1
        return "all accounts" if self.is_everything else f"{count} chosen account{'' if count == 1 else 's'}"

    @property
    def filter_words(self) -> str:
        """The same accounts in the filter line of a list; "" for everything."""
        kind, _, rest = self.word.partition(":")
        if kind in ("ou", "tag"):
            return f'{kind}:"{rest}"' if " " in rest else f"{kind}:{rest}"
        if self.is_mine:
            return "account-owner:me"
        return f"account:{self.word}" if self.word else ""

    def holds(self, account: Account) -> bool:
        """Whether the account is in it; the same as `condition`."""
        kind, _, rest = self.word.partition(":")
        if kind == "ou":
            return f"{account.organizational_unit}/".startswith(f"{rest}/")
        if kind == "tag":
            name, _, value = rest.partition("=")
            return bool(account.tags.get(name) == value)
        if self.is_mine:
            return bool(self.owner) and account.owner_email.lower() == self.owner.lower()
        return self.is_everything or account.account_id in self.word.split(",")

    def condition(self, prefix: str = "") -> Q:
        """Accounts of the scope, for querysets that reach the account by `prefix`."""
        kind, _, rest = self.word.partition(":")
        if kind == "ou":
            return Q(**{f"{prefix}organizational_unit": rest}) | Q(**{f"{prefix}organizational_unit__startswith": f"{rest}/"})
        if kind == "tag":
            name, _, value = rest.partition("=")
            return Q(**{f"{prefix}tags__{name}": value})
        if self.is_mine:
            return Q(**{f"{prefix}owner_email__iexact": self.owner}) if self.owner else Q(pk__in=[])
        return Q() if self.is_everything else Q(**{f"{prefix}account_id__in": self.word.split(",")})


EVERYTHING = Scope("")


def scope_of(word: str, user: User | AnonymousUser) -> Scope:
    """Read a word. Raises NotAScope for one that means nothing."""
    word = word.strip()
    if NUMBERS.fullmatch(word.replace(" ", "")):
        word = word.replace(" ", "")
    tag = TAG.fullmatch(word)
    is_known = not word or word == "mine" or NUMBERS.fullmatch(word) or (tag and "__" not in tag["name"])
    if not (is_known or (word.startswith("ou:") and len(word) > 3)) or len(word) > LONGEST:
        raise NotAScope("A scope is all accounts, what you own, an organizational unit, a tag, or account numbers of 12 digits.")
    return Scope(word, user.email if user.is_authenticated and word == "mine" else "")


def accounts_of(scope: Scope, user: User | AnonymousUser) -> QuerySet[Account]:
    """Accounts that are both visible and in the scope."""
    return Account.objects.visible_to(user).filter(scope.condition(), removed_at__isnull=True)


def owned_by(address: str, prefix: str = "principal__") -> Q:
    """Users, or by `prefix` what belongs to users, whose owner has the address: the user's own owner, else the account's."""
    if not address:
        return Q(pk__in=[])
    own, of_account = Q(**{f"{prefix}owner__iexact": address}), Q(**{f"{prefix}account__owner_email__iexact": address})
    return own | Q(**{f"{prefix}owner": ""}) & of_account


def choices(accounts: Iterable[Account]) -> list[tuple[str, str]]:
    """Words and labels that a person with these visible accounts can choose from: everything, mine, units, common tags. No query."""
    units: set[str] = set()
    tags: Counter[str] = Counter()
    for account in accounts:
        parts = account.organizational_unit.split("/") if account.organizational_unit else []
        units |= {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
        tags.update(f"{name}={value}" for name, value in account.tags.items())
    words = ["", "mine", *(f"ou:{unit}" for unit in sorted(units)), *(f"tag:{tag}" for tag, _ in sorted(tags.most_common(MOST_TAGS)))]
    return [(word, _short(word)) for word in words]


def _short(word: str) -> str:
    kind, _, rest = word.partition(":")
    return {"": "All accounts", "mine": "Accounts I own", "ou": f"Unit {rest}"}.get(kind, f"Tag {rest}")
