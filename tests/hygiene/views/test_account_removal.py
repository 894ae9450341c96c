"""Removing an account: who may, what it ends, where the account is seen no more, and what brings it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.gateway import OrganizationAccount
from accounts.models import Account, AuditEvent, ScopeGrant
from accounts.organization import Roles, record
from accounts.registry import import_accounts
from accounts.services import NotPossible
from hygiene.domain.policy import resolve
from hygiene.models import AccessKey, Finding, Poll, PollTrigger, Principal, Remediation, State
from hygiene.services import exports, remediation, removals, schedule
from hygiene.services.plans import make_plan
from tests.factories import estate, poll

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
LISTS = ("keys", "users", "accounts", "root-users", "findings", "rules", "overview", "exemptions")


def address(account: Account) -> str:
    return reverse("account-remove", args=[account.account_id])


def asked(account: Account, operator: User, *, in_days: int = 0) -> Remediation:
    """A change that waits for a worker; in a campaign when it is for a later day."""
    key = AccessKey.objects.filter(account=account, principal__is_root=False, status="active").select_related("account__status")[0]
    now = timezone.now()
    plan = make_plan(keys=[key], action="disable", actor=operator, now=now)  # type: ignore[arg-type]  # a word of the choices
    typed = (key.access_key_id or "")[-4:]
    return remediation.confirm(plan=plan, actor=operator, now=now, reason="unused", typed=typed, include_in_use=True, in_days=in_days)[0]


@pytest.fixture
def removed(administrator: User) -> Account:
    account, _ = estate(5)
    removals.remove(account, actor=administrator, now=timezone.now())
    account.refresh_from_db()
    return account


def test_the_page_says_what_happens_and_changes_nothing(client_for: ClientFor, administrator: User, operator: User) -> None:
    account, _ = estate(5)
    asked(account, operator)
    client = client_for(administrator)
    assert address(account) in client.get(reverse("account", args=[account.account_id])).content.decode()
    page = client.get(address(account)).content.decode()
    assert "Type 9021 to confirm" in page
    assert "1 change that waits" in page
    assert Account.objects.filter(pk=account.pk, removed_at__isnull=True).exists()
    assert not AuditEvent.objects.filter(action="account.remove").exists()


def test_what_waits_in_a_campaign_is_cancelled_and_what_a_worker_holds_is_not(administrator: User, operator: User) -> None:
    account, _ = estate(5)
    later = asked(account, operator, in_days=7)
    held = Remediation.objects.get(pk=later.pk)
    held.pk, held.uuid, held.correlation_id, held.target_id, held.state = None, uuid4(), uuid4(), "another", State.CALLING
    held.save()
    assert later.plan.run_at is not None
    assert removals.remove(account, actor=administrator, now=timezone.now()) == 1
    later.refresh_from_db()
    held.refresh_from_db()
    assert (later.state, held.state) == (State.CANCELLED, State.CALLING)


def test_it_is_removed_with_an_audit_row_once_the_number_is_typed(client_for: ClientFor, administrator: User, operator: User) -> None:
    account, _ = estate(5)
    row, client = asked(account, operator), client_for(administrator)
    wrong = client.post(address(account), {"typed": "9022"})
    assert wrong.status_code == 422
    assert "Type the last 4 digits of the account number: 9021." in wrong.content.decode()
    assert client.post(address(account)).status_code == 422
    assert Account.objects.get(pk=account.pk).removed_at is None
    done = client.post(address(account), {"typed": "9021", "reason": "sold"}, follow=True).content.decode()
    assert "data-lake is removed. Its history is kept. 1 waiting change cancelled." in done
    assert Account.objects.get(pk=account.pk).removed_at is not None
    event = AuditEvent.objects.get(action="account.remove")
    assert (event.account_id, event.actor_id, event.note) == (account.pk, administrator.pk, "sold")
    row.refresh_from_db()
    assert (row.state, row.result) == (State.CANCELLED, "data-lake was removed from Key Hygiene by administrator.")
    assert client.post(address(account), {"typed": "9021"}).status_code == 404


def test_it_needs_the_method_the_role_the_scope_and_the_token(client_for: ClientFor, administrator: User, operator: User) -> None:
    account, _ = estate(0)
    assert client_for(administrator).delete(address(account)).status_code == 405
    assert client_for(operator).post(address(account), {"typed": "9021"}).status_code == 403
    assert address(account) not in client_for(operator).get(reverse("account", args=[account.account_id])).content.decode()
    assert Client().post(address(account), {"typed": "9021"})["Location"].startswith("/auth/login/")
    assert client_for(administrator).post(reverse("account-remove", args=["000000000000"]), {"typed": "0000"}).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(administrator, backend="hygiene.sign_in.RolesBackend")
    assert strict.post(address(account), {"typed": "9021"}).status_code == 403
    ScopeGrant.objects.create(user=administrator, account=Account.objects.get(name="sandbox-07"))
    assert client_for(administrator).post(address(account), {"typed": "9021"}).status_code == 404
    assert Account.objects.get(pk=account.pk).removed_at is None


@pytest.mark.parametrize("name", LISTS)
def test_no_list_names_a_removed_account(name: str, removed: Account, client_for: ClientFor, viewer: User, administrator: User) -> None:
    assert Finding.objects.filter(account=removed).exists()
    for user in (viewer, administrator):
        page = client_for(user).get(reverse(name)).content.decode()
        assert removed.name not in page
        assert "user-000" not in page


def test_somebody_with_a_narrow_scope_does_not_see_it_either(removed: Account, client_for: ClientFor, viewer: User) -> None:
    ScopeGrant.objects.create(user=viewer, account=removed)
    for rows in (AccessKey.objects, Principal.objects, Finding.objects):
        assert not rows.visible_to(viewer).exists()
    assert "user-0001" not in client_for(viewer).get(reverse("search"), {"q": "user-000"}).content.decode()


def test_exports_leave_it_out_with_and_without_a_person(removed: Account, viewer: User) -> None:
    for kind in ("keys", "users", "findings", "accounts"):
        for user in (None, viewer):
            rows = list(exports.rows(kind, policy=resolve(), now=timezone.now(), user=user))
            assert removed.account_id not in json.dumps(rows, default=str)


def test_its_history_stays_and_nothing_can_be_asked_for_there(
    removed: Account, client_for: ClientFor, administrator: User, operator: User
) -> None:
    client = client_for(administrator)
    page = client.get(reverse("account", args=[removed.account_id])).content.decode()
    assert "What is here is history" in page
    assert "Pause polling" not in page
    assert "account.remove" in client.get(reverse("audit"), {"q": f"account:{removed.account_id}"}).content.decode()
    key = AccessKey.objects.filter(account=removed, principal__is_root=False)[0]
    assert "was removed from Key Hygiene" in client_for(operator).get(reverse("key", args=[key.uuid])).content.decode()
    assert client.get(reverse("user", args=[key.principal.uuid])).status_code == 200
    with pytest.raises(NotPossible, match="removed already"):
        removals.remove(removed, actor=administrator, now=timezone.now())


def test_it_is_polled_no_more_and_a_poll_under_way_does_not_bring_it_back(administrator: User) -> None:
    account, world = estate(2)
    now = timezone.now()
    queued = schedule.queue_polls([account], trigger=PollTrigger.MANUAL, now=now)[0]
    removals.remove(account, actor=administrator, now=now)
    queued.refresh_from_db()
    assert (queued.outcome, queued.error_code) == ("abandoned", "Removed")
    account.status.refresh_from_db()
    account.status.next_poll_at = now
    account.status.save()
    assert account not in [due.account for due in schedule.queue_due(now=now)]
    assert poll(account, world).outcome == "complete"  # as if a worker had begun it before
    assert Account.objects.get(pk=account.pk).removed_at is not None
    assert not Poll.objects.unfinished().filter(account=account).exists()


def test_an_import_brings_it_back_with_its_history(removed: Account, client_for: ClientFor, viewer: User) -> None:
    known = Finding.objects.filter(account=removed).count()
    import_accounts([(1, {"account_id": removed.account_id})], now=timezone.now())
    assert Account.objects.get(pk=removed.pk).removed_at is None
    assert Finding.objects.visible_to(viewer).filter(account=removed).count() == known > 0
    assert removed.name in client_for(viewer).get(reverse("keys")).content.decode()


@pytest.mark.parametrize(("state", "is_back"), [("ACTIVE", True), ("SUSPENDED", False)])
def test_a_sync_brings_back_what_aws_calls_active(removed: Account, state: str, is_back: bool) -> None:
    listed = OrganizationAccount(account_id=removed.account_id, name=removed.name, email="", state=state)
    assert record([listed], roles=Roles(), now=timezone.now()).updated == 1
    assert (Account.objects.get(pk=removed.pk).removed_at is None) is is_back
