"""Promise R6 through the whole poll: any bytes as a report, or as XML, leave the previous inventory whole and end in the poll's row."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.gateway import AwsError, Gateway, Purpose
from accounts.services import open_gateway
from hygiene.domain.report import parse
from hygiene.models import AccessKey, PollOutcome, Principal
from tests.factories import poll, register
from tests.fakes import FakeAwsAccount
from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.mutations import MUTATIONS, NUMBER, REPORT, Mutation, spoiled
from tests.hygiene.section12.test_fuzz_parser import QUIET
from tests.hygiene.section12.wire import Wire

IN_A_TEST = settings(QUIET, suppress_health_check=[*HealthCheck])
FIELDS = ("arn", "created_at", "password_state", "mfa_state", "fingerprint", "gone_at", "active_keys", "report_generated_at")
KEY_FIELDS = ("access_key_id", "status", "created_at", "last_used_at", "last_used_state", "gone_at")
Call = Callable[[Gateway], Any]


def of_report(world: FakeAwsAccount) -> None:
    """Users and keys in AWS as the report tells them."""
    for row in parse(REPORT, account_id=NUMBER, generated_at=world.now).users:
        path = row.arn.partition(":user")[2].removesuffix(row.name)
        world.user(row.name, path=path, created_at=row.created_at)
        for slot in row.slots:
            world.key(row.name, created_at=slot.rotated_at, status="Active" if slot.is_active else "Inactive")


def inventory() -> dict[str, Any]:
    """Every row that is known, by its number, without when and how it is marked."""
    return {
        "users": {row.pop("pk"): row for row in Principal.objects.values("pk", *FIELDS)},
        "keys": {row.pop("pk"): row for row in AccessKey.objects.values("pk", *KEY_FIELDS)},
    }


@pytest.mark.django_db
def test_any_spoiled_report_leaves_the_inventory_whole(now: datetime) -> None:
    """150 spoiled reports over an inventory that was read before."""
    account, world = register(NUMBER, "fuzzed", now=now), FakeAwsAccount(NUMBER, now=now)
    of_report(world)
    world.report_override = REPORT
    assert poll(account, world).outcome == PollOutcome.COMPLETE
    before = inventory()

    @settings(IN_A_TEST, max_examples=150)
    @given(MUTATIONS, st.floats(0, 1.2))
    def check(mutations: list[Mutation], cut: float) -> None:
        content = spoiled(mutations)
        with transaction.atomic():
            world.now = now + timedelta(hours=5)
            world.snapshot, world.report_override = None, content[: int(cut * len(content))] if cut < 1 else content
            done = poll(account, world)
            after = inventory()
            assert done.error_code in ("", "ReportRejected"), done.error
            assert done.finished_at is not None
            if done.outcome == PollOutcome.REJECTED:
                assert after == before
            assert before["users"].keys() <= after["users"].keys()
            assert before["keys"].keys() <= after["keys"].keys()
            present = [row for row in after["users"].values() if row["gone_at"] is None]
            assert len(present) >= len(before["users"])
            transaction.set_rollback(True)

    check()


CALLS: dict[str, Call] = {
    "GetCredentialReport": lambda gateway: gateway.get_credential_report(),
    "GenerateCredentialReport": lambda gateway: gateway.generate_credential_report(),
    "GetAccountSummary": lambda gateway: gateway.account_summary(),
    "ListVirtualMFADevices": lambda gateway: gateway.virtual_mfa_devices(),
    "ListMFADevices": lambda gateway: gateway.list_mfa_devices("ann"),
    "ListAccessKeys": lambda gateway: gateway.list_access_keys("ann"),
    "GetAccessKeyLastUsed": lambda gateway: gateway.access_key_last_used("AKIAIOSFODNN7EXAMPLE"),
    "ListUsers": lambda gateway: gateway.list_users(),
    "GetAccountAuthorizationDetails": lambda gateway: list(gateway.authorization_details()),
}


def _spliced(body: bytes, start: float, length: int, put: bytes) -> bytes:
    place = int(start * len(body))
    return body[:place] + put + body[place + length :]


@pytest.mark.django_db
def test_any_spoiled_xml_is_an_error_of_the_port_or_an_answer(site: Site, wire: Wire) -> None:
    """600 spoiled answers of eight operations, through botocore's parser and the adapter."""
    world = site.world
    world.user("ann", virtual_mfa=True, mfa=True)
    world.key("ann", access_key_id="AKIAIOSFODNN7EXAMPLE", last_used_at=world.now)
    world.gateway().generate_credential_report()
    gateway = open_gateway(site.account, purpose=Purpose.POLL)
    bodies = {}
    for action, call in CALLS.items():
        call(gateway)
        bodies[action] = wire.answered[action]

    @settings(IN_A_TEST, max_examples=600)
    @given(
        st.sampled_from(sorted(CALLS)),
        st.floats(0, 1),
        st.integers(0, 60),
        st.one_of(st.binary(max_size=5), st.sampled_from((b"</member>", b"<member/>", b"&#0;", b"\x00", b"<Marker>x</Marker>", b"<!--"))),
        st.sampled_from((200, 200, 200, 400, 403, 409, 500, 503)),
    )
    def check(action: str, start: float, length: int, put: bytes, status: int) -> None:
        wire.scripted.clear()
        wire.script(action, (status, _spliced(bodies[action], start, length, put)), times=9)
        with suppress(AwsError):
            assert CALLS[action](gateway) is not None

    check()
