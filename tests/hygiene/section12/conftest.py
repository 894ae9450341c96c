"""One account behind the wire: polled through the real adapter, seen through pages and exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.aws.connection import Connection
from accounts.gateway import Purpose
from accounts.models import Account
from accounts.services import open_gateway
from hygiene.domain.policy import Policy, resolve
from hygiene.models import AccessKey, AccountStatus, Action, Finding, Poll, PollTrigger, Principal, Remediation
from hygiene.services import approvals, exports, polling, remediation, schedule
from hygiene.services.clock import Clock
from hygiene.services.plans import expected_typing, make_plan
from hygiene.tasks import gateway_of
from tests.factories import register
from tests.fakes import FakeAwsAccount
from tests.hygiene.section12.wire import EXTERNAL_ID, Wire

NUMBER = "111122223333"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """AWS's end of every connection."""
    state = Wire()
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", lambda session, request: state.send(request))
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda policy, context: 0.0)
    defaults = Connection.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", lambda seconds: None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
    return state


@dataclass
class Site:
    """An account with its world: poll it, then look at what the product says of it."""

    world: FakeAwsAccount
    account: Account
    viewer: User
    policy: Policy = field(default_factory=resolve)

    @property
    def status(self) -> AccountStatus:
        return AccountStatus.objects.get(account=self.account)

    def later(self, **step: float) -> None:
        """Time goes on; by default until AWS makes a new report."""
        self.world.now += timedelta(**step) if step else timedelta(hours=4, minutes=10)

    def poll(self, **fields: Any) -> Poll:
        """One poll from the claim to the closed row."""

        def sleep(seconds: float) -> None:
            self.world.now += timedelta(seconds=seconds)

        clock = Clock(now=lambda: self.world.now, sleep=sleep, random=lambda: 0.5)
        self.account.refresh_from_db()
        queued = schedule.queue_polls([self.account], trigger=PollTrigger.COMMAND, now=self.world.now)[0]
        opened = partial(open_gateway, purpose=Purpose.POLL)
        done = polling.run_poll(queued.pk, open_gateway=opened, policy=self.policy, clock=clock, **fields)
        assert done is not None
        return done

    def poll_of(self, report: str | bytes) -> Poll:
        """A poll that gets this report."""
        self.world.report_override = report if isinstance(report, bytes) else report.encode()
        return self.poll()

    def organization(self) -> Account:
        """The registry as `sync_organization` makes it from AWS Organizations."""
        call_command("sync_organization", stdout=io.StringIO())
        self.account.refresh_from_db()
        return self.account

    def every_key(self) -> list[AccessKey]:
        """Present keys, oldest first."""
        return list(AccessKey.objects.present().filter(account=self.account).order_by("created_at", "pk"))

    def keys_of(self, user: str) -> list[AccessKey]:
        """Present keys of one user, oldest first."""
        return [key for key in self.every_key() if key.principal.name == user]

    def user(self, name: str) -> Principal:
        return Principal.objects.present().get(account=self.account, name=name)

    def root(self) -> Principal:
        return Principal.objects.present().get(account=self.account, is_root=True)

    def failing(self, rule: str) -> int:
        return Finding.objects.failing().filter(account=self.account, rule=rule).count()

    def unknown(self, rule: str) -> int:
        return Finding.objects.open().filter(account=self.account, rule=rule, outcome="unknown").count()

    def export(self, kind: str) -> list[dict[str, Any]]:
        """Rows of one export as values."""
        return list(exports.rows(kind, policy=self.policy, now=self.world.now))

    def csv(self, kind: str) -> list[dict[str, str]]:
        """The same as `manage.py export` writes them, at the world's time."""
        pieces = exports.render(exports.rows(kind, policy=self.policy, now=self.world.now), exports.COLUMNS[kind], "csv")
        return list(csv.DictReader(io.StringIO("".join(pieces))))

    def page(self, address: str = "") -> str:
        """A page as a viewer sees it; without an address the account's."""
        client = Client()
        client.force_login(self.viewer, backend="hygiene.sign_in.RolesBackend")
        response = client.get(address or f"/accounts/{self.account.account_id}/")
        assert response.status_code == 200, address
        return response.content.decode()


@pytest.fixture
def site_of(wire: Wire, viewer: User) -> Callable[..., Site]:
    """Registers an account and puts its world behind the wire."""

    def make(number: str = NUMBER, *, partition: str = "aws", **fields: Any) -> Site:
        now: datetime = timezone.now().replace(microsecond=0) - timedelta(days=3)
        world = FakeAwsAccount(number, now=now, partition=partition)
        wire.accounts[number] = world
        roles = {name: f"arn:{partition}:iam::{number}:role/hygiene-{name[:4].rstrip('_')}" for name in ("read_role_arn", "act_role_arn")}
        values = {"partition": partition, "external_id": EXTERNAL_ID, "name": f"account-{number[-4:]}", **roles, **fields}
        return Site(world, register(number, str(values.pop("name")), now=now, **values), viewer)

    return make


@pytest.fixture
def site(site_of: Callable[..., Site]) -> Site:
    """The usual account: nobody in it but root, who has a password and MFA."""
    made = site_of()
    made.world.root.password_enabled = made.world.root.mfa = True
    made.world.root.password_last_changed_at = made.world.now - timedelta(days=700)
    return made


def change(site: Site, action: str, operator: User, *, approver: User | None = None) -> Remediation:
    """A change of the key of "ci" as the buttons ask for it, executed through the act role behind the wire."""
    key = site.keys_of("ci")[0]
    key.refresh_from_db()
    plan = make_plan(keys=[key], action=Action(action), actor=operator, now=site.world.now)
    typed = expected_typing(plan, plan.items.select_related("key"))
    row = remediation.confirm(plan=plan, actor=operator, now=site.world.now, reason="unused", note="", ticket="", typed=typed)[0]
    if approver is not None:
        approvals.approve(plan=plan, actor=approver, now=site.world.now)
    return execute(site, row)


def execute(site: Site, row: Remediation) -> Remediation:
    """All steps of a change that are due now."""

    def sleep(seconds: float) -> None:
        site.world.now += timedelta(seconds=seconds)

    clock = Clock(now=lambda: site.world.now, sleep=sleep, random=lambda: 0.5)
    remediation.execute(row.pk, open_gateway=gateway_of, policy=site.policy, clock=clock)
    row.refresh_from_db()
    return row
