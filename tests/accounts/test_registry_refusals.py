"""import_accounts: files and values that look right at a glance, and must not come in."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Account
from accounts.registry import ImportRefused, import_accounts
from accounts.roles import role_of
from tests.accounts.test_registry import HEADER, ONE, TWO, refused, run

pytestmark = pytest.mark.django_db
ARABIC = "١١١١٢٢٢٢٣٣٣٣"
MAIL = f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.com"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f'account_id,name\n{TWO},good\n{ONE},"abc\n{TWO},x\n', 3, "a quote is not closed"),
        (f'account_id,name\n{ONE},"abc"d\n', 2, "this is not CSV"),
        (f'account_id,name\n{ONE},"a\nb"\n', 2, "name has a line break"),
        (f'account_id,name\n\n{TWO},"a\nb"\nbad,x\n', 5, "account_id must be 12 digits"),
        ("account_id,name,Name\n", 1, "column name is there twice"),
        (f"account_id,{'x' * 200_000}\n", 1, "field larger than field limit"),
        (f'account_id,name\n{TWO},x\n{ONE},"{"a" * 200_000}"\n', 3, "field larger than field limit"),
        (f'account_id,name\n{TWO},x\n{ONE},"\n{"a" * 200_000}"\n', 3, "field larger than field limit"),
    ],
)
def test_a_csv_that_is_broken_names_the_line_where_the_row_begins(tmp_path: Path, text: str, line: int, words: str) -> None:
    said = refused(tmp_path, text)
    assert f"line {line}: " in said
    assert words in said


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"{ARABIC},x,,,,,,,", "account_id must be 12 digits"),
        (f"{ONE},x,arn:aws:iam::{ARABIC}:role/r,,,,,,", "read_role_arn is not the ARN of an IAM role"),
        (f'{ONE},x,"arn:aws:iam::{ONE}:role/R*<>""",,,,,,', "read_role_arn is not the ARN of an IAM role"),
        (f"{ONE},x,,arn:aws:iam::{ONE}:role/path/,,,,,", "act_role_arn is not the ARN of an IAM role"),
        (f"{ONE},x,,arn:aws:iam::{ONE}:role/{'a' * 65},,,,,", "act_role_arn is not the ARN of an IAM role"),
        (f"{ONE},x,arn:aws:iam::{ONE}:role/{'a' * 2100},,,,,,", "read_role_arn is not the ARN of an IAM role"),
        (f"{ONE},x,arn:aws:iam::{ONE}:role/{'a' * 511}/r,,,,,,", "read_role_arn is not the ARN of an IAM role"),
        (f"{ONE},a\0b,,,,,,,", "name has a line break or another control character"),
        (f"{ONE},x,,,,,a\x07b,,", "environment has a line break or another control character"),
        (f"{ONE},x,,,,,,,a=b\x07c", "tags has a line break or another control character"),
        (f"{ONE},x,,,,,,{MAIL},", "owner_email is longer than 254 characters"),
        (f"{ONE},{'n' * 129},,,,,,,", "name is longer than 128 characters"),
        (f"{ONE},x,,,,,{'e' * 65},,", "environment is longer than 64 characters"),
        (f"{ONE},x,,,{'e' * 1225},,,,", "external_id may hold 2 to 1,224"),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused(tmp_path: Path, row: str, words: str) -> None:
    said = refused(tmp_path, f"{HEADER}\n{TWO},good,,,,,,,\n{row}\n")
    assert "line 3: " in said
    assert words in said


