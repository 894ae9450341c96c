"""Rules about one IAM user as a whole: its pair of keys, password, MFA, certificates (rules.md). Pure."""

from __future__ import annotations

from collections.abc import Callable

from hygiene.domain.facts import KeyFacts, MfaState, PasswordState, UseState
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
from hygiene.domain.verdicts import FactUsed, Subject

NO_PASSWORD = "The user has no console password."  # noqa: S105  # a sentence
PASSWORD_UNKNOWN = "Whether the user has a console password could not be read."  # noqa: S105  # a sentence


def _password(case: Case) -> FactUsed:
    return FactUsed("password", case.user.password_state.value, case.user.observed_at, "credential report")


def _active(case: Case) -> list[KeyFacts]:
    return [key for key in case.user.keys if key.is_active]


def two_active(case: Case) -> Judgement:
    """Both keys of a user active."""
    keys = _active(case)
    if case.user.has_data_warning:
        return unknown("The report contradicts itself about this user.")
    facts = tuple(status_fact(key) for key in keys)
    if len(keys) >= 2:
        return failed("Both access keys of this user are active.", f"{len(keys)} active keys > 1", *facts)
    return passed(f"{len(keys)} active access keys.", f"{len(keys)} active keys <= 1", *facts)


def rotation_stalled(case: Case) -> Judgement:
    """Both active, D(newer born) > A, D(older used) <= B."""
    keys = _active(case)
    if len(keys) < 2:
        return not_applicable("The user has no two active keys.")
    grace = case.policy.number("key.rotation_stalled", "newer_older_than")
    recent = case.policy.number("key.rotation_stalled", "older_used_within")
    if any(key.created_at is None or key.last_use.state is UseState.UNKNOWN for key in keys):
        return unknown("Creation or last use of one of the two keys could not be read.", *(born_fact(key) for key in keys))
    older, newer = sorted(keys, key=lambda key: str(key.created_at))[:2]
    newer_age, older_idle = case.days(newer.created_at), case.days(older.last_use.at)
    facts = (born_fact(newer), use_fact(older.last_use, "older key last used"))
    if newer_age is None or (older.last_use.at is not None and older_idle is None):
        return unknown("A date of one of the two keys lies in the future.", *facts)
    if newer_age > grace and older_idle is not None and older_idle <= recent:
        text = f"The newer key is {newer_age} days old, yet the older one was used {older_idle} days ago."
        return failed(text, f"newer created {newer_age} days ago > {grace}, older used {older_idle} days ago <= {recent}", *facts)
    return passed("The rotation is young, or the older key is quiet.", "", *facts)


def with_password(case: Case) -> Judgement:
    """Password enabled and any active key."""
    user = case.user
    if not _active(case):
        return not_applicable("The user has no active access key.")
    if user.password_state is PasswordState.UNKNOWN:
        return unknown(PASSWORD_UNKNOWN, _password(case))
    if user.password_state is PasswordState.ENABLED:
        return failed("One user has both a console password and an active access key.", "password enabled and active key", _password(case))
    return passed(NO_PASSWORD, "", _password(case))


def no_mfa(case: Case) -> Judgement:
    """Password enabled and no MFA."""
    user = case.user
    if user.password_state is PasswordState.NONE:
        return not_applicable(NO_PASSWORD)
    mfa = FactUsed("mfa", user.mfa_state.value, user.observed_at, "credential report")
    if user.mfa_state is MfaState.ON:
        return passed("The user has an MFA device.", "", _password(case), mfa)
    if user.password_state is PasswordState.UNKNOWN or user.mfa_state is not MfaState.OFF:
        return unknown("Password or MFA could not be read.", _password(case), mfa)
    return failed("The user can sign in with a password alone.", "password enabled and no MFA", _password(case), mfa)


def unused(case: Case) -> Judgement:
    """Password enabled and D(last used, else last changed) >= N."""
    user, limit = case.user, case.policy.number("password.unused")
    if user.password_state is PasswordState.NONE:
        return not_applicable(NO_PASSWORD)
    use = user.password_last_use
    changed = FactUsed("password last changed", iso(user.password_last_changed_at), user.observed_at, "credential report")
    facts = (_password(case), use_fact(use, "last sign-in"), changed)
    if user.password_state is PasswordState.UNKNOWN or (use.state is not UseState.USED and not is_unused(use)):
        return unknown("Password or last sign-in could not be read.", *facts)
    is_used = use.state is UseState.USED
    days = case.days(use.at if is_used else user.password_last_changed_at)
    if days is None:
        return unknown("The date to count from is not known or lies in the future.", *facts)
    word = "last sign-in" if is_used else "no sign-in on record, password changed"
    if days >= limit:
        return failed(f"{word.capitalize()} {days} days ago.", f"{word} {days} days ago >= limit {limit}", *facts)
    return passed(f"{word.capitalize()} {days} days ago.", f"{word} {days} days ago < limit {limit}", *facts)


