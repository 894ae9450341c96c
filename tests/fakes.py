"""An AWS account in memory, as strict as AWS: the fake gateway of the tests, with faults and a log of calls."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.gateway import (
    AccountSummary,
    AwsError,
    CallerIdentity,
    CredentialReport,
    KeyLastUse,
    ListedKey,
    NoSuchEntity,
    ReportNotReady,
    ReportState,
    RootTask,
    VirtualMfaDevice,
)
from hygiene.domain.mfa import VIRTUAL, kind_of
from tests.fake_details import FakeDetailCalls, FakeExtras
from tests.fake_root import ROOT, FakeRootGateway

HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,"
    "cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
SNAPSHOT = timedelta(hours=4)
BORN = datetime(2020, 1, 1, tzinfo=UTC)


def iso(moment: datetime | None, absent: str = "N/A") -> str:
    return absent if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FakeKey:
    """One access key in the fake."""

    access_key_id: str
    created_at: datetime
    status: str = "Active"
    last_used_at: datetime | None = None
    region: str = "us-east-1"
    service: str = "s3"

    def cells(self) -> list[str]:
        used = [iso(self.last_used_at), self.region, self.service] if self.last_used_at else ["N/A"] * 3
        return [str(self.status == "Active").lower(), iso(self.created_at), *used]


@dataclass
class FakeUser:
    """Root or a user in the fake."""

    name: str
    created_at: datetime = BORN
    path: str = "/"
    password_enabled: bool = False
    password_last_used_at: datetime | None = None
    password_last_changed_at: datetime | None = None
    mfa: bool = False
    virtual_mfa: bool = False
    other_mfa: list[str] = field(default_factory=list)  # serial numbers of devices that are not virtual
    keys: list[FakeKey] = field(default_factory=list)
    user_id: str = ""


class FakeAwsAccount:
    """A world that a test sets up; `now` is its clock. Faults are queued for operations by name."""

    def __init__(self, account_id: str = "111122223333", *, now: datetime, partition: str = "aws") -> None:
        self.account_id, self.partition, self.now = account_id, partition, now
        self.root = FakeUser("<root_account>")
        self.users: dict[str, FakeUser] = {}
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.faults: dict[str, list[tuple[AwsError, bool]]] = defaultdict(list)
        self.snapshot: CredentialReport | None = None
        self.report_override: bytes | None = None
        self.extras = FakeExtras()
        self.root_mfa_serials: list[str] = []
        self.unassigned_mfa_serials: list[str] = []
        self._serial = 0

    def user(self, name: str, **fields: Any) -> FakeUser:
        self._serial += 1
        self.users[name] = FakeUser(name, **{"user_id": f"AIDA{self.account_id}{self._serial:05d}", **fields})
        return self.users[name]

    def key(self, user: str, **fields: Any) -> FakeKey:
        owner = self.root if user == "root" else self.users[user]
        key = FakeKey(**{"access_key_id": self.new_key_id(), "created_at": self.now - timedelta(days=100), **fields})
        owner.keys.append(key)
        return key

    def new_key_id(self) -> str:
        """Like AWS's: encodes the account, so unique over accounts."""
        self._serial += 1
        number = (int(self.account_id) << 7 | 1 << 47).to_bytes(6, "big") + self._serial.to_bytes(4, "big")
        return "AKIA" + base64.b32encode(number).decode()

    def fail(self, operation: str, error: AwsError, *, times: int = 1, after_applying: bool = False) -> None:
        self.faults[operation] += [(error, after_applying)] * times

    def arn(self, user: FakeUser) -> str:
        resource = "root" if user is self.root else f"user{user.path}{user.name}"
        return f"arn:{self.partition}:iam::{self.account_id}:{resource}"

    def mfa_serials(self, user: FakeUser) -> list[str]:
        """Devices of a user, or of root; a user with MFA and none named has a hardware token."""
        name = "root-account-mfa-device" if user is self.root else user.name
        virtual = [f"arn:{self.partition}:iam::{self.account_id}:mfa/{name}"] if user.virtual_mfa else []
        found = [*virtual, *user.other_mfa, *(self.root_mfa_serials if user is self.root else [])]
        return found or (["GAHT12345678"] if user.mfa else [])

    def report_bytes(self) -> bytes:
        return "\n".join([HEADER, *(self._row(user) for user in (self.root, *self.users.values()))]).encode()

    def _row(self, user: FakeUser) -> str:
        password = [
            str(user.password_enabled).lower(),
            iso(user.password_last_used_at, "no_information" if user.password_enabled else "N/A"),
            iso(user.password_last_changed_at),
            "not_supported" if user is self.root else "N/A",
            str(user.mfa).lower(),
        ]
        keys = [key.cells() for key in user.keys] + [["false", "N/A", "N/A", "N/A", "N/A"]] * (2 - len(user.keys))
        cells = [user.name, self.arn(user), iso(user.created_at), *password, *keys[0], *keys[1], "false", "N/A", "false", "N/A"]
        return ",".join(cells)

    def gateway(self, *_: Any) -> FakeGateway:
        return FakeGateway(self)

    def root_gateway(self, *_: Any, task: RootTask = RootTask.DELETE) -> FakeRootGateway:
        return FakeRootGateway(self, task)

    def calls(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.log)


