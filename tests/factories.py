"""Ready-made estates: accounts that were really polled, through the product's own services, from accounts in memory."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.apps import apps
from django.db.models import Model
from django.utils import timezone

from accounts.gateway import AccessDenied
from accounts.models import Account
from hygiene.domain.policy import resolve
from hygiene.models import Poll, PollTrigger
from hygiene.services import polling, schedule
from hygiene.services.clock import Clock
from tests.fakes import FakeAwsAccount


def register(number: str, name: str, *, now: datetime, **fields: object) -> Account:
    """A registered account which allows changes."""
    values: dict[str, object] = {
        "read_role_arn": f"arn:aws:iam::{number}:role/hygiene-read",
        "act_role_arn": f"arn:aws:iam::{number}:role/hygiene-act",
        "allows_remediation": True,
        "environment": "prod",
        "owner_email": "team-data@example.com",
        "tags": {"app": "lake"},
    }
    return Account.objects.create(account_id=number, name=name, created_at=now, updated_at=now, **{**values, **fields})


def poll(account: Account, world: FakeAwsAccount) -> Poll:
    """Polls the account once from its world, at the world's time."""

    def sleep(seconds: float) -> None:
        world.now += timedelta(seconds=seconds)

    clock = Clock(now=lambda: world.now, sleep=sleep, random=lambda: 0.5)
    queued = schedule.queue_polls([account], trigger=PollTrigger.COMMAND, now=world.now)[0]
    done = polling.run_poll(queued.pk, open_gateway=world.gateway, policy=resolve(), clock=clock)
    assert done is not None
    return done


def populate(world: FakeAwsAccount, users: int) -> None:
    """A root with a key, and users of every usual kind, in turn: never used, used, idle and old, console without MFA, two keys."""
    now = world.now
    world.key("root", created_at=now - timedelta(days=900), last_used_at=now - timedelta(days=2), service="iam")
    world.root.password_enabled = True
    for place in range(users):
        name = f"user-{place:04d}"
        kind = place % 5
        world.user(name, password_enabled=kind == 3, password_last_changed_at=now - timedelta(days=60) if kind == 3 else None)
        if kind == 0:
            world.key(name, created_at=now - timedelta(days=412))
        elif kind == 1:
            world.key(name, created_at=now - timedelta(days=30), last_used_at=now - timedelta(hours=3))
        elif kind == 2:
            world.key(name, created_at=now - timedelta(days=800), last_used_at=now - timedelta(days=203), region="eu-west-1")
        elif kind == 4:
            world.key(name, created_at=now - timedelta(days=500), status="Inactive")
            world.key(name, created_at=now - timedelta(days=10), last_used_at=now - timedelta(days=1))


def estate(users: int = 5) -> tuple[Account, FakeAwsAccount]:
    """Two accounts, polled a moment ago: `data-lake` with `users` users, and `sandbox-07`, whose role cannot be assumed.

    The polls are really made at the first call; calls soon after it, with empty tables, put the rows of those polls back.
    """
    kept = _KEPT.get(users)
    if kept is not None and kept.is_fresh() and kept.fits():
        return kept.put_back()
    before = _keys_of_rows()
    account, world = _polled(users)
    _KEPT[users] = Kept(timezone.now(), deepcopy(world), _rows_since(before))
    return account, world


def _polled(users: int) -> tuple[Account, FakeAwsAccount]:
    world = FakeAwsAccount("204811779021", now=timezone.now() - timedelta(minutes=14))
    populate(world, users)
    account = register("204811779021", "data-lake", now=world.now)
    poll(account, world)
    lost = FakeAwsAccount("771433802256", now=world.now)
    lost.fail("AssumeRole", AccessDenied("The role cannot be assumed.", operation="AssumeRole", code="AccessDenied"), times=9)
    poll(register("771433802256", "sandbox-07", now=world.now), lost)
    return account, world


Rows: TypeAlias = dict[type[Model], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Kept:
    """An estate as its polls left it."""

    made_at: datetime
    world: FakeAwsAccount
    rows: Rows

    def is_fresh(self) -> bool:
        return timezone.now() - self.made_at < timedelta(seconds=20)

    def fits(self) -> bool:
        """Whether nothing stands where its rows go."""
        return not any(model._base_manager.exists() for model in self.rows)

    def put_back(self) -> tuple[Account, FakeAwsAccount]:
        for model, rows in self.rows.items():
            model._base_manager.bulk_create(model(**row) for row in rows)
        world = deepcopy(self.world)
        return Account.objects.get(account_id=world.account_id), world


_KEPT: dict[int, Kept] = {}


def _models() -> list[type[Model]]:
    return [model for label in ("accounts", "hygiene") for model in apps.get_app_config(label).get_models()]


def _keys_of_rows() -> dict[type[Model], set[Any]]:
    return {model: set(model._base_manager.values_list("pk", flat=True)) for model in _models()}


def _rows_since(before: dict[type[Model], set[Any]]) -> Rows:
    rows = {model: list(model._base_manager.exclude(pk__in=before[model]).values()) for model in _models()}
    return {model: found for model, found in rows.items() if found}
