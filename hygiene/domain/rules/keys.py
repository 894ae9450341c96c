"""Rules about one access key of an IAM user (rules.md, `key.*`). Pure."""

from __future__ import annotations

from collections.abc import Callable

from hygiene.domain.facts import KeyFacts, KeyMatch, KeyStatus, PasswordState, UseState
from hygiene.domain.policy import LONG_AGO_DAYS
from hygiene.domain.rules.base import (
    Case,
    Judgement,
    Rule,
    born_fact,
    failed,
    is_unused,
    iso,
    not_applicable,
    passed,
    status_fact,
    unknown,
    use_fact,
)
from hygiene.domain.verdicts import FactUsed, Severity, Subject

INACTIVE = "The key is not active."
AGE_UNKNOWN = "The key's creation time is not known or lies in the future."
USE_UNKNOWN = "The key's last use could not be read."


def too_old(case: Case) -> Judgement:
    """Active and D(born) > N; high over 365."""
    key, limit = case.this_key, case.policy.number("key.too_old")
    if not key.is_active:
        return not_applicable(INACTIVE)
    age = case.days(key.created_at)
    if age is None:
        return unknown(AGE_UNKNOWN, status_fact(key), born_fact(key))
    facts = (status_fact(key), born_fact(key))
    if age > limit:
        severity = Severity.HIGH if age > LONG_AGO_DAYS else None
        return failed(
            f"The key is {age} days old; the limit is {limit}.", f"created {age} days ago > limit {limit}", *facts, severity=severity
        )
    return passed(f"The key is {age} days old.", f"created {age} days ago <= limit {limit}", *facts)


def idle_days(case: Case, key: KeyFacts) -> tuple[int | None, str]:
    """D(used, else born) and the word for what it counts from. None: not known, or data that contradicts itself."""
    use = key.last_use
    if use.state is UseState.USED:
        return case.days(use.at), "last used"
    if is_unused(use):
        return case.days(key.created_at), "never used, created"
    return None, ""


def _unused(case: Case, code: str) -> Judgement:
    key, limit = case.this_key, case.policy.number(code)
    if not key.is_active:
        return not_applicable(INACTIVE)
    facts = (status_fact(key), born_fact(key), use_fact(key.last_use))
    idle, word = idle_days(case, key)
    if idle is None:
        return unknown(USE_UNKNOWN if key.last_use.state is UseState.UNKNOWN else AGE_UNKNOWN, *facts)
    if idle >= limit:
        severity = Severity.HIGH if idle > LONG_AGO_DAYS else None
        return failed(f"Active, but {word} {idle} days ago.", f"{word} {idle} days ago >= limit {limit}", *facts, severity=severity)
    return passed(f"{word.capitalize()} {idle} days ago.", f"{word} {idle} days ago < limit {limit}", *facts)


def unused(case: Case) -> Judgement:
    """Active and D(used, else born) >= N; high over 365."""
    return _unused(case, "key.unused")


def unused_90(case: Case) -> Judgement:
    """The same with 90 days."""
    return _unused(case, "key.unused_90")


def never_used(case: Case) -> Judgement:
    """Active, used none, D(born) >= N."""
    key, limit = case.this_key, case.policy.number("key.never_used")
    if not key.is_active:
        return not_applicable(INACTIVE)
    facts = (status_fact(key), born_fact(key), use_fact(key.last_use))
    if key.last_use.state is UseState.USED:
        return passed("AWS has a record of use.", "", *facts)
    age = case.days(key.created_at)
    if not is_unused(key.last_use):
        return unknown(USE_UNKNOWN, *facts)
    if age is None:
        return unknown(AGE_UNKNOWN, *facts)
    if age >= limit:
        return failed(
            f"AWS has recorded no use in the {age} days since the key was created.", f"created {age} days ago >= limit {limit}", *facts
        )
    return passed(f"Created {age} days ago; it may still be put to use.", f"created {age} days ago < limit {limit}", *facts)


def inactive_left(case: Case) -> Judgement:
    """Present, not active, D(first seen inactive) > N."""
    key, limit = case.this_key, case.policy.number("key.inactive_left")
    if key.status is not KeyStatus.INACTIVE:
        return not_applicable("The key is not inactive.")
    since = FactUsed("first seen inactive", iso(key.first_inactive_at), key.status_observed_at, key.status_source.value)
    days = case.days(key.first_inactive_at)
    if days is None:
        return unknown("It is not known since when the key is inactive.", status_fact(key), since)
    if days > limit:
        return failed(f"Inactive for {days} days and still there.", f"inactive {days} days > limit {limit}", status_fact(key), since)
    return passed(f"Inactive for {days} days.", f"inactive {days} days <= limit {limit}", status_fact(key), since)


def status_other(case: Case) -> Judgement:
    """Status neither Active nor Inactive."""
    key = case.this_key
    if key.status is KeyStatus.OTHER:
        return failed(
            f"AWS calls the status of this key {key.status_raw or 'something new'}.",
            "status is neither Active nor Inactive",
            status_fact(key),
        )
    return passed("The status is Active or Inactive.", "", status_fact(key))


