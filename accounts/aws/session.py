"""Assumed sessions and clients: which endpoint, which Region, which retries. Credentials live in process memory only.

Building botocore's models is slow, and clients can be shared by threads only once built: one loader serves all sessions of a process.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from accounts.aws.bodies import bound
from accounts.gateway import CallerIdentity, Purpose, Unreachable

HOME_REGIONS = {
    "aws": ("us-east-1", "us-west-2"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-eusc": ("eusc-de-east-1", "eusc-de-east-1"),
}
ELSEWHERE = {("aws-cn", "organizations"): "cn-northwest-1"}  # services of a partition that are signed for another Region
RENEW_BEFORE = timedelta(minutes=5)
_building = threading.Lock()


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """What session to open. `role_arn` "": the worker's own identity, which must live in the account."""

    account_id: str
    partition: str
    role_arn: str
    external_id: str
    purpose: Purpose
    session_name: str
    session_policy: str
    source_identity: str = ""
    duration_seconds: int = 3600
    allows_custom_endpoint: bool = False
    task: str = ""  # of central root access; empty for every other session

    @property
    def who(self) -> str:
        """The role for sentences."""
        if self.task:
            return f"Central root access to account {self.account_id}"
        return (
            f"Role {self.role_arn.rsplit('/', 1)[-1]} in account {self.account_id}"
            if self.role_arn
            else f"The worker{f' in account {self.account_id}' if self.account_id else ''}"
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials; never stored, logged or queued."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime

    @classmethod
    def own(cls) -> Credentials:
        """Stands for the worker's own credentials, which the SDK finds and renews itself."""
        return cls("", "", "", datetime.max.replace(tzinfo=UTC))

    @classmethod
    def given(cls, answer: dict[str, Any], operation: str) -> Credentials:
        """From an answer of STS. Raises Unreachable when a part is missing."""
        parts = [answer.get(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")]
        if not all(parts) or not isinstance(parts[3], datetime):
            raise Unreachable(f"AWS's answer to {operation} came without usable credentials.", operation=operation, code="MissingField")
        return cls(str(parts[0]), str(parts[1]), str(parts[2]), parts[3].astimezone(UTC))

    def __repr__(self) -> str:
        return "Credentials(hidden)"

    @property
    def is_own(self) -> bool:
        """Whether these are the worker's own."""
        return not self.access_key_id

    def is_fresh(self) -> bool:
        """Whether they last for another five minutes."""
        return datetime.now(UTC) < self.expires_at - RENEW_BEFORE


def reads(spec: SessionSpec) -> Config:
    """Reads: five attempts, 5 s to connect, 15 s to answer."""
    return _config(spec, attempts=5, read_timeout=15)


def writes(spec: SessionSpec) -> Config:
    """Writes: one attempt on the wire, 10 s to answer."""
    return _config(spec, attempts=1, read_timeout=10)


def _config(spec: SessionSpec, *, attempts: int, read_timeout: int) -> Config:
    options: dict[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": attempts},
        "connect_timeout": 5,
        "read_timeout": read_timeout,
        "max_pool_connections": 4,
        "ignore_configured_endpoint_urls": not spec.allows_custom_endpoint,
        "user_agent_appid": "key-hygiene",
    }
    return Config(**options)


def home_region(partition: str, service: str) -> str:
    """Where the partition's one endpoint of a global service is, or where a regional one is asked."""
    return ELSEWHERE.get((partition, service), HOME_REGIONS[partition][0])


@lru_cache(maxsize=1)
def _core() -> Any:
    """One botocore session for the process: its loader keeps the parsed service models. STS is asked at regional endpoints only."""
    core = botocore.session.get_session()
    core.set_config_variable("sts_regional_endpoints", "regional")
    return core


def long_term_key_id() -> str:
    """The id (AKIA...) of the long-term key that the SDK's chain finds for this process; empty for temporary credentials or none."""
    with _building:
        try:
            found = _core().get_credentials()
            key_id = "" if found is None else str(found.get_frozen_credentials().access_key or "")
        except (BotoCoreError, OSError):
            return ""
    return key_id if key_id.startswith("AKIA") else ""


def web_identity() -> CallerIdentity | None:
    """The role that a web identity token stands for, as the environment names it; None when keys are set or there is none."""
    arn = os.environ.get("AWS_ROLE_ARN", "")
    if os.environ.get("AWS_ACCESS_KEY_ID") or not os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") or arn.count(":") < 5:
        return None
    return CallerIdentity(arn.split(":")[4], arn)


def client(service: str, spec: SessionSpec, config: Config, *, region: str, credentials: Credentials | None = None) -> Any:
    """A boto3 client; without `credentials` the SDK's ordinary chain is used."""
    with _building:
        keys: dict[str, str] = {}
        if credentials is not None:
            keys = {
                "aws_access_key_id": credentials.access_key_id,
                "aws_secret_access_key": credentials.secret_access_key,
                "aws_session_token": credentials.session_token,
            }
        made = boto3.Session(botocore_session=_core(), region_name=region).client(service, config=config, **keys)  # type: ignore[call-overload]  # the service is a variable
        return bound(made)
