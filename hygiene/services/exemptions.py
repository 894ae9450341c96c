"""Exemptions: accepted risks with an end. Made, extended, withdrawn and ended here, each with its audit row.

They cover findings and never resolve them: which findings one covers is decided when an account is judged (`services.findings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import get_current_timezone

from accounts import audit
from accounts.models import Account, ScopeGrant
from hygiene.domain.rules import RULES
from hygiene.domain.verdicts import Subject
from hygiene.domain.wording import plural, short_key_id
from hygiene.models import AccessKey, Exemption, ExemptionEnd, ExemptionScope, Finding, InstallationPolicy, Principal

DEFAULT_DAYS = 90
LONGEST_DAYS = 365
ENDING = timedelta(days=14)
MOST_AT_ONCE = 500
SUBJECTS = {
    ExemptionScope.KEY: (Subject.KEY,),
    ExemptionScope.USER: (Subject.USER, Subject.KEY),
    ExemptionScope.ACCOUNT: tuple(Subject),
    ExemptionScope.TAG: tuple(Subject),
}


class NotAccepted(Exception):
    """What was asked for cannot be; `errors` has a sentence for each field."""

    def __init__(self, **errors: str) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Cover:
    """What one exemption is to cover: exactly one of key, principal, tag, or else the account."""

    account: Account | None = None
    principal: Principal | None = None
    key: AccessKey | None = None
    tag: str = ""

    @property
    def scope(self) -> ExemptionScope:
        """The narrowest that is given."""
        if self.key:
            return ExemptionScope.KEY
        if self.principal:
            return ExemptionScope.USER
        return ExemptionScope.TAG if self.tag else ExemptionScope.ACCOUNT

    @property
    def words(self) -> str:
        """For headings: "AKIA…EGXD of ci-bot in data-lake"."""
        if self.key:
            return f"{short_key_id(self.key.access_key_id)} of {self.key.principal.name} in {self.key.account.name}"
        if self.principal:
            name = "the root user" if self.principal.is_root else self.principal.name
            return f"{name} in {self.principal.account.name}"
        return f"users and accounts tagged {self.tag}" if self.tag else str(self.account)

    @property
    def is_of_root(self) -> bool:
        """Whether rules of root are meant."""
        return bool(self.principal and self.principal.is_root) or bool(self.key and self.key.principal.is_root)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is accepted, why, by whom, until the end of which day. No rules: every rule."""

    rules: Sequence[str]
    reason: str
    accepted_by: str
    ends_on: date
    ticket: str = ""


def longest_days() -> int:
    """Days from today that an exemption may last: the policy's setting `exemption_max_days`. One query."""
    stored = InstallationPolicy.objects.values_list("change_rules", flat=True).first() or {}
    return int(stored.get("exemption_max_days", LONGEST_DAYS))


def has_every_account(user: User) -> bool:
    """Whether the person's scope is every account, as an exemption by tag needs: it reaches wherever the tag is."""
    return user.has_perm("accounts.see_every_account") or not ScopeGrant.objects.filter(user=user).exists()


def cover_of(exemption: Exemption) -> Cover:
    """What a stored exemption covers."""
    is_whole = exemption.scope == ExemptionScope.ACCOUNT
    return Cover(exemption.account if is_whole else None, exemption.principal, exemption.key, exemption.tag)


def applicable_rules(covers: Sequence[Cover]) -> list[str]:
    """Codes of rules that can fail for all of them."""
    found = []
    for code, rule in RULES.items():
        if all((rule.subject is Subject.ROOT) if cover.is_of_root else (rule.subject in SUBJECTS[cover.scope]) for cover in covers):
            found.append(code)
    return found


def failing_rules(covers: Sequence[Cover]) -> list[str]:
    """Codes that fail now for any of them: what the form suggests. At most two queries."""
    keys = [cover.key for cover in covers if cover.key]
    found = {code for key in keys for code in key.failing_rules} | {c for cover in covers if cover.principal for c in _failing(cover)}
    accounts = [cover.account for cover in covers if cover.scope is ExemptionScope.ACCOUNT]
    if accounts:
        found |= set(Finding.objects.failing().filter(account__in=accounts).values_list("rule", flat=True).distinct())
    return [code for code in applicable_rules(covers) if code in found]


def _failing(cover: Cover) -> list[str]:
    assert cover.principal is not None  # noqa: S101  # the caller asks covers of users alone
    return list(cover.principal.failing_rules)


def make(covers: Sequence[Cover], terms: Terms, *, actor: User, now: datetime) -> list[Exemption]:
    """One exemption for each cover, with audit rows, in one transaction. NotAccepted when the terms do not hold."""
    ends_at = _checked(covers, terms, actor=actor, now=now)
    made = []
    with transaction.atomic():
        for cover in covers:
            row = Exemption(scope=cover.scope, account=_account_of(cover), principal=cover.principal, key=cover.key, tag=cover.tag)
            row.principal = row.principal or (cover.key.principal if cover.key else None)
            row.rules, row.reason, row.ticket = list(terms.rules), terms.reason.strip(), terms.ticket.strip()
            row.accepted_by, row.ends_at = terms.accepted_by.strip(), ends_at
            row.created_by, row.created_by_name, row.created_at = actor, actor.get_username(), now
            row.save(force_insert=True)
            _record("exemption.make", row, actor=actor, now=now, note=row.reason, after=_values(row))
            made.append(row)
    return made


