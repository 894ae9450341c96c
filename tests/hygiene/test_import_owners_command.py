"""import_owners: every bad row by its line, all or nothing, and owners that hold at once."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from hygiene.models import OwnerMapping, Principal
from tests.factories import estate, poll

pytestmark = pytest.mark.django_db
NUMBER = "204811779021"


def run(folder: Path, content: str | bytes, *options: str) -> str:
    path, out = folder / "owners.csv", io.StringIO()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    call_command("import_owners", str(path), *options, stdout=out, stderr=out)
    return out.getvalue()


def refused(folder: Path, content: str) -> str:
    path, err = folder / "owners.csv", io.StringIO()
    path.write_text(content)
    with pytest.raises(CommandError) as caught:
        call_command("import_owners", str(path), stderr=err)
    assert caught.value.returncode == 1
    assert not OwnerMapping.objects.exists()
    return err.getvalue()


def test_owners_hold_at_once_and_after_the_next_poll(tmp_path: Path) -> None:
    account, world = estate()
    text = f"user_arn,user_name,tag,account_id,owner\narn:aws:iam::{NUMBER}:user/user-0000,,,,one@example.com\n,user-*,,,all@example.com\n"
    assert "2 created" in run(tmp_path, text)
    for _ in range(2):
        found = dict(Principal.objects.users().values_list("name", "owner"))
        assert found == {"user-0000": "one@example.com", **{f"user-000{n}": "all@example.com" for n in range(1, 5)}}
        poll(account, world)
    assert Principal.objects.get(name="user-0001").owner_source == "list, user-*"
    assert "2 unchanged" in run(tmp_path, text)
    assert AuditEvent.objects.filter(action="owners.import").count() == 1
    assert "1 removed" in run(tmp_path, "user_name,owner\nuser-*,all@example.com\n", "--replace")
    assert Principal.objects.get(name="user-0000").owner == "all@example.com"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",,,,a@example.com", "exactly one of user_arn, user_name, tag"),
        (f"arn:aws:iam::{NUMBER}:user/x,x,,,a@example.com", "exactly one of"),
        (f"arn:aws:iam::{NUMBER}:role/x,,,,a@example.com", "not the ARN of an IAM user"),
        ("arn:aws:iam::999988887777:user/x,,,,a@example.com", "account 999988887777 is not registered"),
        (f"arn:aws:iam::{NUMBER}:user/x,,,771433802256,a@example.com", "not in 771433802256"),
        (",a b,,,a@example.com", "no IAM user name"),
        (",,team=(web),,a@example.com", "tag must look like"),
        (",x,,,nobody", "owner must be a mail address"),
        (",x,,,a@example.com,more", "more fields"),
        (",twice,,,b@example.com", "the same as line 2"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_is_imported(tmp_path: Path, row: str, words: str) -> None:
    estate()
    said = refused(tmp_path, f"user_arn,user_name,tag,account_id,owner\n,twice,,,a@example.com\n{row}\n,fine,,,a@example.com\n")
    assert said.startswith("line 3: ")
    assert words in said


@pytest.mark.parametrize("content", ["", "a,b\n", "user_name\nx\n", "user_name,owner,size\nx,a@b.com,9\n", 'user_name,owner\n"x,a\n'])
def test_a_file_that_is_no_list_of_owners_is_refused(tmp_path: Path, content: str) -> None:
    assert "line" in refused(tmp_path, content)


def test_a_file_that_cannot_be_read_is_a_wrong_argument(tmp_path: Path) -> None:
    for path, content in ((tmp_path / "missing.csv", None), (tmp_path / "latin.csv", b"user_name,owner\nx,\xff")):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CommandError) as caught:
            call_command("import_owners", str(path))
        assert caught.value.returncode == 2
