"""Rules about the root user (docs/rules.md, `root.*`). Pure.

GetAccountSummary is live and never cached, so it wins over the credential report wherever both speak. One exception is open at
AWS: whether AccountAccessKeysPresent counts inactive keys; an inactive root key of the report therefore fails whatever it says.
"""

from __future__ import annotations

from dataclasses import dataclass

from hygiene.domain.facts import KeyStatus, MfaState, OrganizationRole, PasswordState, PrincipalFacts, Source, UseState
from hygiene.domain.rules.base import Case, Judgement, Rule, ago, failed, iso, not_applicable, passed, unknown, unread, use_fact, use_of
from hygiene.domain.verdicts import FactUsed, Subject

CENTRAL_ROOT = "RootCredentialsManagement"
ORGANIZATION = Source.ORGANIZATION
NO_CONSOLE_PARTITIONS = frozenset({"aws-us-gov"})
REPORT = Source.REPORT
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
        return Told(live, FactUsed(name, YES_NO[live], case.account.summary_observed_at, Source.SUMMARY))
    return Told(reported, FactUsed(name, YES_NO[reported], root.observed_at, REPORT))


def _row(case: Case) -> PrincipalFacts | None:
    """Root's row of a report, unless there was none or it contradicts itself."""
    root = case.principal
    return None if root is None or root.has_data_warning or root.observed_at is None else root


def _key_facts(root: PrincipalFacts | None) -> tuple[FactUsed, ...]:
    keys = root.keys if root else ()
    return tuple(FactUsed(f"root key created {iso(key.created_at)}", key.status, key.status_observed_at, key.status_source) for key in keys)


def key_present(case: Case) -> Judgement:
    """present(k) for any root slot, active or not, or AccountAccessKeysPresent > 0."""
    live, root = case.account.root_key_present, _row(case)
    keys = root.keys if root else ()
    told = FactUsed("root key present", YES_NO[live], case.account.summary_observed_at, Source.SUMMARY)
    readable = FactUsed("root slots readable", YES_NO[root is not None and root.keys_known], root.observed_at if root else None, REPORT)
    facts = (told, *_key_facts(root), readable)
    if live:
        statuses = sorted({key.status for key in keys})
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


def _partition(case: Case) -> FactUsed:
    return FactUsed(
        "root can sign in", YES_NO[case.account.partition not in NO_CONSOLE_PARTITIONS], None, f"partition {case.account.partition}"
    )


def no_mfa(case: Case) -> Judgement:
    """Root has a password or an active key, and no MFA. Without either it passes, with that reason.

    Where root cannot sign in, as in GovCloud, only an active key counts. Standards look at the password only: `counts_keys` 0.
    """
    mfa, password, key = _mfa(case), _password(case), _active_key(case)
    facts = (mfa.fact, password.fact, key.fact, _partition(case))
    ways = {"a password": password.value, "an active key": key.value}
    if case.account.partition in NO_CONSOLE_PARTITIONS:
        if key.value is False:
            return not_applicable(NO_CONSOLE, *facts)
        del ways["a password"]
    elif not case.policy.number("root.no_mfa", "counts_keys"):
        del ways["an active key"]
    if mfa.value:
        return passed("The root user has MFA.", "MFA is on", *facts)
    if set(ways.values()) == {False}:
        if key.value is False:
            text, said = "The root user has no credentials: neither a password nor an active key.", "no password and no active key"
        else:
            text, said = "The root user has no password; this profile does not look at its keys here.", "no password"
        return passed(text, said, *facts)
    if mfa.value is None or True not in ways.values():
        return unknown("Whether the root user has MFA, a password or a key could not be read.", *facts)
    with_what = " and ".join(way for way, is_open in ways.items() if is_open)
    return failed(f"The root user has {with_what}, and no MFA.", "password or active key, and MFA is off", *facts)


