"""Asking AWS of users one by one: some seconds' worth at a time, and past single users of whom it does not tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from accounts.gateway import AccessDenied, AwsError, Gateway, UnexpectedAwsError, Unreachable
from hygiene.domain.wording import listed
from hygiene.models import Principal
from hygiene.services.clock import Clock

LARGEST = 900  # users of one transaction, below SQLite's limit of parameters
WRITTEN_EVERY = timedelta(seconds=5)  # so that a page is never far behind, and little is asked again after a kill
LONGEST = timedelta(minutes=7)  # a worker's task ends after nine minutes; what is left is asked by the next poll
OF_ITS_OWN = frozenset({"ValidationError", "ValidationException", "InvalidInput"})  # what AWS says of a name that IAM cannot have
FEW, MANY = 3, 25  # users in a row after whom an error is not theirs: before anybody was answered, and after
NAMED = 3
Told = TypeVar("Told")


@dataclass
class Aside:
    """Users of whom AWS did not tell, while it may tell of others. The next poll asks of them again.

    `allows_refusals`: whether a refusal may be one user's own, as by a policy whose resources are some users.
    """

    allows_refusals: bool = False
    names: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    is_answered: bool = False
    in_a_row: int = 0
    _error: AwsError | None = None

    def __len__(self) -> int:
        return len(self.names)

    def takes(self, user: Principal, error: AwsError) -> bool:
        """Whether the error may be this user's own; the user is set aside then."""
        if not isinstance(error, UnexpectedAwsError):
            self._error = error
        if not self._is_own(error):
            return False
        self.in_a_row += 1
        self.names.append(user.name)
        if error.code not in self.codes:
            self.codes.append(error.code)
        return True

    def answered(self) -> None:
        """AWS told of somebody."""
        self.is_answered, self.in_a_row = True, 0

    def of_all(self) -> AwsError | None:
        """The error that is not single users' after all, as nobody was answered."""
        return None if self.is_answered else self._error

    def _is_own(self, error: AwsError) -> bool:
        if isinstance(error, UnexpectedAwsError):
            return error.code in OF_ITS_OWN
        if isinstance(error, AccessDenied):
            is_own = self.allows_refusals and error.operation != "AssumeRole"
            limit = MANY if self.is_answered else FEW
        else:
            is_own, limit = isinstance(error, Unreachable) and bool(error.request_id), FEW  # an answer, if a broken one
        return is_own and self.in_a_row + 1 < limit

    def note(self, operation: str, unknown: str) -> str:
        """One sentence for the poll's page; empty when nobody is set aside."""
        if not self.names:
            return ""
        names = listed(self.names, most=NAMED)
        return f"{operation} does not tell of {names} ({', '.join(self.codes)}): {unknown} unknown. It is asked again next time."


def in_batches(
    users: Sequence[Principal], ask: Callable[[Principal], Told], clock: Clock, aside: Aside
) -> Iterator[list[tuple[Principal, Told]]]:
    """What AWS tells of each user as it comes, some seconds' worth at a time, without those whom `aside` takes.

    An error that is not one user's own is raised after what was answered before it; so is one after which nobody was answered.
    """
    batch: list[tuple[Principal, Told]] = []
    since = clock.now()
    for user in users:
        try:
            batch.append((user, ask(user)))
        except AwsError as error:
            if aside.takes(user, error):
                continue
            if batch:
                yield batch
            raise
        aside.answered()
        if len(batch) == LARGEST or clock.now() - since >= WRITTEN_EVERY:
            yield batch
            batch, since = [], clock.now()
    if batch:
        yield batch
    if (of_all := aside.of_all()) is not None:
        raise of_all


class Names:
    """Names of the users that exist now, asked for once, and only after a refusal."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: frozenset[str] | None = None
        self._is_asked = False

    def lack(self, name: str) -> bool:
        """Whether there certainly is no user of this name."""
        if not self._is_asked:
            self._is_asked = True
            with suppress(AwsError):
                self._known = frozenset(user.user_name for user in self._gateway.list_users())
        return self._known is not None and name not in self._known
