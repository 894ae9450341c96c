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
from accounts.roles import role_of, role_problems

if TYPE_CHECKING:
    from django.contrib.auth.models import User

COLUMNS = ("account_id", "name", "read_role_arn", "act_role_arn", "external_id", "partition", "environment", "owner_email", "tags")
ROLES = ("read_role_arn", "act_role_arn")
LONGEST = {"name": 128, "environment": 64, "owner_email": 254}  # characters of the columns that take any text
_NUMBER = re.compile(r"[0-9]{12}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # and halves of characters, which cannot be stored
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported. `line` is where it begins in a CSV file, or its place in a JSON list, from 1."""

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
    return _json_rows(text) if is_json else _csv_rows(text)


class _Doubled(dict[str, Any]):
    """A JSON object that has a key twice: which of the values is meant nobody knows."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Doubled(found)


def _json_rows(text: str) -> list[tuple[int, Mapping[str, Any]]]:
    try:
        entries = json.loads(text, object_pairs_hook=_object, parse_int=str)  # a number of any length is text
    except json.JSONDecodeError as error:
        raise ImportRefused([BadRow(error.lineno, f"this is not JSON: {error.msg}")]) from error
    except RecursionError as error:
        raise ImportRefused([BadRow(1, "the JSON is nested too deep")]) from error
    if not isinstance(entries, list):
        raise ImportRefused([BadRow(1, "the file must be a list of objects")])
    return [(number, entry if isinstance(entry, dict) else {"": entry}) for number, entry in enumerate(entries, start=1)]


def _csv_rows(text: str) -> list[tuple[int, Mapping[str, Any]]]:
    reader, line = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    rows: list[tuple[int, Mapping[str, Any]]] = []
    try:
        header = _header(next(reader, []))
        line = reader.line_num + 1
        for fields in reader:
            if any(fields):
                extra = {"": fields[len(header) :]} if len(fields) > len(header) else {}
                rows.append((line, dict(zip(header, fields, strict=False)) | extra))
            line = reader.line_num + 1
    except csv.Error as error:
        words = "a quote is not closed" if "unexpected end" in str(error) else str(error)
        raise ImportRefused([BadRow(line, f"this is not CSV: {words}")]) from error
    return rows


def _header(fields: list[str]) -> list[str]:
    """Names of columns; ImportRefused for one that is missing, unknown or there twice."""
    header, problem = [name.strip().lower() for name in fields], ""
    if "account_id" not in header:
        problem = "there is no column account_id"
    elif unknown := [name for name in header if name not in COLUMNS]:
        problem = f"unknown column {unknown[0][:40]!r}"
    elif doubled := [name for name in COLUMNS if header.count(name) > 1]:
        problem = f"column {doubled[0]} is there twice"
    if problem:
        raise ImportRefused([BadRow(1, f"{problem}; the columns are {', '.join(COLUMNS)}")])
    return header


def import_accounts(rows: Iterable[tuple[int, Mapping[str, Any]]], *, now: datetime, actor: User | None = None) -> Imported:
    """Create and update accounts by `account_id`; columns that are left out keep what they have. All rows or none.

    Raises ImportRefused with every bad row. Leaves one audit event for each account that changed.
    """
    problems: list[BadRow] = []
    wanted: dict[str, dict[str, Any]] = {}
    cleaned = [(line, *_clean(row)) for line, row in rows]
    with transaction.atomic():
        known = Account.objects.in_bulk({values["account_id"] for _, values, _ in cleaned} - {""}, field_name="account_id")
        for line, values, found in cleaned:
            account_id = values["account_id"]
            found += _role_problems(values, known.get(account_id))
            if not found and account_id in wanted:
                found.append(f"account {account_id} is in the file twice")
            problems += [BadRow(line, problem) for problem in found]
            wanted[account_id] = values
        if problems:
            raise ImportRefused(problems)
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
    known = Account.objects.filter(account_id=row["account_id"]).first()
    problems += _role_problems(row, known)
    if problems:
        raise ImportRefused([BadRow(1, problem) for problem in problems])
    if known is not None and known.removed_at is None:
        raise AlreadyRegistered(f"Account {known.account_id} is registered already. What it is called and how it is read stays as it is.")
    _store(known, row, now=now, actor=actor, note=note)
    account = Account.objects.get(account_id=row["account_id"])
    if not sees_every_account(actor) and ScopeGrant.objects.filter(user=actor).exists():
        ScopeGrant.objects.get_or_create(user=actor, account=account)
    return account


def _clean(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values by column, and what is wrong with them but for the roles. `account_id` is empty where it is none."""
    if "" in row:  # its fields may be another column's: nothing of them is told
        return {"account_id": ""}, ["it has more fields than the header, or is not an object"]
    problems = [f"unknown field {name[:40]!r}" for name in row if name not in COLUMNS]
    problems += ["a key is in it twice"] if isinstance(row, _Doubled) else []
    given = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    tags = given.pop("tags", None)
    problems += [f"{name} must be text" for name, value in given.items() if not isinstance(value, str)]
    values: dict[str, Any] = {name: value.strip() for name, value in given.items() if isinstance(value, str)}
    account_id = values.setdefault("account_id", "")
    if not _NUMBER.fullmatch(account_id):
        problems.append(f"account_id must be 12 digits{f', not {account_id[:40]!r}' if account_id else ''}")
        values["account_id"] = ""
    if values.get("partition") not in Partition.values and (partition := values.pop("partition", "")):
        problems.append(f"partition must be one of {', '.join(Partition.values)}, not {partition[:40]!r}")
    problems += _text_problems(values)
    if tags is not None:
        values["tags"], found = _tags(tags)
        problems += found
    return values, problems


def _role_problems(values: dict[str, Any], account: Account | None) -> list[str]:
    """What is wrong with the roles in the partition that will be in force: the row's, else the account's, else that of the row's roles.

    A new account gets that partition. Roles that are stored must be in it too where the row names one.
    """
    told = [role_of(values.get(name, ""))[0] for name in ROLES] if account is None else [account.partition]
    partition = values.get("partition") or next(filter(None, told), Partition.AWS.value)
    problems = role_problems({**values, "partition": partition}, values["account_id"]) if values["account_id"] else []
    if account is None:
        values["partition"] = partition
    elif "partition" in values:
        stored = {name: getattr(account, name) for name in ROLES if name not in values}
        others = [name for name, arn in stored.items() if arn and not arn.startswith(f"arn:{partition}:")]
        problems += [f"{name}, which is stored, is not in partition {partition}: give the role there too" for name in others]
    return problems


def _text_problems(values: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, longest in LONGEST.items():
        if len(values.get(name, "")) > longest:
            problems.append(f"{name} is longer than {longest} characters")
        if _CONTROL.search(values.get(name, "")):
            problems.append(f"{name} has a line break or another control character in it")
    if values.get("external_id") and not _EXTERNAL_ID.fullmatch(values["external_id"]):
        problems.append("external_id may hold 2 to 1,224 letters, digits and _+=,.@:/-")
    if values.get("owner_email"):
        try:
            validate_email(values["owner_email"])
        except ValidationError:
            problems.append(f"owner_email is not an address: {values['owner_email'][:80]!r}")
    return problems


def _tags(value: Any) -> tuple[dict[str, str], list[str]]:
    """Tags of `key=value;key=value`, or of an object of texts in JSON, and what is wrong with them."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(";") if part.strip()]
        found = {key.strip(): text.strip() for key, _, text in pairs}
        is_good = all(separator for _, separator, _ in pairs)
    elif isinstance(value, dict):
        found, is_good = value, all(isinstance(text, str) for text in value.values())
    else:
        found, is_good = {}, False
    if not is_good or not all(key.strip() for key in found):
        return {}, ["tags must look like key=value;key=value, or in JSON be an object of texts"]
    if isinstance(value, _Doubled):
        return {}, ["tags has a key twice"]
    if any(_CONTROL.search(key + text) for key, text in found.items()):
        return {}, ["tags has a line break or another control character in it"]
    return dict(found), []


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
