"""Rules about the root user (rules.md, `root.*`). Pure.

GetAccountSummary is live and never cached, so it wins over the credential report wherever both speak. One exception is open at
AWS: whether AccountAccessKeysPresent counts inactive keys; an inactive root key of the report therefore fails whatever it says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hygiene.domain.facts import KeyStatus, MfaState, PasswordState, PrincipalFacts, Source, UseState
from hygiene.domain.rules.base import Case, Judgement, Rule, ago, failed, iso, newest, not_applicable, passed, unknown, use_fact
from hygiene.domain.verdicts import FactUsed, Subject

NO_CONSOLE_PARTITIONS = frozenset({"aws-us-gov"})
NO_CONSOLE = "The root user of this partition cannot sign in, and has no active key."
YES_NO = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Told:
    """A tri-state about root, with the call that told it."""

    value: bool | None
    fact: FactUsed


def _told(case: Case, name: str, live: bool | None, reported: bool | None) -> Told:
    """The live summary's word; else the report's."""
    root = _row(case)
    if live is not None or root is None:
        return Told(live, FactUsed(name, YES_NO[live], case.account.summary_observed_at, Source.SUMMARY.value))
    return Told(reported, FactUsed(name, YES_NO[reported], root.observed_at, Source.REPORT.value))


def _row(case: Case) -> PrincipalFacts | None:
    """Root's row of a report, unless there was none or it contradicts itself."""
    root = case.principal
    return None if root is None or root.has_data_warning or root.observed_at is None else root


def _key_facts(root: PrincipalFacts | None) -> tuple[FactUsed, ...]:
    keys = root.keys if root else ()
    return tuple(
        FactUsed(f"root key created {iso(key.created_at)}", key.status.value, key.status_observed_at, key.status_source.value)
        for key in keys
    )


def key_present(case: Case) -> Judgement:
    """present(k) for any root slot, active or not, or AccountAccessKeysPresent > 0."""
    live, root = case.account.root_key_present, _row(case)
    keys = root.keys if root else ()
    told = FactUsed("root key present", YES_NO[live], case.account.summary_observed_at, Source.SUMMARY.value)
    facts = (told, *_key_facts(root))
    if live:
        statuses = sorted({key.status.value for key in keys})
        words = f" ({' and '.join(statuses)} by the credential report)" if statuses else ""
        return failed(f"The root user has an access key{words}.", "AccountAccessKeysPresent > 0", *facts)
    if live is None and keys:
        return failed("The root user has an access key, by the credential report.", f"root slots that hold a key: {len(keys)} > 0", *facts)
    if any(key.status is not KeyStatus.ACTIVE for key in keys):
        text = "The root user has an inactive access key, by the credential report. It can be activated again."
        return failed(text, "a root slot holds an inactive key", *facts)
    if live is False:
        return passed("The root user has no access key.", "AccountAccessKeysPresent = 0", *facts)
    if root is None or not root.keys_known:
        return unknown("Neither the account summary nor the report tells whether the root user has a key.", *facts)
    return passed("The root user has no access key, by the credential report.", "root slots that hold a key: 0", *facts)


def certificate_present(case: Case) -> Judgement:
    """A root signing certificate exists, or AccountSigningCertificatesPresent > 0."""
    root = _row(case)
    reported = None if root is None or root.certificates is None else bool(root.certificates)
    told = _told(case, "root certificate present", case.account.root_certificate_present, reported)
    if told.value is None:
        return unknown("Neither the account summary nor the report tells whether the root user has a certificate.", told.fact)
    if told.value:
        return failed("The root user has a signing certificate.", "root signing certificates > 0", told.fact)
    return passed("The root user has no signing certificate.", "root signing certificates = 0", told.fact)


def _password(case: Case) -> Told:
    root = _row(case)
    words = {PasswordState.ENABLED: True, PasswordState.NONE: False}
    return _told(case, "root password", case.account.root_password_present, words.get(root.password_state) if root else None)


