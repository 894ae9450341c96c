"""Every list page and the overview over a large estate: answers of the whole stack below HTTP, each several times, with their queries."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from hygiene.models import AccessKey, AccountStatus, DailyPosture, Finding, Principal
from tests.bench.figures import Figures
from tests.factories import poll, populate, register
from tests.fakes import FakeAwsAccount

Row = TypeVar("Row", bound=models.Model)
URLS = (
    *("/", "/keys/", "/keys/?view=never-used", "/keys/?q=age:>90&sort=-age", "/keys/?sort=last_used", "/users/", "/users/?view=no-mfa"),
    *("/root-users/", "/accounts/", "/accounts/?sort=-report", "/findings/", "/rules/", "/queue/", "/exemptions/", "/audit/"),
)
USERS, ROUNDS, MOST_QUERIES = 100, 20, 12


def run(figures: Figures, *, accounts: int, bar: float) -> None:
    """p95 in milliseconds of each page as an auditor who may see all, and the first answer of each, without a bar."""
    _fill(accounts)
    keys = AccessKey.objects.count()
    figures.title(f"Pages over {Account.objects.count():,} accounts, {keys:,} keys and {Finding.objects.count():,} findings, one reader")
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(_auditor(), backend="hygiene.sign_in.RolesBackend")
    counts: dict[str, int] = {}
    for url in URLS:
        started = time.perf_counter()
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200, url
        first = (time.perf_counter() - started) * 1000
        counts[url] = len([query for query in captured if "SAVEPOINT" not in query["sql"]])
        times = [_milliseconds(client, url) for _ in range(ROUNDS)]
        figures.at_most(f"p95 of {url}", _p95([wall for wall, _ in times]), bar, " ms")
        figures.say("  its first answer, which makes what counts are missing", f"{first:.0f} ms")
        figures.say("  of the others processor time of the web process, median", f"{statistics.median(own for _, own in times):.0f} ms")
    most = max(counts, key=counts.__getitem__)
    figures.at_most(f"queries of the page that needs most, {most}", counts[most], MOST_QUERIES)


def _milliseconds(client: Client, url: str) -> tuple[float, float]:
    """By the clock, and of this process's processor time alone, which other work on the machine does not lengthen."""
    started, used = time.perf_counter(), time.process_time()
    client.get(url)
    return (time.perf_counter() - started) * 1000, (time.process_time() - used) * 1000


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _auditor() -> User:
    call_command("create_roles", verbosity=0)
    user = User.objects.create_user("auditor", "auditor@example.com")
    user.groups.add(Group.objects.get(name="auditor"))
    return user


def _fill(accounts: int) -> None:
    """One account that is really polled, and copies of its rows for the others."""
    now = timezone.now().replace(microsecond=0)
    world = FakeAwsAccount("300000000000", now=now)
    populate(world, USERS)
    first = register("300000000000", "account-0000", now=now)
    poll(first, world)
    for start in range(1, accounts, 50):
        _copy(first, range(start, min(start + 50, accounts)))
    status = AccountStatus.objects.get(account=first)
    today = DailyPosture.objects.get(account=first)
    others = Account.objects.filter(account_id__startswith="3").exclude(pk=first.pk)
    AccountStatus.objects.bulk_create([_twin(status, account_id=account.pk) for account in others], batch_size=500)
    days = [
        (account, today.day - timedelta(days=back)) for account in Account.objects.filter(account_id__startswith="3") for back in range(30)
    ]
    postures = [_twin(today, account_id=account.pk, day=day) for account, day in days if (account.pk, day) != (first.pk, today.day)]
    DailyPosture.objects.bulk_create(postures, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copy(first: Account, numbers: Iterable[int]) -> None:
    made = Account.objects.bulk_create(
        _twin(first, account_id=f"3{number:011d}", name=f"account-{number:04d}", external_id=uuid4().hex) for number in numbers
    )
    people = list(Principal.objects.filter(account=first))
    keys = list(AccessKey.objects.filter(account=first))
    found = list(Finding.objects.filter(account=first))
    for account in made:
        arns = {row.pk: row.arn.replace(first.account_id, account.account_id) for row in people}
        new_people = Principal.objects.bulk_create([_twin(row, account_id=account.pk, arn=arns[row.pk]) for row in people])
        owner = {row.pk: new.pk for row, new in zip(people, new_people, strict=True)}
        new_keys = AccessKey.objects.bulk_create([_key(row, account.pk, owner) for row in keys])
        key = {row.pk: new.pk for row, new in zip(keys, new_keys, strict=True)}
        Finding.objects.bulk_create([_found(row, account.pk, owner, key) for row in found])


def _key(row: AccessKey, account: int, owner: dict[int, int]) -> AccessKey:
    """An access key id is one account's only."""
    own_id = f"AKIA{uuid4().hex[:16].upper()}" if row.access_key_id else row.access_key_id
    return _twin(row, account_id=account, principal_id=owner[row.principal_id], access_key_id=own_id)


def _found(row: Finding, account: int, owner: dict[int, int], key: dict[int, int]) -> Finding:
    principal, of_key = owner.get(row.principal_id or 0), key.get(row.key_id or 0)
    subject = f"key:{of_key}" if of_key else f"principal:{principal}" if principal else "account"
    return _twin(row, account_id=account, principal_id=principal, key_id=of_key, subject=subject)


def _twin(row: Row, **values: Any) -> Row:
    """The same facts as a new row."""
    fields = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}
    if "uuid" in fields:
        fields["uuid"] = uuid4()
    return type(row)(**{**fields, **values})
