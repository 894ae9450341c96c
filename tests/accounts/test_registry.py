"""import_accounts: every bad row by its line, all or nothing, as often as one likes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, AuditEvent

pytestmark = pytest.mark.django_db
ONE, TWO = "111122223333", "444455556666"
HEADER = "account_id,name,read_role_arn,act_role_arn,external_id,partition,environment,owner_email,tags"


def run(folder: Path, content: str | bytes, name: str = "accounts.csv") -> str:
    path, out = folder / name, io.StringIO()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    call_command("import_accounts", str(path), stdout=out, stderr=out)
    return out.getvalue()


def refused(folder: Path, content: str, name: str = "accounts.csv") -> str:
    path, err = folder / name, io.StringIO()
    path.write_text(content)
    with pytest.raises(CommandError) as caught:
        call_command("import_accounts", str(path), stderr=err)
    assert caught.value.returncode == 1
    assert not Account.objects.exists()
    return err.getvalue()


def test_a_csv_with_a_byte_order_mark_and_quotes_is_imported_once(tmp_path: Path) -> None:
    row = f'{ONE},"Payments, EU",arn:aws:iam::{ONE}:role/ops/hygiene-read,,ours-1,aws,prod,pay@example.com,"team=pay; tier=1=a"'
    text = f"\ufeff{HEADER}\r\n{row}\r\n"
    assert "1 created" in run(tmp_path, text)
    account = Account.objects.get()
    assert (account.name, account.tags, account.external_id) == ("Payments, EU", {"team": "pay", "tier": "1=a"}, "ours-1")
    assert "1 unchanged" in run(tmp_path, text)
    assert AuditEvent.objects.count() == 1


def test_json_is_imported_and_columns_that_are_left_out_keep_what_they_have(tmp_path: Path) -> None:
    run(tmp_path, json.dumps([{"account_id": ONE, "name": "pay", "tags": {"a": "b"}}]), "accounts.json")
    made = Account.objects.get().external_id
    assert "1 updated" in run(tmp_path, json.dumps([{"account_id": ONE, "name": "payments"}]), "accounts.json")
    account = Account.objects.get()
    assert (account.name, account.tags, account.external_id) == ("payments", {"a": "b"}, made)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("12,x,,,,,,,", "account_id must be 12 digits"),
        (f"{ONE},x,arn:aws:iam::{TWO}:role/r,,,,,,", f"read_role_arn is in account {TWO}"),
        (f"{ONE},x,arn:aws-cn:iam::{ONE}:role/r,,,aws,,,", "read_role_arn is in partition aws-cn, not in aws"),
        (f"{ONE},x,,not-an-arn,,,,,", "act_role_arn is not the ARN"),
        (f"{ONE},x,,,,aws-moon,,,", "partition must be one of"),
        (f"{ONE},x,,,,,,nobody,", "owner_email is not an address"),
        (f"{ONE},x,,,,,,,team", "tags must look like"),
        (f"{ONE},x,,,é!,,,,", "external_id may hold"),
        (f"{ONE},x,,,,,,,,extra", "more fields than the header"),
        (f"{TWO},x,,,,,,,", "is in the file twice"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_is_imported(tmp_path: Path, row: str, words: str) -> None:
    said = refused(tmp_path, f"{HEADER}\n{TWO},good,,,,,,,\n{row}\n")
    assert "line 3: " in said
    assert words in said


def test_all_bad_rows_are_named_together(tmp_path: Path) -> None:
    said = refused(tmp_path, f"{HEADER}\n1,a,,,,,,,\n{ONE},good,,,,,,,\n2,b,,,,,,,\n")
    assert "line 2: " in said
    assert "line 4: " in said


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "name\nx\n"), ("a.csv", "account_id,colour\n1,red\n"), ("a.json", "[{"), ("a.json", "{}")]
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: str) -> None:
    assert "line 1" in refused(tmp_path, content, name)


def test_a_file_that_is_not_there_is_exit_code_2(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("import_accounts", str(tmp_path / "none.csv"))
    assert caught.value.returncode == 2


def test_the_audit_log_does_not_tell_the_external_id(tmp_path: Path) -> None:
    run(tmp_path, f"{HEADER}\n{ONE},x,,,ours-1,,,,\n")
    assert "ours-1" not in json.dumps(AuditEvent.objects.get().after)