def _mfa(case: Case) -> Told:
    root = _row(case)
    words = {MfaState.ON: True, MfaState.OFF: False}
    return _told(case, "root MFA", case.account.root_mfa_on, words.get(root.mfa_state) if root else None)


def _active_key(case: Case) -> Told:
    """Whether root has an active key. A key that only the live summary knows is newer than the report and counts as active."""
    live, root = case.account.root_key_present, _row(case)
    if live is False or root is None or (live and not root.keys):
        return _told(case, "root active key", live, None)
    is_active = any(key.is_active for key in root.keys)
    return _told(case, "root active key", None, is_active if is_active or root.keys_known else None)


def no_mfa(case: Case) -> Judgement:
    """Root has a password or an active key, and no MFA. Without either it passes, with that reason.

    Where root cannot sign in, as in GovCloud, only an active key counts.
    """
    mfa, password, key = _mfa(case), _password(case), _active_key(case)
    facts = (mfa.fact, password.fact, key.fact)
    can_sign_in = password.value
    if case.account.partition in NO_CONSOLE_PARTITIONS:
        if key.value is False:
            return not_applicable(NO_CONSOLE, *facts)
        can_sign_in = False
    if mfa.value:
        return passed("The root user has MFA.", "MFA is on", *facts)
    if can_sign_in is False and key.value is False:
        return passed("The root user has no credentials: neither a password nor an active key.", "no password and no active key", *facts)
    if mfa.value is None or not (can_sign_in or key.value):
        return unknown("Whether the root user has MFA, a password or a key could not be read.", *facts)
    with_what = " and ".join(word for word, has in (("a password", can_sign_in), ("an active key", key.value)) if has)
    return failed(f"The root user has {with_what}, and no MFA.", "password or active key, and MFA is off", *facts)


def virtual_mfa(case: Case) -> Judgement:
    """MFA on, and an assigned virtual device belongs to the root ARN."""
    account, mfa, virtual = case.account, _mfa(case), case.account.root_has_virtual_mfa
    device = FactUsed("virtual device of root", YES_NO[virtual], account.mfa_devices_observed_at, Source.MFA_DEVICES.value)
    facts = (mfa.fact, device)
    if account.partition in NO_CONSOLE_PARTITIONS:
        key = _active_key(case)
        if key.value is False:
            return not_applicable(NO_CONSOLE, key.fact)
        if key.value is None:
            return unknown("Whether the root user of this partition has an active key could not be read.", key.fact)
    if mfa.value is False and not virtual:
        return not_applicable("The root user has no MFA.", *facts)
    if mfa.value is None or virtual is None or mfa.value is False:
        return unknown("The kind of the root user's MFA could not be read.", *facts)
    if virtual:
        text = "A virtual MFA device belongs to the root user. It may have others too; AWS lists only virtual ones here."
        return failed(text, "virtual devices of the root ARN > 0", *facts)
    return passed("The root user's MFA is a security key, a passkey or a hardware token.", "virtual devices of the root ARN = 0", *facts)


def used(case: Case) -> Judgement:
    """D(newest of root password use and both key uses) <= N."""
    root, limit = _row(case), case.policy.number("root.used")
    if root is None:
        return unknown("No report has a row of the root user that can be trusted.")
    sign_in = root.password_last_use
    facts = (use_fact(sign_in, "last root sign-in"), *(use_fact(key.last_use, "root key last used") for key in root.keys))
    uses = [key.last_use for key in root.keys]
    if case.account.partition not in NO_CONSOLE_PARTITIONS or sign_in.at is not None:
        uses.append(sign_in)
    days = [case.days(use.at) for use in uses if use.at is not None]
    latest = min((day for day in days if day is not None), default=None)
    if latest is not None and latest <= limit:
        return failed(f"The root user was last used {ago(latest)}.", f"used {latest} days ago <= {limit}", *facts)
    is_known = root.keys_known and None not in days and all(use.state is not UseState.UNKNOWN for use in uses)
    if not is_known or any(key.has_data_warning for key in root.keys):
        return unknown("When the root user was last used could not be read.", *facts)
    if newest(*(use.at for use in uses)) is None:
        return passed("AWS has no record of use of the root user.", "no use on record", *facts)
    return passed(f"The root user was last used {ago(latest or 0)}.", f"used {latest} days ago > {limit}", *facts)


