"""Import of the list of owners from CSV: every bad row is named by its line, and nothing is half-imported."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import audit
from accounts.models import Account
from hygiene.domain.policy import Policy
from hygiene.models import AccountStatus, OwnerMapping, Principal
from hygiene.services import findings, owners

WHOM = ("user_arn", "user_name", "tag")
COLUMNS = (*WHOM, "account_id", "owner")
ALIASES = {"name": "user_name", "owner_email": "owner"}
CHUNK = 500
_ARN = re.compile(r"arn:[a-z-]+:iam::(?P<account>\d{12}):user/[\x21-\x7e]+")
_NAME = re.compile(r"[\w+=,.@*-]{1,128}", re.ASCII)
_TAG = re.compile(r"[\w .:/+@-]{1,128}(=[\w .:/=+@-]{0,256})?")
Row: TypeAlias = tuple[int, Mapping[str, str]]
Place: TypeAlias = tuple[int | None, str]  # account, pattern


class ImportRefused(Exception):
    """Nothing was imported. `problems`: lines of the file from 1, and what is wrong with each."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass
class Imported:
    """What an import did to the list, and how many users have another owner by it."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    users: int = 0
    accounts: set[int | None] = field(default_factory=set)  # whose part of the list changed; None: the part for all


def read_rows(text: str) -> list[Row]:
    """Rows with their lines. ImportRefused when the file is no table of owners."""
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        header = [ALIASES.get(name.strip().lower(), name.strip().lower()) for name in reader.fieldnames or []]
        reader.fieldnames = header
        if "owner" not in header or not set(WHOM) & set(header):
            raise ImportRefused([(1, f"it needs a column owner and one of {', '.join(WHOM)}")])
        if unknown := [name for name in header if name not in COLUMNS]:
            raise ImportRefused([(1, f"unknown column {unknown[0]!r}; the columns are {', '.join(COLUMNS)}")])
        return [(reader.line_num, row) for row in reader if any(row.values())]
    except csv.Error as error:
        raise ImportRefused([(reader.line_num, f"this is not CSV: {error}")]) from error


def import_owners(rows: Iterable[Row], *, replace: bool, policies: Callable[[Account], Policy], now: datetime) -> Imported:
    """Add and update entries; with `replace` those that are not in the file go. All rows or none; owners and findings follow at once.

    Raises ImportRefused with every bad row. Leaves one audit event when the list changed.
    """
    wanted = _checked(rows)
    done = Imported()
    with transaction.atomic():
        _store(wanted, replace=replace, done=done, now=now)
        for account in _affected(done):
            done.users += _settle(account, policy=policies(account), now=now)
        if done.accounts:
            counts = {"created": done.created, "updated": done.updated, "removed": done.removed, "users": done.users}
            audit.record(action="owners.import", outcome="succeeded", now=now, target="list of owners", after=counts)
    return done


def _checked(rows: Iterable[Row]) -> dict[Place, str]:
    accounts = dict(Account.objects.filter(removed_at__isnull=True).values_list("account_id", "pk"))
    problems: list[tuple[int, str]] = []
    wanted: dict[Place, str] = {}
    lines: dict[Place, int] = {}
    for line, row in rows:
        values = {name: (value or "").strip() for name, value in row.items() if name}
        found = [*_problems_of_user(values), *_problems_of_account(values, accounts), *_problems_of_owner(values.get("owner", ""))]
        if "" in row:
            found.append("it has more fields than the header")
        place = _place(values, accounts)
        if not found and place in wanted:
            found.append(f"the same as line {lines[place]}")
        problems += [(line, problem) for problem in found]
        wanted[place], lines[place] = values.get("owner", ""), line
    if problems:
        raise ImportRefused(problems)
    return wanted


def _problems_of_user(values: Mapping[str, str]) -> list[str]:
    given = [name for name in WHOM if values.get(name)]
    if len(given) != 1:
        return [f"exactly one of {', '.join(WHOM)} must be given"]
    value = values[given[0]]
    pattern, words = {
        "user_arn": (_ARN, "user_arn is not the ARN of an IAM user"),
        "user_name": (_NAME, "user_name is no IAM user name (* stands for any text)"),
        "tag": (_TAG, "tag must look like key=value, or key for any value"),
    }[given[0]]
    return [] if pattern.fullmatch(value) else [f"{words}: {value[:80]!r}"]


def _problems_of_account(values: Mapping[str, str], accounts: Mapping[str, int]) -> list[str]:
    named, match = values.get("account_id", ""), _ARN.fullmatch(values.get("user_arn", ""))
    own = match["account"] if match else ""
    if named and own and named != own:
        return [f"user_arn is in account {own}, not in {named}"]
    number = named or own
    return [f"account {number[:40]} is not registered"] if number and number not in accounts else []


def _problems_of_owner(owner: str) -> list[str]:
    try:
        validate_email(owner)
    except ValidationError:
        return [f"owner must be a mail address, not {owner[:80]!r}"]
    return [] if len(owner) <= 254 else ["owner is longer than 254 characters"]


def _place(values: Mapping[str, str], accounts: Mapping[str, int]) -> Place:
    match = _ARN.fullmatch(values.get("user_arn", ""))
    number = match["account"] if match else values.get("account_id", "")
    tag = values.get("tag", "")
    return accounts.get(number), values.get("user_arn") or values.get("user_name") or f"tag:{tag}"


def _store(wanted: Mapping[Place, str], *, replace: bool, done: Imported, now: datetime) -> None:
    known = {(row.account_id, row.pattern): row for row in OwnerMapping.objects.all()}
    new, changed = [], []
    for (account, pattern), owner in wanted.items():
        row = known.pop((account, pattern), None)
        if row is None:
            new.append(OwnerMapping(account_id=account, pattern=pattern, owner=owner, imported_at=now))
        elif row.owner != owner:
            row.owner, row.imported_at = owner, now
            changed.append(row)
        else:
            done.unchanged += 1
    gone = list(known.values()) if replace else []
    OwnerMapping.objects.bulk_create(new, batch_size=CHUNK)
    OwnerMapping.objects.bulk_update(changed, ["owner", "imported_at"], batch_size=CHUNK)
    OwnerMapping.objects.filter(pk__in=[row.pk for row in gone]).delete()
    done.created, done.updated, done.removed = len(new), len(changed), len(gone)
    done.accounts = {row.account_id for row in (*new, *changed, *gone)}


def _affected(done: Imported) -> list[Account]:
    accounts = Account.objects.filter(status__report_generated_at__isnull=False)
    return list(accounts if None in done.accounts else accounts.filter(pk__in=[pk for pk in done.accounts if pk is not None]))


def _settle(account: Account, *, policy: Policy, now: datetime) -> int:
    """Owners and verdicts of one account; how many users have another owner."""
    changed: list[Principal] = owners.settle_all(account)
    status = AccountStatus.objects.get(account=account)
    for start in range(0, len(changed), CHUNK):
        findings.reevaluate_principals(account, status, changed[start : start + CHUNK], policy=policy, now=now)
    return len(changed)
