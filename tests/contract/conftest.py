"""One small account twice: behind the real adapter over HTTP, and in the fake gateway of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.aws import AwsGateway, AwsRootGateway, SessionSpec
from accounts.gateway import Gateway, ListedCertificate, OrganizationAccount, PasswordPolicy, Purpose, RootGateway, RootTask
from accounts.pace import Unlimited
from demo.fake_aws import AwsAccount, AwsKey, AwsUser, Organization, Running, start
from demo.fake_aws.iam import certificate_id
from tests.fake_root import ROOT
from tests.fakes import FakeAwsAccount

NUMBER, OTHER = "111122223333", "444455556666"
NOW = datetime.now(UTC).replace(microsecond=0)
BORN, USED = NOW - timedelta(days=100), (NOW - timedelta(days=2)).replace(second=0)
PASSKEY = f"arn:aws:iam::{NUMBER}:u2f/user/ana/phone-EXAMPLE"
KEY, SECOND, ROOT_KEY = "AKIAANA0000000000001", "AKIAANA0000000000002", "AKIAROOT000000000001"


def organization() -> Organization:
    keys = [AwsKey(BORN, last_used_at=USED, service="ec2", access_key_id=KEY), AwsKey(BORN, status="Inactive", access_key_id=SECOND)]
    ana = AwsUser("ana", created_at=BORN, path="/people/", password=True, keys=keys, certificates=[(True, BORN)], tags={"team": "pay"})
    ana.mfa, ana.more_mfa = "virtual", [PASSKEY]
    root = AwsUser("<root_account>", created_at=BORN, password=True, mfa="virtual", keys=[AwsKey(BORN, access_key_id=ROOT_KEY)])
    account = AwsAccount(NUMBER, "payments", external_id="ours", root=root, users=[ana, AwsUser("bob", created_at=BORN)])
    account.password_policy = {"MinimumPasswordLength": 14, "RequireSymbols": True}
    return Organization([account, AwsAccount(OTHER, "lab", state="SUSPENDED")], NOW, management="999900001111")


def fake() -> FakeAwsAccount:
    world = FakeAwsAccount(NUMBER, now=NOW)
    world.user("ana", created_at=BORN, path="/people/", password_enabled=True, mfa=True, virtual_mfa=True, other_mfa=[PASSKEY])
    world.user("bob", created_at=BORN)
    world.key("ana", access_key_id=KEY, created_at=BORN, last_used_at=USED, service="ec2")
    world.key("ana", access_key_id=SECOND, created_at=BORN, status="Inactive")
    world.key("root", access_key_id=ROOT_KEY, created_at=BORN)
    world.root.password_enabled = world.root.mfa = True
    world.root_mfa_serials = [f"arn:aws:iam::{NUMBER}:mfa/root-account-mfa-device"]
    world.extras.tags["ana"] = {"team": "pay"}
    world.extras.certificates["ana"] = [ListedCertificate(certificate_id(BORN), "Active", BORN)]
    world.extras.certificates[ROOT] = []
    world.extras.password_policy = PasswordPolicy(minimum_length=14, requires_symbols=True)
    world.extras.organization_accounts = [
        OrganizationAccount(NUMBER, "payments", "payments@example.com", "ACTIVE"),
        OrganizationAccount(OTHER, "lab", "lab@example.com", "SUSPENDED"),
    ]
    return world


class Door:
    """Opens sessions to one of the two."""

    def __init__(self, world: FakeAwsAccount | Running) -> None:
        self.world = world

    def _spec(self, role: str, **fields: Any) -> SessionSpec:
        values = {"external_id": "ours", "purpose": Purpose.POLL, "session_name": "hygiene-poll", "session_policy": ""}
        arn = f"arn:aws:iam::{NUMBER}:role/{role}" if role else ""
        return SessionSpec(
            **{"account_id": NUMBER, "partition": "aws", "role_arn": arn, "allows_custom_endpoint": True, **values, **fields}
        )

    def open(self, role: str = "hygiene-read") -> Gateway:
        return self.world.gateway() if isinstance(self.world, FakeAwsAccount) else AwsGateway(self._spec(role), Unlimited())

    def own(self) -> Gateway:
        return self.world.gateway() if isinstance(self.world, FakeAwsAccount) else AwsGateway(self._spec("", account_id=""), Unlimited())

    def root(self, task: RootTask) -> RootGateway:
        if isinstance(self.world, FakeAwsAccount):
            return self.world.root_gateway(task=task)
        return AwsRootGateway(self._spec("", task=task.value), Unlimited())


@pytest.fixture(params=["fake", "aws"])
def door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    if request.param == "fake":
        yield Door(fake())
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
    with start(organization()) as running:
        running.world.report_seconds = 0
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield Door(running)
