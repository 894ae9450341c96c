"""Import of the account registry from rows of CSV or JSON: every bad row is named, and nothing is half-imported."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import audit
from accounts.models import Account, Partition, ScopeGrant, new_external_id, sees_every_account
from accounts.roles import role_problems

if TYPE_CHECKING:
    from django.contrib.auth.models import User

COLUMNS = ("account_id", "name", "read_role_arn", "act_role_arn", "external_id", "partition", "environment", "owner_email", "tags")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported. `line` counts lines of a CSV file, or entries of a JSON list, from 1."""

    line: int
    problem: str


class ImportRefused(Exception):
    """Nothing was imported. `problems` names every bad row."""

    def __init__(self, problems: list[BadRow]) -> None:
        super().__init__(f"{len(problems)} bad rows")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    created: int
    updated: int
    unchanged: int


def read_rows(text: str, *, is_json: bool) -> list[tuple[int, Mapping[str, Any]]]:
    """Rows with their line numbers. ImportRefused when the file is not a table with an `account_id`."""
    if is_json:
        try:
            entries = json.loads(text)
        except json.JSONDecodeError as error:
            raise ImportRefused([BadRow(error.lineno, f"this is not JSON: {error.msg}")]) from error
        if not isinstance(entries, list):
            raise ImportRefused([BadRow(1, "the file must be a list of objects")])
        return [(number, entry if isinstance(entry, dict) else {"": entry}) for number, entry in enumerate(entries, start=1)]
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="")
    header = [name.strip().lower() for name in reader.fieldnames or []]
    reader.fieldnames = header
    if "account_id" not in header:
        raise ImportRefused([BadRow(1, f"there is no column account_id; the columns are {', '.join(COLUMNS)}")])
    if unknown := [name for name in header if name not in COLUMNS]:
        raise ImportRefused([BadRow(1, f"unknown column {unknown[0]!r}; the columns are {', '.join(COLUMNS)}")])
    try:
        return [(reader.line_num, row) for row in reader if any(row.values())]
    except csv.Error as error:
        raise ImportRefused([BadRow(reader.line_num, f"this is not CSV: {error}")]) from error


def import_accounts(rows: Iterable[tuple[int, Mapping[str, Any]]], *, now: datetime, actor: User | None = None) -> Imported:
    """Create and update accounts by `account_id`; columns that are left out keep what they have. All rows or none.

    Raises ImportRefused with every bad row. Leaves one audit event for each account that changed.
    """
    problems: list[BadRow] = []
    wanted: dict[str, dict[str, Any]] = {}
    for line, row in rows:
        values, found = _clean(row)
        if not found and values["account_id"] in wanted:
            found = [f"account {values['account_id']} is in the file twice"]
        problems += [BadRow(line, problem) for problem in found]
        wanted[values.get("account_id", f"line {line}")] = values
    if problems:
        raise ImportRefused(problems)
    with transaction.atomic():
        known = Account.objects.in_bulk(list(wanted), field_name="account_id")
        outcomes = [_store(known.get(account_id), values, now=now, actor=actor) for account_id, values in wanted.items()]
    return Imported(outcomes.count("created"), outcomes.count("updated"), outcomes.count("unchanged"))


class AlreadyRegistered(Exception):
    """The account is in the registry; the message is a sentence for the person who asked."""


@transaction.atomic
def add_account(values: Mapping[str, Any], *, actor: User, now: datetime, note: str = "") -> Account:
    """Register one account with the columns of an import, and let whoever adds it see it: a narrowed scope grows by this account.

    Raises AlreadyRegistered, and ImportRefused with what is wrong with `values`.
    """
    row, problems = _clean(values)
    if problems:
        raise ImportRefused([BadRow(1, problem) for problem in problems])
    known = Account.objects.filter(account_id=row["account_id"]).first()
    if known is not None and known.removed_at is None:
        raise AlreadyRegistered(f"Account {known.account_id} is registered already. What it is called and how it is read stays as it is.")
    _store(known, row, now=now, actor=actor, note=note)
    account = Account.objects.get(account_id=row["account_id"])
    if not sees_every_account(actor) and ScopeGrant.objects.filter(user=actor).exists():
        ScopeGrant.objects.get_or_create(user=actor, account=account)
    return account


def _clean(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values by column, and what is wrong with them."""
    problems = [f"unknown field {name!r}" for name in row if name not in COLUMNS and name]
    if "" in row:
        problems.append("it has more fields than the header, or is not an object")
    values: dict[str, Any] = {name: _text(row[name]) for name in COLUMNS if name in row and name != "tags" and row[name] is not None}
    account_id = values.get("account_id", "")
    if not re.fullmatch(r"\d{12}", account_id):
        problems.append(f"account_id must be 12 digits, not {account_id!r}")
    if values.get("partition") == "":
        values.pop("partition")
    if values.get("partition", "aws") not in Partition.values:
        problems.append(f"partition must be one of {', '.join(Partition.values)}, not {values['partition']!r}")
    problems += role_problems(values, account_id)
    problems += _text_problems(values)
    if row.get("tags") is not None:
        tags = _tags(row["tags"])
        problems += [] if tags is not None else ["tags must look like key=value;key=value"]
        values["tags"] = tags or {}
    return values, problems


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _text_problems(values: Mapping[str, Any]) -> list[str]:
    problems = []
    if len(values.get("name", "")) > 128:
        problems.append("name is longer than 128 characters")
    if len(values.get("environment", "")) > 64:
        problems.append("environment is longer than 64 characters")
    if values.get("external_id") and not _EXTERNAL_ID.fullmatch(values["external_id"]):
        problems.append("external_id may hold 2 to 1,224 letters, digits and _+=,.@:/-")
    if values.get("owner_email"):
        try:
            validate_email(values["owner_email"])
        except ValidationError:
            problems.append(f"owner_email is not an address: {values['owner_email'][:80]!r}")
    return problems


def _tags(value: Any) -> dict[str, str] | None:
    """`key=value;key=value`, or an object in JSON; None when it is neither."""
    if isinstance(value, dict):
        return {str(key): str(text) for key, text in value.items()}
    pairs = [part.partition("=") for part in _text(value).split(";") if part.strip()]
    if any(not separator or not key.strip() for key, separator, _ in pairs):
        return None
    return {key.strip(): text.strip() for key, _, text in pairs}


def _store(account: Account | None, values: dict[str, Any], *, now: datetime, actor: User | None, note: str = "") -> str:
    """Create or update one account and audit it. An empty external id keeps, or makes, ours."""
    told = partial(audit.record, outcome="succeeded", now=now, actor=actor, note=note)
    if not values.get("external_id"):
        values = {name: value for name, value in values.items() if name != "external_id"}
    if not values.get("name"):
        values = {**values, "name": account.name if account else values["account_id"]}
    if account is None:
        created = Account.objects.create(**{"external_id": new_external_id(), **values}, created_at=now, updated_at=now)
        told(action="account.add", account=created, target=str(created), after=_shown(values))
        return "created"
    before = {name: getattr(account, name) for name in values}
    if before == values and account.removed_at is None:
        return "unchanged"
    changed = {name: value for name, value in values.items() if before[name] != value}
    for name, value in changed.items():
        setattr(account, name, value)
    account.updated_at, account.removed_at = now, None
    if not account.act_role_arn:
        account.allows_remediation = False
    account.save()
    was = {name: before[name] for name in changed}
    told(action="account.change", account=account, target=str(account), before=_shown(was), after=_shown(changed))
    return "updated"


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the audit log; the external id only as a word."""
    return {name: "(set)" if name == "external_id" else value for name, value in values.items()}
