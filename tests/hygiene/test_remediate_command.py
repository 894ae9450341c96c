"""`manage.py remediate`: exit 0 only when AWS shows what was wanted, 1 when it was refused or waits, 2 for wrong arguments."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.gateway import Unreachable
from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene.models import AccessKey, Finding, Remediation, State
from hygiene.services.clock import Clock
from tests.factories import estate
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
COMMAND = "hygiene.management.commands.remediate"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, operator: User) -> FakeAwsAccount:
    _, world = estate(5)
    world.log.clear()
    monkeypatch.setattr(f"{COMMAND}.gateway_of", world.gateway)
    return world


@pytest.fixture
def key_id(world: FakeAwsAccount) -> str:
    return str(AccessKey.objects.filter(status="active", last_used_state="never", principal__is_root=False)[0].access_key_id)


def remediate(action: str, key_id: str, **options: Any) -> str:
    out = StringIO()
    said = {"username": "operator", "reason": "unused", "here": True, **options}
    call_command("remediate", action, key_id, stdout=out, **said)
    return out.getvalue()


def test_a_disable_here_is_done_and_audited(world: FakeAwsAccount, key_id: str) -> None:
    assert "succeeded. Disabled: AWS confirmed it." in remediate("disable", key_id)
    assert world.calls("UpdateAccessKey") == 1
    assert AuditEvent.objects.filter(action="key.disable", actor_name="operator", outcome="succeeded").exists()


def test_an_outcome_that_cannot_be_read_at_once_is_read_on_here(
    world: FakeAwsAccount, key_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment, opened = [timezone.now()], list[tuple[str, ...]]()

    def sleep(seconds: float) -> None:
        moment[0] += timedelta(seconds=seconds)

    def open_gateway(row: Remediation, actions: tuple[str, ...]) -> Any:
        opened.append(actions)
        if len(opened) == 2:
            world.fail("ListAccessKeys", Unreachable("down", operation="ListAccessKeys"))
        return world.gateway(row, actions)

    monkeypatch.setattr(f"{COMMAND}.gateway_of", open_gateway)
    monkeypatch.setattr(f"{COMMAND}.shared_clock", lambda: Clock(now=lambda: moment[0], sleep=sleep, random=lambda: 0.5))
    monkeypatch.setattr(f"{COMMAND}.time", SimpleNamespace(sleep=sleep, monotonic=lambda: moment[0].timestamp()))
    world.fail("UpdateAccessKey", Unreachable("lost", operation="UpdateAccessKey"), after_applying=True)
    assert "succeeded, seen by reading" in remediate("disable", key_id)
    assert (world.calls("UpdateAccessKey"), len(opened)) == (1, 3)


def test_what_is_refused_is_no_success(world: FakeAwsAccount, key_id: str) -> None:
    Account.objects.update(allows_remediation=False)
    with pytest.raises(CommandError, match="read-only") as error:
        remediate("disable", key_id)
    assert (error.value.returncode, world.log) == (1, [])


@pytest.mark.parametrize("role", ["viewer", "approver", "administrator", "auditor", None])
def test_others_cannot(world: FakeAwsAccount, key_id: str, person: Any, role: str | None) -> None:
    person(role, username="somebody")
    with pytest.raises(CommandError, match="operator") as error:
        remediate("disable", key_id, username="somebody")
    assert (error.value.returncode, world.log, Remediation.objects.count()) == (1, [], 0)


def test_a_key_outside_the_scope_is_not_known(world: FakeAwsAccount, key_id: str, operator: User) -> None:
    ScopeGrant.objects.create(user=operator, account=Account.objects.get(name="sandbox-07"))
    with pytest.raises(CommandError) as error:
        remediate("disable", key_id)
    assert error.value.returncode == 2


@pytest.mark.parametrize(("said", "words"), [({"username": "nobody"}, "no user"), ({"reason": "other"}, "Say what the reason is")])
def test_wrong_arguments_are_two(world: FakeAwsAccount, key_id: str, said: dict[str, str], words: str) -> None:
    with pytest.raises(CommandError, match=words) as error:
        remediate("disable", key_id, **said)
    assert (error.value.returncode, world.log) == (2, [])


def test_what_speaks_for_a_key_is_accepted_by_name(world: FakeAwsAccount, key_id: str) -> None:
    Finding.objects.filter(key=AccessKey.objects.get(access_key_id=key_id)).update(outcome="exempt")
    with pytest.raises(CommandError, match="Tick what you accept") as error:
        remediate("disable", key_id)
    assert (error.value.returncode, world.log) == (2, [])
    assert "succeeded" in remediate("disable", key_id, accept=["exempt"])


def test_a_change_that_needs_approval_waits_and_is_no_success(world: FakeAwsAccount) -> None:
    key = AccessKey.objects.filter(status="inactive")[0]
    AccessKey.objects.filter(pk=key.pk).update(first_inactive_at="2026-01-01T00:00:00Z")
    with pytest.raises(CommandError, match="after 1 other person has approved it"):
        remediate("delete", str(key.access_key_id))
    assert (Remediation.objects.get().state, world.log) == (State.AWAITING_APPROVAL, [])


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            State.REQUESTED,
            "requested. No worker took it up within 3 minutes. The change stays requested: a worker of the queue `remediate` ",
        ),
        (State.CALLING, "calling AWS. It has not ended within 3 minutes. A worker of the queue `remediate` goes on with it. "),
    ],
)
def test_a_wait_without_an_end_says_who_goes_on_and_where_to_look(
    world: FakeAwsAccount, key_id: str, monkeypatch: pytest.MonkeyPatch, state: State, words: str
) -> None:
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += 60
        Remediation.objects.update(state=state)

    monkeypatch.setattr(f"{COMMAND}.time", SimpleNamespace(sleep=sleep, monotonic=lambda: passed[0]))
    monkeypatch.setattr(f"{COMMAND}.execute_remediation", SimpleNamespace(delay=lambda pk: None))
    with pytest.raises(CommandError) as error:
        remediate("disable", key_id, here=False, wait=True)
    row = Remediation.objects.get()
    assert error.value.returncode == 1
    assert str(error.value).startswith(f"Disable {key_id}: {words}")
    assert str(error.value).endswith(f"The Queue page shows how far it is, as {row.uuid}.")
    assert (row.state, world.log) == (state, [])
