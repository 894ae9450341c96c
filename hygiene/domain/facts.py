"""The facts that rules judge: frozen, typed, each with when it was observed and by which call.

Pure. Built by `hygiene.services.findings` from models, or by tests by hand. A fact that could not be read is UNKNOWN or
None as its type says, never a good-looking default. All datetimes are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hygiene.domain.details import PasswordPolicyFacts, PolicyFacts, ServiceCredentialFacts, SshKeyFacts


class Source(StrEnum):
    """The call a fact came from."""

    REPORT = "credential report"
    LIVE_LIST = "ListAccessKeys"
    LAST_USED = "GetAccessKeyLastUsed"
    SUMMARY = "GetAccountSummary"
    MFA_DEVICES = "ListVirtualMFADevices"
    USERS = "ListUsers"
    DETAILS = "GetAccountAuthorizationDetails"
    PASSWORD_POLICY = "GetAccountPasswordPolicy"  # noqa: S105  # the name of a call
    SSH_KEYS = "ListSSHPublicKeys"
    SERVICE_CREDENTIALS = "ListServiceSpecificCredentials"
    ORGANIZATION = "ListOrganizationsFeatures"
    CENTRAL_ROOT = "central root access"
    CLOUDTRAIL = "CloudTrail LookupEvents"
    POLL = "poll"
    OWN_ACTION = "own action"


class KeyStatus(StrEnum):
    """Status of an access key. OTHER is a word of AWS's that is neither Active nor Inactive, such as Expired."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    OTHER = "other"


class UseState(StrEnum):
    """What AWS's record says about use of a key or password.

    USED: there is a date. NEVER: tracked since birth and no date. NO_DATA: no date, and born before AWS began to record (keys
    2015-04-22, passwords 2014-10-20) or, of a password, at an unknown time. NOT_APPLICABLE: there is nothing to use (no
    password). UNKNOWN: not read.
    """

    USED = "used"
    NEVER = "never"
    NO_DATA = "no_data"
    NOT_APPLICABLE = "n/a"
    UNKNOWN = "unknown"


class Presence(StrEnum):
    """Tri-state of a thing that is there or not."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class PasswordState(StrEnum):
    """Console password of a user or of root."""

    ENABLED = "enabled"
    NONE = "none"
    UNKNOWN = "unknown"


class MfaState(StrEnum):
    """MFA of a user or of root. NOT_APPLICABLE is for pages and exports of users without a password."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "n/a"


class UserClass(StrEnum):
    """Human: has a console password, unless a tag says otherwise. Everything else is a machine user."""

    HUMAN = "human"
    MACHINE = "machine"


class OrganizationRole(StrEnum):
    """What an account is to its AWS organization."""

    MANAGEMENT = "management"
    DELEGATED = "delegated"  # administers IAM for the organization
    MEMBER = "member"
    NONE = "none"
    UNKNOWN = "unknown"


IN_CHARGE = (OrganizationRole.MANAGEMENT, OrganizationRole.DELEGATED)  # of central root access, for the organization's members


class KeyMatch(StrEnum):
    """How a report slot and a listed access key id were joined (`domain.keys` says by what)."""

    EXACT = "exact"  # one slot, one id
    AMBIGUOUS = "ambiguous"  # two keys of the same second that nothing tells apart: slot data belongs to neither
    ID_PENDING = "id_pending"  # in the report, not yet (or not permitted to be) listed: no id, no action
    LIVE_ONLY = "live_only"  # listed, in no slot: created after the report
    UNLISTABLE = "unlistable"  # a root key: AWS does not list its id to a role of the account