SIGN_IN = "1. Sign in as the root user.\n2. Open the account menu, Security credentials.\n"


def _rule(
    code: str, title: str, why: str, how: str, standards: str, condition: Callable[[Case], Judgement], *, console: str, cli: str
) -> Rule:
    return Rule(code, Subject.ROOT, title, why, how, standards, condition, console, cli)


RULES = (
    _rule(
        "root.key_present",
        "Root key present",
        "No policy limits what a root key can do, so whoever copies it owns the account. AWS's advice is to have none.",
        "The live account summary says that root has a key, or a root slot of the report holds one. An inactive key counts too.",
        "CIS 1.4 (v1.4 to v4.0), 1.3 (v5), 2.3 (v6), 2.4 (v7); Security Hub IAM.4; Config iam-root-access-key-check",
        key_present,
        console=SIGN_IN
        + "3. Under Access keys, deactivate the key.\n4. Watch for a few days whether something breaks.\n5. Delete the key.",
        cli="aws iam list-access-keys\naws iam update-access-key --access-key-id KEY_ID --status Inactive\n"
        "aws iam delete-access-key --access-key-id KEY_ID",
    ),
    _rule(
        "root.certificate_present",
        "Root signing certificate present",
        "A signing certificate is an old kind of root credential, nearly always forgotten, and as powerful as a key.",
        "The live account summary, or the certificate columns of the report.",
        "",
        certificate_present,
        console=SIGN_IN + "3. Under X.509 signing certificates, delete the certificate.",
        cli="aws iam list-signing-certificates\naws iam delete-signing-certificate --certificate-id CERTIFICATE_ID",
    ),
    _rule(
        "root.no_mfa",
        "Root without MFA",
        "A stolen root password alone opens the whole account.",
        "Root has a password or an active key, and no MFA device. Where root cannot sign in, as in GovCloud, only a key counts.",
        "CIS 1.5 (v1.4 to v4.0), 1.4 (v5), 2.4 (v6), 2.5 (v7); Security Hub IAM.9 (both look at the password only)",
        no_mfa,
        console=SIGN_IN + "3. Under Multi-factor authentication, assign a passkey or security key; add a second one as a spare.",
        cli="aws iam get-account-summary --query SummaryMap.AccountMFAEnabled",
    ),
    _rule(
        "root.virtual_mfa",
        "Root with virtual MFA",
        "Codes of an app can be phished and its secret can be copied; a passkey or security key cannot.",
        "MFA is on, and a virtual device is assigned to the root ARN.",
        "CIS 1.6 (v1.4 to v4.0), 1.5 (v5), 2.5 (v6), 2.6 (v7), all level 2; Security Hub IAM.6",
        virtual_mfa,
        console=SIGN_IN + "3. Under Multi-factor authentication, assign a security key.\n4. Remove the virtual device.",
        cli="aws iam list-virtual-mfa-devices --assignment-status Assigned",
    ),
    _rule(
        "root.used",
        "Root used",
        "Daily work never needs the root user. Each use is either an emergency or a surprise.",
        "The newest of root's sign-in and its keys' last use is at most this many days ago.",
        "CIS 1.7 (v1.4 to v4.0), 1.6 (v5), 2.6 (v6), 2.7 (v7)",
        used,
        console="1. Find out who used it: CloudTrail, Event history, User name root.\n2. Give that task to a role.",
        cli="aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=root",
    ),
)