def _account_of(cover: Cover) -> Account | None:
    if cover.key:
        return cover.key.account
    return cover.principal.account if cover.principal else cover.account


def _checked(covers: Sequence[Cover], terms: Terms, *, actor: User, now: datetime) -> datetime:
    """The end, if everything holds. NotAccepted with a sentence for each field that does not."""
    errors = {}
    if not covers:
        errors["rules"] = "Nothing is chosen that could be exempt."
    if len(covers) > MOST_AT_ONCE:
        errors["rules"] = f"At most {plural(MOST_AT_ONCE, 'key')} at once."
    if any(cover.tag for cover in covers) and not has_every_account(actor):
        errors["tag"] = "An exemption by tag reaches every account, and you see only some."
    unknown = set(terms.rules) - set(applicable_rules(covers))
    if unknown:
        errors["rules"] = f"{', '.join(sorted(unknown))} cannot fail here."
    if not terms.reason.strip():
        errors["reason"] = "Say why the risk is accepted."
    if not terms.accepted_by.strip():
        errors["accepted_by"] = "Say who accepts the risk."
    try:
        ends_at = checked_end(terms.ends_on, now=now)
    except NotAccepted as error:
        raise NotAccepted(**errors, **error.errors) from error
    if errors:
        raise NotAccepted(**errors)
    return ends_at


def checked_end(ends_on: date, *, now: datetime) -> datetime:
    """The last second of that day in the current time zone. NotAccepted for a past day, or one beyond the policy's maximum."""
    zone, most = get_current_timezone(), longest_days()
    ends_at = datetime.combine(ends_on, time(23, 59, 59), tzinfo=zone)
    if ends_at <= now:
        raise NotAccepted(ends_on="The end must lie ahead.")
    if (ends_on - now.astimezone(zone).date()).days > most:
        raise NotAccepted(ends_on=f"The policy allows at most {plural(most, 'day')}.")
    return ends_at


def extend(exemption: Exemption, ends_on: date, reason: str, *, actor: User, now: datetime) -> None:
    """A new end, with a reason of its own; the reminder is due again. NotAccepted for one that has ended."""
    if not reason.strip():
        raise NotAccepted(reason="Say why the risk is still accepted.")
    ends_at, before = checked_end(ends_on, now=now), _values(exemption)
    with transaction.atomic():
        live = _live_for(exemption, actor)
        live.ends_at, live.reminded_at = ends_at, None
        live.save(update_fields=["ends_at", "reminded_at"])
        _record("exemption.extend", live, actor=actor, now=now, note=reason.strip(), before=before, after=_values(live))


def withdraw(exemption: Exemption, reason: str, *, actor: User, now: datetime) -> None:
    """End it now. NotAccepted for one that has ended, or without a reason."""
    if not reason.strip():
        raise NotAccepted(reason="Say why it is withdrawn.")
    with transaction.atomic():
        live = _live_for(exemption, actor)
        end(live, ExemptionEnd.WITHDRAWN, now=now, actor=actor, note=reason.strip())


def _live_for(exemption: Exemption, actor: User) -> Exemption:
    """The row, locked, if it has not ended and the person may change it."""
    if exemption.scope == ExemptionScope.TAG and not has_every_account(actor):
        raise NotAccepted(reason="An exemption by tag reaches every account, and you see only some.")
    row = Exemption.objects.select_for_update(of=("self",)).live().filter(pk=exemption.pk).first()
    if row is None:
        raise NotAccepted(reason="This exemption has ended already.")
    return row


def end(row: Exemption, why: ExemptionEnd, *, now: datetime, actor: User | None = None, note: str = "") -> bool:
    """End one live exemption with its audit row, in the caller's transaction. False when somebody else ended it before."""
    name = actor.get_username() if actor else audit.PRODUCT
    values: dict[str, Any] = {"ended_at": now, "end_reason": why, "ended_by_name": name}
    if not Exemption.objects.live().filter(pk=row.pk).update(**values):
        return False
    row.ended_at, row.end_reason, row.ended_by_name = now, why, name
    _record("exemption.end", row, actor=actor, now=now, reason=str(why), note=note, before=_values(row))
    return True


def _values(row: Exemption) -> dict[str, Any]:
    return {
        "scope": row.scope,
        "rules": row.rules,
        "accepted_by": row.accepted_by,
        "ends_at": row.ends_at.isoformat(),
        "ticket": row.ticket,
    }


def _record(action: str, row: Exemption, *, actor: User | None, now: datetime, **fields: Any) -> None:
    target = cover_of(row).words
    audit.record(action=action, outcome="succeeded", now=now, actor=actor, account=row.account, target=target, ticket=row.ticket, **fields)


def rule_titles(codes: Iterable[str]) -> list[str]:
    """Plain names; every rule when there is none."""
    return [RULES[code].title if code in RULES else code for code in codes] or ["Every rule"]
