"""Units and tags of the organization's accounts: what is missing, for which account and why."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.aws import SessionSpec
from accounts.aws.connection import Api
from accounts.aws.organization import ListedAccount, OrganizationCalls
from accounts.gateway import AccessDenied, AwsError, CredentialsExpired, Purpose, Throttled, UnexpectedAwsError, Unreachable
from accounts.pace import Unlimited

ONE, TWO, THREE = "111122223333", "444455556666", "777788889999"
SPEC = SessionSpec(account_id=ONE, partition="aws", role_arn="", external_id="", purpose=Purpose.POLL, session_name="", session_policy="")
ANSWERS: dict[str, dict[str, Any]] = {
    "ListAccounts": {"Accounts": [{"Id": number, "State": "ACTIVE"} for number in (ONE, TWO, THREE)]},
    "ListParents": {"Parents": [{"Id": "r-root"}]},
    "ListTagsForResource": {"Tags": [{"Key": "team", "Value": "pay"}]},
    "DescribeOrganizationalUnit": {"OrganizationalUnit": {"Name": "Prod"}},
}


class Told(OrganizationCalls):
    """Answers each call from ANSWERS; `errors` by operation and the account that is asked for, "" for any."""

    def __init__(self, errors: dict[tuple[str, str], AwsError]) -> None:
        super().__init__(SPEC, Unlimited())
        self.errors = errors
        self.asked: list[str] = []

    def call(self, api: Api, method: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append(operation)
        about = str(parameters.get("ResourceId") or parameters.get("ChildId") or "")
        if found := self.errors.get((operation, about)) or self.errors.get((operation, "")):
            raise found
        if operation == "ListParents" and not about.startswith("ou-"):
            return {"Parents": [{"Id": "ou-prod"}]}
        return ANSWERS[operation]

    def listed(self) -> list[ListedAccount]:
        found = list(self.organization_accounts())
        assert all(isinstance(entry, ListedAccount) for entry in found)
        return [entry for entry in found if isinstance(entry, ListedAccount)]


@pytest.mark.parametrize(
    ("operation", "tags", "units"),
    [("ListTagsForResource", {}, "Prod"), ("ListParents", {"team": "pay"}, ""), ("DescribeOrganizationalUnit", {"team": "pay"}, "")],
)
def test_a_missing_permission_ends_the_asking_and_is_told_once(operation: str, tags: dict[str, str], units: str) -> None:
    error = AccessDenied("no", operation=operation)
    told = Told({(operation, ""): error})
    listed = told.listed()
    assert [(entry.tags, entry.unit_path) for entry in listed] == [(tags, units)] * 3
    assert [entry.unread for entry in listed] == [(error,), (), ()]
    assert told.asked.count(operation) == 1


@pytest.mark.parametrize("kind", [UnexpectedAwsError, Throttled, Unreachable])
def test_another_error_is_about_one_account(kind: type[AwsError]) -> None:
    no_tags, no_units = kind("no", operation="ListTagsForResource"), kind("no", operation="ListParents")
    one, two, three = Told({("ListTagsForResource", ONE): no_tags, ("ListParents", TWO): no_units}).listed()
    assert (one.tags, one.unit_path, one.unread) == ({}, "Prod", (no_tags,))
    assert (two.tags, two.unit_path, two.unread) == ({"team": "pay"}, "", (no_units,))
    assert (three.tags, three.unit_path, three.unread) == ({"team": "pay"}, "Prod", ())


@pytest.mark.parametrize(
    "error", [CredentialsExpired("no", operation="ListTagsForResource"), AccessDenied("no", operation="AssumeRole"), Throttled("no")]
)
def test_an_error_of_the_session_is_raised(error: AwsError) -> None:
    with pytest.raises(type(error)):
        Told({("ListTagsForResource", TWO): error}).listed()
