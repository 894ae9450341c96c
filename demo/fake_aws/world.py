"""The state behind the fake AWS: moto holds users, keys and sessions; this holds what moto has no idea of, faults and the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.iam.models import iam_backends

from demo.fake_aws.organization import AwsAccount, AwsUser, Organization

CACHED = timedelta(hours=4)
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,"
    "cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
NO_KEY = ["false", "N/A", "N/A", "N/A", "N/A"]


@dataclass
class Fault:
    """A fault that a test or the cast asks for. `kind`: error, hang, reset, applied-then-reset, applied-then-hang. `times` -1: always."""

    account: str
    action: str
    kind: str = "error"
    code: str = "AccessDenied"
    status: int = 403
    message: str = ""
    times: int = 1
    seconds: float = 30.0
    every: int = 1  # only each so-manieth call
    percent: int = 100  # of those calls, spread evenly


@dataclass
class Session:
    """A role session that was handed out."""

    account: str
    role: str
    name: str
    policy: str
    expires_at: float
    source_identity: str = ""
    task: str = ""  # of central root access


@dataclass
class World:
    """Everything that the fake knows. Thread-safe where threads meet: the log, faults and report snapshots."""

    organization: Organization
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    report_seconds: float = 1.0  # how long AWS takes to make a report
    log: list[dict[str, Any]] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        """Put users and keys into moto, and the cast's lasting troubles among the faults."""
        self.faults: list[Fault] = []
        self.snapshots: dict[str, tuple[bytes, datetime, datetime]] = {}
        self.jobs: dict[str, tuple[str, AwsUser]] = {}  # of service last accessed: who may read it, whom it is about
        self.lookups: dict[tuple[str, str], list[float]] = {}
        self._calls: dict[tuple[str, str], int] = {}
        self._by_number = {account.number: account for account in (*self.organization.accounts, *self.organization.spare)}
        for account in (*self.organization.accounts, *self.organization.spare):
            self._seed(account)
            self.faults += TROUBLES[account.trouble](account.number) if account.trouble else []

    def account(self, number: str) -> AwsAccount | None:
        """The account with this number."""
        return self._by_number.get(number)

    def backend(self, account: AwsAccount) -> Any:
        """Moto's IAM of the account."""
        return iam_backends[account.number][account.partition]

    def _seed(self, account: AwsAccount) -> None:
        backend = self.backend(account)
        backend.users.clear()
        backend.access_keys.clear()
        for place, key in enumerate(account.root.keys):
            key.access_key_id = key.access_key_id or f"AKIAROOT{account.number[:11]}{place}"
        for place, user in enumerate(account.users):
            user.user_id = user.user_id or f"AIDA{account.number}{place:05d}"
            made = backend.create_user("us-east-1", user.name, path=user.path)
            made.create_date = user.created_at.replace(tzinfo=None)
            for key in user.keys:
                stored = made.create_access_key(prefix="AKIA", status=key.status)
                key.access_key_id = key.access_key_id or stored.access_key_id
                stored.access_key_id, stored.create_date = key.access_key_id, key.created_at.replace(tzinfo=None)
                backend.access_keys[stored.access_key_id] = stored

    def fail(self, fault: Fault) -> None:
        """From now on, until its times are used up."""
        with self.lock:
            self.faults.append(fault)

    def fault_for(self, account: str, action: str) -> Fault | None:
        """The fault that this call meets, if any; counts it down."""
        with self.lock:
            self._calls[account, action] = count = self._calls.get((account, action), 0) + 1
            for fault in self.faults:
                meets = count % fault.every == 0 and count // fault.every * fault.percent % 100 < fault.percent
                if meets and fault.account in (account, "*") and fault.action in (action, "*") and fault.times != 0:
                    fault.times -= 1 if fault.times > 0 else 0
                    return fault
        return None

    def record(self, **entry: Any) -> dict[str, Any]:
        """Add a call to the log: the oracle."""
        with self.lock:
            self.log.append({"time": time.time(), **entry})
            return self.log[-1]

    def calls(self, action: str, *, account: str = "") -> list[dict[str, Any]]:
        """Calls of one action that reached the account."""
        with self.lock:
            return [entry for entry in self.log if entry["action"] == action and account in ("", entry["account"])]

    def status_of(self, access_key_id: str) -> str | None:
        """Status of a key as AWS has it now; None when it is gone."""
        for account in (*self.organization.accounts, *self.organization.spare):
            key = self.backend(account).access_keys.get(access_key_id)
            if key is not None:
                return str(key.status)
        return None

    def generate(self, account: AwsAccount) -> str:
        """GenerateCredentialReport: at most one new report in four hours, ready a second later."""
        with self.lock:
            now = self.clock()
            found = self.snapshots.get(account.number)
            if found is not None and now - found[1] < CACHED:
                return "COMPLETE" if now >= found[2] else "INPROGRESS"
            self.snapshots[account.number] = (
                self.report(account),
                now.replace(microsecond=0),
                now + timedelta(seconds=self.report_seconds),
            )
            return "STARTED"

    def snapshot(self, account: AwsAccount) -> tuple[bytes, datetime] | str:
        """GetCredentialReport: bytes and their time, or AWS's word for why not."""
        with self.lock:
            found, now = self.snapshots.get(account.number), self.clock()
            if found is None:
                return "ReportNotPresent"
            if now - found[1] >= CACHED:
                return "ReportExpired"
            return (found[0], found[1]) if now >= found[2] else "ReportInProgress"

    def report(self, account: AwsAccount) -> bytes:
        """The CSV in AWS's real shape: no quoting, no last newline, root first."""
        users = sorted(account.users, key=lambda user: user.name.lower())
        return "\n".join([HEADER, *(self._row(account, user) for user in (account.root, *users))]).encode()

    def _row(self, account: AwsAccount, user: AwsUser) -> str:
        is_root = user is account.root
        signed_in = iso(user.signed_in_at, "no_information" if user.password else "N/A")
        password = [str(user.password).lower(), signed_in, iso(user.password_changed_at), "not_supported" if is_root else "N/A"]
        keys = [self._cells(account, user, place) for place in (0, 1)]
        certificates = [cell for active, moment in user.certificates for cell in (str(active).lower(), iso(moment))]
        certificates += ["false", "N/A"] * (2 - len(user.certificates))
        if is_root and account.partition == "aws-us-gov":
            password = ["not_supported", "not_supported", "not_supported", "not_supported"]
        cells = [
            user.name,
            account.arn(user),
            iso(user.created_at),
            *password,
            str(bool(user.mfa)).lower(),
            *keys[0],
            *keys[1],
            *certificates,
        ]
        return ",".join(cells)

    def _cells(self, account: AwsAccount, user: AwsUser, place: int) -> list[str]:
        """One slot, from what moto says of the key now."""
        present = [key for key in user.keys if user is account.root or key.access_key_id in self.backend(account).access_keys]
        if place >= len(present):
            return NO_KEY
        key = present[place]
        stored = self.backend(account).access_keys.get(key.access_key_id)
        status = stored.status if stored is not None else key.status
        used = [iso(key.last_used_at and key.last_used_at.replace(second=0)), key.region, key.service] if key.last_used_at else ["N/A"] * 3
        return [str(status == "Active").lower(), iso(key.created_at), *used]

    def summary(self, account: AwsAccount) -> dict[str, int]:
        """GetAccountSummary, live."""
        devices = sum(len(account.mfa_serials(user)) for user in (account.root, *account.users))
        return {
            "Users": len(self.backend(account).users),
            "UsersQuota": 5000,
            "AccessKeysPerUserQuota": 2,
            "AccountAccessKeysPresent": int(bool(account.root.keys)),
            "AccountMFAEnabled": int(bool(account.root.mfa)),
            "AccountPasswordPresent": int(account.root.password),
            "AccountSigningCertificatesPresent": int(bool(account.root.certificates)),
            "MFADevices": devices,
            "MFADevicesInUse": devices,
            "Groups": 0,
            "GroupsQuota": 300,
        }


def iso(moment: datetime | None, absent: str = "N/A") -> str:
    """A time as AWS writes it."""
    return absent if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


TROUBLES: dict[str, Callable[[str], list[Fault]]] = {
    "no-access": lambda number: [Fault(number, "AssumeRole", times=-1)],
    "no-list": lambda number: [Fault(number, "ListAccessKeys", times=-1)],
    "no-report": lambda number: [Fault(number, "GenerateCredentialReport", kind="never-ready", times=-1)],
    "throttled": lambda number: [Fault(number, "*", code="Throttling", status=400, message="Rate exceeded", times=-1, every=8)],
}
__all__ = ["Fault", "Session", "World", "iso"]
