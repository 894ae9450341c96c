"""The table of IAM users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

import django_tables2 as tables
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from hygiene.domain import wording
from hygiene.domain.facts import LastUse, PasswordState, Source, UseState
from hygiene.models import AccessKey, Action, Principal
from hygiene.services.exports import mfa_of
from hygiene.services.permissions import ActionState, offers
from hygiene.tables.account_facts import AccountFacts
from hygiene.tables.base import WIDE_ONLY, List, account_cell, finding_cell, link, mfa_cell, owner_cell, sentences, two, used
from hygiene.tables.user_facts import UserFacts

DEEDS = (Action.DISABLE, Action.DELETE)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do with keys of a user: which keys, how the button says it, and why it cannot be pressed."""

    action: Action
    keys: tuple[AccessKey, ...]
    words: str
    refusal: str

    @classmethod
    def of(cls, action: Action, offered: list[tuple[AccessKey, ActionState]]) -> Deed | None:
        """The deed over the keys for which it is offered; None for none. It is refused where it is for every one of them."""
        found = [(key, state) for key, state in offered if state.action == action]
        if not found:
            return None
        keys = tuple(key for key, state in found if state.is_allowed)
        count = len(keys) or len(found)
        words = f"{action.label} its {'key' if count == 1 else f'{count} keys'}…"
        return cls(action, keys, words, "" if keys else found[0][1].reason)


class UserTable(UserFacts):
    """IAM users: who they are, how they sign in, which keys they have."""

    kind = "users"
    exports: ClassVar = {
        **UserFacts.exports,
        "finding": ("rules", "severity"),
        "user": ("user_name", "user_arn", "is_root"),
        "account": ("account_id", "account_name"),
        "password": ("password_state", "password_last_changed_at"),
        "mfa": ("mfa_state", "mfa_kinds"),
        "last_used": ("password_last_used_at", "password_last_used_state"),
        "keys": ("active_keys", "inactive_keys"),
        "owner": ("owner", "owner_source"),
    }
    fixed = ("user", "actions")
    pinned: ClassVar = {**AccountFacts.pinned, "owner": "owner", "password": "password", "mfa": "mfa"}
    finding = tables.Column("Finding", empty_values=())
    user = tables.Column("User", accessor="name", order_by=("name", "pk"))
    account = tables.Column("Account", order_by=("account__name", "pk"))
    password = tables.Column("Console password", accessor="password_state", order_by=("password_state", "pk"))
    mfa = tables.Column("MFA", accessor="mfa_state", order_by=("mfa_state", "pk"))
    last_used = tables.Column("Last sign-in", empty_values=(), accessor="password_last_used_at")
    keys = tables.Column("Keys", empty_values=(), accessor="active_keys", order_by=("active_keys", "inactive_keys", "pk"))
    owner = tables.Column("Owner", empty_values=(), order_by=("owner", "account__owner_email", "pk"), attrs=WIDE_ONLY)
    actions = tables.Column("", empty_values=(), orderable=False)

    class Meta(List.Meta):
        sequence = ("finding", "user", "account", "password", "mfa", "last_used", "keys", "owner", "...", "actions")

    def render_finding(self, record: Principal) -> SafeString:
        """Worst rule of the user and its keys."""
        return finding_cell(record.severity, record.failing_rules, record.account, policy=self.policy, now=self.now)

    def render_user(self, record: Principal) -> SafeString:
        """Name and birth."""
        created = f"created {wording.day(record.created_at)}" if record.created_at else "creation not known"
        return two(link("user", record.uuid, record.name, is_row=True), created, "is-strong")

    def render_account(self, record: Principal) -> SafeString:
        """Where."""
        return account_cell(record.account)

    def render_password(self, record: Principal) -> SafeString:
        """Yes, none or unknown."""
        changed = record.password_last_changed_at
        if record.password_state == PasswordState.NONE:
            return two("none", "no console access")
        if record.password_state != PasswordState.ENABLED:
            return two("unknown", "not read")
        return two("yes", f"changed {wording.relative(changed, self.now)}" if changed else "last change not known")

    def render_mfa(self, record: Principal) -> SafeString:
        """On, off, unknown, or not applicable without a password."""
        return mfa_cell(mfa_of(record), ", ".join(record.mfa_kinds or []))

    def render_last_used(self, record: Principal) -> SafeString:
        """Last console sign-in."""
        use = LastUse(UseState(record.password_last_used_state), record.password_last_used_at, source=Source.REPORT)
        words = wording.sign_in_words(use, now=self.now)
        return two(words.first, words.second)

    def render_keys(self, record: Principal) -> SafeString:
        """Status sentences of its keys."""
        return render_to_string("hygiene/_user_keys.html", {"sentences": sentences(record, self.now), "keys_known": record.keys_known})

    def render_owner(self, record: Principal) -> SafeString | str:
        """Whose."""
        return owner_cell(record.owner, record.owner_source, record.account)

    def render_actions(self, record: Principal) -> SafeString:
        """What may be done with the user and its keys."""
        present: list[AccessKey] = record.present_keys  # type: ignore[attr-defined]  # Prefetch(to_attr) of the view
        offered = [(key, state) for key in present for state in offers(key, user=self.user, now=self.now).states]
        may_ask = self.user.has_perm("hygiene.request_change")
        context = {
            "person": record,
            "label": f"More for {record.name} in {record.account.name}",
            "deeds": [deed for action in DEEDS if may_ask and (deed := Deed.of(action, offered)) is not None],
            "asked": f"?{urlencode([('key', key.uuid) for key in present])}" if present and may_ask else "",
            "may_exempt": self.user.has_perm("hygiene.accept_risk"),
            "csrf_token": self.csrf_token(),
        }
        return render_to_string("hygiene/_user_menu.html", context)

    def order_finding(self, queryset: QuerySet[Principal], is_descending: bool) -> tuple[QuerySet[Principal], bool]:
        """By severity: descending is the usual order, worst first; ascending is that turned round."""
        found = queryset.order_by("-severity", "name", "pk")
        return found if is_descending else found.reverse(), True

    def order_last_used(self, queryset: QuerySet[Principal], is_descending: bool) -> tuple[QuerySet[Principal], bool]:
        """By sign-in."""
        return used(queryset, "password_last_used_at", "password_last_used_state", is_descending=is_descending)