class FakeGateway(FakeDetailCalls):
    """The gateway port over a FakeAwsAccount."""

    def __init__(self, world: FakeAwsAccount) -> None:
        self.world = world
        self._calls = 0
        self._assumed = False

    @property
    def account_id(self) -> str:
        return self.world.account_id

    @property
    def calls(self) -> int:
        return self._calls

    def _begin(self, operation: str, **parameters: Any) -> None:
        if not self._assumed and operation != "AssumeRole":
            self._begin("AssumeRole")
            self._assumed = True
        self._calls += 1
        self.world.log.append((operation, parameters))
        self._fault(operation, after_applying=False)

    def _fault(self, operation: str, *, after_applying: bool) -> None:
        queue = self.world.faults[operation]
        if queue and queue[0][1] is after_applying:
            raise queue.pop(0)[0]

    def caller_identity(self) -> CallerIdentity:
        self._begin("GetCallerIdentity")
        return CallerIdentity(self.account_id, f"arn:aws:sts::{self.account_id}:assumed-role/hygiene/fake")

    def generate_credential_report(self) -> ReportState:
        self._begin("GenerateCredentialReport")
        world = self.world
        if world.snapshot is None or world.now - world.snapshot.generated_at >= SNAPSHOT:
            content = world.report_bytes() if world.report_override is None else world.report_override
            world.snapshot = CredentialReport(content, world.now.replace(microsecond=0))
            return ReportState.STARTED
        return ReportState.COMPLETE

    def get_credential_report(self) -> CredentialReport:
        self._begin("GetCredentialReport")
        if self.world.snapshot is None:
            raise ReportNotReady("There is no report.", code="ReportNotPresent")
        return self.world.snapshot

    def account_summary(self) -> AccountSummary:
        self._begin("GetAccountSummary")
        root = self.world.root
        return AccountSummary(
            {
                "AccountAccessKeysPresent": int(bool(root.keys)),
                "AccountMFAEnabled": int(root.mfa),
                "AccountPasswordPresent": int(root.password_enabled),
                "AccountSigningCertificatesPresent": int(bool(self.world.extras.certificates.get(ROOT))),
                "Users": len(self.world.users),
                "MFADevicesInUse": sum(len(self.world.mfa_serials(user)) for user in (root, *self.world.users.values())),
            }
        )

    def virtual_mfa_devices(self) -> tuple[VirtualMfaDevice, ...]:
        self._begin("ListVirtualMFADevices")
        holders = [user for user in (self.world.root, *self.world.users.values()) if user.virtual_mfa]
        return tuple(
            VirtualMfaDevice(serial, self.world.arn(user))
            for user in holders
            for serial in self.world.mfa_serials(user)
            if kind_of(serial) == VIRTUAL
        )

    def _user(self, name: str) -> FakeUser:
        if name not in self.world.users:
            raise NoSuchEntity("The user or key does not exist in AWS.", code="NoSuchEntity")
        return self.world.users[name]

    def _key(self, user: FakeUser, access_key_id: str) -> FakeKey:
        for key in user.keys:
            if key.access_key_id == access_key_id:
                return key
        raise NoSuchEntity("The user or key does not exist in AWS.", code="NoSuchEntity")

    def list_access_keys(self, user_name: str) -> tuple[ListedKey, ...]:
        self._begin("ListAccessKeys", user_name=user_name)
        keys = reversed(self._user(user_name).keys)
        return tuple(ListedKey(user_name, key.access_key_id, key.status, key.created_at.replace(microsecond=0)) for key in keys)

    def list_mfa_devices(self, user_name: str) -> tuple[str, ...]:
        self._begin("ListMFADevices", user_name=user_name)
        return tuple(self.world.mfa_serials(self._user(user_name)))

    def access_key_last_used(self, access_key_id: str) -> KeyLastUse:
        self._begin("GetAccessKeyLastUsed", access_key_id=access_key_id)
        for user in self.world.users.values():
            for key in user.keys:
                if key.access_key_id == access_key_id:
                    used = key.last_used_at
                    return KeyLastUse(user.name, used, key.region if used else None, key.service if used else None)
        raise NoSuchEntity("The user or key does not exist in AWS.", code="NoSuchEntity")

    def update_access_key(self, user_name: str, access_key_id: str, *, active: bool) -> str:
        self._begin("UpdateAccessKey", user_name=user_name, access_key_id=access_key_id, active=active)
        self._key(self._user(user_name), access_key_id).status = "Active" if active else "Inactive"
        self._fault("UpdateAccessKey", after_applying=True)
        return f"request-{len(self.world.log)}"

    def delete_access_key(self, user_name: str, access_key_id: str) -> str:
        self._begin("DeleteAccessKey", user_name=user_name, access_key_id=access_key_id)
        user = self._user(user_name)
        user.keys.remove(self._key(user, access_key_id))
        self._fault("DeleteAccessKey", after_applying=True)
        return f"request-{len(self.world.log)}"