@dataclass(frozen=True, slots=True)
class LastUse:
    """Newest recorded use of a key or password. `region` and `service` None: AWS names none (normal for global services)."""

    state: UseState
    at: datetime | None = None
    region: str | None = None
    service: str | None = None
    observed_at: datetime | None = None
    source: Source = Source.REPORT


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """What a look into CloudTrail found of one key. Empty tuples prove nothing; `is_complete` False: some of it could not be read.

    `applications`: names by user agent. `places`: where temporary credentials exist and calls came from, such as "AWS Lambda".
    """

    observed_at: datetime
    applications: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    user_agents: tuple[str, ...] = ()
    source_addresses: tuple[str, ...] = ()
    services: tuple[str, ...] = ()  # event sources, such as "s3.amazonaws.com"
    regions: tuple[str, ...] = ()  # that answered
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One access key. `ref` is the caller's handle, handed back in verdicts. `created_at` None: age unknown."""

    ref: int
    status: KeyStatus
    created_at: datetime | None
    last_use: LastUse
    access_key_id: str | None = None
    status_raw: str = ""
    match: KeyMatch = KeyMatch.EXACT
    status_observed_at: datetime | None = None
    status_source: Source = Source.REPORT
    first_inactive_at: datetime | None = None
    has_data_warning: bool = False
    usage: UsageFacts | None = None  # None: nobody looked

    @property
    def is_active(self) -> bool:
        """Whether calls signed with the key are accepted."""
        return self.status is KeyStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One X.509 signing certificate slot that holds a certificate."""

    slot: int
    is_active: bool
    last_rotated_at: datetime | None


@dataclass(frozen=True, slots=True)
class DetailFacts:
    """What GetAccountAuthorizationDetails and the credential lists tell of one user. None: not read.

    `owner` "" is: looked for along the chain, and nobody found. `owner_source`: the link that found it, such as "tag owner" or
    "account". `is_admin` None with `policies` known: a policy's document could not be read, so it cannot be told.
    `user_class` None: nothing but the password decides.
    """

    tags: Mapping[str, str] | None = None
    user_class: UserClass | None = None
    owner: str | None = None
    owner_source: str = ""
    groups: tuple[str, ...] | None = None
    policies: tuple[PolicyFacts, ...] | None = None
    is_admin: bool | None = None
    admin_via: str = ""  # in words, such as "through group ops"
    observed_at: datetime | None = None
    ssh_keys: tuple[SshKeyFacts, ...] | None = None
    credentials_observed_at: datetime | None = None  # of the SSH keys
    service_credentials: tuple[ServiceCredentialFacts, ...] | None = None
    service_credentials_observed_at: datetime | None = None


NO_DETAILS = DetailFacts()


@dataclass(frozen=True, slots=True)
class PrincipalFacts:
    """Root or one IAM user with its keys. `mfa_kinds` None: kinds not known; values of `domain.mfa`, UNREAD among them: not all known.

    `ambiguous_slots` counts active report slots that could not be matched to exactly one key id after a live list.
    `has_data_warning`: rows of the report contradict each other, nothing may be decided from them automatically.
    `keys_known` False: `keys` may not be all, since key columns were missing or unreadable. `observed_at` None: in no report.
    """

    ref: int
    is_root: bool
    arn: str
    name: str
    created_at: datetime | None
    password_state: PasswordState
    password_last_use: LastUse
    password_last_changed_at: datetime | None
    password_next_rotation_at: datetime | None
    mfa_state: MfaState
    keys: tuple[KeyFacts, ...] = ()
    certificates: tuple[CertificateFacts, ...] | None = ()
    mfa_kinds: frozenset[str] | None = None
    mfa_kinds_observed_at: datetime | None = None
    mfa_kinds_source: str = Source.MFA_DEVICES
    observed_at: datetime | None = None
    ambiguous_slots: int = 0
    has_data_warning: bool = False
    keys_known: bool = True
    details: DetailFacts = NO_DETAILS

    @property
    def user_class(self) -> UserClass:
        """What a tag says; else human with a console password (or when that is not known), machine without."""
        if self.details.user_class is not None:
            return self.details.user_class
        return UserClass.MACHINE if self.password_state is PasswordState.NONE else UserClass.HUMAN


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account's own facts: live summary, root MFA devices, and the health of its polling.

    `newest_report_at` None: never had a report. `is_reachable` False: role not assumable, or the report was refused.
    `last_poll_complete` False: the last poll did not finish, or its report was partial.
    `central_root_features` are those of a management or delegated account; `central_root_on` is what the organization's management
    or delegated account says of this member. `worker_key_user`: ARN of the IAM user here whose long-term key this product works
    with; "" for none. `missing_permissions`: calls that AWS refused to the read role, such as "iam:GetAccountAuthorizationDetails".
    """

    account_id: str
    partition: str
    is_pollable: bool
    newest_report_at: datetime | None
    is_reachable: bool
    last_poll_complete: bool
    root_key_present: bool | None = None
    root_mfa_on: bool | None = None
    root_password_present: bool | None = None
    root_certificate_present: bool | None = None
    summary_observed_at: datetime | None = None
    root_has_virtual_mfa: bool | None = None
    mfa_devices_observed_at: datetime | None = None
    failing_since: datetime | None = None
    error: str = ""
    tags: Mapping[str, str] | None = None
    password_policy: PasswordPolicyFacts | None = None
    password_policy_observed_at: datetime | None = None
    organization_role: OrganizationRole = OrganizationRole.UNKNOWN
    central_root_features: frozenset[str] | None = None
    central_root_on: bool | None = None
    organization_observed_at: datetime | None = None
    worker_key_user: str | None = None
    worker_observed_at: datetime | None = None
    missing_permissions: frozenset[str] = frozenset()
