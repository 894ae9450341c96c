"""Who is who between two reports: the IAM UserId where it is known, else ARN and creation time.

A rename keeps the identity; a user deleted and made again under the same name is another. ListUsers is asked only when the set of
users of the report changed: an account whose users stay the same costs no call, whatever its size.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from accounts.gateway import AccessDenied, Gateway, ListedUser
from hygiene.domain.keys import second_of
from hygiene.domain.report import ParsedReport, ReportRow
from hygiene.models import AccountStatus, Poll, Principal
from hygiene.services import bulk, leases, missing

UserIds: TypeAlias = Mapping[tuple[str, datetime | None], str]  # by ARN and creation time

PERMISSION = "iam:ListUsers"
UNKNOWN = "whether a user was renamed or made anew, beyond what creation times tell"
WITHOUT = "The read role may not call iam:ListUsers: a renamed user is told from a new one by the time of its creation alone."


@dataclass
class Joined:
    """Rows of a report with their principals. `of` by the row's ARN, without users that are new.

    `renamed`: ARNs of rows whose principal had another. `remade`: whose ARN is another user's now. `left`: in no row.
    `back`: primary keys of those that were gone.
    """

    of: dict[str, Principal] = field(default_factory=dict)
    renamed: set[str] = field(default_factory=set)
    remade: list[Principal] = field(default_factory=list)
    left: list[Principal] = field(default_factory=list)
    back: set[int] = field(default_factory=set)


def digest_of(rows: Iterable[ReportRow]) -> str:
    """Changes when a user is made, removed or renamed, and with nothing else."""
    users = sorted(f"{row.arn} {row.created_at}" for row in rows if not row.is_root)
    return hashlib.sha256("\n".join(users).encode()).hexdigest()


def ids_of(listed: Iterable[ListedUser]) -> UserIds:
    """UserIds by what a row of the report tells too: a user made since the report is not taken for its namesake."""
    return {(user.arn, second_of(user.created_at)): user.user_id for user in listed}


def ids_before(parsed: ParsedReport, status: AccountStatus, gateway: Gateway, *, now: datetime) -> UserIds:
    """UserIds when users of the report may be renamed ones, to be asked before it is recorded; empty when none can be, or on a refusal."""
    if digest_of(parsed.rows) == status.users_listed_digest:
        return {}
    known = set(Principal.objects.present().users().filter(account=status.account_id).values_list("arn", "created_at"))
    users = {(row.arn, row.created_at) for row in parsed.users}
    if not (users - known and known - users):
        return {}
    return _asked(status, gateway, now=now)


def _asked(status: AccountStatus, gateway: Gateway, *, now: datetime) -> UserIds:
    status.users_listed_at = now
    try:
        ids = ids_of(gateway.list_users())
    except AccessDenied as error:
        if error.operation == "AssumeRole":
            raise
        missing.note(status, PERMISSION, UNKNOWN, now=now)
        return {}
    missing.clear(status, PERMISSION)
    return ids


def learn(digest: str, poll: Poll, status: AccountStatus, gateway: Gateway, *, now: datetime) -> None:
    """Fill in UserIds that are not known yet, after the report is on the pages. No call while the report's users stay the same.

    After a refusal polls go on asking (`missing.is_due`).
    """
    was_refused = missing.is_noted(status, PERMISSION)
    if digest == status.users_listed_digest and not was_refused:
        return
    if was_refused and not missing.is_due(status, PERMISSION, poll, now=now):
        return
    nameless = Principal.objects.present().users().filter(account=status.account_id, user_id="")
    if not was_refused and not nameless.exists():
        status.users_listed_digest = digest
        AccountStatus.objects.filter(pk=status.pk).update(users_listed_digest=digest)
        return
    ids = _asked(status, gateway, now=now)
    with leases.fenced(poll, now=now, phase="details"):
        remember(nameless.only("arn", "created_at", "user_id"), ids)
        status.users_listed_digest = "" if missing.is_noted(status, PERMISSION) else digest
        status.save(update_fields=["users_listed_at", "users_listed_digest", "missing_permissions"])


def remember(users: Iterable[Principal], ids: UserIds) -> None:
    """Write UserIds to the rows that they belong to."""
    found = []
    for user in users:
        user_id = ids.get((user.arn, user.created_at), "")
        if user_id and user_id != user.user_id:
            user.user_id = user_id
            found.append(user)
    bulk.update(Principal, [user.__dict__ for user in found], ["user_id"])


def join(rows: Sequence[ReportRow], status: AccountStatus, ids: UserIds) -> Joined:
    """Find each row's principal: by UserId, by ARN and creation time, then what only a rename or a return explains.

    `status` tells when the last complete report was made: a user who is older than that and was not in it under this ARN had another.
    """
    present = list(Principal.objects.present().filter(account=status.account_id))
    finder = _Finder(rows, ids, present)
    finder.by_user_id(present)
    finder.by_arn()
    if finder.open:
        since = status.report_generated_at if status.report_is_complete else None
        finder.by_birth(since)
        gone = list(Principal.objects.users().filter(account=status.account_id, gone_at__isnull=False).order_by("gone_at", "pk"))
        finder.returned(gone)
    return finder.result()


class _Finder:
    """The passes of `join`, from the strongest proof to the weakest. A principal is claimed once, a row has one principal."""

    def __init__(self, rows: Sequence[ReportRow], ids: UserIds, present: Sequence[Principal]) -> None:
        self.ids = ids
        self.present = {principal.arn: principal for principal in present}
        self.open = {row.arn: row for row in rows}
        self.arns = frozenset(self.open)
        self.claimed: set[int] = set()
        self.joined = Joined()

    def claim(self, row: ReportRow, principal: Principal) -> None:
        """This row is this principal's."""
        self.joined.of[row.arn] = principal
        if principal.arn != row.arn:
            self.joined.renamed.add(row.arn)
        self.claimed.add(principal.pk)
        del self.open[row.arn]

    def user_id(self, row: ReportRow) -> str:
        """The row's UserId as ListUsers told it just now; "" when it was not asked, or does not know the row's user any more."""
        return self.ids.get((row.arn, row.created_at), "")

    def by_user_id(self, principals: Iterable[Principal]) -> None:
        """The same UserId is the same user, whatever its name."""
        known = {principal.user_id: principal for principal in principals if principal.user_id and principal.pk not in self.claimed}
        for row in list(self.open.values()):
            principal = known.get(self.user_id(row))
            if principal is not None and principal.pk not in self.claimed:
                self.claim(row, principal)

    def by_arn(self) -> None:
        """The same ARN is the same user, unless creation time or UserId say that it was made again."""
        for row in list(self.open.values()):
            principal = self.present.get(row.arn)
            if principal is not None and principal.pk not in self.claimed and not self.is_another(principal, row):
                self.claim(row, principal)

    def is_another(self, principal: Principal, row: ReportRow) -> bool:
        """Rows that contradict each other prove nothing; root is always root."""
        if row.is_root or row.has_conflict:
            return False
        born_again = None not in (principal.created_at, row.created_at) and second_of(principal.created_at) != second_of(row.created_at)
        return born_again or self.contradicts(principal, row)

    def contradicts(self, principal: Principal, row: ReportRow) -> bool:
        """Two UserIds that are both known and differ."""
        user_id = self.user_id(row)
        return bool(user_id and principal.user_id and user_id != principal.user_id)

    def by_birth(self, since: datetime | None) -> None:
        """A user older than the last complete report, absent from it under this ARN, is one that was in it under another.

        Only where exactly one row and one missing user have this creation time.
        """
        if since is None:
            return
        missed = [p for p in self.present.values() if p.pk not in self.claimed and not p.is_root and p.created_at is not None]
        rows = [row for row in self.open.values() if row.created_at is not None and row.created_at <= since and not row.has_conflict]
        births = Counter(principal.created_at for principal in missed)
        rows_of = Counter(row.created_at for row in rows)
        by_birth = {principal.created_at: principal for principal in missed}
        for row in rows:
            principal = by_birth.get(row.created_at)
            if principal is not None and births[row.created_at] == rows_of[row.created_at] == 1 and not self.contradicts(principal, row):
                self.claim(row, principal)

    def returned(self, gone: Sequence[Principal]) -> None:
        """A user that was gone and is there again: the same UserId, or the same ARN and creation time."""
        self.by_user_id(gone)
        by_name: dict[tuple[str, datetime | None], Principal] = {(p.arn, p.created_at): p for p in gone if p.created_at is not None}
        for row in list(self.open.values()):
            principal = by_name.get((row.arn, row.created_at))
            if principal is not None and principal.pk not in self.claimed and not self.contradicts(principal, row):
                self.claim(row, principal)
        self.joined.back = {principal.pk for principal in gone if principal.pk in self.claimed}

    def result(self) -> Joined:
        """What is left over: users made again, and users in no row."""
        for principal in self.present.values():
            if principal.pk not in self.claimed:
                (self.joined.remade if principal.arn in self.arns else self.joined.left).append(principal)
        return self.joined