def test_a_row_with_too_many_fields_tells_none_of_them(tmp_path: Path) -> None:
    said = refused(tmp_path, f"{HEADER}\n{ONE},Payments, EU,,,ours-1,aws,prod,,\n")
    assert "line 2: it has more fields" in said
    assert "ours-1" not in said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ["x"]}, "name must be text"),
        ({"environment": {"a": "b"}}, "environment must be text"),
        ({"name": True}, "name must be text"),
        ({"external_id": ["ours-1"]}, "external_id must be text"),
        ({"account_id": 600000000001.5}, "account_id must be text"),
        ({"account_id": int("9" * 4000)}, "account_id must be 12 digits"),
        ({"tags": {"a": None}}, "tags must look like"),
        ({"tags": {"a": {"c": "d"}}}, "tags must look like"),
        ({"tags": {"a": ["b"]}}, "tags must look like"),
        ({"tags": ["a=b"]}, "tags must look like"),
        ({"tags": [1]}, "tags must look like"),
        ({"tags": {"a": "b\0"}}, "tags has a line break or another control character"),
        ({"tags": {"a\ud800": "b"}}, "tags has a line break or another control character"),
        ({"name": "a\ud800b"}, "name has a line break or another control character"),
        ({"name": "a\0b"}, "name has a line break or another control character"),
    ],
)
def test_an_entry_of_json_with_a_wrong_value_is_named(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    said = refused(tmp_path, json.dumps([{"account_id": TWO}, {"account_id": ONE, **fields}]), "accounts.json")
    assert "line 2: " in said
    assert words in said
    assert "ours-1" not in said


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f'[{{"account_id": "{TWO}"}}, {{"account_id": "{ONE}", "name": "a", "name": "b"}}]', 2, "a key is in it twice"),
        (f'[{{"account_id": "{ONE}", "tags": {{"a": "1", "a": "2"}}}}]', 1, "tags has a key twice"),
        ("[" * 100_000, 1, "nested too deep"),
        (f'[{{"account_id": "{TWO}"}}, {{"account_id": {"9" * 5000}}}]', 2, "account_id must be 12 digits"),
    ],
)
def test_json_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, line: int, words: str) -> None:
    said = refused(tmp_path, text, "accounts.json")
    assert f"line {line}: " in said
    assert words in said
    assert len(said) < 400


def test_whole_numbers_of_json_are_taken_as_text(tmp_path: Path) -> None:
    run(tmp_path, json.dumps([{"account_id": int(ONE), "name": 7, "tags": {"tier": 1}}]), "accounts.json")
    account = Account.objects.get()
    assert (account.account_id, account.name, account.tags) == (ONE, "7", {"tier": "1"})


def role(partition: str, name: str = "r") -> str:
    return f"arn:{partition}:iam::{ONE}:role/{name}"


def again(folder: Path, **fields: str) -> str:
    return run(folder, json.dumps([{"account_id": ONE, **fields}]), "accounts.json")


def test_a_new_account_without_a_partition_gets_that_of_its_role(tmp_path: Path) -> None:
    again(tmp_path, act_role_arn=role("aws-us-gov"))
    assert Account.objects.get().partition == "aws-us-gov"


def test_a_known_account_keeps_its_partition_where_the_row_leaves_it_out(tmp_path: Path) -> None:
    again(tmp_path, partition="aws-us-gov", read_role_arn=role("aws-us-gov"))
    assert "1 updated" in again(tmp_path, read_role_arn=role("aws-us-gov", "other"))
    assert "1 updated" in again(tmp_path, name="gov", partition="")
    assert Account.objects.get().partition == "aws-us-gov"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"read_role_arn": role("aws")}, "read_role_arn is in partition aws, not in aws-us-gov"),
        ({"read_role_arn": role("aws"), "partition": ""}, "read_role_arn is in partition aws, not in aws-us-gov"),
        ({"partition": "aws-cn"}, "read_role_arn, which is stored, is not in partition aws-cn"),
        ({"partition": "aws-cn", "act_role_arn": role("aws-cn")}, "read_role_arn, which is stored, is not in partition aws-cn"),
        ({"partition": "aws-cn", "read_role_arn": role("aws")}, "read_role_arn is in partition aws, not in aws-cn"),
    ],
)
def test_roles_and_partition_of_a_known_account_must_agree(tmp_path: Path, now: datetime, fields: dict[str, str], words: str) -> None:
    again(tmp_path, partition="aws-us-gov", read_role_arn=role("aws-us-gov"))
    before = Account.objects.values().get()
    with pytest.raises(ImportRefused) as caught:
        import_accounts([(2, {"account_id": TWO}), (3, {"account_id": ONE, **fields})], now=now)
    (problem,) = caught.value.problems
    assert problem.line == 3
    assert problem.problem.startswith(words)
    assert Account.objects.values().get() == before


def test_partition_and_roles_may_change_together(tmp_path: Path) -> None:
    again(tmp_path, read_role_arn=role("aws"), act_role_arn=role("aws"))
    assert "1 updated" in again(tmp_path, partition="aws-cn", read_role_arn=role("aws-cn"), act_role_arn="")
    account = Account.objects.get()
    assert (account.partition, account.read_role_arn, account.act_role_arn) == ("aws-cn", role("aws-cn"), "")


@pytest.mark.parametrize("name", ["r", "ops/team-1/R_+=,.@-", f"{'p' * 510}/{'r' * 64}"])
def test_names_and_paths_that_iam_allows_are_roles(name: str) -> None:
    assert role_of(role("aws", name)) == ("aws", ONE)
