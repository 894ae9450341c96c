"""An organisation as data: what the fake AWS has, and what a test expects the product to find. Knows nothing of the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

ANY_FIRST = "*"  # as external id: the role trusts the first one that it is asked with, as if somebody had just made it by our texts
BORN = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)


@dataclass
class AwsKey:
    """One access key. `created_at` in whole seconds, as AWS keeps it. `access_key_id` "" is made when it is served."""

    created_at: datetime
    status: str = "Active"
    last_used_at: datetime | None = None
    region: str = "us-east-1"
    service: str = "s3"
    access_key_id: str = ""
    note: str = ""  # what the console calls its description: a tag of the user, named by the key's id


@dataclass
class AwsUser:
    """An IAM user, or root."""

    name: str
    created_at: datetime = BORN
    path: str = "/"
    password: bool = False
    password_changed_at: datetime | None = None
    signed_in_at: datetime | None = None
    mfa: str = ""  # "", "virtual" or "hardware"
    more_mfa: list[str] = field(default_factory=list)  # serial numbers of devices beside that one
    keys: list[AwsKey] = field(default_factory=list)
    certificates: list[tuple[bool, datetime]] = field(default_factory=list)
    user_id: str = ""  # "" is made when it is served
    tags: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)  # names in demo.fake_aws.documents
    ssh_keys: list[datetime] = field(default_factory=list)
    service_credentials: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)  # service, made, expires


@dataclass
class AwsAccount:
    """One account with the roles that may be assumed in it. `trouble` names a fault that never ends; "" is none."""

    number: str
    name: str
    partition: str = "aws"
    environment: str = "prod"
    owner_email: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    external_id: str = ""
    read_role: str = "hygiene-read"
    act_role: str = "hygiene-act"  # "": the account cannot be changed
    allows_changes: bool = True
    is_polled: bool = True
    root: AwsUser = field(default_factory=lambda: AwsUser("<root_account>"))
    users: list[AwsUser] = field(default_factory=list)
    trouble: str = ""
    state: str = "ACTIVE"  # as AWS Organizations tells it
    groups: dict[str, list[str]] = field(default_factory=dict)  # names of policies by group
    password_policy: dict[str, int | bool] | None = None
    allows_source_identity: bool = True
    left_devices: list[str] = field(default_factory=list)  # serials of virtual MFA devices that belong to nobody

    def role_arn(self, name: str) -> str:
        """ARN of a role; empty for no role."""
        return f"arn:{self.partition}:iam::{self.number}:role/{name}" if name else ""

    def arn(self, user: AwsUser) -> str:
        """ARN of a user or of root."""
        return f"arn:{self.partition}:iam::{self.number}:{'root' if user is self.root else f'user{user.path}{user.name}'}"

    def mfa_serials(self, user: AwsUser) -> list[str]:
        """Serial numbers of all MFA devices: an ARN for a virtual device, a plain number for hardware."""
        name = "root-account-mfa-device" if user is self.root else user.name
        virtual, plain = f"arn:{self.partition}:iam::{self.number}:mfa/{name}", f"GAHT{self.number[-8:]}"
        first = {"": [], "virtual": [virtual]}.get(user.mfa, [plain])
        return [*first, *user.more_mfa]

    @property
    def reports(self) -> bool:
        """Whether a poll can read everything that counts."""
        return self.is_polled and self.trouble not in ("no-access", "no-report")


@dataclass
class Organization:
    """All accounts. `made_at` is the moment that ages are relative to; `management` the number of the account in charge."""

    accounts: list[AwsAccount]
    made_at: datetime
    organization_id: str = "o-demo000001"
    management: str = "999900001111"
    features: tuple[str, ...] = ("RootCredentialsManagement",)
    spare: list[AwsAccount] = field(default_factory=list)  # listed by AWS, and registered nowhere yet

    def account(self, number: str) -> AwsAccount:
        """The account with this number; KeyError when there is none."""
        for account in (*self.accounts, *self.spare):
            if account.number == number:
                return account
        raise KeyError(number)
