"""Rules about one access key of an IAM user (docs/rules.md, `key.*`). Pure."""

from __future__ import annotations

from hygiene.domain.facts import KeyFacts, KeyMatch, KeyStatus, PasswordState, UseState
from hygiene.domain.rules.base import (
    Case,
    Judgement,
    Rule,
    born_fact,
    counted,
    failed,
    is_unused,
    iso,
    not_applicable,
    passed,
    status_fact,
    unknown,
    use_fact,
    use_of,
)
from hygiene.domain.verdicts import FactUsed, Severity, Subject

INACTIVE = "The key is not active."
AGE_UNKNOWN = "The key's creation time is not known or lies in the future."
USE_UNKNOWN = "The key's last use could not be read."


def too_old(case: Case) -> Judgement:
    """Active and D(born) > N; high over another number."""
    key, limit = case.this_key, case.policy.number("key.too_old")
    facts = (status_fact(key), born_fact(key))
    if not key.is_active:
        return not_applicable(INACTIVE, *facts)
    age = case.days(key.created_at)
    if age is None:
        return unknown(AGE_UNKNOWN, *facts)
    if age > limit:
        severity = Severity.HIGH if age > case.policy.number("key.too_old", "high_over") else None
        text = f"The key is {counted(age)} old; the limit is {limit}."
        return failed(text, f"created {age} days ago > limit {limit}", *facts, severity=severity)
    return passed(f"The key is {counted(age)} old.", f"created {age} days ago <= limit {limit}", *facts)


def idle_days(case: Case, key: KeyFacts) -> tuple[int | None, str]:
    """D(used, else born) and the word for what it counts from. None: not known, or in the future."""
    use = use_of(key)
    if is_unused(use):
        return case.days(key.created_at), "never used, created" if use.state is UseState.NEVER else "no use on record, created"
    return case.days(use.at), "last used"


def _unused(case: Case, code: str) -> Judgement:
    key, limit = case.this_key, case.policy.number(code)
    facts = (status_fact(key), born_fact(key), use_fact(use_of(key)))
    if not key.is_active:
        return not_applicable(INACTIVE, *facts)
    idle, word = idle_days(case, key)
    if idle is None:
        return unknown(AGE_UNKNOWN if is_unused(use_of(key)) else USE_UNKNOWN, *facts)
    if idle >= limit:
        severity = Severity.HIGH if idle > case.policy.number(code, "high_over") else None
        return failed(f"Active, but {word} {counted(idle)} ago.", f"{word} {idle} days ago >= limit {limit}", *facts, severity=severity)
    return passed(f"{word.capitalize()} {counted(idle)} ago.", f"{word} {idle} days ago < limit {limit}", *facts)


def unused(case: Case) -> Judgement:
    """Active and D(used, else born) >= N; high over another number."""
    return _unused(case, "key.unused")


def unused_90(case: Case) -> Judgement:
    """The same with 90 days."""
    return _unused(case, "key.unused_90")


def never_used(case: Case) -> Judgement:
    """Active, used none, D(born) >= N."""
    key, limit, use = case.this_key, case.policy.number("key.never_used"), use_of(case.this_key)
    facts = (status_fact(key), born_fact(key), use_fact(use))
    if not key.is_active:
        return not_applicable(INACTIVE, *facts)
    if use.state is UseState.USED:
        return passed("AWS has a record of use.", "last used is a date", *facts)
    if not is_unused(use):
        return unknown(USE_UNKNOWN, *facts)
    age = case.days(key.created_at)
    if age is None:
        return unknown(AGE_UNKNOWN, *facts)
    if age >= limit:
        since = "since 22 April 2015, when AWS began to record" if use.state is UseState.NO_DATA else "since the key was created"
        text = f"AWS has recorded no use {since}; the key is {counted(age)} old."
        return failed(text, f"created {age} days ago >= limit {limit}", *facts)
    return passed(f"Created {counted(age)} ago; it may still be put to use.", f"created {age} days ago < limit {limit}", *facts)