def virtual_mfa(case: Case) -> Judgement:
    """MFA on, and an assigned virtual device belongs to the root ARN."""
    account, mfa, virtual, key = case.account, _mfa(case), case.account.root_has_virtual_mfa, _active_key(case)
    device = FactUsed("virtual device of root", YES_NO[virtual], account.mfa_devices_observed_at, Source.MFA_DEVICES)
    facts = (mfa.fact, device, key.fact, _partition(case))
    if account.partition in NO_CONSOLE_PARTITIONS and not key.value:
        if key.value is False:
            return not_applicable(NO_CONSOLE, *facts)
        return unknown("Whether the root user of this partition has an active key could not be read.", *facts)
    if mfa.value is False and not virtual:
        return not_applicable("The root user has no MFA.", *facts)
    if not mfa.value or virtual is None:
        return unknown("The kind of the root user's MFA could not be read.", *facts)
    if virtual:
        text = "A virtual MFA device belongs to the root user. It may have others too; AWS lists only virtual ones here."
        return failed(text, "virtual devices of the root ARN > 0", *facts)
    return passed("The root user's MFA is a security key, a passkey or a hardware token.", "virtual devices of the root ARN = 0", *facts)


def used(case: Case) -> Judgement:
    """D(newest of root password use and both key uses) <= N."""
    root, limit = _row(case), case.policy.number("root.used")
    if root is None:
        return unknown("No report has a row of the root user that can be trusted.", FactUsed("root row", "none", None, REPORT))
    is_sure = root.keys_known and not any(key.has_data_warning for key in root.keys)
    facts = (
        use_fact(root.password_last_use, "last root sign-in"),
        *(use_fact(use_of(key), "root key last used") for key in root.keys),
        case.reported("root slots readable", YES_NO[is_sure]),
        _partition(case),
    )
    uses = [use_of(key) for key in root.keys]
    if case.account.partition not in NO_CONSOLE_PARTITIONS or root.password_last_use.at is not None:
        uses.append(root.password_last_use)
    days = [case.days(use.at) for use in uses if use.at is not None]
    latest = min((day for day in days if day is not None), default=None)
    if latest is not None and latest <= limit:
        return failed(f"The root user was last used {ago(latest)}.", f"used {latest} days ago <= {limit}", *facts)
    if not is_sure or None in days or any(use.state is UseState.UNKNOWN for use in uses):
        return unknown("When the root user was last used could not be read.", *facts)
    if latest is None:
        return passed("AWS has no record of use of the root user.", "no use on record", *facts)
    return passed(f"The root user was last used {ago(latest)}.", f"used {latest} days ago > {limit}", *facts)


def password_present(case: Case) -> Judgement:
    """Member account, central root management on, and root has a password."""
    account, password = case.account, _password(case)
    is_on = account.central_root_on
    if is_on is None and account.central_root_features is not None:
        is_on = CENTRAL_ROOT in account.central_root_features
    role = FactUsed("role in the organization", account.organization_role, account.organization_observed_at, ORGANIZATION)
    facts = (role, FactUsed("central root management", YES_NO[is_on], account.organization_observed_at, ORGANIZATION), password.fact)
    if account.organization_role in (OrganizationRole.NONE, OrganizationRole.MANAGEMENT):
        return not_applicable("The account is no member of an organization.", *facts)
    if password.value is False:
        return passed("The root user has no password.", "no root password", *facts)
    if account.organization_role is OrganizationRole.UNKNOWN:
        return unread(case, "organizations:DescribeOrganization", "whether this is a member account", *facts)
    if is_on is False:
        return not_applicable("Central root management is off in this organization.", *facts)
    if is_on is None:
        return unknown("No management or delegated account of this organization told whether central root management is on.", *facts)
    if password.value is None:
        return unknown("Whether the root user has a password could not be read.", *facts)
    text = "The root user of this member account has a password, although its root credentials are managed centrally."
    return failed(text, "member account, central root management on, root password present", *facts)


RULES = tuple(
    Rule(code, Subject.ROOT, condition)
    for code, condition in (
        ("root.key_present", key_present),
        ("root.password_present", password_present),
        ("root.certificate_present", certificate_present),
        ("root.no_mfa", no_mfa),
        ("root.virtual_mfa", virtual_mfa),
        ("root.used", used),
    )
)
