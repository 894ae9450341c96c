"""Whether a report tells of everybody. One that was cut off between two rows looks whole, so what it lacks is held against live AWS.

AWS is asked for its users only when the report has fewer than the live summary counts, or lacks one that is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from accounts.gateway import AccessDenied, AwsError, Gateway, ListedUser
from accounts.models import Account
from hygiene.domain.report import ParsedReport
from hygiene.domain.wording import plural
from hygiene.models import Principal

SETTLES = timedelta(minutes=5)  # changes of IAM reach all readers within minutes: a user made just before a report may not be in it


def gap(parsed: ParsedReport, *, account: Account, counted: int | None, gateway: Gateway, generated_at: datetime) -> str:
    """Why users that the report lacks may still exist, as a sentence; empty when it tells of everybody that it could.

    `counted`: users by the live summary, None when that is not known. Users made or renamed since `generated_at` are no gap.
    """
    arns = {row.arn for row in parsed.users}
    known = set(Principal.objects.present().users().filter(account=account).values_list("arn", flat=True))
    is_short = counted is not None and len(arns) < counted
    if not is_short and known <= arns:
        return ""
    listed = _listed(gateway)
    if listed is not None:
        lost = _lost(parsed, listed, generated_at)
        return f"{plural(len(lost), 'user')} of the account, such as {lost[0]}, {_are(lost)} missing from the report." if lost else ""
    if is_short and not (known and known <= arns):
        return f"The report has {plural(len(arns), 'user')}, but the account has {counted}."
    return ""


def _listed(gateway: Gateway) -> tuple[ListedUser, ...] | None:
    """All users now; None when that cannot be read."""
    try:
        return gateway.list_users()
    except AccessDenied as error:
        if error.operation == "AssumeRole":
            raise
    except AwsError:
        pass
    return None


def _lost(parsed: ParsedReport, listed: Iterable[ListedUser], generated_at: datetime) -> list[str]:
    """Names of users that existed when the report was made and are not in it, under their name of now or of then."""
    users = list(listed)
    there, now = {row.arn for row in parsed.users}, {user.arn for user in users}
    renamed = {row.created_at for row in parsed.users if row.arn not in now} - {None}
    return sorted(
        user.user_name
        for user in users
        if user.arn not in there
        and user.created_at not in renamed
        and (user.created_at is None or user.created_at < generated_at - SETTLES)
    )


def _are(lost: list[str]) -> str:
    return "is" if len(lost) == 1 else "are"
