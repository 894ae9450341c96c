"""Rules about one IAM user as a whole: its pair of keys, password, MFA, certificates (docs/rules.md). Pure."""

from __future__ import annotations

from datetime import UTC

from hygiene.domain.ages import whole_days
from hygiene.domain.facts import KeyFacts, MfaState, PasswordState, UseState
from hygiene.domain.mfa import OTHER, UNREAD, VIRTUAL
from hygiene.domain.rules.base import (
    Case,
    Judgement,
    Rule,
    ago,
    born_fact,
    counted,
    failed,
    is_unused,
    iso,
    not_applicable,
    passed,
    status_fact,
    unknown,
    unread,
    use_fact,
    use_of,
)
from hygiene.domain.verdicts import FactUsed, Subject
from hygiene.domain.wording import day

NO_PASSWORD = "The user has no console password."  # noqa: S105  # a sentence


def _password(case: Case) -> FactUsed:
    return case.reported("console password", case.user.password_state)


def _active(case: Case) -> list[KeyFacts]:
    return [key for key in case.user.keys if key.is_active]


def _known(case: Case) -> FactUsed:
    return case.reported("all keys known", "yes" if case.user.keys_known else "no")


def two_active(case: Case) -> Judgement:
    """Both keys of a user active."""
    keys = _active(case)
    facts = (*(status_fact(key) for key in keys), _known(case))
    if len(keys) >= 2:
        return failed("Both access keys of this user are active.", f"{len(keys)} active keys > 1", *facts)
    if not case.user.keys_known:
        return unknown("Whether the user has another key could not be read.", *facts)
    return passed(f"{len(keys)} active access key{'' if len(keys) == 1 else 's'}.", f"{len(keys)} active keys <= 1", *facts)


def rotation_stalled(case: Case) -> Judgement:
    """Both active, D(newer born) > A, D(older used) <= B."""
    keys = _active(case)
    if len(keys) < 2:
        facts = (*(status_fact(key) for key in keys), _known(case))
        if case.user.keys_known or not keys:
            return not_applicable("The user has no two active keys.", *facts)
        return unknown("Whether the user has another key could not be read.", *facts)
    grace = case.policy.number("key.rotation_stalled", "newer_older_than")
    recent = case.policy.number("key.rotation_stalled", "older_used_within")
    born = [(at, key) for key in keys if (at := case.past(key.created_at)) is not None]
    if len(born) < 2:
        return unknown("Creation of one of the two keys is not known or lies in the future.", *(born_fact(key) for key in keys))
    (older_born, older), (newer_born, newer) = sorted(born, key=lambda pair: pair[0])[:2]
    use, newer_age = use_of(older), whole_days(newer_born, case.now)
    facts = (status_fact(older), status_fact(newer, "newer key status"), born_fact(older), born_fact(newer, "newer key created"))
    if older_born == newer_born:
        return not_applicable("Both keys were made in the same second: neither replaces the other.", *facts)
    facts = (*facts, use_fact(use))
    if newer_age <= grace:
        return passed("The rotation is young.", f"newer created {newer_age} days ago <= {grace}", *facts)
    if is_unused(use):
        return passed("The older key is quiet.", "older key has no use on record", *facts)
    idle = case.days(use.at)
    if idle is None:
        return unknown("Last use of the older key could not be read, or lies in the future.", *facts)
    said = f"newer created {newer_age} days ago > {grace}, older used {idle} days ago"
    if idle <= recent:
        text = f"The newer key is {counted(newer_age)} old, yet the older one was used {ago(idle)}."
        return failed(text, f"{said} <= {recent}", *facts)
    return passed("The older key is quiet.", f"{said} > {recent}", *facts)


def with_password(case: Case) -> Judgement:
    """Password enabled and any active key."""
    user, is_active = case.user, bool(_active(case))
    facts = (case.reported("active keys", str(len(_active(case)))), _password(case), _known(case))
    if not is_active and user.keys_known:
        return not_applicable("The user has no active access key.", *facts)
    if user.password_state is PasswordState.NONE:
        return passed(NO_PASSWORD, "no password", *facts)
    if user.password_state is PasswordState.UNKNOWN or not is_active:
        return unknown("Whether the user has a console password or an active key could not be read.", *facts)
    return failed("One user has both a console password and an active access key.", "password enabled and active key", *facts)


def no_mfa(case: Case) -> Judgement:
    """Password enabled and no MFA."""
    user = case.user
    facts = (_password(case), case.reported("mfa", user.mfa_state))
    if user.password_state is PasswordState.NONE:
        return not_applicable(NO_PASSWORD, *facts)
    if user.mfa_state is MfaState.ON:
        return passed("The user has an MFA device.", "MFA is on", *facts)
    if user.password_state is PasswordState.UNKNOWN or user.mfa_state is not MfaState.OFF:
        return unknown("Password or MFA could not be read.", *facts)
    return failed("The user can sign in with a password alone.", "password enabled and no MFA", *facts)


