"""What AWS Organizations tells: what this account is to its organization, and all accounts with their places and tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from accounts.aws.connection import IAM, ORGANIZATIONS, Connection, needed
from accounts.gateway import AccessDenied, AwsError, CredentialsExpired, OrganizationAccount, OrganizationFacts, UnexpectedAwsError

T = TypeVar("T")

NO_ORGANIZATION = frozenset({"AWSOrganizationsNotInUseException", "OrganizationNotFound", "OrganizationNotFoundException"})
NOT_IN_CHARGE = "AccountNotManagementOrDelegatedAdministrator"
SWITCHED_OFF = ("ServiceAccessNotEnabled", "OrganizationNotInAllFeaturesMode")
PART_OF = {"ListTagsForResource": "tags", "ListParents": "units", "DescribeOrganizationalUnit": "units"}  # what each operation reads


@dataclass(frozen=True, slots=True)
class ListedAccount(OrganizationAccount):
    """An entry, and why its units or tags are missing. A permission that is missing is told once, with the first account."""

    unread: tuple[AwsError, ...] = field(default=(), compare=False)


class OrganizationCalls(Connection):
    """Reads of the organization."""

    def organization(self) -> OrganizationFacts:
        """organizations:DescribeOrganization, and iam:ListOrganizationsFeatures in a management or delegated account."""
        try:
            answer = self.call(ORGANIZATIONS, "describe_organization", "DescribeOrganization")
        except UnexpectedAwsError as error:
            if error.code in NO_ORGANIZATION:
                return OrganizationFacts("none")
            raise
        told = needed(answer, "Organization", "DescribeOrganization")
        organization_id, management = str(told.get("Id", "")), str(told.get("MasterAccountId", ""))
        if not management:
            return OrganizationFacts("unknown", organization_id)
        is_management = management == self.account_id
        in_charge, features = self._features()
        role = "management" if is_management else "delegated" if in_charge else "member"
        return OrganizationFacts(role, organization_id, management, features)

    def _features(self) -> tuple[bool, tuple[str, ...] | None]:
        """Whether this account may manage central root access, and what is on; None where that is not known."""
        try:
            answer = self.call(IAM, "list_organizations_features", "ListOrganizationsFeatures")
        except AccessDenied:
            return False, None
        except AwsError as error:
            if error.code.startswith(SWITCHED_OFF):
                return True, ()
            if error.code.startswith(NOT_IN_CHARGE) or error.code in NO_ORGANIZATION:
                return False, None
            raise
        return True, tuple(str(word) for word in answer.get("EnabledFeatures") or [])

    def organization_accounts(self) -> Iterator[OrganizationAccount]:
        """organizations:ListAccounts, all pages; pages may be empty. Units and tags where they can be read, else none and `unread`."""
        places = _Places(self)
        for page in self.token_pages(ORGANIZATIONS, "list_accounts", "ListAccounts", MaxResults=20):
            for entry in page.get("Accounts") or []:
                number = str(needed(entry, "Id", "ListAccounts"))
                unread: list[AwsError] = []
                yield ListedAccount(
                    account_id=number,
                    name=str(entry.get("Name", "")),
                    email=str(entry.get("Email", "")),
                    state=str(entry.get("State") or entry.get("Status") or ""),
                    arn=str(entry.get("Arn", "")),
                    unit_path=places.path(number, entry.get("Paths") or [], unread),
                    tags=places.tags(number, unread),
                    unread=tuple(unread),
                )


@dataclass
class _Places:
    """Names of units and tags. The first refusal of either ends the asking: one permission is missing for all accounts.

    Any other error is about one account and is put into its `unread`. Errors of the session itself are raised.
    """

    connection: Connection
    denied: set[str] = field(default_factory=set)  # parts that are not asked for any more
    units: dict[str, tuple[str, str]] = field(default_factory=dict)  # id → name, id of the parent

    def tags(self, number: str, unread: list[AwsError]) -> dict[str, str]:
        """Tags of one account."""
        return self._tried("tags", lambda: self._tags(number), {}, unread)

    def path(self, number: str, given: list[str], unread: list[AwsError]) -> str:
        """Names of the units from the root down, without the root; from the path of ids where AWS gives one, else parent by parent."""
        return self._tried("units", lambda: self._path(number, given), "", unread)

    def _tried(self, part: str, read: Callable[[], T], nothing: T, unread: list[AwsError]) -> T:
        if part in self.denied:
            return nothing
        try:
            return read()
        except AwsError as error:
            if isinstance(error, CredentialsExpired) or error.operation not in PART_OF:
                raise
            if isinstance(error, AccessDenied):
                self.denied.add(part)
            unread.append(error)
            return nothing

    def _tags(self, number: str) -> dict[str, str]:
        pages = self.connection.token_pages(ORGANIZATIONS, "list_tags_for_resource", "ListTagsForResource", ResourceId=number)
        return {str(tag.get("Key", "")): str(tag.get("Value", "")) for page in pages for tag in page.get("Tags") or []}

    def _path(self, number: str, given: list[str]) -> str:
        ids = [part for part in given[0].split("/") if part.startswith("ou-")] if given else self._ancestors(number)
        return "/".join(self._name(unit) for unit in ids)

    def _ancestors(self, number: str) -> list[str]:
        """Ids of the units above an account, from the root down."""
        chain: list[str] = []
        child = self._parent(number)
        while child.startswith("ou-") and child not in chain:
            chain.append(child)
            name, above = self.units.get(child, ("", ""))
            if not above:
                above = self._parent(child)
                self.units[child] = (name, above)
            child = above
        return chain[::-1]

    def _parent(self, child: str) -> str:
        answer = self.connection.call(ORGANIZATIONS, "list_parents", "ListParents", ChildId=child)
        parents: list[dict[str, Any]] = answer.get("Parents") or []
        return str(parents[0].get("Id", "")) if parents else ""

    def _name(self, unit: str) -> str:
        name, parent = self.units.get(unit, ("", ""))
        if not name:
            answer = self.connection.call(
                ORGANIZATIONS, "describe_organizational_unit", "DescribeOrganizationalUnit", OrganizationalUnitId=unit
            )
            name = str((answer.get("OrganizationalUnit") or {}).get("Name") or unit)
            self.units[unit] = (name, parent)
        return name