def created_at_setup(case: Case) -> Judgement:
    """Password enabled, active key, never used (CIS: keys made for a console user at set-up and then not used)."""
    key, user = case.this_key, case.user
    if not key.is_active:
        return not_applicable(INACTIVE)
    if user.password_state is PasswordState.NONE:
        return not_applicable("The user has no console password.")
    facts = (status_fact(key), use_fact(key.last_use), FactUsed("password", user.password_state.value, user.observed_at))
    if key.last_use.state is UseState.USED:
        return passed("The key has been used.", "", *facts)
    if user.password_state is PasswordState.UNKNOWN or not is_unused(key.last_use):
        return unknown("Whether the user has a password, or the key was used, could not be read.", *facts)
    return failed("A console user's key that was never used, as made by default at set-up.", "password enabled and key never used", *facts)


def superseded(case: Case) -> Judgement:
    """Both active, the newer one used, this older one not used since the newer was born."""
    key, other = case.this_key, _other_active(case)
    if other is None:
        return not_applicable("The user has no second active key.")
    facts = (use_fact(key.last_use), use_fact(other.last_use, "newer key last used"), born_fact(other))
    if key.created_at is None or other.created_at is None or UseState.UNKNOWN in (key.last_use.state, other.last_use.state):
        return unknown("Creation or last use of one of the two keys could not be read.", *facts)
    if key.created_at >= other.created_at:
        return not_applicable("This is the newer of the two keys.")
    is_quiet = key.last_use.at is None or key.last_use.at <= other.created_at
    if other.last_use.state is UseState.USED and is_quiet:
        return failed(
            "A newer key is in use, and this one has not been used since it was made.",
            "older key quiet since the newer was created",
            *facts,
        )
    return passed("The older key is still used, or the newer one is not used yet.", "", *facts)


def _other_active(case: Case) -> KeyFacts | None:
    key = case.this_key
    others = [other for other in case.user.keys if other.ref != key.ref and other.is_active]
    return others[0] if key.is_active and others else None


def ambiguous(case: Case) -> Judgement:
    """An active report slot not matched to exactly one key id."""
    key = case.this_key
    if key.match is KeyMatch.AMBIGUOUS and key.is_active:
        return failed(
            "Two keys of the same second cannot be told apart, so the report's last use belongs to neither for certain.",
            "slot not matched to one id",
            status_fact(key),
        )
    return passed("The report's slot and the key's id belong together, or need no match.", "", status_fact(key))


CLI_DISABLE = "aws iam update-access-key --user-name USER --access-key-id KEY_ID --status Inactive"
CLI_DELETE = "aws iam delete-access-key --user-name USER --access-key-id KEY_ID"
CONSOLE = "IAM, Users, the user, Security credentials, Access keys: Actions, Deactivate. Watch for a while, then Delete."
TERRAFORM = 'resource "aws_iam_access_key" "this" {\n  user   = "USER"\n  status = "Inactive"\n}'


def _rule(
    code: str, title: str, why: str, how: str, standards: str, condition: Callable[[Case], Judgement], *, cli: str = CLI_DISABLE
) -> Rule:
    return Rule(code, Subject.KEY, title, why, how, standards, condition, CONSOLE, cli, TERRAFORM)


RULES = (
    _rule(
        "key.never_used",
        "Never used",
        "A key nobody uses is only good for who steals it. Disabling it breaks nothing that is known.",
        "Active, and AWS has recorded no use since it was created. New keys have some days of grace.",
        "Stricter than CIS: a never-used key ages from its birth",
        never_used,
    ),
    _rule(
        "key.unused",
        "Unused 45+ days",
        "A key that is not needed any more is a risk without a benefit.",
        "Active, and the last use, or the birth of a key never used, is at least this many days ago.",
        "CIS 1.12 (1.4), 1.11 (5.0), 2.11 (6.0, 7.0); Security Hub IAM.22",
        unused,
    ),
    _rule(
        "key.unused_90",
        "Unused 90+ days",
        "As above, with the longer limit of older standards.",
        "The same with 90 days. Off unless the profile asks.",
        "Security Hub IAM.8; CIS 1.2 1.3",
        unused_90,
    ),
    _rule(
        "key.too_old",
        "Over maximum age",
        "The longer a key lives, the more copies of it there are.",
        "Active, and created more than this many days ago.",
        "CIS 1.14 (1.4), 1.13 (5.0), 2.13 (6.0), 2.12 (7.0); Security Hub IAM.3; Config access-keys-rotated",
        too_old,
    ),
    _rule(
        "key.superseded",
        "Replaced by a newer key",
        "The newer key has taken over: the older one can go.",
        "Both keys are active, the newer is used, the older has not been since.",
        "AWS access-key rotation procedure",
        superseded,
    ),
    _rule(
        "key.inactive_left",
        "Inactive, not deleted",
        "An inactive key can be switched on again by anybody who may, and blocks a slot.",
        "Not active for more than this many days.",
        "AWS: remove unused credentials",
        inactive_left,
        cli=CLI_DELETE,
    ),
    _rule(
        "key.created_at_setup",
        "Made at set-up, never used",
        "Keys made together with a console user are often never needed.",
        "The user has a password, the key is active and was never used.",
        "CIS 1.11 (1.4), 1.10 (5.0), 2.10 (6.0); dropped in 7.0",
        created_at_setup,
    ),
    _rule(
        "key.status_other",
        "Unusual status",
        "AWS uses a status that is neither Active nor Inactive.",
        "The status word in ListAccessKeys.",
        "",
        status_other,
    ),
    _rule(
        "slot.ambiguous",
        "Report and keys do not match",
        "Nothing may be decided from a last use that may belong to the other key.",
        "Two keys were made in the same second and nothing tells them apart.",
        "",
        ambiguous,
    ),
)