def unused(case: Case) -> Judgement:
    """Password enabled and D(last used, else last changed) >= N."""
    user, limit, use = case.user, case.policy.number("password.unused"), case.user.password_last_use
    changed = case.reported("password last changed", iso(user.password_last_changed_at))
    facts = (_password(case), use_fact(use, "last sign-in"), changed)
    if user.password_state is PasswordState.NONE:
        return not_applicable(NO_PASSWORD, *facts)
    if user.password_state is PasswordState.UNKNOWN or (use.state is not UseState.USED and not is_unused(use)):
        return unknown("Password or last sign-in could not be read.", *facts)
    is_used = use.state is UseState.USED
    days = case.days(use.at if is_used else user.password_last_changed_at)
    if days is None:
        return unknown("The date to count from is not known or lies in the future.", *facts)
    word = "last sign-in" if is_used else "no sign-in on record, password changed"
    if days >= limit:
        return failed(f"{word.capitalize()} {ago(days)}.", f"{word} {days} days ago >= limit {limit}", *facts)
    return passed(f"{word.capitalize()} {ago(days)}.", f"{word} {days} days ago < limit {limit}", *facts)


def too_old(case: Case) -> Judgement:
    """D(last changed) > N, or next rotation in the past."""
    user, limit = case.user, case.policy.number("password.too_old")
    changed, due = user.password_last_changed_at, user.password_next_rotation_at
    facts = (_password(case), case.reported("password last changed", iso(changed)), case.reported("next rotation", iso(due)))
    if user.password_state is PasswordState.NONE:
        return not_applicable(NO_PASSWORD, *facts)
    if user.password_state is PasswordState.UNKNOWN:
        return unknown("Whether the user has a console password could not be read.", *facts)
    if due is not None and due < case.now:
        return failed(f"The password should have been changed by {day(due.astimezone(UTC))}.", "next rotation is in the past", *facts)
    days = case.days(changed)
    if days is None:
        return unknown("When the password was changed is not known or lies in the future.", *facts)
    if days > limit:
        return failed(f"The password is {counted(days)} old.", f"changed {days} days ago > limit {limit}", *facts)
    return passed(f"The password is {counted(days)} old.", f"changed {days} days ago <= limit {limit}", *facts)


def virtual_only(case: Case) -> Judgement:
    """Console user whose MFA devices are all virtual."""
    user = case.user
    kinds = "unknown" if user.mfa_kinds is None else ", ".join(sorted(user.mfa_kinds))
    listed = FactUsed("mfa kinds", kinds, user.mfa_kinds_observed_at, user.mfa_kinds_source)
    facts = (_password(case), case.reported("mfa", user.mfa_state), listed)
    if user.password_state is PasswordState.NONE or user.mfa_state in (MfaState.OFF, MfaState.NOT_APPLICABLE):
        return not_applicable("Not a console user with MFA.", *facts)
    if user.password_state is PasswordState.UNKNOWN or user.mfa_state is MfaState.UNKNOWN or not user.mfa_kinds:
        return unknown("Password, MFA or the kind of MFA device could not be read.", *facts)
    if UNREAD in user.mfa_kinds:
        return unread(case, "iam:ListMFADevices", "whether the user has a passkey, security key or hardware token too", *facts)
    if user.mfa_kinds == {VIRTUAL}:
        return failed("All MFA devices are virtual; a passkey or security key resists phishing.", "only virtual devices", *facts)
    if user.mfa_kinds <= {VIRTUAL, OTHER}:
        return passed("Not all MFA devices are virtual.", "not only virtual devices", *facts)
    return passed("Has a hardware device, a passkey or a security key.", "not only virtual devices", *facts)


def certificate_old(case: Case) -> Judgement:
    """User signing certificate active and D(last rotated) > N."""
    certificates, limit = case.user.certificates, case.policy.number("certificate.old")
    if certificates is None:
        return unknown("The report has no certificate columns.", case.reported("certificates", "unknown"))
    active = [certificate for certificate in certificates if certificate.is_active]
    facts = tuple(case.reported(f"active certificate {c.slot} rotated", iso(c.last_rotated_at)) for c in active)
    if not active:
        return not_applicable("No active signing certificate.", case.reported("active certificates", "0"))
    ages = [case.days(certificate.last_rotated_at) for certificate in active]
    oldest = max((age for age in ages if age is not None), default=None)
    if oldest is not None and oldest > limit:
        return failed(f"A signing certificate is {counted(oldest)} old.", f"rotated {oldest} days ago > limit {limit}", *facts)
    if oldest is None or None in ages:
        return unknown("When a signing certificate was rotated is not known.", *facts)
    return passed(f"The oldest signing certificate is {counted(oldest)} old.", f"rotated {oldest} days ago <= limit {limit}", *facts)


RULES = tuple(
    Rule(code, Subject.USER, condition)
    for code, condition in (
        ("key.two_active", two_active),
        ("key.rotation_stalled", rotation_stalled),
        ("key.with_password", with_password),
        ("password.no_mfa", no_mfa),
        ("password.unused", unused),
        ("password.too_old", too_old),
        ("mfa.virtual_only", virtual_only),
        ("certificate.old", certificate_old),
    )
)