def too_old(case: Case) -> Judgement:
    """D(last changed) > N, or next rotation in the past."""
    user, limit = case.user, case.policy.number("password.too_old")
    if user.password_state is PasswordState.NONE:
        return not_applicable(NO_PASSWORD)
    days = case.days(user.password_last_changed_at)
    due = user.password_next_rotation_at
    facts = (_password(case), FactUsed("password last changed", iso(user.password_last_changed_at), user.observed_at, "credential report"))
    if due is not None and due < case.now:
        return failed(f"The password should have been changed by {due:%d %b %Y}.", "next rotation is in the past", *facts)
    if days is None or user.password_state is PasswordState.UNKNOWN:
        return unknown("When the password was changed is not known.", *facts)
    if days > limit:
        return failed(f"The password is {days} days old.", f"changed {days} days ago > limit {limit}", *facts)
    return passed(f"The password is {days} days old.", f"changed {days} days ago <= limit {limit}", *facts)


def virtual_only(case: Case) -> Judgement:
    """Console user whose MFA devices are all virtual."""
    user = case.user
    if user.password_state is not PasswordState.ENABLED or user.mfa_state is not MfaState.ON:
        return not_applicable("Not a console user with MFA.")
    if user.mfa_kinds is None:
        return unknown("The kind of MFA device could not be read.")
    fact = FactUsed("mfa kinds", ", ".join(sorted(user.mfa_kinds)), user.mfa_kinds_observed_at, "ListVirtualMFADevices")
    if user.mfa_kinds == {"virtual"}:
        return failed("All known MFA devices are virtual; a passkey or security key resists phishing.", "only virtual devices", fact)
    return passed("Has a hardware device, a passkey or a security key.", "", fact)


def certificate_old(case: Case) -> Judgement:
    """User signing certificate active and D(last rotated) > N."""
    certificates, limit = case.user.certificates, case.policy.number("certificate.old")
    if certificates is None:
        return unknown("The report has no certificate columns.")
    active = [certificate for certificate in certificates if certificate.is_active]
    if not active:
        return not_applicable("No active signing certificate.")
    facts = tuple(
        FactUsed(f"certificate {c.slot} rotated", iso(c.last_rotated_at), case.user.observed_at, "credential report") for c in active
    )
    ages = [case.days(certificate.last_rotated_at) for certificate in active]
    oldest = max((age for age in ages if age is not None), default=None)
    if oldest is not None and oldest > limit:
        return failed(f"A signing certificate is {oldest} days old.", f"rotated {oldest} days ago > limit {limit}", *facts)
    if None in ages:
        return unknown("When a signing certificate was rotated is not known.", *facts)
    return passed(f"The oldest signing certificate is {oldest} days old.", f"rotated {oldest} days ago <= limit {limit}", *facts)


CONSOLE = "IAM, Users, the user, Security credentials."
CLI_KEYS = "aws iam list-access-keys --user-name USER"
CLI_PASSWORD = "aws iam delete-login-profile --user-name USER"  # noqa: S105  # a command
CLI_MFA = "aws iam enable-mfa-device --user-name USER --serial-number ARN --authentication-code1 CODE --authentication-code2 CODE"


def _rule(code: str, title: str, why: str, how: str, standards: str, condition: Callable[[Case], Judgement], cli: str) -> Rule:
    return Rule(code, Subject.USER, title, why, how, standards, condition, CONSOLE, cli)


RULES = (
    _rule(
        "key.two_active",
        "Two active keys",
        "Two keys are meant for the days of a rotation, not for years.",
        "Both keys of the user are active.",
        "CIS 1.13 (1.4), 1.12 (5.0), 2.12 (6.0); dropped in 7.0",
        two_active,
        CLI_KEYS,
    ),
    _rule(
        "key.rotation_stalled",
        "Rotation unfinished",
        "A new key was made, but the old one is still in use.",
        "Both keys are active, the newer is past the grace days, the older was used within the last days.",
        "AWS access-key rotation procedure",
        rotation_stalled,
        CLI_KEYS,
    ),
    _rule(
        "key.with_password",
        "Key and password on one user",
        "People and programs should not share an identity.",
        "The user has a console password and an active key.",
        "",
        with_password,
        CLI_KEYS,
    ),
    _rule(
        "password.no_mfa",
        "Console user without MFA",
        "A stolen password alone opens the console.",
        "The report says password enabled and MFA not active.",
        "CIS 1.10 (1.4), 1.9 (5.0), 2.9 (6.0), 2.10 (7.0); Security Hub IAM.5",
        no_mfa,
        CLI_MFA,
    ),
    _rule(
        "password.unused",
        "Password unused 45+ days",
        "A password nobody uses is forgotten, not safe.",
        "Password enabled, and the last sign-in, or the last change when there was none, is at least this many days ago.",
        "CIS 1.12 (1.4), 1.11 (5.0), 2.11 (6.0, 7.0)",
        unused,
        CLI_PASSWORD,
    ),
    _rule(
        "password.too_old",
        "Password over maximum age",
        "Off by default: forced changes make weak passwords.",
        "Changed more than this many days ago, or the next rotation is in the past.",
        "",
        too_old,
        CLI_PASSWORD,
    ),
    _rule(
        "mfa.virtual_only",
        "Virtual MFA only",
        "Codes from an app can be phished; passkeys and security keys cannot.",
        "Every known MFA device of a console user is virtual.",
        "",
        virtual_only,
        CLI_MFA,
    ),
    _rule(
        "certificate.old",
        "Old signing certificate",
        "Signing certificates are credentials too, and nearly always forgotten.",
        "An active signing certificate was rotated more than this many days ago.",
        "",
        certificate_old,
        "aws iam list-signing-certificates --user-name USER",
    ),
)