def inactive_left(case: Case) -> Judgement:
    """Present, not active, D(first seen inactive) > N."""
    key, limit = case.this_key, case.policy.number("key.inactive_left")
    since = FactUsed("first seen inactive", iso(key.first_inactive_at), key.status_observed_at, key.status_source)
    facts = (status_fact(key), since)
    if key.is_active:
        return not_applicable("The key is active.", *facts)
    days = case.days(key.first_inactive_at)
    if days is None:
        return unknown("It is not known since when the key is inactive.", *facts)
    if days > limit:
        return failed(f"Inactive for {counted(days)} and still there.", f"inactive {days} days > limit {limit}", *facts)
    return passed(f"Inactive for {counted(days)}.", f"inactive {days} days <= limit {limit}", *facts)


def status_other(case: Case) -> Judgement:
    """Status neither Active nor Inactive."""
    key = case.this_key
    if key.status is KeyStatus.OTHER:
        text = f"AWS calls the status of this key {key.status_raw or 'something new'}."
        return failed(text, "status is neither Active nor Inactive", status_fact(key))
    return passed("The status is Active or Inactive.", "status is Active or Inactive", status_fact(key))


def created_at_setup(case: Case) -> Judgement:
    """Password enabled, active key, never used (CIS: keys made for a console user at set-up and then not used)."""
    key, user, use = case.this_key, case.user, use_of(case.this_key)
    facts = (status_fact(key), use_fact(use), case.reported("console password", user.password_state))
    if not key.is_active:
        return not_applicable(INACTIVE, *facts)
    if user.password_state is PasswordState.NONE:
        return not_applicable("The user has no console password.", *facts)
    if use.state is UseState.USED:
        return passed("The key has been used.", "last used is a date", *facts)
    if user.password_state is PasswordState.UNKNOWN or not is_unused(use):
        return unknown("Whether the user has a password, or the key was used, could not be read.", *facts)
    return failed("A console user's key that was never used, as made by default at set-up.", "password enabled and key never used", *facts)


def superseded(case: Case) -> Judgement:
    """Both active, the newer one used, this older one not used since the newer was born."""
    key, other = case.this_key, _other_active(case)
    if other is None:
        if key.is_active and not case.user.keys_known:
            return unknown(
                "Whether the user has a second active key could not be read.", status_fact(key), case.reported("all keys known", "no")
            )
        return not_applicable("The user has no second active key.", status_fact(key))
    own, newer = use_of(key), use_of(other)
    facts = (
        status_fact(key),
        born_fact(key),
        use_fact(own),
        born_fact(other, "other key created"),
        use_fact(newer, "other key last used"),
    )
    born, followed = case.past(key.created_at), case.past(other.created_at)
    if born is None or followed is None:
        return unknown("Creation of one of the two keys is not known or lies in the future.", *facts)
    if born >= followed:
        return not_applicable("This is the newer of the two keys.", *facts)
    if own.at is not None and own.at > followed:
        return passed("The older key was used after the newer one was made.", "older key used since the newer was created", *facts)
    if is_unused(newer):
        return passed("The newer key is not used yet.", "newer key not used", *facts)
    if UseState.UNKNOWN in (own.state, newer.state) or case.days(newer.at) is None:
        return unknown("Last use of one of the two keys could not be read.", *facts)
    text = "A newer key is in use, and this one has not been used since it was made."
    return failed(text, "newer key used, older key quiet since the newer was created", *facts)


def _other_active(case: Case) -> KeyFacts | None:
    key = case.this_key
    others = [other for other in case.user.keys if other.ref != key.ref and other.is_active]
    return others[0] if key.is_active and others else None


def ambiguous(case: Case) -> Judgement:
    """An active report slot not matched to exactly one key id."""
    key = case.this_key
    facts = (status_fact(key), FactUsed("match", key.match, key.status_observed_at, key.status_source))
    if key.match is KeyMatch.AMBIGUOUS and key.is_active:
        text = "Two keys of the same second cannot be told apart, so the report's last use belongs to neither for certain."
        return failed(text, "slot not matched to one id", *facts)
    return passed("The report's slot and the key's id belong together, or need no match.", "slot matched, or none needed", *facts)


RULES = tuple(
    Rule(code, Subject.KEY, condition)
    for code, condition in (
        ("key.never_used", never_used),
        ("key.unused", unused),
        ("key.unused_90", unused_90),
        ("key.too_old", too_old),
        ("key.superseded", superseded),
        ("key.inactive_left", inactive_left),
        ("key.created_at_setup", created_at_setup),
        ("key.status_other", status_other),
        ("slot.ambiguous", ambiguous),
    )
)
